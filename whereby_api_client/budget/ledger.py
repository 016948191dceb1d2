"""The books of a point budget: who holds which point, until when, and what the server says to that.

No I/O, no waiting, no clock of its own: every method is told the time. `budget.py` puts a queue and
the event loops around it. The state is a handful of numbers and two short lists, so that a script
inside Redis can keep the same books.

Every point is in exactly one place, after every step:

    available + in flight + counted + lost + foreign = limit

- *in flight*: the request was sent, no response yet. The server may count it at any moment.
- *counted*: the response is here, so the server has counted it before now.
- *lost*: sent, and no response will come. Nobody knows whether or when the server counts it.
- *foreign*: the server counts it, and it is not ours: other processes spend from the same
  organization, or a call cost more than documented.

**Why a point returns one period after its response.** The server counts a call somewhere between
its sending and its response. If no more than the limit is ever out, from sending until one period
after the response, then no more than the limit is ever counted within one period, wherever that
period begins. This satisfies a fixed window, a sliding window, and a token bucket that starts full.
A token bucket *here* would not: full at the end of the server's window, it lets through up to twice
the limit.

**Why the server's `Remaining` may bring points back sooner.** A response says how much the server
counts at its moment. Everything of ours that had been answered before this call was sent is either
in that figure or forgotten by the server, and what it has forgotten it never counts again. So if
the books hold more of those than the figure, the oldest of them go back. This needs no knowledge of
the server's algorithm: with a fixed window it brings everything back with the first response of a
new window, with a sliding window a little, with a token bucket what has been refilled.

**What is only predicted is worth one call.** Nothing is known of the server before its first
response, after a 429, and at a window's end that we have only computed. Each of these lets a single
call through, and its response opens the rest.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from typing import Final

from .headers import RateLimit

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


class Ticket:
    """One attempt's points, from the sending to its end."""

    __slots__ = ("cost", "entered_before", "open", "returned_before", "sent_at")

    def __init__(
        self, cost: int, sent_at: float, entered_before: int, returned_before: int
    ) -> None:
        self.cost = cost
        self.sent_at = sent_at
        # How far the ledger's running totals were at the sending.
        self.entered_before = entered_before
        self.returned_before = returned_before
        self.open = True


class _Spent:
    """Points that go back at `due`; the earliest of their calls was sent at `sent_at`."""

    __slots__ = ("due", "points", "sent_at")

    def __init__(self, points: int, sent_at: float, due: float) -> None:
        self.points = points
        self.sent_at = sent_at
        self.due = due


class Ledger:
    """The books of one organization. `now` must never run backwards.

    Args:
        limit: points per period, to begin with.
        ceiling: a limit that the server cannot raise, None for no such limit.
        period: the length of the server's window in seconds.
    """

    def __init__(self, limit: int, *, ceiling: int | None, period: float) -> None:
        self.limit = limit
        self.period = period
        self.in_flight = 0
        self.counted = 0
        self.lost = 0
        self.foreign = 0
        self.paused_until = -math.inf
        self._ceiling = ceiling
        self._hold = period * (1 + _DRIFT) + _TICK
        self._patience = min(_PATIENCE, period / 4)
        self._last_sent = -math.inf
        self._counted: deque[_Spent] = deque()
        self._lost: deque[_Spent] = deque()
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
        # When the server's window surely ends; and before when it surely does not, if we know who
        # opened it. Responses to calls that were sent before `_window_from` may speak of the window
        # before.
        self._window_end: float | None = None
        self._window_floor = -math.inf
        self._window_from = -math.inf
        self._is_fixed = False  # proven: the server's window does not slide

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
        """True while the server's count shows that others spend from the same organization."""
        return self._others_seen is not None

    # -- a call's way through the books -----------------------------------------------------------

    def advance(self, now: float) -> None:
        """Take back what is due by now."""
        counted = self._counted
        while counted and counted[0].due <= now:
            points = counted.popleft().points
            self.counted -= points
            self._returned_total += points
        lost = self._lost
        while lost and lost[0].due <= now:
            points = lost.popleft().points
            self.lost -= points
            self._returned_total += points
        if self.foreign and self._foreign_due <= now:
            self._return_foreign(self.foreign)

    def admits(self, cost: int, now: float, *, reserve: int = 0) -> bool:
        """Tell whether a call may be sent now, such that `reserve` points are left."""
        if now < self.paused_until:
            return False
        # How much is in flight matters only while an answer may be near.
        in_flight = self.in_flight if now < self._last_sent + self._patience else 0
        if self._cautious and in_flight:
            return False
        left = self.limit - self.in_flight - self.returning - cost
        if left < reserve and not self._may_probe(-left, now):
            return False
        if self._others_seen is None:
            return True
        return in_flight * _BITE <= max(0, left) and now >= self._next_turn(cost)

    def fork(self, now: float) -> Ledger:
        """Return the ledger of a forked child, to which its parent is somebody else."""
        child = copy.copy(self)
        child._counted, child._lost = (
            deque(map(copy.copy, self._counted)),
            deque(map(copy.copy, self._lost)),
        )
        # What was in flight at the fork is answered in the parent.
        child.foreign += child.in_flight
        child.in_flight = 0
        child._foreign_due = max(child._foreign_due, self._last_sent + self._hold)
        child._foreign_since = child._others_seen = now
        child._cautious, child._cautious_since = True, now
        return child

    def take(self, cost: int, now: float) -> Ticket:
        """Send a call that `admits` let through."""
        if self._window_end is not None and now >= self._window_end:
            # This call will tell. No second one goes on the strength of the same prediction.
            self._window_end = None
            self._window_from = now
        missing = cost - self.available
        if missing > 0:  # a probe: so much at least should be free at the server
            from_foreign = min(missing, self.foreign)
            self._return_foreign(from_foreign)
            self._return_oldest(missing - from_foreign)
        self.in_flight += cost
        self._spent_total += cost
        self._last_sent = now
        return Ticket(cost, now, self._entered_total, self._returned_total)

    def refund(self, ticket: Ticket) -> None:
        """End a call that surely never reached the server."""
        if ticket.open:
            ticket.open = False
            self.in_flight -= ticket.cost
            self._spent_total -= ticket.cost

    def lose(self, ticket: Ticket, now: float) -> None:
        """End a call whose fate is unknown: it counts as spent now."""
        if ticket.open:
            ticket.open = False
            self.in_flight -= ticket.cost
            self.lost += ticket.cost
            # A request that was given up can still be on its way to the server.
            _append(self._lost, ticket, now + self._hold + self._patience)

    def settle(self, ticket: Ticket, now: float, said: RateLimit, *, rejected: bool) -> None:
        """End a call whose response is here, and learn from what it says."""
        if not ticket.open:
            return
        ticket.open = False
        self.in_flight -= ticket.cost
        if said.limit is not None and _LEAST_LIMIT <= said.limit <= _GREATEST_LIMIT:
            # The server is right, but what the caller set aside for others stays set aside.
            self.limit = said.limit if self._ceiling is None else min(said.limit, self._ceiling)
        if not rejected:
            if ticket.sent_at >= self._cautious_since:
                self._cautious = False
            if self._others_seen is not None and now - self._others_seen > 2 * self.period:
                self._others_seen = None
            if said.remaining is not None:
                self._reconcile(ticket, now, said.remaining, said)
        self.counted += ticket.cost
        self._entered_total += ticket.cost
        _append(self._counted, ticket, now + self._hold)
        if rejected:
            self._pause(ticket, now, said)

    # -- looking ahead ----------------------------------------------------------------------------

    def next_return(self, now: float) -> float | None:
        """Tell when the next points come back at the latest."""
        times = [spent[0].due for spent in (self._counted, self._lost) if spent]
        if self.foreign:
            times.append(self._foreign_due)
        return max(min(times), self.paused_until) if times else None

    def next_change(self, cost: int, now: float) -> float | None:
        """Tell when, if nothing else happens, `admits` may change its mind about a call."""
        if now < self.paused_until:
            return self.paused_until
        times = [spent[0].due for spent in (self._counted, self._lost) if spent]
        if self.foreign:
            times.append(self._foreign_due)
        if self._window_end is not None:
            times.append(self._window_end)
        if self.in_flight:
            times.append(self._last_sent + self._patience)
        if self._others_seen is not None:
            times.append(self._next_turn(cost))
        return min((time for time in times if time > now), default=None)

    def earliest(self, points: int, now: float) -> float:
        """Tell the time before which `points` can surely not have been spent."""
        start = max(now, self.paused_until)
        rounds, need = divmod(points - self.available - 1, self.limit)
        if rounds < 0:
            return start
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
            when = now  # the window has ended: the answer that is under way may open everything
        return max(start, when) + rounds * self.period

    # -- what the server says ---------------------------------------------------------------------

    def _reconcile(self, ticket: Ticket, now: float, remaining: int, said: RateLimit) -> None:
        """Bring the books in line with what the server counted when it handled this call."""
        server_limit = self.limit if said.limit is None else said.limit
        if remaining > server_limit:
            return
        counts = server_limit - remaining
        beside = max(0, counts - ticket.cost)  # what it counts beside this call
        # Ours that had been answered before this call was sent, and are still in the books.
        answered = max(0, self.counted - (self._entered_total - ticket.entered_before))
        forgotten = 0
        if now >= self._doubt_until:
            if ticket.sent_at >= self._foreign_since:
                self._return_foreign(min(self.foreign, max(0, answered + self.foreign - beside)))
            forgotten = max(0, answered - beside)
            if forgotten:
                self._weigh(forgotten, answered, counts, server_limit, now)
                self._return_oldest(forgotten)
        self._notice_others(ticket, now, self.limit - remaining, answered - forgotten)
        self._notice_window(ticket, now, said, is_first=not beside, is_new=forgotten > 0)

    def _notice_others(self, ticket: Ticket, now: float, counts: int, answered: int) -> None:
        # The most of ours that the server can have counted: all that was sent until now, without
        # what had come back before this call was sent.
        unexplained = counts - (self._spent_total - ticket.returned_before)
        if unexplained > 0:
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
        self, ticket: Ticket, now: float, said: RateLimit, *, is_first: bool, is_new: bool
    ) -> None:
        """Keep track of when the server's window surely ends."""
        is_late = ticket.sent_at < self._window_from or (
            self._window_end is not None and ticket.sent_at < self._window_end
        )
        if is_late and not is_first and not is_new:
            return
        # Nothing was counted before this call: so it opened the window.
        self._window_floor = ticket.sent_at + self.period * (1 - _DRIFT) if is_first else -math.inf
        # The window was open when the server handled this call: it ends within a period from now.
        self._window_end = now + self._hold
        if self.foreign and said.window_left is not None:
            # Others opened it, so it ends sooner, and only the server knows when.
            self._window_end = min(self._window_end, now + said.window_left + _TICK)

    def _weigh(
        self, forgotten: int, answered: int, counts: int, server_limit: int, now: float
    ) -> None:
        """Look for proof of a fixed window in what the server has forgotten."""
        # A sliding window forgets nothing that is younger than a period, and a token bucket no more
        # than it refills in the meantime. Whatever forgets faster has a fixed window.
        since = answered  # what was spent since the call that we look at, itself included
        for spent in self._counted:
            if forgotten <= 0:
                return
            age = now - spent.sent_at
            if age < self.period and since - server_limit * age / self.period > counts + 1:
                self._is_fixed = True
                return
            since -= spent.points
            forgotten -= spent.points

    def _pause(self, ticket: Ticket, now: float, said: RateLimit) -> None:
        """Stop until the server's own time: it refused a call for lack of points."""
        self.paused_until = max(
            min(self.paused_until, now + self.period), now + self._pause_length(now, said)
        )
        if self._others_seen is None:
            # Nobody explains it, so the server's figures have misled us.
            self._doubt_until = now + 2 * self.period
        if said.remaining is not None and said.remaining >= ticket.cost:
            # Refused although it says that points were left: these figures are about something
            # else.
            self._doubt_until = now + 10 * self.period
        if now < self._doubt_until:
            self._is_fixed = False
        self._others_seen = now
        free = max(0, self.available)
        self.foreign += free
        self._spent_total += free
        self._foreign_since = now
        self._foreign_due = self.paused_until
        self._cautious = True
        self._cautious_since = now

    def _pause_length(self, now: float, said: RateLimit) -> float:
        wait = said.retry_in
        window_left = math.inf if self._window_end is None else self._window_end - now
        if not wait:
            back = self.next_return(now)
            ways = (self.period, window_left, math.inf if back is None else back - now)
            wait = min(way for way in ways if way > 0)
        elif not said.retry_is_exact and wait <= window_left <= wait + 1:
            wait = window_left  # our own reckoning is finer than whole seconds
        return min(wait, self.period)

    # -- bites ------------------------------------------------------------------------------------

    def _may_probe(self, missing: int, now: float) -> bool:
        """Tell whether one call may try, because the server's window has ended by our reckoning."""
        if self._window_end is None or now < self._window_end or now < self._doubt_until:
            return False
        back = self.foreign
        if self._is_fixed:
            # Of ours only what was answered before the window can have ended: what came later may
            # be in the next one. In a window that might slide it is certain when ours come back.
            due = self._window_floor + self._hold
            back += sum(spent.points for spent in self._counted if spent.due < due)
        return missing <= back

    def _next_turn(self, cost: int) -> float:
        """Tell when, in company, the next call may be sent: the last points are spread out."""
        # Each response says how many the others have left us, and whether the window has ended,
        # which can be up to a second sooner than a Reset in whole seconds says.
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
        while points > 0:
            oldest = self._counted[0]
            if oldest.points > points:
                oldest.points -= points
                return
            points -= oldest.points
            self._counted.popleft()


def _append(spent: deque[_Spent], ticket: Ticket, due: float) -> None:
    # What returns within the same millisecond returns together: the list stays short.
    due = math.ceil(due / _TICK) * _TICK
    if spent and spent[-1].due >= due:
        spent[-1].points += ticket.cost
        spent[-1].sent_at = min(spent[-1].sent_at, ticket.sent_at)
    else:
        spent.append(_Spent(ticket.cost, ticket.sent_at, due))
