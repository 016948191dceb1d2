"""What the tests of the transport chain share: scripted transports, and requests with a context."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import httpx

from whereby_api_client import PointBudget
from whereby_api_client._http.call_context import EXTENSION, CallContext, cost_of
from whereby_api_client._http.retries import RetryTransport

URL = "https://api.whereby.dev/v1/meetings"


class Script(httpx.AsyncBaseTransport):
    """Ends each request with the next outcome: an exception, a response, or a status."""

    def __init__(self, *outcomes: Exception | httpx.Response | int) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        self.requests.append(request)
        outcome = self.outcomes[min(len(self.requests), len(self.outcomes)) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome) if isinstance(outcome, int) else outcome

    async def aclose(self) -> None:
        self.closed = True


def call(method: str = "GET", **options: Any) -> httpx.Request:
    """Make a request with the context of a call."""
    options.setdefault("cost", cost_of(method))
    return httpx.Request(method, URL, extensions={EXTENSION: CallContext(**options)})


class Retries:
    """A RetryTransport that notes its pauses in place of sleeping."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.pauses: list[float] = []
        self.transport = RetryTransport(inner, sleep=self.sleep, jitter=lambda: 1.0)

    async def sleep(self, seconds: float) -> None:
        """Note the pause."""
        self.pauses.append(seconds)


def points(budget: PointBudget) -> tuple[int, int, int]:
    """Return the points available, in flight and returning."""
    state = budget.snapshot()
    assert state.available + state.in_flight + state.returning == state.limit
    return state.available, state.in_flight, state.returning
