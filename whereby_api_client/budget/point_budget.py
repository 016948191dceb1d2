"""The point budget: every call waits here until the server will surely not refuse it.

`PointBudget` is a queue in front of a ledger. It works under asyncio and trio, and one budget may
be shared by several event loops in several threads.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Final

from ..errors import BudgetTimeoutError, InvalidArgumentError
from .interface import BudgetSnapshot
from .ledger import Ledger
from .loops import LoopClock
from .observer import Observer
from .queue import (
    BudgetWait,
    CallQueue,
    Clock,
    Grant,
    Priority,
    Waiter,
    announce_wait,
    impossible,
    in_words,
    logger,
    rank_of,
    reserved,
    reset_after_fork,
)

STARTING_LIMIT: Final = 100  # Whereby's smaller plan


class PointBudget:
    """The points of one organization. Clients that spend from it share one budget.

    Args:
        limit: points per period. None starts with 100, the smaller plan, and takes over
            `X-RateLimit-Limit` from the first response on. A number is a ceiling: the server can
            lower it, because then it is right, but not raise it.
        period: the length of the server's window in seconds.
        reserve: the part of the limit that background calls leave to the foreground.
        prices: points by operation or by a pattern, such as {"insights.*": 10}, for who knows
            better than the document. What the server counts still corrects them.
        on_wait: called with a `BudgetWait` whenever a call begins to wait.
        clock: seconds, never running backwards, common to all loops that use the budget. The
            default is `time.monotonic`, and trio's virtual time under its `MockClock`.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_has_warned",
        "_is_limited",
        "_ledger",
        "_on_wait",
        "_queue",
        "_reserve",
    )

    def __init__(
        self,
        limit: int | None = None,
        *,
        period: float = 60.0,
        reserve: float = 0.1,
        prices: Mapping[str, int] | None = None,
        on_wait: Callable[[BudgetWait], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        check_arguments(limit, period, reserve)
        self._ledger = Ledger(limit or STARTING_LIMIT, ceiling=limit, period=period, prices=prices)
        self._is_limited = limit is not None
        self._has_warned = False
        self._reserve = reserve
        self._on_wait = on_wait
        self._clock: Clock = LoopClock() if clock is None else clock
        self._queue = CallQueue(self._clock, self._serve)
        reset_after_fork(self)

    async def acquire(
        self,
        cost: int,
        *,
        operation: str = "",
        priority: Priority = "foreground",
        max_wait: float | None = None,
        first: bool = False,
    ) -> Grant:
        """Wait for `cost` points, first come, first served.

        Args:
            cost: the points that the call needs, as far as is documented.
            operation: its name, such as "meetings.create": the real price is learned and takes the
                place of `cost`. Without one the cost is as given.
            priority: "background" calls leave a reserve to the foreground.
            max_wait: the longest acceptable wait in seconds. A call that would have to wait longer
                fails at once.
            first: go before the others of the same priority: for a call that the server refused
                with a 429.

        Raises:
            BudgetTimeoutError: the wait is or would be longer than `max_wait`.
            InvalidArgumentError: the cost is not positive, or greater than the limit.
        """
        if cost < 1:
            raise InvalidArgumentError(f"cost must be at least 1 point; got {cost!r}")
        documented = cost
        queue, ledger, rank = self._queue, self._ledger, rank_of(priority, first=first)
        # No suspension while points are free: the request that follows has its own checkpoints.
        with queue as now:
            ledger.advance(now)
            error = impossible(ledger, operation, documented, now)
            if error is not None:
                raise error
            cost = ledger.price(operation, documented)
            if queue.goes_at_once(rank, now, ledger.period):
                leaves = 0 if priority == "foreground" else reserved(ledger, self._reserve, cost)
                if ledger.admits(cost, now, reserve=leaves):
                    ticket = ledger.take(cost, now, operation=operation, documented=documented)
                    return Grant(queue, ledger, ticket)
            waiter = Waiter(cost, rank, now, operation, documented)
        if not (ledger.knows_limit or self._has_warned or self._is_limited):
            self._has_warned = warn_of_limit(ledger, "PointBudget")
        if max_wait is not None or self._on_wait or logger.isEnabledFor(logging.INFO):
            self._announce(waiter, max_wait)
        with queue:
            queue.add(waiter)
        queue.run()
        await queue.wait(waiter, ledger, max_wait)
        if waiter.ticket is not None:
            logger.debug("a call for %s waited %.1f s", in_words(waiter.cost), waiter.waited)
            return Grant(queue, ledger, waiter.ticket, waiter.waited)
        if waiter.error is not None:
            raise waiter.error
        raise BudgetTimeoutError(f"{in_words(waiter.cost)} exceeded max_wait={max_wait:g} s")

    def _announce(self, waiter: Waiter, max_wait: float | None) -> None:
        with self._queue:
            ahead, points = self._queue.ahead(waiter.rank)
            points += waiter.cost
            if waiter.is_background:
                points += reserved(self._ledger, self._reserve, waiter.cost)
            expected = self._ledger.earliest(points, waiter.since) - waiter.since
        announce_wait(waiter, max_wait, ahead, expected, self._on_wait)

    def _serve(self, now: float) -> None:
        self._queue.grant_from(self._ledger, now, self._reserve)

    def observe(self, observer: Observer) -> None:
        """Let an observer know of waits, refusals, pauses and learned prices; once is enough."""
        if observer not in self._queue.observers:
            self._queue.observers = (*self._queue.observers, observer)

    def snapshot(self) -> BudgetSnapshot:
        """Return the state of the budget now."""
        if self._queue.is_busy:  # the garbage collector asks, say
            return self._snapshot(self._clock())
        with self._queue as now:
            self._ledger.advance(now)
            return self._snapshot(now)

    def _snapshot(self, now: float) -> BudgetSnapshot:
        ledger = self._ledger
        next_points = ledger.next_return(now)
        return BudgetSnapshot(
            limit=ledger.limit,
            available=ledger.available,
            in_flight=ledger.in_flight,
            returning=ledger.returning,
            waiting=len(self._queue),
            next_points_in=None if next_points is None else max(0.0, next_points - now),
            paused_for=max(0.0, ledger.paused_until - now),
            others_present=ledger.others_present,
            prices=ledger.prices.to_dict(),
        )

    def _after_fork(self) -> None:
        """Begin anew in a forked child: lock, queue, loops and open tickets are the parent's."""
        old = self._queue
        old.abandon()
        self._ledger = self._ledger.fork()
        self._queue = CallQueue(self._clock, self._serve)
        self._queue.observers = old.observers

    def __repr__(self) -> str:
        s = self.snapshot()
        return (
            f"<PointBudget {s.available}/{s.limit} points available, {s.in_flight} in flight, "
            f"{s.returning} returning, {s.waiting} calls waiting>"
        )


def check_arguments(limit: int | None, period: float, reserve: float) -> None:
    """Raise InvalidArgumentError unless a budget can be made of these."""
    if limit is not None and limit < 1:
        raise InvalidArgumentError(f"limit must be a positive number of points; got {limit!r}")
    if not 0 < period < math.inf:
        raise InvalidArgumentError(f"period must be a positive number of seconds; got {period!r}")
    if not 0 <= reserve < 1:
        raise InvalidArgumentError(f"reserve must be at least 0 and below 1; got {reserve!r}")


def warn_of_limit(ledger: Ledger, name: str) -> bool:
    """Warn that the server reports no limit, and return whether there was reason to."""
    # Before the first response nothing is known, and that is as it should be.
    if ledger.has_response:
        logger.warning(
            "calls wait for points, and the server reports no limit: %d points per %g s are "
            "assumed. If your plan has more, say so: %s(limit=...)",
            ledger.limit,
            ledger.period,
            name,
        )
    return ledger.has_response
