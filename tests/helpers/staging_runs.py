"""What a step replaces in the tests of steps; also for processes that shall start quickly."""

from __future__ import annotations

from pathlib import Path

# a file, a folder, a file in a folder that stays, and something that was not there before
PATHS = [Path("a.json"), Path("code/gen"), Path("code/data.json"), Path("code/fresh/new.txt")]


def put(root: Path, what: str) -> None:
    """Write all paths with this content; the old tree lacks the last one."""
    for path in PATHS[: 4 if what == "new" else 3]:
        file = root / path / "deep/x.py" if path.name == "gen" else root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(what)
