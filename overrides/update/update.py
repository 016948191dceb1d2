"""`make update-spec`: take in a new document, or name the reason and leave everything as it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ..engine import Result, apply_overrides
from ..errors import OverridesError
from ..generate import build, ensure_valid, lost_overrides
from ..openapi.diff import diff_documents
from ..openapi.fetch import PUBLISHED_AT, Limits, Published, load
from ..paths import (
    CHANGE_LIST,
    DOCUMENT,
    GENERATED,
    OUTPUTS,
    PACKAGE,
    PATCHED,
    REPORT,
    ROOT,
    SNAPSHOT,
    read_change_list,
    read_json,
    write,
)
from ..staging import stage
from . import api_snapshot
from .api_diff import diff_apis
from .report import Findings, Report, renamed, report
from .verify import assemble, verify

Verify = Callable[[Path], list[str]]


class UpdateError(OverridesError):
    """The update cannot go on, although the document could be read: there is a report, too."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def update(
    spec: str = PUBLISHED_AT,
    root: Path = ROOT,
    *,
    rename: bool = False,
    limits: Limits | None = None,
    verify: Verify = verify,
) -> Report:
    """Replace the document and everything that follows from it by what is at `spec`.

    `rename` accepts new names for methods that exist. `verify` looks at the finished package
    before it gets into the tree.

    Raises:
        OverridesError: it is not possible; the tree is as it was.
    """
    with stage(root) as staged:
        published = load(spec, limits)
        result = apply_overrides(published.document)
        try:
            ensure_valid(result)
            if lost := lost_overrides(root):
                raise OverridesError("\n".join(lost))
            names = renamed(read_json(root / PATCHED), result.document)
            if names and not rename:
                hint = "To take the new names, run it again with --rename (make … RENAME=1)."
                raise OverridesError("\n".join(["names of methods would change:", *names, hint]))
        except OverridesError as error:
            raise UpdateError(str(error), _report(root, published, result, None)) from None
        build(published, result, staged.new)
        (staged.new / DOCUMENT).write_bytes(published.content)
        package = assemble(root, staged.new, staged.path / "check")
        api = api_snapshot.public_api(package)
        write(staged.new / SNAPSHOT, api_snapshot.written(api))
        finished = _report(root, published, result, api)
        if errors := verify(package.parent):
            text = "\n".join(["the generated package is not good enough:", *errors])
            raise UpdateError(text, finished)
        write(staged.new / REPORT, finished.markdown())
        staged.swap([*OUTPUTS, SNAPSHOT, REPORT, DOCUMENT])
    return finished


def _report(
    root: Path, published: Published, result: Result, api: api_snapshot.Facts | None
) -> Report:
    findings = Findings(
        origin=_short_name(published.origin),
        notes=published.notes,
        changes=diff_documents(read_json(root / PATCHED), result.document),
        result=result,
        published=published.document,
        old_published=read_json(root / DOCUMENT),
        old_change_list=read_change_list(root / CHANGE_LIST),
        api=[] if api is None else diff_apis(_old_api(root), api),
        version=_version(root),
    )
    return report(findings)


def _short_name(origin: str) -> str:
    """Return a URL as it is, and of a path only the file: the report gets into the tree."""
    return origin if "://" in origin else Path(origin).name


def _old_api(root: Path) -> api_snapshot.Facts:
    """Return what callers have: the committed snapshot; else that of the package itself."""
    if (root / SNAPSHOT).exists():
        return api_snapshot.read((root / SNAPSHOT).read_text(encoding="utf-8"))
    return api_snapshot.public_api(root / PACKAGE) if (root / GENERATED).exists() else {}


def _version(root: Path) -> str:
    source = (root / PACKAGE / "_version.py").read_text(encoding="utf-8")
    match = re.search(r'__version__ = "(.*?)"', source)
    return match[1] if match else "0.0.0"
