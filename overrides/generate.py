"""From the published document to everything that follows from it: patch, validate, render."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

from .engine import (
    LEFT_OUT,
    Outcome,
    Result,
    apply_overrides,
    change_list,
    left_out,
    load_overrides,
    messages,
)
from .errors import OverridesError
from .generator.render import render
from .openapi import fetch, validate
from .openapi.document import Json
from .openapi.fetch import Published
from .paths import (
    CHANGE_LIST,
    DOCUMENT,
    FINGERPRINT,
    GENERATED,
    OUTPUTS,
    PATCHED,
    ROOT,
    read_change_list,
    write,
    write_json,
)
from .staging import stage


def ensure_valid(result: Result) -> None:
    """Raise where the overrides do not fit the document any more, or what they make is not valid.

    Raises:
        OverridesError: an override is drifted, or the patched document is not valid OpenAPI.
    """
    if drifted := result.with_outcome(Outcome.DRIFTED):
        raise OverridesError("\n".join(line for override in drifted for line in override.messages))
    if errors := validate.validate(result.document):
        raise OverridesError("\n".join(["the patched document is not valid OpenAPI:", *errors]))


def build(
    published: Published,
    result: Result,
    into: Path,
    *,
    old: Mapping[str, Json] | None = None,
    date: str = "",
) -> None:
    """Write everything that follows from a published document below `into`.

    `old` is the change list until now, `date` the day on which overrides fell asleep.

    Raises:
        OverridesError: the generator or the templates cannot express the document.
    """
    digest = hashlib.sha256(published.content).hexdigest()
    write(into / FINGERPRINT, f"{digest}  {DOCUMENT.name}\n")
    write_json(into / PATCHED, result.document)
    write_json(into / CHANGE_LIST, change_list(result, old, date))
    render(result.document, into / GENERATED)


def generate(root: Path = ROOT, *, retire: Collection[str] = ()) -> list[str]:
    """Bring everything that follows from `openapi/whereby.json` up to date; return the messages.

    Raises:
        OverridesError: it is not possible; the repository is as it was.
    """
    with stage(root) as staged:
        published = fetch.read(root / DOCUMENT)
        old = read_change_list(root / CHANGE_LIST)
        result = apply_overrides(published.document, without=left_out(old))
        ensure_valid(result)
        lost = lost_overrides(root, retire)
        if lost:
            raise OverridesError("\n".join(lost))
        build(published, result, staged.new, old=old)
        staged.swap(OUTPUTS)
    return messages(result)


def lost_overrides(root: Path, retire: Collection[str] = ()) -> list[str]:
    """Name the defects that would come back because the module that patched them is gone.

    The change list knows what each override did. Generating without the module would make it
    forget that, and the defect would be in the package without a word. That holds for an override
    that sleeps as well: published documents go back and forth, and its defect with them.
    """
    present = {LEFT_OUT, *(override.name for override in load_overrides())}
    return [
        f"overrides/spec/{name}.py is gone, and so is what it did: {entry.get('defect')} "
        f"({len(entry.get('changes', []))} changes). Put it back; or, if it is not needed, run "
        f"`python -m overrides generate --retire {name}`"
        for name, entry in read_change_list(root / CHANGE_LIST).items()
        if name not in present and name not in retire
    ]
