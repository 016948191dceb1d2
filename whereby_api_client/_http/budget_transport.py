"""The point budget in front of every attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from ._httpx import httpx
from .call_context import context_of
from .response_body import read_whole
from .retries import NEVER_SENT

if TYPE_CHECKING:
    from ..budget.interface import Budget


class BudgetTransport(httpx.AsyncBaseTransport):
    """Waits for the points of a request before it is sent, and settles them after.

    The response is read to its end here. So its connection is free again whatever happens further
    up, and half a response is an outcome that `RetryTransport` can decide on.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, budget: Budget) -> None:
        self._inner = inner
        self._budget = budget

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pay for one attempt and make it."""
        context = context_of(request)
        context.stop_clock()
        began = None if context.max_wait is None else anyio.current_time()
        grant = await (context.budget or self._budget).acquire(
            context.cost,
            operation=context.operation,
            priority=context.priority,
            max_wait=context.max_wait,
            first=context.first,
        )
        context.grant = grant
        if began is not None and context.max_wait is not None:
            # `max_wait` is for the whole call, not for each attempt.
            context.max_wait = max(0.0, context.max_wait - (anyio.current_time() - began))
        context.start_clock()
        context.reached = True
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            if isinstance(error, NEVER_SENT) or not context.reached:
                grant.refund()
            else:
                grant.lose()
            raise
        if context.host is not None and request.url.host != context.host:
            grant.settle(200, {})
            return await read_whole(response, context.max_response_bytes)
        if response.status_code != 429:
            # as a dict: looking for a name in httpx's headers goes through all of them
            grant.settle(response.status_code, dict(response.headers.items()))
            return await read_whole(response, context.max_response_bytes)
        try:
            response = await read_whole(response, context.max_response_bytes)
        except BaseException:
            grant.settle(429, response.headers)
            raise
        # The body of a 429 holds the rest of the server's window to the millisecond.
        grant.settle(429, response.headers, response.content)
        return response

    async def aclose(self) -> None:
        """Close what is underneath; the budget may be shared and lives on."""
        await self._inner.aclose()
