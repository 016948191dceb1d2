"""What is paid for an attempt, and what its response changes."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import httpx
import pytest
import trio
import trio.testing

from whereby_api_client import BudgetTimeoutError, PointBudget
from whereby_api_client._http.budget_transport import BudgetTransport
from whereby_api_client._http.retries import RetryTransport

from ..helpers.transports import URL, Retries, Script, call, points

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("outcome", "cost"),
    [
        (200, 3),
        (404, 3),
        (500, 3),
        (httpx.ReadError(""), 3),
        (httpx.ReadTimeout(""), 3),
        (ValueError("odd"), 3),
        (httpx.ConnectError(""), 0),
        (httpx.ConnectTimeout(""), 0),
        (httpx.PoolTimeout(""), 0),
        (httpx.ProxyError(""), 0),
    ],
    ids=str,
)
async def test_what_an_attempt_costs(outcome: int | Exception, cost: int) -> None:
    """Pay for what the server may have counted, and for nothing else."""
    budget = PointBudget(100)
    transport = BudgetTransport(Script(outcome), budget)
    if isinstance(outcome, Exception):
        with pytest.raises(type(outcome)):
            await transport.handle_async_request(call("POST"))
    else:
        await transport.handle_async_request(call("POST"))
    assert points(budget) == (100 - cost, 0, cost)


@pytest.mark.parametrize(
    ("method", "cost"), [("GET", 1), ("HEAD", 1), ("DELETE", 2), ("POST", 3), ("PATCH", 3)]
)
async def test_a_foreign_request_pays_by_its_method(method: str, cost: int) -> None:
    """Let nothing through for free, wherever it comes from."""
    budget = PointBudget(100)
    async with httpx.AsyncClient(transport=BudgetTransport(Script(200), budget)) as http:
        await http.request(method, URL)
    assert points(budget) == (100 - cost, 0, cost)


async def test_every_attempt_pays() -> None:
    """Take points again for each retry."""
    budget = PointBudget(100)
    retries = Retries(BudgetTransport(Script(500, 500, 200), budget))
    await retries.transport.handle_async_request(call("PUT", repeatable=True, max_retries=2))
    assert points(budget) == (91, 0, 9)


async def test_the_server_corrects_the_points() -> None:
    """Hand the headers of every response to the budget."""
    budget = PointBudget()
    response = httpx.Response(200, headers={"X-RateLimit-Limit": "1000"})
    await BudgetTransport(Script(response), budget).handle_async_request(call())
    assert budget.snapshot().limit == 1000


async def test_another_host_does_not_correct_the_points() -> None:
    """Ignore the rate limit of a host that a redirect led to."""
    budget = PointBudget(100)
    response = httpx.Response(429, headers={"X-RateLimit-Limit": "10", "Retry-After": "3600"})
    transport = BudgetTransport(Script(response), budget)
    await transport.handle_async_request(call(host="api.example"))
    assert budget.snapshot().limit == 100
    assert budget.snapshot().paused_for == 0


def test_429_waits_in_the_budget() -> None:
    """Wait as long as the body of a 429 says, then try again before those who came later."""

    async def main() -> None:
        refusal = httpx.Response(429, json={"error": "x", "data": {"msLeft": 38_689}})
        script = Script(refusal, 200)
        transport = RetryTransport(BudgetTransport(script, PointBudget(100)))
        start = anyio.current_time()
        response = await transport.handle_async_request(call("POST", max_retries=1))
        assert response.status_code == 200
        assert 38.6 < anyio.current_time() - start < 40

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_waiting_for_points_does_not_count_as_time() -> None:
    """Stop the clock of the call while it waits for points, and only then."""

    async def main() -> None:
        budget = PointBudget(10)
        slow: list[float] = [5.0, 5.0, 5.0]

        async def respond(request: httpx.Request) -> httpx.Response:
            await anyio.sleep(slow.pop())
            return httpx.Response(503 if slow else 200)

        transport = RetryTransport(BudgetTransport(httpx.MockTransport(respond), budget))
        (await budget.acquire(10)).settle(200, {})
        statuses = []
        with anyio.CancelScope() as scope:
            # three attempts of 5 s and two pauses of at most 2 s fit into 20 s; the minute that
            # the points take to come back does not
            request = call(repeatable=True, max_retries=2, timeout=20.0, scope=scope)
            statuses.append((await transport.handle_async_request(request)).status_code)
        assert statuses == [200]
        assert anyio.current_time() > 60

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_the_time_of_all_attempts_adds_up() -> None:
    """End the call when its attempts and pauses have taken the time together."""

    async def main() -> None:
        async def respond(request: httpx.Request) -> httpx.Response:
            await anyio.sleep(4)
            return httpx.Response(503)

        transport = RetryTransport(
            BudgetTransport(httpx.MockTransport(respond), PointBudget(100)), jitter=lambda: 0.0
        )
        start = anyio.current_time()
        with anyio.CancelScope() as scope:
            request = call(repeatable=True, max_retries=99, timeout=10.0, scope=scope)
            await transport.handle_async_request(request)
        assert scope.cancelled_caught
        assert math.isclose(anyio.current_time() - start, 10.0)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


async def test_max_wait_is_for_the_whole_call() -> None:
    """Refuse at once a call whose patience does not reach to the next points."""
    budget = PointBudget(10)
    transport = BudgetTransport(Script(200), budget)
    (await budget.acquire(10)).settle(200, {})
    with pytest.raises(BudgetTimeoutError):
        await transport.handle_async_request(call(max_wait=5.0))
    assert points(budget) == (0, 0, 10)


def test_patience_is_used_up() -> None:
    """Count the waits of all attempts against `max_wait`."""

    async def main() -> None:
        budget = PointBudget(10, period=60)
        transport = RetryTransport(BudgetTransport(Script(500), budget), jitter=lambda: 0.0)
        (await budget.acquire(10)).settle(200, {})
        start = anyio.current_time()
        request = call("PUT", cost=10, repeatable=True, max_retries=9, max_wait=100.0)
        with pytest.raises(BudgetTimeoutError):
            await transport.handle_async_request(request)
        # the first wait took 60 s; the second would take 60 s more
        assert 59 < anyio.current_time() - start < 62

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("status", [200, 429])
async def test_half_a_response_is_settled_and_closed(status: int) -> None:
    """Count what has been answered, and give the connection back, when the body breaks off."""

    class Broken(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"half"
            raise httpx.ReadError("gone")

        async def aclose(self) -> None:
            self.closed = True

    stream, budget = Broken(), PointBudget(100)
    transport = BudgetTransport(Script(httpx.Response(status, stream=stream)), budget)
    with pytest.raises(httpx.ReadError):
        await transport.handle_async_request(call())
    assert stream.closed
    assert budget.snapshot().in_flight == 0


async def test_a_cancelled_call_is_paid() -> None:
    """Count a call as spent whose outcome nobody knows."""
    budget = PointBudget(100)

    async def respond(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    transport = BudgetTransport(httpx.MockTransport(respond), budget)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transport.handle_async_request, call("POST"))
            await anyio.wait_all_tasks_blocked()
            assert points(budget) == (97, 3, 0)
            scope.cancel()
    assert points(budget) == (97, 0, 3)
