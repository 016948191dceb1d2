"""Fetching and reading: what comes is a whole document of our API, or a reason by name."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from overrides.errors import OverridesError
from overrides.openapi.fetch import BASE_URL, PUBLISHED_AT, Limits, load, parse
from overrides.paths import DOCUMENT, ROOT
from overrides.update.update import update

from ...helpers import web
from ...helpers.override_runs import FROZEN
from ...helpers.update_runs import state
from ...helpers.web import Web, respond

CONTENT = FROZEN.read_bytes()

# a test shall not wait as long as a person would
QUICK = Limits(pause=0.2, total=0.2)


@pytest.fixture
def site() -> Iterator[Web]:
    """Serve a web site of one's own."""
    with web.serve() as served:
        yield served


def test_an_address(site: Web, root: Path) -> None:
    """Take in what is there, byte for byte, and say where it was."""
    url = site.add("/openapi.json", respond(200, CONTENT))
    report = update(url, root)
    assert report.headline == f"{url}: nothing changed"
    assert (root / DOCUMENT).read_bytes() == CONTENT


def test_compressed(site: Web) -> None:
    """Understand a compressed response."""
    page = respond(200, gzip.compress(CONTENT), content_encoding="gzip")
    assert load(site.add("/", page)).content == CONTENT


def test_redirects_are_followed(site: Web) -> None:
    """Go where the address leads, and name that place."""
    site.add("/new", respond(200, CONTENT))
    old = site.add("/old", respond(301, b"", location="/new"))
    assert load(old).origin == f"{site.url}/new"


def test_redirects_have_an_end(site: Web) -> None:
    """Give up when the address leads nowhere."""
    url = site.add("/loop", respond(302, b"", location="/loop"))
    with pytest.raises(OverridesError, match=rf"^{url}: more than 5 redirects$"):
        load(url)
    assert len(site.requested) == 6


def test_an_address_that_leads_out_of_the_web(site: Web) -> None:
    """Follow no redirect to a file."""
    url = site.add("/file", respond(302, b"", location="file:///etc/passwd"))
    with pytest.raises(OverridesError, match=rf"^{url}: cannot be fetched: .*file"):
        load(url)


def test_no_way_back_from_https(site: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Refuse what anybody on the way could have changed, when it was asked for safely."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with web.serve(authority.issue_cert("127.0.0.1")) as safe:
        there = safe.add("/openapi.json", respond(200, CONTENT))
        assert load(there).content == CONTENT
        plain = site.add("/openapi.json", respond(200, CONTENT))
        url = safe.add("/old", respond(301, b"", location=plain))
        with pytest.raises(
            OverridesError, match=f"^{url}: redirects to {plain}, which is not https"
        ):
            load(url)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(
            OverridesError, match=rf"^{url}: cannot be fetched: .*CERTIFICATE_VERIFY"
        ):
            load(url)


HTML = b"<!doctype html>\n<html><head><title>Log in &amp;\n continue</title></head></html>"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (respond(404, b"{}"), "the response is 404 Not Found"),
        (respond(500, CONTENT), "the response is 500 Internal Server Error"),
        (respond(304, b""), "the response is 304 Not Modified"),
        (respond(200, HTML, "text/html"), r"a web page \(Log in & continue\), not an OpenAPI"),
        (respond(200, HTML), "a web page"),
        (respond(200, b""), "empty"),
        (respond(200, CONTENT[:-20]), "truncated: not JSON"),
        (web.half(CONTENT), "broken off: peer closed connection without sending complete"),
        (web.silent, "no response within 0.2 s"),
        (web.endless(b"{"), "not complete after 0.2 s"),
        (web.raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "broken off: illegal"),
        (respond(200, b"plain", content_encoding="gzip"), "cannot be fetched: Error -3"),
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
def test_a_bad_address(site: Web, root: Path, page: web.Page, reason: str) -> None:
    """Say what came instead of a document, and change nothing."""
    url = site.add("/openapi.json", page)
    before = state(root)
    limits = QUICK if "0.2 s" in reason else Limits()
    with pytest.raises(OverridesError, match=rf"^{url}: {reason}"):
        update(url, root, limits=limits)
    assert state(root) == before


def test_a_huge_response(site: Web) -> None:
    """Stop reading when it cannot be a document any more."""
    url = site.add("/", web.endless(b"x" * 1000))
    with pytest.raises(OverridesError, match="longer than 5000 bytes"):
        load(url, Limits(size=5000))


def test_nobody_there(root: Path) -> None:
    """Say that there is no connection."""
    url = web.nobody()
    before = state(root)
    with pytest.raises(OverridesError, match=rf"^{url}: cannot be fetched: .*[Rr]efused"):
        update(url, root)
    assert state(root) == before


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("nowhere.json", "nowhere.json: No such file"),
        ("", r"\.: Is a directory"),
        ("a\0b", r"null (byte|character)"),
        ("ftp://x/y.json", "must be a path, or a URL with http or https"),
        ("http://", "cannot be fetched"),
        ("http://[", "cannot be fetched"),
        ("https://x y/z", "cannot be fetched"),
        ("http://no-such-host.invalid/", "cannot be fetched"),
    ],
)
def test_what_is_no_source(spec: str, reason: str) -> None:
    """Name what cannot be read or fetched at all."""
    with pytest.raises(OverridesError, match=reason):
        load(spec, QUICK)


def test_the_published_address() -> None:
    """Know where Whereby publishes, and what its client talks to."""
    assert urlsplit(PUBLISHED_AT).scheme == "https"
    assert f'base_url: str = "{BASE_URL}"' in (ROOT / "whereby_api_client/client.py").read_text()


def test_a_key_twice(root: Path) -> None:
    """Say which one counts when a key is there twice."""
    text = CONTENT.decode().replace('"openapi"', '"openapi": "3.0.0", "openapi"', 1)
    path = root / "new.json"
    path.write_text(text)
    (note,) = load(str(path)).notes
    assert note == "The key `openapi` is there twice in one object; the last one counts."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested too deeply for a document, at /a/a/"),
        (b"a: 1", "not JSON: Expecting value at line 1, column 1"),
        (b'{"a": [1, 1e400]}', "the number at /a/1 is too large for a float"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the number at /a is too large for a float"),
        (b'{"a": "\\ud800"}', "half a character .* at /a"),
    ],
    ids=["deep", "deep objects", "yaml", "infinite", "digits", "surrogate"],
)
def test_hostile_content(content: bytes, reason: str) -> None:
    """Survive what is made to break parsers."""
    with pytest.raises(OverridesError, match=reason):
        parse(content, "x")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "fifo"])
def test_a_device_is_refused_at_once(device: str, tmp_path: Path) -> None:
    """Read nothing that has no end, and wait for nobody who never writes."""
    path = tmp_path / device
    if device == "fifo":
        os.mkfifo(path)
    with pytest.raises(OverridesError, match="must be a regular file; it is a device or a pipe"):
        load(str(path))


def test_a_huge_file(tmp_path: Path) -> None:
    """Read no file that cannot be a document."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OverridesError, match="longer than 20000000 bytes"):
        load(str(path))
