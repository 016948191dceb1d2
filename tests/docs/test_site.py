"""The documentation as it is built."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("sphinx")
pytestmark = pytest.mark.slow  # builds the whole site

ROOT = Path(__file__).parents[2]


class _Page(HTMLParser):
    """The ids of a page, and where its links lead."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = {""}
        self.links: list[str] = []
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            if (tag, name) in {("a", "href"), ("img", "src"), ("link", "href")} and value:
                self.links.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-q", "--fail-on-warning", "--keep-going"),
            *("-d", str(folder / "doctrees"), "-b", "html", "docs", str(folder / "html")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def reference(site: Path) -> set[str]:
    """Return the names that have an entry in the reference, without the package's."""
    compressed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    entries = zlib.decompress(compressed).decode().splitlines()
    return {entry.split()[0].removeprefix("whereby_api_client.") for entry in entries}


def public(*kinds: str) -> set[str]:
    """Return the names of those kinds in the API snapshot; operations at their generated class."""
    pattern = rf"^([\w.]+): (?:{'|'.join(kinds)})\b"
    names = re.findall(pattern, (ROOT / "tests" / "api.txt").read_text(), re.MULTILINE)
    operation = r"^WherebyClient\.([a-z])(\w+)\.(?=\w+$)"
    return {
        re.sub(
            operation,
            lambda m: f"_generated.resources.{m[1]}{m[2]}.{m[1].upper()}{m[2]}.",
            name,
        )
        for name in names
    }


def test_every_public_class_is_in_the_reference(reference: set[str]) -> None:
    """What the API snapshot lists has an entry, and so has each function."""
    # a TypedDict for each model has the same keys
    names = {
        name for name in public("class", "def", "async def", "value") if not name.endswith("Dict")
    }
    names = {name for name in names if not is_member(name)}
    assert len(names) > 100
    assert not names - reference


def test_every_public_member_is_in_the_reference(reference: set[str]) -> None:
    """Methods, inherited ones included, properties, and values of enums have an entry."""
    kinds = ("def", "async def", "classmethod def", "property", "member")
    names = {name for name in public(*kinds) if not name.endswith("__")}
    assert len(names) > 200
    assert not names - reference


def is_member(name: str) -> bool:
    """Return whether a name belongs to a class and not to a module."""
    try:
        importlib.import_module(f"whereby_api_client.{name.rpartition('.')[0]}".rstrip("."))
    except ModuleNotFoundError:
        return True
    return False


def test_links_lead_somewhere(site: Path) -> None:
    """Each link inside the site leads to a page and to a place on it."""
    pages = {file: _Page(file) for file in site.rglob("*.html")}
    broken = []
    for file, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (file.parent / unquote(url.path)).resolve() if url.path else file
            if not target.exists() or (
                target in pages and unquote(url.fragment) not in pages[target].ids
            ):
                broken.append(f"{file.relative_to(site)}: {link}")
    assert not broken


def test_llms_txt(site: Path) -> None:
    """llms.txt names each page, as Markdown that is there."""
    sources = re.findall(r"\((_sources/[^)]+)\)", (site / "llms.txt").read_text())
    assert len(sources) > 10
    assert all((site / source).exists() for source in sources)
