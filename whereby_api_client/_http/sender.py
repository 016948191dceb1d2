"""One call, from its arguments to its response or its error."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anyio

from ..errors import ClientClosedError, Headers, RequestInfo, WherebyError
from ._httpx import httpx
from .budget_transport import BudgetTransport
from .call_context import EXTENSION, CallContext
from .error_mapping import (
    HTTPX_ERRORS,
    NETWORK_ERRORS,
    connection_error,
    reason_of,
    status_error,
    timeout_error,
)
from .lifetime import CLOSED_DURING_CALL, Lifetime
from .loop_clients import LoopClients
from .observing_transport import ObservingTransport, Recording
from .redirects import MAX_REDIRECTS, next_request
from .request import make_request, shared_headers
from .response_body import PROBLEM
from .retries import RetryTransport
from .secret import Secret
from .transports import Transports

if TYPE_CHECKING:
    from .._runtime.resource import Call
    from ..budget.interface import Budget
    from ..budget.observer import Observer
    from ..budget.queue import Priority

# Given to every send: otherwise httpx looks for credentials in the URL, each time.
_NO_AUTH: Final = httpx.Auth()


class Options(NamedTuple):
    """What `with_options` can change."""

    timeout: float | None
    max_retries: int
    max_wait: float | None
    priority: Priority
    max_response_bytes: int
    points: int | None
    # `timeout` in httpx's form: each single step is bounded as well
    timeouts: Mapping[str, float | None]


class RawResponse(NamedTuple):
    """A response that reports success, still unparsed."""

    request: RequestInfo
    status_code: int
    headers: httpx.Headers
    content: bytes
    # BROKEN_ENCODING or TOO_LARGE, if the content is not what the server meant
    problem: str | None


class Connections:
    """The connections of a client, which all its views share, also those with another token."""

    __slots__ = ("__weakref__", "api", "lifetime", "observer", "storage", "transports")

    def __init__(
        self,
        lifetime: Lifetime,
        transports: Transports,
        budget: Budget,
        observer: Observer | None = None,
    ) -> None:
        self.lifetime: Lifetime = lifetime
        self.transports: Transports = transports
        self.observer: Observer | None = observer

        def chain(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
            paying: httpx.AsyncBaseTransport = BudgetTransport(inner, budget)
            return RetryTransport(paying if observer is None else ObservingTransport(paying))

        self.api: LoopClients = LoopClients(lifetime, transports, chain)
        # For access links: it knows no token, pays no points and repeats nothing.
        self.storage: LoopClients = LoopClients(lifetime, transports, lambda inner: inner)

    async def aclose(self) -> None:
        """End the calls under way and close the connections of all loops."""
        self.lifetime.close()
        await self.api.aclose()
        await self.storage.aclose()
        await self.transports.aclose()


class Sender:
    """Sends the calls of one organization: with its token, paid from its budget."""

    __slots__ = (
        "__weakref__",
        "_headers",
        "_host",
        "_lifetime",
        "_token",
        "base_url",
        "budget",
        "connections",
    )

    def __init__(
        self, token: str, base_url: httpx.URL, budget: Budget, connections: Connections
    ) -> None:
        self.base_url = str(base_url).rstrip("/")
        self.budget = budget
        self.connections = connections
        self._lifetime = connections.lifetime
        self._host = base_url.host
        self._token = Secret(token)
        self._headers = shared_headers(self.base_url, self._token.reveal())

    def for_tenant(self, token: str | None, budget: Budget | None) -> Sender:
        """Return a sender with another token or budget over the same connections."""
        if budget is not None and self.connections.observer is not None:
            budget.observe(self.connections.observer)
        return Sender(
            token or self._token.reveal(),
            httpx.URL(self.base_url),
            self.budget if budget is None else budget,
            self.connections,
        )

    def send(
        self, call: Call[Any], options: Options, headers: Mapping[str, str] | None = None
    ) -> Coroutine[Any, Any, RawResponse]:
        """Send a call and return its response.

        Raises:
            WherebyError: there is no response, or it reports no success.
        """
        observer = self.connections.observer
        if observer is None:
            return self._send(call, options, headers, None)
        recording = Recording(observer, call.operation, call.method)
        return recording.of(self._send(call, options, headers, recording))

    async def _send(
        self,
        call: Call[Any],
        options: Options,
        headers: Mapping[str, str] | None,
        recording: Recording | None,
    ) -> RawResponse:
        http = self.connections.api.get()
        url = (
            f"{self.base_url}{call.path}?{call.query}" if call.query else self.base_url + call.path
        )
        info = RequestInfo(call.method, url)
        scope = anyio.CancelScope()
        context = CallContext(
            options.points or call.cost,
            # What is given is not learned; and `request()` can be anything.
            operation="" if options.points or call.operation == "request" else call.operation,
            repeatable=call.repeatable,
            priority=options.priority,
            max_wait=options.max_wait,
            max_retries=options.max_retries,
            timeout=options.timeout,
            scope=scope,
            host=self._host,
            budget=self.budget,
            max_response_bytes=options.max_response_bytes,
        )
        if recording is not None:
            recording.attach(context)
        request = make_request(call, url, self._headers, headers)
        request.extensions = {"timeout": options.timeouts, EXTENSION: context}
        response: httpx.Response | None = None
        error: WherebyError | None = None
        self._lifetime.enter(scope)
        try:
            with scope:
                response = await _follow(http, request)
        except WherebyError as refusal:
            if not context.reached:
                refusal.add_note(f"{info.method} {info.path} was not sent")
            raise
        except NETWORK_ERRORS as failure:
            if not (self.connections.transports.is_ours or isinstance(failure, HTTPX_ERRORS)):
                raise  # a mistake in the caller's own transport
            error = self._connection_error(failure, context, options, info)
        finally:
            self._lifetime.leave(scope)
        # Raised out here, so that no chain leads to the exception of httpx: that one holds the
        # request with its token.
        if error is not None:
            raise error
        if response is None:
            if self._lifetime.is_closed:
                raise ClientClosedError(CLOSED_DURING_CALL)
            raise timeout_error(context, options.timeout, info)
        if not 200 <= response.status_code <= 299:
            raise self._status_error(response, info)
        return RawResponse(
            info,
            response.status_code,
            self._without_token(response.headers),
            response.content,
            response.extensions.get(PROBLEM),
        )

    def _connection_error(
        self, failure: Exception, context: CallContext, options: Options, request: RequestInfo
    ) -> WherebyError:
        """Return the error for an exception of httpx; it holds no secret."""
        if self._lifetime.is_closed:
            return ClientClosedError(CLOSED_DURING_CALL)
        if isinstance(failure, httpx.TimeoutException):
            return timeout_error(context, options.timeout, request)
        return connection_error(failure, self._hide_token(reason_of(failure)), context, request)

    def _status_error(self, response: httpx.Response, request: RequestInfo) -> WherebyError:
        """Return the error for a response that is no success; it holds no token."""
        return status_error(
            response.status_code,
            Headers(self._without_token(response.headers).multi_items()),
            response.content.replace(self._token.reveal().encode(), b"[secure]"),
            request,
        )

    # Servers and proxies that repeat what they were sent do exist.

    def _without_token(self, headers: httpx.Headers) -> httpx.Headers:
        token = self._token.reveal().encode()
        if not any(token in value for _, value in headers.raw):
            return headers
        return httpx.Headers([(k, v.replace(token, b"[secure]")) for k, v in headers.raw])

    def _hide_token(self, text: str) -> str:
        return text.replace(self._token.reveal(), "[secure]")


async def _follow(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request; a read follows redirects, a write would silently become a GET."""
    for _ in range(MAX_REDIRECTS):
        response = await http.send(request, auth=_NO_AUTH, follow_redirects=False)
        if response.next_request is None or request.method not in ("GET", "HEAD"):
            return response
        following = next_request(response)
        if following is None:
            return response
        request = following
    raise httpx.TooManyRedirects(f"more than {MAX_REDIRECTS} redirects")
