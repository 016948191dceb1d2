"""What an operation does that the fake has no handler for: a reasonable default, by rule.

Whereby adds endpoints. Until somebody writes a handler, a POST on a collection creates an item, a
GET with an id returns it, a page lists them, PUT and PATCH change it, DELETE removes it; anything
else answers with the documented success and a value of its schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .clock import iso
from .document import Document, Operation, Schema
from .handlers import Call
from .messages import Answer, Refusal
from .records import Item
from .state import Shelf

__all__ = ["handle_by_rule", "sample"]


def handle_by_rule(document: Document, call: Call) -> Answer:
    """Answer an operation by the shape of its path, its method and its documented success."""
    operation = call.operation
    path = "/" + "/".join(_filled(operation, call.path))
    if operation.segments[-1].startswith("{"):
        return _item(document, call, *path.rsplit("/", 1))
    result = document.resolve(operation.result or {})
    if operation.method == "GET" and "results" in result.get("properties", {}):
        return _list(document, call, path)
    if operation.method == "POST" and _has_items(document, operation):
        return _create(document, call, path)
    return _documented(document, call)


def _filled(operation: Operation, arguments: Mapping[str, str]) -> list[str]:
    return [arguments[part[1:-1]] if part.startswith("{") else part for part in operation.segments]


def _has_items(document: Document, operation: Operation) -> bool:
    """Tell whether the collection that is posted to has operations on single items."""
    return any(_is_item_of(other, operation) for other in document.operations)


def _is_item_of(other: Operation, collection: Operation) -> bool:
    head, last = other.segments[:-1], other.segments[-1]
    return head == collection.segments and last.startswith("{")


def _shelf(call: Call, path: str) -> Shelf[Item]:
    return call.state.items.setdefault(path, Shelf(call.state.clock))


def _create(document: Document, call: Call, path: str) -> Answer:
    given = call.body if isinstance(call.body, dict) else {}
    made = _made(document, call, call.operation.result)
    values = made if isinstance(made, dict) else {}
    key_name = _key_name(document, call.operation)
    key = call.state.new_id()
    if key_name in values:
        values[key_name] = key
    # the answer may be no more than an id: the item itself is what its GET promises
    for other in document.operations:
        if other.method == "GET" and _is_item_of(other, call.operation):
            whole = _made(document, call, other.result)
            if isinstance(whole, dict):
                values = whole | values
    known = {name: value for name, value in given.items() if name in values or not values}
    _shelf(call, path).put(key, Item(values=values | known))
    if call.operation.result is None:
        return Answer(call.operation.status)
    answered = {name: (values | known)[name] for name in made} if isinstance(made, dict) else made
    return Answer.json(call.operation.status, answered)


def _key_name(document: Document, operation: Operation) -> str:
    """Return the name of the property that holds the id: the item's path says it."""
    for other in document.operations:
        if _is_item_of(other, operation):
            return other.segments[-1][1:-1]
    return "id"


def _list(document: Document, call: Call, path: str) -> Answer:
    rows = [(item.number, item.json()) for item in _shelf(call, path).all()]
    for name, wanted in call.query.items():
        # a filter has the name of a field, as roomName has everywhere
        if isinstance(wanted, str) and any(name in row[1] for row in rows):
            rows = [row for row in rows if row[1].get(name) == wanted]
    limits = (p.schema for p in call.operation.parameters if p.name == "limit")
    limit = document.resolve(next(limits, {})).get("default", 50)
    return call.page(rows, limit=limit)


def _item(document: Document, call: Call, path: str, key: str) -> Answer:
    item = _shelf(call, path).get(key)
    if call.operation.method == "DELETE":
        if item is not None:
            item.gone_at = call.now
        return _documented(document, call)
    if item is None:
        raise Refusal(404, f"there is nothing with the id {key!r} in {path}")
    if isinstance(call.body, dict):
        item.values |= call.body
    if call.operation.result is None:
        return Answer(call.operation.status)
    return Answer.json(call.operation.status, item.json())


def _documented(document: Document, call: Call) -> Answer:
    if call.operation.result is None:
        return Answer(call.operation.status)
    return Answer.json(call.operation.status, _made(document, call, call.operation.result))


def _made(document: Document, call: Call, schema: Schema | None) -> Any:
    return sample(document, schema or {}, iso(call.now))


def sample(document: Document, schema: Schema, now: str) -> Any:
    """Return a value that fits the schema: its example, or one put together from its parts."""
    schema = document.resolve(schema)
    for key in ("example", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    merged: dict[str, Any] = {}
    for part in schema.get("allOf", ()):
        value = sample(document, part, now)
        if not isinstance(value, dict):
            return value
        merged |= value
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return sample(document, schema[key][0], now)
    kind = schema.get("type", "object" if "properties" in schema or "allOf" in schema else "string")
    match kind if isinstance(kind, str) else kind[0]:
        case "object":
            properties: Mapping[str, Schema] = schema.get("properties", {})
            return merged | {
                name: sample(document, inner, now) for name, inner in properties.items()
            }
        case "array":
            return [sample(document, schema["items"], now)] if "items" in schema else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return now if schema.get("format") == "date-time" else _text(schema)


def _text(schema: Schema) -> str:
    # a few guesses: a pattern cannot be turned around
    guesses = ("text", "#336699", "1", "a")
    pattern = schema.get("pattern", "")
    return next((guess for guess in guesses if re.fullmatch(pattern or ".*", guess)), guesses[0])
