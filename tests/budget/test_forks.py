"""A forked child begins anew: lock, queue, loops and open tickets are its parent's."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from whereby_api_client import PointBudget, WherebyClient
from whereby_api_client._http._httpx import httpx
from whereby_api_client.budget import Grant
from whereby_api_client.budget.headers import RateLimit
from whereby_api_client.budget.ledger import Ledger

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    # Python warns of what this is about.
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

PERIOD = 1.0
#: How long a child may take on a busy machine before it counts as stuck.
STUCK = 30.0


def in_child(work: Callable[[], str]) -> Callable[[], str]:
    """Fork, let the child work, and return what waits for its result."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = "no result"
        try:
            os.close(reading)
            text = work()
        except BaseException as error:
            text = repr(error)
        finally:
            os.write(writing, text.encode())
            os._exit(0)
    os.close(writing)

    def result() -> str:
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        return text

    return result


async def call(points: PointBudget) -> None:
    """Make a call that is answered soon."""
    grant = await points.acquire(1)
    await asyncio.sleep(0.01)
    grant.settle(200, {})


def child(points: PointBudget) -> str:
    """Make a call in a new loop, as a worker process does; "done" unless it is stuck."""
    asyncio.run(asyncio.wait_for(call(points), STUCK))
    state = points.snapshot()
    assert state.available + state.in_flight + state.returning == state.limit
    assert (state.in_flight, state.waiting) == (0, 0)
    return "done"


class Load:
    """Threads, each with a loop, whose calls wait and are in flight all the time."""

    def __init__(self, points: PointBudget, threads: int) -> None:
        self._points = points
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        async def work() -> None:
            while not self._ending.is_set():
                await call(self._points)

        async def main() -> None:
            await asyncio.gather(*(work() for _ in range(10)))

        asyncio.run(main())

    def end(self) -> None:
        """Wait until the last call has ended."""
        self._ending.set()
        for thread in self._threads:
            thread.join(STUCK)
            assert not thread.is_alive()


def fork_many(times: int, threads: int) -> None:
    """Fork at any moment while threads wait for points; no child is stuck, nor is the parent."""
    points = PointBudget(20, period=PERIOD)
    load = Load(points, threads)
    try:
        for n in range(times):
            time.sleep(0.003 * (n % 7))
            assert in_child(lambda: child(points))() == "done"
    finally:
        load.end()
    assert points.snapshot().waiting == 0


def test_forks_beside_threads() -> None:
    """Fork some times at any moment."""
    fork_many(4, 2)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3])
def test_a_hundred_forks(threads: int) -> None:
    """Fork a hundred times at any moment."""
    fork_many(100, threads)


def test_fork_from_within_a_loop() -> None:
    """Fork in a loop whose calls wait and are in flight; both sides go on."""
    points = PointBudget(2, period=PERIOD)

    async def main() -> str:
        tasks = [asyncio.create_task(call(points)) for _ in range(5)]
        await asyncio.sleep(0.1)
        assert points.snapshot().waiting > 0
        result = in_child(lambda: _in_thread(lambda: child(points)))
        text = await asyncio.to_thread(result)
        await asyncio.gather(*tasks)
        return text

    assert asyncio.run(main()) == "done"


def _in_thread(work: Callable[[], str]) -> str:
    """Work in another thread: this one is inside the parent's loop."""
    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def test_what_the_parent_left_ends_in_silence() -> None:
    """Let grants of the parent end in the child without a trace, even with the lock held."""
    points = PointBudget(10, period=60.0)
    grants: list[Grant] = [asyncio.run(points.acquire(1))]

    def work() -> str:
        for grant in grants:
            grant.lose()
        state = points.snapshot()
        return json.dumps([state.limit, state.available, state.in_flight, state.returning])

    with points._queue:  # as if another thread were at work
        text = in_child(work)()
    # The call that is in flight in the parent counts as somebody else's.
    assert json.loads(text) == [10, 9, 0, 1]
    assert points.snapshot().in_flight == 1


def test_a_clock_that_needs_a_loop() -> None:
    """Begin anew also where the clock cannot be read outside of a loop."""
    points = PointBudget(10, period=PERIOD, clock=lambda: asyncio.get_running_loop().time())

    async def main() -> None:
        (await points.acquire(1)).settle(200, {})

    asyncio.run(main())

    def work() -> str:
        async def available() -> int:
            await call(points)
            return points.snapshot().available

        return str(asyncio.run(available()))

    assert in_child(work)() == "8"


def test_the_ledger_of_a_child() -> None:
    """Take over what is spent, with its times; take for foreign what is in flight."""
    ledger = Ledger(100, ceiling=None, period=60.0, prices={"a": 5})
    ledger.settle(ledger.take(10, 0.0), 1.0, RateLimit(), rejected=False)
    ledger.take(7, 2.0)
    copy = ledger.fork()
    assert (copy.counted, copy.in_flight, copy.foreign, copy.available) == (10, 0, 7, 83)
    assert (ledger.counted, ledger.in_flight, ledger.foreign) == (10, 7, 0)
    assert copy.price("a", 1) == 5
    assert copy.others_present
    copy.advance(62.5)
    assert copy.available == 100


def _call(client: Any) -> str:
    async def main() -> str:
        return str((await client.meetings.get("1")).meeting_id)

    return asyncio.run(main())


def _respond(request: httpx.Request) -> httpx.Response:
    day = "2030-01-01T00:00:00.000Z"
    meeting = {"meetingId": "1", "roomUrl": "https://x", "roomName": "/a"}
    return httpx.Response(200, json={**meeting, "startDate": day, "endDate": day})


def _in_process(results: Any) -> None:
    budget = PointBudget(2, period=PERIOD)
    client = WherebyClient(
        "token-1234567890", budget=budget, transport=httpx.MockTransport(_respond)
    )
    results.put(_call(client))


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_methods_of_multiprocessing(method: str) -> None:
    """Work in processes that multiprocessing makes, while the parent's calls wait."""
    points = PointBudget(2, period=PERIOD)

    async def main() -> None:
        tasks = [asyncio.create_task(call(points)) for _ in range(4)]
        await asyncio.sleep(0.05)
        context: Any = multiprocessing.get_context(method)
        results = context.Queue()
        process = context.Process(target=_in_process, args=[results])
        process.start()
        assert await asyncio.to_thread(results.get, True, STUCK) == "1"
        process.join()
        await asyncio.gather(*tasks)

    if sys.platform == "darwin" and method == "fork":
        pytest.skip("not safe on macOS")
    asyncio.run(main())
