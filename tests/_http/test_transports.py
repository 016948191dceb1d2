"""The caller's own transport, certificates and proxies: every guarantee stays."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.streams.tls
import httpx
import pytest
import trustme

from whereby_api_client import (
    APIConnectionError,
    InvalidArgumentError,
    PointBudget,
    WherebyClient,
    WherebyError,
)
from whereby_api_client._http import tls
from whereby_api_client.testing import FakeWhereby

from ..helpers.anyio_version import needs_clean_cancelled_connects
from ..helpers.servers import hang, reply, serve, tls_server

pytestmark = pytest.mark.anyio


class Counting(httpx.AsyncBaseTransport):
    """A caller's transport around httpx's own, as people write them to log or to sign."""

    def __init__(self) -> None:
        self.inner = httpx.AsyncHTTPTransport(verify=False)
        self.sent = 0
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        self.closed += 1
        await self.inner.aclose()


def in_threads(count: int, main: Callable[[], Awaitable[Any]], backend: str) -> list[Any]:
    """Run a coroutine in several threads' loops at once; return results and errors."""
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(anyio.run(main, backend=backend))
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


# -- which loop uses which transport -------------------------------------------------------------


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: httpx.AsyncHTTPTransport(),
        lambda: httpx.AsyncHTTPTransport,
        lambda: Counting,
        lambda: FakeWhereby(limit=None).transport(),
        lambda: httpx.MockTransport(lambda request: httpx.Response(200, json={})),
    ],
    ids=["httpx's own", "its class", "a factory", "the fake", "a mock"],
)
def test_transports_for_many_loops(make: Callable[[], Any], backend: str) -> None:
    """Use these in four threads at once, and in one loop after the other."""
    fake = FakeWhereby(limit=None)
    with fake.serve() as url:
        whereby = WherebyClient(
            fake.token, base_url=url, transport=make(), budget=PointBudget(10**6)
        )

        async def main() -> str:
            for _ in range(3):
                await whereby.request("GET", "/meetings")
            return "fine"

        assert in_threads(4, main, backend) == ["fine"] * 4
        assert [anyio.run(main, backend=backend) for _ in range(2)] == ["fine"] * 2
        anyio.run(whereby.aclose, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_instance_for_one_loop_at_a_time(backend: str) -> None:
    """Refuse an instance that may hold connections in a second loop while the first one runs."""
    transport = Counting()
    refusals: list[BaseException] = []
    fake = FakeWhereby(limit=None)
    with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url, transport=transport)

        async def call() -> None:
            await whereby.request("GET", "/meetings")

        async def main() -> None:
            await call()
            refusals.extend(await anyio.to_thread.run_sync(in_threads, 1, call, backend))

        anyio.run(main, backend=backend)
        assert [type(error) for error in refusals] == [InvalidArgumentError]
        assert "give a function that makes one for each loop" in str(refusals[0])
        assert transport.closed == 1  # with its loop, after which the next may use it
        anyio.run(call, backend=backend)
        assert (transport.sent, transport.closed) == (2, 2)


def test_one_instance_in_loops_that_are_only_closed() -> None:
    """Close the connections of a closed loop before the next loop uses the instance."""
    transport = Counting()
    fake = FakeWhereby(limit=None)
    with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url, transport=transport)
        for _ in range(3):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(whereby.request("GET", "/meetings"))
            loop.run_until_complete(transport.inner.aclose())  # else asyncio warns of the socket
            loop.close()
    assert (transport.sent, transport.closed) == (3, 2)


async def test_a_mock_is_closed_with_the_client_only() -> None:
    """Close what all loops share once, at the end."""

    class Mock(httpx.MockTransport):
        closed = 0

        async def aclose(self) -> None:
            self.closed += 1

    mock = Mock(lambda request: httpx.Response(200, json={}))
    whereby = WherebyClient("token", transport=mock)
    await whereby.request("GET", "/")
    for result in await anyio.to_thread.run_sync(
        in_threads, 2, lambda: whereby.request("GET", "/"), "asyncio"
    ):
        assert result == {}
    assert mock.closed == 0
    await whereby.aclose()
    assert mock.closed == 1


@needs_clean_cancelled_connects
async def test_cancelled_calls_over_a_factory_leak_nothing() -> None:
    """Keep the protection against httpcore's lost connections for the caller's transports."""
    pools: list[httpx.AsyncHTTPTransport] = []

    def make() -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=3)
        pools.append(httpx.AsyncHTTPTransport(verify=False, limits=limits))
        return pools[-1]

    budget = PointBudget(10**6)
    async with serve(hang) as stuck, serve(reply(200, {})) as server:
        whereby = WherebyClient("token", base_url=server.url, transport=make, budget=budget)
        for ticks in range(40):
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(whereby.request, "GET", "/")
                for _ in range(ticks):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(whereby.request, "GET", "/")
        assert budget.snapshot().in_flight == 0
        await whereby.aclose()
        assert all("0 active, 0 idle" in repr(transport._pool) for transport in pools)
        assert stuck.requests == []


@pytest.mark.parametrize(
    "options",
    [
        {"transport": 7},
        {"transport": httpx.HTTPTransport()},
        {"transport": Counting, "proxy": "http://proxy"},
        {"transport": Counting, "ssl_context": ssl.create_default_context()},
        {"ssl_context": True},
        {"ssl_context": "ca.pem"},
        {"proxy": "canary"},
        {"proxy": "ftp://user:canary@proxy"},
        {"proxy": "http://user:canary@[bad"},
        {"proxy": "http://user:canary@proxy:99999"},
        {"proxy": 7},
        {"proxy": ""},
    ],
)
def test_bad_transports(options: dict[str, Any]) -> None:
    """Refuse in the constructor what could not send anything, and show no password."""
    with pytest.raises(InvalidArgumentError) as caught:
        WherebyClient("token", **options)
    assert "canary" not in str(caught.value)


async def test_a_factory_that_makes_no_transport() -> None:
    """Say what the function returned, and pay nothing."""
    whereby = WherebyClient("token", transport=lambda: httpx.HTTPTransport())  # type: ignore[arg-type,return-value]
    with pytest.raises(InvalidArgumentError, match="got HTTPTransport"):
        await whereby.request("GET", "/")
    assert whereby.budget.snapshot().available == 100


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ValueError("mine"), ValueError),
        (LookupError("mine"), LookupError),
        (ExceptionGroup("mine", [ValueError()]), ExceptionGroup),
        (ConnectionResetError("mine"), APIConnectionError),
        (httpx.ReadError("mine"), APIConnectionError),
        (InvalidArgumentError("mine"), InvalidArgumentError),
    ],
    ids=repr,
)
@pytest.mark.parametrize("as_factory", [True, False])
async def test_an_exception_of_the_callers_transport(
    raised: Exception, expected: type[Exception], as_factory: bool
) -> None:
    """Hand on a mistake in the caller's code; only what the network does is a connection error."""

    def respond(request: httpx.Request) -> httpx.Response:
        raise raised

    mock = httpx.MockTransport(respond)
    budget = PointBudget(100)
    whereby = WherebyClient(
        "token", transport=(lambda: mock) if as_factory else mock, budget=budget, max_retries=0
    )
    with pytest.raises(expected, match="mine"):
        await whereby.request("POST", "/")
    # the server may have counted it: nothing is known of such a transport
    assert budget.snapshot().available == 97


@pytest.mark.parametrize("call", ["request", "resource"])
async def test_an_impossible_cost(call: str) -> None:
    """Say that the argument is wrong: who retries on connection errors would never end."""
    async with serve(reply(200, {})) as server:
        budget = PointBudget(limit=2)
        async with WherebyClient("token", base_url=server.url, budget=budget) as whereby:
            attempt: Awaitable[object] = (
                whereby.request("GET", "/", cost=500)
                if call == "request"
                else whereby.summaries.create(transcription_id="1")
            )
            with pytest.raises(InvalidArgumentError) as caught:
                await attempt
            assert "was not sent" in caught.value.__notes__[0]
    assert server.requests == []


# -- TLS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["ssl_context", "factory", "instance"])
async def test_a_private_authority_and_a_client_certificate(how: str) -> None:
    """Reach a server that asks for a certificate, in each of the documented ways."""
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with tls_server(authority, needs_certificate=True) as url:
        options: dict[str, dict[str, Any]] = {
            "ssl_context": {"ssl_context": context},
            "factory": {"transport": lambda: httpx.AsyncHTTPTransport(verify=context)},
            "instance": {"transport": httpx.AsyncHTTPTransport(verify=context)},
        }
        async with WherebyClient("t", base_url=url, max_retries=0, **options[how]) as whereby:
            with pytest.raises(APIConnectionError):
                await whereby.request("GET", "/")
        authority.issue_cert("client").configure_cert(context)
        async with WherebyClient("t", base_url=url, max_retries=0, **options[how]) as whereby:
            assert await whereby.request("GET", "/") == {}


async def test_one_tls_context_for_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the certificates once for all clients, and not in the event loop's thread."""
    threads: list[threading.Thread] = []
    make = httpx.create_ssl_context

    def watched() -> ssl.SSLContext:
        threads.append(threading.current_thread())
        return make()

    monkeypatch.setattr(httpx, "create_ssl_context", watched)
    monkeypatch.setattr(tls, "_contexts", {})
    async with tls_server(trustme.CA()) as url:
        for _ in range(3):
            async with (
                WherebyClient("token", base_url=url, max_retries=0) as whereby,
                anyio.create_task_group() as tasks,
            ):
                for _ in range(3):
                    tasks.start_soon(refused, whereby)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def refused(whereby: WherebyClient) -> None:
    """Call a server that is not trusted."""
    with pytest.raises(APIConnectionError, match="certificate"):
        await whereby.request("GET", "/")


# -- the environment -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SSL_CERT_FILE": "/nowhere/canary.pem"}, "SSL_CERT_FILE='/nowhere/canary.pem'"),
        ({"SSL_CERT_FILE": __file__}, "SSL_CERT_FILE"),
        ({"SSL_CERT_FILE": "/"}, "SSL_CERT_FILE"),
        ({"HTTPS_PROXY": "foo://user:secret@proxy"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://[secret"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://user:secret@proxy:99999"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://user:secret@proxy:port"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "secret secret"}, "HTTPS_PROXY"),
        ({"https_proxy": "http://"}, "HTTPS_PROXY"),
        ({"ALL_PROXY": "socks5://user:secret@proxy"}, "ALL_PROXY"),
        ({"HTTP_PROXY": "socks4://secret"}, "HTTP_PROXY"),
        ({"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,[::1]"}, ""),
        ({"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "[::1, http://[bad, a b,\udcff"}, ""),
        ({"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "bücher.de,*.x,::1,1:2:3,/,:80"}, ""),
    ],
)
async def test_nonsense_in_the_environment(
    variables: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name the variable that is to blame, in an error of ours and without its password."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with WherebyClient(
        "token-1", base_url="https://localhost.invalid", max_retries=0
    ) as whereby:
        with pytest.raises(WherebyError) as caught:
            await whereby.request("GET", "/")
        assert whereby.budget.snapshot().available == 100
    assert named in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_never_behind_a_proxy(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Do not show the token of a local test server to the proxy of the environment."""
    async with serve(reply(502)) as proxy, serve(reply(200, {})) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        url = server.url.replace("127.0.0.1", host)
        async with WherebyClient("token", base_url=url) as whereby:
            assert await whereby.request("GET", "/") == {}
    assert proxy.requests == []


async def test_a_proxy_by_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send everything through the given proxy, whatever the environment says."""
    monkeypatch.setenv("NO_PROXY", "*")
    async with serve(reply(200, {"proxied": True})) as proxy:
        url = proxy.url.replace("://", "://user:password@")
        async with WherebyClient(
            "token", base_url="http://api.example", allow_insecure=True, proxy=url
        ) as whereby:
            assert await whereby.request("GET", "/x") == {"proxied": True}
            assert "password" not in repr(whereby)
    (request,) = proxy.requests
    assert request.target == "http://api.example/x"
    assert request.headers["proxy-authorization"].startswith("Basic ")


def test_where_certificates_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authorities of SSL_CERT_FILE, also when it changes while the process runs."""
    authority = trustme.CA()
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))

    async def main() -> None:
        async with tls_server(authority) as url:
            async with WherebyClient("token", base_url=url, max_retries=0) as whereby:
                with pytest.raises(APIConnectionError, match="certificate"):
                    await whereby.request("GET", "/")
            monkeypatch.setenv("SSL_CERT_FILE", str(path))
            async with WherebyClient("token", base_url=url, max_retries=0) as whereby:
                assert await whereby.request("GET", "/") == {}

    anyio.run(main)
