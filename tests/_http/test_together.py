"""Client, budget and server together, over real sockets: how long it takes does not matter."""

from __future__ import annotations

import contextlib

import anyio
import anyio.lowlevel
import pytest

from whereby_api_client import BadRequestError, PointBudget, WherebyClient
from whereby_api_client.testing import FakeWhereby

pytestmark = pytest.mark.anyio


async def first_page(whereby: WherebyClient, cursor: str) -> None:
    """Fetch the page of a cursor; the fake does not know the cursor, which is fine here."""
    with contextlib.suppress(BadRequestError):
        await whereby.meetings.list(cursor=cursor)


async def test_a_hundred_at_once() -> None:
    """100 tasks, two clients, 50 points a second: no 429, and every call arrives once."""
    fake = FakeWhereby(limit=50, period=1.0)
    budget = PointBudget(limit=50, period=1.0)
    async with (
        fake.serve() as url,
        WherebyClient(fake.token, base_url=url, budget=budget, timeout=None) as first,
        WherebyClient(fake.token, base_url=url, budget=budget, timeout=None) as second,
        anyio.create_task_group() as tasks,
    ):
        # the first response tells the budget where the server's window stands
        await first_page(first, "0")
        for number in range(1, 100):
            tasks.start_soon(first_page, (first, second)[number % 2], str(number))
            await anyio.lowlevel.checkpoint()
    assert [request.status for request in fake.requests].count(429) == 0
    served = [int(dict(request.params)["cursor"]) for request in fake.requests]
    assert sorted(served) == list(range(100))


async def test_the_default_budget_learns_the_limit() -> None:
    """A budget without configuration takes over the server's limit with the first response."""
    fake = FakeWhereby(limit=1000)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        assert whereby.budget.snapshot().limit == 100
        await whereby.meetings.list()
        assert whereby.budget.snapshot().limit == 1000
