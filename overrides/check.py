"""`make check`: is what is committed what generation gives, and do the overrides fit?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from .engine import Outcome, Result, apply_overrides, change_list, left_out
from .errors import OverridesError
from .generate import build, lost_overrides
from .openapi import fetch
from .openapi.fetch import Published
from .paths import (
    CHANGE_LIST,
    DOCUMENT,
    FINGERPRINT,
    GENERATED,
    OUTPUTS,
    PACKAGE,
    PATCHED,
    ROOT,
    SNAPSHOT,
    files,
    read_change_list,
)
from .staging import stage
from .update import api_snapshot
from .update.api_diff import diff_apis


def check(root: Path = ROOT) -> list[str]:
    """Return everything that is not in order, each in its own words; empty when all is.

    Raises:
        OverridesError: the document cannot be read.
    """
    with stage(root) as staged:
        published = fetch.read(root / DOCUMENT)
        old = read_change_list(root / CHANGE_LIST)
        result = apply_overrides(published.document, without=left_out(old))
        drifted = result.with_outcome(Outcome.DRIFTED)
        errors = [
            *_document(root, published),
            *lost_overrides(root),
            *(line for override in drifted for line in override.messages),
        ]
        if not drifted:
            try:
                build(published, result, staged.new, old=old)
            except OverridesError as error:
                errors.append(str(error))
            else:
                errors += _change_list(root, result)
                errors += _outputs(root, staged.new)
        return [*errors, *_api(root)]


def _document(root: Path, published: Published) -> Iterator[str]:
    if not (root / FINGERPRINT).exists():
        yield f"{FINGERPRINT} is missing: run `make generate`"
        return
    digest = hashlib.sha256(published.content).hexdigest()
    if (root / FINGERPRINT).read_text(encoding="utf-8").split(" ")[0] != digest:
        yield (
            f"{DOCUMENT} was edited and nothing was generated since. It is never edited: patch it "
            "in overrides/spec, or take in a new one with `make update-spec`"
        )


def _change_list(root: Path, result: Result) -> Iterator[str]:
    if not (root / CHANGE_LIST).exists():
        yield f"{CHANGE_LIST} is missing: run `make generate`"
        return
    committed = read_change_list(root / CHANGE_LIST)
    current = {entry["override"]: entry for entry in change_list(result, committed)}
    if committed == current and list(committed) == list(current):
        return
    names = {*committed, *current}
    changed = sorted(name for name in names if committed.get(name) != current.get(name))
    names_or_order = ", ".join(changed) or "their order"
    yield (
        f"{CHANGE_LIST} is stale: the overrides do something else now ({names_or_order}): "
        "run `make generate`"
    )


def _outputs(root: Path, new: Path) -> Iterator[str]:
    """Compare what is committed with what was generated just now."""
    generated, committed = files(new, OUTPUTS), files(root, OUTPUTS)
    for name in sorted(generated.keys() | committed.keys()):
        if generated.get(name) == committed.get(name) or Path(name) in (CHANGE_LIST, FINGERPRINT):
            continue  # the change list and the fingerprint have messages of their own
        if name not in committed:
            problem = "is missing"
        elif name not in generated:
            problem = "is not generated any more"
        elif Path(name) == PATCHED:
            problem = "is not what the overrides make of the document"
        else:
            problem = "differs from what generation gives; it is never edited by hand"
        yield f"{name} {problem}: run `make generate`"


def _api(root: Path) -> Iterator[str]:
    accept = "run `python -m overrides api` and commit the snapshot with the change"
    if not (root / SNAPSHOT).exists():
        yield f"{SNAPSHOT} is missing: {accept}"
        return
    if not (root / GENERATED).exists():
        return  # reported already
    committed = api_snapshot.read((root / SNAPSHOT).read_text(encoding="utf-8"))
    try:
        changes = diff_apis(committed, api_snapshot.public_api(root / PACKAGE))
    except OverridesError as error:
        yield f"the public API cannot be read: {error}"
        return
    if changes:
        yield f"the public API changed and {SNAPSHOT} does not show it; if it is meant, {accept}:"
        yield from (f"  {change}" for change in changes)
