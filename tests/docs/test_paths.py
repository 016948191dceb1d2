"""The pages for developers name files: each of them exists, and so does each name in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "README.md",
    "overrides/README.md",
    *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
    *(f"docs/recipes/{page.name}" for page in sorted((ROOT / "docs" / "recipes").glob("*.md"))),
]
WRITTEN_LATER = {"openapi/last-update.md", "docs/_build"}


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page: str) -> None:
    """Each path in backticks exists: from the root, or inside the package or the overrides."""
    text = (ROOT / page).read_text()
    paths = set(
        re.findall(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|json|jinja|txt|toml|lua)))`", text)
    )
    bases = (ROOT, ROOT / "whereby_api_client", ROOT / "overrides", (ROOT / page).parent)
    missing = [
        path
        for path in sorted(paths - WRITTEN_LATER)
        if ("/" in path or not page.startswith("docs/"))  # a user's own files have no folder
        and not any((base / path).exists() for base in bases)
    ]
    assert not missing, f"{page} names paths that do not exist"


@pytest.mark.parametrize("page", PAGES)
def test_links_exist(page: str) -> None:
    """Each relative link leads to a file, and its anchor to a heading of it."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if ":" in path:
            continue
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    assert not missing, f"{page} has links that lead nowhere"


def anchors(file: Path) -> set[str]:
    """Return the anchors that GitHub and Sphinx make of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_evidence_exists() -> None:
    """Each anchor of the API facts that code mentions leads to one of its headings."""
    known = anchors(ROOT / "docs" / "api-facts.md")
    missing = [
        f"{file.relative_to(ROOT)}: #{anchor}"
        for folder in ("overrides", "whereby_api_client", "tests")
        for file in (ROOT / folder).rglob("*.py")
        for anchor in re.findall(r"api-facts\.md#([\w-]+)", file.read_text())
        if anchor not in known
    ]
    assert not missing
