"""The books of a point budget: who holds which point, until when, and what the server says to that.

No I/O, no waiting, no clock of its own: every method is told the time. `budget.py` puts a queue and
the event loops around it. The state is a handful of numbers and three short lists, so that a script
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
A token bucket *here* would not: full at the end of the server's window, it lets through twice the
limit.

**Why the server's `Remaining` may bring points back sooner.** A response says how much the server
counts at its moment. Everything of ours that had been answered before this call was sent is either
in that figure or forgotten by the server, and what it has forgotten it never counts again. So if
the books hold more of those than the figure, the oldest of them go back. This needs no knowledge of
the server's algorithm: with a fixed window it brings everything back with the first response of a
new window, with a sliding window a little, with a token bucket what has been refilled.

**What is only predicted is worth one call.** A window's end that we compute, and the end of a pause
that the server asked for, let through a single call; its response opens the rest.
"""

from __future__ import annotations

import math
from collections import deque

from .ratelimit import RateLimit

# A documented call costs 1 to 10 points, so no honest limit is below 10; and nobody sells a million
# points a minute. Header values outside are taken for nonsense.
_LEAST_LIMIT = 10
_GREATEST_LIMIT = 1_000_000

# Server and client clocks run at slightly different speed, and servers count in milliseconds.
_DRIFT = 0.0005
_TICK = 0.001

# A call that has not been answered for so long no longer holds up the calls that wait for what its
# response says.
_PATIENCE = 1.0


class Ticket:
    """One attempt's points, from the sending to its end."""

    __slots__ = ("cost", "entered_before", "open", "returned_before", "sent_at")

    def __init__(
        self, cost: int, sent_at: float, entered_before: int, returned_before: int
    ) -> None:
        self.cost = cost
        self.sent_at = sent_at
        self.entered_before = entered_before
        self.returned_before = returned_before
        self.open = True


class _Spent:
    """Points that go back at `due`."""

    __slots__ = ("due", "points", "sent_at")

    def __init__(self, points: int, sent_at: float, due: float) -> None:
        self.points = points
        self.sent_at = sent_at
        self.due = due


class Ledger:
    """The books. `now` must never run backwards."""

    def __init__(self, limit: int, *, ceiling: int | None, period: float) -> None:
        self.limit = limit
        self.period = period
        self.in_flight = 0
        self.counted = 0
        self.lost = 0
        self.foreign = 0
        self.paused_until = 0.0
        self._ceiling = ceiling
        self._hold = period * (1 + _DRIFT) + _TICK
        self._patience = min(_PATIENCE, period / 4)
        self._counted: deque[_Spent] = deque()
        self._lost: deque[_Spent] = deque()
        self._foreign_due = 0.0
        self._foreign_since = 0.0
        # Running totals. A ticket remembers where they stood when it was sent: that is how its
        # response knows what the server may, and what it must, have counted by then.
        self._spent_total = 0  # everything that was ever sent or found to be foreign
        self._entered_total = 0  # everything that ever became *counted*
        self._returned_total = 0  # everything that ever came back
        # Until a response has told the state of the server, one call at a time: the window may be
        # open already, and nearly used up.
        self._cautious = True
        self._cautious_since = float("-inf")
        self._last_sent = float("-inf")
        self._others_seen: float | None = None
        self._doubt_until = float("-inf")
        self._window_end: float | None = None
        self._window_seen = float("-inf")
        self._is_fixed = False

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
        """Tell whether a call may be sent now, leaving `reserve` points to others."""
        if now < self.paused_until:
            return False
        awaits_answer = self.in_flight > 0 and now < self._last_sent + self._patience
        if self._cautious and awaits_answer:
            return False
        left = self.available - cost
        if left < reserve and not self._may_probe(cost, now):
            return False
        return not (self._others_seen is not None and awaits_answer and self.in_flight > left / 2)

    def take(self, cost: int, now: float) -> Ticket:
        """Send a call that `admits` let through."""
        missing = cost - self.available
        if missing > 0:  # a probe: the server should have forgotten at least this much
            self._window_end = None
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
            _append(self._lost, ticket, now + self._hold)

    def settle(self, ticket: Ticket, now: float, said: RateLimit, *, rejected: bool) -> None:
        """End a call whose response is here, and learn from what it says."""
        if not ticket.open:
            return
        ticket.open = False
        self.in_flight -= ticket.cost
        if said.limit is not None:
            self._adopt(said.limit)
        if not rejected:
            if ticket.sent_at >= self._cautious_since:
                self._cautious = False
            if said.remaining is not None:
                self._reconcile(ticket, now, said.remaining, said)
        self.counted += ticket.cost
        self._entered_total += ticket.cost
        _append(self._counted, ticket, now + self._hold)
        if rejected:
            self._pause(ticket, now, said)

    def next_change(self, now: float) -> float | None:
        """Tell when, if nothing happens before, the answer of `admits` may change."""
        if now < self.paused_until:
            return self.paused_until
        times = [spent[0].due for spent in (self._counted, self._lost) if spent]
        if self.foreign:
            times.append(self._foreign_due)
        if self._window_end is not None:
            times.append(self._window_end)
        if self.in_flight:
            times.append(self._last_sent + self._patience)
        return min((time for time in times if time > now), default=None)

    def next_return(self, now: float) -> float | None:
        """Tell when the next points come back at the latest."""
        times = [spent[0].due for spent in (self._counted, self._lost) if spent]
        if self.foreign:
            times.append(self._foreign_due)
        return max(min(times), self.paused_until) if times else None

    def earliest(self, points: int, now: float) -> float:
        """Tell before when `points` more points can surely not be spent."""
        need = points - self.available
        start = max(now, self.paused_until)
        if need <= 0:
            return start
        rounds, need = divmod(need - 1, self.limit)
        dues = sorted(
            [(s.due, s.points) for s in (*self._counted, *self._lost)]
            + [(self._foreign_due, self.foreign)]
        )
        when = now + self._hold  # what is in flight returns one period after its response
        for due, returned in dues:
            need -= returned
            if need < 0:
                when = due
                break
        if self._window_end is not None:
            when = min(when, self._window_end)
        return max(start, when) + rounds * self.period

    # -- what the server says ---------------------------------------------------------------------

    def _adopt(self, limit: int) -> None:
        if _LEAST_LIMIT <= limit <= _GREATEST_LIMIT:
            self.limit = limit if self._ceiling is None else min(limit, self._ceiling)

    def _reconcile(self, ticket: Ticket, now: float, remaining: int, said: RateLimit) -> None:
        """Bring the books in line with what the server counted when it handled this call."""
        server_limit = self.limit if said.limit is None else said.limit
        if remaining > server_limit:
            return
        counts = server_limit - remaining
        beside = counts - ticket.cost  # what it counts beside this call
        # Ours that had been answered before this call was sent, and are still in the books.
        answered = max(0, self.counted - (self._entered_total - ticket.entered_before))
        returned = 0
        if now >= self._doubt_until:
            if ticket.sent_at >= self._foreign_since:
                self._return_foreign(min(self.foreign, max(0, answered + self.foreign - beside)))
            returned = max(0, answered - max(0, beside))
            if returned:
                self._weigh(returned, answered, counts, now)
                self._return_oldest(returned)
        self._notice_others(ticket, now, self.limit - remaining, answered - returned)
        self._notice_window(ticket, now, said, is_new=beside <= 0 or returned > 0)

    def _notice_others(self, ticket: Ticket, now: float, counts: int, answered: int) -> None:
        # The most of ours that the server can have counted: all that was sent until now, without
        # what had come back before this call was sent.
        unexplained = counts - (self._spent_total - ticket.returned_before)
        if unexplained > 0:
            self._others_seen = now
        elif self._others_seen is not None and now - self._others_seen > 2 * self.period:
            self._others_seen = None
        if self._others_seen is not None:
            # In company be careful: what was under way with this call comes on top of the figure.
            unexplained = counts - ticket.cost - answered - self.lost - self.foreign
        if unexplained > 0:
            self.foreign += unexplained
            self._spent_total += unexplained
            self._foreign_due = now + self._hold
            self._foreign_since = now

    def _notice_window(self, ticket: Ticket, now: float, said: RateLimit, *, is_new: bool) -> None:
        """Keep track of when the server's window surely ends."""
        if not is_new and self._window_end is not None and ticket.sent_at < self._window_end:
            return
        # It was open when the server handled this call, so it ends within a period from now; or
        # sooner, if the server says so.
        self._window_end = now + min(self._hold, (said.window_left or self.period) + _TICK)

    def _weigh(self, returned: int, answered: int, counts: int, now: float) -> None:
        """Look for proof that the window is fixed, in points that the server forgot."""
        # A sliding window forgets nothing that is younger than a period, a token bucket not more
        # than it refills in the meantime. Whatever forgets faster has a fixed window.
        later = answered
        for spent in self._counted:
            if returned <= 0:
                return
            age = now - spent.sent_at
            if age < self.period and later - self.limit * age / self.period > counts + 1:
                self._is_fixed = True
                return
            later -= spent.points
            returned -= spent.points

    def _may_probe(self, cost: int, now: float) -> bool:
        """Tell whether a window has ended by our reckoning, so that one call may try."""
        if self._window_end is None or now < self._window_end or now < self._doubt_until:
            return False
        missing = cost - self.available
        if self._is_fixed:
            return missing <= self.foreign + self.counted
        return missing <= self.foreign

    def _pause(self, ticket: Ticket, now: float, said: RateLimit) -> None:
        """Stop until the server's own time: it refused a call for lack of points."""
        wait = said.retry_in
        if wait is None:
            end = min(
                (t for t in (self.next_return(now), self._window_end) if t is not None and t > now),
                default=now + self.period,
            )
            wait = end - now
        elif (
            not said.retry_is_exact
            and self._window_end is not None
            and wait <= self._window_end - now <= wait + 1
        ):
            wait = self._window_end - now  # our own reckoning is finer than whole seconds
        self.paused_until = max(
            min(self.paused_until, now + self.period), now + min(wait, self.period)
        )
        if not self.others_present:
            self._doubt_until = now + 2 * self.period
            self._is_fixed = False
        self._others_seen = now
        free = max(0, self.available)
        self.foreign += free
        self._spent_total += free
        self._foreign_due = self.paused_until
        self._foreign_since = now
        self._cautious = True
        self._cautious_since = now

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
    # Points that return within the same millisecond return together: the list stays short.
    due = math.ceil(due / _TICK) * _TICK
    if spent and spent[-1].due >= due:
        spent[-1].points += ticket.cost
        spent[-1].sent_at = min(spent[-1].sent_at, ticket.sent_at)
    else:
        spent.append(_Spent(ticket.cost, ticket.sent_at, due))
