"""What a service meets in production, over real sockets: thousands of broken calls, nothing leaks.

`FAULTY_CALLS=2000 CANCELLED_CALLS=10000 make test` is the long run.
"""

from __future__ import annotations

import contextlib
import os
import random
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import anyio.streams.tls
import pytest
import trustme

from whereby_api_client import APIConnectionError, PointBudget, WherebyClient, WherebyError
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.faults import Fault

pytestmark = pytest.mark.anyio

FAULTY_CALLS = int(os.environ.get("FAULTY_CALLS", "150"))
CANCELLED_CALLS = int(os.environ.get("CANCELLED_CALLS", "300"))
END = datetime(2030, 1, 1, tzinfo=UTC)
LIMIT = 10**6
# what befalls a call, each as often as the others
FAULTS: list[dict[str, Any]] = [
    {"drop": "before"},
    {"drop": "after"},
    {"drop": "mid"},
    {"garbage": True},
    {"garbage": b"HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n\r\n"},
    {"status": 500},
    {"status": 502, "execute": True},
    {"status": 503, "headers": {"Retry-After": "0.01"}},
    {"delay": 60},
    {"status": 200, "body": b"<html>"},
    {"delay": 0.01},
]


def open_sockets() -> int:
    """Count the process's open sockets."""
    links = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(os.readlink(link).startswith("socket:") for link in links)


async def assert_nothing_leaked(fake: FakeWhereby, whereby: WherebyClient) -> None:
    """All points are accounted for, and all 100 connections can be used at the same time."""
    points = whereby.budget.snapshot()
    assert (points.in_flight, points.waiting) == (0, 0)
    assert points.available + points.returning == points.limit == LIMIT
    # No response comes before all of them have arrived: with a connection missing, none would.
    before = len(fake.requests)
    fault = fake.fail("*", delay=3600, times=100)
    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(whereby.with_options(timeout=None).meetings.delete, "none")
        with anyio.fail_after(60):
            while len(fake.requests) - before < 100:
                await anyio.wait_all_tasks_blocked()
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    fault.cancel()


@pytest.mark.slow
async def test_faulty_calls() -> None:
    """Broken calls end in time with a WherebyError; no creating POST is executed twice."""
    dice = random.Random(1)
    fake = FakeWhereby(limit=None)
    outcomes: Counter[str] = Counter()
    longest = 0.0
    orders: list[Fault] = []
    numbers = iter(range(FAULTY_CALLS))

    async def worker(whereby: WherebyClient) -> None:
        nonlocal longest
        for number in numbers:
            orders.append(fake.fail("*", **dice.choice(FAULTS)))
            calls: list[Callable[[], Awaitable[object]]] = [
                partial(whereby.meetings.create, end_date=END, room_name_prefix=f"n{number}-"),
                partial(whereby.meetings.get, "none"),
                partial(whereby.meetings.delete, "none"),
                partial(whereby.rooms.set_logo, "room", theme="default"),
            ]
            began = anyio.current_time()
            try:
                await calls[number % len(calls)]()
                outcomes["fine"] += 1
            except WherebyError as error:
                outcomes[type(error).__name__] += 1
            longest = max(longest, anyio.current_time() - began)

    budget = PointBudget(limit=LIMIT)
    async with (
        fake.serve() as url,
        WherebyClient(fake.token, base_url=url, budget=budget, timeout=1.0) as whereby,
    ):
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(worker, whereby)
        assert sum(outcomes.values()) == FAULTY_CALLS
        assert outcomes.keys() >= {"fine", "NotFoundError", "ServerError", "APITimeoutError"}
        assert longest < 30  # far less than a delay that was not cut off by the timeout
        for order in orders:
            order.cancel()
        meetings = Counter([str(m.room_name).split("-")[0] async for m in whereby.meetings.list()])
        assert meetings
        assert max(meetings.values()) == 1, "a creating POST was executed twice"
        await assert_nothing_leaked(fake, whereby)


async def test_cancelled_calls() -> None:
    """Calls cancelled at random moments leak no point, connection, task or socket."""
    dice = random.Random(2)
    fake = FakeWhereby(limit=None, delay=(0.0, 0.004), seed=2)
    numbers = iter(range(CANCELLED_CALLS))
    outcomes: Counter[str] = Counter()

    async def call(whereby: WherebyClient) -> None:
        outcomes["begun"] += 1
        await whereby.meetings.delete("none")
        outcomes["done"] += 1

    async def worker(whereby: WherebyClient) -> None:
        for _ in numbers:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, whereby)
                if dice.random() < 0.7:
                    # by steps of the event loop, for a busy machine takes longer for each;
                    # no call is done after one or two
                    for _ in range(dice.choice((1, 2, 4, 8, 16, 32, 64, 128))):
                        await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()

    budget = PointBudget(limit=LIMIT)
    before = open_sockets()
    async with fake.serve() as url:
        await anyio.wait_all_tasks_blocked()
        tasks_before = len(anyio.get_running_tasks())
        async with WherebyClient(fake.token, base_url=url, budget=budget) as whereby:
            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(worker, whereby)
            assert CANCELLED_CALLS / 20 < outcomes["done"] < CANCELLED_CALLS * 19 / 20
            fake.delay = None
            await assert_nothing_leaked(fake, whereby)
        # The server's tasks end when they see the connections close, but for the 100 that the check
        # above has put to sleep.
        with anyio.fail_after(60):
            while len(anyio.get_running_tasks()) > tasks_before + 100:
                await anyio.wait_all_tasks_blocked()
                await anyio.sleep(0.01)
    assert open_sockets() <= before + 1


async def test_unknown_certificate() -> None:
    """A server whose certificate nobody vouches for gets neither token nor request."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    received: list[bytes] = []

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with contextlib.suppress(ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream):
                tls = await anyio.streams.tls.TLSStream.wrap(stream, ssl_context=context)
                received.append(await tls.receive())

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with WherebyClient(
            "canary", base_url=f"https://localhost:{port}", max_retries=0
        ) as whereby:
            with pytest.raises(APIConnectionError, match="certificate") as caught:
                await whereby.meetings.get("m")
        assert "canary" not in repr(caught.value)
        tasks.cancel_scope.cancel()
    assert received == []
