"""The request of a call: its headers and its body.

JSON is written here. A multipart body is written by httpx, from the files that the generated method
has prepared (`_runtime/arguments.py`).
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from json import dumps
from typing import TYPE_CHECKING, Any, Final

from .._version import __version__
from ..errors import InvalidArgumentError
from ..types import UNSET
from ._httpx import httpx
from .response_body import ACCEPT_ENCODING

if TYPE_CHECKING:
    from .._runtime.resource import Call

_USER_AGENT: Final = (
    f"whereby-api-client/{__version__} "
    f"(python {sys.version_info.major}.{sys.version_info.minor}; httpx {httpx.__version__})"
)


class _Body(httpx.AsyncByteStream, httpx.SyncByteStream):
    """The bytes of a request's body.

    httpx's own is an async generator, of which trio complains when sending is cancelled.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._content,))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content


_NO_BODY: Final = _Body(b"")


def shared_headers(url: str, token: str) -> httpx.Headers:
    """Return the headers that all requests of a client share, Host included."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": ACCEPT_ENCODING,
        "User-Agent": _USER_AGENT,
        "Authorization": f"Bearer {token}",
    }
    return httpx.Request("GET", url, headers=headers).headers


def make_request(
    call: Call[Any], url: str, headers: httpx.Headers, extra_headers: Mapping[str, str] | None
) -> httpx.Request:
    """Return the request of a call; httpx writes a multipart body.

    Raises:
        InvalidArgumentError: the body cannot be written as JSON, or the URL is too long.
    """
    try:
        return _make_request(call, url, headers, extra_headers)
    except httpx.InvalidURL as error:
        reason = str(error)
    # Without the URL: it can be long, and hold what the caller put into it.
    raise InvalidArgumentError(f"the URL of {len(url)} characters cannot be sent: {reason}")


def _make_request(
    call: Call[Any], url: str, headers: httpx.Headers, extra_headers: Mapping[str, str] | None
) -> httpx.Request:
    has_body = call.json is not UNSET or call.files is not None
    if not has_body and not extra_headers and call.method in ("GET", "DELETE"):
        # Most calls. With `stream=` httpx adds no headers of its own: ours are complete.
        request = httpx.Request(call.method, url, headers=headers, stream=_NO_BODY)
        request.read()  # for transports that look at `request.content`
        request.stream = _NO_BODY
        return request
    headers = httpx.Headers(headers)
    if call.json is not UNSET:
        headers["Content-Type"] = "application/json"
    headers.update(extra_headers)
    content = None if call.json is UNSET else _json_bytes(call.json)
    request = httpx.Request(call.method, url, headers=headers, content=content, files=call.files)
    request.stream = _Body(request.read())
    return request


def _json_bytes(value: Any) -> bytes:
    try:
        return dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        kind = type(error).__name__
    # Out here, because those hold the value.
    raise InvalidArgumentError(f"the body cannot be written as JSON ({kind})")
