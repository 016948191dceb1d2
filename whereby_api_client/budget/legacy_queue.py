"""What `RedisPointBudget` still inherits; goes with its move to `queue.py`.

`PointBudget` is a queue around the books of `ledger.py`. It works under asyncio and trio, and one
budget may be shared by several event loops in several threads: a lock guards books and queue, and
whoever changes something wakes the calls whose turn has come, each through its own loop.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import anyio

from ..errors import BudgetTimeoutError, InvalidArgumentError
from .headers import read_rate_limit
from .interface import BudgetSnapshot
from .ledger import Ledger, Ticket
from .loops import Loop, LoopClock, Sleeper, make_loop, running_loop
from .queue import BudgetWait, Priority
from .queue import Grant as CommonGrant

Clock: TypeAlias = Callable[[], float]

logger: Final = logging.getLogger("whereby_api_client.budget")

_STARTING_LIMIT: Final = 100  # Whereby's smaller plan

# While the foreground keeps everything busy, every tenth turn goes to a background call that has
# waited for a period: late, but not never.
_FOREGROUND_TURNS: Final = 9


class PointBudget:
    """The points of one organization. Clients that spend from it share one budget.

    Args:
        limit: points per period. None starts with 100, the smaller plan, and takes over
            `X-RateLimit-Limit` from the first response on. A number is a ceiling: the server can
            lower it, because then it is right, but not raise it.
        period: the length of the server's window in seconds.
        reserve: the part of the limit that background calls leave to the foreground.
        on_wait: called with a `BudgetWait` whenever a call begins to wait.
        clock: seconds, never running backwards, common to all loops that use the budget. The
            default is `time.monotonic`, and trio's virtual time under its `MockClock`.
    """

    __slots__ = (
        "__weakref__",
        "_background",
        "_busy",
        "_endings",
        "_first",
        "_foreground",
        "_ledger",
        "_lock",
        "_loops",
        "_now",
        "_on_wait",
        "_points",
        "_reserve",
        "_turns",
    )

    def __init__(
        self,
        limit: int | None = None,
        *,
        period: float = 60.0,
        reserve: float = 0.1,
        on_wait: Callable[[BudgetWait], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if limit is not None and limit < 1:
            raise InvalidArgumentError(f"limit must be a positive number of points, not {limit!r}")
        if not 0 < period < math.inf:
            raise InvalidArgumentError(f"period must be a positive number of seconds: {period!r}")
        if not 0 <= reserve < 1:
            raise InvalidArgumentError(f"reserve must be a part of the limit, not {reserve!r}")
        self._ledger = Ledger(limit or _STARTING_LIMIT, ceiling=limit, period=period)
        self._reserve = reserve
        self._on_wait = on_wait
        self._now = LoopClock() if clock is None else clock
        # Reentrant, because the garbage collector may close a waiting coroutine, and so end its
        # grant, while this very thread is at work inside: `_busy` then says to leave it in
        # `_endings`.
        self._lock = threading.RLock()
        self._busy = False
        self._endings: deque[Callable[[Ledger, float], object]] = deque()
        self._first: _Queue = OrderedDict()  # put back after a 429
        self._foreground: _Queue = OrderedDict()
        self._background: _Queue = OrderedDict()
        self._points = [0, 0, 0]  # that the calls in these three queues need
        self._turns = 0  # of the foreground, while an aged background call waits
        self._loops: dict[object, Loop] = {}  # those with waiting calls

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
            cost: the points that the call needs.
            priority: "background" calls leave a reserve to the foreground.
            max_wait: the longest acceptable wait in seconds. A call that would have to wait longer
                fails at once.
            first: go to the head of the queue: for a call that the server refused with a 429.

        Raises:
            BudgetTimeoutError: the wait is or would be longer than `max_wait`.
            InvalidArgumentError: the cost is not positive, or greater than the limit.
        """
        ledger = self._ledger
        if cost < 1:
            raise InvalidArgumentError(f"a call costs at least one point, not {cost!r}")
        background = priority == "background"
        # No suspension while points are free: the request that follows has its own checkpoints.
        with self._lock:
            self._busy = True
            try:
                now = self._now()
                ledger.advance(now)
                if cost > ledger.limit:
                    raise _too_expensive(cost, ledger.limit)
                if self._is_next(background, now) and ledger.admits(
                    cost, now, reserve=self._reserved(cost) if background else 0
                ):
                    return Grant(self, ledger.take(cost, now))
            finally:
                self._busy = False
                if self._endings:
                    self._work()
        waiter = _Waiter(cost, background, now)
        self._enqueue(waiter, priority, max_wait, first)
        return await self._wait(waiter, max_wait)

    def observe(self, observer: object) -> None:
        """Not here."""

    def snapshot(self) -> BudgetSnapshot:
        """Tell the state of the budget now."""
        with self._lock:
            now = self._now()
            ledger = self._ledger
            if not self._busy:
                ledger.advance(now)
            next_points = ledger.next_return(now)
            return BudgetSnapshot(
                limit=ledger.limit,
                available=ledger.available,
                in_flight=ledger.in_flight,
                returning=ledger.returning,
                waiting=self._waiting(),
                next_points_in=None if next_points is None else max(0.0, next_points - now),
                paused_for=max(0.0, ledger.paused_until - now),
                others_present=ledger.others_present,
            )

    def __repr__(self) -> str:
        s = self.snapshot()
        return (
            f"<PointBudget {s.available}/{s.limit} points available, {s.in_flight} in flight, "
            f"{s.returning} returning, {s.waiting} calls waiting>"
        )

    # -- waiting ----------------------------------------------------------------------------------

    def _waiting(self) -> int:
        # Also those that are in no queue because their loop stands still.
        return sum(loop.waiting for loop in self._loops.values())

    def _is_next(self, background: bool, now: float) -> bool:
        """Tell whether a new call may go without queueing up."""
        if self._first or self._foreground:
            return False
        if not self._background:
            return True
        return not background and not self._is_aged(next(iter(self._background)), now)

    def _reserved(self, cost: int) -> int:
        # Never so much that a background call could not be made on an empty budget.
        return min(int(self._ledger.limit * self._reserve), self._ledger.limit - cost)

    def _enqueue(
        self, waiter: _Waiter, priority: Priority, max_wait: float | None, first: bool
    ) -> None:
        if max_wait is not None or self._tells():
            with self._lock:
                ahead, expected = self._quote(waiter, first)
            self._announce(waiter, priority, max_wait, ahead, expected)
        with self._lock:
            self._queue_up(waiter, first)

    def _tells(self) -> bool:
        return self._on_wait is not None or logger.isEnabledFor(logging.INFO)

    def _quote(self, waiter: _Waiter, first: bool) -> tuple[int, float]:
        """Tell how many calls come before a new one, and how long it has to wait at least."""
        ahead = 0
        need = waiter.cost
        for rank in range(_rank(waiter, first) + 1):
            if queue := self._queues()[rank]:
                ahead += len(queue)
                need += self._points[rank]
        if waiter.background:
            need += self._reserved(waiter.cost)
        return ahead, self._ledger.earliest(need, waiter.since) - waiter.since

    def _queues(self) -> tuple[_Queue, _Queue, _Queue]:
        return self._first, self._foreground, self._background

    def _announce(
        self,
        waiter: _Waiter,
        priority: Priority,
        max_wait: float | None,
        ahead: int,
        expected: float,
    ) -> None:
        """Let a call that has to wait fail if that is too long for it, else say that it waits."""
        if max_wait is not None and expected > max_wait:
            raise BudgetTimeoutError(
                f"{waiter.cost} points are not to be had within {max_wait:g} s: "
                f"the wait is at least {expected:.1f} s ({ahead} calls are ahead)"
            )
        wait = BudgetWait(waiter.cost, priority, ahead, expected)
        # A queue that begins is worth a line, a call that joins it is not.
        level = logging.DEBUG if ahead else logging.INFO
        text = "a call for %d points has to wait at least %.1f s (%d calls are ahead)"
        logger.log(level, text, wait.cost, wait.expected, wait.ahead)
        if self._on_wait is not None:
            self._on_wait(wait)

    def _queue_up(self, waiter: _Waiter, first: bool) -> None:
        key = running_loop()
        loop = self._loops.get(key)
        if loop is None:
            loop = self._loops[key] = make_loop(key, self._work)
        waiter.loop = loop
        loop.waiting += 1
        loop.prepare(waiter)
        waiter.rank = _rank(waiter, first)
        waiter.queue = self._queues()[waiter.rank]
        self._insert(waiter)
        self._work()

    def _insert(self, waiter: _Waiter) -> None:
        assert waiter.queue is not None
        if not waiter.queue:
            self._points[waiter.rank] = 0
        self._points[waiter.rank] += waiter.cost
        waiter.queue[waiter] = None

    async def _wait(self, waiter: _Waiter, max_wait: float | None) -> Grant:
        assert waiter.loop is not None
        try:
            if max_wait is None:
                await waiter.loop.sleep(waiter)
            else:
                with anyio.move_on_after(max_wait):
                    await waiter.loop.sleep(waiter)
        except BaseException:
            # Cancelled, or thrown away with its loop; perhaps after its turn had come.
            self._give_up(waiter)
            raise
        self._leave(waiter)
        if waiter.ticket is not None:
            logger.debug("a call for %d points waited %.1f s", waiter.cost, waiter.waited)
            return Grant(self, waiter.ticket)
        if waiter.refused:
            raise _too_expensive(waiter.cost, self._ledger.limit)
        raise BudgetTimeoutError(f"{waiter.cost} points did not come back within {max_wait:g} s")

    def _leave(self, waiter: _Waiter) -> None:
        if waiter.queue is not None:
            self._end(lambda ledger, now: self._remove(waiter))

    def _give_up(self, waiter: _Waiter) -> None:
        def ending(ledger: Ledger, now: float) -> None:
            self._remove(waiter)
            if waiter.ticket is not None:
                ledger.refund(waiter.ticket)

        self._end(ending)

    def _remove(self, waiter: _Waiter) -> None:
        """Take a waiter out of its queue, for whatever reason."""
        if waiter.queue is None or waiter.loop is None:
            return
        if waiter in waiter.queue:  # not if it was set aside
            del waiter.queue[waiter]
            self._points[waiter.rank] -= waiter.cost
        waiter.queue = None
        waiter.loop.waiting -= 1
        if waiter.loop.waiting == 0:
            self._loops.pop(waiter.loop.key, None)
            waiter.loop.disarm(running_loop())

    # -- work: everything below runs with the lock held -------------------------------------------

    def _end(self, ending: Callable[[Ledger, float], object]) -> None:
        self._endings.append(ending)
        with self._lock:
            if not self._busy:
                self._work()

    def _work(self) -> None:
        """Carry out the endings, give free points to those whose turn it is, set the alarms."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
            try:
                now = self._now()
                self._ledger.advance(now)
                while True:
                    while self._endings:
                        self._endings.popleft()(self._ledger, now)
                    if self._loops:
                        self._serve(now)
                        self._set_alarms(now)
                    if not self._endings:
                        return
            finally:
                self._busy = False

    def _serve(self, now: float) -> None:
        here = running_loop()
        ledger = self._ledger
        while (waiter := self._next()) is not None:
            loop = waiter.loop
            assert loop is not None
            if loop.key is not here and not loop.is_running():
                self._set_aside(waiter, loop)
                continue
            if waiter.cost > ledger.limit:
                waiter.refused = True
            else:
                reserve = 0
                if waiter.background and self._turns < _FOREGROUND_TURNS:
                    reserve = self._reserved(waiter.cost)
                if not ledger.admits(waiter.cost, now, reserve=reserve):
                    return
                waiter.ticket = ledger.take(waiter.cost, now)
                waiter.waited = now - waiter.since
                self._count_turn(waiter, now)
            self._remove(waiter)
            if not loop.wake(waiter, here) and waiter.ticket is not None:
                ledger.refund(waiter.ticket)  # its loop is gone

    def _next(self) -> _Waiter | None:
        """Choose whose turn it is."""
        queues: tuple[_Queue, ...] = self._queues()
        if self._turns >= _FOREGROUND_TURNS:
            queues = (self._first, self._background, self._foreground)
        for queue in queues:
            for waiter in queue:
                return waiter
        return None

    def _is_aged(self, waiter: _Waiter, now: float) -> bool:
        return now - waiter.since > self._ledger.period

    def _count_turn(self, waiter: _Waiter, now: float) -> None:
        if waiter.background:
            self._turns = 0
        elif self._background and self._is_aged(next(iter(self._background)), now):
            self._turns += 1

    def _set_aside(self, waiter: _Waiter, loop: Loop) -> None:
        """Let the others pass a call whose loop stands still; it may run on, or never again."""
        if not loop.post(self._take_back, waiter):
            self._remove(waiter)
        elif waiter.queue is not None:
            del waiter.queue[waiter]
            self._points[waiter.rank] -= waiter.cost

    def _take_back(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter.queue is not None:
                self._insert(waiter)
                waiter.queue.move_to_end(waiter, last=False)
                self._work()

    def _set_alarms(self, now: float) -> None:
        # Every loop that has waiting calls gets its own alarm: another loop may die any time.
        waiter = self._next()
        when = None if waiter is None else self._ledger.next_change(waiter.cost, now)
        if when is None:
            return
        here = running_loop()
        for loop in self._loops.values():
            loop.arm(when, when - now, here)


class Grant(CommonGrant):
    """The points of one attempt. Exactly one of its methods ends it; the first call counts."""

    __slots__ = ("_budget",)

    def __init__(self, budget: PointBudget, ticket: Ticket) -> None:
        self._budget = budget
        self._ticket = ticket

    @property
    def cost(self) -> int:
        """The points of this attempt."""
        return self._ticket.cost

    def settle(self, status: int, headers: Mapping[str, str], body: bytes | None = None) -> None:
        """End it with the response: the server has counted the call."""
        if self._ticket.open:
            said = read_rate_limit(status, headers, body)
            rejected = status == 429
            ticket = self._ticket
            self._budget._end(
                lambda ledger, now: ledger.settle(ticket, now, said, rejected=rejected)
            )
            if rejected:
                pause = self._budget.snapshot().paused_for
                logger.warning("the server refused a call for lack of points: %.1f s pause", pause)

    def refund(self) -> None:
        """End it without a trace: the request surely never reached the server."""
        if self._ticket.open:
            self._budget._end(lambda ledger, now: ledger.refund(self._ticket))

    def lose(self) -> None:
        """End it as spent: whether the server counted the call is not known."""
        if self._ticket.open:
            self._budget._end(lambda ledger, now: ledger.lose(self._ticket, now))

    def __repr__(self) -> str:
        state = "open" if self._ticket.open else "ended"
        return f"<Grant of {self._ticket.cost} points, {state}>"


class _Waiter(Sleeper):
    """A call in the queue."""

    __slots__ = (
        "background",
        "cost",
        "loop",
        "queue",
        "rank",
        "refused",
        "since",
        "ticket",
        "waited",
    )

    def __init__(self, cost: int, background: bool, since: float) -> None:
        self.cost = cost
        self.background = background
        self.since = since
        self.loop: Loop | None = None
        self.queue: _Queue | None = None
        self.rank = 0
        self.waited = 0.0
        self.ticket: Ticket | None = None
        self.refused = False


_Queue: TypeAlias = OrderedDict[_Waiter, None]


def _rank(waiter: _Waiter, first: bool) -> int:
    return 0 if first else 2 if waiter.background else 1


def _too_expensive(cost: int, limit: int) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"a call for {cost} points can never be made: the limit is {limit} points per period"
    )


# The names by which redis_budget.py knows them.
_make_loop, _running_loop = make_loop, running_loop
