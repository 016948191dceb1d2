"""What a client needs of a point budget, and what a budget shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from .observer import Observer
from .queue import Grant, Priority


class BudgetSnapshot(NamedTuple):
    """The state of a budget at one moment; `available + in_flight + returning == limit`.

    Attributes:
        limit: points per period.
        available: points that are free. Negative for a while after the server lowered the limit.
        in_flight: points of calls that were sent and have no response yet.
        returning: points that are spent and will come back.
        waiting: calls in the queue.
        next_points_in: seconds until the next points come back, None if none are out.
        paused_for: seconds until the end of the pause that a 429 asked for, else 0.
        others_present: True if the server's count shows that others spend from the organization.
        prices: what each operation that was called is taken to cost: its documented price, the one
            that the caller gave, or the one that the server's counts have shown.
    """

    limit: int
    available: int
    in_flight: int
    returning: int
    waiting: int
    next_points_in: float | None
    paused_for: float
    others_present: bool
    prices: Mapping[str, int] = {}


class Budget(Protocol):
    """A point budget: `PointBudget` in one process, `RedisPointBudget` for many."""

    async def acquire(
        self,
        cost: int,
        *,
        operation: str = "",
        priority: Priority = "foreground",
        max_wait: float | None = None,
        first: bool = False,
    ) -> Grant:
        """Wait for `cost` points."""
        ...

    def observe(self, observer: Observer) -> None:
        """Let an observer know of waits, refusals, pauses and learned prices."""
        ...

    def snapshot(self) -> BudgetSnapshot:
        """Return the state of the budget now."""
        ...
