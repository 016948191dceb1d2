"""Whatever a server sends: an error of ours or a result, in bounded time and memory."""

from __future__ import annotations

import gzip
import logging
import pickle
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import anyio
import httpx
import pytest

from whereby_api_client import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    InvalidArgumentError,
    PointBudget,
    ResponseDecodeError,
    ResponseTooLargeError,
    ServerError,
    WherebyClient,
    WherebyError,
)

from ..helpers.servers import Behaviour, Connection, hang, reply, send, serve

pytestmark = pytest.mark.anyio

TOKEN = "canary-token-5d1f"
OK = b"HTTP/1.1 200 OK\r\n"
LINK = "https://storage.example/file?X-Signature=canary-signature"


def raw(*headers: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    """Write a response; its length is added unless a header says how long it is."""
    lines = [f"HTTP/1.1 {status}", *headers]
    framed = any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers)
    if not framed:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


GZIP = gzip.compress(b"{}", mtime=0)
ODD: dict[str, bytes] = {
    "nothing": b"",
    "a line break": b"\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "zeros": b"\x00" * 100,
    "HTTP/0.9": b"<html>",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "status 0": raw(status="0 Zero"),
    "status 99": raw(status="99 Odd"),
    "status 100 only": b"HTTP/1.1 100 Continue\r\n\r\n",
    "status 101": raw("upgrade: websocket", "connection: upgrade", status="101 Switching"),
    "status 204 with a body": raw(body=b"{}", status="204 No Content"),
    "status 205": raw(status="205 Reset"),
    "status 304": raw(status="304 Not Modified"),
    "status 407": raw("proxy-authenticate: Basic", status="407 Proxy"),
    "status 418": raw(body=b"tea", status="418 Teapot"),
    "status 999": raw(status="999 Odd"),
    "status 1000": raw(status="1000 Odd"),
    "status in letters": raw(status="OK"),
    "reason in latin-1": raw(status="500 caf\xe9"),
    "no reason": raw(status="500"),
    "a hundred early hints": b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 100 + raw(body=b"{}"),
    "header without a name": raw(": x", body=b"{}"),
    "header without a colon": raw("nonsense", body=b"{}"),
    "header with a space": raw("x y: z", body=b"{}"),
    "header with a zero byte": raw("x: a\x00b", body=b"{}"),
    "header in latin-1": raw('etag: "\xe9"', "x-\xe9: \xe9", body=b"{}"),
    "header of 200 kB": raw("x: " + "a" * 200_000, body=b"{}"),
    "ten thousand headers": raw(*[f"x-{i}: {i}" for i in range(10_000)], body=b"{}"),
    "folded header": raw("x: a\r\n b", body=b"{}"),
    "two lengths": raw("content-length: 2", "content-length: 3", body=b"{}"),
    "negative length": raw("content-length: -1", body=b"{}"),
    "length in letters": raw("content-length: two", body=b"{}"),
    "length too long": raw("content-length: 1000", body=b"{}"),
    "length of 5,000 digits": raw("content-length: " + "9" * 5000, body=b"{}"),
    "length and chunks": raw("content-length: 2", "transfer-encoding: chunked", body=b"0\r\n\r\n"),
    "broken chunks": raw("transfer-encoding: chunked", body=b"zz\r\n{}"),
    "chunk of 2^64": raw("transfer-encoding: chunked", body=b"ffffffffffffffffff\r\n{}"),
    "unknown transfer encoding": raw("transfer-encoding: gzip", body=b"{}"),
    "no gzip": raw("content-encoding: gzip", body=b"{}"),
    "half a gzip": raw("content-encoding: gzip", body=GZIP[:12]),
    "gzip that was not asked for": raw("content-encoding: br", body=b"\x0b\x00\x80{}\x03"),
    "gzip forty times": raw("content-encoding: " + ", ".join(["gzip"] * 40), body=GZIP),
    "deflate without header": raw(
        "content-encoding: deflate", body=zlib.compress(b"[]", wbits=-zlib.MAX_WBITS)
    ),
    "unknown charset": raw("content-type: application/json; charset=klingon", body=b"{}"),
    "utf-16": raw(body="{}".encode("utf-16")),
    "byte order mark": raw(body=b"\xef\xbb\xbf{}"),
    "lone surrogate": raw(body=b'{"results": "\\ud800"}'),
    "number of 10,000 digits": raw(body=b'{"results": ' + b"9" * 10_000 + b"}"),
    "NaN": raw(body=b'{"results": NaN}'),
    "nested 100,000 deep": raw(body=b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a million nulls": raw(body=b"[" + b"null," * 999_999 + b"null]"),
    "location with a port of 99999": raw("location: https://localhost:99999/", status="302 F"),
    "location in another scheme": raw("location: file:///etc/passwd", status="302 Found"),
    "location without a host": raw("location: https://", status="302 Found"),
    "location with a bad host": raw("location: http://[bad", status="302 Found"),
    "location with a long label": raw(f"location: http://{'a' * 70}/", status="302 Found"),
    "location with odd characters": raw("location: http://caf\xe9\x80/ \x7f", status="302 Found"),
    "location of 70 kB": raw("location: /" + "a" * 70_000, status="302 Found"),
    "odd rate limit": raw(
        "x-ratelimit-limit: 1e999", "x-ratelimit-remaining: -0", "x-ratelimit-reset: \xb2",
        "retry-after: " + "9" * 5000, "date: yesterday", status="503 Busy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("response", ODD.values(), ids=list(ODD))
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_raw_exception(method: str, response: bytes) -> None:
    """Give a result or an error of ours; keep the points and the connections together."""
    budget = PointBudget(10**6)
    async with (
        serve(send(response, keep=False)) as server,
        WherebyClient(
            TOKEN, base_url=server.url, budget=budget, timeout=30, max_retries=0
        ) as whereby,
    ):
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: whereby.request(method, "/x"),
            (lambda: whereby.meetings.list().__aiter__().__anext__())
            if method == "GET"
            else lambda: whereby.meetings.create(end_date=datetime.now(UTC)),
        ]
        for call in calls:
            try:
                await call()
            except WherebyError as error:
                assert error.__cause__ is error.__context__ is None
                assert TOKEN not in repr(error) + str(error) + repr(vars(error))
                assert str(pickle.loads(pickle.dumps(error))) == str(error)
            except StopAsyncIteration:
                pass
        state = budget.snapshot()
        assert (state.in_flight, state.waiting) == (0, 0)


async def trickle_headers(stream: Connection) -> bool:
    """Send header after header, for ever: no single read is slow."""
    await stream.send(OK)
    while True:
        await stream.send(b"x: y\r\n")
        await anyio.sleep(0.01)


async def trickle_chunks(stream: Connection) -> bool:
    """Send chunk after chunk, for ever."""
    await stream.send(OK + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        await stream.send(b"1\r\n \r\n")
        await anyio.sleep(0.01)


async def early_hints(stream: Connection) -> bool:
    """Announce a response for ever."""
    while True:
        await stream.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await anyio.sleep(0.01)


@pytest.mark.parametrize("behaviour", [trickle_headers, trickle_chunks, early_hints, hang])
async def test_the_timeout_is_for_the_whole_call(behaviour: Behaviour) -> None:
    """End a call whose every step is quick and which has no end."""
    async with (
        serve(behaviour) as server,
        WherebyClient(TOKEN, base_url=server.url, timeout=0.3, max_retries=3) as whereby,
    ):
        with pytest.raises(APITimeoutError, match=r"no response within 0\.3 s"):
            await whereby.request("GET", "/")


# -- the size of a response ----------------------------------------------------------------------


async def endless(stream: Connection) -> bool:
    """Send data for ever."""
    await stream.send(OK + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        await stream.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


@cache
def bomb(*, layers: int) -> Behaviour:
    """Respond with 50 MB of spaces, packed into 50 kB, or once more into 250 bytes."""
    content = b" " * 50_000_000
    for _ in range(layers):
        content = gzip.compress(content, mtime=0)
    encoding = ", ".join(["gzip"] * layers)
    return send(raw(f"content-encoding: {encoding}", body=content))


@pytest.mark.parametrize("layers", [0, 1, 2])
async def test_a_response_without_end(layers: int) -> None:
    """Stop at `max_response_bytes`, whatever it would become; the next call is not disturbed."""
    behaviour = bomb(layers=layers) if layers else endless
    limit = 1_000_000
    async with serve(behaviour, reply(200, {})) as server:
        whereby = WherebyClient(TOKEN, base_url=server.url, max_response_bytes=limit)
        tracemalloc.start()
        try:
            with pytest.raises(ResponseTooLargeError, match="max_response_bytes") as caught:
                await whereby.request("POST", "/")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 8 * limit
        assert caught.value.status_code == 200
        assert isinstance(caught.value, ResponseDecodeError)
        assert await whereby.request("GET", "/") == {}
        assert whereby.budget.snapshot().in_flight == 0
        await whereby.aclose()


async def test_a_large_error_is_still_an_error() -> None:
    """Tell the status of an error whose page is too large, and show its beginning."""
    async with serve(reply(500, b"x" * 200_000)) as server:
        whereby = WherebyClient(TOKEN, base_url=server.url, max_response_bytes=100_000)
        with pytest.raises(ServerError) as caught:
            await whereby.with_options(max_retries=0).request("GET", "/")
        assert caught.value.body == "x" * 65_536
        # a response of exactly the limit is not too large
        with pytest.raises(ServerError) as caught:
            await whereby.with_options(max_retries=0, max_response_bytes=200_000).request(
                "GET", "/"
            )
        assert caught.value.body == "x" * 200_000
        await whereby.aclose()


async def test_the_size_over_a_transport_in_memory() -> None:
    """Hold the limit over the caller's transport, too."""
    mock = httpx.MockTransport(lambda request: httpx.Response(200, json="x" * 1000))
    async with WherebyClient(TOKEN, transport=mock, max_response_bytes=1002) as whereby:
        assert len(await whereby.request("GET", "/")) == 1000
        with pytest.raises(ResponseTooLargeError):
            await whereby.with_options(max_response_bytes=1001).request("GET", "/")
        with pytest.raises(InvalidArgumentError, match="max_response_bytes"):
            whereby.with_options(max_response_bytes=0)


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("X-GZIP", gzip.compress(b'{"a": 1}', mtime=0)),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("deflate, gzip", gzip.compress(zlib.compress(b'{"a": 1}'), mtime=0)),
        ("identity", b'{"a": 1}'),
        ("", b'{"a": 1}'),
    ],
)
async def test_content_encodings(encoding: str, content: bytes) -> None:
    """Decode what was asked for."""
    async with (
        serve(reply(200, content, content_encoding=encoding)) as server,
        WherebyClient(TOKEN, base_url=server.url) as whereby,
    ):
        assert await whereby.request("GET", "/") == {"a": 1}
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


# -- redirects -----------------------------------------------------------------------------------


async def test_a_redirect_takes_nothing_along() -> None:
    """Show neither token nor the caller's own headers to another host."""
    async with (
        serve(reply(200, {"other": True})) as other,
        serve(reply(307, location=other.url + "/y?sig=canary")) as server,
        WherebyClient(TOKEN, base_url=server.url) as whereby,
    ):
        result = await whereby.request("GET", "/x", headers={"X-Key": "secret"})
        assert result == {"other": True}
    (request,) = other.requests
    assert request.target == "/y?sig=canary"
    assert set(request.headers) == {"host", "accept", "accept-encoding", "user-agent"}


async def test_a_redirect_on_the_same_host_is_followed_whole() -> None:
    """Keep token and headers where they belong."""
    async with (
        serve(reply(301, location="/moved?a=1"), reply(200, {})) as server,
        WherebyClient(TOKEN, base_url=server.url) as whereby,
    ):
        await whereby.request("GET", "/x", headers={"X-Key": "own"})
    assert server.requests[1].target == "/moved?a=1"
    assert server.requests[1].headers["authorization"] == f"Bearer {TOKEN}"
    assert server.requests[1].headers["x-key"] == "own"


@pytest.mark.parametrize("location", ["https://localhost:99999/", "ftp://x/", "https:///x"])
async def test_a_redirect_to_nowhere(location: str) -> None:
    """Tell the status of a redirect that cannot be followed."""
    async with (
        serve(reply(302, location=location)) as server,
        WherebyClient(TOKEN, base_url=server.url) as whereby,
    ):
        with pytest.raises((APIStatusError, APIConnectionError)):
            await whereby.request("GET", "/")


# -- secrets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 302, 500])
async def test_secrets_in_headers(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Show neither an echoed token nor a signed link: in no log, repr, text or pickle."""
    caplog.set_level(logging.DEBUG)
    headers = {"x_echo": f"Bearer {TOKEN}", "location": LINK, "set_cookie": "canary-cookie"}
    async with (
        serve(reply(status, b"x", **headers)) as server,
        WherebyClient(TOKEN, base_url=server.url, max_retries=0) as whereby,
    ):
        with pytest.raises((APIStatusError, ResponseDecodeError)) as caught:
            await whereby.request("POST", "/")
    error: Any = caught.value
    text = repr(error) + str(error) + repr(vars(error)) + repr(pickle.dumps(error))
    logged = "".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
    assert "response_headers" in logged
    assert "canary" not in text + logged
    # for a caller who asks for it by name
    assert error.headers["location"] == LINK
    assert error.headers["x-echo"] == "Bearer [secure]"


async def test_the_log_of_others_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Hide nothing of what the rest of the process sends over httpx."""
    caplog.set_level(logging.DEBUG)
    async with serve(reply(200, {}, x_own="visible")) as server, httpx.AsyncClient() as http:
        await http.get(server.url)
    assert "visible" in "".join(record.getMessage() for record in caplog.records)


# -- what a caller sends -------------------------------------------------------------------------


def cyclic() -> Any:
    """Return a list that contains itself."""
    value: list[Any] = []
    value.append(value)
    return value


def deep() -> Any:
    """Return 100,000 nested lists."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "arguments",
    [
        {"json": cyclic()},
        {"json": {"a": cyclic()}},
        {"json": deep()},
        {"params": {"a": cyclic()}},
        {"params": {"cursor": "a" * 70_000}},
        {"path": "/" + "a" * 70_000},
        {"path": "/..%2fx"},
        {"path": "/%2e%2E%2fx"},
        {"path": "/a/..%5cx"},
        {"path": "/%2e."},
        {"headers": {5: "x"}},
        {"headers": {"x": 5}},
        {"headers": [("a", "b")]},
        {"files": {"f": ("a", b"b", "image/png\r\nX: 1")}},
        {"files": {"f": ("a\r\nX: 1", b"b", "image/png")}},
        {"files": {"f\r\nX: 1": ("a", b"b", "image/png")}},
        {"files": {"f": ("a", "text", "image/png")}},
        {"files": {"f": (b"a", b"b", "image/png")}},
        {"files": {"f": b"b"}},
        {"files": [("f", b"b")]},
        {"files": {5: ("a", b"b", "image/png")}},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
async def test_what_cannot_be_sent(arguments: dict[str, Any]) -> None:
    """Refuse it before anything is sent or paid."""
    async with (
        serve(reply(200, {})) as server,
        WherebyClient(TOKEN, base_url=server.url) as whereby,
    ):
        with pytest.raises(InvalidArgumentError):
            await whereby.request(**{"method": "POST", "path": "/", **arguments})
        assert whereby.budget.snapshot().available == 100
    assert server.requests == []


@pytest.mark.parametrize("body", [{"a": cyclic()}, {"a": deep()}], ids=["cyclic", "deep"])
async def test_extra_bodies_that_cannot_be_sent(body: dict[str, Any]) -> None:
    """Refuse the same in the generated methods."""
    async with WherebyClient(TOKEN, base_url="http://127.0.0.1:1") as whereby:
        with pytest.raises(InvalidArgumentError):
            await whereby.meetings.create(end_date=datetime.now(UTC), extra_body=body)


async def test_a_cursor_that_is_too_long() -> None:
    """Say so when the server's own cursor makes an address that cannot be."""
    page = {"results": [], "cursor": "c" * 70_000}
    async with (
        serve(reply(200, page)) as server,
        WherebyClient(TOKEN, base_url=server.url) as whereby,
    ):
        with pytest.raises(InvalidArgumentError, match=r"URL of 70\d\d\d characters"):
            _ = [meeting async for meeting in whereby.meetings.list()]
