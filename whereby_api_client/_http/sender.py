"""One call, from its arguments to its response or its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anyio

from ..errors import (
    BudgetTimeoutError,
    ClientClosedError,
    Headers,
    InvalidArgumentError,
    RequestInfo,
    WherebyError,
)
from ._httpx import httpx
from .base_url import checked_base_url
from .budget_transport import BudgetTransport
from .call_context import EXTENSION, CallContext
from .error_mapping import (
    HTTPX_ERRORS,
    connection_error,
    first_text,
    status_error,
    timeout_error,
)
from .loop_clients import LoopClients
from .pool import CLOSED
from .request import make_request, shared_headers
from .response_body import BROKEN_ENCODING
from .retries import RetryTransport
from .secret import Secret
from .tls import Connector

if TYPE_CHECKING:
    from .._runtime.resource import Call
    from ..budget.interface import Budget
    from ..budget.queue import Priority

# Given to every send: otherwise httpx looks for credentials in the URL, each time.
_NO_AUTH: Final = httpx.Auth()


class Options(NamedTuple):
    """What `with_options` can change."""

    timeout: float | None
    max_retries: int
    max_wait: float | None
    priority: Priority
    # `timeout` in httpx's form: each single step is bounded as well
    timeouts: Mapping[str, float | None]


class RawResponse(NamedTuple):
    """A response that reports success, still unparsed."""

    request: RequestInfo
    status_code: int
    headers: httpx.Headers
    content: bytes
    # the content is as it came, because its gzip or the like is broken
    has_broken_encoding: bool


class Sender:
    """Sends calls. One for each client that was constructed; its views share it."""

    __slots__ = (
        "__weakref__",
        "_closed",
        "_headers",
        "_host",
        "_http",
        "_storage",
        "_token",
        "base_url",
        "budget",
    )

    def __init__(
        self,
        token: str,
        base_url: str,
        budget: Budget,
        transport: httpx.AsyncBaseTransport | None,
        *,
        allow_insecure: bool,
    ) -> None:
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise InvalidArgumentError("transport must be an httpx.AsyncBaseTransport")
        url = checked_base_url(base_url, allow_insecure=allow_insecure)
        self.base_url = str(url).rstrip("/")
        self.budget = budget
        self._host = url.host
        self._token = Secret(token)
        self._headers: httpx.Headers | None = None
        connector = Connector()
        self._http = LoopClients(
            connector, transport, lambda inner: RetryTransport(BudgetTransport(inner, budget))
        )
        # For access links: it knows no token, pays no points and repeats nothing.
        self._storage = LoopClients(connector, transport, lambda inner: inner)
        self._closed = False

    async def send(
        self, call: Call[Any], options: Options, headers: Mapping[str, str] | None = None
    ) -> RawResponse:
        """Send a call and return its response.

        Raises:
            WherebyError: there is no response, or it reports no success.
        """
        http = self._http.get()
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
        except HTTPX_ERRORS as failure:
            error = self._connection_error(failure, context, options, info)
        # Raised out here, so that no chain leads to the exception of httpx: that one holds the
        # request with its token.
        if error is not None:
            raise error
        if response is None:
            raise timeout_error(context, options.timeout, info)
        if not 200 <= response.status_code <= 299:
            raise self._status_error(response, info)
        return RawResponse(
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
        await self._http.aclose()
        await self._storage.aclose()

    def storage(self) -> httpx.AsyncClient:
        """Return the httpx client of the running event loop for access links."""
        return self._storage.get()

    def _request(
        self, http: httpx.AsyncClient, call: Call[Any], url: str, extra: Mapping[str, str] | None
    ) -> httpx.Request:
        if self._headers is None:
            accept_encoding = http.headers["accept-encoding"]
            self._headers = shared_headers(self.base_url, self._token.reveal(), accept_encoding)
        return make_request(call, url, self._headers, extra)

    def _connection_error(
        self, failure: Exception, context: CallContext, options: Options, request: RequestInfo
    ) -> WherebyError:
        """Return the error for an exception of httpx; it holds no secret."""
        if self._closed:
            return ClientClosedError("the WherebyClient was closed during the call")
        if isinstance(failure, httpx.TimeoutException):
            return timeout_error(context, options.timeout, request)
        return connection_error(failure, self._hide_token(first_text(failure)), context, request)

    def _status_error(self, response: httpx.Response, request: RequestInfo) -> WherebyError:
        """Return the error for a response that is no success; it holds no token."""
        return status_error(
            response.status_code,
            Headers((k, self._hide_token(v)) for k, v in response.headers.multi_items()),
            response.content.replace(self._token.reveal().encode(), b"[secure]"),
            request,
        )

    def _hide_token(self, text: str) -> str:
        # servers and proxies that repeat what they were sent do exist
        return text.replace(self._token.reveal(), "[secure]")
