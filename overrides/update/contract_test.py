"""Does a generated package work on the wire? `python -m overrides.update.contract_test` asks it.

For every operation of the document: call its method with as little and with as much as the
document allows. The request goes over a socket to the package's fake Whereby, which holds it to
the document. What it reads there must be what the caller gave, and what the caller gets must be
what it sent. Nothing here uses the generator: that would only agree with itself.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs

from whereby_api_client import Paginator, PointBudget, WherebyClient
from whereby_api_client.observer import CallReport, Observer
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.document import Operation, kind_of
from whereby_api_client.testing.exchange import RecordedRequest
from whereby_api_client.testing.samples import Sampler

from ..naming.operations import TAKEN_METHODS
from ..openapi.document import Json, is_page, operations, same, schemas
from ..openapi.pointers import MISSING, join

MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
SENT_MOMENT = "2030-01-02T03:04:05Z"
ENDING = " +b&c=/é?#%"  # behind every string: what a URL must percent-encode
IMAGE = b"\x89PNG\r\n\x1a\n and --boundary\r\n \x00\xff"
UNKNOWN = {"fieldOfTomorrow": [1]}
# An example or a default is sent in place of a string with that ending, and these forbid it.
UNWANTED = ("example", "default", "pattern", "minLength", "maxLength")


class Mismatch(Exception):
    """The package does something else than the document says; the text tells what."""


class Calls(Observer):
    """Keeps what the client says of its calls."""

    def __init__(self) -> None:
        self.reports: list[CallReport] = []

    def call_ended(self, call: CallReport) -> None:
        """Keep the report of a call."""
        self.reports.append(call)


@dataclass
class Argument:
    """A parameter or a body's field: its name on the wire, what is passed and what must arrive."""

    name: str
    location: str  # path, query, header, body, array (the whole body), file
    required: bool
    passed: Any
    sent: Any
    nullable: bool = False
    python: str = ""


class ContractTest:
    """The test of one operation."""

    def __init__(
        self,
        client: WherebyClient,
        calls: Calls,
        fake: FakeWhereby,
        operation: Operation,
        either_of: list[list[str]],
    ) -> None:
        self.calls = calls
        self.fake = fake
        self.document = fake.api.document
        self.operation = operation
        self.most = Sampler(self.document, SENT_MOMENT, ENDING, items=2)
        self.least = attrs.evolve(self.most, least=True)
        self.firsts = {names[0] for names in either_of}
        tag, _, name = operation.name.partition(".")
        self.method: Any = getattr(getattr(client, tag, None), name, None)
        self.arguments = [*self._parameters(), *self._fields()]
        self.sends_json = "json" in operation.media_type
        takes_cursor = any(a.name == "cursor" and a.location == "query" for a in self.arguments)
        self.pages = takes_cursor and is_page(self.document.resolve(operation.result))

    # ------------------------------------------------------------------------------- arguments

    def _parameters(self) -> Iterator[Argument]:
        for parameter in self.operation.parameters:
            sent = self.most.value(parameter.schema, parameter.name)
            if parameter.location == "path":
                passed = f"/{sent}" if parameter.room_name else _as_passed(sent)
                yield Argument(parameter.name, "path", True, passed, str(sent))
                continue
            passed = (
                {k: _as_passed(v) for k, v in sent.items()} if parameter.deep else _as_passed(sent)
            )
            if parameter.location == "header":
                sent = _as_header(sent)
                passed = _as_passed(sent)
            elif parameter.room_name and isinstance(sent, str):
                sent = f"/{sent}"
            yield Argument(parameter.name, parameter.location, parameter.required, passed, sent)

    def _fields(self) -> Iterator[Argument]:
        bodies = self.operation.bodies
        for kind, schema in bodies.items():
            schema = self.document.resolve(schema)
            if kind_of(schema) == "array":
                sent = self.most.value(schema)
                yield Argument(
                    "body", "array", self.operation.body_required, _as_passed(sent), sent
                )
            for name, inner in schema.get("properties", {}).items():
                required = name in schema.get("required", ()) and len(bodies) == 1
                if kind == "multipart/form-data":
                    yield Argument(name, "file", required, IMAGE, IMAGE)
                else:
                    sent = self.most.value(inner, name)
                    nullable = self.document.is_nullable(inner)
                    yield Argument(name, "body", required, _as_passed(sent), sent, nullable)

    def _name_arguments(self) -> None:
        """Find each argument by its name on the wire: `roomName`, `room-name` → `room_name`."""
        names = inspect.signature(self.method).parameters
        free = [name for name in names if name not in ("extra_body", "extra_query")]
        for argument in self.arguments:
            bare = _bare(argument.name)
            # where two would have one name, each has its location behind it
            for wanted in (f"{bare}{argument.location}", bare, f"field{bare}", f"{bare}body"):
                argument.python = next((name for name in free if _bare(name) == wanted), "")
                if argument.python:
                    free.remove(argument.python)
                    break
            else:
                label = f"`{argument.name}` ({argument.location})"
                raise Mismatch(f"the method takes no argument for {label}")
        if free:
            raise Mismatch(f"the method takes {', '.join(free)}, which the document does not have")

    # ----------------------------------------------------------------------------------- calls

    async def run(self) -> None:
        """Call the operation in every way that matters."""
        if not callable(self.method):
            raise Mismatch(f"there is no method whereby.{self.operation.name}")
        self._name_arguments()
        files = [a for a in self.arguments if a.location == "file"]
        fields = [a for a in self.arguments if a.location != "file"]
        always = [a for a in fields if a.required or a.name in self.firsts]
        least = always if not files else [*(a for a in always if a.location == "path"), *files]
        await self._call(least, self.least)
        await self._call(fields, self.most)
        nulls = [replace(a, passed=None, sent=None) if a.nullable else a for a in fields]
        if nulls != fields and not files:
            await self._call(nulls, self.most)
        if self.pages:
            await self._go_through_pages(fields)

    async def _call(self, arguments: list[Argument], sampler: Sampler) -> None:
        schema = self.operation.result
        if schema is None:
            result = await self._send(arguments)
            _compare("result", result, None)
            return
        sample = sampler.value(schema) if self.sends_json else IMAGE
        if sample is None and self.pages:
            sample = self.most.value(schema)
        if isinstance(sample, dict):
            sample |= UNKNOWN
        result = await self._send(arguments, sample)
        self._check_result(schema, result, sample)

    async def _go_through_pages(self, arguments: list[Argument]) -> None:
        page = self.most.value(self.operation.result or {})
        samples = [{**page, "cursor": "next"}, {**page, "cursor": ""}]
        results = await self._send(arguments, *samples)
        if len(results) != 2 * len(page["results"]):
            raise Mismatch(f"two pages gave {len(results)} items")

    async def _send(self, arguments: list[Argument], *samples: Any) -> Any:
        """Call the method and check its requests, one for each sample; return what it returns."""
        self.fake.recover()
        self.fake.requests.clear()
        self.calls.reports.clear()
        for sample in samples:
            body = sample if isinstance(sample, bytes) else json.dumps(sample).encode()
            status = self.operation.status
            self.fake.fail(self.operation.name, status=status, body=body, execute=True)
        result: Any = None
        failure: Exception | None = None
        try:
            called = self.method(**{a.python: a.passed for a in arguments})
            if self.pages and not isinstance(called, Paginator):
                raise Mismatch("its response is a page, and the method returns no paginator")
            result = [item async for item in called] if len(samples) > 1 else await called
        except Exception as error:  # the request tells why, if there was one
            failure = error
        for recorded, cursor in zip(self.fake.requests, [None, "next"], strict=False):
            following = [
                replace(a, sent=cursor) if cursor and a.name == "cursor" else a for a in arguments
            ]
            self._check_request(recorded, following)
        if failure is not None:
            raise failure
        if len(self.fake.requests) != max(1, len(samples)):
            raise Mismatch(f"it sent {len(self.fake.requests)} requests")
        for report in self.calls.reports:
            if (report.operation, report.points) != (self.operation.name, self.operation.points):
                points = f"{report.points} points as {report.operation}"
                raise Mismatch(f"pays {points}, not {self.operation.points}")
        return result

    # ---------------------------------------------------------------------------------- checks

    def _check_request(self, recorded: RecordedRequest, arguments: list[Argument]) -> None:
        if recorded.error is not None:
            raise Mismatch(recorded.error)
        checked = self.fake.check(recorded)
        if checked.operation is not self.operation:
            raise Mismatch(f"sends {recorded.method} {recorded.path}: {recorded.operation}")
        sent = {
            location: {a.name: a.sent for a in arguments if a.location == location}
            for location in ("path", "query", "header", "body", "array", "file")
        }
        _compare("path", checked.path, sent["path"])
        _compare("query", checked.query, sent["query"])
        _compare("header", checked.headers, sent["header"])
        if self.operation.result is not None:
            _compare("accept", recorded.headers.get("accept"), self.operation.media_type)
        if sent["file"]:
            parts = checked.body if isinstance(checked.body, list) else []
            _compare("multipart", {part.name: part.content for part in parts}, sent["file"])
        elif sent["array"]:
            _compare("body", checked.body, sent["array"]["body"])
        elif any(a.location == "body" for a in self.arguments):
            _compare("body", checked.body, sent["body"])
        else:
            _compare("body", recorded.body, b"")

    def _check_result(self, schema: Any, result: Any, sample: Any) -> None:
        """Compare what the caller gets with what was sent: models, not dicts."""
        items = self.document.resolve(schema).get("items", {})
        if not self.sends_json:
            _compare("result", (type(result), bytes(result)), (bytes, sample))
        elif isinstance(sample, dict) and self._model_schema(schema):
            self._check_model(schema, result, sample, "result")
        elif isinstance(sample, list) and isinstance(result, list) and self._model_schema(items):
            _compare("result", len(result), len(sample))
            for index, item in enumerate(result):
                self._check_model(items, item, sample[index], join("result", index))
        else:
            _compare("result", result, sample)

    def _model_schema(self, schema: Any) -> Any:
        """Return the schema of a model; None where several, or none, would be right."""
        alternatives = self.document.alternatives(schema)
        return (
            alternatives[0]
            if len(alternatives) == 1 and alternatives[0].get("properties")
            else None
        )

    def _check_model(self, schema: Any, model: Any, sample: Json, where: str) -> None:
        if not hasattr(model, "to_dict"):
            raise Mismatch(f"{where}: must be a model; got a {type(model).__name__}")
        _compare(f"{where}.to_dict()", model.to_dict(), sample)
        names = {wire: name for name, wire in model._wire_names.items()}
        for wire, inner in self._model_schema(schema)["properties"].items():
            pointer = join(where, wire)
            if _bare(wire) not in _bare(names.get(wire, "")):
                raise Mismatch(f"{pointer}: the model has no attribute for it")
            self._check_value(inner, getattr(model, names[wire]), sample.get(wire), pointer)

    def _check_value(self, schema: Any, value: Any, sample: Any, where: str) -> None:
        """Compare a model's attribute with the JSON that it was read from."""
        alternatives = self.document.alternatives(schema)
        (schema,) = alternatives if len(alternatives) == 1 else [{}]
        items = schema.get("items", {})
        if sample is None:
            _compare(where, value, None)
        elif self._model_schema(schema):
            self._check_model(schema, value, sample, where)
        elif kind_of(schema) == "array" and self._model_schema(items):
            for index, item in enumerate(value):
                self._check_model(items, item, sample[index], join(where, index))
        elif sample == SENT_MOMENT and schema.get("format") == "date-time":
            _compare(where, value, MOMENT)
        elif "enum" in schema and isinstance(sample, str) and not isinstance(value, StrEnum):
            raise Mismatch(f"{where}: must be a member of an enum; got {value!r}")
        else:
            _compare(where, value, sample)


def _as_passed(sent: Any) -> Any:
    """Return what a caller gives for it: a datetime, or a room's name without its slash."""
    if isinstance(sent, list):
        return [_as_passed(item) for item in sent]
    if isinstance(sent, str):
        return MOMENT if sent == SENT_MOMENT else sent.removeprefix("/")
    return sent


def _as_header(sent: Any) -> Any:
    """Return what can stand in a header: ASCII."""
    return sent.replace("é", "e") if isinstance(sent, str) else sent


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _compare(where: str, actual: Any, expected: Any) -> None:
    """Raise a Mismatch that points to the first difference."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        for name in expected | actual:
            _compare(join(where, name), actual.get(name, MISSING), expected.get(name, MISSING))
    elif isinstance(actual, list) and isinstance(expected, list) and len(actual) == len(expected):
        for index, item in enumerate(expected):
            _compare(join(where, index), actual[index], item)
    elif not same(actual, expected):
        raise Mismatch(f"{where}: must be {expected!r}; got {actual!r}")


def _left_over(client: WherebyClient, names: set[str]) -> Iterator[str]:
    """Find generated methods for which the document has no operation."""
    for tag in sorted({name.partition(".")[0] for name in names}):
        for name in vars(type(getattr(client, tag, None))):
            known = f"{tag}.{name}" in names or name in TAKEN_METHODS
            if not (known or name.startswith("_")):
                yield f"whereby.{tag}.{name}: the document has no such operation"


async def run(document: Json) -> list[str]:
    """Return what is wrong with the package that is imported, each with the operation's name."""
    document = copy.deepcopy(document)
    for schema in schemas(document):
        for key in UNWANTED:
            schema.data.pop(key, None)
    fake = FakeWhereby(document=document, strict=True, stateless=True, limit=None)
    documented = {operation.name: operation for operation in fake.api.document.operations}
    calls = Calls()
    problems: list[str] = []
    async with (
        fake.serve() as url,
        WherebyClient(
            fake.token,
            base_url=url,
            budget=PointBudget(10**9),
            max_retries=0,
            timeout=60,
            observer=calls,
        ) as client,
    ):
        for listed in operations(document):
            name = listed.data["operationId"]
            either_of = listed.data.get("x-either-of", [])
            try:
                await ContractTest(client, calls, fake, documented[name], either_of).run()
            except Exception as error:  # whatever it is, it is about this operation
                kind = "" if isinstance(error, Mismatch) else f"{type(error).__name__}: "
                label = f"whereby.{name} ({listed.method.upper()} {listed.path})"
                problems.append(f"{label}: {kind}{error}")
        problems += _left_over(client, set(documented))
    return problems


def main() -> int:
    """Test the package on the import path against the document that was passed."""
    document = json.loads(Path(sys.argv[1]).read_bytes())
    problems = asyncio.run(run(document))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
