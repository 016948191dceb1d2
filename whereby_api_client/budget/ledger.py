"""The ledger of a point budget: who holds which point, until when, and what the server reports.

No I/O, no waiting, no clock of its own: every method is given the time. `queue.py` puts a queue and
the event loops in front of it. The state is some numbers and short lists, which `to_state` writes
as JSON can hold them, so that several processes can share one ledger.

Every point is in exactly one place, after every step:

    available + in flight + counted + lost + foreign = limit

- *in flight*: the request was sent, no response yet. The server may count it at any moment.
- *counted*: the response is here, so the server has counted it before now.
- *lost*: sent, and no response will come. Nobody knows whether or when the server counts it.
- *foreign*: the server counts it, and it is not ours: other processes spend from the same
  organization.

**Why a point returns one period after its response.** The server counts a call somewhere between
its sending and its response. If no more than the limit is ever out, from sending until one period
after the response, then no more than the limit is ever counted within one period, wherever that
period begins. This satisfies a fixed window, a sliding window, and a token bucket that starts full.
A token bucket *here* would not: full at the end of the server's window, it lets through up to twice
the limit.

**Why the server's `Remaining` may bring points back sooner.** A response shows how much the server
counts at its moment. Everything of ours that had been answered before this call was sent is either
in that figure or forgotten by the server, and what it has forgotten it never counts again. So if
it holds more of those than the figure, the oldest of them go back. This needs no knowledge of the
server's algorithm: with a fixed window it brings everything back with the first response of a
new window, with a sliding window a little, with a token bucket what has been refilled.

**What is only predicted is worth one call.** Nothing is known of the server before its first
response, after a 429, and at a window's end that we have only computed. Each of these lets a single
call through, and its response opens the rest.

**What an operation costs is learned** (`prices.py`). As long as the server reports counts, and a
price is not known, a call holds the most that it can cost, and is settled at that: what was too
much comes back with the next response, as everything does that the server does not count.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Mapping
from itertools import chain, takewhile
from typing import Any, Final, Self

from .headers import RateLimit
from .prices import MOST, Figure, Figures, PriceList

# A call costs up to 10 points, so no honest limit is below that; and nobody sells a million points
# a minute. Header values outside are nonsense.
_LEAST_LIMIT: Final = 10
_GREATEST_LIMIT: Final = 1_000_000

# The server's clock and ours run at slightly different speed (NTP corrects by at most 0.05 %), and
# servers count in milliseconds.
_DRIFT: Final = 0.0005
_TICK: Final = 0.001

# Calls that need to know what the response under way says wait for it so long (seconds), no longer:
# it may be slow, or never come. And so long may a request travel that was given up.
_PATIENCE: Final = 1.0

# In company at most a quarter of what is left is in flight, and the last twentieth of the limit is
# spread over the rest of the window. Simulated with two processes that share nothing, 1000 calls at
# 200 points per 4 s: 6-13 429s, at least 98.6 % of the limit used. With a half in place of a
# quarter 0-7, but down to 96 % used; without the spreading a joined window's end is found later.
_BITE: Final = 4
_SPREAD: Final = 20

# While prices are being learned, and the server's window may slide, points of calls that were under
# way within so many seconds (or this part of a period) return together. One by one, each call would
# go out while the server forgets another one, and no figure says what it has cost. A token bucket
# that refills more than so many points per second hides the prices all the same: there it ends when
# the whole limit has been returned three times, or as soon as it has shown that it refills.
# Simulated with prices of 1 to 10, 20 seeds, part of the limit used on average (and at least),
# without and with it: sliding window of 100 points per 60 s 95.4 (93.6) and 96.8 (94.9) %, of 200
# per 4 s 96.3 (93.9) and 97.4 (95.9) %; fixed window of 300 per 3 s 98.2 (97.7) and 98.1 (97.7) %;
# token bucket of 300 per 3 s 100.0 (99.2) and 99.9 (98.9) %. No 429s with any.
_TOGETHER: Final = 0.3
_TOGETHER_PART: Final = 0.1
_SLOW_REFILL: Final = 20.0
_LEARNING_LIMITS: Final = 3

# The last points that one call may need wait until it can go alone and show whether the server
# refills (`_lone_turn`); not of a smaller limit, of which they would be too large a part. Simulated
# as above, without and with it, 5 to 60 ms of network each way: fixed window of 300 points per 3 s
# 95.6 (93.6) and 97.4 (96.7) %, sliding 93.5 (91.0) and 96.6 (96.1) %; of 1000 per 60 s no change.
_LEAST_TO_HOLD_BACK: Final = 4 * MOST

# So long (seconds, and half a period at most) figures wait for those of calls sent before them.
_LEARNING_PATIENCE: Final = 5.0

# A server that has refused every call for so many periods, and at least so many calls, refuses
# everything: an organization that is blocked, say.
_REFUSING_PERIODS: Final = 3
_REFUSING_CALLS: Final = 3


class Ticket:
    """One attempt's points, from the sending to its end."""

    __slots__ = (
        "cost",
        "documented",
        "entered_before",
        "number",
        "open",
        "operation",
        "returned_before",
        "sent_at",
    )

    def __init__(
        self,
        number: int,
        cost: int,
        sent_at: float,
        entered_before: int,
        returned_before: int,
        operation: str = "",
        documented: int = 0,
    ) -> None:
        self.number: int = number
        self.cost: int = cost
        self.sent_at: float = sent_at
        # How far the ledger's running totals were at the sending.
        self.entered_before: int = entered_before
        self.returned_before: int = returned_before
        self.operation: str = operation
        self.documented: int = documented
        self.open: bool = True

    def to_state(self) -> list[Any]:
        """Return it as JSON can hold it: the arguments of another one."""
        return [
            self.number,
            self.cost,
            self.sent_at,
            self.entered_before,
            self.returned_before,
            self.operation,
            self.documented,
        ]


class Spent:
    """Points that go back at `due`; the earliest of their calls was sent at `sent_at`.

    The calls have cost `least` at least: their prices may not be known yet.
    """

    __slots__ = ("due", "least", "points", "sent_at")

    def __init__(self, points: int, least: int, sent_at: float, due: float) -> None:
        self.points: int = points
        self.least: int = least
        self.sent_at: float = sent_at
        self.due: float = due


class Ledger:
    """The points of one organization. `now` must never run backwards.

    Args:
        limit: points per period, to begin with.
        ceiling: a limit that the server cannot raise, None for no such limit.
        period: the length of the server's window in seconds.
        prices: points by operation or pattern, for who knows better than the document.
    """

    def __init__(
        self,
        limit: int,
        *,
        ceiling: int | None,
        period: float,
        prices: Mapping[str, int] | None = None,
    ) -> None:
        self.limit: int = limit
        self.period: float = period
        self.in_flight: int = 0
        self.counted: int = 0
        self.lost: int = 0
        self.foreign: int = 0
        self.paused_until: float = -math.inf
        self.prices: PriceList = PriceList(prices)
        # False until there is a response, one has reported a limit, one has reported a count.
        self.has_response: bool = False
        self.knows_limit: bool = False
        self.knows_counts: bool = False
        self._figures = Figures()
        self._sent_at: dict[int, float] = {}  # of what is in flight, in the order of sending
        self._tickets = 0  # their numbers so far
        # Since when, and how often, nothing but refusals has come.
        self._refused_since = math.inf
        self._refusals = 0
        # No counted call of ours can have expired at the server since then.
        self._expired_until = -math.inf
        self._ceiling = ceiling
        self._hold = period * (1 + _DRIFT) + _TICK
        self._patience = min(_PATIENCE, period / 4)
        self._last_sent = -math.inf
        self._last_answered = -math.inf
        self._counted: deque[Spent] = deque()
        self._lost: deque[Spent] = deque()
        self._foreign_due = -math.inf
        self._foreign_since = -math.inf  # of the latest increase
        # Running totals. A ticket remembers where they stood when it was sent; so its response
        # knows what the server may, and what it must, have counted by then.
        self._spent_total = 0  # everything that was ever sent, or found to be foreign
        self._entered_total = 0  # everything that ever became *counted*
        self._returned_total = 0  # everything that ever came back
        # Nothing is known of the server: its window may be open, and nearly used up. True until a
        # call that was sent after `_cautious_since` is answered.
        self._cautious = True
        self._cautious_since = -math.inf
        self._others_seen: float | None = None
        # No point returns early before this: the server's figures have misled us.
        self._doubt_until = -math.inf
        # When the server's window surely ends. Responses to calls that were sent before
        # `_window_from` may speak of the window before.
        self._window_end: float | None = None
        self._window_from = -math.inf
        self._is_refusing = False

    @property
    def returning(self) -> int:
        """Points that are out and will come back by themselves."""
        return self.counted + self.lost + self.foreign

    @property
    def available(self) -> int:
        """Points that are free. Negative when the limit was lowered below what is out."""
        return self.limit - self.in_flight - self.returning

    @property
    def others_present(self) -> bool:
        """Whether the server's count shows that others spend from the same organization."""
        return self._others_seen is not None

    @property
    def is_refusing(self) -> bool:
        """Whether the server has refused everything for three periods."""
        return self._is_refusing

    # -- a call's way through the ledger ----------------------------------------------------------

    def price(self, operation: str, documented: int) -> int:
        """Return the points that a call has to hold now."""
        if not operation:
            return documented
        if self.has_response and not self.knows_counts:  # nothing to learn from
            return self.prices.likely(operation, documented)
        return min(self.prices.most(operation, documented), self.limit)

    def least(self, operation: str, documented: int) -> int:
        """Return the points that a call surely costs."""
        if not operation:
            return documented
        if not self.knows_counts:
            return self.prices.likely(operation, documented)
        return self.prices.least(operation, documented)

    def advance(self, now: float) -> None:
        """Take back what is due by now."""
        counted = self._counted
        while counted and counted[0].due <= now:
            spent = counted.popleft()
            self.counted -= spent.points
            self._returned_total += spent.points
            self._expired_until = spent.due
        lost = self._lost
        while lost and lost[0].due <= now:
            points = lost.popleft().points
            self.lost -= points
            self._returned_total += points
        if self.foreign and self._foreign_due <= now:
            self._return_foreign(self.foreign)

    def admits(self, cost: int, now: float, *, reserve: int = 0) -> bool:
        """Return whether a call may be sent now, such that `reserve` points are left."""
        if now < self.paused_until:
            return False
        # How much is in flight matters only while a response may be near.
        in_flight = self.in_flight if now < self._last_sent + self._patience else 0
        if self._cautious and in_flight:
            return False
        left = self.limit - self.in_flight - self.returning - cost
        if left < reserve and not self._may_probe(-left, now):
            return False
        if left < MOST:
            turn = self._lone_turn()
            if now < turn or (in_flight and turn > -math.inf):
                return False
        if self._others_seen is None:
            return True
        return in_flight * _BITE <= max(0, left) and now >= self._next_turn(cost)

    def take(self, cost: int, now: float, *, operation: str = "", documented: int = 0) -> Ticket:
        """Send a call that `admits` let through; `cost` is its `price`."""
        if self._window_end is not None and now >= self._window_end:
            # This call will show it. No second one goes on the strength of the same prediction.
            self._window_end = None
            self._window_from = now
        missing = cost - self.available
        if missing > 0:  # a probe: so much at least should be free at the server
            self._return_foreign(min(missing, self.foreign))
        self.in_flight += cost
        self._spent_total += cost
        self._last_sent = now
        self._tickets += 1
        self._sent_at[self._tickets] = now
        return Ticket(
            self._tickets,
            cost,
            now,
            self._entered_total,
            self._returned_total,
            operation,
            documented or cost,
        )

    def _close(self, ticket: Ticket) -> bool:
        if not ticket.open:
            return False
        ticket.open = False
        self.in_flight -= ticket.cost
        self._sent_at.pop(ticket.number, None)
        return True

    def refund(self, ticket: Ticket) -> None:
        """End a call that surely never reached the server."""
        if self._close(ticket):
            self._spent_total -= ticket.cost

    def lose(self, ticket: Ticket, now: float) -> None:
        """End a call whose fate is unknown: it counts as spent now."""
        if self._close(ticket):
            self.lost += ticket.cost
            # A request that was given up can still be on its way to the server.
            _append(self._lost, ticket, ticket.cost, 0, now + self._hold + self._patience)
            self._figures.lose(ticket.sent_at, now + self._patience)

    def settle(self, ticket: Ticket, now: float, reported: RateLimit, *, rejected: bool) -> int:
        """End a call whose response is here, and learn from it.

        Returns the points that it has most likely cost.
        """
        if not self._close(ticket):
            return 0
        self.has_response = True
        self._last_answered = now
        if reported.limit is not None and _LEAST_LIMIT <= reported.limit <= _GREATEST_LIMIT:
            # The server is right, but what the caller set aside for others stays set aside.
            limit = reported.limit
            self.limit = limit if self._ceiling is None else min(limit, self._ceiling)
            self.knows_limit = True
        paid = least = likely = ticket.cost
        if rejected:
            least = 0  # not every server counts what it refuses
            if ticket.operation:
                likely = self.prices.likely(ticket.operation, ticket.documented)
                paid = min(ticket.cost, likely)
                self._spent_total += paid - ticket.cost
        else:
            self._refusals, self._refused_since, self._is_refusing = 0, math.inf, False
            if ticket.sent_at >= self._cautious_since:
                self._cautious = False
            if self._others_seen is not None and now - self._others_seen > 2 * self.period:
                self._others_seen = None
            counts = self._counts(reported)
            self.knows_counts = self.knows_counts or counts is not None
            if counts is not None:
                self._compare(ticket, now, counts)
            elif self.knows_counts:  # a proxy's response, say: the call may lie between two others
                self._figures.lose(ticket.sent_at, now)
            if ticket.operation:
                paid, least, likely = self._prices_of(ticket, counts)
                self._spent_total += paid - ticket.cost
                ticket.cost = paid
            if counts is not None:
                self._reconcile(ticket, least, now, counts, reported)
        self.counted += paid
        self._entered_total += paid
        _append(self._counted, ticket, paid, least, now + self._hold, self._group_length())
        if rejected:
            self._pause(ticket, now, reported)
        elif not self.in_flight and not self.lost and now >= self._doubt_until:
            # All are answered: the server counts no more now than when it handled the last of them.
            counts = self._figures.latest()
            if counts is not None:
                counts += self.limit - (reported.limit or self.limit)
                self._return_oldest(max(0, self.counted + self.foreign - max(0, counts)))
        return likely

    def fork(self) -> Ledger:
        """Return the ledger of a forked child, to which its parent is somebody else."""
        child = copy.deepcopy(self)
        # What is in flight now will be answered in the parent.
        child.foreign += child.in_flight
        child.in_flight = 0
        child._sent_at.clear()
        if self._last_sent > -math.inf:
            child._foreign_due = max(child._foreign_due, self._last_sent + self._hold)
            child._foreign_since = child._others_seen = child._cautious_since = self._last_sent
            child._cautious = True
        return child

    # -- looking ahead ----------------------------------------------------------------------------

    def next_return(self, now: float) -> float | None:
        """Return when the next points come back at the latest."""
        times = [next((s.due for s in spent if s.points), math.inf) for spent in self._spent()]
        if self.foreign:
            times.append(self._foreign_due)
        return max(min(times), self.paused_until) if min(times) < math.inf else None

    def next_change(self, cost: int, now: float) -> float | None:
        """Return when, if nothing else happens, `admits` may decide otherwise about a call."""
        if now < self.paused_until:
            return self.paused_until
        times = [next((s.due for s in spent if s.points), math.inf) for spent in self._spent()]
        if self.foreign:
            times.append(self._foreign_due)
        if self._window_end is not None:
            times.append(self._window_end)
        if self.in_flight:
            times.append(self._last_sent + self._patience)
        times.append(self._lone_turn() if self._others_seen is None else self._next_turn(cost))
        return min((time for time in times if now < time < math.inf), default=None)

    def earliest(self, points: int, now: float) -> float:
        """Return the time before which `points` can surely not have been spent."""
        start = max(now, self.paused_until)
        rounds, need = divmod(points - self.available - 1, self.limit)
        if rounds < 0:
            # In company the last points of a window are spread out.
            if self._others_seen is not None:
                return max(start, self._next_turn(points))
            return max(start, self._lone_turn()) if self.available - points < MOST else start
        # What is in flight comes last: it returns one period after its response.
        when = now + self._hold
        back = [(spent.due, spent.points) for spent in (*self._counted, *self._lost)]
        for due, returned in sorted([*back, (self._foreign_due, self.foreign)]):
            need -= returned
            if need < 0:
                when = due
                break
        if self._window_end is not None:
            when = min(when, self._window_end)
        elif self._window_from > -math.inf and self.in_flight:
            when = now  # the window has ended: the response under way may open everything
        return max(start, when) + rounds * self.period

    # -- what the server reports ------------------------------------------------------------------

    def _counts(self, reported: RateLimit) -> int | None:
        """Return what the server has counted in its window, if that makes sense."""
        server_limit = self.limit if reported.limit is None else reported.limit
        remaining = reported.remaining
        if remaining is None or remaining > server_limit:
            return None
        return server_limit - remaining

    def _compare(self, ticket: Ticket, now: float, counts: int) -> None:
        """Learn prices from the server's count."""
        if not ticket.operation and not self.prices:
            return
        quiet_since = max(self._expired_until, now - 2 * self.period)
        # The list is in the order of the responses, not of the sending.
        soon = now - self.period + self._hold + self._patience
        next_ones = takewhile(lambda spent: spent.due <= soon, self._counted)
        if self.foreign or any(spent.sent_at + self.period <= now for spent in next_ones):
            quiet_since = now + _TICK  # something may be expiring right now
        # A call that takes long may have been counted long ago, or never be: do not wait for it.
        # But it may lie between any two others, and those that lay beside it are no longer known.
        recent = now - min(_LEARNING_PATIENCE, self.period / 2)
        operation = ticket.operation if ticket.sent_at >= recent else ""
        figure = Figure(counts, ticket.sent_at, now, operation, ticket.documented, quiet_since)
        first = next((sent for sent in self._sent_at.values() if sent >= recent), now)
        late_since = min(self._sent_at.values(), default=math.inf)
        self._figures.add(figure)
        self._figures.compare(
            self.prices,
            first,
            self.limit,
            self.period,
            late_since=late_since if late_since < recent else math.inf,
            is_alone=self._others_seen is None,
        )

    def _prices_of(self, ticket: Ticket, counts: int | None) -> tuple[int, int, int]:
        """Return what a call has cost at most, at least, and most likely."""
        known = self.prices, ticket.operation, ticket.documented
        most, least, likely = (
            find(*known) for find in (PriceList.most, PriceList.least, PriceList.likely)
        )
        if counts is None:
            return likely, likely, likely
        most = min(most, max(counts, 1))
        least = min(least, most)
        return most, least, min(max(likely, least), most)

    def _reconcile(
        self, ticket: Ticket, least: int, now: float, counts: int, reported: RateLimit
    ) -> None:
        """Bring the ledger in line with what the server counted when it handled this call."""
        beside = max(0, counts - least)  # what it counts beside this call, at most
        # Ours that had been answered before this call was sent, and are still in the ledger.
        answered = max(0, self.counted - (self._entered_total - ticket.entered_before))
        forgotten = 0
        if now >= self._doubt_until:
            if ticket.sent_at >= self._foreign_since:
                self._return_foreign(min(self.foreign, max(0, answered + self.foreign - beside)))
            forgotten = max(0, answered - beside)
            if forgotten:
                self._weigh(ticket, least, counts, now)
                self._return_oldest(forgotten)
        self._notice_others(ticket, now, counts, answered - forgotten, reported)
        self._notice_window(ticket, now, reported, is_first=not beside, is_new=forgotten > 0)

    def _notice_others(
        self, ticket: Ticket, now: float, counts: int, answered: int, reported: RateLimit
    ) -> None:
        # With a limit of our own below the server's, others take from what is left beside it first.
        counts -= (self.limit if reported.limit is None else reported.limit) - self.limit
        # The most of ours that the server can have counted: all that was sent until now, without
        # what had come back before this call was sent.
        unexplained = counts - (self._spent_total - ticket.returned_before)
        if unexplained > 0:
            if self._others_seen is None:
                self.prices.doubt()  # they may be our own calls, at new prices
            self._others_seen = now
        if self._others_seen is not None:
            # In company be careful: what was under way with this call comes on top of the figure.
            unexplained = counts - ticket.cost - answered - self.lost - self.foreign
        if unexplained > 0:
            self.foreign += unexplained
            self._spent_total += unexplained
            self._foreign_since = now
        if self.foreign:
            self._foreign_due = now + self._hold

    def _notice_window(
        self, ticket: Ticket, now: float, reported: RateLimit, *, is_first: bool, is_new: bool
    ) -> None:
        """Keep track of when the server's window surely ends."""
        is_late = ticket.sent_at < self._window_from or (
            self._window_end is not None and ticket.sent_at < self._window_end
        )
        if is_late and not is_first and not is_new:
            return
        # The window was open when the server handled this call: it ends within a period from now.
        self._window_end = now + self._hold
        if self.foreign and reported.window_left is not None:
            # Others opened it, so it ends sooner, and only the server knows when.
            self._window_end = min(self._window_end, now + reported.window_left + _TICK)

    def _weigh(self, ticket: Ticket, least: int, counts: int, now: float) -> None:
        """Look for proof of a fixed window in what the server has forgotten."""
        # A sliding window forgets nothing that is younger than a period, and a token bucket no more
        # than it refills in the meantime. Whatever forgets faster has a fixed window.
        rate = self.limit / self.period
        answered = [spent for spent in self._counted if spent.due - self._hold < ticket.sent_at]
        since = least
        for spent in reversed(answered):
            since += spent.least
            age = now - spent.sent_at
            if age >= self.period:
                return
            if since > counts:
                self._figures.never_slides = True
            if since - rate * age > counts + 1:
                self._figures.never_refills = True
                return

    def _pause(self, ticket: Ticket, now: float, reported: RateLimit) -> None:
        """Stop until the server's own time: it refused a call for lack of points."""
        self._refusals += 1
        self._refused_since = min(self._refused_since, now)
        self._is_refusing = (
            self._refusals >= _REFUSING_CALLS
            and now - self._refused_since >= _REFUSING_PERIODS * self.period
        )
        self.paused_until = max(
            min(self.paused_until, now + self.period), now + self._pause_length(now, reported)
        )
        if self._others_seen is None:
            # Nobody explains it: the server's figures have misled us, or a price has risen.
            self.prices.doubt()
            self._doubt_until = now + 2 * self.period
        if reported.remaining is not None and reported.remaining >= ticket.cost:
            # Refused although points were left: these figures are about something else.
            self._doubt_until = now + 10 * self.period
        if now < self._doubt_until:
            self._figures.doubt()
        self._others_seen = now
        free = max(0, self.available)
        self.foreign += free
        self._spent_total += free
        self._foreign_since = now
        self._foreign_due = self.paused_until
        self._cautious = True
        self._cautious_since = now

    def _pause_length(self, now: float, reported: RateLimit) -> float:
        wait = reported.retry_in
        window_left = math.inf if self._window_end is None else self._window_end - now
        if not wait:
            back = self.next_return(now)
            ways = (self.period, window_left, math.inf if back is None else back - now)
            wait = min(way for way in ways if way > 0)
        elif not reported.retry_is_exact and wait <= window_left <= wait + 1:
            wait = window_left  # our own reckoning is finer than whole seconds
        return min(wait, self.period)

    # -- bites ------------------------------------------------------------------------------------

    def _may_probe(self, missing: int, now: float) -> bool:
        """Return whether one call may try, because the window of others should have ended."""
        # `python -m benchmarks unshared`, 20 seeds, with and without: 429s of 2 and 4 processes in
        # eight windows, at 200 points per 4 s and at 1000 per 60 s, sum of the four means: fixed
        # window 53 and 50, sliding window 549 and 342, token bucket 125 and 82; no difference in
        # time. But who joins a window of others at 1000 per 60 s is done up to 27 s sooner, in one
        # of five cases: a program that starts beside a busy service. 429s are repeated in silence,
        # a wait is not, so this stays.
        if self._window_end is None or now < self._window_end or now < self._doubt_until:
            return False
        return missing <= self.foreign

    def _lone_turn(self) -> float:
        """Return when a call can show whether the server refills, which the last points wait for.

        Minus infinity where there is nothing to find out.
        """
        # By then a token bucket has refilled more than any call costs.
        if (
            self._figures.refills
            or self._figures.never_refills
            or not self.knows_counts
            or self.lost
            or self.foreign
            or self._others_seen is not None
            or self.limit < _LEAST_TO_HOLD_BACK
            or not self.prices.has_unknown()
        ):
            return -math.inf
        return self._last_answered + (MOST + 1) * self.period / self.limit + _TICK

    def _next_turn(self, cost: int) -> float:
        """Return when, in company, the next call may be sent: the last points are spread out."""
        # Each response shows how many the others have left us, and whether the window has ended,
        # which can be up to a second sooner than a Reset in whole seconds.
        left = self.available
        end = self._window_end
        if end is None or self._last_sent >= end or left * _SPREAD >= self.limit or left <= 0:
            return -math.inf
        return self._last_sent + (end - self._last_sent) * min(1.0, cost / left)

    # -- moving points ----------------------------------------------------------------------------

    def _return_foreign(self, points: int) -> None:
        self.foreign -= points
        self._returned_total += points

    def _return_oldest(self, points: int) -> None:
        points = min(points, self.counted)
        self.counted -= points
        self._returned_total += points
        # An entry without points stays until it is due: until then its call may be what expires.
        for spent in self._counted:
            if points <= 0:
                return
            taken = min(points, spent.points)
            points -= taken
            spent.points -= taken
            spent.least = min(spent.least, spent.points)

    # -- as a value -------------------------------------------------------------------------------

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON can hold it; limits that the caller has set are not in it."""
        state: dict[str, Any] = {name: _finite(getattr(self, name)) for name in _NUMBERS}
        for name in ("_counted", "_lost"):
            state[name] = [[s.points, s.least, s.sent_at, s.due] for s in getattr(self, name)]
        state["_sent_at"] = [[number, sent_at] for number, sent_at in self._sent_at.items()]
        state["prices"] = self.prices.to_state()
        state["figures"] = self._figures.to_state()
        return state

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Any],
        now: float,
        *,
        ceiling: int | None,
        period: float,
        prices: Mapping[str, int] | None = None,
    ) -> Self:
        """Make a ledger of what `to_state` returned.

        Raises:
            ValueError: it is no such state, or one that no ledger can have at this time.
        """
        ledger = cls(1, ceiling=ceiling, period=period, prices=prices)
        try:
            ledger._load(state, now)
        except (KeyError, TypeError, AttributeError, OverflowError, ValueError) as error:
            raise ValueError("not the state of a ledger") from error
        return ledger

    def _load(self, state: Mapping[str, Any], now: float) -> None:
        for name in _NUMBERS:
            default, value = getattr(self, name), state[name]
            if isinstance(default, bool):
                value = _checked(bool, value)
            elif isinstance(default, int):
                value = _checked(int, value)
            elif value is None:
                value = default
            else:
                value = float(_checked((int, float), value))
            setattr(self, name, value)
        for name in ("_counted", "_lost"):
            spent = [
                Spent(_checked(int, p), _checked(int, least), float(s), float(d))
                for p, least, s, d in state[name]
            ]
            setattr(self, name, deque(spent))
        self._sent_at = {_checked(int, n): float(when) for n, when in state["_sent_at"]}
        self.prices.load(state["prices"])
        self._figures = Figures.from_state(state["figures"])
        soon = now + 2 * self._hold + self._patience
        times = [self._foreign_due, *(s.due for s in chain(*self._spent()))]
        times += self._sent_at.values()
        if not (
            1 <= self.limit <= _GREATEST_LIMIT
            and self.paused_until <= now + self.period + 1
            and min(self.in_flight, self.counted, self.lost, self.foreign) >= 0
            and all(s.points >= 0 for s in chain(*self._spent()))
            and self.counted == sum(s.points for s in self._counted)
            and self.lost == sum(s.points for s in self._lost)
            and all(when <= soon for when in times)
        ):
            raise ValueError("not a state that a ledger can have now")

    def _group_length(self) -> float:
        """Return for how long after the first of some calls was sent their points are held."""
        if self._figures.never_slides or not self.prices.has_unknown():
            return 0.0
        if not (
            self._figures.never_refills
            or self.limit <= _SLOW_REFILL * self.period
            or (not self._figures.refills and self._returned_total < _LEARNING_LIMITS * self.limit)
        ):
            return 0.0
        return self._hold + min(_TOGETHER, self.period * _TOGETHER_PART)

    def _spent(self) -> tuple[deque[Spent], deque[Spent]]:
        return self._counted, self._lost


# What there is to keep of a ledger, beside its lists.
_NUMBERS: Final = (
    "limit",
    "in_flight",
    "counted",
    "lost",
    "foreign",
    "paused_until",
    "has_response",
    "knows_limit",
    "knows_counts",
    "_tickets",
    "_refused_since",
    "_refusals",
    "_is_refusing",
    "_expired_until",
    "_last_sent",
    "_last_answered",
    "_foreign_due",
    "_foreign_since",
    "_spent_total",
    "_entered_total",
    "_returned_total",
    "_cautious",
    "_cautious_since",
    "_others_seen",
    "_doubt_until",
    "_window_end",
    "_window_from",
)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and math.isinf(value) else value


def _checked(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError("not the state of a ledger")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not the state of a ledger")
    return value


def _append(
    spent: deque[Spent],
    ticket: Ticket,
    points: int,
    least: int,
    due: float,
    group_length: float = 0.0,
) -> None:
    # What returns within the same millisecond returns together: the list stays short.
    due = math.ceil(due / _TICK) * _TICK
    latest = spent[-1] if spent else None
    if latest is not None and due <= max(latest.due, latest.sent_at + group_length):
        latest.points += points
        latest.least += least
        latest.sent_at = min(latest.sent_at, ticket.sent_at)
        latest.due = max(latest.due, due)
    else:
        spent.append(Spent(points, least, ticket.sent_at, due))
