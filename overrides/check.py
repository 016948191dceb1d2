"""`make check`: is what is committed what generation gives, and does everybody know about it?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from . import forks
from .engine import Outcome, Result, apply_overrides, ledger
from .errors import Stopped
from .generate import build, lost_overrides
from .openapi import fetch as source
from .openapi.fetch import Published
from .paths import (
    DOCUMENT,
    FINGERPRINT,
    GENERATED,
    LEDGER,
    OUTPUTS,
    PACKAGE,
    PATCHED,
    ROOT,
    SHIPPED,
    SNAPSHOT,
    files,
    read_json,
)
from .staging import room
from .update import api_diff as evolution
from .update import api_snapshot as surface


def problems(root: Path = ROOT) -> list[str]:
    """Name everything that is not in order, each in its own words; nothing when all is.

    Raises:
        Stopped: the document cannot be read.
    """
    with room(root) as made:
        published = source.read(root / DOCUMENT)
        result = apply_overrides(published.document)
        found = [
            *_document(root, published),
            *lost_overrides(root),
            *(line for report in result.stale for line in report.messages),
        ]
        if not result.with_outcome(Outcome.DRIFTED):
            try:
                build(published, result, made.new)
            except Stopped as stopped:
                found.append(str(stopped))
            else:
                found += _ledger(root, result)
                found += _outputs(root, made.new)
        return [*found, *forks.problems(), *_api(root)]


def _document(root: Path, published: Published) -> Iterator[str]:
    if not (root / FINGERPRINT).exists():
        yield f"{FINGERPRINT} is missing: run `make generate`"
        return
    digest = hashlib.sha256(published.content).hexdigest()
    if (root / FINGERPRINT).read_text(encoding="utf-8").split(" ")[0] != digest:
        yield (
            f"{DOCUMENT} was edited and nothing was generated since. It is what Whereby published, "
            "byte for byte: cure it in overrides/spec, or take a new one with `make update-spec`"
        )


def _ledger(root: Path, result: Result) -> Iterator[str]:
    if not (root / LEDGER).exists():
        yield f"{LEDGER} is missing: run `make generate`"
        return
    kept, now = read_json(root / LEDGER), ledger(result)
    if kept == now:
        return
    names = [name for name in sorted({*kept, *now}) if kept.get(name) != now.get(name)]
    told = ", ".join(names) or "their order"
    yield f"{LEDGER} is stale: the overrides do something else now ({told}): run `make generate`"


def _outputs(root: Path, new: Path) -> Iterator[str]:
    """Compare what is committed with what was generated just now."""
    fresh, committed = files(new, OUTPUTS), files(root, OUTPUTS)
    for name in sorted(fresh.keys() | committed.keys()):
        if fresh.get(name) == committed.get(name) or Path(name) in (LEDGER, FINGERPRINT):
            continue  # the ledger and the fingerprint have words of their own
        if name not in committed:
            said = "is missing"
        elif name not in fresh:
            said = "is not generated any more"
        elif Path(name) in (PATCHED, SHIPPED):
            said = "is not what the overrides make of the document"
        else:
            said = "differs from what generation gives; it is never edited by hand"
        yield f"{name} {said}: run `make generate`"


def _api(root: Path) -> Iterator[str]:
    accept = "run `python -m overrides api` and commit the snapshot with the change"
    if not (root / SNAPSHOT).exists():
        yield f"{SNAPSHOT} is missing: {accept}"
        return
    if not (root / GENERATED).exists():
        return  # that was said
    old = surface.read((root / SNAPSHOT).read_text(encoding="utf-8"))
    try:
        changes = evolution.compare(old, surface.public_api(root / PACKAGE))
    except Stopped as stopped:
        yield f"the public API cannot be read: {stopped}"
        return
    if changes:
        yield f"the public API changed and {SNAPSHOT} does not say so; if it is meant, {accept}:"
        yield from (f"  {change}" for change in changes)
