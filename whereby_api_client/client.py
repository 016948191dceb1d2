"""`WherebyClient`: options, methods of the resources, and their calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any, Final, Never, ParamSpec, Self, TypeVar

from ._generated.resources import Resources
from ._http.base_url import checked_base_url
from ._http.call_context import MAX_RESPONSE_BYTES, cost_of, is_repeatable
from ._http.lifetime import Lifetime
from ._http.response_body import TOO_LARGE
from ._http.sender import Connections, Options, RawResponse, Sender
from ._http.transports import make_transports
from ._runtime import checks
from ._runtime.codec import DecodeError, encode
from ._runtime.resource import Call, Resource, anything
from .budget.point_budget import PointBudget
from .errors import (
    Headers,
    InvalidArgumentError,
    ResponseDecodeError,
    ResponseTooLargeError,
)
from .files.access_links import open_link
from .response import APIResponse
from .types import UNSET, Unset

if TYPE_CHECKING:
    import ssl
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from ._http._httpx import httpx
    from ._http.transports import TransportFactory
    from .budget.interface import Budget
    from .budget.observer import Observer
    from .budget.queue import Priority
    from .files.access_links import LinkResponse

P = ParamSpec("P")
T = TypeVar("T")


class WherebyClient(Resources):
    """A client of the Whereby REST API: await its methods, on asyncio or trio.

        async with WherebyClient() as whereby:
            meeting = await whereby.meetings.create(end_date=...)
            async for meeting in whereby.meetings.list():
                ...

    Make one and keep it: it holds the connections and the point budget. It can be made anywhere,
    also outside an event loop, and used from several loops and threads: each loop gets connections
    of its own. Close it with `async with` or `await whereby.aclose()`.

    Args:
        token: the API key; by default that of the environment variable WHEREBY_API_KEY.
        base_url: where the API is. Plain http is refused except for loopback addresses.
        budget: the organization's points. All clients of one organization should share one. By
            default a client has its own, which learns the limit from the server.
        timeout: seconds that one call may take on the wire, over all its attempts and the pauses
            between them. Waiting for points does not count. None: no limit.
        max_retries: how many more attempts a call gets. Only what can do no harm is repeated: after
            a lost response or a server error never one of the creating POSTs.
        max_wait: seconds that one call may wait for points. A call that would have to wait longer
            fails at once with BudgetTimeoutError. None: as long as it takes.
        max_response_bytes: how large a response may be, decoded. A larger one is not read to its
            end: ResponseTooLargeError. Downloads have no such limit.
        ssl_context: for a private authority or a client certificate. By default the authorities
            of certifi are trusted, or those of the environment variable SSL_CERT_FILE.
        proxy: a proxy for everything, such as `http://user:password@host:3128`, in place of those
            of the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY, …).
        transport: what sends the requests, in place of our connections and of the proxies of the
            environment: a function that makes an `httpx.AsyncBaseTransport` and is called for each
            event loop, or one transport. It is closed with the client.
        allow_insecure: accept plain http to any host. Everybody on the way can read the token then.
        observer: gets a report of every call, and of what happens to the budget.

    Raises:
        InvalidArgumentError: there is no token, or an argument cannot be used.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        base_url: str = "https://api.whereby.dev/v1",
        budget: Budget | None = None,
        timeout: float | None = 30.0,
        max_retries: int = 2,
        max_wait: float | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | httpx.URL | httpx.Proxy | None = None,
        transport: httpx.AsyncBaseTransport | TransportFactory | None = None,
        allow_insecure: bool = False,
        observer: Observer | None = None,
        **other: Never,
    ) -> None:
        checks.no_other_options(other)
        self._options = _options(timeout, max_retries, max_wait, "foreground", max_response_bytes)
        token = checks.token(token)
        url = checked_base_url(base_url, allow_insecure=allow_insecure)
        points: Budget = PointBudget() if budget is None else checks.budget(budget)
        if observer is not None:
            points.observe(observer)
        lifetime = Lifetime()
        transports = make_transports(lifetime, transport, ssl_context, proxy)
        self._sender = Sender(
            token, url, points, Connections(lifetime, transports, points, observer)
        )
        self._is_view = False
        self._responses: list[RawResponse] | None = None

    @property
    def budget(self) -> Budget:
        """The points from which the calls of this client are paid."""
        return self._sender.budget

    @property
    def base_url(self) -> str:
        """Where the API is, without a trailing slash."""
        return self._sender.base_url

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        max_wait: float | Unset | None = UNSET,
        priority: Priority | Unset = UNSET,
        max_response_bytes: int | Unset = UNSET,
        points: int | Unset | None = UNSET,
        token: str | Unset = UNSET,
        budget: Budget | Unset = UNSET,
    ) -> Self:
        """Return a view of this client with other options; the client itself stays as it is.

        The view shares the connections and costs next to nothing. It has the class and the
        attributes of the client. It lives as long as the client: closing the client closes it,
        closing the view does nothing.

        Args:
            token: another API key. For another organization give its `budget` as well.
            budget: other points; keep one PointBudget for each organization.
            max_response_bytes: how large a response may be, decoded.
            timeout: seconds that one call may take on the wire in total; None: no limit.
            max_retries: how many more attempts a call gets.
            max_wait: seconds that one call may wait for points; None: as long as it takes.
            priority: "foreground", or "background" for what may wait until others are served.
            points: what each call costs, if you know better; None: the documented or learned price.
        """
        old = self._options
        view = self._view()
        view._options = _options(
            old.timeout if timeout is UNSET else timeout,
            old.max_retries if max_retries is UNSET else max_retries,
            old.max_wait if max_wait is UNSET else max_wait,
            old.priority if priority is UNSET else priority,
            old.max_response_bytes if max_response_bytes is UNSET else max_response_bytes,
            old.points if points is UNSET else points,
        )
        if token is not UNSET or budget is not UNSET:
            view._sender = self._sender.for_tenant(
                None if token is UNSET else checks.token(token),
                None if budget is UNSET else checks.budget(budget),
            )
        return view

    def _view(self) -> Self:
        """Return a copy that shares everything, a subclass's attributes included."""
        view = object.__new__(type(self))
        for cls in type(self).__mro__:
            slots = cls.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name not in ("__dict__", "__weakref__") and hasattr(self, name):
                    setattr(view, name, getattr(self, name))
        attributes = vars(view)
        attributes.update(vars(self))
        for name in _RESOURCES:  # which know the client that they were made for
            attributes.pop(name, None)
        view._is_view = True
        return view

    async def with_response(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> APIResponse[T]:
        """Call a method and return its result together with status and headers.

            response = await whereby.with_response(whereby.meetings.get, meeting_id)
            response.parsed.room_url, response.status_code, response.rate_limit.remaining

        Works with every method of every resource, also through `with_options`, and with `request`;
        a list gives its first page. Errors are raised as always and hold status and headers too.

        Args:
            method: the method, not yet called.
            args: its arguments.
            kwargs: its keyword arguments.

        Raises:
            InvalidArgumentError: the method must be one of a client's.
        """
        owner = getattr(method, "__self__", None)
        caller = owner._caller if isinstance(owner, Resource) else owner
        if not isinstance(caller, WherebyClient):
            raise InvalidArgumentError(
                "method: must be one of a client's methods, such as whereby.meetings.get"
            )
        responses: list[RawResponse] = []
        view = caller._view()
        view._responses = responses
        bound = type(owner)(view) if isinstance(owner, Resource) else view
        parsed: T = await getattr(bound, method.__name__)(*args, **kwargs)
        if not responses:
            raise InvalidArgumentError(f"method: {method.__name__} has not called the API")
        last = responses[-1]
        headers = Headers(last.headers.multi_items())
        return APIResponse(parsed, last.status_code, headers, last.request)

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
        """Send what this package has no method for, and return the JSON of the response.

        It takes the same way as every call: points, retries and errors.

        Args:
            method: GET, POST, …
            path: relative to base_url, with a slash in front. Percent-encode what you put into it.
            params: query parameters; a list repeats its parameter.
            json: the body. Models, enums and aware date-times are written as the API spells them.
            files: a multipart body in place of JSON: field → (file name, content, content type).
            headers: more headers; not those that the client sets itself.
            cost: the points it costs; by default 1 for reads, 2 for DELETE and 3 for other writes.

        Returns:
            The parsed JSON; None if the response has no body.
        """
        if files is not None and json is not UNSET:
            raise InvalidArgumentError("give either json or files, not both")
        method = checks.method(method)
        path, query = checks.target(self.base_url, path, params)
        call: Call[Any] = Call(
            operation="request",
            method=method,
            path=path,
            query=query,
            cost=cost_of(method) if cost is None else checks.whole_number("cost", cost, 1),
            parse=anything,
            json=json if json is UNSET else encode("json", json),
            files=files if files is None else checks.files(files),
            repeatable=is_repeatable(method),
        )
        response = await self._sender.send(call, self._options, checks.headers(headers))
        if self._responses is not None:
            self._responses.append(response)
        return _parsed(call, response) if response.content or response.problem else None

    async def execute(self, call: Call[T]) -> T:
        """Send a call and return its parsed result: what the generated methods stand on."""
        response = await self._sender.send(call, self._options, call.headers)
        if self._responses is not None:
            self._responses.append(response)
        return call.parse(None) if call.empty else _parsed(call, response)

    def open_link(
        self, link: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """Open an access link, to read the file piece by piece without storing it.

            async with whereby.open_link(link.access_link) as response:
                async for chunk in response: ...

        A link leads to a storage host and not to the API: this costs no points, and the token stays
        here. Nothing is repeated and every status is handed on: look at `response.status_code`.
        To get a whole file safely onto a disk, use `download`.

        Args:
            link: where the file is.
            headers: such as `Range`.

        Raises:
            APIConnectionError: there is no response, or only half of one.
        """
        return open_link(
            self._sender.connections, link, checks.headers(headers), self._options.timeouts
        )

    async def aclose(self) -> None:
        """Close the client. Calls under way, also those that only wait, end with ClientClosedError.

        In whatever event loop or thread they are. Closing twice is fine.
        """
        if not self._is_view:
            await self._sender.connections.aclose()

    def _until_closed(self) -> AbstractContextManager[None]:
        """Run a `with` block until the client is closed, then end it with ClientClosedError."""
        return self._sender.connections.lifetime.until_closed()

    async def __aenter__(self) -> Self:
        self._sender.connections.lifetime.check_open()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"WherebyClient(base_url={self.base_url!r}, token=[secure], budget={self.budget!r})"

    def __dir__(self) -> Iterable[str]:
        # `execute` is for the generated methods: callers use those, or `request`
        return [name for name in super().__dir__() if name != "execute"]

    def __reduce__(self) -> Never:
        raise TypeError(
            "a WherebyClient holds connections and the token, so it cannot be pickled or copied: "
            "make one in each process, or use with_options()"
        )


_RESOURCES: Final = tuple(
    name for name, value in vars(Resources).items() if isinstance(value, cached_property)
)


def _options(
    timeout: float | None,
    max_retries: int,
    max_wait: float | None,
    priority: Priority,
    max_response_bytes: int,
    points: int | None = None,
) -> Options:
    if priority not in ("foreground", "background"):
        raise InvalidArgumentError(
            f"priority: must be one of foreground, background; got {priority!r}"
        )
    checks.seconds("timeout", timeout)
    return Options(
        timeout,
        checks.whole_number("max_retries", max_retries, 0),
        checks.seconds("max_wait", max_wait, zero=True),
        priority,
        checks.whole_number("max_response_bytes", max_response_bytes, 1),
        None if points is None else checks.whole_number("points", points, 1),
        dict.fromkeys(("connect", "read", "write", "pool"), timeout),
    )


def _parsed(call: Call[T], response: RawResponse) -> T:
    """Parse the body of a success."""
    content = response.content
    path = model = field = ""
    error_class = ResponseDecodeError
    try:
        if response.problem == TOO_LARGE:
            problem = "it is larger than max_response_bytes"
            content, error_class = b"", ResponseTooLargeError
        elif response.problem:
            problem = "its content encoding is broken"
        elif call.raw:
            return call.parse(content)
        elif content:
            return call.parse(loads(content))
        else:
            problem = "it is empty"
    except DecodeError as error:
        problem, path, model, field = str(error), error.path, error.model, error.field
    except JSONDecodeError as error:
        problem = f"it is not JSON ({error.msg} at character {error.pos})"
    except (ValueError, RecursionError) as error:
        problem = f"it cannot be read as JSON ({type(error).__name__})"
    # Out here, so that no chain leads to an exception that holds the whole text.
    raise error_class(
        problem,
        status_code=response.status_code,
        body=content,
        headers=Headers(response.headers.multi_items()),
        request=response.request,
        model=model,
        field=field,
        path=path,
    )
