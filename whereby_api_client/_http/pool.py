"""A connection pool that survives cancellation."""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import anyio

from ._httpx import httpx
from .call_context import CallContext, context_of

logger: Final = logging.getLogger("whereby_api_client")

# The same as httpx's default. The pool itself has no limit, see PoolTransport.
MAX_CONNECTIONS: Final = 100


class _Pool:
    """One connection pool and the number of its exchanges that are still going on."""

    __slots__ = ("exchanges", "retired", "traces", "transport")

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.exchanges = 0
        self.retired = False
        # only of httpx's own transport is it known that it reports each step
        self.traces = isinstance(transport, httpx.AsyncHTTPTransport)


class _Exchange:
    """One request and its response on a pool, as seen in httpcore's trace events.

    https://www.encode.io/httpcore/extensions/#trace
    """

    __slots__ = ("_context", "_ended", "_owner", "_pool", "_released", "_stream", "_touched")

    def __init__(self, owner: PoolTransport, pool: _Pool, context: CallContext) -> None:
        self._owner = owner
        self._pool = pool
        self._context = context
        self._touched = False  # a connection was opened, or written to
        self._released = False  # … and httpcore has finished with it
        self._stream: Any = None
        self._ended = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Listen to httpcore: what happened to the connection?"""
        if event.endswith("send_request_headers.started"):
            self._touched = self._context.reached = True
        elif event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._touched = True
            self._stream = info.get("return_value")
            self._owner.streams.add(self._stream)
        elif event.endswith("response_closed.complete"):
            self._released = True

    async def end(self, *, interrupted: bool) -> None:
        """Give the slot back; retire the pool if httpcore has lost track of the connection."""
        if self._ended:
            return
        self._ended = True
        self._pool.exchanges -= 1
        lost = interrupted and self._touched and not self._released
        await self._owner.exchange_ended(self._pool, self._stream if lost else None, lost=lost)


class _ResponseStream(httpx.AsyncByteStream):
    """The body of a response; ends the exchange when it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, exchange: _Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        # Reading or releasing may have been interrupted: ask the trace rather than guess.
        try:
            await self._stream.aclose()
        finally:
            await self._exchange.end(interrupted=True)


class PoolTransport(httpx.AsyncBaseTransport):
    """httpx's connection pool, made safe against cancellation.

    httpcore 1.0 loses a connection when the request is cancelled at certain points: just assigned
    to a new connection, just connected, or just being released (native `Task.cancel()` goes through
    its shields). Such a connection takes a slot for ever, until nothing is left but PoolTimeout
    (https://github.com/encode/httpcore/issues/1093). So

    - the slots are counted here, and the pool underneath has no limit: it never makes a request
      wait, and cannot run out;
    - a pool that has lost a connection gets no new requests, and is closed when its last one ends.

    One instance belongs to one event loop.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[httpx.AsyncBaseTransport]],
        *,
        max_connections: int,
        check_open: Callable[[], None] = lambda: None,
    ) -> None:
        self._make = make
        self._check_open = check_open
        self._slots = anyio.Semaphore(max_connections)
        self._making = anyio.Lock()
        self._pool: _Pool | None = None
        self._retired: list[_Pool] = []
        # httpcore's streams, for as long as they live
        self.streams: weakref.WeakSet[Any] = weakref.WeakSet()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request over a connection of the pool."""
        context = context_of(request)
        context.reached = False
        try:
            self._slots.acquire_nowait()
        except anyio.WouldBlock:
            await self._slots.acquire()
        try:
            pool = self._pool or await self._open()
            self._check_open()
        except BaseException:
            self._slots.release()
            raise
        context.reached = not pool.traces
        pool.exchanges += 1
        exchange = _Exchange(self, pool, context)
        request.extensions["trace"] = exchange.trace
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException as error:
            # after an ordinary error httpcore tidies up by itself
            await exchange.end(interrupted=not isinstance(error, Exception))
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _ResponseStream(response.stream, exchange)
        return response

    async def _open(self) -> _Pool:
        async with self._making:
            if self._pool is None:
                self._pool = _Pool(await self._make())
            return self._pool

    async def exchange_ended(self, pool: _Pool, stream: Any, *, lost: bool) -> None:
        """Free the slot of an exchange that is over, and close pools that are used no more."""
        self._slots.release()
        if lost and not pool.retired:
            pool.retired = True
            self._retired.append(pool)
            if self._pool is pool:
                self._pool = None
        with anyio.CancelScope(shield=True):
            if stream is not None:
                await close_quietly(stream)
            while idle := next((old for old in self._retired if not old.exchanges), None):
                self._retired.remove(idle)
                await close_quietly(idle.transport)

    async def aclose(self) -> None:
        """Close all connections; requests that are still going on fail."""
        pools = self._retired
        self._retired = []
        if self._pool is not None:
            pools.append(self._pool)
            self._pool = None
        with anyio.CancelScope(shield=True):
            for pool in pools:
                await close_quietly(pool.transport)

    def close_sockets(self) -> None:
        """Close the sockets of an asyncio loop that was closed with connections in it."""
        for stream in list(self.streams):
            _close_socket(stream)


async def close_quietly(resource: Any) -> None:
    """Close something; an error of that is logged only."""
    # What fails while it is being closed is closed as well; nobody could do anything about it.
    try:
        await resource.aclose()
    except Exception as error:
        logger.debug("while closing a connection: %s", type(error).__name__)


def _close_socket(stream: Any) -> None:
    """Close the socket under a stream of httpcore whose asyncio loop is closed.

    Neither asyncio nor anyio have a public way: a transport closes its socket by a callback in its
    loop. This calls that callback. uvloop closes the sockets together with the loop.
    """
    stream = getattr(stream, "_stream", None)  # anyio's
    stream = getattr(stream, "transport_stream", stream)  # … under TLS
    close = getattr(getattr(stream, "_transport", None), "_call_connection_lost", None)
    if close is not None:
        with contextlib.suppress(Exception):  # who still waits, waits in the loop that is closed
            close(None)
