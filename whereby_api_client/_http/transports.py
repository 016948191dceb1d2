"""What sends the requests: our connection pools, or the transport that the caller gave."""

from __future__ import annotations

import contextlib
import copy
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from ..errors import InvalidArgumentError
from ._httpx import httpx
from .lifetime import Lifetime, is_closed
from .pool import MAX_CONNECTIONS, PoolTransport, close_quietly
from .proxies import environment_proxies, make_proxy
from .tls import default_context, without_authorities

Transport = httpx.AsyncBaseTransport
TransportFactory = Callable[[], httpx.AsyncBaseTransport]


class LoopTransports(NamedTuple):
    """The transports of one event loop; `mounts` by httpx's URL pattern, None for `default`."""

    default: Transport
    mounts: dict[str, Transport | None]


class Transports(ABC):
    """Makes the transports of each event loop."""

    is_ours = False
    """Whether every exception out of them is one of the network, and none of the caller's code."""

    @abstractmethod
    def for_loop(self, loop: object) -> LoopTransports:
        """Return the transports of the running event loop."""

    async def aclose(self) -> None:
        """Close what belongs to no loop."""
        return


def make_transports(
    lifetime: Lifetime,
    transport: Transport | TransportFactory | None,
    ssl_context: ssl.SSLContext | None,
    proxy: Any,
) -> Transports:
    """Return what sends the requests of a client, from the arguments of its constructor.

    Raises:
        InvalidArgumentError: an argument cannot be used, or they contradict each other.
    """
    if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
        raise InvalidArgumentError("ssl_context must be an ssl.SSLContext")
    if transport is None:
        return OurPools(
            lifetime, ssl_context, None if proxy is None else make_proxy("proxy", proxy)
        )
    if ssl_context is not None or proxy is not None:
        raise InvalidArgumentError(
            "give ssl_context and proxy to your own transport, not to the client as well"
        )
    if isinstance(transport, Transport):
        if _is_plain_pool(transport):
            return CallersFactory(lifetime, lambda: _like(transport))
        if _works_in_any_loop(transport):
            return SharedInstance(lifetime, transport)
        return BoundInstance(lifetime, transport)
    if callable(transport):
        return CallersFactory(lifetime, transport)
    raise InvalidArgumentError(
        "transport must be an httpx.AsyncBaseTransport, or a function that makes one"
    )


class OurPools(Transports):
    """Our connection pools, with the proxies of the environment unless one is given."""

    is_ours = True

    def __init__(
        self,
        lifetime: Lifetime,
        ssl_context: ssl.SSLContext | None,
        proxy: httpx.Proxy | None,
    ) -> None:
        self._lifetime = lifetime
        self._ssl_context = ssl_context
        self._proxy = proxy

    def for_loop(self, loop: object) -> LoopTransports:
        """Make the pools."""
        if self._proxy is not None:
            return LoopTransports(self._pool(proxy=self._proxy), {})
        # Plain http is for this machine, mostly in tests: no certificates have to be loaded.
        plain = self._pool(self._ssl_context or without_authorities())
        mounts: dict[str, Transport | None] = {"http://": plain}
        for pattern, proxy in environment_proxies().items():
            if proxy is not None:
                mounts[pattern] = self._pool(proxy=proxy)
            else:
                # httpx prefers the pattern with a host, whatever its scheme
                mounts[pattern] = None
                if pattern.startswith("all://"):
                    mounts[pattern.replace("all://", "http://", 1)] = plain
        return LoopTransports(self._pool(), mounts)

    def _pool(
        self, context: ssl.SSLContext | None = None, proxy: httpx.Proxy | None = None
    ) -> PoolTransport:
        ssl_context = context or self._ssl_context
        # no limit on their number: PoolTransport counts
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)

        async def make() -> Transport:
            verify = ssl_context or await default_context()
            return httpx.AsyncHTTPTransport(verify=verify, limits=limits, proxy=proxy)

        return PoolTransport(
            make, max_connections=MAX_CONNECTIONS, check_open=self._lifetime.check_open
        )


class CallersFactory(Transports):
    """Transports that the caller's function makes for each event loop."""

    def __init__(self, lifetime: Lifetime, factory: TransportFactory) -> None:
        self._lifetime = lifetime
        self._factory = factory

    def for_loop(self, loop: object) -> LoopTransports:
        """Return a pool whose connections are made by the caller's function."""

        async def make() -> Transport:
            transport = self._factory()
            if not isinstance(transport, Transport):
                raise InvalidArgumentError(
                    f"transport: the function must return an httpx.AsyncBaseTransport; "
                    f"got {type(transport).__name__}"
                )
            return transport

        # The caller's transport has its own limit, this must not be a lower one.
        pool = PoolTransport(
            make, max_connections=100 * MAX_CONNECTIONS, check_open=self._lifetime.check_open
        )
        return LoopTransports(pool, {})


class SharedInstance(Transports):
    """A transport of the caller that holds nothing of an event loop: all loops use it."""

    def __init__(self, lifetime: Lifetime, transport: Transport) -> None:
        self._lifetime = lifetime
        self._transport = transport

    def for_loop(self, loop: object) -> LoopTransports:
        """Lend the transport to a loop, whose end does not close it."""
        return LoopTransports(_Lent(self._lifetime, self._transport, _nothing), {})

    async def aclose(self) -> None:
        """Close the transport with the client."""
        await close_quietly(self._transport)


class BoundInstance(Transports):
    """A transport of the caller: used by one event loop at a time, because it can hold connections.

    It is closed with its loop, and may then be used by the next one.
    """

    def __init__(self, lifetime: Lifetime, transport: Transport) -> None:
        self._lifetime = lifetime
        self._transport = transport
        self._loop: Any = None
        self._lock = threading.Lock()

    def for_loop(self, loop: object) -> LoopTransports:
        """Lend the transport to a loop."""
        with self._lock:
            is_stale = self._loop is not None and self._loop is not loop
            # A loop that has ended properly has closed the transport; asyncio's can be closed only.
            if is_stale and not is_closed(self._loop):
                raise InvalidArgumentError(
                    "transport: another event loop uses this instance; give a function that makes "
                    "one for each loop, such as transport=lambda: MyTransport()"
                )
            self._loop = loop

        async def close() -> None:
            if self._loop is loop:
                self._loop = None
                await self._transport.aclose()

        lent = _Lent(self._lifetime, self._transport, close, is_stale=is_stale)
        return LoopTransports(lent, {})


class _Lent(httpx.AsyncBaseTransport):
    """A transport of the caller in one event loop."""

    def __init__(
        self,
        lifetime: Lifetime,
        transport: Transport,
        close: Callable[[], Awaitable[None]],
        *,
        is_stale: bool = False,
    ) -> None:
        self._lifetime = lifetime
        self._transport = transport
        self._close = close
        self._is_stale = is_stale

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        self._lifetime.check_open()
        if self._is_stale:
            self._is_stale = False
            await close_quietly(self._transport)  # connections of a loop that was only closed
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Give the transport back."""
        await self._close()


async def _nothing() -> None:
    pass


def _works_in_any_loop(transport: Transport) -> bool:
    """Return whether a transport holds nothing of an event loop: no connection, no lock."""
    return isinstance(transport, httpx.MockTransport | httpx.ASGITransport) or bool(
        getattr(transport, "works_in_any_loop", False)
    )


def _is_plain_pool(transport: Transport) -> bool:
    """Return whether this is httpx's own transport, of which we can make others that are alike."""
    if type(transport) is not httpx.AsyncHTTPTransport:
        return False
    with contextlib.suppress(AttributeError, KeyError, TypeError):
        _like(transport)
        return True
    return False


def _like(transport: Transport) -> Transport:
    """Return a transport with the settings of an httpx.AsyncHTTPTransport and no connections.

    httpx has no public way to do so. Without it, `transport=httpx.AsyncHTTPTransport(verify=…)`,
    which is what people write, would work in one event loop only.
    """
    twin = copy.copy(transport)
    pool = copy.copy(vars(twin)["_pool"])
    vars(twin)["_pool"] = pool
    for state in ("_connections", "_requests"):
        if getattr(pool, state) is None:
            raise AttributeError(state)
        setattr(pool, state, [])
    pool._optional_thread_lock = type(pool._optional_thread_lock)()
    # it remembers whether it runs under asyncio or trio
    if type(pool._network_backend).__name__ == "AutoBackend":
        pool._network_backend = type(pool._network_backend)()
    return twin
