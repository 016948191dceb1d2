"""Reading a response to its end."""

from __future__ import annotations

from typing import Final

from ._httpx import httpx

BROKEN_ENCODING: Final = "whereby_broken_encoding"
"""The extension of a response whose content is as it came, because its encoding is broken."""


async def read_whole(response: httpx.Response) -> httpx.Response:
    """Read the whole response and give its connection back.

    Not by `response.aread()`: that chains async generators, and one that is left unfinished because
    the content encoding is broken makes trio complain. httpx decodes bytes without them.
    """
    if response.is_closed:
        return response  # a transport in memory has read it already
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    try:
        content = b"".join([chunk async for chunk in stream])
    finally:
        await stream.aclose()
    # `network_stream` would keep the socket alive as long as the response
    response.extensions.pop("network_stream", None)
    response.stream = httpx.ByteStream(content)
    try:
        response.read()
    except httpx.DecodingError:
        # Kept as it came. A success cannot be understood then, but an error's status still counts.
        headers = [item for item in response.headers.multi_items() if item[0] != "content-encoding"]
        return httpx.Response(
            response.status_code,
            headers=headers,
            content=content,
            extensions={**response.extensions, BROKEN_ENCODING: True},
        )
    return response
