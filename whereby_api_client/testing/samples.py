"""Sample values that fit a schema, and responses made of them.

Whereby adds endpoints. Until somebody writes a handler, the fake checks the request and sends the
documented success with a sample of its schema.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from .check import string_problem
from .clock import iso
from .document import Document, Operation, Schema, kind_of
from .messages import Response

__all__ = ["Sampler", "documented_success"]

_DEEPEST = 8  # a schema may refer to itself


def documented_success(document: Document, operation: Operation, now: float) -> Response:
    """Return an operation's documented success with a sample of its schema."""
    if operation.result is None:
        return Response(operation.status)
    value = Sampler(document, iso(now)).value(operation.result)
    if "json" in operation.media_type:
        return Response.json(operation.status, value)
    headers = (("Content-Type", operation.media_type),)
    return Response(operation.status, headers, str(value).encode())


@attrs.frozen
class Sampler:
    """Makes a value that fits a schema: its example, or one put together from its parts.

    Args:
        document: Where the schemas' references lead.
        now: Every date-time.
        ending: Behind every text that is made up, which begins with the name of its property.
        items: How many items an array has.
        least: Leave out whatever may be left out, and make null whatever may be null.
    """

    document: Document
    now: str
    ending: str = ""
    items: int = 1
    least: bool = False

    def value(self, schema: Schema, name: str = "text", depth: int = 0) -> Any:
        """Return a value for a schema; `name` is that of the property or parameter."""
        if self.least and self.document.is_nullable(schema):
            return None
        (schema, *_) = self.document.alternatives(schema) or [{"enum": [None]}]
        for key in ("example", "default"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return next((value for value in schema["enum"] if value is not None), None)
        match kind_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                if self.least or "items" not in schema or depth > _DEEPEST:
                    return []
                return [self.value(schema["items"], name, depth + 1) for _ in range(self.items)]
            case "integer":
                return _within(schema, 1)
            case "number":
                return _within(schema, 1.5)
            case "boolean":
                return True
        return self.now if schema.get("format") == "date-time" else self._string(schema, name)

    def fit(self, schema: Schema, value: Any, extra: Callable[[], Collection[str]]) -> Any:
        """Return what a handler made with the fields that the document has, should it have others.

        When Whereby renames a field, the handlers still know its old name: that one is dropped,
        unless it is one of the `extra` ones, and a required one that is missing gets a sample.
        """
        schema = self.document.resolve(schema)
        properties: Mapping[str, Schema] = schema.get("properties", {})
        if isinstance(value, list) and "items" in schema:
            return [self.fit(schema["items"], item, extra) for item in value]
        if not isinstance(value, dict) or not properties:
            return value
        unknown = value.keys() - properties.keys()
        dropped = unknown.difference(extra()) if unknown else unknown
        missing = [n for n in schema.get("required", ()) if n not in value and n in properties]
        return {
            name: self.fit(properties[name], part, extra) if name in properties else part
            for name, part in value.items()
            if name not in dropped
        } | {name: self.value(properties[name], name) for name in missing}

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        return {
            name: self.value(inner, name, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or (depth < _DEEPEST and not self.least)
        }

    def _string(self, schema: Schema, name: str) -> str:
        # a few guesses: a pattern cannot be turned around
        slash = "/" if schema.get("x-room-name") else ""
        guesses = (f"{slash}{name}{self.ending}", "text", "#336699", "1", "a")
        return next((g for g in guesses if string_problem(schema, g) is None), guesses[0])


def _within(schema: Schema, number: float) -> Any:
    """Return the number, or the documented bound that it would exceed."""
    at_most = min(number, schema.get("maximum", number))
    return max(at_most, schema.get("minimum", at_most))
