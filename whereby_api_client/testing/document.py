"""Whereby's document as the fake reads it: its operations, what they take and return.

It is the patched document, so that the fake knows a new operation as soon as the generated client
does. In a wheel it is `document.json` beside this module; in a checkout it is in `openapi/`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs

__all__ = ["Document", "Operation", "Parameter", "kind_of", "published"]

Schema = Mapping[str, Any]
ROOM_NAME = "{roomName}"
# OpenAPI says that parameters of these names are ignored
IGNORED_HEADERS = ("accept", "authorization", "content-type")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@attrs.frozen
class Parameter:
    """A parameter of the path, the query or the headers."""

    name: str
    location: str
    required: bool
    schema: Schema
    deep: bool
    """Whether it is sent as `name[key]=value`."""
    explode: bool
    """Whether each item of an array is sent as a parameter of its own."""
    room_name: bool


@attrs.frozen(eq=False)
class Operation:
    """One operation of the document."""

    name: str
    """`meetings.create`; the method and path where the document gives no operationId."""
    method: str
    template: str
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, Schema]
    """Media type -> schema of the request body; empty when there is none."""
    body_required: bool
    status: int
    """The documented success."""
    result: Schema | None
    """Schema of the successful response; None when it has no body."""
    points: int | None
    media_type: str = "application/json"
    """Of the successful response."""

    @property
    def segments(self) -> tuple[str, ...]:
        """Return the path template's segments."""
        return tuple(self.template.split("/")[1:])

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the path's arguments when the decoded segments fit the template."""
        at = self.segments.index(ROOM_NAME) if ROOM_NAME in self.segments else -1
        # a room name may stand there with its slash: /rooms//name/theme/logo
        if at >= 0 and len(segments) > at + 1 and segments[at] == "":
            segments = (*segments[:at], f"/{segments[at + 1]}", *segments[at + 2 :])
        if len(segments) != len(self.segments):
            return None
        arguments: dict[str, str] = {}
        for template, segment in zip(self.segments, segments, strict=True):
            if "{" in template:
                literals, names = _split_template(template)
                pattern = "(.+)".join(map(re.escape, literals))
                match = re.fullmatch(pattern, segment, re.DOTALL)
                if match is None or segment in (".", ".."):
                    return None
                arguments |= zip(names, match.groups(), strict=True)
            elif template != segment:
                return None
        return arguments


class Document:
    """The operations of an OpenAPI document, its references followed."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        operations = [
            self._operation(method, template, item)
            for template, item in raw["paths"].items()
            for method in METHODS
            if method in item
        ]
        # fixed segments win over parameters: /recordings/bulk-delete is no recording's id
        self.operations: list[Operation] = sorted(
            operations, key=lambda op: ["{" in segment for segment in op.segments]
        )

    def find(
        self, method: str, segments: tuple[str, ...]
    ) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation for a method and a decoded path, with the path's arguments."""
        for operation in self.operations:
            if operation.method == method:
                arguments = operation.match(segments)
                if arguments is not None:
                    return operation, arguments
        return None

    def methods(self, segments: tuple[str, ...]) -> list[str]:
        """Return the methods that this path has: those of the first template that fits."""
        matching = [op for op in self.operations if op.match(segments) is not None]
        return sorted(op.method for op in matching if op.template == matching[0].template)

    def resolve(self, node: Any) -> Any:
        """Return what a reference points to, its `allOf` put together; anything else as it is."""
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self.raw
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        if isinstance(node, Mapping) and "allOf" in node:
            own = {key: value for key, value in node.items() if key != "allOf"}
            return _merged([*map(self.resolve, node["allOf"]), own])
        return node

    def alternatives(self, schema: Schema) -> list[Schema]:
        """Return what a value can be beside null: one schema for each `oneOf` or `anyOf`."""
        schema = self.resolve(schema)
        for key in ("oneOf", "anyOf"):
            if key in schema:
                own = {name: value for name, value in schema.items() if name != key}
                choices = [self.resolve(choice) for choice in schema[key]]
                return [
                    alternative
                    for choice in choices
                    if choice.get("type") != "null"
                    for alternative in self.alternatives(_merged([choice, own]))
                ]
        return [schema]

    def is_nullable(self, schema: Schema) -> bool:
        """Return whether the schema accepts null."""
        schema = self.resolve(schema)
        choices = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        return (
            not schema
            or bool(schema.get("nullable"))
            or "null" in _types(schema)
            or any(map(self.is_nullable, choices))
        )

    def _operation(self, method: str, template: str, item: Mapping[str, Any]) -> Operation:
        node = item[method]
        body = self.resolve(node.get("requestBody", {}))
        status, response = self._success(node)
        content = response.get("content", {})
        # an operation's own parameters come before those of its path
        parameters = {
            (parameter.name, parameter.location): parameter
            for listed in [*item.get("parameters", ()), *node.get("parameters", ())]
            for parameter in [self._parameter(self.resolve(listed))]
            if parameter.location != "header" or parameter.name.lower() not in IGNORED_HEADERS
        }
        return Operation(
            name=node.get("operationId", f"{method.upper()} {template}"),
            method=method.upper(),
            template=template,
            parameters=tuple(parameters.values()),
            bodies={
                kind: media.get("schema", {}) for kind, media in body.get("content", {}).items()
            },
            body_required=bool(body.get("required", False)),
            status=status,
            result=next((media.get("schema", {}) for media in content.values()), None),
            points=node.get("x-points"),
            media_type=next(iter(content), "application/json"),
        )

    def _parameter(self, node: Mapping[str, Any]) -> Parameter:
        return Parameter(
            name=node["name"],
            location=node["in"],
            required=bool(node.get("required", False)),
            schema=node.get("schema", {}),
            deep=node.get("style") == "deepObject",
            explode=node.get("explode") is not False,
            room_name=bool(node.get("x-room-name", False)),
        )

    def _success(self, node: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        for status, response in sorted(node.get("responses", {}).items()):
            if status.startswith("2"):
                return int(status.replace("X", "0")), self.resolve(response)
        return 204, {}


def kind_of(schema: Schema) -> str | None:
    """Return the schema's type beside null; None where it has none, or several."""
    kinds = [kind for kind in _types(schema) if kind != "null"]
    if kinds:
        return kinds[0] if len(kinds) == 1 else None
    return "object" if "properties" in schema else None


def _types(schema: Schema) -> list[str]:
    kinds = schema.get("type", ())
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _merged(parts: Iterable[Schema]) -> dict[str, Any]:
    """Put schemas that all apply into one; a later one wins where they contradict each other."""
    merged: dict[str, Any] = {}
    for part in parts:
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged |= part
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = required
    return merged


def _split_template(segment: str) -> tuple[list[str], list[str]]:
    """Return the literals of a path template's segment and the names between them."""
    parts = re.split(r"{([^{}]*)}", segment)
    return parts[::2], parts[1::2]


@cache
def published() -> Document:
    """Return the document that this version of the package was generated from."""
    folder = Path(__file__).resolve().parent
    path = folder / "document.json"
    if not path.exists():
        path = folder.parents[1] / "openapi/whereby.patched.json"
    raw = json.loads(path.read_text("utf-8"))
    return Document(raw)
