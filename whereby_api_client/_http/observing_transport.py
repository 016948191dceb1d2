"""The outcome of each attempt, for those who observe the client. Not in the chain otherwise."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import anyio

from ..budget.loops import running_loop
from ..budget.observer import Attempt, CallReport, Observer, notify
from ..errors import Headers
from ..response import request_id
from ._httpx import httpx
from .call_context import CallContext, context_of

if TYPE_CHECKING:
    from .sender import RawResponse


def _loop_clock() -> Callable[[], float]:
    # `anyio.current_time` looks for the loop each time, which takes longer than all the rest here.
    clock: Callable[[], float] = getattr(running_loop(), "time", anyio.current_time)
    return clock


class Recording:
    """One observed call."""

    __slots__ = (
        "_attempts",
        "_began",
        "_clock",
        "_method",
        "_observer",
        "_operation",
        "_started_at",
    )

    def __init__(self, observer: Observer, operation: str, method: str) -> None:
        self._observer = observer
        self._operation = operation
        self._method = method
        self._attempts: list[Attempt] = []
        self._started_at = time.time()
        self._clock = _loop_clock()
        self._began = self._clock()

    def attach(self, context: CallContext) -> None:
        """Let the transport note the attempts here."""
        context.attempts, context.began = self._attempts, self._began

    async def of(self, call: Awaitable[RawResponse]) -> RawResponse:
        """Await the call, and report it whatever its outcome."""
        try:
            response = await call
        except BaseException as error:
            headers = getattr(error, "headers", None)
            self._report(type(error).__name__, headers if isinstance(headers, Headers) else None)
            raise
        self._report("", response.headers)
        return response

    def _report(self, error: str, headers: Mapping[str, str] | None) -> None:
        attempts = tuple(self._attempts)
        report = CallReport(
            self._operation,
            self._method,
            sum(attempt.points for attempt in attempts),
            sum(attempt.waited for attempt in attempts),
            sum(attempt.seconds for attempt in attempts),
            attempts,
            self._started_at,
            self._clock() - self._began,
            attempts[-1].status if attempts else None,
            error,
            None if headers is None else request_id(headers),
        )
        notify((self._observer,), "call_ended", report)


class ObservingTransport(httpx.AsyncBaseTransport):
    """Notes the attempts of a call in its context."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make one attempt."""
        context = context_of(request)
        context.begin_attempt()
        clock = _loop_clock()
        began = clock()
        status, error = None, ""
        try:
            response = await self._inner.handle_async_request(request)
            status = response.status_code
            return response
        except BaseException as failure:
            error = type(failure).__name__
            raise
        finally:
            elapsed = clock() - began
            grant = context.grant
            waited = elapsed if grant is None else min(elapsed, grant.waited)
            points = 0 if grant is None else grant.points
            if context.attempts is not None:
                began -= context.began
                context.attempts.append(
                    Attempt(began, waited, elapsed - waited, points, status, error)
                )

    async def aclose(self) -> None:
        """Close what is underneath."""
        await self._inner.aclose()
