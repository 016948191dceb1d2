"""What a client shares with its views: the token, the budget, and httpx with its connections."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import sys
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from json import dumps
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Never

import anyio
import httpx

from .._version import __version__
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    BudgetTimeoutError,
    ClientClosedError,
    Headers,
    InvalidArgumentError,
    RequestInfo,
    WherebyError,
    status_error,
)
from ..types import UNSET
from .transport import (
    BROKEN_ENCODING,
    CLOSED,
    EXTENSION,
    NEVER_SENT,
    BudgetTransport,
    CallContext,
    PoolTransport,
    RetryTransport,
    environment_proxies,
)

if TYPE_CHECKING:
    from .._runtime.resource import Call
    from ..budget.point_budget import PointBudget, Priority

_USER_AGENT: Final = (
    f"whereby-api-client/{__version__} "
    f"(python {sys.version_info.major}.{sys.version_info.minor}; httpx {httpx.__version__})"
)

# Given to every send: otherwise httpx looks for credentials in the URL, each time.
_NO_AUTH: Final = httpx.Auth()

_NO_BODY: Final = httpx.ByteStream(b"")

# What can come out of httpx. Not `Exception`: a mistake in a caller's own transport should be seen.
_HTTPX_ERRORS: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    ValueError,
)


class Options(NamedTuple):
    """What `with_options` can change."""

    timeout: float | None
    max_retries: int
    max_wait: float | None
    priority: Priority
    # `timeout` in httpx's form: each single step is bounded as well
    timeouts: Mapping[str, float | None]


class Answer(NamedTuple):
    """An answer that reports success, still unparsed."""

    request: RequestInfo
    status_code: int
    headers: httpx.Headers
    content: bytes
    # the content is as it came, because its gzip or the like is broken
    is_broken: bool


class Secret:
    """A string that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string."""
        return self._value

    def __repr__(self) -> str:
        return "[secure]"

    def __reduce__(self) -> Never:
        raise TypeError("a secret cannot be pickled")


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


def _let_go(clients: dict[object, _LoopClient]) -> None:
    """Let each loop that still runs close its own client; called from any thread."""
    while clients:
        loop, client = clients.popitem()
        run_soon = getattr(loop, "run_sync_soon", None)
        if run_soon is not None:  # a trio token
            # asyncio closes a forgotten generator in silence, trio only with a warning
            import trio

            with contextlib.suppress(trio.RunFinishedError):
                run_soon(trio.lowlevel.spawn_system_task, _finish, client.lifetime)


async def _finish(lifetime: AsyncGenerator[None, None]) -> None:
    await lifetime.aclose()


class _Connector:
    """Makes connection pools, with one TLS context for all of them.

    Apart from `Core`, because the pools hold it: with them, a forgotten core would live for ever.
    """

    __slots__ = ("_tls",)

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None

    def __call__(
        self, tls: ssl.SSLContext | None = None, proxy: httpx.Proxy | None = None
    ) -> httpx.AsyncBaseTransport:
        if tls is None:
            if self._tls is None:
                self._tls = httpx.create_ssl_context()  # takes 20 ms: once is enough
            tls = self._tls
        # no limit on their number: PoolTransport counts
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.AsyncHTTPTransport(verify=tls, limits=limits, proxy=proxy)


# what stands in front of the wire: the chain of the API, or nothing
_Front = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


class Core:
    """Sends calls. One for each client that was constructed; its views share it."""

    __slots__ = (
        "__weakref__",
        "_closed",
        "_connector",
        "_headers",
        "_host",
        "_loops",
        "_storage",
        "_token",
        "_transport",
        "base_url",
        "budget",
    )

    def __init__(
        self,
        token: str,
        base_url: str,
        budget: PointBudget,
        transport: httpx.AsyncBaseTransport | None,
        *,
        allow_insecure: bool,
    ) -> None:
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise InvalidArgumentError("transport: expected an httpx.AsyncBaseTransport")
        url = _checked_base_url(base_url, allow_insecure=allow_insecure)
        self.base_url = str(url).rstrip("/")
        self.budget = budget
        self._host = url.host
        self._token = Secret(token)
        self._transport = transport
        self._connector = _Connector()
        self._headers: httpx.Headers | None = None
        # A connection belongs to the event loop that made it, so each loop has its own client.
        self._loops: dict[object, _LoopClient] = {}
        # The same for the storage hosts: clients that know no token and pay no points.
        self._storage: dict[object, _LoopClient] = {}
        self._closed = False
        # A client that is forgotten open lets go of its connections while they are still whole:
        # `finalize` holds them, so that the garbage collector does not find them first.
        for loops in (self._loops, self._storage):
            weakref.finalize(self, _let_go, loops).atexit = False

    async def send(
        self, call: Call[Any], options: Options, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Take a call through the chain.

        Raises:
            WherebyError: there is no answer, or it reports no success.
        """
        http = self._http()
        url = (
            f"{self.base_url}{call.path}?{call.query}" if call.query else self.base_url + call.path
        )
        info = RequestInfo(call.method, url)
        scope = anyio.CancelScope()
        context = CallContext(
            call.cost,
            repeatable=call.repeatable,
            priority=options.priority,
            max_wait=options.max_wait,
            max_retries=options.max_retries,
            timeout=options.timeout,
            scope=scope,
            host=self._host,
        )
        request = self._request(http, call, url, headers)
        request.extensions = {"timeout": options.timeouts, EXTENSION: context}
        response: httpx.Response | None = None
        error: WherebyError | None = None
        try:
            with scope:
                response = await http.send(
                    request,
                    auth=_NO_AUTH,
                    # A redirected write would silently become a GET.
                    follow_redirects=call.method in ("GET", "HEAD"),
                )
        except BudgetTimeoutError as refusal:
            refusal.add_note(f"{info.method} {info.path} was not sent")
            raise
        except _HTTPX_ERRORS as failure:
            error = self._explain(failure, context, options, info)
        # Raised out here, so that no chain leads to the exception of httpx: that one holds the
        # request with its token.
        if error is not None:
            raise error
        if response is None:
            raise _too_slow(context, options, info)
        if not 200 <= response.status_code <= 299:
            raise self._refusal(response, info)
        return Answer(
            info,
            response.status_code,
            response.headers,
            response.content,
            BROKEN_ENCODING in response.extensions,
        )

    def check_open(self) -> None:
        """Refuse to go on after `aclose`."""
        if self._closed:
            raise ClientClosedError(CLOSED)

    async def aclose(self) -> None:
        """Close the connections of all loops."""
        self._closed = True
        for loops in (self._loops, self._storage):
            own = loops.pop(_running_loop(), None)
            _let_go(loops)
            if own is not None:
                await own.lifetime.aclose()

    def storage(self) -> httpx.AsyncClient:
        """Return the httpx client of the running event loop for access links.

        It has nothing of the API's: no token, no points, no retries.
        """
        return self._of_loop(self._storage, lambda wire: wire)

    def _http(self) -> httpx.AsyncClient:
        """Return the httpx client of the running event loop."""
        return self._of_loop(self._loops, self._chain)

    def _of_loop(self, clients: dict[object, _LoopClient], front: _Front) -> httpx.AsyncClient:
        self.check_open()
        loop = _running_loop()
        found = clients.get(loop)
        if found is None or found.http.is_closed:
            for other, old in list(clients.items()):
                if old.http.is_closed:  # its loop has ended
                    clients.pop(other, None)
            found = clients[loop] = self._open(front)
        return found.http

    def _open(self, front: _Front) -> _LoopClient:
        problem = http = None
        try:
            http = _HTTPClient(
                transport=front(self._transport or PoolTransport(self._connector)),
                mounts={} if self._transport else self._mounts(front),
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

    def _chain(self, wire: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return RetryTransport(BudgetTransport(wire, self.budget))

    def _mounts(self, front: _Front) -> dict[str, httpx.AsyncBaseTransport | None]:
        """Return what sends the requests that go another way: without TLS, or over proxies."""
        # Loading the certificates blocks for 20 ms. A loopback server needs none; if a redirect
        # leads from http to https all the same, this context trusts nobody.
        without_tls = partial(self._connector, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {
            "http://": front(PoolTransport(without_tls))
        }
        for pattern, proxy in environment_proxies().items():
            if proxy is None:
                mounts[pattern] = None
            else:
                mounts[pattern] = front(
                    PoolTransport(partial(self._connector, proxy=httpx.Proxy(proxy)))
                )
        return mounts

    def _request(
        self,
        http: httpx.AsyncClient,
        call: Call[Any],
        url: str,
        more: Mapping[str, str] | None,
    ) -> httpx.Request:
        if self._headers is None:
            self._headers = self._make_headers(http)
        headers = self._headers
        has_body = call.json is not UNSET or call.files is not None
        if not has_body and not more and call.method in ("GET", "DELETE"):
            # Most calls. With `stream=` httpx adds no headers of its own: ours are complete.
            request = httpx.Request(call.method, url, headers=headers, stream=_NO_BODY)
            request.read()  # for transports that look at `request.content`
            return request
        headers = httpx.Headers(headers)
        if call.json is not UNSET:
            headers["Content-Type"] = "application/json"
        headers.update(more)
        content = None if call.json is UNSET else _json_bytes(call.json)
        return httpx.Request(call.method, url, headers=headers, content=content, files=call.files)

    def _make_headers(self, http: httpx.AsyncClient) -> httpx.Headers:
        """Make the headers that all requests share, Host included."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": http.headers["accept-encoding"],
            "User-Agent": _USER_AGENT,
            "Authorization": f"Bearer {self._token.reveal()}",
        }
        return httpx.Request("GET", self.base_url, headers=headers).headers

    def _explain(
        self, failure: Exception, context: CallContext, options: Options, request: RequestInfo
    ) -> WherebyError:
        """Turn an exception of httpx into one of ours, which holds no secret."""
        if self._closed:
            return ClientClosedError("the WherebyClient was closed during the call")
        if isinstance(failure, httpx.TimeoutException):
            return _too_slow(context, options, request)
        detail = " ".join(self._hide_token(_told(failure)).split())[:200]
        if isinstance(failure, NEVER_SENT):
            text = f"no connection: {detail}"
        elif isinstance(failure, httpx.TransportError):
            text = f"the answer was lost: {detail} ({type(failure).__name__}){_doubt(context)}"
        else:
            text = f"{detail} ({type(failure).__name__})"
        return APIConnectionError(text, request=request)

    def _refusal(self, response: httpx.Response, request: RequestInfo) -> WherebyError:
        """Turn an answer that is no success into an error."""
        return status_error(
            response.status_code,
            Headers((k, self._hide_token(v)) for k, v in response.headers.multi_items()),
            response.content.replace(self._token.reveal().encode(), b"[secure]"),
            request,
        )

    def _hide_token(self, text: str) -> str:
        # servers and proxies that repeat what they were sent do exist
        return text.replace(self._token.reveal(), "[secure]")


def _running_loop() -> object:
    # Not by anyio, which has no public name for it before 4.11. Trio first: it can be a guest in an
    # asyncio loop.
    if "trio" in sys.modules:
        with contextlib.suppress(RuntimeError):
            return sys.modules["trio"].lowlevel.current_trio_token()
    return sys.modules["asyncio"].get_running_loop()


def _told(failure: BaseException | None) -> str:
    """Return the first words in a chain of exceptions: trio's are often silent."""
    seen = 0
    while failure is not None and seen < 10:
        if text := str(failure):
            return text
        failure, seen = failure.__cause__ or failure.__context__, seen + 1
    return "no details"


def _too_slow(context: CallContext, options: Options, request: RequestInfo) -> APITimeoutError:
    return APITimeoutError(
        f"no answer within {options.timeout} s{_doubt(context)}", request=request
    )


def _doubt(context: CallContext) -> str:
    if not context.reached:
        return "; the request did not reach the server"
    return "" if context.repeatable else "; the server may have executed it all the same"


def _json_bytes(value: Any) -> bytes:
    try:
        return dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        kind = type(error).__name__
    # Out here, because those hold the value.
    raise InvalidArgumentError(f"the body cannot be written as JSON ({kind})")


def _checked_base_url(text: str, *, allow_insecure: bool) -> httpx.URL:
    url = None
    with contextlib.suppress(httpx.InvalidURL, TypeError, ValueError):
        url = httpx.URL(text)
    if url is None or url.scheme not in ("https", "http") or not url.host:
        raise InvalidArgumentError("base_url: expected https://host/path")
    if url.userinfo or url.query or url.fragment:
        raise InvalidArgumentError("base_url: may hold no user, query or fragment")
    if url.scheme == "http" and not allow_insecure and not _is_loopback(url.host):
        raise InvalidArgumentError(
            f"base_url: plain http to {url.host} would show the token to everybody on the way; "
            "use https, or allow_insecure=True"
        )
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
