"""The fake on a real socket: HTTP/1.1 with h11 over anyio, in the running loop or in a thread."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import anyio
import anyio.abc
import anyio.from_thread

from .messages import Headers, Request, Response

try:
    import h11
except ModuleNotFoundError:  # pragma: no cover - the extra is there in our own tests
    message = "FakeWhereby.serve() needs h11: pip install 'whereby-api-client[testing]'"
    raise ModuleNotFoundError(message, name="h11") from None

if TYPE_CHECKING:
    from .exchange import Exchange, Receiver

__all__ = ["Serving"]

log: Final = logging.getLogger(__name__)

_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


class Serving:
    """A fake being served: a context manager that gives the base URL.

    `async with` serves in the running event loop, asyncio's or trio's. `with` serves in a thread
    with a loop of its own, for synchronous tests and for clients in other loops or processes.
    """

    def __init__(self, receiver: Receiver, host: str = "127.0.0.1", port: int = 0) -> None:
        self._receiver = receiver
        self._host = host
        self._port = port
        self._stack: AsyncExitStack | None = None
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    async def __aenter__(self) -> str:
        listeners = await anyio.create_tcp_listener(local_host=self._host, local_port=self._port)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(listeners)
            group = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(group.cancel_scope.cancel)
            group.start_soon(listeners.serve, self._connection)
            self._stack = stack.pop_all()
        address = listeners.extra(anyio.abc.SocketAttribute.local_address)
        return self._url(int(address[1]))

    async def __aexit__(self, *details: object) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            # the test's own exception passes by: the task group would wrap it into a group
            await stack.aclose()

    def __enter__(self) -> str:
        started = threading.Event()
        outcome: list[str | BaseException] = []
        self._stopped.clear()

        async def main() -> None:
            try:
                async with self as url:
                    outcome.append(url)
                    started.set()
                    await anyio.to_thread.run_sync(self._stopped.wait)
            except BaseException as error:
                if outcome:
                    raise
                outcome.append(error)  # not started: the caller's thread raises it
            finally:
                started.set()

        self._thread = threading.Thread(
            target=anyio.run, args=(main,), name="FakeWhereby", daemon=True
        )
        self._thread.start()
        started.wait()
        first = outcome[0]
        if isinstance(first, BaseException):
            self._thread.join()
            raise first
        return first

    def __exit__(self, *details: object) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _url(self, port: int) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}/v1"

    async def _connection(self, stream: anyio.abc.ByteStream) -> None:
        async with stream:
            try:
                await _Conversation(self._receiver, stream).run()
            except _BROKEN:
                pass  # the client went away: its right
            except Exception:
                log.exception("the fake Whereby failed")


class _Conversation:
    """One connection: requests and responses in turn until one side has had enough."""

    def __init__(self, receiver: Receiver, stream: anyio.abc.ByteStream) -> None:
        self._receiver = receiver
        self._stream = stream
        self._method = ""
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)

    async def run(self) -> None:
        while True:
            try:
                head = await self._next()
                if not isinstance(head, h11.Request):
                    return
                going = await self._exchange(head)
            except h11.RemoteProtocolError as error:
                if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    body = {"error": f"this is not an HTTP request: {error}"}
                    await self._send(Response.json(error.error_status_hint, body))
                return
            if not going or self._http.our_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _next(self) -> h11.Event | None:
        """Return the next event from the client; None when there is none for now (pipelining)."""
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                return None
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            try:
                data = await self._stream.receive()
            except anyio.EndOfStream:
                data = b""
            self._http.receive_data(data)

    async def _exchange(self, head: h11.Request) -> bool:
        """Respond to one request; return whether the connection may go on."""
        request = _request(head)
        self._method = request.method
        exchange = self._receiver.receive(request)
        if exchange.drop == "early":
            self._reset_on_close()
            return False
        body = bytearray()
        while isinstance(event := await self._next(), h11.Data):
            body += event.data
        if not isinstance(event, h11.EndOfMessage):
            return False
        exchange.take(bytes(body))
        if exchange.drop == "before":
            self._reset_on_close()
            return False
        # always a checkpoint: a client that never pauses must not keep the loop to itself
        await anyio.sleep(exchange.delay_before)
        response = self._respond(exchange)
        if exchange.settle is not None:
            response = await exchange.settle(response)
        await anyio.sleep(exchange.delay_after)
        if exchange.drop == "after":
            self._reset_on_close()
            return False
        if exchange.garbage is not None:
            await self._stream.send(exchange.garbage)
            return False
        if exchange.drop == "mid":
            await self._send_part(exchange, response)
            return False
        await self._send(response)
        return True

    def _respond(self, exchange: Exchange) -> Response:
        try:
            return exchange.respond()
        except Exception as error:
            # a mistake in the fake, or in an Algorithm or Content of the test's own
            log.exception("the fake Whereby failed")
            exchange.recorded.status = 500
            return Response.json(500, {"error": f"the fake Whereby failed: {error!r}"})

    async def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            await self._stream.send(data)

    async def _send(self, response: Response) -> None:
        pending = self._http.send(_response(response)) or b""
        if _has_body(self._method, response):
            for chunk in response.chunks():
                pending += self._http.send(h11.Data(data=chunk)) or b""
                # head and body of a small response travel in one packet
                if len(pending) >= 65536:
                    await self._stream.send(pending)
                    pending = b""
        pending += self._http.send(h11.EndOfMessage()) or b""
        if pending:
            await self._stream.send(pending)

    async def _send_part(self, exchange: Exchange, response: Response) -> None:
        """Send a piece of the response: of the body, or of the head when there is no body."""
        head = self._http.send(_response(response)) or b""
        if not _has_body(self._method, response):
            await self._stream.send(head[: len(head) // 2])
            return
        await self._stream.send(head)
        for chunk in response.chunks(limit=exchange.cut(response)):
            await self._stream.send(chunk)

    def _reset_on_close(self) -> None:
        """Make closing send a reset, as a crashed server's machine does."""
        raw: socket.socket = self._stream.extra(anyio.abc.SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _request(head: h11.Request) -> Request:
    headers = Headers(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
    )
    target = head.target.decode("latin-1")
    origin = f"http://{headers.get('host', '127.0.0.1')}"
    if target.startswith(origin):
        target = target.removeprefix(origin) or "/"
    return Request(head.method.decode("ascii"), target, headers, origin=origin)


def _response(response: Response) -> h11.Response:
    headers = list(response.headers)
    if response.status >= 200 and response.status not in (204, 304):
        headers.append(("Content-Length", str(response.length)))
    return h11.Response(status_code=response.status, headers=headers)


def _has_body(method: str, response: Response) -> bool:
    return response.length > 0 and response.status not in (204, 304) and method != "HEAD"
