"""Where things are in the tree, seen from its root."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# what Whereby published, byte for byte, and its SHA-256 at the time of the last generation
DOCUMENT = Path("openapi/whereby.json")
FINGERPRINT = Path("openapi/whereby.sha256")

PATCHED = Path("openapi/whereby.patched.json")
LEDGER = Path("openapi/overrides.json")
PACKAGE = Path("whereby_api_client")
GENERATED = PACKAGE / "_generated"
# the fake Whereby checks requests against the document, and is shipped without openapi/
SHIPPED = PACKAGE / "testing/document.json"
# everything that follows from the document and the overrides
OUTPUTS = (PATCHED, LEDGER, FINGERPRINT, SHIPPED, GENERATED)

# what callers can use of the package, one fact a line
SNAPSHOT = Path("tests/api.txt")
# the report of the last update
REPORT = Path("openapi/last-update.md")


def files(root: Path, paths: Iterable[Path]) -> dict[str, bytes]:
    """Read these files, and those in these folders, by their path from the root."""
    found = {}
    for path in paths:
        top = root / path
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                found[file.relative_to(root).as_posix()] = file.read_bytes()
    return found


def write(path: Path, text: str) -> None:
    """Write a text file, the same bytes on every machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, the same bytes on every machine."""
    write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object that a command of ours wrote; an empty one when there is none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
