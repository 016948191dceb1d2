"""A point budget for any number of processes and machines of one organization: the extra `redis`.

The ledger that they share lies in Redis (`shared_ledger.py`, `redis_store.py`); each process has a
queue of its own. A thread keeps the two in step (`redis_sync.py`), so calls may wait in any event
loop, and no loop ever waits for Redis.

**Without Redis** the calls go on. Each process keeps a ledger of its own calls at all times, for
that: it sees in the server's figures what the other processes spend. When Redis does not respond it
takes over; when Redis is back, the process tells what has happened.
"""

from __future__ import annotations

import itertools
import logging
import math
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self

from ..errors import BudgetTimeoutError, InvalidArgumentError
from .headers import RateLimit
from .interface import BudgetSnapshot
from .ledger import Ticket
from .loops import Loop, Sleeper, make_loop, running_loop
from .membership import Membership, Outgoing, View
from .observer import Observer
from .point_budget import STARTING_LIMIT, check_arguments, warn_of_limit
from .queue import (
    BudgetWait,
    CallQueue,
    Grant,
    Priority,
    Waiter,
    announce_wait,
    impossible,
    logger,
    rank_of,
    reserved,
    reset_after_fork,
    too_expensive,
)
from .redis_store import RedisStore
from .redis_sync import SyncWorker
from .shared_ledger import ADOPTED, Granted, Join, JointLedger, SharedLedger, Title

if TYPE_CHECKING:
    import redis
    import redis.cluster

# So many waiting calls of a process stand in the shared queue, and fewer if there are many
# processes. The rest follows as they go.
_SHOWN: Final = 32
_SHOWN_BY_ALL: Final = 256
_LEAST_SHOWN: Final = 8

# So many calls learn in one exchange how long they have to wait.
_FORECASTS: Final = 256


class _Spent:
    """Points of a call that has ended, and which request has told that."""

    __slots__ = ("due", "is_lost", "member", "points", "seq")

    def __init__(self, points: int, due: float, *, is_lost: bool) -> None:
        self.points = points
        self.due = due
        self.is_lost = is_lost
        self.member = ""
        self.seq = 0


class LocalLedger(JointLedger):
    """The ledger of this process's own calls, and what of them the shared one has yet to hear."""

    def __init__(
        self,
        limit: int,
        *,
        ceiling: int | None,
        period: float,
        prices: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(limit, ceiling=ceiling, period=period, prices=prices)
        self.open: dict[Ticket, None] = {}
        self.shared_tickets: dict[Ticket, list[Any]] = {}
        self.holds: int = 0  # the points of those
        self._is_telling = False
        self._endings: list[tuple[str, int, Ticket | list[Any], float, RateLimit | None]] = []
        self._past: deque[_Spent] = deque()  # what ended within the last period or two
        self._joining: list[_Spent] = []  # told with a `Join`

    def take(self, cost: int, now: float, *, operation: str = "", documented: int = 0) -> Ticket:
        """Send a call."""
        ticket = super().take(cost, now, operation=operation, documented=documented)
        self.open[ticket] = None
        return ticket

    def settle(self, ticket: Ticket, now: float, reported: RateLimit, *, rejected: bool) -> int:
        """End a call whose response is here."""
        if not ticket.open:
            return 0
        self._note("reject" if rejected else "settle", ticket, now, reported)
        points = super().settle(ticket, now, reported, rejected=rejected)
        self._past.append(_Spent(ticket.cost, now + self._hold, is_lost=False))
        if self._is_telling:
            self.prices.learned.clear()  # the shared ledger knows better
        return points

    def refund(self, ticket: Ticket) -> None:
        """End a call that surely never reached the server."""
        if ticket.open:
            self._note("refund", ticket, 0.0)
            super().refund(ticket)

    def lose(self, ticket: Ticket, now: float) -> None:
        """End a call whose fate is unknown."""
        if ticket.open:
            self._note("lose", ticket, now)
            due = now + self._hold + self._patience
            self._past.append(_Spent(ticket.cost, due, is_lost=True))
            super().lose(ticket, now)

    def _note(
        self, kind: str, ticket: Ticket, now: float, rate_limit: RateLimit | None = None
    ) -> None:
        del self.open[ticket]
        if self._is_telling:
            self._endings.append((kind, ticket.cost, ticket, now, rate_limit))

    def share(self, ticket: Ticket, shared: list[Any]) -> None:
        """Note which ticket of the shared ledger belongs to one of ours."""
        self.shared_tickets[ticket] = shared
        self.holds += ticket.cost

    def hand_back(self, cost: int, shared: list[Any]) -> None:
        """Refund points of the shared ledger that nobody wants any more."""
        self.holds += cost
        self._endings.append(("refund", cost, shared, 0.0, None))

    def introduce(self, now: float) -> Join:
        """Return all that is still out. From here on, endings are noted."""
        self.part()
        self._is_telling = True
        while self._past and self._past[0].due <= now:
            self._past.popleft()
        self._joining = list(self._past)
        for ticket in self.open:
            self.share(ticket, [ADOPTED, ticket.cost, 0.0, 0, 0])
        return Join(
            in_flight=[ticket.cost for ticket in self.open],
            spent=[(s.points, s.due, s.is_lost, s.member, s.seq) for s in self._past],
            paused_for=max(0.0, self.paused_until - now),
        )

    def joined(self, member: str) -> None:
        """Note that the shared ledger has heard of everything in the `Join`."""
        for spent in self._joining:
            spent.member, spent.seq = member, 1
        self._joining = []

    def tell(self, member: str, seq: int) -> list[Any]:
        """Return what has ended since last time, to be told in this request."""
        endings: list[Any] = []
        for kind, cost, ticket, when, rate_limit in self._endings:
            # The shared ledger may not know the ticket: taken while we were alone.
            shared = ticket if isinstance(ticket, list) else self.shared_tickets.pop(ticket, None)
            if shared is not None:
                self.holds -= cost
            words = {} if rate_limit is None else rate_limit._asdict()
            words = {word: value for word, value in words.items() if value is not None}
            endings.append((kind, cost, shared, when, words))
        self._endings.clear()
        joining = len(self._joining)
        for spent in reversed(self._past):
            if spent.member or (joining and spent in self._joining):
                break
            spent.member, spent.seq = member, seq
        return endings

    def part(self) -> None:
        """Forget what the shared ledger knows: it will be told anew."""
        self._is_telling = False
        self._endings.clear()
        self.shared_tickets.clear()
        self.holds = 0

    def go_on_alone(self, now: float, last: BudgetSnapshot | None, processes: int) -> None:
        """Take over, knowing the last state of the shared ledger."""
        self.part()
        if last is None:
            return
        if processes > 1:
            self._others_seen = now
        self.suspect(last.in_flight + last.returning - self.in_flight - self.returning, now)


class RedisPointBudget:
    """The points of one organization, shared by processes and machines through Redis.

    Everything else is as with `PointBudget`. All processes give the same arguments. If Redis cannot
    be reached, no call fails: each process goes on with a budget of its own, which sees the others
    in the server's responses, and comes back to the shared one when Redis does.

    A thread talks to Redis. It starts with the first call and ends with the budget, or with
    `close()`. Redis from version 5 on, or Valkey.

    Args:
        redis: the URL of Redis, or a `redis.Redis` (also one of `redis.sentinel`) or
            `redis.RedisCluster` that has a `socket_timeout`.
        limit: points per period, as with `PointBudget`.
        period: the length of the server's window in seconds.
        name: of the organization, if several share a Redis.
        reserve: the part of the limit that background calls leave to the foreground.
        prices: as with `PointBudget`.
        on_wait: called with a `BudgetWait` whenever a call begins to wait.
        timeout: seconds that Redis may take to respond.

    Raises:
        InvalidArgumentError: an argument cannot be used.
        ModuleNotFoundError: the extra `redis` is not installed.
    """

    __slots__ = (
        "__weakref__",
        "_arguments",
        "_asking",
        "_finalizer",
        "_forecasts",
        "_has_warned",
        "_is_shared",
        "_left_at",
        "_limit",
        "_membership",
        "_numbers",
        "_on_wait",
        "_own",
        "_parting",
        "_parting_collected",
        "_period",
        "_prices",
        "_prices_known",
        "_processes",
        "_queue",
        "_refreshing",
        "_reserve",
        "_shown",
        "_shown_most",
        "_state",
        "_state_at",
        "_worker",
    )

    @staticmethod
    def _clock() -> float:
        """Return the time in seconds; virtual time in tests."""
        return time.monotonic()

    def __init__(
        self,
        redis: str | redis.Redis | redis.cluster.RedisCluster,
        *,
        limit: int | None = None,
        period: float = 60.0,
        name: str = "whereby",
        reserve: float = 0.1,
        prices: Mapping[str, int] | None = None,
        on_wait: Callable[[BudgetWait], object] | None = None,
        timeout: float = 1.0,
    ) -> None:
        check_arguments(limit, period, reserve)
        if not 0 < timeout < math.inf:
            raise InvalidArgumentError(
                f"timeout must be a positive number of seconds; got {timeout!r}"
            )
        self._limit = limit
        self._period = period
        self._reserve = reserve
        self._prices = prices
        self._has_warned = False
        self._on_wait = on_wait
        self._arguments = (redis, name, timeout)
        self._begin(limit or STARTING_LIMIT)
        reset_after_fork(self)

    def _begin(self, limit: int, observers: tuple[Observer, ...] = ()) -> None:
        self._queue = CallQueue(self._clock, self._serve)
        self._queue.observers = observers
        self._own = LocalLedger(
            limit, ceiling=self._limit, period=self._period, prices=self._prices
        )
        # False while Redis cannot be reached. Until the first exchange we hope.
        self._is_shared = True
        self._left_at = 0.0
        self._state: BudgetSnapshot | None = None  # the latest of the shared ledger
        self._state_at = 0.0
        self._prices_known: Mapping[str, int] = {}
        self._processes = 1
        # Calls that stand in the shared queue, by number.
        self._numbers: Iterator[int] = itertools.count(1)
        self._shown: dict[int, Waiter] = {}
        self._shown_most = _LEAST_SHOWN
        # Calls that ask how long they have to wait, and how long that is.
        self._forecasts: dict[Waiter, tuple[int, float] | None] = {}
        self._refreshing: list[tuple[Loop, Sleeper]] = []
        # Of those, who was there when we last said something: the reply is for them.
        self._asking: set[Waiter | Sleeper] = set()
        # Counts how often we have parted from Redis; what was said before is void.
        self._parting = 0
        self._parting_collected = 0
        self._membership = Membership(
            period=self._period,
            ceiling=self._limit,
            reserve=self._reserve,
            prices=self._prices,
            clock=self._clock,
        )
        self._worker = self._make_worker()
        self._finalizer = weakref.finalize(self, self._worker.close)

    def _make_worker(self) -> SyncWorker:
        server, name, timeout = self._arguments
        store = RedisStore(server, name, timeout)
        return SyncWorker(self, store, self._membership, timeout=timeout)

    def _after_fork(self) -> None:
        """Go on in a forked child as a process of its own: thread, lock and loops stayed behind."""
        self._finalizer.detach()
        self._queue.abandon()
        self._begin(self._own.limit, self._queue.observers)

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

        Arguments and errors are those of `PointBudget.acquire`. A call that would have to wait
        longer than `max_wait` fails as soon as Redis has responded.
        """
        if cost < 1:
            raise InvalidArgumentError(f"cost must be at least 1 point; got {cost!r}")
        queue, ledger = self._queue, self._own
        with queue as now:
            self._worker.start()
            ledger.advance(now)
            is_shared = self._is_shared
            error = None if is_shared else impossible(ledger, operation, cost, now)
            if is_shared and cost > ledger.limit:
                error = too_expensive(cost, ledger.limit)
            if error is not None:
                raise error
            price = cost if is_shared else ledger.price(operation, cost)
            waiter = Waiter(price, rank_of(priority, first=first), now, operation, cost)
            ahead, expected = self._forecast_alone(waiter, *queue.ahead(waiter.rank), now)
            if is_shared:
                if max_wait is not None:
                    self._refuse(waiter, max_wait)
                asks = max_wait is not None or self._is_worth_telling()
                if asks:
                    self._forecasts[waiter] = None
            else:
                asks = False
            queue.add(waiter)
        queue.run()
        if asks:
            await self._ask(waiter, max_wait)
        elif not is_shared and waiter.ticket is None and waiter.error is None:
            self._announce(waiter, max_wait, ahead, expected)
        if waiter.is_queued:
            await queue.wait(waiter, ledger, max_wait)
        if waiter.ticket is not None:
            now = self._clock()
            if self._stood_still(waiter.ticket, now):
                queue.give_up(waiter, ledger)
                if max_wait is not None:
                    max_wait = max(0.0, max_wait - (now - waiter.since))
                return await self.acquire(
                    cost, operation=operation, priority=priority, max_wait=max_wait, first=True
                )
            logger.debug("a call for %d points waited %.1f s", waiter.cost, waiter.waited)
            return Grant(queue, ledger, waiter.ticket, waiter.waited)
        if waiter.error is not None:
            raise waiter.error
        raise BudgetTimeoutError(f"{waiter.cost} points exceeded max_wait={max_wait:g} s")

    def _stood_still(self, ticket: Ticket, now: float) -> bool:
        """Return whether others may have taken this process for dead, and given its points away."""
        membership = self._membership
        is_silent = now > membership.said_at + membership.lease
        return self._is_shared and (is_silent or ticket.sent_at < membership.silent_until)

    def _refuse(self, waiter: Waiter, max_wait: float) -> None:
        """Refuse a call that cannot come in time whatever Redis says: too many are waiting here."""
        calls, points = self._queue.ahead(waiter.rank)
        # One limit may be free now, and one more in the window that opens the next moment.
        least = ((points + waiter.cost - 1) // self._own.limit - 1) * self._own.period
        if least > max_wait:
            announce_wait(waiter, max_wait, calls, least, None)

    def _is_worth_telling(self) -> bool:
        """Return whether anybody wants to know how long a new call has to wait."""
        if self._on_wait is not None or logger.isEnabledFor(logging.DEBUG):
            return True
        # Of the queue's beginning alone, see `announce_wait`.
        return not len(self._queue) and logger.isEnabledFor(logging.INFO)

    async def _ask(self, waiter: Waiter, max_wait: float | None) -> None:
        """Wait until the call is let through, or it is known how long it has to wait."""
        assert waiter.loop is not None
        try:
            await waiter.loop.sleep(waiter)
        except BaseException:
            self._queue.give_up(waiter, self._own)
            raise
        finally:
            forecast = self._forecasts.pop(waiter, None)
        with self._queue:
            if waiter.ticket is not None or waiter.error is not None or forecast is None:
                return
            waiter.loop.prepare(waiter)
        self._announce(waiter, max_wait, *forecast)

    def _announce(
        self, waiter: Waiter, max_wait: float | None, ahead: int, expected: float
    ) -> None:
        try:
            announce_wait(waiter, max_wait, ahead, expected, self._on_wait)
        except BaseException:
            self._queue.give_up(waiter, self._own)
            raise

    async def refresh(self) -> BudgetSnapshot:
        """Ask Redis, and return the state of the shared budget now."""
        sleeper = Sleeper()
        loop = make_loop(running_loop(), self._queue.run)
        with self._queue:
            is_shared = self._is_shared
            if is_shared:
                loop.prepare(sleeper)
                self._refreshing.append((loop, sleeper))
                self._worker.start()
                self._worker.wake()
        if is_shared:
            await loop.sleep(sleeper)
        return self.snapshot()

    def observe(self, observer: Observer) -> None:
        """Let an observer know of waits, refusals, pauses and learned prices; once is enough."""
        if observer not in self._queue.observers:
            self._queue.observers = (*self._queue.observers, observer)

    def snapshot(self) -> BudgetSnapshot:
        """Return the state of the shared budget, as this process knows it.

        A process that makes no calls hears nothing: `refresh()` asks. Only `waiting` is about this
        process alone.
        """
        if self._queue.is_busy:  # the garbage collector asks, say
            return self._snapshot(self._clock())
        with self._queue as now:
            self._own.advance(now)
            return self._snapshot(now)

    def _snapshot(self, now: float) -> BudgetSnapshot:
        state, own = self._state, self._own
        waiting = len(self._queue)
        if not self._is_shared or state is None:
            back = own.next_return(now)
            return BudgetSnapshot(
                limit=own.limit,
                available=own.available,
                in_flight=own.in_flight,
                returning=own.returning,
                waiting=waiting,
                next_points_in=None if back is None else max(0.0, back - now),
                paused_for=max(0.0, own.paused_until - now),
                others_present=own.others_present,
                prices=own.prices.to_dict(),
            )
        age = now - self._state_at
        back = state.next_points_in
        return state._replace(
            waiting=waiting,
            next_points_in=None if back is None else max(0.0, back - age),
            # a pause that Redis has yet to hear of counts too
            paused_for=max(0.0, state.paused_for - age, own.paused_until - now),
        )

    @property
    def is_shared(self) -> bool:
        """False while Redis cannot be reached, and this process goes on with its own budget."""
        return self._is_shared

    def close(self) -> None:
        """Leave the shared budget and end the thread. Calls after that are on their own."""
        self._finalizer()
        self._go_on_alone("")  # if the thread has never started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        s = self.snapshot()
        return (
            f"<RedisPointBudget, {'shared' if self._is_shared else 'without Redis'}: "
            f"{s.available}/{s.limit} points available, {s.in_flight} in flight, "
            f"{s.returning} returning, {s.waiting} calls waiting here>"
        )

    # -- as the queue sees it: with exclusive access ----------------------------------------------

    def _serve(self, now: float) -> None:
        self._own.advance(now)
        if self._is_shared and self._worker.is_stuck():
            self._leave_redis(now, "no response")
        if not self._is_shared:
            self._queue.grant_from(self._own, now, self._reserve)
            return
        self._worker.wake()
        if len(self._queue):
            # Should the thread get stuck, the loops themselves will notice.
            self._queue.set_alarms(now + self._worker.patience, now)

    def _without_forecast(self) -> Iterator[tuple[Waiter, int, int]]:
        """Return the calls that ask, each with the calls and the points before it."""
        if not self._forecasts:
            return
        points = 0
        for calls, waiter in enumerate(self._queue):
            if waiter in self._forecasts and self._forecasts[waiter] is None:
                yield waiter, calls, points
            points += waiter.cost

    def _set_forecast(self, waiter: Waiter, ahead: int, expected: float) -> None:
        self._forecasts[waiter] = (ahead, expected)
        if waiter.loop is not None:
            waiter.loop.wake(waiter, running_loop())

    def _forecast_alone(
        self, waiter: Waiter, calls: int, points: int, now: float
    ) -> tuple[int, float]:
        points += waiter.cost
        if waiter.is_background:
            points += reserved(self._own, self._reserve, waiter.cost)
        return calls, self._own.earliest(points, now) - now

    def _end_refreshing(self, ending: set[Waiter | Sleeper] | None = None) -> None:
        for loop, sleeper in list(self._refreshing):
            if ending is None or sleeper in ending:
                self._refreshing.remove((loop, sleeper))
                loop.wake(sleeper, running_loop())

    # -- as the sync worker sees it: in its thread ------------------------------------------------

    def _collect(self, member: str, seq: int, *, joining: bool) -> Outgoing:
        """Return what there is to say."""
        with self._queue as now:
            own = self._own
            own.advance(now)
            self._parting_collected = self._parting
            join = None
            if joining:
                join = own.introduce(now)
                self._shown.clear()
            endings = own.tell(member, seq)
            leaves = [number for number, waiter in self._shown.items() if not waiter.is_queued]
            for number in leaves:
                del self._shown[number]
            wants, more = self._next_wants()
            self._asking = {sleeper for _, sleeper in self._refreshing}
            self._asking |= {w for w, forecast in self._forecasts.items() if forecast is None}
            return Outgoing(
                limit=own.limit,
                join=join,
                holds=own.holds,
                shown=frozenset(self._shown),
                endings=endings,
                wants=wants,
                leaves=leaves,
                more=more,
                waits=len(self._queue) > 0,
                is_wanted=bool(self._asking),
            )

    def _next_wants(self) -> tuple[list[Any], list[tuple[int, float]]]:
        """Choose the calls that the others have to hear of, and the first of those that not."""
        wants: list[Any] = []
        more: list[tuple[int, float]] = []
        shown = {waiter: number for number, waiter in self._shown.items()}
        # The background is counted apart: it need not wait until the foreground has gone.
        counts = {False: 0, True: 0}
        for waiter in self._queue:
            is_background = waiter.is_background
            counts[is_background] += 1
            if waiter in shown or counts[is_background] > self._shown_most + 1:
                continue
            if counts[is_background] > self._shown_most:
                more.append((waiter.rank, waiter.since))
                continue
            number = next(self._numbers)
            wants.append((number, waiter.rank, waiter.since, waiter.documented, waiter.operation))
            self._shown[number] = waiter
        return wants, more

    def _deliver(self, view: View) -> bool:
        """Do what the shared ledger says, unless it comes too late: then return False."""
        shared, own = view.ledger, self._own
        with self._queue as now:
            if self._parting_collected != self._parting:
                return False
            own.advance(now)
            if view.title is not None:
                self._take_state(view.title, now, now + view.offset)
            if shared is not None:
                self._prices_known = shared.ledger.prices.to_dict()
            for granted in view.grants:
                self._grant(granted, shared, now)
            if view.is_current:
                own.joined(self._membership.member)
            if shared is not None and view.is_current:
                asking = (ahead for ahead in self._without_forecast() if ahead[0] in self._asking)
                for waiter, calls, points in list(islice(asking, _FORECASTS)):
                    self._set_forecast(
                        waiter,
                        *shared.forecast(
                            self._membership.member,
                            waiter.rank,
                            waiter.since + view.offset,
                            waiter.cost,
                            calls,
                            points,
                        ),
                    )
                self._end_refreshing(self._asking)
            if not self._is_shared:
                self._is_shared = True
                logger.info("Redis is back after %.1f s: the budget is shared", now - self._left_at)
        if shared is not None:
            self._queue.report_prices(shared.ledger)
        if view.grants or None in self._forecasts.values():
            # Others have moved up; there are more that ask.
            self._worker.wake()
        return True

    def _take_state(self, title: Title, now: float, shared_now: float) -> None:
        self._own.limit = title.limit
        self._processes = title.members
        self._shown_most = max(_LEAST_SHOWN, min(_SHOWN, _SHOWN_BY_ALL // (title.members or 1)))
        self._state_at = now
        back = title.returns_at
        self._state = BudgetSnapshot(
            limit=title.limit,
            available=title.limit - title.in_flight - title.returning,
            in_flight=title.in_flight,
            returning=title.returning,
            waiting=0,
            next_points_in=None if back is None else max(0.0, back - shared_now),
            paused_for=max(0.0, title.paused_until - shared_now),
            others_present=title.others_present,
            prices=self._prices_known,
        )
        knows_limit = title.knows_limit or self._own.knows_limit or self._limit is not None
        if len(self._queue) and not (knows_limit or self._has_warned):
            self._has_warned = warn_of_limit(self._own, "RedisPointBudget")

    def _grant(self, granted: Granted, shared: SharedLedger | None, now: float) -> None:
        _, number, points, ticket = granted
        own, waiter = self._own, self._shown.pop(number, None)
        if waiter is None or not waiter.is_queued or self._queue.set_aside_if_stopped(waiter):
            if points:  # it has left meanwhile, or its loop stands still
                own.hand_back(points, ticket)
            return
        operation, documented = waiter.operation, waiter.documented
        if points:
            waiter.ticket = own.take(points, now, operation=operation, documented=documented)
            waiter.waited = now - waiter.since
            own.share(waiter.ticket, ticket)
        else:
            ledger, then = (own, now) if shared is None else (shared.ledger, shared.latest)
            error = impossible(ledger, operation, documented, then)
            waiter.error = error or too_expensive(documented, ledger.limit)
        if not self._queue.finish(waiter) and waiter.ticket is not None:
            own.refund(waiter.ticket)  # its loop is gone

    def _go_on_alone(self, reason: str) -> None:
        """Let the calls go on without Redis, until a view is delivered."""
        with self._queue as now:
            self._leave_redis(now, reason)
        self._queue.run()

    def _leave_redis(self, now: float, reason: str) -> None:
        own = self._own
        own.advance(now)
        self._parting += 1
        was_shared, self._is_shared = self._is_shared, False
        if was_shared:
            is_recent = now - self._state_at < own.period
            own.go_on_alone(now, self._state if is_recent else None, self._processes)
            self._left_at = now
        else:
            own.part()
        for waiter, calls, points in list(self._without_forecast()):
            self._set_forecast(waiter, *self._forecast_alone(waiter, calls, points, now))
        self._end_refreshing()
        if was_shared and reason:
            logger.warning(
                "Redis is not available (%s): the budget is not shared until it is", reason
            )
