"""Which error a failure becomes: an exception of httpx, or a status that is no success."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Iterator
from typing import Any, Final

from ..budget.headers import read_rate_limit
from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    Headers,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestInfo,
    ServerError,
)
from ._httpx import httpx
from .call_context import CallContext
from .retries import NEVER_SENT

_MESSAGE_LENGTH: Final = 500
_BODY_DEPTH: Final = 20

# What can come out of httpx over any transport. Not `Exception`: a mistake in a caller's own
# transport should be seen.
HTTPX_ERRORS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)

# What else can come out of our own connections: an address that the system's resolver does not
# take is a ValueError or an OverflowError, alone or in anyio's group of all attempts.
NETWORK_ERRORS: Final = (*HTTPX_ERRORS, ValueError, OverflowError, ExceptionGroup)

_BY_STATUS: Final[dict[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}


def connection_error(
    failure: Exception, detail: str, context: CallContext, request: RequestInfo
) -> APIConnectionError:
    """Return the error for an exception of httpx; `detail` is its text without secrets."""
    line = " ".join(detail.split())[:200]
    if isinstance(failure, NEVER_SENT):
        text = f"no connection: {line}"
    elif isinstance(failure, httpx.TransportError):
        text = f"the response was lost: {line} ({type(failure).__name__}){_effect(context)}"
    else:
        text = f"{line} ({type(failure).__name__})"
    return APIConnectionError(text, request=request)


def timeout_error(
    context: CallContext, timeout: float | None, request: RequestInfo
) -> APITimeoutError:
    """Return the error for a call that took too long."""
    return APITimeoutError(f"no response within {timeout} s{_effect(context)}", request=request)


def _effect(context: CallContext) -> str:
    """Say what is known of the call's effect on the server."""
    if not context.reached:
        return "; the request did not reach the server"
    return "" if context.repeatable else "; the server may have executed it all the same"


def reason_of(failure: BaseException) -> str:
    """Return the text of an exception that says most.

    That is the operating system's, if the chain holds one ("Too many open files", where the outer
    text is "All connection attempts failed"); else the first that is not empty: trio's often are.
    """
    chain = list(_chain(failure, 10))
    for error in chain:
        if isinstance(error, ssl.SSLError | socket.gaierror) and error.strerror:
            return error.strerror
        if isinstance(error, OSError) and error.errno:
            return os.strerror(error.errno)  # asyncio's own text names the address only
    return next(filter(None, map(str, chain)), "no details")


def _chain(failure: BaseException | None, depth: int) -> Iterator[BaseException]:
    """Yield an exception and its causes; of a group the last one, which was tried last."""
    while failure is not None and depth > 0:
        yield failure
        depth -= 1
        if isinstance(failure, BaseExceptionGroup):
            failure = failure.exceptions[-1]
        else:
            failure = failure.__cause__ or failure.__context__


def status_error(
    status_code: int, headers: Headers, content: bytes, request: RequestInfo
) -> APIStatusError:
    """Return the error for a response that is no success."""
    body = _error_body(content)
    kind = _BY_STATUS.get(status_code) or (ServerError if status_code >= 500 else APIStatusError)
    error = kind(
        _error_message(body), status_code=status_code, body=body, headers=headers, request=request
    )
    if isinstance(error, RateLimitError):
        error.retry_after = read_rate_limit(429, headers, content).retry_in
    return error


def _error_body(content: bytes) -> Any:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # What is nested beyond reason could be parsed but neither copied nor pickled.
    return body if _is_shallow(body, _BODY_DEPTH) else text


def _is_shallow(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_is_shallow(inner, depth - 1) for inner in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_shallow(inner, depth - 1) for inner in value)
    return True


def _error_message(body: Any) -> str:
    """Find the server's own words: clients in the wild read `error`, `message`, or both."""
    if isinstance(body, dict):
        values = [body.get(name) for name in ("error", "message")]
        values = [inner.get("message") if isinstance(inner, dict) else inner for inner in values]
        texts = [text for text in values if isinstance(text, str) and text.strip()]
        message = ": ".join(dict.fromkeys(texts)) or json.dumps(body, ensure_ascii=False)
    elif isinstance(body, str):
        message = body
    elif isinstance(body, bytes):
        message = body.decode(errors="replace")
    else:
        message = json.dumps(body, ensure_ascii=False)
    # One line of printable text, so that a response cannot forge lines in a log.
    start = message[: 4 * _MESSAGE_LENGTH]
    line = " ".join("".join(c if c.isprintable() else " " for c in start).split())
    return line if len(line) <= _MESSAGE_LENGTH else line[: _MESSAGE_LENGTH - 1] + "…"
