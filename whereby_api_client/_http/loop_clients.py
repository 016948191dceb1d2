"""The httpx clients of a WherebyClient: one for each event loop."""

from __future__ import annotations

import contextlib
import ssl
import sys
import weakref
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Final, NamedTuple

import anyio

from ..errors import ClientClosedError, InvalidArgumentError
from ._httpx import httpx
from .pool import CLOSED, PoolTransport
from .proxies import environment_proxies
from .tls import Connector


class _NoCookies(httpx.Cookies):
    """A jar that keeps nothing."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave the cookies where they are."""


class _HTTPClient(httpx.AsyncClient):
    """httpx without cookies: the API needs none, and they are a quarter of the work of a call."""

    @property
    def cookies(self) -> httpx.Cookies:
        """The jar that stays empty."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise AttributeError("this client keeps no cookies")


_NO_COOKIES: Final = _NoCookies()


async def _close_with_loop(http: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Close the client when its event loop ends, or when nobody holds this generator any more.

    Event loops finish their unfinished async generators while that can still be done properly
    (PEP 525). Later there is nothing but "Event loop is closed" out of finalizers.
    """
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await http.aclose()


class _LoopClient(NamedTuple):
    """The httpx client of one event loop."""

    http: httpx.AsyncClient
    lifetime: AsyncGenerator[None, None]


def _close_in_their_loops(clients: dict[object, _LoopClient]) -> None:
    """Let each loop that still runs close its own client; called from any thread."""
    while clients:
        loop, client = clients.popitem()
        run_soon = getattr(loop, "run_sync_soon", None)
        if run_soon is not None:  # a trio token
            # asyncio closes a forgotten generator in silence, trio only with a warning
            import trio

            with contextlib.suppress(trio.RunFinishedError):
                run_soon(trio.lowlevel.spawn_system_task, _end, client.lifetime)


async def _end(lifetime: AsyncGenerator[None, None]) -> None:
    await lifetime.aclose()


# what stands in front of the connections: the chain of the API, or nothing
Chain = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


class LoopClients:
    """One httpx client for each event loop, because a connection belongs to the loop that made it.

    Args:
        connector: makes connection pools.
        transport: what sends the requests in place of our pools.
        chain: what stands in front of it.
    """

    __slots__ = ("__weakref__", "_chain", "_clients", "_closed", "_connector", "_transport")

    def __init__(
        self, connector: Connector, transport: httpx.AsyncBaseTransport | None, chain: Chain
    ) -> None:
        self._connector = connector
        self._transport = transport
        self._chain = chain
        self._clients: dict[object, _LoopClient] = {}
        self._closed = False
        # One that is forgotten open closes its connections while they are still whole: `finalize`
        # holds them, so that the garbage collector does not find them first.
        weakref.finalize(self, _close_in_their_loops, self._clients).atexit = False

    def __len__(self) -> int:
        return len(self._clients)

    def get(self) -> httpx.AsyncClient:
        """Return the httpx client of the running event loop.

        Raises:
            ClientClosedError: after `aclose`.
            InvalidArgumentError: a proxy of the environment cannot be used.
        """
        if self._closed:
            raise ClientClosedError(CLOSED)
        loop = _running_loop()
        client = self._clients.get(loop)
        if client is None or client.http.is_closed:
            for other, old in list(self._clients.items()):
                if old.http.is_closed:  # its loop has ended
                    self._clients.pop(other, None)
            client = self._clients[loop] = self._open()
        return client.http

    async def aclose(self) -> None:
        """Close the connections of all loops."""
        self._closed = True
        own = self._clients.pop(_running_loop(), None)
        _close_in_their_loops(self._clients)
        if own is not None:
            await own.lifetime.aclose()

    def _open(self) -> _LoopClient:
        problem = http = None
        try:
            http = _HTTPClient(
                transport=self._chain(self._transport or PoolTransport(self._connector)),
                mounts={} if self._transport else self._mounts(),
                trust_env=False,  # what is to be trusted of it, we have read ourselves
            )
        except (ValueError, ImportError) as failure:
            problem = str(failure)
        if http is None:
            raise InvalidArgumentError(f"cannot use the proxy of the environment: {problem}")
        lifetime = _close_with_loop(http)
        # Started by hand: it waits for nothing before its yield.
        with contextlib.suppress(StopIteration):
            lifetime.__anext__().send(None)
        return _LoopClient(http, lifetime)

    def _mounts(self) -> dict[str, httpx.AsyncBaseTransport | None]:
        """Return what sends the requests that go another way: without TLS, or over proxies."""
        # Loading the certificates blocks for 20 ms. A loopback server needs none; if a redirect
        # leads from http to https all the same, this context trusts nobody.
        without_tls = partial(self._connector, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {
            "http://": self._chain(PoolTransport(without_tls))
        }
        for pattern, proxy in environment_proxies().items():
            if proxy is None:
                mounts[pattern] = None
            else:
                mounts[pattern] = self._chain(
                    PoolTransport(partial(self._connector, proxy=httpx.Proxy(proxy)))
                )
        return mounts


def _running_loop() -> object:
    # Not by anyio, which has no public name for it before 4.11. Trio first: it can be a guest in an
    # asyncio loop.
    if "trio" in sys.modules:
        with contextlib.suppress(RuntimeError):
            return sys.modules["trio"].lowlevel.current_trio_token()
    return sys.modules["asyncio"].get_running_loop()
