"""A real replica that is promoted while calls wait and are in flight, and lags or not."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import ExitStack
from typing import Any

import pytest

from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.budget.shared_ledger import SharedLedger

from ...helpers.forwarder import Forwarder
from ...helpers.redis_server import RedisServer

pytestmark = pytest.mark.slow

LIMIT, PERIOD = 40, 2.0
HOLD = PERIOD * 1.0005 + 0.001
#: What is settled returns so much later (seconds) at most, however busy the machine is.
LATE = 1.0


class Load:
    """Calls of several processes' budgets, and what they have really spent."""

    def __init__(self, budgets: list[RedisPointBudget], replica: RedisServer) -> None:
        self.budgets = budgets
        self.replica = replica
        self.is_on = True
        self.spent: list[tuple[float, int]] = []  # when the responses came
        self._dice = random.Random(1)

    def read(self) -> SharedLedger:
        """Return what the replica has."""
        with self.replica.client() as client:
            text: Any = client.get("whereby-points:{whereby}")
        return SharedLedger.from_text(text.decode())

    async def run(self, fail_over: asyncio.Task[float]) -> float:
        """Make calls until Redis has failed over, and for a period after that; return when."""
        async with asyncio.TaskGroup() as tasks:
            for budget in self.budgets:
                for _ in range(6):
                    tasks.create_task(self._work(budget))
            failed_at = await fail_over
            while self.read().latest < failed_at + PERIOD:  # noqa: ASYNC110 - asks a server
                await asyncio.sleep(0.02)
            self.is_on = False
        return failed_at

    async def _work(self, budget: RedisPointBudget) -> None:
        while self.is_on:
            grant = await budget.acquire(self._dice.choice((1, 2, 3)))
            await asyncio.sleep(self._dice.uniform(0.005, 0.3))
            self.spent.append((time.time(), grant.cost))
            grant.settle(200, {})

    async def ledger_at(self, moment: float) -> SharedLedger:
        """Return the ledger as it is at that time of its own, or soon after it."""
        while True:
            for budget in self.budgets:
                await budget.refresh()
                assert budget.is_shared
            if (shared := self.read()).latest >= moment:
                return shared
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("lag", [0.0, 0.3, 1.0])
def test_a_replica_takes_over(server: RedisServer, lag: float) -> None:
    """Let every call return, and have the ledger right again within two periods."""

    async def scenario(replica: RedisServer, proxy: Forwarder, load: Load) -> None:
        async def fail_over() -> float:
            await asyncio.sleep(1.3 * PERIOD)
            replica.promote()
            await asyncio.sleep(lag)  # what is written now is lost
            calls = len(load.spent)
            server.stop()
            proxy.point_to(replica.port)
            assert calls > 0
            return time.time()

        failed_at = await asyncio.wait_for(load.run(asyncio.create_task(fail_over())), 60)
        shared = await asyncio.wait_for(load.ledger_at(failed_at + 2 * PERIOD), 60)
        ledger, now = shared.ledger, shared.latest - shared.shift
        assert (ledger.in_flight, ledger.lost, ledger.foreign, shared.queue) == (0, 0, 0, [])
        assert ledger.available + ledger.returning == LIMIT
        surely = sum(cost for when, cost in load.spent if when > now - HOLD)
        perhaps = sum(cost for when, cost in load.spent if when > now - HOLD - LATE)
        assert surely <= ledger.returning <= perhaps
        assert sum(cost for when, cost in load.spent if when > failed_at) > 0

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
            asyncio.run(scenario(replica, proxy, Load(budgets, replica)))
    finally:
        server.start()
