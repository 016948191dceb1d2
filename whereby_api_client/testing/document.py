"""Whereby's document as the fake reads it: its operations, what they take and return.

It is the patched document, so that the fake knows a new operation as soon as the generated client
does. In a wheel it is `document.json` beside this module; in a checkout it is in `openapi/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs

__all__ = ["Document", "Operation", "Parameter", "published"]

Schema = Mapping[str, Any]
ROOM_NAME = "{roomName}"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@attrs.frozen
class Parameter:
    """A path or query parameter."""

    name: str
    location: str
    required: bool
    schema: Schema
    deep: bool


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

    @property
    def segments(self) -> tuple[str, ...]:
        """Return the path template's segments."""
        return tuple(self.template.split("/")[1:])

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the path's arguments when the decoded segments fit the template."""
        place = self.segments.index(ROOM_NAME) if ROOM_NAME in self.segments else -1
        # a room name may stand there with its slash: /rooms//name/theme/logo
        if place >= 0 and len(segments) > place + 1 and segments[place] == "":
            segments = (*segments[:place], f"/{segments[place + 1]}", *segments[place + 2 :])
        if len(segments) != len(self.segments):
            return None
        arguments: dict[str, str] = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern.startswith("{"):
                if segment in ("", ".", ".."):
                    return None
                arguments[pattern[1:-1]] = segment
            elif pattern != segment:
                return None
        return arguments


class Document:
    """The operations of an OpenAPI document, its references followed."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        found = [
            self._operation(method, template, item)
            for template, item in raw["paths"].items()
            for method in METHODS
            if method in item
        ]
        # fixed segments win over parameters: /recordings/bulk-delete is no recording's id
        self.operations: list[Operation] = sorted(
            found, key=lambda op: [segment.startswith("{") for segment in op.segments]
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
        """Return what a reference points to; anything else as it is."""
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self.raw
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def _operation(self, method: str, template: str, item: Mapping[str, Any]) -> Operation:
        node = item[method]
        body = self.resolve(node.get("requestBody", {}))
        status, response = self._success(node)
        content = response.get("content", {})
        return Operation(
            name=node.get("operationId", f"{method.upper()} {template}"),
            method=method.upper(),
            template=template,
            parameters=tuple(
                self._parameter(self.resolve(parameter))
                for parameter in [*item.get("parameters", ()), *node.get("parameters", ())]
            ),
            bodies={
                kind: media.get("schema", {}) for kind, media in body.get("content", {}).items()
            },
            body_required=bool(body.get("required", False)),
            status=status,
            result=next((media.get("schema", {}) for media in content.values()), None),
            points=node.get("x-points"),
        )

    def _parameter(self, node: Mapping[str, Any]) -> Parameter:
        return Parameter(
            name=node["name"],
            location=node["in"],
            required=bool(node.get("required", False)),
            schema=node.get("schema", {}),
            deep=node.get("style") == "deepObject",
        )

    def _success(self, node: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        for status, response in node.get("responses", {}).items():
            if status.startswith("2"):
                return int(status.replace("X", "0")), self.resolve(response)
        return 204, {}


@cache
def published() -> Document:
    """Return the document that this version of the package was generated from."""
    here = Path(__file__).resolve().parent
    path = here / "document.json"
    if not path.exists():
        path = here.parents[1] / "openapi/whereby.patched.json"
    raw = json.loads(path.read_text("utf-8"))
    return Document(raw)
