"""The pure books: what each response does to them, and that they balance whatever happens."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from whereby_api_client.budget.headers import NOTHING, RateLimit
from whereby_api_client.budget.ledger import Ledger, Ticket

LIMIT = 100
PERIOD = 60.0
#: A period, and what clocks may differ in it.
HOLD = PERIOD * 1.0005 + 0.0021


def ledger(limit: int = LIMIT, *, ceiling: int | None = None) -> Ledger:
    """Make books that have had their first answer, so that they are open."""
    books = Ledger(limit, ceiling=ceiling, period=PERIOD)
    settle(books, books.take(1, -2 * PERIOD), -2 * PERIOD)
    books.advance(0.0)
    return books


def settle(books: Ledger, ticket: Ticket, now: float, said: RateLimit = NOTHING) -> None:
    """End a call well."""
    books.advance(now)
    books.settle(ticket, now, said, rejected=False)


def spend(books: Ledger, cost: int, now: float, remaining: int | None = None, **said: Any) -> None:
    """Make a call that is answered at once."""
    assert books.admits(cost, now)
    settle(books, books.take(cost, now), now, RateLimit(LIMIT, remaining, **said))


def refuse(books: Ledger, now: float, said: RateLimit = NOTHING, cost: int = 1) -> None:
    """Make a call that the server refuses."""
    books.settle(books.take(cost, now), now, said, rejected=True)


def test_points_return_one_period_after_the_response() -> None:
    """Hold points from the sending until a period after the response, not after the sending."""
    books = ledger()
    ticket = books.take(LIMIT, 0.0)
    settle(books, ticket, 30.0)
    books.advance(30.0 + PERIOD)
    assert books.available == 0
    books.advance(30.0 + HOLD)
    assert books.available == LIMIT


def test_refunded_points_are_back_at_once() -> None:
    """Forget a call that never reached the server."""
    books = ledger()
    books.refund(books.take(3, 0.0))
    assert books.available == LIMIT


def test_lost_points_return_after_a_period() -> None:
    """Hold the points of a lost call for a period, and a second for a request still on its way."""
    books = ledger()
    books.lose(books.take(3, 0.0), 10.0)
    books.advance(10.0 + HOLD)
    assert books.available == LIMIT - 3
    books.advance(11.0 + HOLD)
    assert books.available == LIMIT


def test_a_ticket_ends_once() -> None:
    """Ignore every end of a call but the first."""
    books = ledger()
    ticket = books.take(3, 0.0)
    books.refund(ticket)
    books.lose(ticket, 0.0)
    books.settle(ticket, 0.0, NOTHING, rejected=True)
    assert books.available == LIMIT
    assert books.paused_until < 0


def test_nothing_is_known_before_the_first_answer() -> None:
    """Send one call only until the server has told how much is left; after a second, one more."""
    books = Ledger(LIMIT, ceiling=None, period=PERIOD)
    first = books.take(1, 0.0)
    assert not books.admits(1, 0.5)
    assert books.next_change(1, 0.5) == 1.0
    assert books.admits(1, 1.0)
    settle(books, first, 1.0)
    assert books.admits(LIMIT - 1, 1.0)


def test_a_new_window_brings_everything_back() -> None:
    """Take back all points when a response shows that the server has forgotten them."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 1)
    spend(books, LIMIT - 4, 59.0, remaining=3)
    spend(books, 1, 60.5, remaining=LIMIT - 1)
    assert books.available == LIMIT - 1


def test_calls_on_the_way_stay_in_the_books() -> None:
    """Take back nothing that the server may have counted after it made the response."""
    books = ledger()
    early, late = books.take(10, 0.0), books.take(20, 0.0)
    settle(books, late, 1.0, RateLimit(LIMIT, LIMIT - 20))
    settle(books, early, 1.1, RateLimit(LIMIT, LIMIT - 10))
    assert books.available == LIMIT - 30


def test_late_responses_of_the_last_window_are_not_others() -> None:
    """Explain a high count by points that have come back since the call was sent."""
    books = ledger()
    spend(books, 90, 0.0, remaining=10)
    slow = books.take(1, 59.9)
    spend(books, 1, 60.1, remaining=LIMIT - 1)
    settle(books, slow, 60.5, RateLimit(LIMIT, 9))
    assert not books.others_present
    assert books.available == LIMIT - 2


def test_others_are_noticed() -> None:
    """Put what others spent into the books, and take it out when the server has forgotten it."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 1 - 40)
    assert books.others_present
    assert (books.foreign, books.available) == (40, LIMIT - 41)
    spend(books, 1, 30.0, remaining=LIMIT - 1)
    assert (books.foreign, books.available) == (0, LIMIT - 1)


def test_others_are_gone_after_two_periods() -> None:
    """Be careful until two windows have passed without others."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 41)
    spend(books, 1, 61.0, remaining=LIMIT - 1)
    assert books.others_present
    spend(books, 1, 122.0, remaining=LIMIT - 1)
    assert not books.others_present


def test_a_call_that_cost_more_is_in_the_books() -> None:
    """Believe the server about the cost of a call, in both directions."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 10)
    assert books.available == LIMIT - 10
    books = ledger()
    spend(books, 3, 0.0, remaining=LIMIT - 1)
    spend(books, 3, 1.0, remaining=LIMIT - 2)
    spend(books, 3, 2.0, remaining=LIMIT - 3)
    assert books.available == LIMIT - 3


def test_small_bites_in_company() -> None:
    """Keep at most a quarter of what is left in flight, but never less than one call."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 41)
    sent = 0
    while books.admits(1, 0.1):
        books.take(1, 0.1)
        sent += 1
    assert 10 <= sent <= LIMIT / 4
    books = ledger()
    spend(books, 1, 0.0, remaining=8)
    assert books.admits(3, 0.1)


def test_the_last_points_are_spread() -> None:
    """Spread the last points over the rest of a window that others have opened."""
    books = ledger()
    spend(books, 1, 0.0, remaining=4, window_left=40.0)
    assert not books.admits(1, 1.0)
    turn = books.next_change(1, 1.0)
    assert turn is not None
    assert math.isclose(turn, 10.0, rel_tol=0.01)
    assert books.admits(1, turn)


def test_one_call_probes_the_end_of_a_window_of_others() -> None:
    """Let a single call try when the window of others has ended, and open up when it has."""
    books = ledger()
    spend(books, 1, 0.0, remaining=0, window_left=20.0)
    assert not books.admits(3, 19.0)
    assert books.admits(3, 20.01)
    probe = books.take(3, 20.01)
    assert not books.admits(1, 20.01)
    settle(books, probe, 20.1, RateLimit(LIMIT, LIMIT - 3))
    assert books.available == LIMIT - 3


def test_no_probe_alone() -> None:
    """Wait for our own points to return as long as the window might slide."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 1, window_left=60.0)
    spend(books, LIMIT - 1, 50.0, remaining=0, window_left=10.0)
    books.advance(HOLD)
    assert books.admits(1, HOLD)
    assert not books.admits(3, HOLD)


def test_a_429_pauses_everything() -> None:
    """Send nothing before the server's own time, then one call, then the rest."""
    books = ledger()
    refuse(books, 0.0, RateLimit(LIMIT, 0, 7.0, 7.0, True))
    assert not books.admits(1, 6.9)
    assert books.next_change(1, 0.0) == 7.0
    books.advance(7.0)
    assert books.admits(1, 7.0)
    ticket = books.take(1, 7.0)
    assert not books.admits(1, 7.0)
    settle(books, ticket, 7.1, RateLimit(LIMIT, LIMIT - 1))
    assert books.admits(1, 7.1)


def test_a_pause_is_never_longer_than_a_period() -> None:
    """Cap the server's own time."""
    books = ledger()
    refuse(books, 0.0, RateLimit(retry_in=1e12, retry_is_exact=True))
    assert books.paused_until == PERIOD


def test_a_bare_429_waits_for_points() -> None:
    """Without a time wait for the first points to return, or for a period."""
    books = ledger()
    spend(books, 1, 0.0)
    refuse(books, 30.0)
    assert books.paused_until == math.ceil((PERIOD * 1.0005 + 0.001) * 1000) / 1000
    books = ledger()
    refuse(books, 0.0, RateLimit(retry_in=0.0))
    assert books.paused_until == PERIOD


def test_whole_seconds_yield_to_our_own_reckoning() -> None:
    """Refine a Retry-After in whole seconds by the window that we have seen open."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 1)
    refuse(books, 30.0, RateLimit(LIMIT, 0, None, 30.0, False))
    assert 60.0 < books.paused_until < 60.1


def test_figures_that_misled_are_not_believed() -> None:
    """Return nothing early for two periods after a 429 that nobody explains."""
    books = ledger()
    spend(books, 50, 0.0, remaining=50)
    refuse(books, 1.0, RateLimit(LIMIT, 0, None, 2.0, True))
    books.advance(3.0)
    spend(books, 1, 3.0, remaining=LIMIT - 1)
    assert books.counted == 52
    assert books.available == LIMIT - 52


def test_figures_about_something_else_are_not_believed() -> None:
    """Doubt the figures for ten periods when a call is refused although they show points left."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 41)
    refuse(books, 1.0, RateLimit(LIMIT, 70, None, 2.0, True))
    books.advance(5 * PERIOD)
    spend(books, 50, 5 * PERIOD, remaining=50)
    spend(books, 1, 5 * PERIOD + 1, remaining=LIMIT - 1)
    assert books.counted == 51


def test_the_limit_is_learnt() -> None:
    """Take over the server's limit, up and down, with the books in balance."""
    books = ledger()
    settle(books, books.take(1, 0.0), 0.0, RateLimit(1000, 999))
    assert (books.limit, books.available) == (1000, 999)
    tickets = [books.take(100, 0.0) for _ in range(5)]
    settle(books, tickets[0], 1.0, RateLimit(100, 0))
    assert (books.limit, books.available) == (100, -400)


def test_a_ceiling_stays() -> None:
    """Let the server lower a given limit, but not raise it."""
    books = ledger(500, ceiling=500)
    settle(books, books.take(1, 0.0), 0.0, RateLimit(1000, 999))
    assert (books.limit, books.available) == (500, 499)
    settle(books, books.take(1, 0.0), 1.0, RateLimit(200, 198))
    assert (books.limit, books.available) == (200, 198)
    settle(books, books.take(1, 0.0), 2.0, RateLimit(1000, 998))
    assert books.limit == 500


def test_below_a_ceiling_others_take_from_what_is_left_first() -> None:
    """Leave others what was set aside for them, and share the rest."""
    books = ledger(500, ceiling=500)
    settle(books, books.take(1, 0.0), 0.0, RateLimit(1000, 600))
    assert books.available == 499
    settle(books, books.take(1, 1.0), 1.0, RateLimit(1000, 299))
    assert books.available == 299


def test_odd_limits_are_ignored() -> None:
    """Keep the limit when the server's is none that could be."""
    books = ledger()
    for odd in (0, 1, 9, 10**9):
        settle(books, books.take(1, 0.0), 0.0, RateLimit(odd, None))
        assert books.limit == LIMIT


def test_more_remaining_than_the_limit_is_ignored() -> None:
    """Believe nothing that contradicts itself."""
    books = ledger()
    spend(books, 10, 0.0, remaining=LIMIT - 10)
    spend(books, 1, 1.0, remaining=LIMIT + 1)
    assert books.available == LIMIT - 11


def test_the_earliest_time_is_a_lower_bound() -> None:
    """Tell how long a call has to wait at least: now, one return, or several periods."""
    books = ledger()
    assert books.earliest(LIMIT, 0.0) == 0.0
    settle(books, books.take(LIMIT, 0.0), 0.0)
    first = books.earliest(1, 1.0)
    assert math.isclose(first, HOLD, rel_tol=1e-3)
    assert books.earliest(LIMIT, 1.0) == first
    assert books.earliest(LIMIT + 1, 1.0) == first + PERIOD
    assert books.earliest(5 * LIMIT, 1.0) == first + 4 * PERIOD


def test_the_earliest_time_knows_the_window() -> None:
    """Count on the window's end, and on the answer that may show a new one."""
    books = ledger()
    spend(books, 1, 0.0, remaining=LIMIT - 1)
    spend(books, LIMIT - 1, 50.0, remaining=0)
    assert math.isclose(books.earliest(LIMIT, 51.0), PERIOD, rel_tol=1e-3)
    books.advance(60.1)
    books.take(1, 60.1)
    assert books.earliest(1, 60.2) == 60.2


class Books(RuleBasedStateMachine):
    """Any sequence of calls, ends, responses and time, honest or not."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.books = Ledger(LIMIT, ceiling=None, period=PERIOD)
        self.now = 0.0
        self.in_flight: dict[Ticket, int] = {}

    @rule(target=tickets, cost=st.integers(1, 10))
    def send(self, cost: int) -> Ticket | None:
        """Send a call if it may be sent."""
        if not self.books.admits(cost, self.now):
            return None
        ticket = self.books.take(cost, self.now)
        self.in_flight[ticket] = cost
        return ticket

    @rule(
        ticket=consumes(tickets),
        limit=st.none() | st.integers(0, 300) | st.just(10**9),
        remaining=st.none() | st.integers(0, 300),
        window_left=st.none() | st.floats(0.001, 1e6),
        retry_in=st.none() | st.floats(0, 1e6),
        is_exact=st.booleans(),
        rejected=st.booleans(),
    )
    def answer(
        self,
        ticket: Ticket | None,
        limit: int | None,
        remaining: int | None,
        window_left: float | None,
        retry_in: float | None,
        is_exact: bool,
        rejected: bool,
    ) -> None:
        """End a call with any response."""
        if ticket is not None:
            del self.in_flight[ticket]
            said = RateLimit(limit, remaining, window_left, retry_in, is_exact)
            self.books.settle(ticket, self.now, said, rejected=rejected)

    @rule(ticket=consumes(tickets), lost=st.booleans())
    def end(self, ticket: Ticket | None, lost: bool) -> None:
        """End a call without a response."""
        if ticket is not None:
            del self.in_flight[ticket]
            if lost:
                self.books.lose(ticket, self.now)
            else:
                self.books.refund(ticket)

    @rule(seconds=st.floats(0, 2 * PERIOD))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.books.advance(self.now)

    @rule()
    def rest(self) -> None:
        """See that nothing is held for ever, and nothing is stopped for longer than a period."""
        soon = self.now + HOLD + 1.0
        assert self.books.paused_until <= self.now + PERIOD
        assert (self.books.next_return(self.now) or 0.0) <= soon
        if self.books.limit - self.books.in_flight > 10:
            change = self.books.next_change(1, self.now)
            assert self.books.admits(1, self.now) or (change is not None and change <= soon)
            self.now = soon
            self.books.advance(soon)
            assert self.books.admits(1, soon)

    @invariant()
    def balanced(self) -> None:
        """See that every point is in one place."""
        books = self.books
        assert books.in_flight == sum(self.in_flight.values())
        assert books.counted == sum(spent.points for spent in books._counted)
        assert books.lost == sum(spent.points for spent in books._lost)
        assert min(books.in_flight, books.counted, books.lost, books.foreign) >= 0
        assert books.available + books.in_flight + books.returning == books.limit
        for spents in (books._counted, books._lost):
            assert all(spent.points > 0 for spent in spents)
            assert sorted(spent.due for spent in spents) == [spent.due for spent in spents]


TestBooks = Books.TestCase
