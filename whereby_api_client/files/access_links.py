"""Reading from the storage hosts behind access links.

What an access link leads to is not the API: it costs no points, and must never see the token. The
link itself is a secret. So nothing here lets an exception of httpx out, which would hold the
request; and httpx, which logs the address of each request, gets one that does not show its query.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final

import anyio

from .._http._httpx import httpx
from .._http.error_mapping import HTTPX_ERRORS, NETWORK_ERRORS
from .._http.redirects import MAX_REDIRECTS, HiddenQueryURL, next_request
from .._http.response_body import close_unfinished
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    Headers,
    InvalidArgumentError,
    RequestInfo,
    WherebyError,
)

if TYPE_CHECKING:
    from .._http.sender import Connections

_TEXT_TIMEOUT: Final = 10.0

# Otherwise httpx looks for credentials in the address.
_NO_AUTH: Final = httpx.Auth()


class LinkResponse(AsyncIterator[bytes]):
    """The response of a storage host. Iterate over it for its bytes, as they are on the wire.

    Attributes:
        status_code: its status, whatever it is.
        headers: its headers.
        request: method and URL of the request, without the secret part of the link.
    """

    def __init__(
        self, response: httpx.Response, request: RequestInfo, connections: Connections
    ) -> None:
        self.status_code: int = response.status_code
        self.headers: Headers = Headers(response.headers.multi_items())
        self.request: RequestInfo = request
        self._connections = connections
        # Not `response.aiter_raw()`: one more async generator that would have to be finished.
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream
        self._chunks = stream.__aiter__()

    async def __anext__(self) -> bytes:
        try:
            with self._connections.lifetime.until_closed():
                return await self._chunks.__anext__()
        except NETWORK_ERRORS as failure:
            error = _error(failure, self.request, self._connections)
        raise error

    async def text(self, limit: int = 4096) -> str:
        """Return the beginning as text, for the storage host's message about an error.

        What has not arrived within 10 seconds does not belong to it: a host can send a byte now and
        then for hours.
        """
        content = b""
        with contextlib.suppress(WherebyError), anyio.move_on_after(_TEXT_TIMEOUT):
            async for chunk in self:
                content += chunk
                if len(content) >= limit:
                    break
        return content[:limit].decode(errors="replace")

    async def aclose(self) -> None:
        """Give the connection back, or close it when the response was not read to its end."""
        await close_unfinished(self._stream, self._chunks)


@contextlib.asynccontextmanager
async def open_link(
    connections: Connections,
    link: str,
    headers: Mapping[str, str],
    timeouts: Mapping[str, float | None],
) -> AsyncGenerator[LinkResponse, None]:
    """Open an access link; what is requested is what is on the wire, without compression.

    Redirects are followed, but not from https to plain http. Another host gets none of the headers
    that a caller has added.

    Raises:
        APIConnectionError: the storage host cannot be reached, or does not respond in time.
        ClientClosedError: the client is closed.
        InvalidArgumentError: the link is no http(s) address.
    """
    http = connections.storage.get()
    request = response = None
    with contextlib.suppress(httpx.InvalidURL, TypeError, ValueError):
        request = httpx.Request(
            "GET",
            link,
            headers={"Accept": "*/*", "Accept-Encoding": "identity", **headers},
            extensions={"timeout": timeouts},
        )
    if request is None or not _is_web_address(request.url):
        raise InvalidArgumentError("the access link must be an http(s) address")
    for _ in range(MAX_REDIRECTS):
        request.url = HiddenQueryURL(request.url)
        response, request = await _send(http, request, connections)
        if request is None:
            break
        await response.aclose()
    else:
        raise APIConnectionError("the storage host redirects too often (TooManyRedirects)")
    try:
        yield response
    finally:
        await response.aclose()


def _is_web_address(url: httpx.URL) -> bool:
    return (
        url.scheme in ("https", "http")
        and url.host != ""
        and not url.userinfo
        and 0 <= (url.port or 0) <= 65535
    )


async def _send(
    http: httpx.AsyncClient, request: httpx.Request, connections: Connections
) -> tuple[LinkResponse, httpx.Request | None]:
    """Send a request; return the response, and the request that it redirects to."""
    info = RequestInfo("GET", str(request.url))
    try:
        with connections.lifetime.until_closed():
            response = await http.send(request, stream=True, auth=_NO_AUTH, follow_redirects=False)
    except NETWORK_ERRORS as failure:
        error = _error(failure, info, connections)
    else:
        return LinkResponse(response, info, connections), next_request(response)
    # Out here, so that no chain leads to an exception that holds the link.
    raise error


def _error(failure: Exception, request: RequestInfo, connections: Connections) -> Exception:
    """Return the error for a failure on the way to the storage host, without its text.

    The text of an exception can hold the address, and with it the link.
    """
    if isinstance(failure, WherebyError):
        return failure
    if not (connections.transports.is_ours or isinstance(failure, HTTPX_ERRORS)):
        return failure  # a mistake in the caller's own transport
    name = type(failure).__name__
    if isinstance(failure, httpx.TimeoutException):
        text = f"the storage host was silent for too long ({name})"
        return APITimeoutError(text, request=request)
    text = f"the connection to the storage host was lost ({name})"
    return APIConnectionError(text, request=request)
