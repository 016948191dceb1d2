"""`make update-spec`: take in a new document, or name the reason and leave everything as it was.

What breaks callers of the Python API is decided in `api_diff.py`, from two lists of facts
(`api_snapshot.py`); what the server does differently, in `overrides/openapi/diff.py`.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable, Collection
from pathlib import Path

from ..engine import Result, apply_overrides, left_out, pointer_of
from ..errors import OverridesError
from ..generate import build, ensure_valid, lost_overrides
from ..openapi.diff import diff_documents
from ..openapi.document import Json, operations
from ..openapi.fetch import PUBLISHED_AT, Limits, Published, load
from ..openapi.pointers import MISSING, resolve
from ..paths import (
    CHANGE_LIST,
    CHANGELOG,
    DOCUMENT,
    GENERATED,
    LOST,
    OUTPUTS,
    PACKAGE,
    PATCHED,
    REPORT,
    REVISIONS,
    ROOT,
    SNAPSHOT,
    VERSION,
    read_change_list,
    read_json,
    write,
)
from ..staging import Stage, stage
from . import api_snapshot
from .api_diff import diff_apis
from .release import read_version, write_release
from .report import Findings, Report, changelog, make_report, renamed, suggestion
from .revisions import earlier, read_revisions, write_revisions
from .usage import (
    gone_operations,
    lost_names,
    renamed_words,
    required_fields,
    rewritten,
    sources,
    users,
    write_formatted,
)
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
    anyway: bool = False,
    without: Collection[str] = (),
    again: Collection[str] = (),
    release: bool = False,
    today: str = "",
    limits: Limits | None = None,
    verify: Verify = verify,
) -> Report:
    """Replace the document and everything that follows from it by what is at `spec`.

    Args:
        spec: A path or a URL.
        root: The root of the repository to update.
        rename: Accept new names for methods that exist.
        anyway: Take in a document that is an earlier one again.
        without: Operations to leave out, now and in later updates: `POST /rooms`.
        again: Operations that were left out and shall be taken in.
        release: Set the version and write the CHANGELOG entry.
        today: The date of the update; by default that of the clock, in UTC.
        limits: How long and how much to read.
        verify: Looks at the finished package before it gets into the repository.

    Raises:
        OverridesError: it is not possible; the repository is as it was.
    """
    today = today or datetime.datetime.now(datetime.UTC).date().isoformat()
    with stage(root) as staged:
        published = load(spec, limits)
        old = read_change_list(root / CHANGE_LIST)
        calls = [*left_out(old), *without]
        calls = [call for call in dict.fromkeys(calls) if call not in again]
        _check_calls([*without, *again], published.document)
        result = apply_overrides(published.document, without=calls)
        findings = _findings(root, published, result, today)
        if _is_current(root, published) and calls == left_out(old):
            return make_report(dataclasses.replace(findings, api=[]))
        try:
            findings = _take_in(staged, published, findings, rename, anyway, verify)
        except UpdateError:
            raise
        except OverridesError as error:
            text = f"{error}{_hint(str(error), published.document, read_json(root / DOCUMENT))}"
            raise UpdateError(text, make_report(findings)) from None
        finished = make_report(findings)
        paths = [*OUTPUTS, SNAPSHOT, LOST, REPORT, REVISIONS, *map(Path, findings.adapted)]
        version, _ = suggestion(findings)
        if release and version != findings.version:
            write_release(version, today, changelog(findings), root, staged.new)
            paths += [VERSION, CHANGELOG]
        write(staged.new / REPORT, finished.markdown())
        staged.swap([*paths, DOCUMENT])
    return finished


def _take_in(
    staged: Stage,
    published: Published,
    findings: Findings,
    rename: bool,
    anyway: bool,
    verify: Verify,
) -> Findings:
    """Build the next state of the repository on the stage; return the findings with all of them."""
    root, result, today = staged.root, findings.result, findings.today
    if (same := findings.earlier) and not anyway:
        raise OverridesError(
            f"this is the document of {same.date} again (SHA-256 {same.sha256[:12]}…): Whereby "
            "went back to it, or the source is old. To take it in, run it again with --anyway "
            "(make … ANYWAY=1)"
        )
    ensure_valid(result)
    if deleted := lost_overrides(root):
        raise OverridesError("\n".join(deleted))
    old_document = read_json(root / PATCHED)
    names = renamed(old_document, result.document)
    if names and not rename:
        hint = "To take the new names, run it again with --rename (make … RENAME=1)."
        raise OverridesError("\n".join(["names of methods would change:", *names, hint]))
    build(published, result, staged.new, old=findings.old_change_list, date=today)
    (staged.new / DOCUMENT).write_bytes(published.content)
    write_revisions(published.content, today, root, staged.new)
    words = renamed_words(findings.changes, old_document, result.document)
    texts = sources(root)
    adapted = rewritten(texts, words)
    texts |= adapted
    write_formatted(adapted, staged.new)
    package = assemble(root, staged.new, staged.path / "check")
    old_api, api = _old_api(root), api_snapshot.public_api(package)
    write(staged.new / SNAPSHOT, api_snapshot.written(api))
    there = {f"{o.method.upper()} {o.path}" for o in operations(result.document)} | api.keys()
    kept = {n: fact for n, fact in api_snapshot.load(root / LOST).items() if n not in there}
    needed = required_fields(old_api, api).items()
    lost = kept | lost_names(old_api, api) | gone_operations(old_document, result.document)
    lost |= {n: fact for n, fact in needed if n.rpartition(".")[2] not in words.values()}
    using = users(texts, lost, api)
    gone = {name: fact for name, fact in lost.items() if name in using or name in api}
    write(staged.new / LOST, api_snapshot.written(gone))
    findings = dataclasses.replace(
        findings,
        api=diff_apis(old_api, api),
        adapted=tuple(adapted),
        users=using,
        needed=lost.keys() & api.keys(),
    )
    if errors := verify(package.parent):
        text = "\n".join(["the generated package fails its checks:", *errors])
        text += _hint(text, published.document, read_json(root / DOCUMENT))
        raise UpdateError(text, make_report(findings))
    return findings


def _is_current(root: Path, published: Published) -> bool:
    path = root / DOCUMENT
    return path.exists() and path.read_bytes() == published.content


def _check_calls(calls: Collection[str], document: Json) -> None:
    for call in calls:
        if resolve(document, pointer_of(call)) is MISSING:
            known = ", ".join(f"{o.method.upper()} {o.path}" for o in operations(document))
            raise OverridesError(f"--without, --with: must be one of {known}; got {call!r}")


def _hint(message: str, document: Json, old: Json) -> str:
    """Return how to go on without the new operations that an error is about."""
    known = {operation.pointer for operation in operations(old)}
    calls = []
    for operation in operations(document):
        call = f"{operation.method.upper()} {operation.path}"
        mentioned = f"{operation.pointer}/" in message or re.search(
            rf"{re.escape(call)}(?![\w/{{])", message
        )
        if mentioned and operation.pointer not in known:
            calls.append(call)
    options = " ".join(f"--without '{call}'" for call in calls)
    return f"\nTo take in the rest, run it again with {options}" if calls else ""


def _findings(root: Path, published: Published, result: Result, today: str) -> Findings:
    """Collect what the report is made of, but for what only the new package shows."""
    return Findings(
        origin=_short_name(published.origin),
        earlier=earlier(published.content, read_revisions(root)),
        notes=published.notes,
        changes=diff_documents(read_json(root / PATCHED), result.document),
        result=result,
        published=published.document,
        old_published=read_json(root / DOCUMENT),
        old_change_list=read_change_list(root / CHANGE_LIST),
        api=None,
        version=read_version(root),
        today=today,
    )


def _short_name(origin: str) -> str:
    """Return a URL as it is, and of a path only the file: the report gets into the repository."""
    return origin if "://" in origin else Path(origin).name


def _old_api(root: Path) -> api_snapshot.Facts:
    """Return what callers have: the committed snapshot; else that of the package itself."""
    if (root / SNAPSHOT).exists():
        return api_snapshot.load(root / SNAPSHOT)
    return api_snapshot.public_api(root / PACKAGE) if (root / GENERATED).exists() else {}
