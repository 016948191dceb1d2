"""A result together with the response that it came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

from .budget.headers import RateLimit, read_rate_limit
from .errors import Headers, RequestInfo

T = TypeVar("T")

# Whereby documents no such header; these are the names in common use.
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-requestid", "x-amz-cf-id", "cf-ray")


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the server's name for a request, None if it gave none."""
    return next((v for name in _REQUEST_ID_HEADERS if (v := headers.get(name))), None)


class APIResponse(NamedTuple, Generic[T]):
    """What `WherebyClient.with_response` returns.

    Attributes:
        parsed: what the method returns by itself.
        status_code: the status of the response.
        headers: its headers, by names in any case.
        request: method and URL of the request.
    """

    parsed: T
    status_code: int
    headers: Headers
    request: RequestInfo

    @property
    def request_id(self) -> str | None:
        """The server's name for the request, to quote to support; None if it gave none."""
        return request_id(self.headers)

    @property
    def rate_limit(self) -> RateLimit:
        """What the headers say of the points; each value is None if they do not say it."""
        return read_rate_limit(self.status_code, self.headers)
