"""The ledger: what each response does to it, and that it balances whatever happens."""

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


def opened(limit: int = LIMIT, *, ceiling: int | None = None) -> Ledger:
    """Make a ledger that has had its first response, so that it is open."""
    ledger = Ledger(limit, ceiling=ceiling, period=PERIOD)
    settle(ledger, ledger.take(1, -2 * PERIOD), -2 * PERIOD)
    ledger.advance(0.0)
    return ledger


def settle(ledger: Ledger, ticket: Ticket, now: float, reported: RateLimit = NOTHING) -> None:
    """End a call well."""
    ledger.advance(now)
    ledger.settle(ticket, now, reported, rejected=False)


def spend(
    ledger: Ledger, cost: int, now: float, remaining: int | None = None, **reported: Any
) -> None:
    """Make a call that is answered at once."""
    assert ledger.admits(cost, now)
    settle(ledger, ledger.take(cost, now), now, RateLimit(LIMIT, remaining, **reported))


def refuse(ledger: Ledger, now: float, reported: RateLimit = NOTHING, cost: int = 1) -> None:
    """Make a call that the server refuses."""
    ledger.settle(ledger.take(cost, now), now, reported, rejected=True)


def test_points_return_one_period_after_the_response() -> None:
    """Hold points from the sending until a period after the response, not after the sending."""
    ledger = opened()
    ticket = ledger.take(LIMIT, 0.0)
    settle(ledger, ticket, 30.0)
    ledger.advance(30.0 + PERIOD)
    assert ledger.available == 0
    ledger.advance(30.0 + HOLD)
    assert ledger.available == LIMIT


def test_refunded_points_are_back_at_once() -> None:
    """Forget a call that never reached the server."""
    ledger = opened()
    ledger.refund(ledger.take(3, 0.0))
    assert ledger.available == LIMIT


def test_lost_points_return_after_a_period() -> None:
    """Hold the points of a lost call for a period, and a second for a request still on its way."""
    ledger = opened()
    ledger.lose(ledger.take(3, 0.0), 10.0)
    ledger.advance(10.0 + HOLD)
    assert ledger.available == LIMIT - 3
    ledger.advance(11.0 + HOLD)
    assert ledger.available == LIMIT


def test_a_ticket_ends_once() -> None:
    """Ignore every end of a call but the first."""
    ledger = opened()
    ticket = ledger.take(3, 0.0)
    ledger.refund(ticket)
    ledger.lose(ticket, 0.0)
    ledger.settle(ticket, 0.0, NOTHING, rejected=True)
    assert ledger.available == LIMIT
    assert ledger.paused_until < 0


def test_nothing_is_known_before_the_first_response() -> None:
    """Send one call only until the server has told how much is left; after a second, one more."""
    ledger = Ledger(LIMIT, ceiling=None, period=PERIOD)
    first = ledger.take(1, 0.0)
    assert not ledger.admits(1, 0.5)
    assert ledger.next_change(1, 0.5) == 1.0
    assert ledger.admits(1, 1.0)
    settle(ledger, first, 1.0)
    assert ledger.admits(LIMIT - 1, 1.0)


def test_a_new_window_brings_everything_back() -> None:
    """Take back all points when a response shows that the server has forgotten them."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 1)
    spend(ledger, LIMIT - 4, 59.0, remaining=3)
    spend(ledger, 1, 60.5, remaining=LIMIT - 1)
    assert ledger.available == LIMIT - 1


def test_calls_on_the_way_stay_in_the_ledger() -> None:
    """Take back nothing that the server may have counted after it made the response."""
    ledger = opened()
    early, late = ledger.take(10, 0.0), ledger.take(20, 0.0)
    settle(ledger, late, 1.0, RateLimit(LIMIT, LIMIT - 20))
    settle(ledger, early, 1.1, RateLimit(LIMIT, LIMIT - 10))
    assert ledger.available == LIMIT - 30


def test_late_responses_of_the_last_window_are_not_others() -> None:
    """Explain a high count by points that have come back since the call was sent."""
    ledger = opened()
    spend(ledger, 90, 0.0, remaining=10)
    slow = ledger.take(1, 59.9)
    spend(ledger, 1, 60.1, remaining=LIMIT - 1)
    settle(ledger, slow, 60.5, RateLimit(LIMIT, 9))
    assert not ledger.others_present
    assert ledger.available == LIMIT - 2


def test_others_are_noticed() -> None:
    """Put what others spent into the ledger, and take it out when the server has forgotten it."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 1 - 40)
    assert ledger.others_present
    assert (ledger.foreign, ledger.available) == (40, LIMIT - 41)
    spend(ledger, 1, 30.0, remaining=LIMIT - 1)
    assert (ledger.foreign, ledger.available) == (0, LIMIT - 1)


def test_others_are_gone_after_two_periods() -> None:
    """Be careful until two windows have passed without others."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 41)
    spend(ledger, 1, 61.0, remaining=LIMIT - 1)
    assert ledger.others_present
    spend(ledger, 1, 122.0, remaining=LIMIT - 1)
    assert not ledger.others_present


def test_a_call_that_cost_more_is_in_the_ledger() -> None:
    """Believe the server about the cost of a call, in both directions."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 10)
    assert ledger.available == LIMIT - 10
    ledger = opened()
    spend(ledger, 3, 0.0, remaining=LIMIT - 1)
    spend(ledger, 3, 1.0, remaining=LIMIT - 2)
    spend(ledger, 3, 2.0, remaining=LIMIT - 3)
    assert ledger.available == LIMIT - 3


def test_small_bites_in_company() -> None:
    """Keep at most a quarter of what is left in flight, but never less than one call."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 41)
    sent = 0
    while ledger.admits(1, 0.1):
        ledger.take(1, 0.1)
        sent += 1
    assert 10 <= sent <= LIMIT / 4
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=8)
    assert ledger.admits(3, 0.1)


def test_the_last_points_are_spread() -> None:
    """Spread the last points over the rest of a window that others have opened."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=4, window_left=40.0)
    assert not ledger.admits(1, 1.0)
    turn = ledger.next_change(1, 1.0)
    assert turn is not None
    assert math.isclose(turn, 10.0, rel_tol=0.01)
    assert ledger.admits(1, turn)


def test_one_call_probes_the_end_of_a_window_of_others() -> None:
    """Let a single call try when the window of others has ended, and open up when it has."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=0, window_left=20.0)
    assert not ledger.admits(3, 19.0)
    assert ledger.admits(3, 20.01)
    probe = ledger.take(3, 20.01)
    assert not ledger.admits(1, 20.01)
    settle(ledger, probe, 20.1, RateLimit(LIMIT, LIMIT - 3))
    assert ledger.available == LIMIT - 3


def test_no_probe_alone() -> None:
    """Wait for our own points to return as long as the window might slide."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 1, window_left=60.0)
    spend(ledger, LIMIT - 1, 50.0, remaining=0, window_left=10.0)
    ledger.advance(HOLD)
    assert ledger.admits(1, HOLD)
    assert not ledger.admits(3, HOLD)


def test_a_429_pauses_everything() -> None:
    """Send nothing before the server's own time, then one call, then the rest."""
    ledger = opened()
    refuse(ledger, 0.0, RateLimit(LIMIT, 0, 7.0, 7.0, True))
    assert not ledger.admits(1, 6.9)
    assert ledger.next_change(1, 0.0) == 7.0
    ledger.advance(7.0)
    assert ledger.admits(1, 7.0)
    ticket = ledger.take(1, 7.0)
    assert not ledger.admits(1, 7.0)
    settle(ledger, ticket, 7.1, RateLimit(LIMIT, LIMIT - 1))
    assert ledger.admits(1, 7.1)


def test_a_pause_is_never_longer_than_a_period() -> None:
    """Cap the server's own time."""
    ledger = opened()
    refuse(ledger, 0.0, RateLimit(retry_in=1e12, retry_is_exact=True))
    assert ledger.paused_until == PERIOD


def test_a_bare_429_waits_for_points() -> None:
    """Without a time wait for the first points to return, or for a period."""
    ledger = opened()
    spend(ledger, 1, 0.0)
    refuse(ledger, 30.0)
    assert ledger.paused_until == math.ceil((PERIOD * 1.0005 + 0.001) * 1000) / 1000
    ledger = opened()
    refuse(ledger, 0.0, RateLimit(retry_in=0.0))
    assert ledger.paused_until == PERIOD


def test_whole_seconds_yield_to_our_own_reckoning() -> None:
    """Refine a Retry-After in whole seconds by the window that we have seen open."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 1)
    refuse(ledger, 30.0, RateLimit(LIMIT, 0, None, 30.0, False))
    assert 60.0 < ledger.paused_until < 60.1


def test_figures_that_misled_are_not_believed() -> None:
    """Return nothing early for two periods after a 429 that nobody explains."""
    ledger = opened()
    spend(ledger, 50, 0.0, remaining=50)
    refuse(ledger, 1.0, RateLimit(LIMIT, 0, None, 2.0, True))
    ledger.advance(3.0)
    spend(ledger, 1, 3.0, remaining=LIMIT - 1)
    assert ledger.counted == 52
    assert ledger.available == LIMIT - 52


def test_figures_about_something_else_are_not_believed() -> None:
    """Doubt the figures for ten periods when a call is refused although they show points left."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 41)
    refuse(ledger, 1.0, RateLimit(LIMIT, 70, None, 2.0, True))
    ledger.advance(5 * PERIOD)
    spend(ledger, 50, 5 * PERIOD, remaining=50)
    spend(ledger, 1, 5 * PERIOD + 1, remaining=LIMIT - 1)
    assert ledger.counted == 51


def test_the_limit_is_learnt() -> None:
    """Take over the server's limit, up and down, with the ledger in balance."""
    ledger = opened()
    settle(ledger, ledger.take(1, 0.0), 0.0, RateLimit(1000, 999))
    assert (ledger.limit, ledger.available) == (1000, 999)
    tickets = [ledger.take(100, 0.0) for _ in range(5)]
    settle(ledger, tickets[0], 1.0, RateLimit(100, 0))
    assert (ledger.limit, ledger.available) == (100, -400)


def test_a_ceiling_stays() -> None:
    """Let the server lower a given limit, but not raise it."""
    ledger = opened(500, ceiling=500)
    settle(ledger, ledger.take(1, 0.0), 0.0, RateLimit(1000, 999))
    assert (ledger.limit, ledger.available) == (500, 499)
    settle(ledger, ledger.take(1, 0.0), 1.0, RateLimit(200, 198))
    assert (ledger.limit, ledger.available) == (200, 198)
    settle(ledger, ledger.take(1, 0.0), 2.0, RateLimit(1000, 998))
    assert ledger.limit == 500


def test_below_a_ceiling_others_take_from_what_is_left_first() -> None:
    """Leave others what was set aside for them, and share the rest."""
    ledger = opened(500, ceiling=500)
    settle(ledger, ledger.take(1, 0.0), 0.0, RateLimit(1000, 600))
    assert ledger.available == 499
    settle(ledger, ledger.take(1, 1.0), 1.0, RateLimit(1000, 299))
    assert ledger.available == 299


def test_odd_limits_are_ignored() -> None:
    """Keep the limit when the server's is impossible."""
    ledger = opened()
    for odd in (0, 1, 9, 10**9):
        settle(ledger, ledger.take(1, 0.0), 0.0, RateLimit(odd, None))
        assert ledger.limit == LIMIT


def test_more_remaining_than_the_limit_is_ignored() -> None:
    """Believe nothing that contradicts itself."""
    ledger = opened()
    spend(ledger, 10, 0.0, remaining=LIMIT - 10)
    spend(ledger, 1, 1.0, remaining=LIMIT + 1)
    assert ledger.available == LIMIT - 11


def test_the_earliest_time_is_a_lower_bound() -> None:
    """Tell how long a call has to wait at least: now, one return, or several periods."""
    ledger = opened()
    assert ledger.earliest(LIMIT, 0.0) == 0.0
    settle(ledger, ledger.take(LIMIT, 0.0), 0.0)
    first = ledger.earliest(1, 1.0)
    assert math.isclose(first, HOLD, rel_tol=1e-3)
    assert ledger.earliest(LIMIT, 1.0) == first
    assert ledger.earliest(LIMIT + 1, 1.0) == first + PERIOD
    assert ledger.earliest(5 * LIMIT, 1.0) == first + 4 * PERIOD


def test_the_earliest_time_knows_the_window() -> None:
    """Count on the window's end, and on the response that may show a new one."""
    ledger = opened()
    spend(ledger, 1, 0.0, remaining=LIMIT - 1)
    spend(ledger, LIMIT - 1, 50.0, remaining=0)
    assert math.isclose(ledger.earliest(LIMIT, 51.0), PERIOD, rel_tol=1e-3)
    ledger.advance(60.1)
    ledger.take(1, 60.1)
    assert ledger.earliest(1, 60.2) == 60.2


class AnyHistory(RuleBasedStateMachine):
    """Any sequence of calls, ends, responses and time, honest or not."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(LIMIT, ceiling=None, period=PERIOD)
        self.now = 0.0
        self.in_flight: dict[Ticket, int] = {}

    @rule(target=tickets, cost=st.integers(1, 10))
    def send(self, cost: int) -> Ticket | None:
        """Send a call if it may be sent."""
        if not self.ledger.admits(cost, self.now):
            return None
        ticket = self.ledger.take(cost, self.now)
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
    def respond(
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
            reported = RateLimit(limit, remaining, window_left, retry_in, is_exact)
            self.ledger.settle(ticket, self.now, reported, rejected=rejected)

    @rule(ticket=consumes(tickets), lost=st.booleans())
    def end(self, ticket: Ticket | None, lost: bool) -> None:
        """End a call without a response."""
        if ticket is not None:
            del self.in_flight[ticket]
            if lost:
                self.ledger.lose(ticket, self.now)
            else:
                self.ledger.refund(ticket)

    @rule(seconds=st.floats(0, 2 * PERIOD))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.ledger.advance(self.now)

    @rule()
    def rest(self) -> None:
        """Check that nothing is held for ever, and nothing is stopped for longer than a period."""
        soon = self.now + HOLD + 1.0
        assert self.ledger.paused_until <= self.now + PERIOD
        assert (self.ledger.next_return(self.now) or 0.0) <= soon
        if self.ledger.limit - self.ledger.in_flight > 10:
            change = self.ledger.next_change(1, self.now)
            assert self.ledger.admits(1, self.now) or (change is not None and change <= soon)
            self.now = soon
            self.ledger.advance(soon)
            assert self.ledger.admits(1, soon)

    @invariant()
    def balanced(self) -> None:
        """Check that every point is in one place."""
        ledger = self.ledger
        assert ledger.in_flight == sum(self.in_flight.values())
        assert ledger.counted == sum(spent.points for spent in ledger._counted)
        assert ledger.lost == sum(spent.points for spent in ledger._lost)
        assert min(ledger.in_flight, ledger.counted, ledger.lost, ledger.foreign) >= 0
        assert ledger.available + ledger.in_flight + ledger.returning == ledger.limit
        for spents in (ledger._counted, ledger._lost):
            assert all(spent.points > 0 for spent in spents)
            assert sorted(spent.due for spent in spents) == [spent.due for spent in spents]


TestAnyHistory = AnyHistory.TestCase
