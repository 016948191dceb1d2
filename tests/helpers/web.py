"""A web server on a socket that responds as badly as the web can."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

Page = Callable[["Handler"], None]


@dataclass
class Web:
    """Pages by their path, and the paths that were requested."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def add(self, path: str, page: Page) -> str:
        """Put a page there; return its address."""
        self.pages[path] = page
        return f"{self.url}{path}"


class Handler(BaseHTTPRequestHandler):
    """Looks the page up and lets it respond."""

    web: Web

    def do_GET(self) -> None:
        """Respond to one request."""
        self.web.requested.append(self.path)
        page = self.web.pages.get(self.path, respond(404, b"nothing here", "text/plain"))
        with contextlib.suppress(ConnectionError):
            page(self)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def respond(status: int, content: bytes, kind: str = "application/json", **headers: str) -> Page:
    """Make a page that responds all at once."""

    def page(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("content-type", kind)
        handler.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return page


def half(content: bytes) -> Page:
    """Make a page that promises more than it gives, and hangs up."""

    def page(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", str(2 * len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return page


def raw(content: bytes) -> Page:
    """Make a page that is no HTTP."""

    def page(handler: Handler) -> None:
        handler.wfile.write(content)

    return page


def silent(handler: Handler) -> None:
    """Accept the request and never respond."""
    handler.web.over.wait(30)


def endless(piece: bytes) -> Page:
    """Make a page that always has something more to say, never for long."""

    def page(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.web.over.wait(0.001):
            handler.wfile.write(piece)

    return page


class Server(ThreadingHTTPServer):
    """A server that takes it quietly when a client refuses its certificate."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet."""


@contextlib.contextmanager
def serve(certificate: trustme.LeafCert | None = None) -> Iterator[Web]:
    """Serve pages on a free port, with TLS when there is a certificate."""
    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    web = Web(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    handler = type("Handler", (Handler,), {"web": web})
    server.RequestHandlerClass = handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        web.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def nobody() -> str:
    """Return the address of a port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/openapi.json"
