"""Fetching and reading: what comes is a whole document of our API, or a reason by name."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from overrides.errors import Stopped
from overrides.openapi import fetch as source
from overrides.openapi.fetch import BASE_URL, PUBLISHED_AT, Limits, load, parse
from overrides.paths import DOCUMENT, ROOT
from overrides.update.update import update

from ...helpers import web
from ...helpers.update_runs import state
from ...helpers.web import Web, answer

CONTENT = (ROOT / DOCUMENT).read_bytes()

# a test shall not wait as long as a person would
QUICK = Limits(pause=0.2, total=0.2)


@pytest.fixture
def site() -> Iterator[Web]:
    """Serve a web site of one's own."""
    with web.serve() as served:
        yield served


def test_an_address(site: Web, tree: Path) -> None:
    """Take in what is there, byte for byte, and say where it was."""
    url = site.add("/openapi.json", answer(200, CONTENT))
    report = update(url, tree)
    assert report.headline == f"{url}: nothing changed"
    assert (tree / DOCUMENT).read_bytes() == CONTENT


def test_yaml_by_any_name(site: Web) -> None:
    """Tell YAML by what it is, not by the address or the content type."""
    said = (
        b"openapi: 3.0.0\nservers: [{url: 'https://api.whereby.dev/v1'}]\npaths: {/x: {get: {}}}\n"
    )
    published = load(site.add("/openapi.json", answer(200, said)))
    assert published.document["paths"] == {"/x": {"get": {}}}
    assert published.content.startswith(b'{\n  "openapi": "3.0.0"')


def test_compressed(site: Web) -> None:
    """Understand a compressed answer."""
    page = answer(200, gzip.compress(CONTENT), content_encoding="gzip")
    assert load(site.add("/", page)).content == CONTENT


def test_redirects_are_followed(site: Web) -> None:
    """Go where the address leads, and name that place."""
    site.add("/new", answer(200, CONTENT))
    old = site.add("/old", answer(301, b"", location="/new"))
    assert load(old).origin == f"{site.url}/new"


def test_redirects_have_an_end(site: Web) -> None:
    """Give up when the address leads nowhere."""
    url = site.add("/loop", answer(302, b"", location="/loop"))
    with pytest.raises(Stopped, match=rf"^{url}: redirects more than 5 times$"):
        load(url)
    assert len(site.asked) == 6


def test_an_address_that_leads_out_of_the_web(site: Web) -> None:
    """Follow no redirect to a file."""
    url = site.add("/file", answer(302, b"", location="file:///etc/passwd"))
    with pytest.raises(Stopped, match=rf"^{url}: cannot be fetched: .*file"):
        load(url)


def test_no_way_back_from_https(site: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Refuse what anybody on the way could have changed, when it was asked for safely."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with web.serve(authority.issue_cert("127.0.0.1")) as safe:
        there = safe.add("/openapi.json", answer(200, CONTENT))
        assert load(there).content == CONTENT
        plain = site.add("/openapi.json", answer(200, CONTENT))
        url = safe.add("/old", answer(301, b"", location=plain))
        with pytest.raises(Stopped, match=f"^{url}: leads to {plain}, which anybody on the way"):
            load(url)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(Stopped, match=rf"^{url}: cannot be fetched: .*CERTIFICATE_VERIFY"):
            load(url)


HTML = b"<!doctype html>\n<html><head><title>Log in &amp;\n continue</title></head></html>"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (answer(404, b"{}"), "answered 404 Not Found"),
        (answer(500, CONTENT), "answered 500 Internal Server Error"),
        (answer(304, b""), "answered 304 Not Modified"),
        (answer(200, HTML, "text/html"), r"a web page \(Log in & continue\), not an OpenAPI"),
        (answer(200, HTML), "a web page"),
        (answer(200, b""), "empty"),
        (answer(200, CONTENT[:-20]), "truncated: not JSON"),
        (web.half(CONTENT), "broken off: peer closed connection without sending complete"),
        (web.silent, "no answer within 0.2 s"),
        (web.endless(b"{"), "not all there after 0.2 s"),
        (web.raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "broken off: illegal"),
        (answer(200, b"plain", content_encoding="gzip"), "cannot be fetched: Error -3"),
    ],
    ids=[
        "404",
        "500",
        "304",
        "html",
        "html as json",
        "empty",
        "truncated",
        "broken off",
        "silent",
        "endless",
        "no http",
        "broken gzip",
    ],
)
def test_a_bad_address(site: Web, tree: Path, page: web.Page, reason: str) -> None:
    """Say what came instead of a document, and change nothing."""
    url = site.add("/openapi.json", page)
    before = state(tree)
    with pytest.raises(Stopped, match=rf"^{url}: {reason}"):
        update(url, tree, limits=QUICK)
    assert state(tree) == before


def test_a_huge_answer(site: Web) -> None:
    """Stop reading when it cannot be a document any more."""
    url = site.add("/", web.endless(b"x" * 1000))
    with pytest.raises(Stopped, match="longer than 5000 bytes"):
        load(url, Limits(size=5000))


def test_nobody_there(tree: Path) -> None:
    """Say that there is no connection."""
    url = web.nobody()
    before = state(tree)
    with pytest.raises(Stopped, match=rf"^{url}: cannot be fetched: .*[Rr]efused"):
        update(url, tree)
    assert state(tree) == before


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("nowhere.json", "nowhere.json: No such file"),
        ("", r"\.: Is a directory"),
        ("a\0b", "null byte"),
        ("ftp://x/y.json", "give a path, or an address with http or https"),
        ("http://", "cannot be fetched"),
        ("http://[", "cannot be fetched"),
        ("https://x y/z", "cannot be fetched"),
        ("http://no-such-host.invalid/", "cannot be fetched"),
    ],
)
def test_what_is_no_source(spec: str, reason: str) -> None:
    """Name what cannot be read or fetched at all."""
    with pytest.raises(Stopped, match=reason):
        load(spec, QUICK)


def test_the_published_address() -> None:
    """Know where Whereby publishes, and what its client talks to."""
    assert urlsplit(PUBLISHED_AT).scheme == "https"
    assert f'base_url: str = "{BASE_URL}"' in (ROOT / "whereby_api_client/client.py").read_text()


def test_a_key_twice(tree: Path) -> None:
    """Say which one counts when a key is there twice."""
    said = CONTENT.decode().replace('"openapi"', '"openapi": "3.0.0", "openapi"', 1)
    path = tree / "new.json"
    path.write_text(said)
    (note,) = load(str(path)).notes
    assert note == "The key `openapi` is there twice in one object; the last one counts."


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{n}: &{n} [{', '.join([f'*{before}'] * 10)}]"
    for before, n in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested too deeply for a document, at /a/a/"),
        (BOMB.encode(), "too large when written out"),
        (b"a: &a [*a]", "nested too deeply"),
        (b"a: !!python/object:os.system {}", "neither JSON nor YAML"),
        (b"a: !!binary aGVsbG8=", "a bytes at /a, where JSON has none"),
        (b"? [1, 2]\n: x", "is no text"),
        (b"a: b: c", "neither JSON nor YAML: .* at line 1, column 5"),
        (b"a: 1\n\tb: 2", "neither JSON nor YAML: .* at line 2"),
        (b"openapi: 2030-01-01", "not an OpenAPI document|OpenAPI 2030"),
    ],
    ids=["deep", "deep objects", "bomb", "cycle", "code", "bytes", "key", "colon", "tab", "date"],
)
def test_hostile_content(content: bytes, reason: str) -> None:
    """Survive what is made to break parsers."""
    with pytest.raises(Stopped, match=reason):
        parse(content, "x")


def test_what_yaml_shares_is_written_twice() -> None:
    """Give two uses of an anchor a value each: an override changes one place, not two."""
    document, _ = parse(b"openapi: 3.0.0\na: &x {b: 1}\nc: *x\n1: 2\nd: 2030-01-01\n", "x")
    assert document["a"] == document["c"]
    assert document["a"] is not document["c"]
    assert (document["1"], document["d"]) == (2, "2030-01-01")


def test_limits_of_a_person() -> None:
    """Have patience enough for a slow line by default."""
    assert source.Limits() == Limits(pause=15.0, total=60.0, size=20_000_000, redirects=5)
