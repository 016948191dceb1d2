"""The transport chain under httpx: retries, then the point budget, then the wire.

    httpx.AsyncClient → RetryTransport → BudgetTransport → PoolTransport → httpx.AsyncHTTPTransport

The budget sits inside the retries, so each attempt pays again, and outside the connection pool, so
a call that waits for points holds no connection. What the chain has to know about a call travels
with its request, in `request.extensions["whereby"]`.

The retries are own code. tenacity and stamina repeat a function: they know neither which answers
were lost on the way nor that points are paid per attempt, and httpx-retries does not ask whether
repeating could create a second thing. What is left to write is `worth_repeating` and a pause.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies

import anyio
import httpx

from ..budget.headers import read_rate_limit
from ..errors import ClientClosedError

if TYPE_CHECKING:
    from ..budget.point_budget import PointBudget, Priority

logger = logging.getLogger("whereby_api_client")

EXTENSION: Final = "whereby"
CLOSED: Final = "this WherebyClient is closed; make a new one"

# The same as httpx's default. The pool itself has no limit, see PoolTransport.
MAX_CONNECTIONS: Final = 100

BACKOFF_BASE: Final = 0.5
BACKOFF_CAP: Final = 8.0
# A server that asks for a longer pause than this gets no retry: the caller hears of it at once.
RETRY_AFTER_CAP: Final = 60.0

# No connection was made, so the server cannot have seen the request: safe to repeat, costs nothing.
NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
# The request may have been executed, but its answer was lost.
LOST_ANSWER: Final = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REPEATABLE: Final = _READS | {"PUT", "DELETE"}


def cost_of(method: str) -> int:
    """What a request costs by its method: read 1, delete 2, write 3 (the API document's words)."""
    return 1 if method in _READS else 2 if method == "DELETE" else 3


def is_repeatable(method: str) -> bool:
    """Tell whether sending the request twice does the same as sending it once, by HTTP's rules."""
    return method in _REPEATABLE


class CallContext:
    """What the chain has to know about one call, and the call's clock.

    The clock runs while the call is on the wire or pauses before a retry, and stands still while it
    waits for points. It moves the deadline of `scope`, which surrounds the whole call.
    """

    __slots__ = (
        "_since",
        "cost",
        "first",
        "host",
        "max_retries",
        "max_wait",
        "priority",
        "reached",
        "repeatable",
        "scope",
        "time_left",
    )

    def __init__(
        self,
        cost: int,
        *,
        repeatable: bool = False,
        priority: Priority = "foreground",
        max_wait: float | None = None,
        max_retries: int = 0,
        timeout: float | None = None,
        scope: anyio.CancelScope | None = None,
        host: str | None = None,
    ) -> None:
        self.cost = cost
        self.repeatable = repeatable
        self.priority: Priority = priority
        self.max_wait = max_wait
        self.max_retries = max_retries
        self.time_left = timeout
        self.scope = scope
        # The API's host: what another one answers after a redirect says nothing of our points.
        self.host = host
        # Did the last attempt possibly reach the server? The transports that know better say so.
        self.reached = False
        # After a 429 the call goes back to the head of the budget's queue.
        self.first = False
        self._since: float | None = None

    def start_clock(self) -> None:
        """Let the time of the call run on."""
        if self.scope is not None and self.time_left is not None:
            self._since = anyio.current_time()
            self.scope.deadline = self._since + self.time_left

    def stop_clock(self) -> None:
        """Take the time that has passed off the time that is left, and lift the deadline."""
        if self._since is not None and self.scope is not None and self.time_left is not None:
            self.time_left -= anyio.current_time() - self._since
            self._since = None
            self.scope.deadline = math.inf

    def has_time_for(self, pause: float) -> bool:
        """Tell whether a pause would end before the call's time is over."""
        if self._since is None or self.time_left is None:
            return True
        return pause < self._since + self.time_left - anyio.current_time()


def context_of(request: httpx.Request) -> CallContext:
    """Return the context of a request; one that comes from elsewhere is judged by its method."""
    context = request.extensions.get(EXTENSION)
    if context is None:
        context = CallContext(cost_of(request.method), repeatable=is_repeatable(request.method))
        request.extensions[EXTENSION] = context
    assert isinstance(context, CallContext)
    return context


def worth_repeating(outcome: int | Exception, *, repeatable: bool) -> bool:
    """Decide whether another attempt may help and can do no harm.

    `outcome` is the status of the answer, or what happened in place of one. What the server has
    refused (429) or never seen is repeated whatever it was; what it may have executed only where
    doing it twice is the same as doing it once.
    """
    if isinstance(outcome, NEVER_SENT):
        return not isinstance(outcome, httpx.UnsupportedProtocol)
    if isinstance(outcome, Exception):
        return repeatable and isinstance(outcome, LOST_ANSWER)
    if outcome == 429:
        return True
    # 501 and 505 say that it will never work.
    return repeatable and 500 <= outcome <= 599 and outcome not in (501, 505)


def pause_before(retry: int, asked: float | None, jitter: float) -> float:
    """Return the seconds to wait before a retry (0 is the first one).

    Exponential with full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/),
    and never shorter than the server asked for. `jitter` is a random number from 0 to 1.
    """
    backoff = jitter * min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(retry, 10))
    return backoff if asked is None else max(asked, backoff)


class RetryTransport(httpx.AsyncBaseTransport):
    """Sends a request again where that may help and can do no harm.

    `sleep` and `jitter` stand in for `anyio.sleep` and `random.random`.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._inner = inner
        self._sleep = sleep
        self._jitter = jitter

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, at most `max_retries` times more than once."""
        context = context_of(request)
        retries = 0
        while True:
            try:
                response = await self._inner.handle_async_request(request)
            except httpx.TransportError as error:
                self._log(request, retries, type(error).__name__)
                pause = self._pause(context, retries, error, None)
                if pause is None:
                    raise
                context.first = False
            else:
                self._log(request, retries, response.status_code)
                pause = self._pause(context, retries, response.status_code, response.headers)
                if pause is None:
                    return response
                # Where and how long a 429 waits is the budget's business.
                context.first = response.status_code == 429
            if pause:
                await self._sleep(pause)
            retries += 1

    def _pause(
        self,
        context: CallContext,
        retries: int,
        outcome: int | Exception,
        headers: Mapping[str, str] | None,
    ) -> float | None:
        """Return how long to wait before the next attempt; None means that there is none."""
        if retries >= context.max_retries:
            return None
        if not worth_repeating(outcome, repeatable=context.repeatable):
            return None
        if outcome == 429:
            return 0.0
        pause = pause_before(retries, _asked_pause(headers), self._jitter())
        # A pause that the call would not survive only delays the bad news.
        return pause if pause <= RETRY_AFTER_CAP and context.has_time_for(pause) else None

    def _log(self, request: httpx.Request, retries: int, outcome: int | str) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            # Without the query: `WherebyClient.request` lets the caller put anything into it.
            path = request.url.raw_path.partition(b"?")[0].decode("ascii")
            logger.debug("%s %s: %s (attempt %d)", request.method, path, outcome, retries + 1)

    async def aclose(self) -> None:
        """Close what is underneath."""
        await self._inner.aclose()


def _asked_pause(headers: Mapping[str, str] | None) -> float | None:
    # Only these two: `X-RateLimit-Reset` is about points, not about a server in trouble.
    if headers is None or "retry-after" not in headers:
        return None
    told = {name: headers[name] for name in ("retry-after", "date") if name in headers}
    return read_rate_limit(429, told).retry_in


class BudgetTransport(httpx.AsyncBaseTransport):
    """Waits for the points of a request before it lets it through, and keeps the books.

    The answer is read to its end here. So the connection is free again whatever happens further up,
    and half an answer is an outcome that `RetryTransport` can judge.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, budget: PointBudget) -> None:
        self._inner = inner
        self._budget = budget

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pay for one attempt and make it."""
        context = context_of(request)
        context.stop_clock()
        asked = None if context.max_wait is None else anyio.current_time()
        grant = await self._budget.acquire(
            context.cost,
            priority=context.priority,
            max_wait=context.max_wait,
            first=context.first,
        )
        if asked is not None and context.max_wait is not None:
            # `max_wait` is the patience of the whole call, not of each attempt.
            context.max_wait = max(0.0, context.max_wait - (anyio.current_time() - asked))
        context.start_clock()
        context.reached = True
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            if isinstance(error, NEVER_SENT) or not context.reached:
                grant.refund()
            else:
                grant.lose()
            raise
        if context.host is not None and request.url.host != context.host:
            grant.settle(200, {})
            return await _read(response)
        if response.status_code != 429:
            # as a dict: looking for a name in httpx's headers goes through all of them
            grant.settle(response.status_code, dict(response.headers.items()))
            return await _read(response)
        try:
            response = await _read(response)
        except BaseException:
            grant.settle(429, response.headers)
            raise
        # The body of a 429 tells the rest of the server's window to the millisecond.
        grant.settle(429, response.headers, response.content)
        return response

    async def aclose(self) -> None:
        """Close what is underneath; the budget may be shared and lives on."""
        await self._inner.aclose()


async def _read(response: httpx.Response) -> httpx.Response:
    """Read the whole answer and give its connection back.

    Not by `response.aread()`: that chains async generators, and one that is left unfinished because
    the content encoding is broken makes trio complain. httpx decodes bytes without them.
    """
    if response.is_closed:
        return response  # a transport in memory has read it already
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    try:
        content = b"".join([chunk async for chunk in stream])
    finally:
        await stream.aclose()
    # `network_stream` would keep the socket alive as long as the response
    response.extensions.pop("network_stream", None)
    response.stream = httpx.ByteStream(content)
    try:
        response.read()
    except httpx.DecodingError:
        # Kept as it came. A success cannot be understood then, but an error's status still counts.
        headers = [item for item in response.headers.multi_items() if item[0] != "content-encoding"]
        return httpx.Response(
            response.status_code,
            headers=headers,
            content=content,
            extensions={**response.extensions, BROKEN_ENCODING: True},
        )
    return response


BROKEN_ENCODING: Final = "whereby_broken_encoding"


class _Pool:
    """One connection pool and the number of its exchanges that are still going on."""

    __slots__ = ("exchanges", "retired", "transport")

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.exchanges = 0
        self.retired = False


class _Exchange:
    """One request and its answer on a pool, as httpcore's trace events tell it.

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
        """Listen to httpcore: what has become of the connection?"""
        if event.endswith("send_request_headers.started"):
            self._touched = self._context.reached = True
        elif event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._touched = True
            self._stream = info.get("return_value")
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


class _AnswerStream(httpx.AsyncByteStream):
    """The body of an answer; tells the exchange when it is over."""

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
        make: Callable[[], httpx.AsyncBaseTransport],
        *,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._make = make
        self._slots = anyio.Semaphore(max_connections)
        self._pool: _Pool | None = None
        self._retired: list[_Pool] = []
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request over a connection of the pool."""
        context = context_of(request)
        context.reached = False
        try:
            self._slots.acquire_nowait()
        except anyio.WouldBlock:
            await self._slots.acquire()
        try:
            pool = self._open()
        except BaseException:
            self._slots.release()
            raise
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
        response.stream = _AnswerStream(response.stream, exchange)
        return response

    def _open(self) -> _Pool:
        if self._closed:
            raise ClientClosedError(CLOSED)
        if self._pool is None:
            self._pool = _Pool(self._make())
        return self._pool

    async def exchange_ended(self, pool: _Pool, stream: Any, *, lost: bool) -> None:
        """Take note that an exchange is over, and tidy up after it."""
        self._slots.release()
        if lost and not pool.retired:
            pool.retired = True
            self._retired.append(pool)
            if self._pool is pool:
                self._pool = None
        with anyio.CancelScope(shield=True):
            if stream is not None:
                await _close_quietly(stream)
            while idle := next((old for old in self._retired if not old.exchanges), None):
                self._retired.remove(idle)
                await _close_quietly(idle.transport)

    async def aclose(self) -> None:
        """Close all connections; requests that are still going on fail."""
        self._closed = True
        pools = self._retired
        self._retired = []
        if self._pool is not None:
            pools.append(self._pool)
            self._pool = None
        with anyio.CancelScope(shield=True):
            for pool in pools:
                await _close_quietly(pool.transport)


async def _close_quietly(resource: Any) -> None:
    # What fails while it is being closed is closed as well; nobody could do anything about it.
    try:
        await resource.aclose()
    except Exception as error:
        logger.debug("while closing a connection: %s", type(error).__name__)


def environment_proxies() -> dict[str, str | None]:
    """Return the proxies of the environment as httpx's mounts; None means no proxy.

    httpx reads them itself only when it makes the transports itself, and offers no public function
    for it. Same rules: https://www.python-httpx.org/environment_variables/#proxies
    """
    found = getproxies()
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        if address := found.get(scheme):
            proxies[f"{scheme}://"] = address if "://" in address else f"http://{address}"
    if not proxies:
        return {}
    for host in map(str.strip, found.get("no", "").split(",")):
        if host == "*":
            return {}
        if not host:
            continue
        if "://" in host:
            proxies[host] = None
        elif host.count(":") > 1 and not host.startswith("["):
            proxies[f"all://[{host.partition('/')[0]}]"] = None
        elif host.lower() == "localhost" or host.replace(".", "").replace("/", "").isdigit():
            proxies[f"all://{host}"] = None
        else:
            proxies[f"all://*{host}"] = None
    return proxies
