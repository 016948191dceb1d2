"""Prices are learned from what the server counts, and a wrong one does no lasting harm."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from whereby_api_client.budget.headers import RateLimit
from whereby_api_client.budget.ledger import Ledger
from whereby_api_client.budget.prices import PriceList
from whereby_api_client.errors import InvalidArgumentError

from ..helpers.rate_limit_servers import ALGORITHMS, Limiter, Server
from ..helpers.simulation import Client, Job, World
from .test_scenarios import delays

OPERATIONS = [f"operation {n}" for n in range(24)]
SCALES = [(1000, 60.0), (100, 60.0), (300, 3.0)]
USUAL = ("fixed", "sliding", "bucket")


class Run:
    """Fifty workers call operations of random prices as fast as they may."""

    def __init__(
        self,
        algorithm: str,
        limit: int,
        period: float,
        seed: int,
        *,
        windows: int = 8,
        headers: bool = True,
        has_prices: bool = False,
    ) -> None:
        self.rng = random.Random(seed)
        self.documented = {name: self.rng.choice((1, 1, 2, 3)) for name in OPERATIONS}
        self.real = {name: self.rng.randint(1, 10) for name in OPERATIONS}
        self.world = World()
        self.limiter: Limiter = ALGORITHMS[algorithm](limit, period)
        self.server = Server(
            self.limiter, reset="javascript" if headers else None, shift=self.rng.random()
        )
        self.ledger = Ledger(
            100 if headers else limit,
            ceiling=None if headers else limit,
            period=period,
            prices=self.real if has_prices else None,
        )
        way = delays(self.rng)
        self.client = Client(self.world, self.server, self.ledger, upward=way, downward=way)
        mean = sum(self.real.values()) / len(self.real)
        self.left = int(windows * limit / mean) + 50

    def jobs(self) -> Iterator[Job]:
        """Draw operations."""
        while self.left > 0:
            self.left -= 1
            name = self.rng.choice(OPERATIONS)
            yield self.real[name], name, self.documented[name]

    def run(self) -> None:
        """Let all happen, and see that no call fails."""
        jobs = self.jobs()
        calls = self.left
        for _ in range(50):
            self.client.work(jobs)
        self.world.run()
        assert self.client.done == calls

    def share(self) -> float:
        """Return the part of the limit that was used after the first two periods."""
        period, log = self.limiter.period, self.limiter.log
        starts = [log[0][0]]
        for when, _ in log:  # as the windows really followed each other, with the gaps in between
            if when >= starts[-1] + period:
                starts.append(when)
        used = sum(cost for when, cost in log if starts[2] <= when < starts[-1])
        return used * period / self.limiter.limit / (starts[-1] - starts[2])


@pytest.mark.parametrize(
    ("seeds", "windows"),
    # Many windows: what is left of one of 100 points, for want of a smaller call, evens out.
    [(2, 6), pytest.param(20, 24, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(("limit", "period"), SCALES)
@pytest.mark.parametrize("algorithm", USUAL)
def test_random_prices(algorithm: str, limit: int, period: float, seeds: int, windows: int) -> None:
    """Draw no 429 and use 95 % of the limit, without knowing a price beforehand."""
    for seed in range(seeds):
        run = Run(algorithm, limit, period, seed, windows=windows)
        run.run()
        assert run.limiter.refused == 0
        assert run.share() >= 0.95


@pytest.mark.parametrize(("limit", "period"), SCALES)
@pytest.mark.parametrize("algorithm", ["fixed", "sliding"])
def test_no_figure_is_misread(
    algorithm: str, limit: int, period: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never conclude that a price lies where it does not, however the calls overlap."""
    narrow = PriceList.narrow

    def check(prices: PriceList, operation: str, documented: int, low: int, high: int) -> None:
        assert low <= run.real[operation] <= high
        narrow(prices, operation, documented, low, high)

    monkeypatch.setattr(PriceList, "narrow", check)
    for seed in range(2):
        run = Run(algorithm, limit, period, seed, windows=4)
        run.run()


class Burst:
    """Calls at 300 points per 3 s that overlap, so that a token bucket would refill in between."""

    def __init__(self, limit: int = 300) -> None:
        self.ledger = Ledger(limit, ceiling=None, period=3.0)
        self.now = 0.0
        self.counted = 0

    def send(self, *calls: tuple[str, int], refilled: int = 0) -> None:
        """Send calls of an operation and its real price; the last is answered 60 ms later."""
        tickets = []
        for operation, _ in calls:
            cost = self.ledger.price(operation, 1)
            assert self.ledger.admits(cost, self.now)
            tickets.append(self.ledger.take(cost, self.now, operation=operation, documented=1))
        self.counted -= refilled
        for number, (ticket, (_, cost)) in enumerate(zip(tickets, calls, strict=True)):
            self.counted += cost
            when = self.now + 0.03 + 0.03 * number / len(calls)
            limit = self.ledger.limit
            figure = RateLimit(limit, limit - self.counted)
            self.ledger.settle(ticket, when, figure, rejected=False)
        self.now += 0.06

    def use_up(self, *, c: int = 2) -> None:
        """Leave less than two calls could cost."""
        self.send(("a", 4))
        self.send(*[("a", 4), ("b", 10)] * 13, ("c", 2))
        self.send(*[("a", 4), ("b", 10)] * 4, ("c", c))
        self.send(*[("b", 10)] * 4)


def test_the_last_points_show_whether_the_server_refills() -> None:
    """Let one call go alone, and know all prices as soon as it shows that nothing refills."""
    burst = Burst()
    burst.use_up()
    ledger, answered = burst.ledger, burst.now - 0.01
    assert 10 <= ledger.available < 20
    assert ledger.price("b", 1) == ledger.price("c", 1) == 10
    turn = ledger.next_change(10, burst.now) or 0.0
    assert turn == pytest.approx(answered + 11 * 3.0 / 300, abs=0.01)
    assert not ledger.admits(10, burst.now)
    assert ledger.earliest(10, burst.now) == turn
    burst.now = turn
    burst.send(("a", 4))
    assert ledger.prices.to_dict() == {"a": 4, "b": 10, "c": 2}
    assert not ledger.prices.has_unknown()
    assert ledger.admits(2, burst.now)  # nothing is held back any more


def test_the_last_points_are_held_back_once_from_a_token_bucket() -> None:
    """Believe none of the differences when the server has refilled meanwhile."""
    burst = Burst()
    burst.use_up()
    ledger = burst.ledger
    burst.now = ledger.next_change(10, burst.now) or 0.0
    burst.send(("a", 4), refilled=12)
    assert ledger.price("b", 1) == ledger.price("c", 1) == 10
    burst.send(("b", 10))
    assert 10 <= ledger.available < 20
    assert ledger.admits(10, burst.now)  # a bucket hides the prices: nothing to wait for


def test_differences_that_disagree_are_no_prices() -> None:
    """Keep a price unknown if its figures differ, although the server does not refill."""
    burst = Burst()
    burst.use_up(c=3)
    burst.now = burst.ledger.next_change(10, burst.now) or 0.0
    burst.send(("a", 4))
    assert burst.ledger.price("b", 1) == 10
    assert burst.ledger.price("c", 1) == 10
    assert burst.ledger.prices.has_unknown()


def test_few_points_are_not_held_back() -> None:
    """Let a small limit be used up at once."""
    burst = Burst(39)
    burst.send(("a", 4))
    burst.send(("b", 10))
    burst.send(("b", 10))
    assert 10 <= burst.ledger.available < 20
    assert burst.ledger.admits(10, burst.now)


def test_points_return_together_while_prices_are_learned() -> None:
    """Let a sliding window forget all calls of a burst before the next ones show their prices."""
    ledger = Ledger(100, ceiling=None, period=60.0)
    tickets = [ledger.take(10, 0.0, operation=name, documented=1) for name in ("a", "b", "c")]
    for number, ticket in enumerate(tickets):
        figure = RateLimit(100, 96 - 4 * number)
        ledger.settle(ticket, 0.05 + number / 20, figure, rejected=False)
    ledger.advance(60.1)
    assert ledger.counted > 0
    assert ledger.next_return(60.1) == pytest.approx(60.18, abs=0.01)
    ledger.advance(60.2)
    assert ledger.counted == 0


@pytest.mark.parametrize(("limit", "period"), SCALES)
def test_prices_of_a_fixed_window_are_exact(limit: int, period: float) -> None:
    """Know every price exactly, after some windows."""
    run = Run("fixed", limit, period, 3, windows=16)
    run.run()
    assert run.ledger.prices.to_dict() == run.real
    learned = {price.operation: price.points for price in run.ledger.prices.learned}
    assert learned.items() <= run.real.items()
    # Where nothing differs from what was assumed there is nothing to report.
    differing = {name for name in OPERATIONS if run.real[name] != run.documented[name]}
    assert set(learned) == differing


@pytest.mark.parametrize("algorithm", USUAL)
def test_configured_prices_without_headers(algorithm: str) -> None:
    """Draw no 429 from a server that reports nothing, where the caller gives the prices."""
    run = Run(algorithm, 300, 3.0, 5, headers=False, has_prices=True)
    run.run()
    assert run.limiter.refused == 0
    assert run.share() >= 0.95
    # With the documented prices the server refuses calls.
    run = Run(algorithm, 300, 3.0, 5, headers=False)
    run.run()
    assert run.limiter.refused > 0


def test_configured_prices_are_corrected() -> None:
    """Believe the server more than the caller: the real prices are found out all the same."""
    run = Run("fixed", 300, 3.0, 6, windows=16)
    run.ledger.prices = PriceList({"operation *": 10})
    run.run()
    assert run.limiter.refused == 0
    assert run.ledger.prices.to_dict() == run.real


@pytest.mark.parametrize("algorithm", USUAL)
def test_prices_that_change(algorithm: str) -> None:
    """Draw few 429s when all prices change at once, all in one window, and none after that."""
    run = Run(algorithm, 1000, 60.0, 8, windows=12)
    refused: list[float] = []
    handle = run.limiter.handle

    def change() -> None:
        run.real.update({name: run.rng.randint(1, 10) for name in OPERATIONS})

    def watch(cost: int, now: float) -> object:
        decision = handle(cost, now)
        if not decision.allowed:
            refused.append(now)
        return decision

    run.limiter.handle = watch  # type: ignore[method-assign, assignment]
    run.world.at(150.0, change)
    run.run()
    assert len(refused) <= 30
    assert refused[-1] - refused[0] < 60


def serial(ledger: Ledger, operation: str, now: float, remaining: int, documented: int = 1) -> None:
    """Make a call that is answered after 50 ms."""
    cost = ledger.price(operation, documented)
    ledger.advance(now)
    ticket = ledger.take(cost, now, operation=operation, documented=documented)
    ledger.advance(now + 0.05)
    ledger.settle(ticket, now + 0.05, RateLimit(1000, remaining), rejected=False)


def test_one_call_of_somebody_else_changes_no_price() -> None:
    """Keep a price that was learned when others spend now and then."""
    ledger = Ledger(1000, ceiling=None, period=60.0)
    left = 1000
    for n in range(40):
        left -= 4
        if n % 3 == 2:
            left -= 2  # somebody else
        serial(ledger, "a", float(n), left)
        if n > 1:
            assert ledger.prices.to_dict() == {"a": 4}


@pytest.mark.parametrize("seed", range(5))
def test_lies_do_no_lasting_harm(seed: int) -> None:
    """Find the true price again when the figures have become true."""
    rng = random.Random(seed)
    ledger = Ledger(1000, ceiling=None, period=60.0)
    for n in range(200):
        serial(ledger, "a", n * 0.7, rng.randint(0, 1000))
    now, left = 1000.0, 1000
    for n in range(150):
        left -= 4
        serial(ledger, "a", now + n * 0.1, left)
        serial(ledger, "a", now + n * 0.1 + 0.05, left := left - 4) if left > 200 else None
    assert ledger.prices.to_dict() == {"a": 4}


def test_an_unknown_price_is_held_in_full() -> None:
    """Hold ten points for a call whose price nobody knows."""
    ledger = Ledger(1000, ceiling=None, period=60.0)
    assert ledger.price("a", 1) == 10
    serial(ledger, "a", 0.0, 995)
    assert ledger.price("a", 1) == 5
    assert ledger.price("b", 1) == 10
    assert ledger.price("", 3) == 3
    assert ledger.available == 995


def test_a_response_without_a_count_misleads_nothing() -> None:
    """Conclude nothing from a difference in which a call may lie whose count is not known."""
    ledger = Ledger(1000, ceiling=None, period=60.0)
    serial(ledger, "a", 0.0, 996)
    ledger.settle(
        ledger.take(10, 1.0, operation="b", documented=3), 1.1, RateLimit(), rejected=False
    )
    assert ledger.counted == 7  # the server has counted both
    serial(ledger, "a", 2.0, 989)
    assert ledger.price("a", 1) == 4
    serial(ledger, "a", 3.0, 985)
    assert ledger.price("a", 1) == 4


def test_a_late_call_teaches_nothing() -> None:
    """Conclude nothing from differences in which a call may lie that is still under way."""
    ledger = Ledger(1000, ceiling=None, period=60.0)
    serial(ledger, "a", 0.0, 996)
    late = ledger.take(10, 1.0, operation="b", documented=1)
    ledger.advance(10.0)
    serial(ledger, "a", 10.0, 989)  # the late call has been counted in between, with 3 points
    ledger.advance(11.0)
    ledger.settle(late, 11.0, RateLimit(1000, 993), rejected=False)
    assert (ledger.price("a", 1), ledger.price("b", 1)) == (4, 10)
    serial(ledger, "a", 12.0, 985)
    assert ledger.price("a", 1) == 4


def test_without_counts_the_document_is_right() -> None:
    """Take the documented price as long as the server reports nothing."""
    ledger = Ledger(100, ceiling=100, period=60.0)
    ledger.settle(ledger.take(3, 0.0, operation="a"), 0.1, RateLimit(), rejected=False)
    assert ledger.price("b", 2) == 2
    assert ledger.available == 97


def test_configured_patterns() -> None:
    """Prefer an operation's own name, then the first pattern that fits."""
    prices = PriceList({"insights.*": 10, "insights.get_participant": 4, "*.list": 2})
    assert prices.most("insights.list_rooms", 1) == 10
    assert prices.most("insights.get_participant", 1) == 4
    assert prices.least("meetings.list", 1) == 2
    assert prices.likely("meetings.create", 3) == 3


@pytest.mark.parametrize("points", [0, -1, 1.5, True, "3"])
def test_invalid_configured_prices(points: object) -> None:
    """Refuse prices that make no sense."""
    with pytest.raises(InvalidArgumentError, match="whole number of at least 1"):
        PriceList({"a": points})  # type: ignore[dict-item]


@pytest.mark.parametrize("algorithm", USUAL)
def test_a_ledger_survives_as_json(algorithm: str) -> None:
    """Go on from the state in the middle of everything just as without."""
    logs = []
    for is_copied in (False, True):
        run = Run(algorithm, 300, 3.0, 8, windows=5)
        if is_copied:

            def copy(run: Run = run) -> None:
                state = json.loads(json.dumps(run.client.ledger.to_state(), allow_nan=False))
                now = run.world.now
                run.client.ledger = Ledger.from_state(state, now, ceiling=None, period=3.0)
                assert run.client.ledger.to_state() == state

            run.client.check = copy
        run.run()
        logs.append(run.limiter.log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    "change",
    [
        {"limit": 0},
        {"limit": 10**7},
        {"in_flight": -1},
        {"counted": 5},
        {"counted": "3"},
        {"paused_until": 1e9},
        {"paused_until": float("nan")},
        {"_foreign_due": 1e9},
        {"_counted": [[3, 3, 0.0, 1e9]], "counted": 3},
        {"_counted": [[3, 3]]},
        {"_cautious": 1},
        {"_sent_at": [[1, "x"]]},
        {"prices": [["a", 1, 1, 0, 1]]},
        {"figures": []},
    ],
)
def test_nonsense_is_no_state(change: dict[str, object]) -> None:
    """Refuse what no ledger can be."""
    state = Ledger(100, ceiling=None, period=60.0).to_state()
    Ledger.from_state(state, 0.0, ceiling=None, period=60.0)
    with pytest.raises(ValueError, match="state"):
        Ledger.from_state({**state, **change}, 0.0, ceiling=None, period=60.0)
    del state["limit"]
    with pytest.raises(ValueError, match="state"):
        Ledger.from_state(state, 0.0, ceiling=None, period=60.0)
