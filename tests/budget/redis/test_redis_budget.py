"""`RedisPointBudget` in one process: on asyncio and trio, with a Redis that comes and goes."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import redis

from whereby_api_client.budget.interface import BudgetSnapshot
from whereby_api_client.budget.queue import BudgetWait, Grant
from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.budget.shared_ledger import SharedLedger
from whereby_api_client.errors import BudgetTimeoutError, InvalidArgumentError

from ...helpers.redis_server import RedisServer

pytestmark = pytest.mark.anyio

#: What is left after the first call, whose response opens the rest.
LIMIT = 20
#: For tests in which points return; else it is a minute.
PERIOD = 0.8

#: Seconds that even a busy machine does not need, and that are less than any wait for points.
SOON = 20.0

Make = Callable[..., RedisPointBudget]

#: What happens between the thread and Redis does not depend on the event loop: one is enough.
one_loop = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture
def make(server: RedisServer) -> Iterator[Make]:
    """Make budgets of the same organization, and close them in the end."""
    budgets: list[RedisPointBudget] = []

    def make_one(url: Any = server.url, **options: Any) -> RedisPointBudget:
        budget = RedisPointBudget(url, **{"limit": LIMIT + 1, "period": 60.0, **options})
        budgets.append(budget)
        return budget

    yield make_one
    for budget in budgets:
        budget.close()


def check(budget: RedisPointBudget) -> BudgetSnapshot:
    """Check that the ledger balances."""
    state = budget.snapshot()
    assert state.available + state.in_flight + state.returning == state.limit
    return state


async def warm(budget: RedisPointBudget) -> None:
    """Make a first call; its point stays out for a period."""
    (await budget.acquire(1)).settle(200, {})


async def until(
    budget: RedisPointBudget, what: Callable[[BudgetSnapshot], bool], seconds: float = 60.0
) -> BudgetSnapshot:
    """Ask until something is true."""
    with anyio.fail_after(seconds):
        while not what(state := await budget.refresh()):  # noqa: ASYNC110 - asks a server
            await anyio.sleep(0.01)
    check(budget)
    return state


async def until_shared(*budgets: RedisPointBudget) -> None:
    """Wait until Redis is found again."""
    with anyio.fail_after(60):
        while not all(budget.is_shared for budget in budgets):  # noqa: ASYNC110 - another thread
            await anyio.sleep(0.01)


async def until_queued(server: RedisServer, calls: int) -> None:
    """Wait until so many calls stand in the shared queue."""
    with server.client() as client, anyio.fail_after(60):
        while True:
            text: Any = client.get("whereby-points:{whereby}")
            if len(SharedLedger.from_text(text.decode()).queue) == calls:
                return
            await anyio.sleep(0.002)


# -- sharing ---------------------------------------------------------------------------------------


@one_loop
async def test_two_share_one_limit(make: Make) -> None:
    """Take the points of two budgets from one pool, and let them return to it."""
    first, second = make(limit=LIMIT, period=PERIOD), make(limit=LIMIT, period=PERIOD)
    await warm(first)
    await anyio.sleep(PERIOD + 0.02)
    grants = [await first.acquire(10), await second.acquire(10)]
    assert (await first.refresh()).available == 0
    with anyio.move_on_after(0.1) as scope:
        await second.acquire(1)
    assert scope.cancelled_caught
    began = time.monotonic()
    for grant in grants:
        grant.settle(200, {})
    (await second.acquire(20)).refund()
    assert PERIOD < time.monotonic() - began < SOON
    assert check(first).limit == LIMIT


async def test_what_one_learns_all_know(make: Make) -> None:
    """Take over the server's limit for all processes from one's response."""
    first, second = (make(limit=None, period=PERIOD) for _ in range(2))
    assert (await second.acquire(1)).cost == 1
    (await first.acquire(1)).settle(
        200, {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "298"}
    )
    await until(second, lambda state: state.limit == 300)


async def test_first_come_first_served_among_processes(make: Make, server: RedisServer) -> None:
    """Never let one process's reads overtake another one's write."""
    first, second = make(), make()
    await warm(first)
    blocker = await first.acquire(18)
    order: list[str] = []

    async def call(budget: RedisPointBudget, name: str, cost: int) -> None:
        grant = await budget.acquire(cost)
        order.append(name)
        grant.refund()

    async with anyio.create_task_group() as group:
        group.start_soon(call, second, "write", 20)
        await until_queued(server, 1)
        for _ in range(3):
            group.start_soon(call, first, "read", 1)
        await until_queued(server, 4)
        assert order == []  # although two points are free
        blocker.refund()
    assert order == ["write", "read", "read", "read"]


async def test_many_waiting_calls(make: Make) -> None:
    """Serve more waiting calls than stand in the common queue, in their order."""
    first, second = make(limit=1001), make(limit=1001)
    await warm(first)
    blocker = await first.acquire(1000)
    order: list[int] = []

    async def call(number: int) -> None:
        budget = first if number % 3 else second
        grant = await budget.acquire(1)
        order.append(number)
        grant.refund()

    async with anyio.create_task_group() as group:
        for number in range(300):
            group.start_soon(call, number)
            await anyio.sleep(0.0005)
        await until(first, lambda state: state.waiting + second.snapshot().waiting == 300)
        blocker.refund()
    assert sorted(order) == list(range(300))
    # What processes tell comes a little late, and trio shuffles who runs at the same moment.
    assert max(abs(number - position) for position, number in enumerate(order)) < 200
    await until(first, lambda state: state.in_flight == 0)


@one_loop
async def test_ends_of_a_grant(make: Make) -> None:
    """Give points back at once, after a period, or never twice."""
    budget = make(period=PERIOD)
    await warm(budget)
    grant = await budget.acquire(3)
    grant.refund()
    grant.lose()
    grant.settle(429, {"retry-after": "30"})
    assert (await budget.refresh()).available == LIMIT
    assert check(budget).paused_for == 0
    (await budget.acquire(3)).lose()
    await until(budget, lambda state: state.returning == 4)
    await until(budget, lambda state: state.returning == 0)


@one_loop
async def test_a_429_pauses_all_processes(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Pause every process until the server's own time, and let the refused call go first."""
    first, second = make(period=PERIOD), make(period=PERIOD)
    await warm(first)
    (await first.acquire(1)).settle(429, {}, b'{"data": {"msLeft": 400}}')
    began = time.monotonic()
    order: list[str] = []
    assert (await second.refresh()).paused_for <= 0.41

    async def call(budget: RedisPointBudget, name: str, is_first: bool) -> None:
        grant = await budget.acquire(1, first=is_first)
        order.append(name)
        grant.settle(200, {})

    async with anyio.create_task_group() as group:
        group.start_soon(call, second, "other", False)
        await anyio.sleep(0.05)
        group.start_soon(call, first, "refused", True)
    assert order == ["refused", "other"]
    assert 0.4 <= time.monotonic() - began < SOON


@one_loop
async def test_an_idle_process_says_nothing(make: Make, server: RedisServer) -> None:
    """Be silent while no call waits and none is in flight."""
    budget = make(period=PERIOD)
    await warm(budget)
    await anyio.sleep(2 * PERIOD / 16)
    before = server.calls()
    await anyio.sleep(PERIOD)
    assert server.calls() == before
    (await budget.acquire(1)).refund()
    await budget.refresh()
    assert 2 <= server.calls() - before <= 3


@one_loop
async def test_an_uncontended_call_is_one_round_trip(make: Make, server: RedisServer) -> None:
    """Ask once for a grant, and once more at most to tell how it ended."""
    budget = make(limit=1000)
    await warm(budget)
    await budget.refresh()
    before = server.calls()
    for _ in range(50):
        (await budget.acquire(1)).settle(200, {})
    await budget.refresh()
    assert server.calls() - before <= 105


# -- waiting ---------------------------------------------------------------------------------------


async def test_max_wait_fails_at_once(make: Make) -> None:
    """Refuse a wait that is too long when Redis tells of it, not after it."""
    first, second = make(), make()
    (await first.acquire(1)).settle(200, {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "19"})
    (await first.acquire(19)).settle(200, {})
    began = time.monotonic()
    with pytest.raises(BudgetTimeoutError, match=r"the wait is at least (5\d\.|60)"):
        await second.acquire(3, max_wait=50.0)
    assert time.monotonic() - began < SOON
    assert check(second).waiting == 0
    await until(first, lambda state: state.in_flight == 0)


async def test_no_wait_at_all(make: Make) -> None:
    """Let a call that must not wait have points that are free."""
    budget = make()
    (await budget.acquire(1, max_wait=0)).settle(200, {})
    assert (await budget.acquire(20, max_wait=0)).cost == 20
    with pytest.raises(BudgetTimeoutError):
        await budget.acquire(1, max_wait=0)


async def test_a_crowd_that_must_not_wait(make: Make) -> None:
    """Refuse thousands of calls that come at once, without asking Redis about each."""
    budget = make(limit=101)
    await warm(budget)
    (await budget.acquire(100)).settle(200, {})
    outcomes: list[str] = []

    async def call() -> None:
        try:
            await budget.acquire(1, max_wait=61.0)
        except BudgetTimeoutError as error:
            outcomes.append(str(error))

    began = time.monotonic()
    async with anyio.create_task_group() as group:
        for _ in range(3000):
            group.start_soon(call)
        await until(budget, lambda state: len(outcomes) == 3000 - 101)
        assert time.monotonic() - began < SOON
        # Only so many have a chance, and nobody else stays.
        await until(budget, lambda state: state.waiting == 101)
        group.cancel_scope.cancel()
    assert all("the wait is at least" in text for text in outcomes)


async def test_max_wait_bounds_a_wait_that_was_not_foreseen(make: Make) -> None:
    """Give up when the time is over."""
    budget = make()
    await warm(budget)
    grant = await budget.acquire(20)  # nobody knows when it ends
    began = time.monotonic()
    with pytest.raises(BudgetTimeoutError):
        await budget.acquire(1, max_wait=0.2)
    assert time.monotonic() - began < SOON
    grant.refund()
    assert (await budget.refresh()).available == LIMIT


async def test_waiting_is_reported(make: Make) -> None:
    """Tell how many calls of all processes are ahead, and how long it will take."""
    waits: list[BudgetWait] = []
    first, second = make(), make(on_wait=waits.append)
    await warm(first)
    (await first.acquire(20)).settle(200, {})
    async with anyio.create_task_group() as group:
        group.start_soon(first.acquire, 5)
        await anyio.sleep(0.1)
        group.start_soon(second.acquire, 3)
        await anyio.sleep(0.1)
        group.cancel_scope.cancel()
    (wait,) = waits
    assert wait[:3] == (3, "foreground", 1)
    assert wait.expected == pytest.approx(60, rel=0.01)
    await until(first, lambda state: state.waiting == 0)


async def test_a_hook_that_fails_leaves_no_trace(make: Make) -> None:
    """Take a call out of the queue whose hook has raised."""

    def hook(wait: BudgetWait) -> None:
        raise ZeroDivisionError

    budget = make(on_wait=hook)
    await warm(budget)
    grant = await budget.acquire(20)
    with pytest.raises(ZeroDivisionError):
        await budget.acquire(1)
    grant.refund()
    assert (await budget.refresh()).available == LIMIT
    assert check(budget).waiting == 0


async def test_costs_that_cannot_be(make: Make) -> None:
    """Refuse costs that are not positive, and those above the limit, even if it falls meanwhile."""
    first, second = make(limit=51), make(limit=51)
    for cost in (0, -1, 52):
        with pytest.raises(InvalidArgumentError):
            await first.acquire(cost)
    await warm(first)
    grant = await first.acquire(30)
    async with anyio.create_task_group() as group:

        async def lower() -> None:
            await anyio.sleep(0.1)
            grant.settle(200, {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0"})

        group.start_soon(lower)
        with pytest.raises(InvalidArgumentError, match="the limit of 20"):
            await second.acquire(40)


async def test_priorities(make: Make) -> None:
    """Let the background of one process leave a reserve to the foreground of another."""
    first, second = make(), make()
    await warm(first)
    grant = await first.acquire(18, priority="background")
    order: list[str] = []

    async def call(budget: RedisPointBudget, name: str, priority: Any) -> None:
        await budget.acquire(1, priority=priority)
        order.append(name)

    async with anyio.create_task_group() as group:
        group.start_soon(call, first, "background", "background")
        await anyio.sleep(0.05)
        group.start_soon(call, second, "foreground", "foreground")
        await anyio.sleep(0.05)
        assert order == ["foreground"]
        grant.refund()
    assert order == ["foreground", "background"]


@pytest.mark.parametrize("moment", range(0, 8, 2))
async def test_cancelled(make: Make, moment: int) -> None:
    """Give everything back when waiting calls are cancelled, at whatever moment."""
    first, second = make(), make()
    await warm(first)
    grant = await first.acquire(20)
    async with anyio.create_task_group() as group:
        for budget in (first, second, first, second):
            group.start_soon(budget.acquire, 7)
        await anyio.sleep(0.03)
        grant.refund()
        await anyio.sleep(0.0003 * moment)
        group.cancel_scope.cancel()
    # The tasks that were through by then kept their grants and dropped them without an end.
    del grant
    for budget in (first, second):
        for ticket in list(budget._own.open):
            Grant(budget._queue, budget._own, ticket).refund()
    await until(first, lambda state: state.available == LIMIT)
    assert check(first).waiting == check(second).waiting == 0


# -- loops and threads -----------------------------------------------------------------------------


def test_many_loops(make: Make) -> None:
    """Serve calls that wait in several loops and threads, and wake each in its own."""
    budgets = make(limit=200, period=PERIOD), make(limit=200, period=PERIOD)

    async def calls(budget: RedisPointBudget) -> None:
        async def call() -> None:
            grant = await budget.acquire(2)
            await anyio.lowlevel.checkpoint()
            grant.settle(200, {})

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(call)

    threads = [
        threading.Thread(target=anyio.run, args=(calls, budget), kwargs={"backend": backend})
        for backend in ("asyncio", "trio")
        for budget in budgets
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    asyncio.run(budgets[1].refresh())  # which tells what it has not told yet
    state = asyncio.run(budgets[0].refresh())
    assert (state.in_flight, state.waiting) == (0, 0)
    assert state.limit == state.available + state.returning


def test_a_loop_that_stands_still(make: Make) -> None:
    """Let others pass a call whose loop does not run, and serve it when it does again."""
    budget = make()
    asyncio.run(_first(budget))
    grant = asyncio.run(budget.acquire(20))
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(budget.acquire(5))
    loop.run_until_complete(asyncio.sleep(0.05))
    grant.refund()
    other = asyncio.run(asyncio.wait_for(budget.acquire(20), 5))
    other.refund()
    assert loop.run_until_complete(asyncio.wait_for(waiting, 5)).cost == 5
    loop.close()


def test_a_collected_call_gives_its_points_back(make: Make) -> None:
    """Forget a call whose loop was closed and whose coroutine was collected."""
    budget = make()
    asyncio.run(_first(budget))
    grant = asyncio.run(budget.acquire(20))
    call = budget.acquire(7)
    loop = asyncio.new_event_loop()

    async def begin(coroutine: Coroutine[Any, Any, Grant]) -> None:
        coroutine.send(None)

    loop.run_until_complete(begin(call))
    assert budget.snapshot().waiting == 1
    del call
    gc.collect()
    loop.close()
    assert budget.snapshot().waiting == 0
    grant.refund()
    assert asyncio.run(budget.refresh()).available == 20


async def _first(budget: RedisPointBudget) -> None:
    (await budget.acquire(1)).settle(200, {})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_is_a_process_of_its_own(server: RedisServer) -> None:
    """Go on after a fork with a thread and a place in the ledger of its own."""
    code = f"""
import asyncio, os
from whereby_api_client.budget.redis_budget import RedisPointBudget
budget = RedisPointBudget({server.url!r}, limit=20, period=60.0)
async def first():
    (await budget.acquire(1)).settle(200, {{}})
asyncio.run(first())
held = asyncio.run(budget.acquire(4))
child = os.fork()
grant = asyncio.run(asyncio.wait_for(budget.acquire(5), 5))
state = asyncio.run(budget.refresh())
if child == 0:
    os._exit(0 if state.in_flight >= 9 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(asyncio.run(budget.refresh()).in_flight)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout == "14\n"


# -- without Redis ---------------------------------------------------------------------------------


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as a warning."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@one_loop
async def test_no_redis_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    """Begin without Redis with one warning, and share when it is there."""
    server = RedisServer()
    with RedisPointBudget(server.url, limit=LIMIT, period=PERIOD) as budget:
        began = time.monotonic()
        grant = await budget.acquire(3)
        assert time.monotonic() - began < SOON
        assert not budget.is_shared
        assert check(budget).in_flight == 3
        assert "without Redis" in repr(budget)
        grant.settle(200, {})
        for _ in range(6):
            (await budget.acquire(2)).settle(200, {})
        assert len(warnings(caplog)) == 1
        assert "Redis is not available" in caplog.text
        with server, RedisPointBudget(server.url, limit=LIMIT, period=PERIOD) as second:
            await until_shared(budget)
            (await budget.acquire(4)).settle(200, {})
            await until(second, lambda state: state.returning >= 4)
            assert len(warnings(caplog)) == 1


@one_loop
async def test_redis_killed_while_calls_wait(
    make: Make, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Let waiting calls go on when Redis dies, careful of the others, and share again after it."""
    first, second = make(period=2.0), make(period=2.0)
    headers = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "19"}
    (await first.acquire(1)).settle(200, headers)
    (await first.acquire(10)).settle(200, {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "9"})
    flying = await second.acquire(9)
    began = time.monotonic()
    served: list[float] = []

    async def call(budget: RedisPointBudget) -> None:
        grant = await budget.acquire(3)
        served.append(time.monotonic() - began)
        grant.settle(200, {})

    async with anyio.create_task_group() as group:
        for budget in (first, second, first, second):
            group.start_soon(call, budget)
        await anyio.sleep(0.1)
        server.stop()
        await anyio.sleep(0.3)
        assert served == []  # they know how much the others have out
        assert not first.is_shared
        assert not second.is_shared
        check(first)
        check(second)
    assert len(served) == 4
    assert min(served) > 1.5
    assert len([text for text in warnings(caplog) if "is not available" in text]) == 2
    server.start()
    await until_shared(first, second)
    # The ledger is new: the process that had a call in flight has told of it.
    await until(first, lambda state: state.in_flight == 9)
    await anyio.sleep(0.6)  # longer than a silent process is taken for alive
    assert (await first.refresh()).in_flight == 9
    flying.settle(200, {})
    await until(first, lambda state: state.in_flight == 0)


@one_loop
async def test_redis_that_has_lost_its_data(make: Make, server: RedisServer) -> None:
    """Tell a new ledger what is out when the old one is gone."""
    first, second = make(), make()
    (await first.acquire(1)).settle(200, {})
    (await first.acquire(5)).settle(200, {})
    grant = await second.acquire(7)
    with server.client() as client:
        client.flushall()
    (await first.acquire(1)).settle(200, {})
    await until(second, lambda state: (state.in_flight, state.returning) == (7, 7))
    assert first.is_shared
    assert second.is_shared
    grant.settle(200, {})
    await until(first, lambda state: state.returning == 14)


@one_loop
async def test_redis_that_has_lost_its_scripts(
    make: Make, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Bring the script again when Redis does not know it any more."""
    budget = make()
    await warm(budget)
    with server.client() as client:
        client.script_flush()
    (await budget.acquire(1)).refund()
    assert budget.is_shared
    assert warnings(caplog) == []


@one_loop
async def test_connections_that_are_cut(
    make: Make, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Connect again without a word when only the connection was cut."""
    budget = make()
    await warm(budget)
    await budget.refresh()
    with server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
        client.client_kill_filter(_type="pubsub", skipme=True)
    (await budget.acquire(1)).refund()
    assert budget.is_shared
    assert warnings(caplog) == []
    assert (await budget.refresh()).available == LIMIT


@one_loop
async def test_redis_that_hangs(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Go on alone when Redis does not answer in time, and come back when it does."""
    with RedisPointBudget(server.url, limit=LIMIT + 1, period=60.0, timeout=0.2) as budget:
        await warm(budget)
        grant = await budget.acquire(2)
        server.suspend(signal.SIGSTOP)
        try:
            began = time.monotonic()
            await budget.acquire(3)
            assert time.monotonic() - began < SOON
            assert not budget.is_shared
            assert check(budget).in_flight == 5
            grant.settle(200, {})
        finally:
            server.suspend(signal.SIGCONT)
        await until_shared(budget)
        await until(budget, lambda state: state.in_flight == 3)
        assert len(warnings(caplog)) == 1


@one_loop
async def test_sockets_that_hang_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """Let the waiting loops notice by themselves that the thread is stuck."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = redis.Redis(port=silent.getsockname()[1], socket_timeout=1.2)
        with RedisPointBudget(client, limit=LIMIT, timeout=0.1) as budget:
            began = time.monotonic()
            grant = await budget.acquire(3)
            assert time.monotonic() - began < SOON
            grant.refund()
        assert "no response" in caplog.text
        client.close()


@one_loop
@pytest.mark.parametrize(
    ("refusing", "usual", "text"),
    [
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read only replica"),
        ("CONFIG SET maxmemory 1mb", "CONFIG SET maxmemory 0", "maxmemory"),
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", "NOREPLICAS"),
        ("ACL SETUSER default -evalsha", "ACL SETUSER default +evalsha", "evalsha"),
        ("ACL SETUSER default resetkeys ~other", "ACL SETUSER default allkeys", "access a key"),
    ],
)
async def test_redis_that_refuses(
    make: Make,
    server: RedisServer,
    caplog: pytest.LogCaptureFixture,
    refusing: str,
    usual: str,
    text: str,
) -> None:
    """Go on alone while Redis refuses to write or to run the script, with one warning."""
    budget = make()
    await warm(budget)
    with server.client() as client:
        client.execute_command(*refusing.split())
        try:
            for _ in range(3):
                (await budget.acquire(1)).refund()
                await budget.refresh()
            assert not budget.is_shared
            (warning,) = warnings(caplog)
            assert "Redis is not available" in warning
            assert text in warning
        finally:
            client.execute_command(*usual.split())
    await until_shared(budget)


@one_loop
async def test_without_the_right_to_publish(make: Make, server: RedisServer) -> None:
    """Ask from time to time when nobody may send a message."""
    with server.client() as client:
        client.acl_setuser(
            "quiet", enabled=True, passwords="+secret", keys="*", commands=["+@all", "-publish"]
        )
    url = server.url.replace("redis://", "redis://quiet:secret@")
    first, second = make(url), make(url)
    await warm(first)
    grant = await first.acquire(20)
    began = time.monotonic()
    async with anyio.create_task_group() as group:
        group.start_soon(second.acquire, 3)
        await anyio.sleep(0.1)
        grant.refund()
    assert time.monotonic() - began < SOON  # a heartbeat


@one_loop
async def test_the_wrong_password_is_not_shown(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Keep the password of Redis out of logs and reprs, and do not fail because of it."""
    caplog.set_level(logging.DEBUG, "whereby_api_client")
    url = server.url.replace("redis://", "redis://nobody:hunter2@")
    with RedisPointBudget(url) as budget:
        (await budget.acquire(1)).refund()
        assert not budget.is_shared
        assert "hunter2" not in repr(budget) + caplog.text
    for url in ("http://u:hunter2@x", "redis://u:hunter2@host:notaport/0"):
        with pytest.raises(InvalidArgumentError) as caught:
            RedisPointBudget(url)
        assert "hunter2" not in repr(caught.value) + repr(caught.value.__context__)


# -- life ------------------------------------------------------------------------------------------


async def test_a_client_of_your_own(server: RedisServer) -> None:
    """Use a given client, also one that decodes, and leave it open."""
    client = redis.Redis(port=server.port, socket_timeout=1, decode_responses=True)
    with (
        RedisPointBudget(client, limit=LIMIT + 1) as first,
        RedisPointBudget(client, limit=LIMIT + 1) as second,
    ):
        await warm(first)
        grant = await first.acquire(20)
        async with anyio.create_task_group() as group:
            group.start_soon(second.acquire, 3)
            await anyio.sleep(0.1)
            grant.refund()
        assert first.is_shared
    assert client.ping()
    client.close()


async def test_arguments(server: RedisServer) -> None:
    """Refuse what cannot work."""
    with pytest.raises(InvalidArgumentError, match="socket_timeout"):
        RedisPointBudget(redis.Redis(socket_timeout=None))
    with pytest.raises(InvalidArgumentError, match="must be a URL"):
        RedisPointBudget(6379)  # type: ignore[arg-type]
    options: list[dict[str, Any]] = [{"timeout": 0}, {"limit": 0}, {"period": -1}, {"reserve": 1}]
    for option in options:
        with pytest.raises(InvalidArgumentError):
            RedisPointBudget(server.url, **option)


async def test_closed(server: RedisServer) -> None:
    """Leave the shared ledger, give back what waits, and go on alone."""
    budget = RedisPointBudget(server.url, limit=LIMIT, period=60.0)
    (await budget.acquire(1)).settle(200, {})
    grant = await budget.acquire(5)
    budget.close()
    budget.close()
    assert not budget.is_shared
    assert (await budget.acquire(2)).cost == 2
    grant.settle(200, {})
    with RedisPointBudget(server.url, limit=LIMIT, period=60.0) as second:
        state = await second.refresh()
    assert (state.in_flight, state.returning) == (0, 6)


async def test_closed_before_the_first_call(server: RedisServer) -> None:
    """Let calls go on alone also if nobody has ever talked to Redis."""
    budget = RedisPointBudget(server.url)
    budget.close()
    assert (await budget.acquire(2)).cost == 2
    assert not budget.is_shared
    assert server.calls() == 0


async def test_a_pause_is_known_at_once(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Tell the length of a pause in the log, before Redis has heard of it."""
    budget = make()
    await warm(budget)
    (await budget.acquire(1)).settle(429, {}, b'{"data": {"msLeft": 7000}}')
    assert budget.snapshot().paused_for == pytest.approx(7, abs=0.1)
    assert "7.0 s pause" in caplog.text


def test_collected(server: RedisServer) -> None:
    """End the threads with the budget."""
    budget = RedisPointBudget(server.url, limit=LIMIT, period=60.0)
    asyncio.run(_first(budget))
    thread = budget._worker._thread
    assert thread is not None
    del budget
    for _ in range(100):  # the thread may be using it just now
        gc.collect()
        thread.join(0.1)
        if not thread.is_alive():
            return
    raise AssertionError


def test_the_last_response_is_sent_at_the_end(server: RedisServer) -> None:
    """Tell Redis of the last response when the process ends right after it."""
    code = f"""
import asyncio
from whereby_api_client.budget.redis_budget import RedisPointBudget
budget = RedisPointBudget({server.url!r}, limit=20, period=60.0)
async def main():
    (await budget.acquire(3)).settle(200, {{}})
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
    with RedisPointBudget(server.url, limit=LIMIT, period=60.0) as budget:
        state = asyncio.run(budget.refresh())
    assert (state.in_flight, state.returning) == (0, 3)


def test_without_the_extra() -> None:
    """Name the extra where redis is missing; the package itself never imports it."""
    code = """
import sys
import whereby_api_client
assert "redis" not in sys.modules
sys.modules["redis"] = None
from whereby_api_client.budget.redis_budget import RedisPointBudget
try:
    RedisPointBudget("redis://localhost")
except ModuleNotFoundError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "a shared budget needs redis: pip install 'whereby-api-client[redis]'\n"
