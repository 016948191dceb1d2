"""Which redirects are followed, and what goes along."""

from __future__ import annotations

from typing import Final

from ._httpx import httpx

MAX_REDIRECTS: Final = 10

# What may be shown to another host. Not `Authorization`, nor what a caller has added.
_HARMLESS_HEADERS: Final = frozenset(
    {"accept", "accept-encoding", "host", "if-range", "range", "user-agent"}
)


class HiddenQueryURL(httpx.URL):
    """A URL that shows itself without its query: httpx logs the address of each request."""

    def __str__(self) -> str:
        return str(httpx.URL(self).copy_with(query=None, fragment=None))

    def __repr__(self) -> str:
        return f"URL({str(self)!r})"


def next_request(response: httpx.Response) -> httpx.Request | None:
    """Return the request that a response redirects to; None if it is not one to follow.

    A redirect from https to plain http is not followed, nor one to an address that cannot be.
    """
    request = response.next_request
    if request is None:
        return None
    old, new = response.request.url, request.url
    if new.scheme not in ("https", "http") or not new.host or not 0 <= (new.port or 0) <= 65535:
        return None
    if old.scheme == "https" and new.scheme == "http":
        return None
    if old.host != new.host or (old.scheme == new.scheme and old.port != new.port):
        for name in request.headers.keys() - _HARMLESS_HEADERS:
            del request.headers[name]
    request.url = HiddenQueryURL(new)
    return request
