"""A point budget for any number of processes and machines of one organization: the extra `redis`.

The books lie in Redis (`redis_ledger.lua`), the queue of each process stays here. A thread of its
own talks to Redis (`redis_sync.py`), so calls may wait in any event loop, and no loop ever waits
for Redis. The thread carries what has gathered since last time, calls that ended and calls that
wait, and brings back which of them may go.

**Without Redis** the calls go on. Each process keeps books of its own calls at all times, for that:
a plain `Ledger`, which sees in the server's figures what the other processes spend. When Redis does
not answer it takes over, in company; when Redis is back, the process tells what has happened.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from ..errors import InvalidArgumentError
from .headers import RateLimit
from .interface import BudgetSnapshot
from .ledger import Ledger, Ticket
from .legacy_queue import Grant, PointBudget, _rank, _Waiter
from .loops import Loop, Sleeper, make_loop, running_loop
from .queue import BudgetWait, Priority
from .redis_ledger import Ending, Join, Past, RedisBooks, Reply, Want
from .redis_sync import Courier, News

if TYPE_CHECKING:
    import redis

logger: Final = logging.getLogger("whereby_api_client.budget")

# So many waiting calls of a process stand in the common queue. The rest follows as they go.
_SHOWN: Final = 32

# So many calls ask in one exchange how long they have to wait: Redis has others to serve.
_ASKED: Final = 64


class OwnBooks(Ledger):
    """The books of this process's own calls, and what of them Redis has not been told yet."""

    def __init__(self, limit: int, *, ceiling: int | None, period: float) -> None:
        super().__init__(limit, ceiling=ceiling, period=period)
        self.open: dict[Ticket, None] = {}
        self.in_redis: dict[Ticket, str] = {}  # Redis's tickets for ours
        self.holds = 0  # the points of those
        self._is_telling = False
        self._endings: list[tuple[str, int, Ticket | str, RateLimit | None]] = []
        # What ended within the last period or two: when, points, whether its fate is unknown.
        self._past: deque[tuple[float, int, bool]] = deque()

    def take(self, cost: int, now: float, *, operation: str = "", documented: int = 0) -> Ticket:
        """Send a call."""
        ticket = super().take(cost, now)
        self.open[ticket] = None
        return ticket

    def settle(self, ticket: Ticket, now: float, reported: RateLimit, *, rejected: bool) -> int:
        """End a call whose response is here."""
        if ticket.open:
            self._note("reject" if rejected else "settle", ticket, reported)
            self._remember(now, ticket, is_lost=False)
        return super().settle(ticket, now, reported, rejected=rejected)

    def refund(self, ticket: Ticket) -> None:
        """End a call that surely never reached the server."""
        if ticket.open:
            self._note("refund", ticket)
            super().refund(ticket)

    def lose(self, ticket: Ticket, now: float) -> None:
        """End a call whose fate is unknown."""
        if ticket.open:
            self._note("lose", ticket)
            self._remember(now, ticket, is_lost=True)
            super().lose(ticket, now)

    def in_common(self, ticket: Ticket, name: str) -> None:
        """Note what Redis calls a ticket."""
        self.in_redis[ticket] = name
        self.holds += ticket.cost

    def hand_back(self, cost: int, name: str) -> None:
        """Refund a grant of Redis that nobody wants any more."""
        self.holds += cost
        self._endings.append(("refund", cost, name, None))

    def told(self) -> list[Ending]:
        """Hand over what Redis has to hear."""
        endings: list[Ending] = []
        for kind, cost, ticket, said in self._endings:
            # It may not know the ticket: taken while we were alone, a moment before we came back.
            name = ticket if isinstance(ticket, str) else self.in_redis.pop(ticket, "")
            if name:
                self.holds -= cost
            words = {} if said is None else said._asdict()
            words = {word: value for word, value in words.items() if value is not None}
            endings.append((kind, cost, name, words))
        self._endings.clear()
        return endings

    def introduction(self, now: float, told_at: float) -> tuple[Join, list[Ticket]]:
        """Tell all that is still out to books that may know nothing of it, or all until `told_at`.

        From here on, endings are noted. Returns the tickets in flight as well, in their order.
        """
        self.part()
        self._is_telling = True
        tickets = list(self.open)
        past: list[Past] = [
            (cost, now - when, is_lost, when <= told_at) for when, cost, is_lost in self._past
        ]
        pause = max(0.0, self.paused_until - now)
        return Join("", [ticket.cost for ticket in tickets], past, pause), tickets

    def part(self) -> None:
        """Forget what Redis knows: it will be told anew."""
        self._is_telling = False
        self._endings.clear()
        self.in_redis.clear()
        self.holds = 0

    def go_on_alone(self, now: float, common: Reply | None) -> None:
        """Take over, knowing what the common books said last."""
        self.part()
        if common is None:
            return
        if common.processes > 1:
            self._others_seen = now
        others = common.in_flight + common.returning - self.in_flight - self.returning
        if others > 0:
            self.foreign += others
            self._spent_total += others
            self._foreign_since = now
            self._foreign_due = now + self._hold

    def _note(self, kind: str, ticket: Ticket, said: RateLimit | None = None) -> None:
        del self.open[ticket]
        if self._is_telling:
            self._endings.append((kind, ticket.cost, ticket, said))

    def _remember(self, now: float, ticket: Ticket, *, is_lost: bool) -> None:
        past = self._past
        past.append((now, ticket.cost, is_lost))
        while past[0][0] < now - 2 * self.period:
            past.popleft()


class RedisPointBudget(PointBudget):
    """The points of one organization, shared by processes and machines through Redis.

    Everything else is as with `PointBudget`. All processes give the same arguments. If Redis cannot
    be reached, no call fails: each process goes on with a budget of its own, which sees the others
    in the server's answers, and comes back to the common one when Redis does.

    A thread talks to Redis. It starts with the first call and ends with the budget, or with
    `close()`. Redis from version 5 on, or Valkey.

    Args:
        redis: the URL of Redis, or a `redis.Redis` that has a `socket_timeout`.
        limit: points per period, as with `PointBudget`.
        period: the length of the server's window in seconds.
        name: of the organization, if several share a Redis.
        reserve: the part of the limit that background calls leave to the foreground.
        on_wait: called with a `BudgetWait` whenever a call begins to wait.
        timeout: seconds that Redis may take to answer.

    Raises:
        InvalidArgumentError: an argument cannot be used.
        ModuleNotFoundError: the extra `redis` is not installed.
    """

    __slots__ = (
        "_arguments",
        "_collected",
        "_common",
        "_common_at",
        "_courier",
        "_finalizer",
        "_is_shared",
        "_leaves",
        "_left_at",
        "_names",
        "_numbers",
        "_own",
        "_parting",
        "_pid",
        "_questions",
        "_refreshed",
        "_refreshing",
        "_shown",
        "_tickets",
        "_told_at",
        "_waiters",
    )

    def __init__(
        self,
        redis: str | redis.Redis,
        *,
        limit: int | None = None,
        period: float = 60.0,
        name: str = "whereby",
        reserve: float = 0.1,
        on_wait: Callable[[BudgetWait], object] | None = None,
        timeout: float = 1.0,
    ) -> None:
        super().__init__(
            limit, period=period, reserve=reserve, on_wait=on_wait, clock=time.monotonic
        )
        if not 0 < timeout < float("inf"):
            raise InvalidArgumentError(f"timeout must be a positive number of seconds: {timeout!r}")
        self._arguments = (redis, limit, period, name, timeout)
        self._begin()

    def _begin(self) -> None:
        server, limit, period, name, timeout = self._arguments
        self._pid = os.getpid()
        self._own = OwnBooks(self._ledger.limit, ceiling=limit, period=period)
        self._ledger = self._own
        # False while Redis cannot be reached. Until the first answer we hope.
        self._is_shared = True
        self._left_at = 0.0
        self._common: Reply | None = None  # the latest
        self._common_at = 0.0
        self._told_at = float("-inf")  # Redis knows of all that ended until then
        self._tickets: list[Ticket] = []  # declared with the latest introduction
        # Waiting calls that Redis has heard of have a number: those in the common queue, and those
        # that have asked how long they will have to wait.
        self._names: Iterator[int] = itertools.count(1)
        self._numbers: dict[_Waiter, int] = {}
        self._waiters: dict[int, _Waiter] = {}
        self._shown: set[int] = set()
        self._leaves: list[int] = []
        self._questions: dict[_Waiter, tuple[int, float] | None] = {}
        # Counts how often we have parted from Redis; a reply to what was said before is void.
        self._parting = 0
        self._collected = (0, 0.0)  # when the latest news was: in which parting, at which time
        # Who waits for the next exchange, and who for the answer to the one that is under way.
        self._refreshing: list[tuple[Loop, Sleeper]] = []
        self._refreshed: list[tuple[Loop, Sleeper]] = []
        self._courier = Courier(
            self,
            RedisBooks(server, name, timeout),
            period=period,
            ceiling=limit,
            reserve=self._reserve,
            timeout=timeout,
        )
        self._finalizer = weakref.finalize(self, self._courier.close)

    def _begin_anew(self) -> None:
        """Go on in a forked process: the thread, the lock's owner and the loops stayed behind."""
        self._finalizer.detach()
        self._lock = threading.RLock()
        self._busy = False
        self._endings = deque()
        self._first, self._foreground, self._background = (
            OrderedDict(),
            OrderedDict(),
            OrderedDict(),
        )
        self._points, self._turns, self._loops = [0, 0, 0], 0, {}
        self._begin()

    async def acquire(
        self,
        cost: int,
        *,
        operation: str = "",
        priority: Priority = "foreground",
        max_wait: float | None = None,
        first: bool = False,
    ) -> Grant:
        """Wait for `cost` points, first come, first served among all processes.

        Args:
            cost: the points that the call needs.
            priority: "background" calls leave a reserve to the foreground.
            max_wait: the longest acceptable wait in seconds. A call that would have to wait longer
                fails as soon as Redis has told that.
            first: go to the head of the queue: for a call that the server refused with a 429.

        Raises:
            BudgetTimeoutError: the wait is or would be longer than `max_wait`.
            InvalidArgumentError: the cost is not positive, or greater than the limit.
        """
        if self._pid != os.getpid():
            self._begin_anew()
        waiter, asks = None, False
        with self._lock:
            self._courier.start()
            if self._is_shared and 1 <= cost <= self._own.limit:
                waiter = _Waiter(cost, priority == "background", self._now())
                if max_wait is not None:
                    self._refuse(waiter, max_wait, first)
                asks = max_wait is not None or self._is_worth_telling()
                if asks:
                    self._questions[waiter] = None
                self._queue_up(waiter, first)
        if waiter is None:
            return await super().acquire(cost, priority=priority, max_wait=max_wait, first=first)
        if asks:
            await self._ask(waiter, priority, max_wait)
        return await self._wait(waiter, max_wait)

    def _refuse(self, waiter: _Waiter, max_wait: float, first: bool) -> None:
        """Refuse a call that cannot come in time whatever Redis says: too many are waiting here."""
        calls, points = 0, waiter.cost
        for rank in range(_rank(waiter, first) + 1):
            if queue := self._queues()[rank]:
                calls += len(queue)
                points += self._points[rank]
        # One limit may be free now, and one more in the window that opens the next moment.
        least = ((points - 1) // self._own.limit - 1) * self._own.period
        if least > max_wait:
            self._announce(waiter, "foreground", max_wait, calls, least)

    def _is_worth_telling(self) -> bool:
        """Tell whether anybody wants to know how long a new call has to wait."""
        if self._on_wait is not None or logger.isEnabledFor(logging.DEBUG):
            return True
        # Of the queue's beginning alone, see `_announce`.
        return not self._loops and logger.isEnabledFor(logging.INFO)

    async def _ask(self, waiter: _Waiter, priority: Priority, max_wait: float | None) -> None:
        """Wait until the call is let through, or it is known how long it has to wait."""
        assert waiter.loop is not None
        try:
            await waiter.loop.sleep(waiter)
        except BaseException:
            self._give_up(waiter)
            raise
        finally:
            answer = self._questions.pop(waiter, None)
        with self._lock:
            if waiter.ticket is not None or waiter.refused or answer is None:
                return
            waiter.loop.prepare(waiter)
        try:
            self._announce(waiter, priority, max_wait, *answer)
        except BaseException:
            self._give_up(waiter)
            raise

    async def refresh(self) -> BudgetSnapshot:
        """Ask Redis, and tell the state of the common budget now."""
        if self._pid != os.getpid():
            self._begin_anew()
        loop, sleeper = make_loop(running_loop(), self._work), Sleeper()
        with self._lock:
            if not self._is_shared:
                return self.snapshot()
            loop.prepare(sleeper)
            self._refreshing.append((loop, sleeper))
            self._courier.start()
            self._courier.wake()
        await loop.sleep(sleeper)
        return self.snapshot()

    def snapshot(self) -> BudgetSnapshot:
        """Tell the state of the common budget, as this process heard of it last.

        A process that makes no calls hears nothing: `refresh()` asks. Only `waiting` is about this
        process alone.
        """
        with self._lock:
            common = self._common
            if not self._is_shared or common is None:
                return super().snapshot()
            now = self._now()
            age = now - self._common_at
            back = common.next_points_in
            return BudgetSnapshot(
                limit=common.limit,
                available=common.available,
                in_flight=common.in_flight,
                returning=common.returning,
                waiting=self._waiting(),
                next_points_in=None if back is None else max(0.0, back - age),
                # a pause that Redis has yet to hear of counts too
                paused_for=max(0.0, common.paused_for - age, self._own.paused_until - now),
                others_present=common.others_present,
            )

    @property
    def is_shared(self) -> bool:
        """False while Redis cannot be reached, and this process goes on with its own budget."""
        return self._is_shared

    def close(self) -> None:
        """Leave the common budget and end the thread. Calls after that are on their own."""
        self._finalizer()
        self._go_on_alone("")  # if the thread has never started

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        s = self.snapshot()
        return (
            f"<RedisPointBudget, {'shared' if self._is_shared else 'without Redis'}: "
            f"{s.available}/{s.limit} points available, {s.in_flight} in flight, "
            f"{s.returning} returning, {s.waiting} calls waiting here>"
        )

    # -- as the queue sees it: with the lock held -------------------------------------------------

    def _work(self) -> None:
        with self._lock:
            if not self._is_shared:
                super()._work()
                return
            if self._busy:
                return
            with self._at_work():
                pass
            if self._courier.is_stuck():
                self._go_on_alone("no answer")
                return
            self._courier.wake()
            if self._loops:
                # Should the courier get stuck, the loops themselves will notice.
                delay, here = self._courier.patience, running_loop()
                when = self._now() + delay
                for loop in self._loops.values():
                    loop.arm(when, delay, here)

    @contextmanager
    def _at_work(self) -> Iterator[float]:
        """Keep others out, the garbage collector in this very thread included; give the time."""
        with self._lock:
            self._busy = True
            try:
                now = self._now()
                self._own.advance(now)
                while self._endings:
                    self._endings.popleft()(self._own, now)
                yield now
            finally:
                self._busy = False
            if self._endings:
                self._courier.wake()

    def _remove(self, waiter: _Waiter) -> None:
        super()._remove(waiter)
        number = self._numbers.pop(waiter, None)
        if number is not None:
            del self._waiters[number]
            if number in self._shown:
                self._shown.discard(number)
                self._leaves.append(number)

    def _queued(self) -> Iterator[_Waiter]:
        return chain(self._first, self._foreground, self._background)

    def _number(self, waiter: _Waiter) -> int:
        number = self._numbers.get(waiter)
        if number is None:
            number = self._numbers[waiter] = next(self._names)
            self._waiters[number] = waiter
        return number

    def _places(self) -> Iterator[tuple[_Waiter, int, int]]:
        """Give the waiting calls in their order, each with the points and calls before it."""
        points = 0
        for calls, waiter in enumerate(self._queued()):
            yield waiter, points, calls
            points += waiter.cost

    def _unanswered(self) -> Iterator[tuple[_Waiter, int, int]]:
        if self._questions:
            for waiter, points, calls in self._places():
                if waiter in self._questions and self._questions[waiter] is None:
                    yield waiter, points, calls

    def _answer(self, waiter: _Waiter, ahead: int, expected: float) -> None:
        self._questions[waiter] = (ahead, expected)
        if waiter.loop is not None:
            waiter.loop.wake(waiter, None)

    def _end_refreshing(self) -> None:
        for loop, sleeper in self._refreshed:
            loop.wake(sleeper, None)
        self._refreshed.clear()

    # -- as the courier sees it: in its thread ----------------------------------------------------

    def _collect(self, joining: bool) -> News:
        """Hand over what is to be said."""
        with self._at_work() as now:
            self._collected = (self._parting, now)
            join = None
            if joining:
                join, self._tickets = self._own.introduction(now, self._told_at)
                self._shown.clear()
                self._leaves.clear()
            is_wanted = bool(self._refreshing)
            self._refreshed += self._refreshing
            self._refreshing.clear()
            holds = self._own.holds + len(self._shown)
            leaves, self._leaves = self._leaves, []
            wants, more = self._next_wants(now)
            return News(
                limit=self._own.limit,
                join=join,
                holds=holds,
                endings=self._own.told(),
                wants=wants,
                leaves=leaves,
                quotes=[
                    (self._number(w), w.rank, now - w.since, w.cost, points, calls)
                    for w, points, calls in islice(self._unanswered(), _ASKED)
                ],
                more=more,
                waits=bool(self._loops),
                is_wanted=is_wanted,
            )

    def _next_wants(self, now: float) -> tuple[list[Want], list[tuple[int, float]]]:
        """Choose the calls that Redis has to hear of, and the first of those that it has not."""
        wants: list[Want] = []
        more: list[tuple[int, float]] = []
        # The background has places of its own: it need not wait until the foreground has gone.
        for queue in (chain(self._first, self._foreground), self._background):
            for place, waiter in enumerate(queue):
                number = self._number(waiter) if place < _SHOWN else self._numbers.get(waiter)
                if number in self._shown:
                    continue
                waited = now - waiter.since
                if place >= _SHOWN or number is None:
                    more.append((waiter.rank, waited))
                    break
                wants.append((number, waiter.rank, waited, waiter.cost))
                self._shown.add(number)
        return wants, more

    def _deliver(self, reply: Reply) -> bool:
        """Do what Redis says, unless it comes too late: then return False."""
        with self._at_work() as now:
            parting, collected_at = self._collected
            if parting != self._parting:
                return False
            self._told_at = collected_at
            self._common, self._common_at = reply, now
            self._own.limit = reply.limit
            for ticket, name in zip(self._tickets, reply.adopted, strict=True):
                self._own.in_common(ticket, name)
            self._tickets = []
            for number, points, name in reply.grants:
                self._grant(number, points, name, now)
            for number, ahead, expected in reply.waits:
                waiter = self._waiters.get(number)
                if waiter is not None and waiter in self._questions:
                    self._answer(waiter, ahead, expected)
            self._end_refreshing()
            if not self._is_shared:
                self._is_shared = True
                logger.info("Redis is back after %.1f s: the budget is shared", now - self._left_at)
        if reply.grants or reply.adopted or reply.waits:
            # Others have moved up, there is something to hold, there are more questions.
            self._courier.wake()
        return True

    def _grant(self, number: int, points: int, name: str, now: float) -> None:
        self._shown.discard(number)
        waiter = self._waiters.pop(number, None)
        if waiter is None:  # it has left meanwhile
            if name:
                self._own.hand_back(points, name)
            return
        del self._numbers[waiter]
        loop = waiter.loop
        assert loop is not None
        if not loop.is_running():
            if name:
                self._own.hand_back(points, name)
            self._set_aside(waiter, loop)
            return
        if name:
            waiter.ticket = self._own.take(points, now)
            waiter.waited = now - waiter.since
            self._own.in_common(waiter.ticket, name)
        else:
            waiter.refused = True
        self._remove(waiter)
        if not loop.wake(waiter, None) and waiter.ticket is not None:
            self._own.refund(waiter.ticket)  # its loop is gone

    def _go_on_alone(self, reason: str) -> None:
        """Let the calls go on without Redis, until a reply is delivered."""
        with self._lock:
            with self._at_work() as now:
                self._parting += 1
                was_shared, self._is_shared = self._is_shared, False
                if was_shared:
                    is_recent = now - self._common_at < self._own.period
                    self._own.go_on_alone(now, self._common if is_recent else None)
                    self._left_at = now
                else:
                    self._own.part()
                for waiter, points, calls in list(self._unanswered()):
                    need = points + waiter.cost
                    if waiter.background:
                        need += self._reserved(waiter.cost)
                    self._answer(waiter, calls, self._own.earliest(need, now) - now)
                self._refreshed += self._refreshing
                self._refreshing.clear()
                self._end_refreshing()
            if was_shared and reason:
                logger.warning(
                    "Redis is not available (%s): the budget is not shared until it is", reason
                )
            self._work()
