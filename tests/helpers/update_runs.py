"""Trees to update, and documents to update them with."""

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
    OUTPUTS,
    PACKAGE,
    REPORT,
    ROOT,
    SHIPPED,
    SNAPSHOT,
    files,
    write,
)
from overrides.staging import ROOM, STEP
from overrides.update import verify
from overrides.update.api_snapshot import public_api, written
from overrides.update.api_snapshot import read as read_facts
from overrides.update.report import Report
from overrides.update.update import update

Json = dict[str, Any]

# what an update may change
CHANGED = (DOCUMENT, *OUTPUTS, SNAPSHOT, REPORT)
TREE = ("openapi", "whereby_api_client")
# what a command needs in a tree of its own
PROJECT = (*TREE, "overrides", "generator-config.yaml", "pyproject.toml")


def copy(into: Path, parts: tuple[str, ...] = TREE) -> Path:
    """Copy a tree, with outputs and snapshot of today: nobody may have generated yet."""
    ignore = shutil.ignore_patterns("__pycache__", "_generated", REPORT.name)
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, into / part, ignore=ignore)
        else:
            shutil.copyfile(ROOT / part, into / part)
    published = read(ROOT / DOCUMENT)
    build(published, apply_overrides(published.document), into)
    write(into / SNAPSHOT, written(public_api(into / "whereby_api_client")))
    return into


def state(root: Path) -> dict[str, bytes]:
    """Read everything that an update may change, and what it may leave behind."""
    left = [path.name for path in (root / ROOM, root / STEP) if path.exists()]
    return {**files(root, CHANGED), "left behind": " ".join(left).encode()}


def put_back(root: Path, before: dict[str, bytes]) -> None:
    """Make a tree again what it was before an update."""
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
    code = files(folder, [PACKAGE])
    document = json.loads(code.pop(SHIPPED.as_posix()))
    said = repr(code) + json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(said.encode()).hexdigest()
    if digest not in _verified:
        _verified[digest] = verify.problems(folder)
    return _verified[digest]


def take(document: Json, root: Path, **options: Any) -> Report:
    """Update a tree with a document."""
    path = root / "new.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    try:
        return update(str(path), root, check=verify_once, **options)
    finally:
        path.unlink()


def section(report: Report, title: str) -> list[str]:
    """Return the lines of a section; none when the report has no such section."""
    return [line for found in report.sections if found.title == title for line in found.lines]


def facts(root: Path) -> dict[str, str]:
    """Return the public API of a tree, as its snapshot tells it."""
    return read_facts((root / SNAPSHOT).read_text(encoding="utf-8"))


def obsolete(document: Json) -> list[str]:
    """Name the overrides that a document no longer needs."""
    result = apply_overrides(document)
    return [report.name for report in result.with_outcome(Outcome.OBSOLETE)]
