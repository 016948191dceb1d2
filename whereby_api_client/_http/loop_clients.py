"""The httpx clients of a WherebyClient: one for each event loop."""

from __future__ import annotations

import contextlib
import logging
import os
import weakref
from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, NamedTuple

import anyio

from ..budget.loops import running_loop
from ._httpx import httpx
from .lifetime import Lifetime, is_closed, run_in_loop
from .pool import PoolTransport
from .transports import Transports

_is_ours: Final = ContextVar("_is_ours", default=False)


def _hide_response_headers(record: logging.LogRecord) -> bool:
    """Take the headers of our responses out of a line of httpcore's log.

    They can hold the token, if a server repeats it, and signed links (`Location`).
    """
    if _is_ours.get() and isinstance(record.msg, str) and "response_headers" in record.msg:
        record.msg = record.msg.partition("[(")[0] + "[headers hidden by whereby_api_client]"
    return True


for _core in ("httpcore", "httpcore2"):  # the second under httpx2
    for _module in ("http11", "http2", "proxy"):
        logging.getLogger(f"{_core}.{_module}").addFilter(_hide_response_headers)


class _NoCookies(httpx.Cookies):
    """A jar that keeps nothing."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave the cookies where they are."""


class _HTTPClient(httpx.AsyncClient):
    """httpx without cookies: the API needs none, and they are a quarter of the work of a call."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request; httpcore's log does not show the headers of the response."""
        token = _is_ours.set(True)
        try:
            return await super().send(request, **options)
        finally:
            _is_ours.reset(token)

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
    # whose sockets are left when the loop is only closed
    pools: list[PoolTransport]


def _close_in_their_loops(clients: dict[object, _LoopClient]) -> None:
    """Let each loop that still runs close its own client; called from any thread."""
    while clients:
        loop, client = clients.popitem()
        if is_closed(loop):
            _close_sockets(client)
        elif not hasattr(loop, "call_soon_threadsafe"):  # a trio token
            # asyncio closes a forgotten generator in silence, trio only with a warning
            run_in_loop(loop, partial(_end_soon, client.lifetime))


def _end_soon(lifetime: AsyncGenerator[None, None]) -> None:
    """End a lifetime in the trio run that this is called in."""
    import trio

    try:
        trio.lowlevel.spawn_system_task(_end, lifetime)
    except RuntimeError:
        # The run is ending and takes no tasks any more; an exception in here would kill it. It ends
        # the generators that are left by itself, but complains of those that are collected before.
        _LEFT_TO_TRIO.append(lifetime)


_LEFT_TO_TRIO: Final[list[AsyncGenerator[None, None]]] = []


async def _end(lifetime: AsyncGenerator[None, None]) -> None:
    await lifetime.aclose()


def _close_sockets(client: _LoopClient) -> None:
    for pool in client.pools:
        pool.close_sockets()


# what stands in front of the connections: the chain of the API, or nothing
Chain = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


class LoopClients:
    """One httpx client for each event loop, because a connection belongs to the loop that made it.

    Args:
        lifetime: whether the WherebyClient is open.
        transports: what sends the requests.
        chain: what stands in front of it.
    """

    __slots__ = ("__weakref__", "_chain", "_clients", "_lifetime", "_transports")

    def __init__(self, lifetime: Lifetime, transports: Transports, chain: Chain) -> None:
        self._lifetime = lifetime
        self._transports = transports
        self._chain = chain
        self._clients: dict[object, _LoopClient] = {}
        # One that is forgotten open closes its connections while they are still whole: `finalize`
        # holds them, so that the garbage collector does not find them first.
        weakref.finalize(self, _close_in_their_loops, self._clients).atexit = False
        _LOOP_CLIENTS.add(self)

    def __len__(self) -> int:
        return len(self._clients)

    def get(self) -> httpx.AsyncClient:
        """Return the httpx client of the running event loop.

        Raises:
            ClientClosedError: the WherebyClient is closed.
            InvalidArgumentError: a proxy of the environment or the transport cannot be used.
        """
        self._lifetime.check_open()
        loop = running_loop()
        client = self._clients.get(loop)
        if client is None or client.http.is_closed:
            self._forget_ended_loops()
            client = self._clients[loop] = self._open(loop)
        return client.http

    async def aclose(self) -> None:
        """Close the connections of all loops."""
        own = self._clients.pop(running_loop(), None)
        _close_in_their_loops(self._clients)
        if own is not None:
            await own.lifetime.aclose()

    def _forget_ended_loops(self) -> None:
        for loop, client in self._clients.copy().items():
            if client.http.is_closed:
                self._clients.pop(loop, None)
            elif is_closed(loop):  # without the steps that `asyncio.run` takes before
                self._clients.pop(loop, None)
                _close_sockets(client)

    def _open(self, loop: object) -> _LoopClient:
        default, mounts = self._transports.for_loop(loop)
        chains: dict[httpx.AsyncBaseTransport | None, httpx.AsyncBaseTransport | None] = {
            transport: transport and self._chain(transport)
            for transport in (default, *mounts.values())
        }
        http = _HTTPClient(
            transport=chains[default],
            mounts={pattern: chains[transport] for pattern, transport in mounts.items()},
            trust_env=False,  # what is to be trusted of it, we have read ourselves
        )
        lifetime = _close_with_loop(http)
        # Started by hand: it waits for nothing before its yield.
        with contextlib.suppress(StopIteration):
            lifetime.__anext__().send(None)
        pools = [transport for transport in chains if isinstance(transport, PoolTransport)]
        return _LoopClient(http, lifetime, pools)


_LOOP_CLIENTS: Final[weakref.WeakSet[LoopClients]] = weakref.WeakSet()
_OF_PARENT: Final[list[_LoopClient]] = []


def _leave_clients_to_parent() -> None:
    """In a forked child: use none of the parent's connections, and do not close them either.

    Closing them would take them out of the selector that the child shares with its parent.
    """
    for clients in list(_LOOP_CLIENTS):
        _OF_PARENT.extend(clients._clients.values())
        clients._clients.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_clients_to_parent)
