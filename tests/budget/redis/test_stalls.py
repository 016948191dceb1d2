"""Processes that stand still, and requests that take long: nobody spends what is not there.

Virtual time; real processes that are stopped are in test_processes.py.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterable

import pytest

from whereby_api_client.budget.redis_store import Write
from whereby_api_client.budget.shared_ledger import SharedLedger

from ...helpers.rate_limit_servers import ALGORITHMS, Server
from ...helpers.virtual import VirtualLoop
from ...helpers.virtual_redis import MemoryRedis, VirtualBudget

LIMIT, PERIOD = 40, 4.0


@pytest.mark.parametrize("algorithm", ["fixed", "sliding"])
@pytest.mark.parametrize("connecting", [0.05, 0.5, 1.5])
def test_a_slow_connection(connecting: float, algorithm: str) -> None:
    """Let no point return early because a process takes long to connect to Redis."""

    async def scenario() -> list[int]:
        redis = MemoryRedis()
        server = Server(ALGORITHMS[algorithm](LIMIT, PERIOD))
        loop = asyncio.get_running_loop()

        async def call(budget: VirtualBudget, cost: int) -> int:
            grant = await budget.acquire(cost)
            response = server.handle(cost, loop.time())
            grant.settle(response.status, response.headers, response.body)
            return response.status

        first = VirtualBudget(redis, period=PERIOD, limit=LIMIT)
        assert [await call(first, 1), await call(first, LIMIT - 1)] == [200, 200]
        await first.refresh()
        # Just before the points return. Nobody writes for all by then.
        await asyncio.sleep(PERIOD - connecting - 0.02)
        second = VirtualBudget(redis, period=PERIOD, limit=LIMIT)
        second.connect_slowly(connecting)
        statuses = [await call(second, LIMIT // 2), await call(second, LIMIT // 2)]
        first.close()
        second.close()
        return statuses

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(scenario()) == [200, 200]


def test_a_process_that_comes_back_late() -> None:
    """Let a process join again that nobody remembers, and do not take it for a failover."""

    async def scenario() -> None:
        redis = MemoryRedis()
        first, second = (VirtualBudget(redis, period=PERIOD, limit=LIMIT) for _ in range(2))
        (await first.acquire(1)).settle(200, {})
        held = await first.acquire(2)
        await first.refresh()
        epoch = SharedLedger.from_text(redis.text).epoch
        first.stop(4 * PERIOD)
        for _ in range(40):  # somebody has to notice that it is silent, and to forget it
            (await second.acquire(1)).refund()
            await asyncio.sleep(PERIOD / 10)
        assert SharedLedger.from_text(redis.text).left == {}
        assert (await first.refresh()).in_flight == held.cost
        assert SharedLedger.from_text(redis.text).epoch == epoch
        first.close()
        second.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scenario())


class Crowd:
    """Processes that spend all that they can, and stand still now and then.

    Args:
        algorithm: of the server.
        point: where a process stands still, see `MemoryRedis`.
        seconds: for how long, at least and at most.
    """

    def __init__(
        self, seed: int, *, algorithm: str, point: str, seconds: tuple[float, float]
    ) -> None:
        random.seed(seed)  # the pauses of the real code
        self.dice = random.Random(seed)
        self.redis = MemoryRedis(rtt=self.dice.choice((0.0004, 0.005, 0.05)), seed=seed)
        self.redis.interrupt = self._stop
        self.server = Server(ALGORITHMS[algorithm](LIMIT, PERIOD))
        self.budgets = [VirtualBudget(self.redis, period=PERIOD) for _ in range(4)]
        self.point = point
        self.seconds = seconds
        self.stops = 0

    def _stop(self, point: str, budget: VirtualBudget, write: Write) -> None:
        # Every now and then, whatever it says; mostly when it has written for all.
        if point == self.point and self.dice.random() < (0.05 if write.text else 0.01):
            self.stops += 1
            budget.stop(self.dice.uniform(*self.seconds))

    async def run(self, calls: int) -> None:
        """Let each process make so many calls."""
        jobs: list[list[int]] = [self.dice.choices((1, 2, 3), k=calls) for _ in self.budgets]
        async with asyncio.TaskGroup() as tasks:
            for budget, costs in zip(self.budgets, jobs, strict=True):
                for _ in range(6):
                    tasks.create_task(self._work(budget, costs))
        for budget in self.budgets:
            budget.close()

    async def _work(self, budget: VirtualBudget, costs: list[int]) -> None:
        loop = asyncio.get_running_loop()
        while costs:
            cost = costs.pop()
            grant = await budget.acquire(cost)
            await asyncio.sleep(self.dice.uniform(0.005, 0.06))
            response = self.server.handle(cost, loop.time())
            await asyncio.sleep(self.dice.uniform(0.005, 0.06))
            await budget.run_on()
            grant.settle(response.status, response.headers, response.body)


@pytest.mark.parametrize("seconds", [(0.05, 0.5), (0.5, 5.0), (5.0, 12.0)])
@pytest.mark.parametrize("point", ["sending", "handled", "delivered"])
@pytest.mark.parametrize(
    ("algorithms", "seeds"),
    [
        (["sliding"], range(1)),
        pytest.param(ALGORITHMS, range(1, 6), marks=pytest.mark.slow),
    ],
)
def test_processes_that_stand_still(
    algorithms: Iterable[str], seeds: range, point: str, seconds: tuple[float, float]
) -> None:
    """Draw no 429 and lose no call, wherever and however long a process stands still."""

    async def scenario(seed: int, algorithm: str) -> Crowd:
        crowd = Crowd(seed, algorithm=algorithm, point=point, seconds=seconds)
        await asyncio.wait_for(crowd.run(40), 200 * PERIOD)
        return crowd

    for seed, algorithm in itertools.product(seeds, algorithms):
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            crowd = runner.run(scenario(seed, algorithm))
        limiter = crowd.server.limiter
        assert (limiter.accepted, limiter.refused) == (4 * 40, 0)
        assert crowd.stops > 0
