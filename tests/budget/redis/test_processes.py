"""Real processes that share one organization's points, a server that counts them, and accidents.

Small figures, to be quick: `python -m benchmarks redis_budget` has the ones of the acceptance.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.budget.shared_ledger import SharedLedger
from whereby_api_client.testing import FakeWhereby

from ...helpers.processes import Order, Process, Result, start_all
from ...helpers.redis_server import RedisServer

pytestmark = pytest.mark.slow

LIMIT, PERIOD = 60, 1.0


class Crowd:
    """Processes, the fake that they call, and the Redis that they share."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.fake = FakeWhereby(limit=LIMIT, period=PERIOD, delay=(0.001, 0.010), seed=1)
        self.stack = ExitStack()
        self.url = self.stack.enter_context(self.fake.serve())

    def start(self, processes: int, calls: int, workers: int = 10) -> list[Process]:
        """Let processes begin, each to make so many calls."""
        crowd = [
            self.stack.enter_context(
                Process(Order(self.url, self.server.url, calls, seed, PERIOD, None, workers))
            )
            for seed in range(processes)
        ]
        start_all(crowd)
        return crowd

    def writer(self, processes: list[Process]) -> Process | None:
        """Return which of them writes the ledger for all."""
        with self.server.client() as client:
            text: Any = client.get("whereby-points:{whereby}")
        address = SharedLedger.from_text(text.decode()).writer
        return next((process for process in processes if process.address == address), None)

    def refused(self) -> int:
        """Count the 429s."""
        return sum(request.status == 429 for request in self.fake.requests)


@pytest.fixture
def crowd(server: RedisServer) -> Iterator[Crowd]:
    """Give a place for processes."""
    crowd = Crowd(server)
    with crowd.stack:
        yield crowd


def nothing_failed(results: list[Result], calls: int) -> None:
    """Check that every call has its response."""
    assert [result.failed for result in results] == [[]] * len(results)
    assert [result.done for result in results] == [calls] * len(results)


def test_many_processes_share(crowd: Crowd) -> None:
    """Draw no 429, and leave nothing in flight or waiting."""
    results = [process.result() for process in crowd.start(5, calls=25)]
    nothing_failed(results, 25)
    assert [result.warnings for result in results] == [[]] * 5
    assert crowd.refused() == 0
    with RedisPointBudget(crowd.server.url, limit=LIMIT, period=PERIOD) as watcher:
        state = asyncio.run(watcher.refresh())
    assert (state.in_flight, state.available + state.returning) == (0, LIMIT)


def test_one_is_killed(crowd: Crowd) -> None:
    """Have a killed process's points back after one period, and do without it."""
    processes = crowd.start(3, calls=45)
    with RedisPointBudget(crowd.server.url, period=PERIOD) as watcher:
        time.sleep(1.3 * PERIOD)
        processes.pop().kill()
        killed = time.monotonic()
        nothing_failed([process.result() for process in processes], 45)
        assert crowd.refused() == 0
        # One more period for the others' points, who were done before that.
        while asyncio.run(watcher.refresh()).available < LIMIT:
            assert time.monotonic() - killed < 30
            time.sleep(0.01)
        assert asyncio.run(watcher.refresh()).in_flight == 0


def test_one_stands_still(crowd: Crowd) -> None:
    """Take a process for dead that is only stopped, and let it go on where it was."""
    processes = crowd.start(3, calls=40)
    time.sleep(1.3 * PERIOD)
    processes[0].stop()
    time.sleep(0.8 * PERIOD)
    processes[0].go_on()
    nothing_failed([process.result() for process in processes], 40)
    assert crowd.refused() == 0


@pytest.mark.parametrize("comes_back", [False, True])
def test_the_writer_falls_silent(crowd: Crowd, comes_back: bool) -> None:
    """Let another process write for all, also when the first one comes back."""
    processes = crowd.start(3, calls=60)
    time.sleep(1.3 * PERIOD)
    while (silent := crowd.writer(processes)) is None:
        time.sleep(0.01)
    if comes_back:
        silent.stop()
    else:
        silent.kill()
    others = [process for process in processes if process is not silent]
    while crowd.writer(others) is None:
        time.sleep(0.01)
    if comes_back:
        silent.go_on()
        others.append(silent)
    nothing_failed([process.result() for process in others], 60)
    assert crowd.refused() == 0


def test_a_lonely_death(crowd: Crowd) -> None:
    """Have the points back one period after the death."""
    with RedisPointBudget(crowd.server.url, limit=LIMIT, period=PERIOD) as watcher:
        # Responses that never come: all points stay in flight.
        crowd.fake.delay = 30.0
        (process,) = crowd.start(1, calls=LIMIT)
        while asyncio.run(watcher.refresh()).in_flight == 0:
            time.sleep(0.01)
        time.sleep(PERIOD / 4)  # it has shown that it is alive since
        process.kill()
        killed = time.monotonic()
        while (state := asyncio.run(watcher.refresh())).in_flight > 0:
            assert time.monotonic() - killed < 30
            time.sleep(0.01)
        # A period, and the quarter of one that a request may still have travelled.
        assert state.returning > 0
        assert state.next_points_in is not None
        assert time.monotonic() + state.next_points_in - killed < 1.25 * PERIOD + 0.5
        while asyncio.run(watcher.refresh()).available < LIMIT:
            assert time.monotonic() - killed < 30
            time.sleep(0.01)


def test_redis_is_killed_and_comes_back(crowd: Crowd) -> None:
    """Let no call fail while Redis is away, nor when it is back and has lost everything."""
    processes = crowd.start(3, calls=100)
    time.sleep(1.2 * PERIOD)
    crowd.server.stop()
    time.sleep(1.8 * PERIOD)
    crowd.server.start()
    results = [process.result() for process in processes]
    nothing_failed(results, 100)
    missed = [
        sum("Redis is not available" in text for text in result.warnings) for result in results
    ]
    assert missed == [1, 1, 1]
    assert crowd.server.calls() > 0  # the new server's: they share again
