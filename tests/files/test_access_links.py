"""Is an access link opened safely: where it leads, what goes along, and what is shown of it?"""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from tests.files.test_download import BYTES, left_in
from tests.helpers.virtual import anyio_backend  # noqa: F401 - a fixture
from whereby_api_client import (
    ClientClosedError,
    DownloadError,
    InvalidArgumentError,
    PointBudget,
    WherebyClient,
    WherebyError,
)
from whereby_api_client.files._transfer import _message

pytestmark = pytest.mark.anyio

Handler = Callable[[httpx.Request], httpx.Response]
LINK = "https://storage.test/file?Signature=s3cr3t"


class Storage:
    """An API that hands out one link, and storage hosts that respond as the test wants."""

    def __init__(self, link: str, handler: Handler) -> None:
        self._link = link
        self._handler = handler
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/access-link"):
            return httpx.Response(200, json={"accessLink": self._link, "expires": 1})
        self.requests.append(request)
        return self._handler(request)

    def client(self, **options: Any) -> WherebyClient:
        """Make a client for it."""
        options["transport"] = httpx.MockTransport(self)
        options["budget"] = PointBudget(clock=anyio.current_time)
        return WherebyClient("t0k3n-of-the-api", **options)


def redirect(*locations: str) -> Handler:
    """Redirect from one to the next; the last one has the file."""
    left = list(locations)

    def respond(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(302, headers={"Location": left.pop(0)})
            if left
            else httpx.Response(200, content=BYTES)
        )

    return respond


async def test_own_headers_stay_with_their_host() -> None:
    """Send a caller's own headers to the host of the link only; the range goes along."""
    own = {"X-Secret": "own", "Range": "bytes=0-9", "If-Range": '"v1"'}
    there = redirect("https://storage.test/b", "https://elsewhere.test/c", "https://storage.test/d")
    storage = Storage(LINK, there)
    async with (
        storage.client() as whereby,
        whereby.open_link(LINK, headers=own) as response,
    ):
        assert response.status_code == 200
    assert [(r.url.host, "x-secret" in r.headers) for r in storage.requests] == [
        ("storage.test", True),
        ("storage.test", True),
        ("elsewhere.test", False),
        ("storage.test", False),
    ]
    assert all(r.headers["if-range"] == '"v1"' for r in storage.requests)
    assert [r.headers["range"] for r in storage.requests] == ["bytes=0-9"] * 4
    assert all("authorization" not in r.headers for r in storage.requests)


@pytest.mark.parametrize(
    "location",
    [
        "http://storage.test/file?Signature=s3cr3t",
        "http://storage.test:443/file",
        "https://storage.test:99999/file",
        "ftp://storage.test/file",
    ],
)
async def test_redirects_that_are_not_followed(tmp_path: Path, location: str) -> None:
    """Follow no redirect to plain http, nor to an address that cannot be."""
    storage = Storage(LINK, redirect(location))
    async with storage.client() as whereby:
        with pytest.raises(DownloadError, match="not followed") as caught:
            await whereby.recordings.download("r1", tmp_path / "file")
        async with whereby.open_link(LINK) as response:
            assert response.status_code == 200
    assert caught.value.status_code == 302
    assert [r.url.scheme for r in storage.requests] == ["https", "https"]
    assert "s3cr3t" not in str(caught.value)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:99999/file?Signature=s3cr3t",
        "http://[::1]:65536/",
        f"http://{'a' * 70}.test/",
        "http://a..b/",
        "http://\x00/",
        "http:///file",
    ],
)
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_addresses_that_cannot_be(tmp_path: Path, link: str) -> None:
    """Refuse addresses that no system connects to, with our own connections."""
    kind = InvalidArgumentError if "99999" in link or "65536" in link else WherebyError
    async with WherebyClient("token", timeout=5) as whereby:
        with pytest.raises(kind) as caught:
            async with whereby.open_link(link):
                raise AssertionError
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


async def test_a_mistake_in_an_own_transport() -> None:
    """Let an error in the caller's own transport be seen as what it is."""

    def mistaken(request: httpx.Request) -> httpx.Response:
        raise ValueError("a mistake")

    async with Storage(LINK, mistaken).client() as whereby:
        with pytest.raises(ValueError, match="a mistake"):
            async with whereby.open_link(LINK):
                raise AssertionError


# ------------------------------------------------------------------------------ what is shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Not today", ", Not today"),
        ("The specified key does not exist.", ", The specified key does not exist."),
        ("Request has (already) expired, isn't it?", ", Request has (already) expired, isn't it?"),
        ("Se\n\x1b[31mcond\x00\u202eline", ", Se … …"),
        ("see https://s3.test/f?Signature=abc", ", see …"),
        ("Signature abcDEF123 bad", ", Signature … bad"),
        ("token " + "x" * 30, ", token …"),
        ("AKIAIOSFODNN7EXAMPLE", ", …"),
        ("a=b c/d e%20f &amp;", ", … … … …"),
        ("", ""),
    ],
)
def test_messages_of_storage_hosts(text: str, expected: str) -> None:
    """Show plain words; nothing that can be part of a link, and nothing that forges a line."""
    assert _message(f"<Error><Message>{text}</Message></Error>") == expected.replace(
        "Se … …", "Se …"
    )


async def test_links_in_errors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Show nothing of a link that the storage host repeats, in errors nor in logs."""

    def repeat(request: httpx.Request) -> httpx.Response:
        raw = request.url.raw_path.decode()
        return httpx.Response(403, text=f"<Message>Denied: {raw} {raw[20:]}\r\n</Message>")

    storage = Storage(LINK, repeat)
    with caplog.at_level(logging.DEBUG):
        async with storage.client() as whereby:
            with pytest.raises(DownloadError) as caught:
                await whereby.recordings.download("r1", tmp_path / "file")
    text = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "Denied" not in caplog.text
    assert "s3cr3t" not in text
    assert "\n" not in str(caught.value)


async def test_a_message_that_trickles(tmp_path: Path) -> None:
    """Wait ten seconds for the message of a refusal, not for hours."""

    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"<Message>Not today</Message>"
            while True:
                await anyio.sleep(9)
                yield b" "

    storage = Storage(LINK, lambda _: httpx.Response(403, stream=Trickle()))
    start = anyio.current_time()
    async with storage.client() as whereby:
        with pytest.raises(DownloadError, match="403, Not today"):
            await whereby.recordings.download("r1", tmp_path / "file")
    assert anyio.current_time() - start == pytest.approx(10, abs=0.1)


# --------------------------------------------------------------------------------- being closed


class Waiting(httpx.AsyncByteStream):
    """A file that begins, and never goes on."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield BYTES[:1000]
        await anyio.sleep_forever()


async def hang(request: httpx.Request) -> httpx.Response:
    """Never respond."""
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.parametrize("stage", ["link", "request", "transfer", "pause", "reader"])
async def test_closed_at_any_stage(tmp_path: Path, stage: str) -> None:
    """End with ClientClosedError at once, wherever a download is when the client is closed."""
    reached = anyio.Event()

    async def respond(request: httpx.Request) -> httpx.Response:
        is_link = request.url.path.endswith("/access-link")
        if is_link and stage != "link":
            return httpx.Response(200, json={"accessLink": LINK, "expires": 1})
        reached.set()
        if stage == "pause":
            return httpx.Response(503, headers={"Retry-After": "60"})
        if stage in ("transfer", "reader"):
            return httpx.Response(200, headers={"Content-Length": "9000"}, stream=Waiting())
        return await hang(request)

    whereby = WherebyClient(
        "token",
        transport=httpx.MockTransport(respond),
        budget=PointBudget(clock=anyio.current_time),
        timeout=None,
    )

    path = tmp_path / "file"

    async def read() -> None:
        async with whereby.open_link(LINK) as response:
            async for _ in response:
                pass

    async def download() -> None:
        with pytest.raises(ClientClosedError):
            await (read() if stage == "reader" else whereby.recordings.download("r1", path))

    start = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(download)
        await reached.wait()
        await anyio.wait_all_tasks_blocked()
        await whereby.aclose()
    assert anyio.current_time() - start < 1  # in virtual time
    assert left_in(tmp_path) == []
    with pytest.raises(ClientClosedError):
        await whereby.recordings.download("r1", tmp_path / "file")


async def test_closed_while_a_reader_is_busy() -> None:
    """Leave a reader that is doing something else alone until it reads on."""
    storage = Storage(LINK, lambda _: httpx.Response(200, stream=Waiting()))
    whereby = storage.client()
    async with whereby.open_link(LINK) as response:
        assert await response.__anext__() == BYTES[:1000]
        await whereby.aclose()
        await anyio.lowlevel.checkpoint()  # not interrupted
        with pytest.raises(ClientClosedError):
            await response.__anext__()
