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


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    """What the API snapshot lists as public has an entry."""
    compressed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    listed = {line.split()[0] for line in zlib.decompress(compressed).decode().splitlines()}
    snapshot = (ROOT / "tests" / "api.txt").read_text()
    names = set(
        re.findall(r"^((?:[a-z_]+\.)*[A-Z]\w*|(?:[a-z_]+\.)+[a-z]\w*)[:(]", snapshot, re.MULTILINE)
    )
    typed_dicts = {name for name in names if name.endswith("Dict")}  # one for each model, same keys
    missing = {
        name
        for name in names - typed_dicts
        if f"whereby_api_client.{name}" not in listed and not is_method(name)
    }
    assert len(names) > 100
    assert not missing


def is_method(name: str) -> bool:
    """Return whether the first part of a name is no module."""
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
