"""Does a generated package work on the wire? `python -m overrides.update.contract_test` asks it.

For every operation of the document: call its method with as little and with as much as the
document allows, let the request arrive at a real server on a socket, and compare method, path,
query, body and points with what the document says; answer with what the document promises, and
look at what the caller gets. What the document says is in `samples.py`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from whereby_api_client import Paginator, PointBudget, WherebyClient
from whereby_api_client._runtime.resource import Call, Resource

from ..naming.operations import TAKEN_METHODS
from ..openapi.document import (
    Json,
    operations,
)
from .samples import IMAGE, Argument, Expected

T = TypeVar("T")

UNKNOWN = {"fieldOfTomorrow": [1]}


class Mismatch(Exception):
    """The package does something else than the document says; the text tells what."""


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path as it was sent, percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs, decoded."""
        pairs = filter(None, self.target.partition("?")[2].split("&"))
        return [(unquote(p.partition("=")[0]), unquote(p.partition("=")[2])) for p in pairs]


@dataclass
class Server:
    """Answers what it is told to, in order, and keeps what it was asked."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: set[asyncio.Task[None] | None] = field(default_factory=set)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        self.connections.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
                method, target, _ = head[0].split(" ")
                fields = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in fields}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append(Request(method, target, headers, body))
                status, answer = self.answers.pop(0) if self.answers else (500, None)
                content = b"" if answer is None else json.dumps(answer).encode()
                writer.write(
                    b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\n" % status
                    + (b"" if status == 204 else b"content-length: %d\r\n" % len(content))
                    + b"\r\n"
                    + content
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class RecordingClient(WherebyClient):
    """A client that keeps the calls it was asked to execute."""

    _executed: list[Call[Any]]  # no tag begins with an underscore

    async def execute(self, call: Call[T]) -> T:
        """Keep the call, then do it."""
        self._executed.append(call)
        return await super().execute(call)


class ContractTest:
    """The test: one client, one server, all operations."""

    def __init__(self, client: RecordingClient, server: Server) -> None:
        self.client = client
        self.server = server

    async def operation(self, expected: Expected) -> None:
        """Call one operation in every way that matters."""
        method = self._method(expected)
        _name_arguments(expected, inspect.signature(method))
        files = [a for a in expected.arguments if a.place == "file"]
        fields = [a for a in expected.arguments if a.place != "file"]
        always = [a for a in fields if a.required or _is_first_of(a.wire, expected.either_of)]
        least = always if not files else [*(a for a in always if a.place == "path"), *files]
        await self._call(expected, method, least, least_answer=True)
        await self._call(expected, method, fields)
        nulls = [_null(a) if a.nullable and a.place == "body" else a for a in fields]
        if nulls != fields and not files:
            await self._call(expected, method, nulls)
        if expected.is_page:
            await self._pages(expected, method, fields)

    def _method(self, expected: Expected) -> Callable[..., Any]:
        tag, _, name = expected.name.partition(".")
        resource = getattr(self.client, tag, None)
        method = getattr(resource, name, None)
        if not isinstance(resource, Resource) or method is None:
            raise Mismatch(f"there is no method whereby.{expected.name}")
        return method  # type: ignore[no-any-return]

    async def _call(
        self,
        expected: Expected,
        method: Callable[..., Any],
        arguments: list[Argument],
        *,
        least_answer: bool = False,
    ) -> None:
        answer = None
        if expected.schema is not None:
            schema = {**expected.samples.resolved(expected.schema), "nullable": False}
            answer = expected.samples.value(schema, least=least_answer)
            if isinstance(answer, dict):
                answer |= UNKNOWN
        self.server.answers = [(expected.status, answer)]
        result = await self._send(expected, method, arguments)
        if answer is not None:
            self._look_at(expected, result, answer)
        else:
            _same("the result", result, None)
        (request,) = self.server.requests
        self._compare(expected, arguments, request)

    async def _pages(
        self, expected: Expected, method: Callable[..., Any], arguments: list[Argument]
    ) -> None:
        page = expected.samples.value(expected.schema)
        start = next(a for a in arguments if a.wire == "cursor")
        self.server.answers = [(200, {**page, "cursor": "next"}), (200, {**page, "cursor": ""})]
        self.server.requests, self.client._executed = [], []
        paginator = method(**{a.python: a.given for a in arguments})
        found = [item async for item in paginator]
        if len(found) != 2 * len(page["results"]):
            raise Mismatch(f"two pages gave {len(found)} items")
        second = Argument("cursor", "query", False, "next", [("cursor", "next")])
        following = [second if a is start else a for a in arguments]
        for request, sent in zip(self.server.requests, (arguments, following), strict=True):
            self._compare(expected, sent, request)

    async def _send(
        self, expected: Expected, method: Callable[..., Any], arguments: list[Argument]
    ) -> Any:
        self.server.requests, self.client._executed = [], []
        called = method(**{a.python: a.given for a in arguments})
        if expected.is_page and not isinstance(called, Paginator):
            raise Mismatch("its answer is a page, and the method gives no paginator")
        result = await called
        (call,) = self.client._executed
        points = expected.operation.data["x-points"]
        if (call.operation, call.cost) != (expected.name, points):
            raise Mismatch(f"pays {call.cost} points as {call.operation}, not {points}")
        return result

    def _look_at(self, expected: Expected, result: Any, answer: Any) -> None:
        """Compare what the caller gets with what the server answered: models, not dicts."""
        schema = expected.samples.resolved(expected.schema)
        if isinstance(answer, dict) and _is_modelled(schema):
            _same("the result's JSON", _json_of(result), answer)
        elif isinstance(answer, list) and isinstance(result, list):
            modelled = _is_modelled(expected.samples.resolved(schema.get("items")))
            read = [_json_of(item) for item in result] if modelled else result
            _same("the result's JSON", read, answer)
        else:
            _same("the result", result, answer)

    def _compare(self, expected: Expected, arguments: list[Argument], request: Request) -> None:
        _same("method", request.method, expected.operation.method.upper())
        _same("path", request.path, f"/v1{expected.path()}")
        _same("authorization", request.headers.get("authorization"), "Bearer token")
        pairs = [pair for a in arguments if a.place == "query" for pair in a.sent]
        _same("query", sorted(request.query), sorted(pairs))
        if re.search(r"[^\x21-\x7e]|\+", request.target):
            raise Mismatch(f"the target is not percent-encoded: {request.target!r}")
        files = [a for a in arguments if a.place == "file"]
        takes = any(a.place == "body" for a in expected.arguments)
        if files:
            kind = request.headers.get("content-type", "")
            _same("content type", kind.partition(";")[0], "multipart/form-data")
            named = f'name="{files[0].wire}"'.encode()
            if named not in request.body or IMAGE not in request.body:
                raise Mismatch(f"the file {files[0].wire} is not in the body")
        elif takes:
            body = {a.wire: a.sent for a in arguments if a.place == "body"}
            _same("content type", request.headers.get("content-type"), "application/json")
            _same("body", json.loads(request.body), body)
        else:
            _same("body", request.body, b"")


def _is_modelled(schema: Json) -> bool:
    return bool(schema.get("properties")) and "x-several" not in schema


def _json_of(model: Any) -> Any:
    if not hasattr(model, "to_dict"):
        raise Mismatch(f"the result is a {type(model).__name__}, not a model")
    return model.to_dict()


def _is_first_of(wire: str, either_of: list[list[str]]) -> bool:
    return any(wire == names[0] for names in either_of)


def _null(argument: Argument) -> Argument:
    return Argument(
        argument.wire, argument.place, argument.required, None, None, True, argument.python
    )


def _name_arguments(expected: Expected, signature: inspect.Signature) -> None:
    """Find each argument by its name on the wire: `roomName`, `room-name` → `room_name`."""
    free = [name for name in signature.parameters if name not in ("extra_body", "extra_query")]
    for argument in expected.arguments:
        bare = _bare(argument.wire)
        # where two would have one name, each gets its place behind it
        for wanted in (f"{bare}{argument.place}", bare, f"field{bare}", f"{bare}body"):
            argument.python = next((name for name in free if _bare(name) == wanted), "")
            if argument.python:
                free.remove(argument.python)
                break
        else:
            label = f"`{argument.wire}` ({argument.place})"
            raise Mismatch(f"the method takes no argument for {label}")
    if free:
        raise Mismatch(f"the method takes {', '.join(free)}, of which the document knows nothing")


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Mismatch(f"{what}: {found!r} arrived, not {expected!r}")


def _left_over(client: WherebyClient, names: set[str]) -> Iterator[str]:
    """Find generated methods for which the document has no operation."""
    for tag in sorted({name.partition(".")[0] for name in names}):
        for name in vars(type(getattr(client, tag, None))):
            known = f"{tag}.{name}" in names or name in TAKEN_METHODS
            if not (known or name.startswith("_")):
                yield f"whereby.{tag}.{name}: the document has no such operation"


async def run(document: Json) -> list[str]:
    """Return what is wrong with the package that is imported, each with the operation's name."""
    server = Server()
    serving = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = serving.sockets[0].getsockname()[1]
    problems: list[str] = []
    async with RecordingClient(
        "token",
        base_url=f"http://127.0.0.1:{port}/v1",
        budget=PointBudget(10**9),
        max_retries=0,
        timeout=10,
    ) as client:
        test = ContractTest(client, server)
        found = operations(document)
        for operation in found:
            name = operation.data["operationId"]
            try:
                await test.operation(Expected(document, operation))
            except Exception as error:  # whatever it is, it is about this operation
                problem = (
                    str(error)
                    if isinstance(error, Mismatch)
                    else f"{type(error).__name__}: {error}"
                )
                problems.append(
                    f"whereby.{name} ({operation.method.upper()} {operation.path}): {problem}"
                )
        problems += _left_over(client, {str(o.data["operationId"]) for o in found})
    serving.close()
    await asyncio.gather(*filter(None, server.connections))
    return problems


def main() -> int:
    """Test the package on the import path against the document that was given."""
    document = json.loads(Path(sys.argv[1]).read_bytes())
    problems = asyncio.run(run(document))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
