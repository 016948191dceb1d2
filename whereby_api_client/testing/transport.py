"""The fake inside the process: an httpx transport without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from .._http._httpx import httpx
from .messages import Headers, Request, Response

if TYPE_CHECKING:
    from .exchange import Exchange, Receiver

__all__ = ["FakeTransport"]

STORAGE = "https://storage.whereby.test"
"""Where access links point to: another host than the API's, and one that can never exist."""


class FakeTransport(httpx.AsyncBaseTransport):
    """Hands requests to the fake; delays, timeouts and faults behave as on a real connection.

    Delays are slept with anyio: under a virtual clock they take no time.
    """

    works_in_any_loop = True  # read by `WherebyClient`: there are no connections here

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to one request."""
        url = request.url
        exchange = self._receiver.receive(
            Request(
                request.method,
                url.raw_path.decode("ascii"),
                Headers((k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw),
                origin=STORAGE,
            )
        )
        if exchange.drop == "early":
            raise httpx.WriteError("the fake Whereby closed the connection", request=request)
        exchange.take(await request.aread())
        if exchange.drop == "before":
            raise httpx.ReadError("the fake Whereby closed the connection", request=request)
        read_timeout = request.extensions.get("timeout", {}).get("read")
        response: Response | None = None
        with anyio.move_on_after(read_timeout):
            await anyio.sleep(exchange.delay_before)
            response = exchange.respond()
            if exchange.settle is not None:
                response = await exchange.settle(response)
            await anyio.sleep(exchange.delay_after)
            return self._respond(request, exchange, response)
        if response is None:
            # the request had been sent whole: the server carries it out although nobody waits
            exchange.respond()
        raise httpx.ReadTimeout("the fake Whereby was slow", request=request)

    def _respond(
        self, request: httpx.Request, exchange: Exchange, response: Response
    ) -> httpx.Response:
        if exchange.drop == "after":
            raise httpx.ReadError("the fake Whereby closed the connection", request=request)
        if exchange.garbage is not None:
            raise httpx.RemoteProtocolError("the fake Whereby sent garbage", request=request)
        if exchange.drop == "mid" and not response.length:
            raise httpx.ReadError("the fake Whereby closed the connection", request=request)
        limit = exchange.cut(response) if exchange.drop == "mid" else None
        headers = list(response.headers)
        if response.status not in (204, 304):
            headers.append(("Content-Length", str(response.length)))
        if request.method == "HEAD" or response.status in (204, 304):
            return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(b""))
        stream = _Body(request, response, limit)
        return httpx.Response(response.status, headers=headers, stream=stream)


class _Body(httpx.AsyncByteStream):
    """The response's body, cut off at `limit` bytes with the error of a lost connection."""

    def __init__(self, request: httpx.Request, response: Response, limit: int | None) -> None:
        self._request = request
        self._response = response
        self._limit = limit
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._response.chunks(limit=self._limit):
            if self._closed:  # as on a real connection: who reads on gets nothing more
                raise httpx.StreamClosed
            yield chunk
            await anyio.lowlevel.checkpoint()
        if self._limit is not None and self._limit < self._response.length:
            raise httpx.RemoteProtocolError(
                "the fake Whereby closed the connection amid the body", request=self._request
            )

    async def aclose(self) -> None:
        """Hand out no more of it."""
        self._closed = True
