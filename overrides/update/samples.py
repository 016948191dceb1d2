"""What the document says of an operation, in values: what to give, what must arrive, what comes.

The contract test stands on this. It is read from the document alone and uses nothing of the
generator: that would only find that it agrees with itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ..openapi.document import (
    Json,
    Operation,
    follow,
    is_nullable,
    is_page,
    mapping,
    parameters_for,
    sequence,
)

TEXT = "a b&c=/é?#%"
MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
SENT_MOMENT = "2030-01-02T03:04:05Z"
IMAGE = b"\x89PNG\r\n\x1a\n and --boundary\r\n \x00\xff"
_DEEPEST = 8  # a schema may refer to itself


@dataclass
class Argument:
    """A parameter or a body field of an operation: what is given, and what must arrive."""

    wire: str
    place: str  # path, query, body, file
    required: bool
    given: Any
    sent: Any  # for a query: a list of pairs
    nullable: bool = False
    python: str = ""


class Samples:
    """Values that fit schemas."""

    def __init__(self, document: Json) -> None:
        self._document = document

    def value(self, schema: Any, *, least: bool = False, depth: int = 0) -> Any:
        """Make a JSON value; with `least`, what is required only, and null where it may be."""
        schema = self.resolved(schema)
        if least and is_nullable(schema):
            return None
        if schema.get("enum"):
            return next(value for value in schema["enum"] if value is not None)
        kind = self.kind(schema)
        if kind == "array" and (least or depth >= _DEEPEST):
            return []
        if kind == "array":
            listed = self.resolved(schema.get("items"))
            # two, because one looks the same in every style
            last = {**listed, "enum": sequence(listed.get("enum"))[::-1]}
            return [self.value(one, depth=depth + 1) for one in (listed, last)]
        if kind == "object":
            return self._object(schema, least, depth)
        if kind == "string":
            dated = schema.get("format") == "date-time"
            return (
                SENT_MOMENT if dated else "2030-01-02" if schema.get("format") == "date" else TEXT
            )
        at_least = schema.get("minimum", 1)
        return {"integer": at_least, "number": 1.5, "boolean": True}.get(kind, TEXT)

    def _object(self, schema: Json, least: bool, depth: int) -> Json:
        properties = mapping(schema.get("properties"))
        required = sequence(schema.get("required"))
        wanted = [n for n in properties if n in required or (not least and depth < _DEEPEST)]
        made = {n: self.value(properties[n], least=least, depth=depth + 1) for n in wanted}
        if not properties and not least:
            made["anything"] = TEXT
        return made

    def kind(self, schema: Json) -> str:
        """Return the schema's type beside null."""
        kinds = schema.get("type")
        listed = [k for k in (kinds if isinstance(kinds, list) else [kinds]) if k != "null"]
        if "properties" in schema:
            return "object"
        return str(listed[0]) if len(listed) == 1 and listed[0] else "anything"

    def resolved(self, schema: Any) -> Json:
        """Follow references, and make one schema of an allOf or of the first alternative."""
        found = dict(mapping(follow(self._document, schema)[0]))
        parts = [self.resolved(part) for part in sequence(found.pop("allOf", None))]
        nullable = is_nullable(found)
        for key in ("anyOf", "oneOf"):
            options = [
                s for s in sequence(found.pop(key, None)) if mapping(s).get("type") != "null"
            ]
            parts += [self.resolved(option) for option in options[:1]]
            if len(options) > 1:
                found["x-several"] = True  # no model is right for all of them
        for part in parts:
            properties = {**mapping(part.get("properties")), **mapping(found.get("properties"))}
            required = [*sequence(part.get("required")), *sequence(found.get("required"))]
            found = {**part, **found}
            if properties:
                found |= {"properties": properties, "required": required}
        return {**found, "nullable": True} if nullable else found


class Expected:
    """One operation as the document describes it, in values."""

    def __init__(self, document: Json, operation: Operation) -> None:
        self.document = document
        self.operation = operation
        self.samples = Samples(document)
        self.name = str(operation.data["operationId"])
        self.arguments = [*self._parameters(), *self._body()]
        self.either_of: list[list[str]] = operation.data.get("x-either-of", [])
        self.status, self.schema = self._success()

    @property
    def is_page(self) -> bool:
        """Return whether it is a list with a cursor."""
        takes = any(a.wire == "cursor" and a.place == "query" for a in self.arguments)
        return takes and is_page(self.samples.resolved(self.schema))

    def path(self) -> str:
        """The path that must arrive."""
        sent = {f"{{{a.wire}}}": a.sent for a in self.arguments if a.place == "path"}
        parts = re.split(r"({[^{}]*})", self.operation.path)
        return "".join(
            quote(sent[part], safe="") if part in sent else quote(part, safe="/:@!$&()*+,;=%")
            for part in parts
        )

    def _parameters(self) -> Iterator[Argument]:
        for data in parameters_for(self.document, self.operation):
            wire, place = data["name"], data["in"]
            schema = self.samples.resolved(data.get("schema"))
            value = self.samples.value(schema)
            given, sent = value, value
            if place == "path":
                given = f"/{TEXT}" if data.get("x-room-name") else _as_given(schema, value)
                yield Argument(wire, place, True, given, str(value))
                continue
            if data.get("x-room-name") and isinstance(value, str):
                given, sent = TEXT, f"/{TEXT}"
            given = _as_given(schema, given)
            pairs = self._pairs(data, schema, wire, sent)
            yield Argument(wire, "query", bool(data.get("required")), given, pairs)

    def _pairs(self, data: Json, schema: Json, wire: str, value: Any) -> list[tuple[str, str]]:
        if isinstance(value, dict) and data.get("style") == "deepObject":
            marked = mapping(schema.get("properties"))
            return [
                (
                    f"{wire}[{key}]",
                    _plain(f"/{inner}" if mapping(marked.get(key)).get("x-room-name") else inner),
                )
                for key, inner in value.items()
            ]
        if isinstance(value, list) and data.get("explode") is False:
            return [(wire, ",".join(map(_plain, value)))]
        return [(wire, _plain(one)) for one in (value if isinstance(value, list) else [value])]

    def _body(self) -> Iterator[Argument]:
        body = mapping(follow(self.document, self.operation.data.get("requestBody"))[0])
        content = mapping(body.get("content"))
        for kind, media in content.items():
            schema = self.samples.resolved(mapping(media).get("schema"))
            for wire, inner in mapping(schema.get("properties")).items():
                inner = self.samples.resolved(inner)
                required = wire in sequence(schema.get("required")) and len(content) == 1
                if "multipart" in kind:
                    yield Argument(wire, "file", required, IMAGE, IMAGE)
                else:
                    value = self.samples.value(inner)
                    given = _as_given(inner, value)
                    yield Argument(wire, "body", required, given, value, is_nullable(inner))

    def _success(self) -> tuple[int, Any]:
        for status, listed in sorted(mapping(self.operation.data.get("responses")).items()):
            if status.startswith("2"):
                response = mapping(follow(self.document, listed)[0])
                for media in mapping(response.get("content")).values():
                    return int(status.replace("X", "0")), mapping(media).get("schema")
                return int(status.replace("X", "0")), None
        return 204, None


def _as_given(schema: Json, value: Any) -> Any:
    dated = schema.get("format") == "date-time" and value == SENT_MOMENT
    return MOMENT if dated else value


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
