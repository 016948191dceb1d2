"""Where things are in the repository, relative to its root."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# the published document, and its SHA-256 at the time of the last generation
DOCUMENT = Path("openapi/whereby.json")
FINGERPRINT = Path("openapi/whereby.sha256")

# the wheel holds the patched document as well, for the fake Whereby (pyproject.toml, force-include)
PATCHED = Path("openapi/whereby.patched.json")
CHANGE_LIST = Path("openapi/overrides.json")
# the revisions published so far: date, SHA-256, and the date of the earlier one that it equals
REVISIONS = Path("openapi/published.tsv")
PACKAGE = Path("whereby_api_client")
VERSION = PACKAGE / "_version.py"
CHANGELOG = Path("CHANGELOG.md")
GENERATED = PACKAGE / "_generated"
# everything that follows from the document and the overrides
OUTPUTS = (PATCHED, CHANGE_LIST, FINGERPRINT, GENERATED)

# what callers can use of the package, one fact a line
SNAPSHOT = Path("tests/api.txt")
# what updates took from it and tests still use: these tests are expected to fail
LOST = Path("tests/lost.txt")
# the report of the last update
REPORT = Path("openapi/last-update.md")


def files(root: Path, paths: Iterable[Path]) -> dict[str, bytes]:
    """Read these files, and those in these folders, by their path from the root."""
    contents = {}
    for path in paths:
        top = root / path
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                contents[file.relative_to(root).as_posix()] = file.read_bytes()
    return contents


def write(path: Path, text: str) -> None:
    """Write a text file, the same bytes on every machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, the same bytes on every machine."""
    write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that a command of ours wrote; an empty one when there is none."""
    value = _read(path)
    return value if isinstance(value, dict) else {}


def read_change_list(path: Path) -> dict[str, dict[str, Any]]:
    """Read a change list: its entries by the name of the override; empty when there is none."""
    value = _read(path)
    entries = value if isinstance(value, list) else []
    return {entry["override"]: entry for entry in entries if isinstance(entry, dict)}


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
