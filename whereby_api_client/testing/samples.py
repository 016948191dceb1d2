"""Sample values that fit a schema, and responses made of them.

Whereby adds endpoints. Until somebody writes a handler, the fake checks the request and sends the
documented success with a sample of its schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .clock import iso
from .document import Document, Operation, Schema
from .messages import Response

__all__ = ["documented_success", "fitted", "sample"]

_DEEPEST = 8  # a schema may refer to itself


def documented_success(document: Document, operation: Operation, now: float) -> Response:
    """Return an operation's documented success with a sample of its schema."""
    if operation.result is None:
        return Response(operation.status)
    return Response.json(operation.status, sample(document, operation.result, iso(now)))


def fitted(
    document: Document, schema: Schema, value: Any, now: str, extra: Callable[[], Collection[str]]
) -> Any:
    """Return what a handler made with the fields that the document has, should it have others.

    When Whereby renames a field, the handlers still know its old name: that one is dropped, unless
    it is one of the `extra` ones, and a required one that is missing gets a sample.
    """
    schema = document.resolve(schema)
    properties: Mapping[str, Schema] = schema.get("properties", {})
    if isinstance(value, list) and "items" in schema:
        return [fitted(document, schema["items"], item, now, extra) for item in value]
    if not isinstance(value, dict) or not properties:
        return value
    unknown = value.keys() - properties.keys()
    dropped = unknown.difference(extra()) if unknown else unknown
    missing = [n for n in schema.get("required", ()) if n not in value and n in properties]
    return {
        name: fitted(document, properties[name], part, now, extra) if name in properties else part
        for name, part in value.items()
        if name not in dropped
    } | {name: sample(document, properties[name], now) for name in missing}


def sample(document: Document, schema: Schema, now: str, depth: int = 0) -> Any:
    """Return a value that fits the schema: its example, or one put together from its parts."""
    schema = document.resolve(schema)
    for key in ("example", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    merged: dict[str, Any] = {}
    for part in schema.get("allOf", ()):
        value = sample(document, part, now, depth + 1)
        if not isinstance(value, dict):
            return value
        merged |= value
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return sample(document, schema[key][0], now, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema or "allOf" in schema else "string")
    match kind if isinstance(kind, str) else kind[0]:
        case "object":
            return merged | _object(document, schema, now, depth)
        case "array":
            if "items" not in schema or depth > _DEEPEST:
                return []
            return [sample(document, schema["items"], now, depth + 1)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return now if schema.get("format") == "date-time" else _string(schema)


def _object(document: Document, schema: Schema, now: str, depth: int) -> dict[str, Any]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    required = schema.get("required", ())
    return {
        name: sample(document, inner, now, depth + 1)
        for name, inner in properties.items()
        if depth < _DEEPEST or name in required
    }


def _string(schema: Schema) -> str:
    # a few guesses: a pattern cannot be turned around
    guesses = ("text", "#336699", "1", "a")
    pattern = schema.get("pattern", "")
    return next((guess for guess in guesses if re.fullmatch(pattern or ".*", guess)), guesses[0])
