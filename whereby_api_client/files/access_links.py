"""Reading from the storage hosts behind access links.

What an access link leads to is not the API: it costs no points, and must never see the token. The
link itself is a secret. So nothing here lets an exception of httpx out, which would hold the
request; and httpx, which logs the address of each request, gets one that does not show its query.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Final

import anyio

from .._http._httpx import httpx
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    Headers,
    InvalidArgumentError,
    RequestInfo,
    WherebyError,
)

# Otherwise httpx looks for credentials in the address.
_NO_AUTH: Final = httpx.Auth()

# What can come out of httpx while it opens a link or reads from it.
_HTTPX_ERRORS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)

_BUFFERED_CHUNKS: Final = 8
_MAX_REDIRECTS: Final = 10


class _Address(httpx.URL):
    """An address that leads where it should, and shows itself without its secret part."""

    def __str__(self) -> str:
        return str(self.copy_with(query=None, fragment=None))

    def __repr__(self) -> str:
        return f"URL({str(self)!r})"


class LinkResponse(AsyncIterator[bytes]):
    """The response of a storage host. Iterate over it for its bytes, as they are on the wire.

    Attributes:
        status_code: its status, whatever it is.
        headers: its headers.
        request: method and URL of the request, without the secret part of the link.
    """

    def __init__(self, response: httpx.Response, request: RequestInfo) -> None:
        self.status_code = response.status_code
        self.headers = Headers(response.headers.multi_items())
        self.request = request
        # Not `response.aiter_raw()`: one more async generator that would have to be finished.
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream
        self._chunks = stream.__aiter__()

    async def __anext__(self) -> bytes:
        problem = None
        try:
            return await self._chunks.__anext__()
        except _HTTPX_ERRORS as failure:
            problem = _explain(failure, self.request)
        raise problem

    async def text(self, limit: int = 4096) -> str:
        """Return the beginning as text, for the storage host's message about an error."""
        content = b""
        with contextlib.suppress(WherebyError):
            async for chunk in self:
                content += chunk
                if len(content) >= limit:
                    break
        return content[:limit].decode(errors="replace")

    async def aclose(self) -> None:
        """Give the connection back, or close it when the response was not read to its end."""
        with anyio.CancelScope(shield=True):
            await self._stream.aclose()
            # The generators of httpx and httpcore stand one inside the other, and trio complains of
            # those that are left unfinished; closing the outer one leaves the inner ones. But now
            # that the connection is closed, they all end with an error after what is buffered.
            with contextlib.suppress(Exception):
                for _ in range(_BUFFERED_CHUNKS):
                    await self._chunks.__anext__()
            if isinstance(self._chunks, AsyncGenerator):  # a transport in memory never runs dry
                await self._chunks.aclose()


@contextlib.asynccontextmanager
async def open_link(
    http: httpx.AsyncClient,
    link: str,
    headers: Mapping[str, str],
    timeouts: Mapping[str, float | None],
) -> AsyncGenerator[LinkResponse, None]:
    """Open an access link; what is asked for is what is on the wire, without compression.

    Raises:
        APIConnectionError: the storage host cannot be reached, or does not respond in time.
        InvalidArgumentError: the link is no http(s) address.
    """
    request = response = None
    with contextlib.suppress(httpx.InvalidURL, TypeError, ValueError):
        request = httpx.Request(
            "GET",
            link,
            headers={"Accept": "*/*", "Accept-Encoding": "identity", **headers},
            extensions={"timeout": timeouts},
        )
    if request is None or request.url.scheme not in ("https", "http") or request.url.userinfo:
        raise InvalidArgumentError("the access link must be an http(s) address")
    for _ in range(_MAX_REDIRECTS):
        request.url = _Address(request.url)
        response, request = await _send(http, request)
        if request is None:
            break
        await response.aclose()
    else:
        raise APIConnectionError("the storage host redirects too often (TooManyRedirects)")
    try:
        yield response
    finally:
        await response.aclose()


async def _send(
    http: httpx.AsyncClient, request: httpx.Request
) -> tuple[LinkResponse, httpx.Request | None]:
    """Send a request; return the response, and the request that it redirects to."""
    info = RequestInfo("GET", str(request.url))
    try:
        response = await http.send(request, stream=True, auth=_NO_AUTH, follow_redirects=False)
    except _HTTPX_ERRORS as failure:
        problem = _explain(failure, info)
    else:
        return LinkResponse(response, info), response.next_request
    # Out here, so that no chain leads to an exception that holds the link.
    raise problem


def _explain(failure: Exception, request: RequestInfo) -> WherebyError:
    # Only the name: the text of an exception can hold the address, and with it the link.
    name = type(failure).__name__
    if isinstance(failure, httpx.TimeoutException):
        text = f"the storage host was silent for too long ({name})"
        return APITimeoutError(text, request=request)
    text = f"the connection to the storage host was lost ({name})"
    return APIConnectionError(text, request=request)
