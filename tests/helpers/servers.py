"""A raw TCP server that misbehaves on demand: what a well-made fake cannot do."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import attrs
import trustme
from anyio.streams.tls import TLSStream

Connection = anyio.abc.SocketStream
Behaviour = Callable[[Connection], Awaitable[bool]]
"""What the server does with one request; returns whether the connection goes on."""


@attrs.frozen
class RecordedRequest:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class RawServer:
    """Responds to each request with the next behaviour; the last one stays."""

    behaviours: list[Behaviour]
    greeting: bytes = b""
    url: str = ""
    requests: list[RecordedRequest] = attrs.field(factory=list)
    connections: int = 0
    open_connections: int = 0

    async def handle(self, stream: anyio.abc.SocketStream) -> None:
        """Serve one connection."""
        self.connections += 1
        self.open_connections += 1
        try:
            async with stream:
                await stream.send(self.greeting)
                buffered = b""
                while True:
                    while b"\r\n\r\n" not in buffered:
                        buffered += await stream.receive()
                    head, _, buffered = buffered.partition(b"\r\n\r\n")
                    lines = head.decode("latin-1").split("\r\n")
                    headers = {
                        name.lower(): value.strip()
                        for name, _, value in (line.partition(":") for line in lines[1:])
                    }
                    length = int(headers.get("content-length", 0))
                    while len(buffered) < length:
                        buffered += await stream.receive()
                    body, buffered = buffered[:length], buffered[length:]
                    method, target, _ = lines[0].split(" ")
                    self.requests.append(RecordedRequest(method, target, headers, body))
                    behave = self.behaviours[min(len(self.requests), len(self.behaviours)) - 1]
                    if not await behave(stream):
                        return
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        finally:
            self.open_connections -= 1


@asynccontextmanager
async def serve(*behaviours: Behaviour, greeting: bytes = b"") -> AsyncIterator[RawServer]:
    """Run a server on a free loopback port; it says its greeting unasked."""
    server = RawServer(list(behaviours), greeting)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        server.url = f"http://127.0.0.1:{port}"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, server.handle)
            yield server
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def tls_server(
    authority: trustme.CA, *, needs_certificate: bool = False
) -> AsyncIterator[str]:
    """Serve `{}` over TLS on localhost."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    if needs_certificate:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED

    async def respond(stream: Connection) -> None:
        async with stream:
            try:
                encrypted = await TLSStream.wrap(
                    stream, ssl_context=context, standard_compatible=False
                )
                while await encrypted.receive():
                    await encrypted.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            except (ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream):
                pass

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, respond)
        yield f"https://localhost:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


def send(data: bytes, *, keep: bool = True) -> Behaviour:
    """Send these bytes, whatever they are."""

    async def behave(stream: Connection) -> bool:
        await stream.send(data)
        return keep

    return behave


def reply(status: int, body: Any = None, /, **headers: str) -> Behaviour:
    """Respond properly: bytes as they are, all else as JSON; `_` in header names becomes `-`."""
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return send("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def half_a_response() -> Behaviour:
    """Promise more than is sent."""
    return send(b'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"a', keep=False)


async def hang_up(stream: Connection) -> bool:
    """Close without a response."""
    return False


async def reset(stream: Connection) -> bool:
    """Reset the connection."""
    raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


async def hang(stream: Connection) -> bool:
    """Never respond."""
    await anyio.sleep_forever()
    return False


async def drip(stream: Connection) -> bool:
    """Respond a byte at a time, for ever: no single read is slow."""
    await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        await stream.send(b" ")
        await anyio.sleep(0.01)


def unused_url() -> str:
    """Return the URL of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
