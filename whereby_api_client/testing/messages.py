"""HTTP messages as the fake's core sees them: no sockets, no HTTP library."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

import attrs

from .. import errors
from .javascript import stringify

__all__ = ["Content", "HTTPError", "Headers", "Part", "Request", "Response", "parse_multipart"]


class Headers(errors.Headers):
    """Header fields: read without regard to case, repeated ones joined with a comma."""

    __slots__ = ("raw",)

    def __init__(self, raw: Iterable[tuple[str, str]] = ()) -> None:
        self.raw: tuple[tuple[str, str], ...] = tuple(raw)
        super().__init__(self.raw)

    def get_list(self, name: str) -> list[str]:
        """Return every field of that name, in the order on the wire."""
        return [value for key, value in self.raw if key.lower() == name.lower()]


@attrs.frozen
class Part:
    """One part of a multipart body."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


class Content(Protocol):
    """A body too large to keep in memory: its length, and any slice of it."""

    @property
    def size(self) -> int:
        """Return the length in bytes."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to `stop`."""
        ...


@attrs.define
class Request:
    """A request as it stood on the wire: the target is not decoded, the body not parsed."""

    method: str
    target: str
    headers: Headers = attrs.field(factory=Headers)
    body: bytes = b""
    origin: str = "http://whereby.test"
    """Scheme, host and port that the request was sent to: access links start with it."""

    @property
    def path(self) -> str:
        """Return the target's path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Return the target's query string, still percent-encoded, without the question mark."""
        return self.target.partition("?")[2]

    @property
    def segments(self) -> tuple[str, ...]:
        """Return the path's segments, each percent-decoded (so a segment can hold a slash)."""
        return tuple(unquote(segment) for segment in self.path.split("/")[1:])

    @property
    def params(self) -> list[tuple[str, str]]:
        """Return the query's names and values in order, decoded as a form (`+` is a space)."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def json(self) -> Any:
        """Return the parsed JSON body, None when there is no body; ValueError if it is not JSON."""
        if not self.body:
            return None
        return jsonlib.loads(self.body, parse_constant=_refuse_constant)

    @property
    def parts(self) -> list[Part]:
        """Return the parts of a multipart body; ValueError if it is none."""
        return parse_multipart(self.headers.get("content-type", ""), self.body)


@attrs.frozen
class Response:
    """A response: status, headers, and a body in memory or a slice of something larger."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content: Content | None = None
    """Where the body is read from when it is too large for `body`."""
    start: int = 0
    stop: int = 0

    @classmethod
    def json(cls, status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> Response:
        """Return a response with a JSON body, written as Whereby's servers write it."""
        kind = ("Content-Type", "application/json; charset=utf-8")
        return cls(status, (kind, *headers), stringify(value).encode())

    @property
    def length(self) -> int:
        """Return the body's length in bytes."""
        return self.stop - self.start if self.content is not None else len(self.body)

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> Response:
        """Return the same response with these headers added."""
        return attrs.evolve(self, headers=(*self.headers, *headers))

    def chunks(self, size: int = 65536, limit: int | None = None) -> Iterator[bytes]:
        """Yield the body piece by piece, at most `limit` bytes of it."""
        length = self.length if limit is None else min(limit, self.length)
        for offset in range(0, length, size):
            end = min(offset + size, length)
            if self.content is None:
                yield self.body[offset:end]
            else:
                yield self.content.read(self.start + offset, self.start + end)


class HTTPError(Exception):
    """Ends the handling of a request with an error status and `{"error": message}`."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: Iterable[tuple[str, str]] = (),
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers: tuple[tuple[str, str], ...] = tuple(headers)
        self.data = data

    def response(self) -> Response:
        """Return the response that the client gets."""
        body: dict[str, Any] = {"error": self.message}
        if self.data is not None:
            body["data"] = self.data
        return Response.json(self.status, body, self.headers)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse_multipart(content_type: str, body: bytes) -> list[Part]:
    """Split a `multipart/form-data` body into its parts; ValueError says what is wrong with it.

    Strict on purpose: a body that this reads, every server reads. The standard library's email
    parser is used for the parts' headers only, because it accepts broken bodies in silence.
    """
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_param("boundary")
    if not isinstance(boundary, str) or not re.fullmatch(r"[ -~]{0,69}[!-~]", boundary):
        raise ValueError("the content type has no usable boundary")
    delimiter = b"\r\n--" + boundary.encode("ascii")
    sections = (b"\r\n" + body).split(delimiter)
    # what stands before the first delimiter is a preamble; behind the last one follows `--`
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise ValueError("the closing boundary is missing")
    parts: list[Part] = []
    for section in sections[1:-1]:
        fields, separator, content = section.lstrip(b" \t").partition(b"\r\n\r\n")
        if not separator or not fields.startswith(b"\r\n"):
            raise ValueError("a part has no header section")
        parts.append(_part(fields, content))
    return parts


def _part(fields: bytes, content: bytes) -> Part:
    message = Message()
    for line in re.sub(rb"\r\n[ \t]+", b" ", fields).decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            message[name.strip()] = value.strip()
    named = message.get_param("name", header="content-disposition")
    if not isinstance(named, str):
        raise ValueError("a part has no name in its Content-Disposition")
    kind = message["content-type"]
    return Part(named, content, message.get_filename(), None if kind is None else str(kind))
