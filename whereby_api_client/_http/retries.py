"""Which attempts are repeated, and after which pause.

Own code: tenacity and stamina repeat a function. They know neither which responses were lost on the
way nor that points are paid per attempt; and httpx-retries does not ask whether repeating could
create a second thing. What is left to write is `worth_repeating` and a pause.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import anyio

from .._backoff import backoff
from ..budget.headers import read_rate_limit
from ._httpx import httpx
from .call_context import CallContext, context_of

logger: Final = logging.getLogger("whereby_api_client")

# A server that asks for a longer pause than this gets no retry: its response is handed on at once.
RETRY_AFTER_CAP: Final = 60.0

# No connection was made, so the server cannot have seen the request: safe to repeat, costs nothing.
NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
# The request may have been executed, but its response was lost.
LOST_RESPONSE: Final = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


def worth_repeating(outcome: int | Exception, *, repeatable: bool) -> bool:
    """Return whether another attempt may help and can do no harm.

    `outcome` is the status of the response, or what happened in place of one. What the server has
    refused (429) or never seen is repeated whatever it was; what it may have executed only where
    doing it twice is the same as doing it once.
    """
    if isinstance(outcome, NEVER_SENT):
        return not isinstance(outcome, httpx.UnsupportedProtocol)
    if isinstance(outcome, Exception):
        return repeatable and isinstance(outcome, LOST_RESPONSE)
    if outcome == 429:
        return True
    # 501 and 505 say that it will never work.
    return repeatable and 500 <= outcome <= 599 and outcome not in (501, 505)


def pause_before(retry: int, asked: float | None, jitter: float | None = None) -> float:
    """Return the seconds to wait before a retry (0 is the first): never less than `asked`."""
    pause = backoff(retry, jitter=jitter)
    return pause if asked is None else max(asked, pause)


class RetryTransport(httpx.AsyncBaseTransport):
    """Sends a request again where that may help and can do no harm.

    `sleep` and `jitter` stand in for `anyio.sleep` and `random.random`.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._inner = inner
        self._sleep = sleep
        self._jitter = jitter

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, at most `max_retries` times more than once."""
        context = context_of(request)
        retries = 0
        while True:
            try:
                response = await self._inner.handle_async_request(request)
            except httpx.TransportError as error:
                self._log(request, retries, type(error).__name__)
                pause = self._pause(context, retries, error, None)
                if pause is None:
                    raise
                context.first = False
            else:
                self._log(request, retries, response.status_code)
                pause = self._pause(context, retries, response.status_code, response.headers)
                if pause is None:
                    return response
                # Where and how long a 429 waits is the budget's business.
                context.first = response.status_code == 429
            if pause:
                await self._sleep(pause)
            retries += 1

    def _pause(
        self,
        context: CallContext,
        retries: int,
        outcome: int | Exception,
        headers: Mapping[str, str] | None,
    ) -> float | None:
        """Return how long to wait before the next attempt; None means that there is none."""
        if retries >= context.max_retries:
            return None
        if not worth_repeating(outcome, repeatable=context.repeatable):
            return None
        if outcome == 429:
            return 0.0
        pause = pause_before(retries, _requested_pause(headers), self._jitter())
        # A pause that outlasts the call only delays its error.
        return pause if pause <= RETRY_AFTER_CAP and context.has_time_for(pause) else None

    def _log(self, request: httpx.Request, retries: int, outcome: int | str) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            # Without the query: `WherebyClient.request` lets the caller put anything into it.
            path = request.url.raw_path.partition(b"?")[0].decode("ascii")
            logger.debug("%s %s: %s (attempt %d)", request.method, path, outcome, retries + 1)

    async def aclose(self) -> None:
        """Close what is underneath."""
        await self._inner.aclose()


def _requested_pause(headers: Mapping[str, str] | None) -> float | None:
    # Only these two: `X-RateLimit-Reset` is about points, not about a server in trouble.
    if headers is None or "retry-after" not in headers:
        return None
    relevant = {name: headers[name] for name in ("retry-after", "date") if name in headers}
    return read_rate_limit(429, relevant).retry_in
