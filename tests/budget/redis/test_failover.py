"""Redis fails over to a copy that lags, the writer dies, messages are lost: nobody waits for ever.

Virtual time, and a Redis that is only memory; a real one is in test_replica.py.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from whereby_api_client.budget.redis_store import Write
from whereby_api_client.budget.shared_ledger import SharedLedger

from ...helpers.virtual import VirtualLoop
from ...helpers.virtual_crowd import VirtualCrowd
from ...helpers.virtual_redis import MemoryRedis, VirtualBudget

LIMIT, PERIOD = 40, 4.0
HOLD = PERIOD * 1.0005 + 0.002
#: What a process tells can be so late (seconds), and then so do its points return.
LATE = 0.5
#: Moments at which Redis fails over: a few with each run of the tests, all with `slow`.
FEW, ALL = 8, 200


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scenario())


class Load:
    """Processes that spend all that they can, and what was really spent."""

    def __init__(self, redis: MemoryRedis, processes: int, workers: int, seed: int) -> None:
        self.redis = redis
        self.dice = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.budgets = [VirtualBudget(redis, limit=LIMIT, period=PERIOD) for _ in range(processes)]
        self.is_on = True
        self.in_flight = 0
        self.spent: list[tuple[float, int]] = []  # when the responses came
        self.started: dict[asyncio.Task[None], float] = {}
        self.tasks = {
            budget: [self.loop.create_task(self._work(budget)) for _ in range(workers)]
            for budget in self.budgets
        }

    async def _work(self, budget: VirtualBudget) -> None:
        task = asyncio.current_task()
        assert task is not None
        while self.is_on:
            cost = self.dice.choice((1, 2, 3))
            self.started[task] = self.loop.time()
            grant = await budget.acquire(cost)
            self.started.pop(task)
            self.in_flight += cost
            try:
                await asyncio.sleep(self.dice.uniform(0.005, 0.3))
                await budget.run_on()
            finally:
                self.in_flight -= cost
            if self.dice.random() < 0.1:
                grant.refund()
                continue
            self.spent.append((self.loop.time(), cost))
            grant.settle(200, {})

    async def stop(self) -> None:
        """End the load: every call has to return."""
        self.is_on = False
        calls = asyncio.gather(*itertools.chain(*self.tasks.values()))
        await asyncio.wait_for(calls, 20 * PERIOD)

    def kill(self, budget: VirtualBudget) -> None:
        """End a process, whatever it is doing."""
        budget.close()
        self.budgets.remove(budget)
        for task in self.tasks.pop(budget):
            task.cancel()

    def check(self) -> None:
        """Check that the shared ledger is exactly right."""
        shared = SharedLedger.from_text(self.redis.text)
        now = self.loop.time()
        shared.advance(now + self.redis.clock_offset)
        ledger = shared.ledger
        assert ledger.in_flight == self.in_flight
        surely = sum(cost for when, cost in self.spent if when > now - HOLD)
        perhaps = sum(cost for when, cost in self.spent if when > now - HOLD - LATE)
        assert surely <= ledger.returning <= perhaps
        assert not shared.queue

    def writer(self) -> VirtualBudget | None:
        """Return the process that writes for all now."""
        if not self.redis.text:
            return None
        address = SharedLedger.from_text(self.redis.text).writer
        return next((b for b in self.budgets if b._membership.address == address), None)

    def close(self) -> None:
        """End the processes."""
        for budget in self.budgets:
            budget.close()


async def fails_over(seed: int) -> None:
    """Let a copy that is up to three seconds old take over; look again after two periods."""
    random.seed(seed)  # the pauses of the real code
    dice = random.Random(seed)
    redis = MemoryRedis(rtt=dice.choice((0.0004, 0.005, 0.05)), seed=seed)
    load = Load(redis, processes=4, workers=6, seed=seed)
    await asyncio.sleep(dice.uniform(0.5, 3 * PERIOD))
    age = dice.choice((0.0, 0.1, 0.3, dice.uniform(0, 3), dice.uniform(0, 3)))
    if dice.random() < 0.3:  # nobody responds for a while
        redis.error = ConnectionError("down")
        await asyncio.sleep(dice.uniform(0.0, 1.0))
        redis.error = None
    if dice.random() < 0.3:  # another clock
        redis.clock_offset += dice.uniform(-100, 100)
    redis.fail_over(age)
    failed = load.loop.time()
    await asyncio.sleep(dice.uniform(0.5, 1.5 * PERIOD))
    await load.stop()
    assert all(budget.is_shared for budget in load.budgets)
    # Nothing is left of it after two periods, and of what was spent since then nothing is missing.
    left = failed + 2 * PERIOD + 0.1 - load.loop.time()
    if left > 0:
        await asyncio.sleep(left)
    for budget in load.budgets:
        await budget.refresh()
    load.check()
    load.close()


@pytest.mark.parametrize(
    "seed", [*range(FEW), *(pytest.param(s, marks=pytest.mark.slow) for s in range(FEW, ALL))]
)
def test_failover_at_any_moment(seed: int) -> None:
    """Let every call return, and have the ledger right again within two periods."""
    run(lambda: fails_over(seed))


@pytest.mark.parametrize("comes_back", [False, True])
@pytest.mark.parametrize("moment", ["before it writes", "after it", "before others hear of it"])
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in range(1, 20))]
)
def test_the_writer_falls_silent(seed: int, moment: str, comes_back: bool) -> None:
    """Let another process write soon, and have the ledger right, also if the first comes back."""

    async def scenario() -> None:
        random.seed(seed)
        redis = MemoryRedis(rtt=random.choice((0.0004, 0.05)), seed=seed)
        load = Load(redis, processes=4, workers=6, seed=seed)
        await asyncio.sleep(random.uniform(0.5, 2 * PERIOD))
        silent: list[VirtualBudget] = []

        def interrupt(point: str, budget: VirtualBudget, write: Write) -> None:
            if silent or not write.text or budget is not load.writer():
                return
            if moment == "before others hear of it":
                redis.lost_messages = 1.0 if point == "sending" else 0.0
            if point != ("sending" if moment == "before it writes" else "handled"):
                return
            silent.append(budget)
            if comes_back:
                budget.stop(random.uniform(0.4, 1.5) * PERIOD)
            else:
                load.kill(budget)

        redis.interrupt = interrupt
        while not silent:  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.001)
        since, before = load.loop.time(), len(load.spent)
        # A killed one is none of the processes any more.
        while load.writer() in (None, silent[0]):
            await asyncio.sleep(0.001)
            assert load.loop.time() - since < 1.0 + 10 * redis.rtt
        await asyncio.sleep(1.5 * PERIOD)
        assert len(load.spent) > before
        await asyncio.sleep(2 * PERIOD + 1.0)
        await load.stop()
        for budget in (*load.budgets, *load.budgets):
            await budget.refresh()  # and tell what has ended
            assert budget.is_shared
        load.check()
        assert len(SharedLedger.from_text(redis.text).members) == len(load.budgets)
        load.close()

    run(scenario)


@pytest.mark.parametrize("lost", [0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_lost_messages(seed: int, lost: float) -> None:
    """Let every call return soon although what processes tell each other does not arrive."""

    async def scenario() -> None:
        random.seed(seed)
        redis = MemoryRedis(rtt=0.005, seed=seed)
        redis.lost_messages = lost
        load = Load(redis, processes=4, workers=6, seed=seed)
        await asyncio.sleep(4 * PERIOD)
        assert sum(cost for _, cost in load.spent) > 2 * LIMIT
        longest = load.loop.time() - min(load.started.values())
        assert longest < 2.5 * PERIOD
        await load.stop()
        for budget in (*load.budgets, *load.budgets):
            await budget.refresh()
        load.check()
        load.close()

    run(scenario)


def test_one_writes_for_all() -> None:
    """Let processes leave their requests to one of them, and not fight for the text."""
    crowd = VirtualCrowd.run(8, 0.005, 300)
    assert crowd.redis.conflicts < 40
    assert crowd.redis.writes < crowd.redis.exchanges / 3
