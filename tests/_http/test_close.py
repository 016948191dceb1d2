"""Closing a client: whatever its calls wait for, they end at once, and nothing is sent any more."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from whereby_api_client import ClientClosedError, PointBudget, WherebyClient, WherebyError

from ..helpers.servers import Behaviour, Connection, RawServer, reply, serve

pytestmark = pytest.mark.anyio

LOOPS = [
    pytest.param("asyncio", id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param("trio", id="trio"),
]
HALF = b'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"a'


async def silence(stream: Connection) -> bool:
    """Respond with nothing until the client hangs up."""
    await stream.receive()
    return False


async def half(stream: Connection) -> bool:
    """Respond with the beginning of a response, then with nothing."""
    await stream.send(HALF)
    return await silence(stream)


class Memory:
    """The same behaviours without a network, as the handler of an httpx.MockTransport."""

    def __init__(self, phase: str) -> None:
        self.phase = phase
        self.requests: list[httpx.Request] = []
        self.one_at_a_time = anyio.Semaphore(1)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Respond as far as the phase goes."""
        self.requests.append(request)
        if request.url.path.endswith("/first"):
            return httpx.Response(200, json={})
        if self.phase == "pausing":
            return httpx.Response(503, headers={"Retry-After": "50"})
        if self.phase in ("receiving", "downloading"):
            return httpx.Response(200, content=self.drip())
        async with self.one_at_a_time:
            await anyio.sleep_forever()
        raise AssertionError

    async def drip(self) -> AsyncIterator[bytes]:
        """Send something, then nothing."""
        yield b'{"a'
        await anyio.sleep_forever()


BEHAVIOURS: dict[str, list[Behaviour]] = {
    "waiting for points": [reply(200, {})],
    "pausing": [reply(200, {}), reply(503, retry_after="50")],
    "queued for a connection": [reply(200, {}), silence],
    "sending": [reply(200, {}), silence],
    "receiving": [reply(200, {}), half],
    "downloading": [reply(200, {}), half],
}


async def call(whereby: WherebyClient, phase: str) -> None:
    """Make a call that gets stuck in this phase."""
    if phase == "downloading":
        with whereby._until_closed():
            async with whereby.open_link(whereby.base_url + "/file") as response:
                async for _ in response:
                    pass
    elif phase == "sending":
        await whereby.request("PUT", "/stuck", json="x" * 20_000_000)
    elif phase == "waiting for points":
        await whereby.request("GET", "/stuck", cost=1000)
    else:
        await whereby.request("GET", "/stuck")


async def is_stuck(phase: str, server: Any, whereby: WherebyClient) -> bool:
    """Return whether the calls have got as far as they can."""
    await anyio.wait_all_tasks_blocked()
    await anyio.sleep(0.02)
    if phase == "waiting for points":
        return whereby.budget.snapshot().waiting == 2
    if phase == "sending" and isinstance(server, DeafServer):
        return server.connections >= 2
    expected = {"queued for a connection": 1}.get(phase, 2)
    return len(server.requests) >= 1 + expected


class DeafServer:
    """A server that responds to the first request, and reads no more than the headers of others."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.open_connections = 0
        self.url = ""

    async def handle(self, stream: Connection) -> None:
        """Serve one connection."""
        self.connections += 1
        self.open_connections += 1
        try:
            async with stream:
                while True:
                    head = await stream.receive(4096)
                    if b"PUT" in head:
                        break
                    self.requests.append(head)
                    await reply(200, {})(stream)
                # Not reading is what keeps the sender; closing is noticed by sending.
                while True:
                    await anyio.sleep(0.02)
                    await stream.send(b"H")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            pass
        finally:
            self.open_connections -= 1


@asynccontextmanager
async def serve_phase(phase: str) -> AsyncIterator[RawServer | DeafServer]:
    """Run a server in which calls get stuck in this phase."""
    if phase != "sending":
        async with serve(*BEHAVIOURS[phase]) as server:
            yield server
        return
    deaf_server = DeafServer()
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        deaf_server.url = f"http://127.0.0.1:{port}"
        tasks.start_soon(listener.serve, deaf_server.handle)
        yield deaf_server
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("anyio_backend", LOOPS)
@pytest.mark.parametrize("transport", ["ours", "factory", "mock"])
@pytest.mark.parametrize("phase", BEHAVIOURS)
async def test_close_ends_every_call(
    phase: str, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """End two calls in each phase over each transport; without it they would last for minutes."""
    if phase == "queued for a connection":
        monkeypatch.setattr("whereby_api_client._http.transports.MAX_CONNECTIONS", 1)
    errors: list[WherebyError] = []
    budget = PointBudget(1000)

    async def attempt(whereby: WherebyClient) -> None:
        try:
            await call(whereby, phase)
        except WherebyError as error:
            errors.append(error)

    async with serve_phase(phase) as server:
        memory = Memory(phase)
        options: dict[str, Any] = {}
        if transport == "mock":
            options["transport"] = httpx.MockTransport(memory.handle)
        elif transport == "factory":
            limits = httpx.Limits(max_connections=1 if "queued" in phase else 10)
            options["transport"] = lambda: httpx.AsyncHTTPTransport(verify=False, limits=limits)
        whereby = WherebyClient(
            "token", base_url=server.url, budget=budget, timeout=None, max_retries=1, **options
        )
        endpoint: Any = memory if transport == "mock" else server
        sent = -1
        await whereby.request("GET", "/first")
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(attempt, whereby)
                tasks.start_soon(attempt, whereby)
                while not await is_stuck(phase, endpoint, whereby):
                    pass
                assert errors == []
                sent = len(endpoint.requests)
                await whereby.aclose()
            assert [type(error) for error in errors] == [ClientClosedError] * 2
            assert len(endpoint.requests) == sent
            state = budget.snapshot()
            assert (state.in_flight, state.waiting) == (0, 0)
            while server.open_connections:
                await anyio.sleep(0.01)
                await anyio.lowlevel.checkpoint()
        with pytest.raises(ClientClosedError, match="make a new one"):
            await whereby.request("GET", "/first")
    gc.collect()  # an unfinished generator or an open socket would be a warning, so an error


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_close_from_another_thread(backend: str) -> None:
    """End the calls of a loop in another thread; that loop closes its own connections."""
    errors: list[BaseException] = []
    stuck = threading.Event()

    async def other(whereby: WherebyClient) -> None:
        async with serve(silence) as server:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(attempt, whereby, server.url)
                while not server.requests:
                    await anyio.lowlevel.checkpoint()
                stuck.set()
            while server.open_connections:
                await anyio.lowlevel.checkpoint()

    async def attempt(whereby: WherebyClient, url: str) -> None:
        try:
            with whereby._until_closed():
                async with whereby.open_link(url) as response:
                    assert response.status_code == 200
        except ClientClosedError as error:
            errors.append(error)

    whereby = WherebyClient("token", timeout=None)
    thread = threading.Thread(target=anyio.run, args=(other, whereby), kwargs={"backend": backend})
    thread.start()
    stuck.wait(60)
    anyio.run(whereby.aclose)
    thread.join(60)
    assert not thread.is_alive()
    assert len(errors) == 1


async def test_a_response_that_has_arrived_counts() -> None:
    """Hand on a result although the client is closed in the moment of its arrival."""
    results: list[Any] = []

    async def last(request: httpx.Request) -> httpx.Response:
        whereby._sender.connections.lifetime.is_closed = True
        return httpx.Response(200, json={"a": 1})

    whereby = WherebyClient("token", transport=httpx.MockTransport(last))
    results.append(await whereby.request("GET", "/"))
    assert results == [{"a": 1}]


@pytest.mark.parametrize("in_memory", [True, False])
async def test_a_close_in_the_moment_of_the_grant(in_memory: bool) -> None:
    """Send nothing when another thread closes the client just as the points are there."""

    class Budget(PointBudget):
        async def acquire(self, *arguments: Any, **options: Any) -> Any:
            """Close before the cancellation of that thread arrives."""
            grant = await super().acquire(*arguments, **options)
            whereby._sender.connections.lifetime.is_closed = True
            return grant

    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    async with serve(reply(200, {})) as server:
        whereby = WherebyClient(
            "token",
            base_url=server.url,
            budget=Budget(100),
            transport=httpx.MockTransport(respond) if in_memory else None,
        )
        with pytest.raises(ClientClosedError):
            await whereby.request("GET", "/")
        assert (requests, server.requests) == ([], [])
        assert whereby.budget.snapshot().in_flight == 0
        await whereby.aclose()


async def test_close_inside_a_download() -> None:
    """Close the client while one of its own responses is open: `aclose` waits for no call."""
    async with serve(half) as server:
        whereby = WherebyClient("token", base_url=server.url)
        async with whereby.open_link(server.url) as response:
            await whereby.aclose()
            with pytest.raises(ClientClosedError):
                await anext(response)


def test_close_while_a_trio_run_is_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a run alone that takes no tasks any more: an exception in it would end the program."""

    async def main() -> None:
        async with serve(reply(200, {})) as server:
            whereby = WherebyClient("token", base_url=server.url)
            await whereby.request("GET", "/")

            def refuse(*_: object) -> None:
                raise RuntimeError("Nursery is closed to new arrivals")

            monkeypatch.setattr("trio.lowlevel.spawn_system_task", refuse)
            await anyio.to_thread.run_sync(anyio.run, whereby.aclose)
            await anyio.wait_all_tasks_blocked()
            monkeypatch.undo()
        # trio finishes the generator that holds the connections, without a word

    anyio.run(main, backend="trio")
    gc.collect()
