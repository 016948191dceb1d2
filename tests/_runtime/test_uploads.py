"""Is an image taken from everything that async programs keep images in?"""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import fastapi
import httpx
import pytest
from starlette.datastructures import UploadFile

from whereby_api_client import InvalidArgumentError, WherebyClient
from whereby_api_client.testing import FakeWhereby

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n123"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write an image."""
    path = tmp_path / "logo.png"
    path.write_bytes(PNG)
    return path


async def sent(image: Any) -> tuple[str, bytes]:
    """Upload an image; return the name and the bytes that were sent."""
    bodies: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(respond)
    async with WherebyClient("token", transport=transport) as whereby:
        await whereby.rooms.set_logo("/room", image=image)
    head, _, rest = bodies[0].partition(b"\r\n\r\n")
    name = head.decode().partition('filename="')[2].partition('"')[0]
    return name, rest.rpartition(b"\r\n--")[0]


async def test_anyio(path: Path) -> None:
    """Take a path and an open file of anyio, on asyncio and on trio."""
    assert await sent(anyio.Path(path)) == ("logo.png", PNG)
    async with await anyio.open_file(path, "rb") as file:
        assert await sent(file) == ("logo.png", PNG)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_aiofiles(anyio_backend: str, path: Path) -> None:
    """Take a file of aiofiles, and say so when it is in text mode, empty or closed."""
    async with aiofiles.open(path, "rb") as file:
        assert await sent(file) == ("logo.png", PNG)
        with pytest.raises(InvalidArgumentError, match=r"empty; .* seek"):
            await sent(file)
    with pytest.raises(InvalidArgumentError, match=r"AsyncBufferedReader: .*closed"):
        await sent(file)
    async with aiofiles.open(path, encoding="latin-1") as file:
        with pytest.raises(InvalidArgumentError, match="binary mode"):
            await sent(file)


async def test_starlette_upload() -> None:
    """Take an upload, small or rolled over to the disk, and with a name that is no name."""
    assert await sent(UploadFile(io.BytesIO(PNG), filename="a b.png")) == ("ab.png", PNG)
    assert await sent(UploadFile(io.BytesIO(PNG), filename="../\r\nX: 1")) == ("X1", PNG)
    assert await sent(UploadFile(io.BytesIO(PNG))) == ("image.png", PNG)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_fastapi_endpoint(anyio_backend: str) -> None:
    """Pass an upload that an endpoint of FastAPI gets on to the API."""
    fake = FakeWhereby()
    app = fastapi.FastAPI()

    @app.post("/logo")
    async def logo(image: fastapi.UploadFile) -> dict[str, str]:
        async with fake.client() as whereby:
            await whereby.rooms.set_logo("/room", image=image)
        return {"name": image.filename or ""}

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://service.test") as http:
        response = await http.post("/logo", files={"image": ("logo.png", PNG, "image/png")})
    assert response.json() == {"name": "logo.png"}
    (request,) = fake.calls("rooms.set_logo")
    assert PNG in request.body


async def test_other_objects(path: Path) -> None:
    """Take a file whose plain `read` returns an awaitable; leave no coroutine unawaited."""

    class Wrapped:
        def __init__(self, content: object) -> None:
            self.content = content

        def read(self) -> Any:
            async def read() -> object:
                await anyio.lowlevel.checkpoint()
                return self.content

            return read()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await sent(Wrapped(PNG)) == ("image.png", PNG)
        assert await sent(Wrapped(bytearray(PNG))) == ("image.png", PNG)
        for odd in (Wrapped("text"), Wrapped(None), io.StringIO("text")):
            with pytest.raises(InvalidArgumentError, match="binary mode"):
                await sent(odd)
        for none in (5, None, object(), type("NoFile", (), {"read": 5})()):
            with pytest.raises(InvalidArgumentError, match="must be a path"):
                await sent(none)
        closed = path.open("rb")
        closed.close()
        with pytest.raises(InvalidArgumentError, match=r"cannot read the BufferedReader: .*closed"):
            await sent(closed)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
async def test_a_path_that_may_never_end(tmp_path: Path) -> None:
    """A pipe is refused before it is opened: reading it would wait for a writer for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidArgumentError, match=r"image: must be a regular file; got .*pipe"):
        await sent(tmp_path / "pipe")
