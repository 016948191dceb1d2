"""Many processes through a Redis that is near or far, in virtual time: what they waste and risk."""

from __future__ import annotations

import asyncio
import random

from .rate_limit_servers import ALGORITHMS, Server
from .virtual import VirtualLoop
from .virtual_redis import MemoryRedis, VirtualBudget

LIMIT, PERIOD = 200, 4.0


class VirtualCrowd:
    """Processes with 25 workers each, and the server that counts their calls.

    Args:
        processes: how many.
        rtt: seconds to Redis and back.
        calls: of all processes together.

    Attributes:
        counted: when the server counted how many points.
        refused: calls that got a 429.
    """

    def __init__(self, processes: int, rtt: float, calls: int) -> None:
        self.dice = random.Random(1)
        self.redis = MemoryRedis(rtt=rtt, jitter=0.0)
        self.redis.compute = 0.001
        self.server = Server(ALGORITHMS["fixed"](LIMIT, PERIOD), reset="javascript")
        self.budgets = [VirtualBudget(self.redis, period=PERIOD) for _ in range(processes)]
        self.jobs: list[list[int]] = [
            self.dice.choices((1, 2, 3), (0.5, 0.2, 0.3), k=calls // processes)
            for _ in range(processes)
        ]
        self.counted: list[tuple[float, int]] = []
        self.refused = 0

    @classmethod
    def run(cls, processes: int, rtt: float, calls: int) -> VirtualCrowd:
        """Make all calls."""
        random.seed(1)  # the pauses of the real code

        async def scenario() -> VirtualCrowd:
            crowd = cls(processes, rtt, calls)
            await asyncio.wait_for(crowd._run(), 100 * PERIOD)
            return crowd

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(scenario())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for budget, jobs in zip(self.budgets, self.jobs, strict=True):
                for _ in range(25):
                    tasks.create_task(self._work(budget, jobs))
        for budget in self.budgets:
            budget.close()

    async def _work(self, budget: VirtualBudget, jobs: list[int]) -> None:
        loop = asyncio.get_running_loop()
        while jobs:
            cost = jobs.pop()
            grant = await budget.acquire(cost)
            await asyncio.sleep(self.dice.uniform(0.005, 0.06))
            response = self.server.handle(cost, loop.time())
            if response.status == 200:
                self.counted.append((loop.time(), cost))
            else:
                self.refused += 1
            await asyncio.sleep(self.dice.uniform(0.005, 0.06))
            grant.settle(response.status, response.headers, response.body)

    def used(self) -> float:
        """Return the part of the limit that was used, until the last period could begin."""
        periods = (sum(cost for _, cost in self.counted) - 1) // LIMIT
        total = 0
        for when, cost in self.counted:
            total += cost
            if total > periods * LIMIT:
                return periods * PERIOD / (when - self.counted[0][0])
        raise AssertionError
