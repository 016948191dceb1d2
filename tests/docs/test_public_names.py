"""What README, docs and examples tell users to import is public: a change of it is noticed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ..helpers.pages import python_blocks

ROOT = Path(__file__).parents[2]


def sources() -> Iterator[tuple[Path, str]]:
    """Return the Python of every page and example."""
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for block in python_blocks(page):
            yield page, block
    for file in (ROOT / "examples").rglob("*.py"):
        yield file, file.read_text()


def imported(source: str) -> Iterator[str]:
    """Return the names that a source imports from the package, as the snapshot writes them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "whereby_api_client"
        ):
            module = (node.module or "").removeprefix("whereby_api_client").removeprefix(".")
            yield from (f"{module}.{alias.name}".lstrip(".") for alias in node.names)


def test_imports_are_in_the_snapshot() -> None:
    """Each of them has an entry in tests/api.txt."""
    snapshot = (ROOT / "tests" / "api.txt").read_text()
    listed = set(re.findall(r"^([\w.]+): ", snapshot, re.MULTILINE))
    used = {name: path for path, source in sources() for name in imported(source)}
    assert len(used) > 20
    missing = [
        f"{path.relative_to(ROOT)}: {name}" for name, path in used.items() if name not in listed
    ]
    assert not missing
