"""The promises of the budget against simulated servers: no 429 of our own making, no waste.

All of it runs on the pure ledger, in virtual time, with the clients, the network and the servers of
`simulation.py` and `servers.py`.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whereby_api_client.budget.headers import RateLimit
from whereby_api_client.budget.ledger import Ledger, Ticket
from whereby_api_client.testing.points import Decision, FixedWindow, SlidingLog

from ..helpers.rate_limit_servers import (
    ALGORITHMS,
    RESETS,
    Limiter,
    Response,
    Server,
)
from ..helpers.simulation import Client, Fate, World, mixed

LIMIT = 200
PERIOD = 4.0
USUAL = ("fixed", "sliding", "bucket")
HEADERS = [None, *RESETS]


def delays(rng: random.Random) -> Callable[[], float]:
    """Make one way of a network whose round trip takes 5 to 60 ms."""
    return lambda: rng.uniform(0.0025, 0.030)


def saturate(
    server: Server,
    *,
    seed: int,
    calls: int = 1000,
    workers: int = 50,
    processes: int = 1,
    limit: int | None = None,
    start: float = 0.0,
) -> tuple[float, list[Client], list[int]]:
    """Let workers make calls as fast as they may. Returns seconds, clients, and the costs."""
    rng = random.Random(seed)
    world = World(start)
    costs = mixed(calls, rng)
    jobs = iter(costs)
    way = delays(rng)
    clients = []
    for _ in range(processes):
        ledger = Ledger(limit or 100, ceiling=limit, period=server.limiter.period)
        clients.append(Client(world, server, ledger, upward=way, downward=way))
        for _ in range(workers // processes):
            clients[-1].work(jobs)
    world.run()
    assert sum(client.done for client in clients) == calls
    return max(client.done_at for client in clients) - start, clients, costs


def share_used(limiter: Limiter) -> float:
    """Return which part of the limit was used per period, from the first call to the last full use.

    The end is left out: how much is left to do then says nothing about the budget.
    """
    log = limiter.log
    began = log[0][0]
    if isinstance(limiter.algorithm, FixedWindow):
        # Whole windows, as they really followed each other, gaps between them included.
        windows: list[tuple[float, int]] = []
        ends = -math.inf
        for when, cost in log:
            if when >= ends:
                windows.append((when, 0))
                ends = when + limiter.period
            windows[-1] = (windows[-1][0], windows[-1][1] + cost)
        periods = (windows[-1][0] - windows[0][0]) / limiter.period
        return sum(used for _, used in windows[:-1]) / limiter.limit / periods
    # The other algorithms allow the limit at once and then the limit per period.
    periods = math.floor((log[-1][0] - began) / limiter.period)
    used = sum(cost for when, cost in log if when < began + periods * limiter.period)
    return used / limiter.limit / periods


def ideal_time(used: int, costs: list[int], now: float) -> float:
    """Return the shortest time for these calls in a window that was opened at 0 with `used`."""
    began, (left, ends) = now, (LIMIT - used, PERIOD)
    for cost in costs:
        if cost > left:
            now = max(now, ends)
            left, ends = LIMIT, now + PERIOD
        left -= cost
    return now - began


@pytest.mark.parametrize("reset", HEADERS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_saturation(algorithm: str, reset: str | None) -> None:
    """Use 97 % of the limit without a 429, whatever the server's algorithm and headers."""
    limiter = ALGORITHMS[algorithm](LIMIT, PERIOD)
    server = Server(limiter, reset=reset, shift=0.37)
    # Without headers nothing tells the limit.
    saturate(server, seed=1, limit=LIMIT if reset is None else None)
    assert limiter.refused == 0
    assert share_used(limiter) >= 0.97


@pytest.mark.parametrize("reset", [None, "javascript"])
@pytest.mark.parametrize("algorithm", USUAL)
def test_saturation_at_real_scale(algorithm: str, reset: str | None) -> None:
    """Use 99 % of 1000 points a minute."""
    limiter = ALGORITHMS[algorithm](1000, 60.0)
    server = Server(limiter, reset=reset)
    saturate(server, seed=2, calls=2000, limit=1000 if reset is None else None)
    assert limiter.refused == 0
    assert share_used(limiter) >= 0.99


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("used", [1, 61, 199])
def test_joining_an_open_window(used: int, reset: str) -> None:
    """Join a window that others opened 1.5 s ago: no 429, within 5 % of the best possible time."""
    limiter = ALGORITHMS["fixed"](LIMIT, PERIOD)
    limiter.handle(used, 0.0)
    took, _, costs = saturate(Server(limiter, reset=reset, shift=0.8), seed=3, start=1.5)
    assert limiter.refused == 0
    assert took <= 1.05 * ideal_time(used, costs, 1.5)


@pytest.mark.parametrize("used", [1, 61, 199])
@pytest.mark.parametrize("algorithm", sorted(set(ALGORITHMS) - {"fixed"}))
def test_joining_other_algorithms(used: int, algorithm: str) -> None:
    """Join others without a 429 where there is no window."""
    limiter = ALGORITHMS[algorithm](LIMIT, PERIOD)
    limiter.handle(used, 0.0)
    saturate(Server(limiter), seed=4, start=1.5)
    assert limiter.refused == 0
    assert share_used(limiter) >= 0.97


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("algorithm", USUAL)
def test_two_processes_that_share_nothing(algorithm: str, seed: int) -> None:
    """See each other in the headers: at most 50 429s in 1000 calls, 97 % of the limit used."""
    limiter = ALGORITHMS[algorithm](LIMIT, PERIOD)
    _, clients, _ = saturate(Server(limiter, shift=0.1 * seed), seed=seed, processes=2)
    assert limiter.refused <= 50
    assert share_used(limiter) >= 0.97
    assert min(client.done for client in clients) >= 300  # neither is pushed aside


class SendLog:
    """What most limiters do: no more than the limit is *sent* within a period."""

    def __init__(self, limit: int, period: float) -> None:
        self.limit = limit
        self.period = period
        self.paused_until = 0.0
        self.log: deque[tuple[float, int]] = deque()
        self.out = 0

    def advance(self, now: float) -> None:
        """Forget what was sent a period ago."""
        while self.log and self.log[0][0] <= now - self.period:
            self.out -= self.log.popleft()[1]

    def admits(self, cost: int, now: float) -> bool:
        """Return whether a call may be sent."""
        return now >= self.paused_until and self.out + cost <= self.limit

    def price(self, operation: str, documented: int) -> int:
        """Return what is documented."""
        return documented

    def take(self, cost: int, now: float, *, operation: str, documented: int) -> Ticket:
        """Send a call."""
        self.log.append((now, cost))
        self.out += cost
        return Ticket(0, cost, now, 0, 0)

    def settle(self, ticket: Ticket, now: float, reported: RateLimit, *, rejected: bool) -> None:
        """Obey a 429."""
        if rejected:
            self.paused_until = now + (reported.retry_in or 1.0)

    def next_change(self, cost: int, now: float) -> float | None:
        """Return when to try again."""
        times = [self.paused_until, *(when + self.period for when, _ in list(self.log)[:1])]
        return min((time for time in times if time > now), default=now + 0.001)


def bursts(ledger: Any, algorithm: str, seed: int) -> tuple[float, int]:
    """Send bursts near 80 % of the limit. Returns the mean wait and the number of 429s."""
    rng = random.Random(seed)
    world = World()
    limiter = ALGORITHMS[algorithm](LIMIT, PERIOD)
    way = delays(rng)
    client = Client(world, Server(limiter), ledger, upward=way, downward=way)
    when = 0.0
    for _ in range(60):
        costs = mixed(rng.randint(5, 60), rng)
        when += rng.expovariate(0.8 * LIMIT / PERIOD / sum(costs))
        for cost in costs:
            world.at(when, client.call, cost)
    world.run()
    return sum(client.waits) / len(client.waits), limiter.refused


@pytest.mark.parametrize("seeds", [3, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("algorithm", USUAL)
def test_bursts(algorithm: str, seeds: int) -> None:
    """Draw no 429 from bursts, and wait no longer than a limiter that draws them."""
    ours = [bursts(Ledger(LIMIT, ceiling=None, period=PERIOD), algorithm, n) for n in range(seeds)]
    theirs = [bursts(SendLog(LIMIT, PERIOD), algorithm, n) for n in range(seeds)]
    assert sum(refused for _, refused in ours) == 0
    assert sum(wait for wait, _ in ours) <= sum(wait for wait, _ in theirs)


@pytest.mark.parametrize("algorithm", ["fixed", "sliding"])
def test_the_simulated_servers_refuse(algorithm: str) -> None:
    """Draw 429s with a limiter of the usual kind: so the servers can refuse."""
    assert sum(bursts(SendLog(LIMIT, PERIOD), algorithm, seed)[1] for seed in range(3)) > 3


# -- anything that can happen to a client that is alone --------------------------------------------

NONSENSE = (
    *("", "NaN", "-1", "inf", "1e99", "99999999999999999999", "-0", "x" * 200, "1, 2"),
    *("Thu, 01 Jan 1970 00:00:00 GMT", "9999-12-31T23:59:59.999Z", "0"),
)


class NoisyServer(Server):
    """Spoils headers on the way; a spoilt one makes no sense, but none is a plausible lie."""

    def __init__(self, limiter: Limiter, noise: float, rng: random.Random, **options: Any) -> None:
        super().__init__(limiter, **options)
        self._noise = noise
        self._rng = rng

    def handle(self, cost: int, now: float) -> Response:
        """Respond to one call, with or without some of the headers."""
        status, headers, body = super().handle(cost, now)
        for name in list(headers):
            if self._rng.random() < self._noise:
                headers[name] = self._rng.choice(NONSENSE)
                # 0 points remaining is a plausible lie; it would be obeyed.
                if self._rng.random() < 0.5 or headers[name] == "0":
                    del headers[name]
        return Response(status, headers, body)


def arrivals(rng: random.Random, limit: int, period: float) -> Iterator[tuple[float, int]]:
    """Give times and costs of calls: a trickle, bursts, or a full load late in the window."""
    style = rng.choice(("trickle", "bursts", "all at the end"))
    costs = rng.choice(((1,), (3,), (1, 2, 3), (1, 1, 1, 3), (1, 10)))
    mean = sum(costs) / len(costs)
    rate = rng.choice((0.3, 0.8, 1.0, 1.5)) * limit / period / mean
    most = max(1, int(limit / mean))
    when = 0.0
    for _ in range(rng.choice((6, 15, 40))):
        size = 1 if style == "trickle" else rng.randint(1, most)
        if style == "all at the end":
            size = rng.choice((1, most))
        when += size / rate * rng.uniform(0.2, 1.8)
        for _ in range(size):
            yield when, rng.choice(costs)


def live_alone(seed: int) -> tuple[Limiter, float]:
    """Lead one client through a random life. Returns its server, and how long it lived."""
    rng = random.Random(seed)
    limit = rng.choice((10, 12, 30, 50, 100, 200, 1000))
    period = rng.choice((1.0, 4.0, 10.0, 60.0))
    reset = rng.choice(HEADERS)
    limiter = ALGORITHMS[rng.choice(list(ALGORITHMS))](limit, period)
    noise = rng.choice((0.0, 0.0, 0.1, 0.5))
    server = NoisyServer(limiter, noise, rng, reset=reset, shift=rng.random())
    world = World(rng.random() * 10)
    is_limit_given = noise > 0 or reset is None or rng.random() < 0.5
    ledger = Ledger(
        limit if is_limit_given else 10, ceiling=limit if is_limit_given else None, period=period
    )

    longest = min(1.0, period / 4) * 0.99
    usual = longest * rng.choice((0.001, 0.01, 0.1, 0.5))

    def upward() -> float:
        return min(rng.expovariate(1 / usual), longest)

    sluggish = rng.choice((0.0, 0.0, 0.05))

    def downward() -> float:
        return upward() + (rng.uniform(0, 2 * period) if rng.random() < sluggish else 0.0)

    client = Client(world, server, ledger, upward=upward, downward=downward)
    client.timeout = period
    latest = [-1]

    def check() -> None:
        assert ledger.available + ledger.in_flight + ledger.returning == ledger.limit
        assert min(ledger.available, ledger.in_flight, ledger.counted, ledger.lost) >= 0
        assert ledger.foreign == 0
        assert not ledger.others_present

    client.check = check
    faults: list[Fate] = ["no connection", "request lost", "response lost", "given up"]
    faulty = rng.choice((0.0, 0.0, 0.05, 0.3))
    calls = 0
    start = world.now
    for when, cost in arrivals(rng, limit, period):
        fate: Fate = rng.choice(faults) if rng.random() < faulty else "answered"
        number = calls
        calls += 1

        def note(number: int = number) -> None:
            assert number > latest[0]  # first come, first served
            latest[0] = number

        world.at(start + when, lambda *a: client.call(a[0], fate=a[1], sent=a[2]), cost, fate, note)
    world.run()
    assert client.done == calls  # everything ends
    return limiter, world.now - start


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_alone_is_never_refused(seed: int) -> None:
    """Draw no 429, keep the balance and the order, and come to an end, whatever happens."""
    limiter, _ = live_alone(seed)
    assert limiter.refused == 0


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_alone_is_never_refused_in_many_lives(seed: int) -> None:
    """Draw no 429 in any of hundreds of lives."""
    limiter, _ = live_alone(seed)
    assert limiter.refused == 0


@pytest.mark.slow
def test_lives_are_long() -> None:
    """Check that the property test covers hours of simulated time within seconds."""
    assert sum(live_alone(seed)[1] for seed in range(60)) > 2 * 3600


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_lies_do_no_lasting_harm(seed: int) -> None:
    """Go on within a period, with a balanced ledger, when the headers are plausible lies."""
    rng = random.Random(seed)
    world = World()
    period = 10.0
    ledger = Ledger(100, ceiling=rng.choice((None, 100)), period=period)

    class Liar(Limiter):
        def handle(self, cost: int, now: float) -> Decision:
            decision = super().handle(cost, now)
            if rng.random() < 0.05:
                wait = rng.choice((0.0, 1.0, 1e6))
                decision = attrs.evolve(decision, allowed=False, retry_after=wait)
            lie = rng.choice((0, 1, 50, 100, decision.remaining))
            return attrs.evolve(decision, remaining=lie, reset=now + rng.uniform(-100, 100))

    way = delays(rng)
    client = Client(
        world, Server(Liar(SlidingLog(100, period), 100, period)), ledger, upward=way, downward=way
    )
    last = [0.0]

    def check() -> None:
        assert ledger.available + ledger.in_flight + ledger.returning == ledger.limit
        assert ledger.paused_until <= world.now + period

    def sent() -> None:
        assert world.now - last[0] <= period * 1.001 + 0.2
        last[0] = world.now

    client.check = check
    for cost in mixed(60, rng):
        client.call(cost, sent=sent)
    world.run()
    assert client.done == 60
