"""Reading a response to its end: decoded, but never more of it than allowed."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

import anyio

from ._httpx import httpx

ACCEPT_ENCODING: Final = "gzip, deflate"
"""What `read_whole` decodes. Not `br` and `zstd`: their decoders cannot stop at a size."""

PROBLEM: Final = "whereby_problem"
"""The extension of a response whose content is not all of it: one of the two below."""
BROKEN_ENCODING: Final = "broken encoding"  # the content is as it came
TOO_LARGE: Final = "too large"  # the content is its beginning

_BUFFERED_CHUNKS: Final = 8
# Of an error's body that is too large, this much is kept.
_BEGINNING: Final = 65_536
# nobody encodes twice on purpose
_MAX_ENCODINGS: Final = 2


class _TooLargeError(Exception):
    """There is more than allowed."""


async def read_whole(response: httpx.Response, limit: int) -> httpx.Response:
    """Read the whole response and give its connection back.

    Not by `response.aread()`: that chains async generators, and one that is left unfinished because
    the content encoding is broken makes trio complain. And it decodes whatever comes: 0.6 MB of
    gzip can be 600 MB of text.
    """
    if response.is_closed:  # a transport in memory has read and decoded it already
        if len(response.content) > limit:
            response.extensions[PROBLEM] = TOO_LARGE
        return response
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    content, is_complete = await _read_at_most(stream, limit)
    # `network_stream` would keep the socket alive as long as the response
    response.extensions.pop("network_stream", None)
    encodings = response.headers.get("content-encoding", "")
    if encodings:
        # httpx would decode it again
        del response.headers["content-encoding"]
    if not is_complete:
        response.extensions[PROBLEM] = TOO_LARGE
        content = b"" if encodings else content[:_BEGINNING]
    elif encodings:
        try:
            content = _decode(content, encodings, limit)
        except _TooLargeError:
            response.extensions[PROBLEM] = TOO_LARGE
            content = b""
        except zlib.error:
            # A success cannot be understood then, but an error's status still counts.
            response.extensions[PROBLEM] = BROKEN_ENCODING
    response.stream = httpx.ByteStream(content)
    response.read()
    return response


async def close_unfinished(stream: httpx.AsyncByteStream, chunks: AsyncIterator[bytes]) -> None:
    """Close the stream of a response that may not have been read to its end."""
    with anyio.CancelScope(shield=True):
        await stream.aclose()
        # The generators of httpx and httpcore stand one inside the other, and trio complains of
        # those that are left unfinished; closing the outer one leaves the inner ones. But now
        # that the connection is closed, they all end with an error after what is buffered. One
        # that would rather wait, as a caller's own transport may, is cancelled.
        with anyio.move_on_after(0, shield=True), contextlib.suppress(Exception):
            for _ in range(_BUFFERED_CHUNKS):
                await chunks.__anext__()
        if isinstance(chunks, AsyncGenerator):  # a transport in memory never runs dry
            await chunks.aclose()


async def _read_at_most(stream: httpx.AsyncByteStream, limit: int) -> tuple[bytes, bool]:
    """Return the content as it came, and whether that is all of it."""
    parts: list[bytes] = []
    size = 0
    chunks = stream.__aiter__()
    try:
        async for chunk in chunks:
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                await close_unfinished(stream, chunks)
                return b"".join(parts), False
    finally:
        await stream.aclose()
    return b"".join(parts), True


def _decode(content: bytes, encodings: str, limit: int) -> bytes:
    """Undo the content encodings.

    Raises:
        _TooLargeError: there is more than `limit`.
        zlib.error: it is broken, or an encoding that was not asked for.
    """
    names = [name for part in encodings.lower().split(",") if (name := part.strip())]
    if len(names) > _MAX_ENCODINGS:
        raise zlib.error("too many encodings")
    for name in reversed(names):
        if name in ("gzip", "x-gzip"):
            content = _inflate(content, zlib.MAX_WBITS | 16, limit)
        elif name == "deflate":
            # RFC 9110 means zlib's format, some servers send it without the header of that
            try:
                content = _inflate(content, zlib.MAX_WBITS, limit)
            except zlib.error:
                content = _inflate(content, -zlib.MAX_WBITS, limit)
        elif name != "identity":
            raise zlib.error("an encoding that was not asked for")
    return content


def _inflate(content: bytes, window_bits: int, limit: int) -> bytes:
    if not content:
        return content
    decoder: Any = zlib.decompressobj(window_bits)
    decoded: bytes = decoder.decompress(content, limit + 1)
    if len(decoded) > limit:
        raise _TooLargeError
    if not decoder.eof:
        raise zlib.error("incomplete")
    return decoded
