"""The transport chain: what is repeated, what is paid, and that no connection gets lost."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import trio
import trio.testing

from whereby_api_client import BudgetTimeoutError, ClientClosedError, PointBudget
from whereby_api_client._http.transport import (
    EXTENSION,
    BudgetTransport,
    CallContext,
    PoolTransport,
    RetryTransport,
    cost_of,
    environment_proxies,
    pause_before,
    worth_repeating,
)

from ..helpers.servers import half_an_answer, hang, hang_up, reply, reset, serve, unused_url

pytestmark = pytest.mark.anyio

URL = "https://api.whereby.dev/v1/meetings"


class Script(httpx.AsyncBaseTransport):
    """Ends each request with the next outcome: an exception, a response, or a status."""

    def __init__(self, *outcomes: Exception | httpx.Response | int) -> None:
        self.outcomes = list(outcomes)
        self.seen: list[httpx.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        self.seen.append(request)
        outcome = self.outcomes[min(len(self.seen), len(self.outcomes)) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome) if isinstance(outcome, int) else outcome

    async def aclose(self) -> None:
        self.closed = True


def call(method: str = "GET", **options: Any) -> httpx.Request:
    """Make a request with the context of a call."""
    options.setdefault("cost", cost_of(method))
    return httpx.Request(method, URL, extensions={EXTENSION: CallContext(**options)})


# -- what is worth repeating ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "creating", "repeatable"),
    [
        (200, False, False),
        (302, False, False),
        (400, False, False),
        (404, False, False),
        (408, False, False),
        (429, True, True),
        (500, False, True),
        (501, False, False),
        (502, False, True),
        (503, False, True),
        (504, False, True),
        (520, False, True),
        (599, False, True),
        (httpx.ConnectError(""), True, True),
        (httpx.ConnectTimeout(""), True, True),
        (httpx.PoolTimeout(""), True, True),
        (httpx.ProxyError(""), True, True),
        (httpx.ReadError(""), False, True),
        (httpx.ReadTimeout(""), False, True),
        (httpx.WriteError(""), False, True),
        (httpx.WriteTimeout(""), False, True),
        (httpx.RemoteProtocolError(""), False, True),
        (httpx.UnsupportedProtocol(""), False, False),
        (httpx.LocalProtocolError(""), False, False),
        (httpx.DecodingError(""), False, False),
        (ValueError(), False, False),
    ],
    ids=str,
)
def test_worth_repeating(outcome: int | Exception, creating: bool, repeatable: bool) -> None:
    """Repeat what was refused or never seen; what may have been executed only if harmless."""
    assert worth_repeating(outcome, repeatable=False) is creating
    assert worth_repeating(outcome, repeatable=True) is repeatable


def test_pause() -> None:
    """Double with each retry up to a cap, spread it by chance, and obey the server."""
    assert [pause_before(n, None, 1.0) for n in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert pause_before(3, None, 0.25) == 1.0
    assert pause_before(10_000, None, 1.0) == 8.0
    assert pause_before(0, 3.5, 1.0) == 3.5
    assert pause_before(4, 3.5, 1.0) == 8.0


# -- RetryTransport ------------------------------------------------------------------------------


class Retries:
    """A RetryTransport that notes its pauses in place of sleeping."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.pauses: list[float] = []
        self.transport = RetryTransport(inner, sleep=self.sleep, jitter=lambda: 1.0)

    async def sleep(self, seconds: float) -> None:
        """Note the pause."""
        self.pauses.append(seconds)


async def test_it_helps_in_the_end() -> None:
    """Go on until an attempt succeeds, with growing pauses."""
    script = Script(503, httpx.ReadError(""), httpx.ConnectError(""), 200)
    retries = Retries(script)
    response = await retries.transport.handle_async_request(call(repeatable=True, max_retries=5))
    assert response.status_code == 200
    assert retries.pauses == [0.5, 1.0, 2.0]
    assert len({id(request) for request in script.seen}) == 1


async def test_the_last_outcome_stands() -> None:
    """After `max_retries` hand on what there is: an answer, or an exception."""
    retries = Retries(Script(500, 502, 503))
    response = await retries.transport.handle_async_request(call(repeatable=True, max_retries=2))
    assert response.status_code == 503
    script = Script(httpx.ConnectError("first"), httpx.ConnectError("last"))
    retries = Retries(script)
    with pytest.raises(httpx.ConnectError, match="last"):
        await retries.transport.handle_async_request(call("POST", max_retries=1))
    assert len(script.seen) == 2


@pytest.mark.parametrize("outcome", [httpx.ReadTimeout(""), httpx.RemoteProtocolError(""), 500])
async def test_a_creating_call_is_sent_once(outcome: int | Exception) -> None:
    """Never repeat what may have created something."""
    script = Script(outcome, 200)
    transport = Retries(script).transport
    if isinstance(outcome, Exception):
        with pytest.raises(type(outcome)):
            await transport.handle_async_request(call("POST", max_retries=9))
    else:
        response = await transport.handle_async_request(call("POST", max_retries=9))
        assert response.status_code == outcome
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [
        ({"Retry-After": "7"}, [7.0]),
        ({"Retry-After": "3.968"}, [3.968]),
        ({"Retry-After": "0"}, [0.5]),
        ({"Retry-After": "-5"}, [0.5]),
        ({"Retry-After": "nonsense"}, [0.5]),
        ({"Retry-After": "61"}, []),
        ({"Retry-After": "1e400"}, [0.5]),
        (
            {
                "Retry-After": "Sun, 22 Nov 2026 17:29:55 GMT",
                "Date": "Sun, 22 Nov 2026 17:29:45 GMT",
            },
            [10.0],
        ),
        ({"X-RateLimit-Reset": "50"}, [0.5]),
    ],
)
async def test_retry_after(headers: Mapping[str, str], pauses: list[float]) -> None:
    """Obey every form of Retry-After; one that asks for too long is not waited for at all."""
    retries = Retries(Script(httpx.Response(503, headers=headers), 200))
    await retries.transport.handle_async_request(call(repeatable=True, max_retries=1))
    assert retries.pauses == pauses


async def test_no_pause_that_outlasts_the_call() -> None:
    """Tell the bad news now if the time would be over before the next attempt."""
    request = call(repeatable=True, max_retries=3, timeout=5.0, scope=anyio.CancelScope())
    request.extensions[EXTENSION].start_clock()
    retries = Retries(Script(httpx.Response(503, headers={"Retry-After": "6"})))
    response = await retries.transport.handle_async_request(request)
    assert response.status_code == 503
    assert retries.pauses == []


async def test_a_429_does_not_pause_here() -> None:
    """Leave the waiting to the budget, and ask for the head of its queue."""
    script = Script(429, 200)
    retries = Retries(script)
    request = call("POST", max_retries=1)
    await retries.transport.handle_async_request(request)
    assert retries.pauses == []
    assert request.extensions[EXTENSION].first
    assert len(script.seen) == 2


async def test_the_head_of_the_queue_is_for_a_429_only() -> None:
    """Queue up again like everybody else after any other failure."""
    seen: list[bool] = []

    class Watch(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions[EXTENSION].first)
            return await super().handle_async_request(request)

    script = Watch(429, httpx.ReadError(""), 429, 503, 200)
    request = call(repeatable=True, max_retries=9)
    await Retries(script).transport.handle_async_request(request)
    assert seen == [False, True, False, True, False]


async def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """Write a debug line for each attempt, without the query."""
    caplog.set_level(logging.DEBUG, "whereby_api_client")
    request = httpx.Request("GET", f"{URL}?key=secret", extensions=call(max_retries=1).extensions)
    await Retries(Script(httpx.ConnectError("secret"), 200)).transport.handle_async_request(request)
    assert [record.getMessage() for record in caplog.records] == [
        "GET /v1/meetings: ConnectError (attempt 1)",
        "GET /v1/meetings: 200 (attempt 2)",
    ]


async def test_closing() -> None:
    """Close what is underneath, all the way down."""
    script = Script(200)
    await RetryTransport(BudgetTransport(script, PointBudget())).aclose()
    assert script.closed


# -- BudgetTransport -----------------------------------------------------------------------------


def books(budget: PointBudget) -> tuple[int, int, int]:
    """Tell the points available, in flight and returning."""
    state = budget.snapshot()
    assert state.available + state.in_flight + state.returning == state.limit
    return state.available, state.in_flight, state.returning


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
    assert books(budget) == (100 - cost, 0, cost)


@pytest.mark.parametrize(
    ("method", "cost"), [("GET", 1), ("HEAD", 1), ("DELETE", 2), ("POST", 3), ("PATCH", 3)]
)
async def test_a_foreign_request_pays_by_its_method(method: str, cost: int) -> None:
    """Let nothing through for free, wherever it comes from."""
    budget = PointBudget(100)
    async with httpx.AsyncClient(transport=BudgetTransport(Script(200), budget)) as http:
        await http.request(method, URL)
    assert books(budget) == (100 - cost, 0, cost)


async def test_every_attempt_pays() -> None:
    """Take points again for each retry."""
    budget = PointBudget(100)
    retries = Retries(BudgetTransport(Script(500, 500, 200), budget))
    await retries.transport.handle_async_request(call("PUT", repeatable=True, max_retries=2))
    assert books(budget) == (91, 0, 9)


async def test_the_server_corrects_the_books() -> None:
    """Hand the headers of every answer to the budget."""
    budget = PointBudget()
    response = httpx.Response(200, headers={"X-RateLimit-Limit": "1000"})
    await BudgetTransport(Script(response), budget).handle_async_request(call())
    assert budget.snapshot().limit == 1000


async def test_another_host_does_not_correct_the_books() -> None:
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

        async def answer(request: httpx.Request) -> httpx.Response:
            await anyio.sleep(slow.pop())
            return httpx.Response(503 if slow else 200)

        transport = RetryTransport(BudgetTransport(httpx.MockTransport(answer), budget))
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
        async def answer(request: httpx.Request) -> httpx.Response:
            await anyio.sleep(4)
            return httpx.Response(503)

        transport = RetryTransport(
            BudgetTransport(httpx.MockTransport(answer), PointBudget(100)), jitter=lambda: 0.0
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
    assert books(budget) == (0, 0, 10)


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
async def test_half_an_answer_is_settled_and_closed(status: int) -> None:
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

    async def answer(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    transport = BudgetTransport(httpx.MockTransport(answer), budget)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transport.handle_async_request, call("POST"))
            await anyio.wait_all_tasks_blocked()
            assert books(budget) == (97, 3, 0)
            scope.cancel()
    assert books(budget) == (97, 0, 3)


# -- PoolTransport -------------------------------------------------------------------------------


class Pools:
    """A PoolTransport over real sockets, and every pool that it has made."""

    def __init__(self, max_connections: int = 100) -> None:
        self.made: list[httpx.AsyncHTTPTransport] = []
        self.transport = PoolTransport(self.make, max_connections=max_connections)

    def make(self) -> httpx.AsyncHTTPTransport:
        """Make a pool without limit."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self.made.append(httpx.AsyncHTTPTransport(verify=False, limits=limits))
        return self.made[-1]

    async def send(self, url: str, budget: PointBudget | None = None) -> httpx.Response:
        """Send one request and read its answer."""
        transport = BudgetTransport(self.transport, budget or PointBudget(10_000))
        return await transport.handle_async_request(httpx.Request("GET", url))


async def test_connections_are_used_again() -> None:
    """Keep one pool and one connection for calls after each other."""
    pools = Pools()
    async with serve(reply(200, {})) as server:
        for _ in range(10):
            await pools.send(server.url)
        await pools.transport.aclose()
    assert (server.connections, len(pools.made)) == (1, 1)


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
    assert books(budget) == (100, 0, 0)
    async with serve(hang) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(pools.send, server.url, budget)
        while not server.requests:
            await anyio.lowlevel.checkpoint()
        tasks.start_soon(pools.send, server.url, budget)  # waits for the only connection
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert books(budget) == (99, 0, 1)
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
            await pools.transport.aclose()
        with pytest.raises(ClientClosedError):
            await pools.send(server.url)
    assert sorted(type(error).__name__ for error in failures) == ["ClientClosedError", "ReadError"]


async def test_a_pool_that_cannot_be_made_takes_no_slot() -> None:
    """Give the slot back when there is no pool to use it."""

    def fail() -> httpx.AsyncBaseTransport:
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
    """Check that after all that nothing is missing."""
    assert budget.snapshot().in_flight == 0
    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(pools.send, url, budget)
    # the repr of httpcore's pool tells what is going on in it
    assert "Requests: 0 active, 0 queued" in repr(pools.made[-1]._pool)
    await pools.transport.aclose()
    for made in pools.made:
        assert "Connections: 0 active, 0 idle" in repr(made._pool)


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


@pytest.mark.parametrize("fault", [hang_up, reset, half_an_answer()])
async def test_faults_leak_nothing(fault: Any) -> None:
    """Break connections in every way: the pool stays whole and is not even exchanged."""
    pools, budget = Pools(max_connections=3), PointBudget(10_000)
    async with serve(*[fault] * 20, reply(200, {})) as server:
        for _ in range(20):
            with pytest.raises(httpx.TransportError):
                await pools.send(server.url, budget)
        await sound(pools, server.url, budget)
    assert len(pools.made) == 1


# -- proxies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "url", "proxied"),
    [
        ({}, "https://api.whereby.dev/v1", False),
        ({"https_proxy": "http://proxy:3128"}, "https://api.whereby.dev/v1", True),
        ({"HTTPS_PROXY": "proxy:3128"}, "https://api.whereby.dev/v1", True),
        ({"http_proxy": "http://proxy:3128"}, "https://api.whereby.dev/v1", False),
        ({"all_proxy": "http://proxy:3128"}, "https://api.whereby.dev/v1", True),
        ({"all_proxy": "http://p", "no_proxy": "whereby.dev"}, "https://api.whereby.dev", False),
        ({"all_proxy": "http://p", "no_proxy": ".whereby.dev"}, "https://api.whereby.dev", False),
        ({"all_proxy": "http://p", "no_proxy": "a.dev, *"}, "https://api.whereby.dev", False),
        ({"all_proxy": "http://p", "no_proxy": "dev.a"}, "https://api.whereby.dev", True),
        ({"all_proxy": "http://p", "no_proxy": "https://api.whereby.dev"}, "https://a.dev", True),
        ({"all_proxy": "http://p", "no_proxy": "localhost"}, "http://localhost:1", False),
        ({"all_proxy": "http://p", "no_proxy": "127.0.0.1"}, "http://127.0.0.1:1", False),
        ({"all_proxy": "http://p", "no_proxy": "::1"}, "http://[::1]:1", False),
        ({"all_proxy": "http://p", "no_proxy": "127.0.0.1"}, "http://127.0.0.2:1", True),
    ],
)
def test_proxies_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxied: bool
) -> None:
    """Choose the same way as httpx does by itself."""
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    mounts: dict[str, httpx.AsyncBaseTransport | None] = {
        pattern: None if proxy is None else Script(200)
        for pattern, proxy in environment_proxies().items()
    }
    direct = Script(200)
    ours = httpx.AsyncClient(transport=direct, mounts=mounts, trust_env=False)
    assert (ours._transport_for_url(httpx.URL(url)) is not direct) is proxied
    theirs = httpx.AsyncClient(verify=False)
    assert (theirs._transport_for_url(httpx.URL(url)) is not theirs._transport) is proxied
