"""The front door: `WherebyClient`."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import sys
from collections.abc import AsyncGenerator, Mapping
from json import JSONDecodeError, dumps, loads
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Never, Self, TypeVar
from urllib.parse import unquote

import anyio
import anyio.lowlevel
import httpx

from . import __version__
from ._generated.resources import Resources
from .budget import PointBudget
from .codec import DecodeError, encode
from .errors import (
    APIConnectionError,
    APITimeoutError,
    BudgetTimeoutError,
    ClientClosedError,
    Headers,
    InvalidArgumentError,
    RequestInfo,
    ResponseDecodeError,
    WherebyError,
    status_error,
)
from .resource import Call, anything
from .transport import (
    BROKEN_ENCODING,
    CLOSED,
    EXTENSION,
    NEVER_SENT,
    BudgetTransport,
    CallContext,
    PoolTransport,
    RetryTransport,
    cost_of,
    environment_proxies,
    is_repeatable,
)
from .types import UNSET, Unset

if TYPE_CHECKING:
    import ssl

    from .budget import Priority

T = TypeVar("T")

_TOKEN_VARIABLE: Final = "WHEREBY_API_KEY"
_BASE_URL: Final = "https://api.whereby.dev/v1"
_USER_AGENT: Final = (
    f"whereby-api-client/{__version__} "
    f"(python {sys.version_info.major}.{sys.version_info.minor}; httpx {httpx.__version__})"
)

# The client sets these itself; another value would send the token astray or break the framing.
_OWN_HEADERS: Final = frozenset({"authorization", "content-length", "host", "transfer-encoding"})

# Given to every send: otherwise httpx looks for credentials in the URL, each time.
_NO_AUTH: Final = httpx.Auth()

# What can come out of httpx. Not `Exception`: an error in a caller's own transport should be seen.
_HTTPX_ERRORS: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    ValueError,
)


class WherebyClient(Resources):
    """A client of the Whereby REST API: await its methods, on asyncio or trio.

        async with WherebyClient() as whereby:
            meeting = await whereby.meetings.create(end_date=...)
            async for meeting in whereby.meetings.list():
                ...

    Make one and keep it: it holds the connections and the point budget. It can be made anywhere,
    also outside an event loop, and be used from several loops and threads; each loop gets its own
    connections. Close it with `async with` or `await whereby.aclose()`.

    Args:
        token: the API key; by default the environment variable WHEREBY_API_KEY.
        base_url: where the API is. Plain http is refused except for loopback addresses.
        budget: the organization's points. Clients of one organization should share one; by default
            each client has its own, which learns the limit from the server.
        timeout: seconds that one call may take on the wire, over all its attempts and the pauses
            between them. Waiting for points does not count. None: no limit.
        max_retries: how many more attempts a call gets. Only what can do no harm is repeated: after
            a lost answer or a server error never one of the creating POSTs.
        max_wait: seconds that one call may wait for points. A call that would have to wait longer
            fails at once with BudgetTimeoutError. None: as long as it takes.
        transport: what to send requests with, in place of httpx's own connections.
        allow_insecure: accept a base_url with plain http to any host. The token can be read then by
            everybody on the way.

    Raises:
        InvalidArgumentError: an argument cannot be used, or there is no token.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        base_url: str = _BASE_URL,
        budget: PointBudget | None = None,
        timeout: float | None = 30.0,
        max_retries: int = 2,
        max_wait: float | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        allow_insecure: bool = False,
    ) -> None:
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise InvalidArgumentError("transport: expected an httpx.AsyncBaseTransport")
        self._core = _Core(
            _checked_token(token),
            _checked_base_url(base_url, allow_insecure=allow_insecure),
            PointBudget() if budget is None else budget,
            transport,
        )
        self._options = _Options.checked(timeout, max_retries, max_wait, "foreground")
        self._is_view = False

    @property
    def budget(self) -> PointBudget:
        """The points that the calls of this client are paid from."""
        return self._core.budget

    @property
    def base_url(self) -> str:
        """Where the API is, without a trailing slash."""
        return self._core.base_url

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        max_wait: float | Unset | None = UNSET,
        priority: Priority | Unset = UNSET,
    ) -> Self:
        """Return a view of this client with other options; the client itself stays as it is.

        The view shares connections, budget and token, and costs next to nothing. It lives as long
        as the client: closing the client closes it, closing the view does nothing.

        Args:
            timeout: seconds that one call may take on the wire in total; None: no limit.
            max_retries: how many more attempts a call gets.
            max_wait: seconds that one call may wait for points; None: as long as it takes.
            priority: "foreground", or "background" for what may wait until others are served.
        """
        old = self._options
        view = object.__new__(type(self))
        view._core = self._core
        view._options = _Options.checked(
            old.timeout if timeout is UNSET else timeout,
            old.max_retries if max_retries is UNSET else max_retries,
            old.max_wait if max_wait is UNSET else max_wait,
            old.priority if priority is UNSET else priority,
        )
        view._is_view = True
        return view

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = UNSET,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        cost: int | None = None,
    ) -> Any:
        """Send a request that this package has no method for; return the JSON of the answer.

        It takes the same way as every call: points, retries and errors.

        Args:
            method: GET, POST, …
            path: relative to base_url, beginning with a slash. Percent-encode what you put into it.
            params: query parameters; a list repeats its parameter.
            json: the body. Models, enums and aware date-times are written as the API spells them.
            files: a multipart body in place of JSON: field → (file name, content, content type).
            headers: more headers; not those which the client sets itself.
            cost: the points it costs; by default 1 for reads, 2 for DELETE and 3 for other writes.

        Returns:
            The parsed JSON; None if the answer has no body.
        """
        given: dict[str, str] = {}
        for name, value in (headers or {}).items():
            given[name] = _checked_header(name, value)
        path, query = self._core.relative(path, params)
        call: Call[Any] = Call(
            operation="request",
            method=_checked_method(method),
            path=path,
            query=query,
            cost=cost_of(method.upper()) if cost is None else _checked_cost(cost),
            parse=anything,
            json=json if json is UNSET else encode("json", json),
            files=files,
            repeatable=is_repeatable(method.upper()),
        )
        if files is not None and json is not UNSET:
            raise InvalidArgumentError("give either json or files, not both")
        response = await self._send(call, given)
        return _parsed(call, response) if response.content else None

    async def execute(self, call: Call[T]) -> T:
        """Send a call and return its parsed result: what the generated methods are built on."""
        response = await self._send(call, None)
        return call.parse(None) if call.empty else _parsed(call, response)

    async def _send(self, call: Call[Any], headers: Mapping[str, str] | None) -> httpx.Response:
        """Take a call through the chain; return an answer that reports success."""
        core = self._core
        options = self._options
        http = core.http()
        url = core.base_url + call.path + (f"?{call.query}" if call.query else "")
        scope = anyio.CancelScope()
        context = CallContext(
            call.cost,
            repeatable=call.repeatable,
            priority=options.priority,
            max_wait=options.max_wait,
            max_retries=options.max_retries,
            timeout=options.timeout,
            scope=scope,
            host=core.host,
        )
        request = httpx.Request(
            call.method,
            url,
            headers=core.headers(http, json=call.json is not UNSET, more=headers),
            content=None if call.json is UNSET else _json_bytes(call.json),
            files=call.files,
            extensions={"timeout": options.timeouts, EXTENSION: context},
        )
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
            refusal.add_note(f"while waiting to send {call.method} {request.url.path}")
            raise
        except _HTTPX_ERRORS as failure:
            error = core.explain(failure, context, options, RequestInfo(call.method, url))
        # Raised out here, so that no chain leads to the exception of httpx: that one holds the
        # request with its token.
        if error is not None:
            raise error
        if response is None:
            raise core.too_slow(context, options, RequestInfo(call.method, url))
        if not 200 <= response.status_code <= 299:
            raise core.refusal(response, RequestInfo(call.method, url))
        return response

    async def aclose(self) -> None:
        """Close the connections. Calls that are still under way fail; closing twice is fine."""
        if not self._is_view:
            await self._core.aclose()

    async def __aenter__(self) -> Self:
        self._core.check_open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"WherebyClient(base_url={self.base_url!r}, token=[secure], budget={self.budget!r})"

    def __reduce__(self) -> Never:
        raise TypeError(
            "a WherebyClient holds connections and the token, so it cannot be pickled or copied: "
            "make one in each process, or use with_options()"
        )


class _Options(NamedTuple):
    """What `with_options` can change."""

    timeout: float | None
    max_retries: int
    max_wait: float | None
    priority: Priority
    # The same number in httpx's form: each single step is bounded as well.
    timeouts: Mapping[str, float | None]

    @classmethod
    def checked(
        cls, timeout: float | None, max_retries: int, max_wait: float | None, priority: Priority
    ) -> _Options:
        if timeout is not None and not (_is_number(timeout) and timeout > 0):
            raise InvalidArgumentError("timeout: expected a positive number of seconds, or None")
        if max_wait is not None and not (_is_number(max_wait) and max_wait >= 0):
            raise InvalidArgumentError("max_wait: expected a number of seconds, or None")
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
            raise InvalidArgumentError("max_retries: expected a whole number, 0 or more")
        if priority not in ("foreground", "background"):
            raise InvalidArgumentError('priority: expected "foreground" or "background"')
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        return cls(timeout, max_retries, max_wait, priority, timeouts)


class _Secret:
    """A string that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "[secure]"

    def __reduce__(self) -> Never:
        raise TypeError("a secret cannot be pickled")


class _NoCookies(httpx.Cookies):
    """A jar that keeps nothing."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave the cookies where they are."""


_NO_COOKIES: Final = _NoCookies()


class _HTTPClient(httpx.AsyncClient):
    """httpx without cookies: the API needs none, and handling them is a quarter of a call's work."""

    @property
    def cookies(self) -> httpx.Cookies:
        """The jar that stays empty."""
        return _NO_COOKIES


async def _close_with_loop(http: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Close the client when the event loop ends, or when nobody holds this generator any more.

    Event loops close their unfinished async generators while they can still do so properly
    (PEP 525); afterwards there is nothing but "Event loop is closed" from finalizers.
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


class _Core:
    """What a client shares with its views: token, budget and connections."""

    __slots__ = (
        "_closed",
        "_headers",
        "_json_headers",
        "_loops",
        "_tls",
        "_token",
        "_transport",
        "base_url",
        "budget",
        "host",
    )

    def __init__(
        self,
        token: str,
        base_url: httpx.URL,
        budget: PointBudget,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._token = _Secret(token)
        self.base_url = str(base_url).rstrip("/")
        self.host = base_url.host
        self.budget = budget
        self._transport = transport
        self._tls: ssl.SSLContext | None = None
        self._headers: httpx.Headers | None = None
        self._json_headers: httpx.Headers | None = None
        # A connection belongs to the event loop that made it, so each loop has its own client.
        self._loops: dict[object, _LoopClient] = {}
        self._closed = False

    def check_open(self) -> None:
        if self._closed:
            raise ClientClosedError(CLOSED)

    def http(self) -> httpx.AsyncClient:
        """Return the httpx client of the running event loop."""
        self.check_open()
        token = anyio.lowlevel.current_token()
        # anyio wraps the loop since 4.11
        loop = getattr(token, "native_token", token)
        found = self._loops.get(loop)
        if found is None or found.http.is_closed:
            found = self._loops[loop] = self._open()
        return found.http

    def _open(self) -> _LoopClient:
        # loops that have ended closed their clients
        for loop in [loop for loop, old in self._loops.items() if old.http.is_closed]:
            self._loops.pop(loop, None)
        problem = ""
        try:
            http = _HTTPClient(
                transport=self._chain(self._transport),
                mounts={} if self._transport else self._proxy_mounts(),
                trust_env=False,
            )
        except (ValueError, ImportError) as failure:
            problem = str(failure)
        if problem:
            raise InvalidArgumentError(f"cannot use the proxy of the environment: {problem}")
        lifetime = _close_with_loop(http)
        # Start it by hand: it does not wait for anything before its yield.
        try:
            lifetime.__anext__().send(None)
        except StopIteration:
            pass
        return _LoopClient(http, lifetime)

    def _chain(
        self, transport: httpx.AsyncBaseTransport | None, proxy: str | None = None
    ) -> httpx.AsyncBaseTransport:
        if transport is None:
            transport = PoolTransport(lambda: self._connections(proxy))
        return RetryTransport(BudgetTransport(transport, self.budget))

    def _connections(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        if self._tls is None:
            self._tls = httpx.create_ssl_context()  # takes 20 ms: once is enough
        # PoolTransport counts the connections
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.AsyncHTTPTransport(verify=self._tls, limits=limits, proxy=proxy)

    def _proxy_mounts(self) -> dict[str, httpx.AsyncBaseTransport | None]:
        return {
            pattern: None if proxy is None else self._chain(None, proxy)
            for pattern, proxy in environment_proxies().items()
        }

    def headers(
        self, http: httpx.AsyncClient, *, json: bool, more: Mapping[str, str] | None
    ) -> httpx.Headers:
        """Return the headers of a request."""
        if self._headers is None or self._json_headers is None:
            self._headers = httpx.Headers(
                {
                    "Accept": "application/json",
                    "Accept-Encoding": http.headers["accept-encoding"],
                    "User-Agent": _USER_AGENT,
                    "Authorization": f"Bearer {self._token.reveal()}",
                }
            )
            self._json_headers = httpx.Headers(self._headers)
            self._json_headers["Content-Type"] = "application/json"
        headers = self._json_headers if json else self._headers
        if more:
            headers = httpx.Headers(headers)
            headers.update(more)
        return headers

    def relative(self, path: str, params: Mapping[str, Any] | None) -> tuple[str, str]:
        """Check a caller's path; return it and its query."""
        from .arguments import query as write_query

        if path.startswith(self.base_url + "/"):
            path = path[len(self.base_url) :]
        path, _, query = path.partition("?")
        segments = path.split("/")
        if segments[0] or len(segments) < 2 or path.startswith("//"):
            raise InvalidArgumentError(
                "path: expected one below base_url, beginning with a single slash; "
                "the token is not sent anywhere else"
            )
        if any(unquote(segment) in (".", "..") for segment in segments):
            raise InvalidArgumentError("path: '.' and '..' would lead to another address")
        if re.search(r"[\x00-\x20\x7f\\#]", path + query):
            raise InvalidArgumentError(
                "path: holds a space, control character, '\\' or '#'; percent-encode it"
            )
        return path, "&".join(filter(None, (query, write_query(extra=params))))

    def explain(
        self,
        failure: Exception,
        context: CallContext,
        options: _Options,
        request: RequestInfo,
    ) -> WherebyError:
        """Turn an exception of httpx into one of ours, which holds no secret."""
        if self._closed:
            return ClientClosedError("the WherebyClient was closed during the call")
        if isinstance(failure, httpx.TimeoutException):
            return self.too_slow(context, options, request)
        detail = self._clean(str(failure)) or "no details"
        if isinstance(failure, NEVER_SENT):
            text = f"no connection: {detail}"
        elif isinstance(failure, httpx.TransportError):
            text = f"the answer was lost: {detail} ({type(failure).__name__}){_doubt(context)}"
        else:
            text = f"{detail} ({type(failure).__name__})"
        return APIConnectionError(text, request=request)

    def too_slow(
        self, context: CallContext, options: _Options, request: RequestInfo
    ) -> APITimeoutError:
        """Say that a call took too long."""
        return APITimeoutError(
            f"no answer within {options.timeout} s{_doubt(context)}", request=request
        )

    def refusal(self, response: httpx.Response, request: RequestInfo) -> WherebyError:
        """Turn an answer that is no success into an error."""
        return status_error(
            response.status_code,
            Headers((k, self._hide_token(v)) for k, v in response.headers.multi_items()),
            response.content.replace(self._token.reveal().encode(), b"[secure]"),
            request,
        )

    def _hide_token(self, text: str) -> str:
        return text.replace(self._token.reveal(), "[secure]")

    def _clean(self, text: str) -> str:
        return " ".join(self._hide_token(text).split())[:200]

    async def aclose(self) -> None:
        self._closed = True
        loops, self._loops = self._loops, {}
        token = anyio.lowlevel.current_token()
        own = loops.pop(getattr(token, "native_token", token), None)
        # The others are let go: each loop that is still running closes its own client.
        loops.clear()
        if own is not None:
            await own.lifetime.aclose()
        elif self._transport is not None:
            await self._transport.aclose()


def _doubt(context: CallContext) -> str:
    if not context.reached:
        return "; the request did not reach the server"
    return "" if context.repeatable else "; the server may have executed it all the same"


def _parsed(call: Call[T], response: httpx.Response) -> T:
    """Parse the body of a success."""
    content = response.content
    path = model = field = ""
    try:
        if BROKEN_ENCODING in response.extensions:
            problem = "its content encoding is broken"
        elif content:
            return call.parse(loads(content))
        else:
            problem = "it is empty"
    except DecodeError as error:
        problem, path, model, field = str(error), error.path, error.model, error.field
    except JSONDecodeError as error:
        problem = f"it is no JSON ({error.msg} at character {error.pos})"
    except (ValueError, RecursionError) as error:
        problem = f"it is no JSON that can be read ({type(error).__name__})"
    # Out here, so that no chain leads to an exception that holds the whole text.
    raise ResponseDecodeError(
        problem,
        status_code=response.status_code,
        body=content,
        headers=Headers(response.headers.multi_items()),
        request=RequestInfo(response.request.method, str(response.request.url)),
        model=model,
        field=field,
        path=path,
    )


def _json_bytes(value: Any) -> bytes:
    try:
        return dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        kind = type(error).__name__
    raise InvalidArgumentError(f"the body cannot be written as JSON ({kind})")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _checked_token(token: str | None) -> str:
    # The messages do not show it: a token with a stray character is still a token.
    if token is None:
        token = os.environ.get(_TOKEN_VARIABLE)
    if not token:
        raise InvalidArgumentError(f"no API key: give token=, or set {_TOKEN_VARIABLE}")
    if not isinstance(token, str):
        raise InvalidArgumentError("token: expected a str")
    if re.fullmatch(r"[\x21-\x7e]+", token) is None:
        raise InvalidArgumentError(
            "token: holds a space, a line break or another character that no API key has "
            "(look for a line break at its end)"
        )
    return token


def _checked_base_url(text: str, *, allow_insecure: bool) -> httpx.URL:
    url = None
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError, ValueError):
        pass
    if url is None or url.scheme not in ("https", "http") or not url.host:
        raise InvalidArgumentError("base_url: expected https://host/path")
    if url.userinfo or url.query or url.fragment:
        raise InvalidArgumentError("base_url: may hold no user, query or fragment")
    if url.scheme == "http" and not allow_insecure and not _is_loopback(url.host):
        raise InvalidArgumentError(
            f"base_url: {url.host} over plain http would show the token to everybody on the way; "
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


def _checked_method(method: str) -> str:
    if re.fullmatch(r"[A-Za-z]+", method) is None:
        raise InvalidArgumentError("method: expected GET, POST, PUT, PATCH, DELETE, …")
    return method.upper()


def _checked_cost(cost: int) -> int:
    if isinstance(cost, bool) or not isinstance(cost, int) or cost < 1:
        raise InvalidArgumentError("cost: expected a whole number, 1 or more")
    return cost


def _checked_header(name: str, value: str) -> str:
    if name.lower() in _OWN_HEADERS:
        raise InvalidArgumentError(f"headers: {name} is set by the client")
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise InvalidArgumentError("headers: a name that HTTP does not allow")
    if not re.fullmatch(r"[\t\x20-\x7e]*", value) or value != value.strip():
        raise InvalidArgumentError(f"headers: the value of {name} holds what HTTP does not allow")
    return value
