"""TLS contexts and the connection pools that use them."""

from __future__ import annotations

import ssl

from ._httpx import httpx


class Connector:
    """Makes connection pools, with one TLS context for all of them.

    It knows no client: the pools hold it, and would keep a forgotten client alive.
    """

    __slots__ = ("_tls",)

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None

    def __call__(
        self, tls: ssl.SSLContext | None = None, proxy: httpx.Proxy | None = None
    ) -> httpx.AsyncBaseTransport:
        """Make a connection pool."""
        if tls is None:
            if self._tls is None:
                self._tls = httpx.create_ssl_context()  # takes 20 ms: once is enough
            tls = self._tls
        # no limit on their number: PoolTransport counts
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.AsyncHTTPTransport(verify=tls, limits=limits, proxy=proxy)
