"""A real replica that is promoted while calls wait and are in flight, and lags or not."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import ExitStack

import pytest

from whereby_api_client.budget.redis_budget import RedisPointBudget

from ...helpers.forwarder import Forwarder
from ...helpers.redis_server import RedisServer

pytestmark = pytest.mark.slow

LIMIT, PERIOD = 40, 2.0


class Load:
    """Calls of several processes' budgets, and what they have really spent."""

    def __init__(self, budgets: list[RedisPointBudget]) -> None:
        self.budgets = budgets
        self.is_on = True
        self.calls = 0
        self.spent: list[tuple[float, int]] = []  # when the responses came
        self._dice = random.Random(1)

    async def run(self, fail_over: asyncio.Task[None]) -> None:
        """Make calls until Redis has failed over, and for a period after that."""
        async with asyncio.TaskGroup() as tasks:
            for budget in self.budgets:
                for _ in range(6):
                    tasks.create_task(self._work(budget))
            await fail_over
            await asyncio.sleep(PERIOD)
            self.is_on = False

    async def _work(self, budget: RedisPointBudget) -> None:
        while self.is_on:
            grant = await budget.acquire(self._dice.choice((1, 2, 3)))
            self.calls += 1
            await asyncio.sleep(self._dice.uniform(0.005, 0.3))
            self.spent.append((time.monotonic(), grant.cost))
            grant.settle(200, {})


@pytest.mark.parametrize("lag", [0.0, 0.3])
def test_a_replica_takes_over(server: RedisServer, lag: float) -> None:
    """Let every call return, and have the ledger right again within two periods."""

    async def scenario(replica: RedisServer, proxy: Forwarder, load: Load) -> None:
        async def fail_over() -> None:
            await asyncio.sleep(1.3 * PERIOD)
            replica.promote()
            await asyncio.sleep(lag)  # what is written now is lost
            server.stop()
            proxy.point_to(replica.port)

        task = asyncio.create_task(fail_over())
        await asyncio.wait_for(load.run(task), 30 * PERIOD)
        assert load.calls > 0
        for budget in load.budgets:
            await budget.refresh()
            assert budget.is_shared
        state = await load.budgets[0].refresh()
        # What was spent in the last period is out, and nothing else stays out for ever.
        since = time.monotonic() - PERIOD
        assert sum(cost for when, cost in load.spent if when > since) <= state.returning <= LIMIT
        assert state.in_flight == 0
        end = time.monotonic() + 30 * PERIOD
        while (await load.budgets[0].refresh()).available < LIMIT:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)

    try:
        with ExitStack() as stack:
            replica = stack.enter_context(RedisServer())
            replica.follow(server)
            proxy = stack.enter_context(Forwarder(server.port))
            url = f"redis://127.0.0.1:{proxy.port}/0"
            budgets = [
                stack.enter_context(RedisPointBudget(url, limit=LIMIT, period=PERIOD))
                for _ in range(3)
            ]
            asyncio.run(scenario(replica, proxy, Load(budgets)))
    finally:
        server.start()
