"""`make update-spec`: take a new document in, or say why not and leave everything as it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ..engine import Result, apply_overrides
from ..errors import Stopped
from ..generate import build, judge, lost_overrides
from ..openapi.diff import compare
from ..openapi.fetch import PUBLISHED_AT, Limits, Published, load
from ..paths import (
    DOCUMENT,
    GENERATED,
    LEDGER,
    OUTPUTS,
    PACKAGE,
    PATCHED,
    REPORT,
    ROOT,
    SNAPSHOT,
    read_json,
    write,
)
from ..staging import room
from . import api_diff as evolution
from . import api_snapshot as surface
from . import verify
from .report import Facts, Report, renamed, report

Verify = Callable[[Path], list[str]]


class UpdateStopped(Stopped):
    """The update cannot go on, although the document could be read: there is a report, too."""

    def __init__(self, said: str, found: Report) -> None:
        super().__init__(said)
        self.report = found


def update(
    spec: str = PUBLISHED_AT,
    root: Path = ROOT,
    *,
    rename: bool = False,
    limits: Limits | None = None,
    check: Verify = verify.problems,
) -> Report:
    """Replace the document, the ledger and the package by what the document at `spec` gives.

    `rename` accepts new names for methods that exist. `check` looks at the finished package before
    it gets into the tree.

    Raises:
        Stopped: it is not possible; the tree is as it was.
    """
    with room(root) as made:
        published = load(spec, limits)
        result = apply_overrides(published.document)
        try:
            judge(result, allow_obsolete=True)
            if lost := lost_overrides(root):
                raise Stopped("\n".join(lost))
            changed = renamed(read_json(root / PATCHED), result.document)
            if changed and not rename:
                told = "To take the new names, run it again with --rename (make … RENAME=1)."
                raise Stopped("\n".join(["names of methods would change:", *changed, told]))
        except Stopped as stopped:
            found = _report(root, published, result, None)
            raise UpdateStopped(str(stopped), found) from None
        build(published, result, made.new)
        (made.new / DOCUMENT).write_bytes(published.content)
        package = verify.assemble(root, made.new, made.path / "check")
        api = surface.public_api(package)
        write(made.new / SNAPSHOT, surface.written(api))
        found = _report(root, published, result, api)
        if problems := check(package.parent):
            raise UpdateStopped(
                "\n".join(["the generated package is not good enough:", *problems]), found
            )
        write(made.new / REPORT, found.markdown())
        made.replace([DOCUMENT, *OUTPUTS, SNAPSHOT, REPORT])
    return found


def _report(root: Path, published: Published, result: Result, api: surface.Facts | None) -> Report:
    old = read_json(root / PATCHED)
    facts = Facts(
        origin=_named(published.origin),
        notes=published.notes,
        differences=compare(old, result.document),
        result=result,
        old_ledger=read_json(root / LEDGER),
        api=[] if api is None else evolution.compare(_old_api(root), api),
        version=_version(root),
    )
    return report(facts)


def _named(origin: str) -> str:
    """Name where it came from; of a path only the file, for the report gets into the tree."""
    return origin if "://" in origin else Path(origin).name


def _old_api(root: Path) -> surface.Facts:
    """Read what callers have: the snapshot, which somebody looked at; else the package itself."""
    if (root / SNAPSHOT).exists():
        return surface.read((root / SNAPSHOT).read_text(encoding="utf-8"))
    return surface.public_api(root / PACKAGE) if (root / GENERATED).exists() else {}


def _version(root: Path) -> str:
    said = (root / PACKAGE / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "(.*?)"', said)
    return found[1] if found else "0.0.0"
