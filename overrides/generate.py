"""From the published document to everything that follows from it: patch, validate, render."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from .engine import Outcome, Result, apply_overrides, ledger, load_overrides, messages
from .errors import Stopped
from .generator.render import render
from .openapi import fetch as source
from .openapi import validate as validity
from .openapi.document import Json
from .openapi.fetch import Published
from .paths import (
    DOCUMENT,
    FINGERPRINT,
    GENERATED,
    LEDGER,
    OUTPUTS,
    PATCHED,
    ROOT,
    SHIPPED,
    read_json,
    write,
    write_json,
)
from .staging import room


def judge(result: Result, *, allow_obsolete: bool = False) -> None:
    """Stop where the overrides do not fit the document any more.

    Raises:
        Stopped: an override is drifted, or obsolete and that is not allowed, or the patched
            document is not valid.
    """
    stale = result.with_outcome(Outcome.DRIFTED) if allow_obsolete else result.stale
    if stale:
        raise Stopped("\n".join(line for report in stale for line in report.messages))
    if problems := validity.problems(result.document):
        raise Stopped("\n".join(["the patched document is not valid OpenAPI:", *problems]))


def build(published: Published, result: Result, into: Path) -> None:
    """Write everything that follows from a published document below `into`.

    Raises:
        Stopped: the generator or the templates cannot cope with the document.
    """
    digest = hashlib.sha256(published.content).hexdigest()
    write(into / FINGERPRINT, f"{digest}  {DOCUMENT.name}\n")
    write_json(into / PATCHED, result.document)
    write_json(into / LEDGER, ledger(result))
    write_json(into / SHIPPED, result.document)
    render(result.document, into / GENERATED)


def generate(root: Path = ROOT, *, retire: Collection[str] = ()) -> list[str]:
    """Bring everything that follows from `openapi/whereby.json` up to date; return the messages.

    Raises:
        Stopped: it is not possible; the tree is as it was.
    """
    with room(root) as made:
        published = source.read(root / DOCUMENT)
        result = apply_overrides(published.document)
        judge(result)
        lost = lost_overrides(root, retire)
        if lost:
            raise Stopped("\n".join(lost))
        build(published, result, made.new)
        made.replace(OUTPUTS)
    return messages(result)


def lost_overrides(root: Path, retire: Collection[str] = ()) -> list[str]:
    """Name the defects that came back because the module that cured them is gone.

    The ledger knows what each override did. Generating without the module would make the ledger
    forget it, and the defect would be in the package without a word.
    """
    present = {override.name for override in load_overrides()}
    lost = []
    for name, entry in read_json(root / LEDGER).items():
        known: Json = entry if isinstance(entry, dict) else {}
        cured = known.get("outcome") == Outcome.APPLIED
        if cured and name not in present and name not in retire:
            lost.append(
                f"overrides/spec/{name}.py is gone, and so is its cure: "
                f"{known.get('defect')} ({len(known.get('places', []))} places). Put it back; or, "
                f"if it is not needed, run `python -m overrides generate --retire {name}`"
            )
    return lost
