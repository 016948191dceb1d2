"""What the transport chain has to know about one call; travels in its request's extensions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import anyio

from ._httpx import httpx

if TYPE_CHECKING:
    from ..budget.interface import Budget
    from ..budget.observer import Attempt
    from ..budget.queue import Grant, Priority

EXTENSION: Final = "whereby"

MAX_RESPONSE_BYTES: Final = 64 * 2**20

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REPEATABLE: Final = _READS | {"PUT", "DELETE"}


def cost_of(method: str) -> int:
    """Return the points of a request by its method, as documented: read 1, delete 2, write 3."""
    return 1 if method in _READS else 2 if method == "DELETE" else 3


def is_repeatable(method: str) -> bool:
    """Return whether sending the request twice is the same as once, by HTTP's rules."""
    return method in _REPEATABLE


class CallContext:
    """What the chain has to know about one call, and the call's clock.

    The clock runs while the call is on the wire or pauses before a retry, and stands still while it
    waits for points. It moves the deadline of `scope`, which surrounds the whole call.
    """

    __slots__ = (
        "_since",
        "attempts",
        "began",
        "budget",
        "cost",
        "first",
        "grant",
        "host",
        "max_response_bytes",
        "max_retries",
        "max_wait",
        "operation",
        "priority",
        "reached",
        "repeatable",
        "scope",
        "time_left",
    )

    def __init__(
        self,
        cost: int,
        *,
        operation: str = "",
        repeatable: bool = False,
        priority: Priority = "foreground",
        max_wait: float | None = None,
        max_retries: int = 0,
        timeout: float | None = None,
        scope: anyio.CancelScope | None = None,
        host: str | None = None,
        budget: Budget | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self.cost = cost
        # The budget learns what it costs; "" where the cost is as it is given.
        self.operation = operation
        # in place of the transport's: a client can serve several organizations
        self.budget = budget
        self.max_response_bytes = max_response_bytes
        self.repeatable = repeatable
        self.priority: Priority = priority
        self.max_wait = max_wait
        self.max_retries = max_retries
        self.time_left = timeout
        self.scope = scope
        # The API's host: after a redirect, rate-limit headers of another one are not ours.
        self.host = host
        # Did the last attempt possibly reach the server? The transports that know better say so.
        self.reached = False
        # After a 429 the call goes back to the head of the budget's queue.
        self.first = False
        self._since: float | None = None
        # The attempts so far, if somebody observes; and the points of the one under way.
        self.attempts: list[Attempt] | None = None
        self.began = 0.0
        self.grant: Grant | None = None

    def begin_attempt(self) -> None:
        """Forget the points of the attempt before."""
        self.grant = None

    def start_clock(self) -> None:
        """Let the time of the call run on."""
        if self.scope is not None and self.time_left is not None:
            self._since = anyio.current_time()
            self.scope.deadline = self._since + self.time_left

    def stop_clock(self) -> None:
        """Take the time that has passed off the time that is left, and lift the deadline."""
        if self._since is not None and self.scope is not None and self.time_left is not None:
            self.time_left -= anyio.current_time() - self._since
            self._since = None
            self.scope.deadline = math.inf

    def has_time_for(self, pause: float) -> bool:
        """Return whether a pause would end before the call's time is over."""
        if self._since is None or self.time_left is None:
            return True
        return pause < self._since + self.time_left - anyio.current_time()


def context_of(request: httpx.Request) -> CallContext:
    """Return the context of a request; without one, its method decides."""
    context = request.extensions.get(EXTENSION)
    if context is None:
        context = CallContext(cost_of(request.method), repeatable=is_repeatable(request.method))
        request.extensions[EXTENSION] = context
    assert isinstance(context, CallContext)
    return context
