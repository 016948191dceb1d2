"""The calls that wait for points: their order, the event loops they wait in, and the lock.

One queue may be shared by several event loops in several threads. A lock guards it together with
the ledger of its owner, and each change wakes the calls whose turn has come, each
through its own loop. `PointBudget` and `RedisPointBudget` each have a queue; it knows no clock but
the one it is given, and nothing of where the points come from.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import anyio

from ..errors import BudgetTimeoutError, InvalidArgumentError, WherebyError
from .headers import read_rate_limit
from .ledger import Ledger, Ticket
from .loops import Loop, Sleeper, make_loop, running_loop
from .observer import Observer, Refusal, Wait, notify

Priority: TypeAlias = Literal["foreground", "background"]
Clock: TypeAlias = Callable[[], float]
Change: TypeAlias = Callable[[float], None]

logger: Final[logging.Logger] = logging.getLogger("whereby_api_client.budget")

# While the foreground keeps everything busy, every tenth turn goes to a background call that has
# waited for a period: late, but not never.
_FOREGROUND_TURNS: Final = 9

# A call's rank: within a priority, those that the server refused with a 429 come first.
_BACKGROUND: Final = 2
_RANKS: Final = 4


def rank_of(priority: Priority, *, first: bool) -> int:
    """Return 0 or 1 for a foreground call, 2 or 3 for a background one; 0 and 2 if `first`."""
    return (_BACKGROUND if priority == "background" else 0) + (0 if first else 1)


class BudgetWait(NamedTuple):
    """A call that begins to wait: what `on_wait` is called with.

    Attributes:
        cost: the points that the call needs.
        priority: "foreground" or "background".
        ahead: calls that come first.
        expected: seconds that it will have to wait at least, as far as can be known.
    """

    cost: int
    priority: Priority
    ahead: int
    expected: float


class Waiter(Sleeper):
    """A call in the queue. It ends with a ticket, with an error, or by giving up."""

    __slots__ = (
        "cost",
        "documented",
        "error",
        "is_queued",
        "loop",
        "operation",
        "rank",
        "since",
        "ticket",
        "waited",
    )

    def __init__(
        self, cost: int, rank: int, since: float, operation: str = "", documented: int = 0
    ) -> None:
        self.cost: int = (
            cost  # what it had to hold when it came; while it waits, prices are learned
        )
        self.operation: str = operation
        self.documented: int = documented or cost
        self.rank: int = rank
        self.since: float = since
        self.waited: float = 0.0
        self.loop: Loop | None = None
        self.is_queued: bool = False
        self.ticket: Ticket | None = None
        self.error: Exception | None = None

    @property
    def is_background(self) -> bool:
        """Return whether it leaves a reserve to others."""
        return self.rank >= _BACKGROUND

    def as_wait(self) -> Wait:
        """Return what observers get."""
        return Wait(self.operation, self.cost, self.priority)

    @property
    def priority(self) -> Priority:
        """Return "foreground" or "background"."""
        return "background" if self.is_background else "foreground"


class CallQueue:
    """Calls that wait, first come, first served within their rank.

    `run` and `wait` may be called from anywhere; everything else with exclusive access:

        with queue as now:
            ...

    Args:
        clock: seconds, never running backwards.
        serve: called with the time whenever something has changed, with exclusive access and never
            nested: gives points to the calls whose turn it is, and sets alarms.
    """

    __slots__ = (
        "_abandoned",
        "_busy",
        "_changes",
        "_clock",
        "_lock",
        "_loops",
        "_points",
        "_ranks",
        "_serve",
        "_turns",
        "observers",
    )

    def __init__(self, clock: Clock, serve: Change) -> None:
        self._clock = clock
        self._serve = serve
        # Reentrant, because the garbage collector may close a waiting coroutine, and so end its
        # grant, while this very thread has exclusive access: `_busy` then says to leave the change
        # in `_changes`.
        self._lock = threading.RLock()
        self._busy = False
        self._abandoned = False
        self._changes: deque[Change] = deque()
        self._ranks: tuple[OrderedDict[Waiter, None], ...] = tuple(
            OrderedDict() for _ in range(_RANKS)
        )
        self._points = [0] * _RANKS  # that the calls of each rank need
        self._turns = 0  # of the foreground, while an aged background call waits
        self._loops: dict[object, Loop] = {}  # those with waiting calls
        self.observers: tuple[Observer, ...] = ()

    # -- exclusive access -------------------------------------------------------------------------

    def __enter__(self) -> float:
        """Keep others out, carry out what they have left to do, and return the time."""
        self._lock.acquire()
        self._busy = True
        try:
            now = self._clock()
            self._carry_out(now)
        except BaseException:
            self._busy = False
            self._lock.release()
            raise
        return now

    def __exit__(self, *details: object) -> None:
        self._busy = False
        has_left = bool(self._changes)
        self._lock.release()
        if has_left:
            self.run()

    @property
    def is_busy(self) -> bool:
        """Return whether this very thread has exclusive access already."""
        with self._lock:
            return self._busy

    def run(self, change: Change | None = None) -> None:
        """Carry out a change, and serve those whose turn has come by it.

        At once, or right after what this very thread is in the middle of.
        """
        if self._abandoned:
            return
        if change is not None:
            self._changes.append(change)
        with self._lock:
            if self._busy:
                return
            self._busy = True
            try:
                now = self._clock()
                while True:
                    self._carry_out(now)
                    self._serve(now)
                    if not self._changes:
                        return
            finally:
                self._busy = False

    def _carry_out(self, now: float) -> None:
        while self._changes:
            self._changes.popleft()(now)

    def abandon(self) -> None:
        """Do nothing from now on: in a forked child, where lock and loops are the parent's."""
        self._abandoned = True

    # -- the calls --------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return how many wait; also those that have no place because their loop stands still."""
        return sum(loop.waiting for loop in self._loops.values())

    def __iter__(self) -> Iterator[Waiter]:
        """Return the calls in their order."""
        return chain(*self._ranks)

    def goes_at_once(self, rank: int, now: float, period: float) -> bool:
        """Return whether a new call need not queue up, as far as the others are concerned."""
        if self._ranks[0] or self._ranks[1]:
            return False
        oldest = self._oldest_background()
        if oldest is None:
            return True
        return rank < _BACKGROUND and now - oldest.since <= period

    def ahead(self, rank: int) -> tuple[int, int]:
        """Return how many calls come before a new one, and how many points they need."""
        # With `first`, those that were put back earlier; else everybody up to this rank.
        ranks = range(rank + 1)
        return (
            sum(len(self._ranks[r]) for r in ranks),
            sum(self._points[r] for r in ranks if self._ranks[r]),
        )

    def head(self) -> Waiter | None:
        """Return the call whose turn is next."""
        ranks = self._ranks
        if self._turns >= _FOREGROUND_TURNS:
            ranks = ranks[_BACKGROUND:] + ranks[:_BACKGROUND]
        for queue in ranks:
            for waiter in queue:
                return waiter
        return None

    def add(self, waiter: Waiter) -> None:
        """Queue up a call of the running loop."""
        key = running_loop()
        loop = self._loops.get(key)
        if loop is None:
            loop = self._loops[key] = make_loop(key, self.run)
        waiter.loop = loop
        loop.waiting += 1
        loop.prepare(waiter)
        waiter.is_queued = True
        self._insert(waiter)

    def _insert(self, waiter: Waiter) -> None:
        queue = self._ranks[waiter.rank]
        if not queue:
            self._points[waiter.rank] = 0
        self._points[waiter.rank] += waiter.cost
        queue[waiter] = None

    def remove(self, waiter: Waiter) -> None:
        """Take a call out, for whatever reason."""
        loop = waiter.loop
        if not waiter.is_queued or loop is None:
            return
        waiter.is_queued = False
        self._withdraw(waiter)
        loop.waiting -= 1
        if loop.waiting == 0:
            self._loops.pop(loop.key, None)
            loop.disarm(running_loop())

    def _withdraw(self, waiter: Waiter) -> None:
        queue = self._ranks[waiter.rank]
        if waiter in queue:  # not if it was set aside
            del queue[waiter]
            self._points[waiter.rank] -= waiter.cost

    async def wait(self, waiter: Waiter, ledger: Ledger, max_wait: float | None) -> None:
        """Sleep until the call has its ticket or its error; it has neither after `max_wait`."""
        assert waiter.loop is not None
        if self.observers:
            notify(self.observers, "wait_began", waiter.as_wait())
        try:
            if max_wait is None:
                await waiter.loop.sleep(waiter)
            else:
                with anyio.move_on_after(max_wait):
                    await waiter.loop.sleep(waiter)
        except BaseException:
            # Cancelled, or thrown away with its loop; perhaps after its turn had come.
            self.give_up(waiter, ledger)
            raise
        finally:
            if self.observers and not self._abandoned:
                seconds = self._clock() - waiter.since
                notify(self.observers, "wait_ended", waiter.as_wait(), seconds)
        if waiter.is_queued:
            self.run(lambda now: self.remove(waiter))

    def give_up(self, waiter: Waiter, ledger: Ledger) -> None:
        """Let a call leave, from anywhere; a ticket that it got is refunded."""

        def leave(now: float) -> None:
            self.remove(waiter)
            if waiter.ticket is not None:
                ledger.refund(waiter.ticket)

        self.run(leave)

    # -- reports: without exclusive access ---------------------------------------------------------

    def report_refusal(self, refusal: Refusal, *, was_paused: bool) -> None:
        """Log a 429, once for a pause: what was under way with it is refused as well."""
        level = logging.DEBUG if was_paused else logging.WARNING
        text = "the server refused a call for lack of points: %.1f s pause"
        logger.log(level, text, refusal.pause)
        notify(self.observers, "call_refused", refusal)
        if not was_paused:
            notify(self.observers, "paused", refusal.pause)

    def report_prices(self, ledger: Ledger) -> None:
        """Log the prices that were learned since the last time."""
        while ledger.prices.learned:
            price = ledger.prices.learned.pop(0)
            text = "%s costs %s, not %d as assumed"
            logger.info(text, price.operation, in_words(price.points), price.assumed)
            notify(self.observers, "price_learned", price)

    # -- their turns ------------------------------------------------------------------------------

    def grant_from(self, ledger: Ledger, now: float, reserve: float) -> None:
        """Give free points to those whose turn it is, and set the alarms for the others."""
        ledger.advance(now)
        while (waiter := self.head()) is not None:
            if self.set_aside_if_stopped(waiter):
                continue
            operation, documented = waiter.operation, waiter.documented
            waiter.error = impossible(ledger, operation, documented, now)
            if waiter.error is not None:
                self.finish(waiter)
                continue
            cost = ledger.price(operation, documented)
            leaves = 0
            if waiter.is_background and self._turns < _FOREGROUND_TURNS:
                leaves = reserved(ledger, reserve, cost)
            if not ledger.admits(cost, now, reserve=leaves):
                when = ledger.next_change(cost, now)
                if when is not None:
                    self.set_alarms(when, now)
                return
            waiter.ticket = ledger.take(cost, now, operation=operation, documented=documented)
            waiter.waited = now - waiter.since
            self._count_turn(waiter, now, ledger.period)
            if not self.finish(waiter):
                ledger.refund(waiter.ticket)

    def finish(self, waiter: Waiter) -> bool:
        """Take out and wake a call that has a ticket or an error. False: its loop is gone."""
        assert waiter.loop is not None
        self.remove(waiter)
        return waiter.loop.wake(waiter, running_loop())

    def set_aside_if_stopped(self, waiter: Waiter) -> bool:
        """Let others pass a call whose loop stands still: it may run on, or never again."""
        loop = waiter.loop
        assert loop is not None
        if loop.key is running_loop() or loop.is_running():
            return False
        if loop.post(self._take_back, waiter):
            self._withdraw(waiter)
        else:
            self.remove(waiter)
        return True

    def _take_back(self, waiter: Waiter) -> None:
        def put_first(now: float) -> None:
            if waiter.is_queued:
                self._insert(waiter)
                self._ranks[waiter.rank].move_to_end(waiter, last=False)

        self.run(put_first)

    def set_alarms(self, when: float, now: float) -> None:
        """Serve again at `when`."""
        # Every loop that has waiting calls gets its own alarm: another loop may die any time.
        current_loop = running_loop()
        for loop in self._loops.values():
            loop.arm(when, when - now, current_loop)

    def _oldest_background(self) -> Waiter | None:
        for queue in self._ranks[_BACKGROUND:]:
            for waiter in queue:
                return waiter
        return None

    def _count_turn(self, waiter: Waiter, now: float, period: float) -> None:
        if waiter.is_background:
            self._turns = 0
            return
        oldest = self._oldest_background()
        if oldest is not None and now - oldest.since > period:
            self._turns += 1


class Grant:
    """The points of one attempt. Exactly one of its methods ends it; the first call counts."""

    __slots__ = ("_ledger", "_queue", "_ticket", "points", "waited")

    def __init__(
        self, queue: CallQueue, ledger: Ledger, ticket: Ticket, waited: float = 0.0
    ) -> None:
        self._queue = queue
        #: Seconds that it took to get them.
        self.waited: float = waited
        self._ledger = ledger
        self._ticket = ticket
        #: What the attempt has cost, as far as is known, once it has ended; 0 if it was refused.
        self.points: int = 0

    @property
    def cost(self) -> int:
        """The points of this attempt."""
        return self._ticket.cost

    def settle(self, status: int, headers: Mapping[str, str], body: bytes | None = None) -> None:
        """End it with the response: the server has counted the call."""
        ticket, ledger = self._ticket, self._ledger
        if ticket.open:
            rate_limit = read_rate_limit(status, headers, body)

            was_paused, points, pause = False, 0, 0.0

            def settle(now: float) -> None:
                nonlocal was_paused, points, pause
                ledger.advance(now)
                was_paused = now < ledger.paused_until
                points = ledger.settle(ticket, now, rate_limit, rejected=status == 429)
                pause = max(0.0, ledger.paused_until - now)

            queue = self._queue
            queue.run(settle)
            if status == 429:
                refusal = Refusal(ticket.operation, points, pause)
                queue.report_refusal(refusal, was_paused=was_paused)
            else:
                self.points = points
            if ledger.prices.learned:
                queue.report_prices(ledger)

    def refund(self) -> None:
        """End it without a trace: the request surely never reached the server."""
        if self._ticket.open:
            self._queue.run(lambda now: self._ledger.refund(self._ticket))

    def lose(self) -> None:
        """End it as spent: whether the server counted the call is not known."""
        if self._ticket.open:

            def lose(now: float) -> None:
                self._ledger.advance(now)
                self._ledger.lose(self._ticket, now)

            self.points = self._ticket.cost
            self._queue.run(lose)

    def __repr__(self) -> str:
        state = "open" if self._ticket.open else "ended"
        return f"<Grant of {in_words(self._ticket.cost)}, {state}>"


def in_words(points: int) -> str:
    """Return "1 point" or "2 points"."""
    return f"{points} point{'s' * (points != 1)}"


def reserved(ledger: Ledger, share: float, cost: int) -> int:
    """Return the points that a background call leaves to the foreground."""
    # Never so much that it could not be made on an empty budget.
    return min(int(ledger.limit * share), ledger.limit - cost)


def announce_wait(
    waiter: Waiter,
    max_wait: float | None,
    ahead: int,
    expected: float,
    on_wait: Callable[[BudgetWait], object] | None,
) -> None:
    """Log that a call begins to wait, and call `on_wait`.

    Raises:
        BudgetTimeoutError: the wait would be longer than `max_wait`.
    """
    if max_wait is not None and expected > max_wait:
        raise BudgetTimeoutError(
            f"{in_words(waiter.cost)} would exceed max_wait={max_wait:g} s: "
            f"the wait is at least {expected:.1f} s ({ahead} calls are ahead)"
        )
    # A queue that begins is worth a line, a call that joins it is not.
    level = logging.DEBUG if ahead else logging.INFO
    text = "a call for %s has to wait at least %.1f s (%d calls are ahead)"
    logger.log(level, text, in_words(waiter.cost), expected, ahead)
    if on_wait is not None:
        on_wait(BudgetWait(waiter.cost, waiter.priority, ahead, expected))


def impossible(ledger: Ledger, operation: str, documented: int, now: float) -> WherebyError | None:
    """Return why a call cannot be made, None if it can."""
    least = ledger.least(operation, documented)
    if least > ledger.limit:
        return too_expensive(least, ledger.limit)
    if ledger.is_refusing and now < ledger.paused_until:
        return BudgetTimeoutError(
            "the server has refused every call for three periods: is the organization blocked?"
        )
    return None


def too_expensive(cost: int, limit: int) -> InvalidArgumentError:
    """Return the error of a call that costs more than the limit."""
    return InvalidArgumentError(
        f"cost must be at most the limit of {limit} points per period; got {cost}"
    )


# -- forks -----------------------------------------------------------------------------------------


class Forkable(Protocol):
    """Something that has to begin anew in a forked child."""

    def _after_fork(self) -> None: ...


_forkables: weakref.WeakSet[Forkable] = weakref.WeakSet()


def reset_after_fork(owner: Forkable) -> None:
    """Call `owner._after_fork()` in every forked child, before anything else runs there."""
    _forkables.add(owner)


def _after_fork() -> None:
    for owner in list(_forkables):
        owner._after_fork()


# Windows cannot fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
