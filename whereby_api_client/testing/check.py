"""Checks requests against the document, and says in words what is wrong with them.

Only the part of JSON Schema that OpenAPI documents of this kind use. What is not documented is let
through: Whereby adds parameters and fields without changing the version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .clock import parse_date_time
from .document import Document, Operation, Schema
from .messages import Part, Refusal, Request

__all__ = ["check_body", "check_query", "check_value"]

# Known to take more values than the document lists: `dialIn` is a field, and languages come and go.
OPEN_ENUMS = frozenset({"fields", "language"})
# Known to take more than the document's pattern: hyphens are normal, spaces are removed.
OPEN_PATTERNS = frozenset({"roomNamePrefix"})

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def check_query(document: Document, operation: Operation, request: Request) -> dict[str, Any]:
    """Return the query's values by name, read as the document's types."""
    given = request.params
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.location != "query":
            continue
        where = f"query parameter {parameter.name!r}"
        if parameter.deep:
            found: Any = _deep(parameter.name, given)
        else:
            texts = [
                value for name, value in given if name in (parameter.name, f"{parameter.name}[]")
            ]
            if len(texts) > 1 and document.resolve(parameter.schema).get("type") != "array":
                raise Refusal(400, f"{where}: is given {len(texts)} times")
            found = _read(document.resolve(parameter.schema), texts, where) if texts else None
        if found is None:
            if parameter.required:
                raise Refusal(400, f"{where}: is required for {_title(operation)}")
            continue
        check_value(document, parameter.schema, found, where, parameter.name)
        values[parameter.name] = found
    return values


def check_body(document: Document, operation: Operation, request: Request) -> Any:
    """Return the parsed body: JSON, a list of `Part`, or None when there is none."""
    if not operation.bodies:
        return None
    kind = request.media_type
    if not kind and not request.body:
        if operation.body_required:
            raise Refusal(400, f"body: is required for {_title(operation)}")
        return None
    if kind not in operation.bodies:
        wanted = " or ".join(operation.bodies)
        raise Refusal(
            400, f"Content-Type: is {kind or 'missing'}, {_title(operation)} takes {wanted}"
        )
    schema = operation.bodies[kind]
    if kind == "multipart/form-data":
        return _multipart(document, schema, request)
    try:
        value = request.json
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"body: is not JSON ({error})") from None
    check_value(document, schema, value, "body", "body")
    return value


def check_value(document: Document, schema: Schema, value: Any, where: str, name: str) -> None:
    """Raise a 400 that names the place when the value does not fit the schema."""
    schema = document.resolve(schema)
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if value is None:
        if schema.get("nullable") or "null" in kinds or not schema:
            return
        raise Refusal(400, f"{where}: must not be null")
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            _check_choices(document, key, schema[key], value, where, name)
    if kinds and not any(_TYPES.get(kind, _anything)(value) for kind in kinds):
        # a secret must not come back in an error's text
        shown = "what was given" if schema.get("x-secret") else _shown(value)
        raise Refusal(400, f"{where}: must be {_article(kinds[0])}, not {shown}")
    if "enum" in schema and value not in schema["enum"] and name not in OPEN_ENUMS:
        listed = ", ".join(str(item) for item in schema["enum"])
        raise Refusal(400, f"{where}: must be one of {listed}, not {_shown(value)}")
    if isinstance(value, str):
        _check_text(schema, value, where, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(schema, value, where)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            check_value(document, schema["items"], item, f"{where}[{index}]", name)
    elif isinstance(value, dict):
        _check_object(document, schema, value, where)


def _check_choices(
    document: Document, key: str, choices: list[Schema], value: Any, where: str, name: str
) -> None:
    failures: list[Refusal] = []
    for choice in choices:
        try:
            check_value(document, choice, value, where, name)
        except Refusal as refusal:
            failures.append(refusal)
    if failures and (key == "allOf" or len(failures) == len(choices)):
        raise failures[0]


def _check_text(schema: Schema, value: str, where: str, name: str) -> None:
    if len(value) > schema.get("maxLength", len(value)):
        raise Refusal(400, f"{where}: has {len(value)} characters, at most {schema['maxLength']}")
    if len(value) < schema.get("minLength", 0):
        raise Refusal(400, f"{where}: has {len(value)} characters, at least {schema['minLength']}")
    pattern = schema.get("pattern")
    # the document's patterns have no anchors but describe the whole value
    if pattern is not None and name not in OPEN_PATTERNS and not re.fullmatch(pattern, value):
        raise Refusal(400, f"{where}: must look like {pattern}, not {_shown(value)}")
    if schema.get("format") == "date-time":
        try:
            parse_date_time(value)
        except ValueError:
            raise Refusal(
                400, f"{where}: must be an ISO 8601 date-time, not {_shown(value)}"
            ) from None


def _check_number(schema: Schema, value: float, where: str) -> None:
    if value < schema.get("minimum", value):
        raise Refusal(400, f"{where}: must be at least {schema['minimum']}, not {value}")
    if value > schema.get("maximum", value):
        raise Refusal(400, f"{where}: must be at most {schema['maximum']}, not {value}")


def _check_object(document: Document, schema: Schema, value: dict[str, Any], where: str) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            raise Refusal(400, f"{where}.{name}: is required")
    properties: Mapping[str, Schema] = schema.get("properties", {})
    for name, item in value.items():
        if name in properties:
            check_value(document, properties[name], item, f"{where}.{name}", name)


def _multipart(document: Document, schema: Schema, request: Request) -> list[Part]:
    try:
        parts = request.parts
    except ValueError as error:
        raise Refusal(400, f"body: is not multipart/form-data ({error})") from None
    names = list(document.resolve(schema).get("properties", {}))
    if names and not any(part.name in names for part in parts):
        got = ", ".join(repr(part.name) for part in parts) or "nothing"
        raise Refusal(400, f"body: needs the field {' or '.join(map(repr, names))}, got {got}")
    return parts


def _deep(name: str, given: list[tuple[str, str]]) -> dict[str, str] | None:
    """Collect `name[key]=value` pairs, whether the brackets came encoded or not."""
    found: dict[str, str] = {}
    for key, value in given:
        if key == name:
            raise Refusal(400, f"query parameter {name!r}: is written as {name}[…]=…")
        if key.startswith(f"{name}[") and key.endswith("]"):
            found[key[len(name) + 1 : -1]] = value
    return found or None


def _read(schema: Schema, texts: list[str], where: str) -> Any:
    match schema.get("type"):
        case "array":
            return [item for text in texts for item in text.split(",") if item]
        case "integer":
            if not _INTEGER.fullmatch(texts[0]):
                raise Refusal(400, f"{where}: must be an integer, not {_shown(texts[0])}")
            return int(texts[0])
        case "number":
            try:
                return float(texts[0])
            except ValueError:
                raise Refusal(400, f"{where}: must be a number, not {_shown(texts[0])}") from None
        case "boolean":
            if texts[0] not in ("true", "false"):
                raise Refusal(400, f"{where}: must be true or false, not {_shown(texts[0])}")
            return texts[0] == "true"
    return texts[0]


def _title(operation: Operation) -> str:
    return f"{operation.method} {operation.template}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _anything(value: Any) -> bool:
    return True


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
}
