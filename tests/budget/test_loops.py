"""One budget and many event loops: one after the other, in threads, stopped, closed, collected.

Here time is real, because threads are; the tests wait for each other and hardly for time.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import trio
import trio.testing

from whereby_api_client.budget import BudgetWait, Grant, PointBudget
from whereby_api_client.budget.loops import TrioLoop
from whereby_api_client.errors import BudgetTimeoutError

BACKENDS = ["asyncio", "trio"]
# Far beyond what a busy machine needs.
STUCK = 60.0


def opened(limit: int = 10, **options: Any) -> PointBudget:
    """Make a budget that has had its first response, which cost nothing that matters."""
    points = PointBudget(limit + 1, **options)
    asyncio.run(_first(points))
    return points


async def _first(points: PointBudget) -> None:
    (await points.acquire(1)).settle(200, {})


def check(points: PointBudget) -> None:
    """Check that the ledger balances."""
    state = points.snapshot()
    assert state.available + state.in_flight + state.returning == state.limit


def until(what: Callable[[], object]) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + STUCK
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Thread(threading.Thread):
    """Runs a coroutine in a loop of its own, and hands over what it returns."""

    def __init__(self, backend: str, work: Callable[..., Awaitable[Any]], *args: Any) -> None:
        super().__init__(daemon=True)
        self._call = (backend, work, args)
        self._result: Any = None
        self.start()

    def run(self) -> None:
        backend, work, args = self._call
        self._result = anyio.run(work, *args, backend=backend)

    def result(self) -> Any:
        """Wait for the end."""
        self.join(STUCK)
        assert not self.is_alive()
        return self._result


@pytest.mark.parametrize("first", BACKENDS)
@pytest.mark.parametrize("second", BACKENDS)
def test_loops_one_after_the_other(first: str, second: str) -> None:
    """Keep the ledger from one loop to the next, of whatever kind."""
    points = opened(period=0.05)
    grant: Grant = anyio.run(points.acquire, 10, backend=first)
    assert points.snapshot().in_flight == 10
    grant.settle(200, {})
    anyio.run(points.acquire, 11, backend=second).refund()
    assert points.snapshot().available == 11


def test_virtual_time_goes_on_from_run_to_run() -> None:
    """Count on where the last virtual clock stood, so that points return in the next run too."""
    points = PointBudget(10)

    async def spend() -> float:
        began = trio.current_time()
        for _ in range(3):
            (await points.acquire(10)).settle(200, {})
        return trio.current_time() - began

    spans = [trio.run(spend, clock=trio.testing.MockClock(autojump_threshold=0)) for _ in range(2)]
    assert spans[0] == pytest.approx(120, rel=1e-3)
    assert spans[1] == pytest.approx(180, rel=1e-3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_thread_wakes_another(backend: str) -> None:
    """Let a call wait in one loop, and come to its points through another thread."""
    points = opened()
    grant = asyncio.run(points.acquire(10))
    threads: list[Thread] = []
    for _ in range(3):
        threads.append(Thread(backend, points.acquire, 3))
        until(lambda: points.snapshot().waiting == len(threads))
    grant.refund()
    for thread in threads:
        assert thread.result().cost == 3
    assert points.snapshot().in_flight == 9
    check(points)


@pytest.mark.parametrize("backend", BACKENDS)
def test_time_wakes_every_loop(backend: str) -> None:
    """Let points return while calls wait in loops of several threads."""
    points = opened(period=0.05)
    asyncio.run(points.acquire(10)).settle(200, {})
    threads = [Thread(backend, points.acquire, 2) for _ in range(3)]
    assert [thread.result().cost for thread in threads] == [2, 2, 2]
    check(points)


def test_many_threads() -> None:
    """Serve hundreds of calls from four loops, with a balanced ledger, and all to their end."""
    points = opened(100, period=0.05)

    async def call() -> None:
        grant = await points.acquire(2)
        await anyio.lowlevel.checkpoint()
        check(points)
        grant.settle(200, {})

    async def calls() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(call)

    threads = [Thread(backend, calls) for backend in BACKENDS * 2]
    for thread in threads:
        thread.result()
    state = points.snapshot()
    assert (state.in_flight, state.waiting) == (0, 0)


def stop_waiting(points: PointBudget) -> tuple[asyncio.AbstractEventLoop, asyncio.Task[Grant]]:
    """Let a call wait in a loop that then stops."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(points.acquire(10))
    loop.call_soon(loop.call_soon, loop.stop)
    loop.run_forever()
    assert points.snapshot().waiting == 1
    # asyncio would complain of a task that is never done.
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    return loop, task


def test_a_closed_loop_blocks_nobody() -> None:
    """Drop a call whose loop was closed under it, and let the next one go."""
    waits: list[BudgetWait] = []
    points = opened(on_wait=waits.append)
    grant = asyncio.run(points.acquire(10))
    loop, _task = stop_waiting(points)
    loop.close()
    thread = Thread("asyncio", points.acquire, 10)
    until(lambda: len(waits) == 2)
    grant.refund()
    assert thread.result().cost == 10
    thread.result().refund()
    check(points)
    assert points.snapshot().waiting == 0


def test_a_loop_that_stands_still_is_passed_by() -> None:
    """Let others pass a call whose loop does not run, and serve it when it runs again."""
    points = opened()
    grant = asyncio.run(points.acquire(10))
    loop, task = stop_waiting(points)
    thread = Thread("asyncio", points.acquire, 10)
    until(lambda: points.snapshot().waiting == 2)
    grant.refund()
    passed = thread.result()
    assert not task.done()
    with pytest.raises(BudgetTimeoutError, match=r"\(0 calls are ahead\)"):
        asyncio.run(points.acquire(10, max_wait=0.1))
    passed.refund()
    assert loop.run_until_complete(task).cost == 10
    loop.close()
    assert points.snapshot().in_flight == 10
    check(points)


@pytest.mark.parametrize("is_served", [False, True])
def test_a_collected_call_gives_its_points_back(is_served: bool) -> None:
    """Leave nothing behind when a waiting call disappears together with its loop."""
    points = opened()
    grant = asyncio.run(points.acquire(10))
    loop, task = stop_waiting(points)
    if is_served:
        loop.call_soon(grant.refund)
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert points.snapshot().in_flight == 10
    else:
        grant.refund()
    loop.close()
    del task, loop
    gc.collect()
    state = points.snapshot()
    assert (state.in_flight, state.waiting) == (0, 0)
    check(points)


def test_an_end_in_the_middle_of_something() -> None:
    """Take the end of a grant that arrives while this thread is at work inside the budget.

    The garbage collector can do that: it closes coroutines wherever it happens to run. Here the
    clock does it, which the budget asks with its lock held.
    """
    victims: list[Grant] = []

    def clock() -> float:
        while victims:
            victims.pop().refund()
        return time.monotonic()

    points = opened(clock=clock)

    async def use() -> None:
        victims.append(await points.acquire(4))
        grant = await points.acquire(4)
        check(points)
        victims.append(grant)
        (await points.acquire(2)).refund()

    asyncio.run(use())
    assert points.snapshot().in_flight == 0
    check(points)


async def _crowd(points: PointBudget, size: int) -> float:
    """Let many calls wait and wake them. Returns the bytes that each needs while it waits."""
    grant = await points.acquire(10**9)

    async def call() -> None:
        (await points.acquire(1)).settle(200, {})

    before = tracemalloc.get_traced_memory()[0]
    tasks = [asyncio.ensure_future(call()) for _ in range(size)]
    await asyncio.sleep(0)
    after = tracemalloc.get_traced_memory()[0]
    assert points.snapshot().waiting == size
    grant.refund()
    await asyncio.gather(*tasks)
    return (after - before) / size


def test_a_waiting_call_is_small() -> None:
    """Need at most 2 kB for each of 3,000 waiting calls, their tasks included."""
    tracemalloc.start()
    try:
        # asyncio's debug mode keeps a traceback for each task.
        assert asyncio.run(_crowd(opened(10**9), 3_000), debug=False) <= 2048
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_crowd_is_woken(size: int) -> None:
    """Wake very many waiting calls: a quadratic step would take hours."""
    asyncio.run(_crowd(opened(10**9), size), debug=False)


def test_timers_end_with_their_waits() -> None:
    """Leave no timer in a loop when the last wait in it is given up."""
    points = opened(period=1000.0)
    asyncio.run(points.acquire(10))

    async def give_up() -> int:
        with anyio.move_on_after(0.01):
            await points.acquire(1)
        loop: Any = asyncio.get_running_loop()
        return sum(not timer.cancelled() for timer in loop._scheduled)

    assert asyncio.run(give_up()) == 0


def test_trio_tasks_end_with_their_waits() -> None:
    """Leave no task in a trio run when the last wait in it is given up."""
    points = opened(period=1000.0)
    asyncio.run(points.acquire(10))

    async def give_up() -> list[int]:
        tasks = [trio.lowlevel.current_statistics().tasks_living]
        with anyio.move_on_after(0.01):
            await points.acquire(1)
        await trio.testing.wait_all_tasks_blocked()
        return [*tasks, trio.lowlevel.current_statistics().tasks_living]

    before, after = trio.run(give_up)
    assert before == after


def test_an_alarm_for_a_run_that_is_ending() -> None:
    """Set no alarm in a trio run that takes no more tasks, and do not break it."""
    points = opened(period=1000.0)
    asyncio.run(points.acquire(10))
    alarms: list[TrioLoop] = []

    async def wait() -> None:
        loop = TrioLoop(trio.lowlevel.current_trio_token(), points._queue.run)
        alarms.append(loop)

    trio.run(wait)
    alarms[0].arm(0.0, 0.0, None)  # the run has finished: nothing to set

    async def late() -> None:
        loop = TrioLoop(trio.lowlevel.current_trio_token(), points._queue.run)
        with pytest.MonkeyPatch.context() as patch:

            def refuse(*args: object) -> None:
                raise RuntimeError("Nursery is closed to new arrivals")

            patch.setattr(trio.lowlevel, "spawn_system_task", refuse)
            loop.arm(1.0, 1.0, loop.key)
        assert loop._alarm is None
        loop.arm(1.0, 1.0, loop.key)
        assert loop._alarm is not None
        loop.disarm(loop.key)

    trio.run(late)
