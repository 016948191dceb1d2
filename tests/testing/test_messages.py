"""Requests as they stand on the wire: queries, headers, multipart bodies."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whereby_api_client.testing.messages import Headers, HTTPError, Part, Request, parse_multipart


def test_targets_stay_as_they_came() -> None:
    """Keep path and query encoded, and decode each segment and value apart."""
    request = Request("GET", "/v1/rooms/a%2Fb%20c/x?roomName%5Bexact%5D=%2Fa+b&empty=&c=1%2B1")
    assert request.path == "/v1/rooms/a%2Fb%20c/x"
    assert request.segments == ("v1", "rooms", "a/b c", "x")
    assert request.query == "roomName%5Bexact%5D=%2Fa+b&empty=&c=1%2B1"
    assert request.params == [("roomName[exact]", "/a b"), ("empty", ""), ("c", "1+1")]


def test_headers() -> None:
    """Read headers without regard to case, repeated ones joined, raw ones kept."""
    headers = Headers([("Accept", "a"), ("X-One", "1"), ("accept", "b")])
    assert headers["ACCEPT"] == "a, b"
    assert headers.get_list("Accept") == ["a", "b"]
    assert dict(headers) == {"accept": "a, b", "x-one": "1"}
    assert len(headers) == 2
    assert headers.raw[1] == ("X-One", "1")
    assert repr(headers) == "Headers({'accept': 'a, b', 'x-one': '1'})"


@given(st.lists(st.tuples(st.text("abcÆ ", min_size=1), st.binary()), min_size=1, max_size=4))
def test_multipart_gives_back_every_byte(fields: list[tuple[str, bytes]]) -> None:
    """Read what httpx writes: any bytes, any number of parts."""
    files = [(name, ("f.bin", content, "image/png")) for name, content in fields]
    sent = httpx.Request("PUT", "http://x", files=files)
    parts = parse_multipart(sent.headers["content-type"], sent.read())
    assert parts == [Part(name, content, "f.bin", "image/png") for name, content in fields]


@pytest.mark.parametrize("boundary", ["b", "a boundary", "x'()+_,-./:=?y"])
def test_multipart_boundaries(boundary: str) -> None:
    """Find the parts by the boundary that the content type names, preamble and folding included."""
    mark = boundary.encode()
    body = (
        b"preamble\r\n--" + mark + b'  \r\nContent-Disposition: form-data;\r\n name="image"\r\n\r\n'
        b"\r\n--\r\n\r\n--" + mark + b"--\r\nepilogue"
    )
    assert parse_multipart(f'multipart/form-data; boundary="{boundary}"', body) == [
        Part("image", b"\r\n--\r\n")
    ]


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("multipart/form-data", b"", "no usable boundary"),
        ("multipart/form-data; boundary=" + "x" * 71, b"", "no usable boundary"),
        ("multipart/form-data; boundary=b", b"", "closing boundary"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx", "closing boundary"),
        ("multipart/form-data; boundary=b", b"--b\r\nx\r\n--b--", "no header section"),
        ("multipart/form-data; boundary=b", b"--bx\r\n\r\n\r\n--b--", "no header section"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--", "no header section"),
        ("multipart/form-data; boundary=b", b"--b\r\nA: b\r\n\r\nx\r\n--b--", "has no name"),
    ],
)
def test_broken_multipart_is_refused(content_type: str, body: bytes, error: str) -> None:
    """Say what is wrong with a malformed body."""
    with pytest.raises(ValueError, match=error):
        parse_multipart(content_type, body)


@given(st.binary(max_size=200))
def test_garbage_never_breaks_the_parser(body: bytes) -> None:
    """Give parts or a ValueError for any bytes."""
    try:
        parts = parse_multipart("multipart/form-data; boundary=b", body)
    except ValueError:
        return
    assert all(isinstance(part, Part) for part in parts)


def test_errors_are_responses() -> None:
    """Respond with the status, the headers and an error in JSON."""
    response = HTTPError(405, "no", [("Allow", "GET")]).response()
    assert (response.status, response.body) == (405, b'{"error":"no"}')
    assert ("Allow", "GET") in response.headers
