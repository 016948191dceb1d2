"""No connection gets lost, whatever is cancelled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from whereby_api_client import ClientClosedError, PointBudget
from whereby_api_client._http.budget_transport import BudgetTransport
from whereby_api_client._http.lifetime import Lifetime
from whereby_api_client._http.pool import PoolTransport

from ..helpers.anyio_version import needs_clean_cancelled_connects
from ..helpers.servers import half_a_response, hang, hang_up, reply, reset, serve, unused_url
from ..helpers.transports import call, points

pytestmark = pytest.mark.anyio


class Pools:
    """A PoolTransport over real sockets, and every pool that it has made."""

    def __init__(self, max_connections: int = 100) -> None:
        self.pools: list[httpx.AsyncHTTPTransport] = []
        self.lifetime = Lifetime()
        self.transport = PoolTransport(
            self.make, max_connections=max_connections, check_open=self.lifetime.check_open
        )

    async def make(self) -> httpx.AsyncHTTPTransport:
        """Make a pool without limit."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self.pools.append(httpx.AsyncHTTPTransport(verify=False, limits=limits))
        return self.pools[-1]

    async def send(self, url: str, budget: PointBudget | None = None) -> httpx.Response:
        """Send one request and read its response."""
        transport = BudgetTransport(self.transport, budget or PointBudget(10_000))
        return await transport.handle_async_request(httpx.Request("GET", url))


async def test_connections_are_used_again() -> None:
    """Keep one pool and one connection for calls after each other."""
    pools = Pools()
    async with serve(reply(200, {})) as server:
        for _ in range(10):
            await pools.send(server.url)
        await pools.transport.aclose()
    assert (server.connections, len(pools.pools)) == (1, 1)


async def test_no_more_connections_than_allowed() -> None:
    """Let calls wait for a connection, without an error."""
    pools = Pools(max_connections=2)
    async with serve(reply(200, {})) as server:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(pools.send, server.url)
        await pools.transport.aclose()
    assert len(server.requests) == 20
    assert server.connections == 2


async def test_what_did_not_reach_the_server_is_refunded() -> None:
    """Know by httpcore's trace whether the request was sent."""
    budget, pools = PointBudget(100), Pools(max_connections=1)
    with pytest.raises(httpx.ConnectError):
        await pools.send(unused_url(), budget)
    assert points(budget) == (100, 0, 0)
    async with serve(hang) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(pools.send, server.url, budget)
        while not server.requests:
            await anyio.lowlevel.checkpoint()
        tasks.start_soon(pools.send, server.url, budget)  # waits for the only connection
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert points(budget) == (99, 0, 1)
    await pools.transport.aclose()


async def test_closed() -> None:
    """Refuse requests after closing, and let no waiting one through."""
    pools = Pools(max_connections=1)
    failures: list[Exception] = []

    async def send(url: str) -> None:
        try:
            await pools.send(url)
        except (httpx.HTTPError, ClientClosedError) as error:
            failures.append(error)

    async with serve(hang) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, server.url)
            tasks.start_soon(send, server.url)
            while not server.requests:
                await anyio.lowlevel.checkpoint()
            pools.lifetime.close()
            await pools.transport.aclose()
        with pytest.raises(ClientClosedError):
            await pools.send(server.url)
    assert sorted(type(error).__name__ for error in failures) == ["ClientClosedError", "ReadError"]


async def test_a_pool_that_cannot_be_made_takes_no_slot() -> None:
    """Give the slot back when there is no pool to use it."""

    async def fail() -> httpx.AsyncBaseTransport:
        raise ValueError("no pool")

    transport = PoolTransport(fail, max_connections=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="no pool"):
            await transport.handle_async_request(call())


Step = Callable[[], Awaitable[None]]


def steps(seed: int) -> Iterator[Step]:
    """Give random moments: some scheduler ticks, or some fractions of a millisecond."""
    chance = random.Random(seed)
    while True:
        ticks, pause = chance.randrange(30), chance.random() * 0.003

        async def step(ticks: int = ticks, pause: float = pause) -> None:
            for _ in range(ticks):
                await anyio.lowlevel.checkpoint()
            if ticks < 10:
                await anyio.sleep(pause)

        yield step


async def sound(pools: Pools, url: str, budget: PointBudget) -> None:
    """Check that no point and no connection is missing."""
    assert budget.snapshot().in_flight == 0
    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(pools.send, url, budget)
    # the repr of httpcore's pool tells what is going on in it
    assert "Requests: 0 active, 0 queued" in repr(pools.pools[-1]._pool)
    await pools.transport.aclose()
    for pool in pools.pools:
        assert "Connections: 0 active, 0 idle" in repr(pool._pool)


@needs_clean_cancelled_connects
@pytest.mark.parametrize("max_connections", [3, 100])
async def test_cancelled_scopes_leak_nothing(max_connections: int) -> None:
    """Cancel calls at random moments: no slot, socket or point is missing afterwards."""
    pools, budget = Pools(max_connections), PointBudget(10_000)
    moments = steps(max_connections)
    async with serve(reply(200, {})) as server:
        for _ in range(30):
            async with anyio.create_task_group() as tasks:
                for _ in range(6):
                    tasks.start_soon(pools.send, server.url, budget)
                await next(moments)()
                tasks.cancel_scope.cancel()
        await sound(pools, server.url, budget)
        while server.open_connections:
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("max_connections", [3, 100])
async def test_cancelled_tasks_leak_nothing(max_connections: int) -> None:
    """Do the same with asyncio's own `Task.cancel()`, which no shield stops.

    https://github.com/encode/httpcore/issues/1093
    """
    pools, budget = Pools(max_connections), PointBudget(10_000)
    moments = steps(max_connections)
    async with serve(reply(200, {})) as server:
        for _ in range(60):
            tasks = [asyncio.create_task(pools.send(server.url, budget)) for _ in range(6)]
            for task in tasks:
                await next(moments)()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await sound(pools, server.url, budget)
        while server.open_connections:
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("fault", [hang_up, reset, half_a_response()])
async def test_faults_leak_nothing(fault: Any) -> None:
    """Break connections in every way: the pool stays whole and is not even exchanged."""
    pools, budget = Pools(max_connections=3), PointBudget(10_000)
    async with serve(*[fault] * 20, reply(200, {})) as server:
        for _ in range(20):
            with pytest.raises(httpx.TransportError):
                await pools.send(server.url, budget)
        await sound(pools, server.url, budget)
    assert len(pools.pools) == 1
