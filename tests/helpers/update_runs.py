"""Repositories to update, and documents to update them with."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from overrides.engine import Outcome, apply_overrides
from overrides.generate import build
from overrides.openapi.fetch import read
from overrides.paths import (
    DOCUMENT,
    LOST,
    OUTPUTS,
    PACKAGE,
    PATCHED,
    REPORT,
    REVISIONS,
    ROOT,
    SNAPSHOT,
    files,
    write,
)
from overrides.staging import STAGE
from overrides.update.api_snapshot import public_api, written
from overrides.update.api_snapshot import read as read_facts
from overrides.update.report import Report
from overrides.update.update import update
from overrides.update.verify import verify

from .override_runs import FROZEN

Json = dict[str, Any]

# what an update may change
CHANGED = (DOCUMENT, *OUTPUTS, SNAPSHOT, LOST, REPORT, REVISIONS, PACKAGE)
FOLDERS = ("openapi", "whereby_api_client")
# what a command needs in a repository of its own
PROJECT = (*FOLDERS, "overrides", "generator-config.yaml", "pyproject.toml")


def copy(into: Path, parts: tuple[str, ...] = FOLDERS) -> Path:
    """Make a repository with the frozen document, and what follows from it with today's code."""
    ignore = shutil.ignore_patterns("__pycache__", "_generated", REPORT.name)
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, into / part, ignore=ignore)
        else:
            shutil.copyfile(ROOT / part, into / part)
    shutil.copyfile(FROZEN, into / DOCUMENT)
    published = read(into / DOCUMENT)
    build(published, apply_overrides(published.document), into)
    write(into / SNAPSHOT, written(public_api(into / PACKAGE)))
    return into


def state(root: Path) -> dict[str, bytes]:
    """Read everything that an update may change, and what it may leave behind."""
    left = STAGE if (root / STAGE).exists() else ""
    return {**files(root, CHANGED), "left behind": left.encode()}


def restore(root: Path, before: dict[str, bytes]) -> None:
    """Restore a repository to what it was before an update."""
    now = files(root, CHANGED)
    for name in now.keys() - before.keys():
        (root / name).unlink()
    for name, content in before.items():
        if now.get(name) != content:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)


_verified: dict[str, list[str]] = {}


def verify_once(folder: Path) -> list[str]:
    """Verify a package, unless the same code with the same document was verified before."""
    document = json.loads((folder / PATCHED).read_bytes())
    key = repr(files(folder, [PACKAGE])) + json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(key.encode()).hexdigest()
    if digest not in _verified:
        _verified[digest] = verify(folder)
    return _verified[digest]


def unverified(_: Path) -> list[str]:
    """Find nothing wrong: for tests that look at the report alone."""
    return []


def take(document: Json, root: Path, **options: Any) -> Report:
    """Update a repository with a document."""
    path = root / "new.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    try:
        return update(str(path), root, **{"verify": verify_once, **options})
    finally:
        path.unlink()


def section(report: Report, title: str) -> list[str]:
    """Return the lines of a section; none when the report has no such section."""
    return [line for part in report.sections if part.title == title for line in part.lines]


def facts(root: Path) -> dict[str, str]:
    """Return the public API of a repository, as in its snapshot."""
    return read_facts((root / SNAPSHOT).read_text(encoding="utf-8"))


def sleeping(document: Json) -> list[str]:
    """Name the overrides that a document does not need."""
    result = apply_overrides(document)
    return [override.name for override in result.with_outcome(Outcome.SLEEPING)]
