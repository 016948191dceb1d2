"""Iterate over an OpenAPI document that may be old, small, odd or broken.

Nothing in here raises on a wrong shape: what is not an object where an object belongs is passed
over. Places are JSON pointers (RFC 6901), because a person has to find them in the file again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .pointers import MISSING, join, resolve

Json = dict[str, Any]

# a date-time as RFC 3339 writes it, and with some freedom
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)")

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


# The keywords of a schema in OpenAPI 3.0 and 3.1 (JSON Schema 2020-12) that have no `$` in front.
# Whatever else stands in a schema is a misplaced name.
_KEYWORDS = """
additionalProperties allOf anyOf const contains contentEncoding contentMediaType contentSchema
default definitions dependentRequired dependentSchemas deprecated description discriminator else
enum example examples exclusiveMaximum exclusiveMinimum externalDocs format if items maxContains
maxItems maxLength maxProperties maximum minContains minItems minLength minProperties minimum
multipleOf not nullable oneOf pattern patternProperties prefixItems properties propertyNames
readOnly required then title type unevaluatedItems unevaluatedProperties uniqueItems writeOnly
xml
"""
SCHEMA_KEYWORDS = frozenset(_KEYWORDS.split())


def mapping(value: Any) -> Json:
    """Return the value when it is an object, an empty one otherwise."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return the value when it is an array, an empty one otherwise."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return the value when it is a string, an empty one otherwise."""
    return value if isinstance(value, str) else ""


def follow(document: Any, value: Any, pointer: str = "") -> tuple[Any, str]:
    """Follow local `$ref`s to the end; return what stands there and its pointer."""
    seen: set[str] = set()
    while isinstance(value, dict) and isinstance(ref := value.get("$ref"), str):
        if not ref.startswith("#/") or ref in seen:
            return MISSING, pointer
        seen.add(ref)
        pointer = ref[1:]
        value = resolve(document, pointer)
    return value, pointer


def items(value: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over an object's members whose name is a string."""
    for name, member in list(mapping(value).items()):
        if isinstance(name, str):
            yield name, member


@dataclass(frozen=True)
class Operation:
    """An operation of the document and its pointer."""

    pointer: str
    path: str
    method: str
    data: Json

    @property
    def segments(self) -> list[str]:
        """The path's segments, without a version in front."""
        segments = [segment for segment in self.path.split("/") if segment]
        return segments[1:] if segments and re.fullmatch(r"v\d+", segments[0]) else segments


def operations(document: Any) -> list[Operation]:
    """Return all operations, sorted by path and method: names must not depend on key order."""
    result = []
    for path, item in items(mapping(document).get("paths")):
        for method in METHODS:
            if isinstance(data := mapping(item).get(method), dict):
                result.append(Operation(join("/paths", path, method), path, method, data))
    return sorted(result, key=lambda operation: (operation.path, operation.method))


@dataclass(frozen=True)
class Parameter:
    """A parameter, the operation that it belongs to (None for a component), and its place."""

    pointer: str
    data: Json
    operation: Operation | None


def parameters(document: Any) -> list[Parameter]:
    """Return all parameters where they are written, each once: components, paths, operations."""
    result: list[tuple[str, Any, Operation | None]] = []
    components = mapping(mapping(document).get("components"))
    for name, data in items(components.get("parameters")):
        result.append((join("/components/parameters", name), data, None))
    for path, item in sorted(items(mapping(document).get("paths"))):
        for at, data in enumerate(sequence(mapping(item).get("parameters"))):
            result.append((join("/paths", path, "parameters", at), data, None))
    for operation in operations(document):
        for at, data in enumerate(sequence(operation.data.get("parameters"))):
            result.append((join(operation.pointer, "parameters", at), data, operation))
    return [
        Parameter(pointer, data, operation)
        for pointer, data, operation in result
        if isinstance(data, dict) and "$ref" not in data
    ]


def parameters_of(document: Any, operation: Operation) -> list[tuple[str, Json]]:
    """Return an operation's parameters with where they are listed, `$ref`s followed."""
    result = []
    for at, listed in enumerate(sequence(operation.data.get("parameters"))):
        data, _ = follow(document, listed)
        if isinstance(data, dict):
            result.append((join(operation.pointer, "parameters", at), data))
    return result


def parameters_for(document: Any, operation: Operation) -> list[Json]:
    """Return all parameters that an operation takes, those that its path declares included."""
    item = mapping(mapping(mapping(document).get("paths")).get(operation.path))
    result: dict[tuple[str, str], Json] = {}
    for holder in (item, operation.data):
        for listed in sequence(holder.get("parameters")):
            data = mapping(follow(document, listed)[0])
            result[text(data.get("name")), text(data.get("in"))] = data
    return list(result.values())


_REQUEST = re.compile(
    r"/components/(requestBodies|parameters)/"
    r"|/paths/[^/]+/(parameters|[^/]+/(requestBody|parameters))/"
)


@dataclass(frozen=True)
class Schema:
    """A schema where it is written. `name` is set when it is a property, `parent` its object."""

    pointer: str
    data: Json
    name: str = ""
    parent: Json | None = None

    @property
    def is_request(self) -> bool:
        """Return whether it is sent: a request body's or a parameter's."""
        return bool(_REQUEST.match(self.pointer))


def schemas(document: Any) -> list[Schema]:
    """Return every schema that is written in the document, parents before their children."""
    document = mapping(document)
    components = mapping(document.get("components"))
    result: list[Schema] = []
    for name, schema in items(components.get("schemas")):
        result += schemas_in(schema, join("/components/schemas", name))
    for parameter in parameters(document):
        result += _in_media(parameter.data, parameter.pointer)
    for name, body in items(components.get("requestBodies")):
        result += _in_media(body, join("/components/requestBodies", name))
    for name, response in items(components.get("responses")):
        result += _in_media(response, join("/components/responses", name))
    for operation in operations(document):
        result += _in_media(
            operation.data.get("requestBody"), join(operation.pointer, "requestBody")
        )
        for status, response in items(operation.data.get("responses")):
            result += _in_media(response, join(operation.pointer, "responses", status))
    return result


def _in_media(holder: Any, pointer: str) -> Iterator[Schema]:
    """Find the schemas of a parameter, a request body or a response."""
    holder = mapping(holder)
    if "schema" in holder:
        yield from schemas_in(holder["schema"], join(pointer, "schema"))
    for kind, media in items(holder.get("content")):
        path = join(pointer, "content", kind, "schema")
        yield from schemas_in(mapping(media).get("schema"), path)


def schemas_in(
    schema: Any, pointer: str, name: str = "", parent: Json | None = None
) -> Iterator[Schema]:
    """Iterate over a schema and all schemas written inside it; `$ref`s are not followed."""
    if not isinstance(schema, dict):
        return
    yield Schema(pointer, schema, name, parent)
    for key, child in items(schema.get("properties")):
        yield from schemas_in(child, join(pointer, "properties", key), key, schema)
    for key in ("items", "additionalProperties", "not"):
        if key in schema:
            yield from schemas_in(schema[key], join(pointer, key))
    for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
        for at, child in enumerate(sequence(schema.get(key))):
            yield from schemas_in(child, join(pointer, key, at))


def is_keyword(name: str) -> bool:
    """Return whether a schema's member is a keyword or an extension, not a misplaced name."""
    return name in SCHEMA_KEYWORDS or name.startswith(("$", "x-"))


def looks_like_schema(value: Any) -> bool:
    """Return whether the value can only be meant as a schema."""
    if not isinstance(value, dict) or not all(is_keyword(str(name)) for name in value):
        return False
    return any(key in value for key in ("type", "$ref", "enum", "properties", "items", "allOf"))


def is_object(schema: Any) -> bool:
    """Return whether the schema describes an object by itself, not through a `$ref`."""
    schema = mapping(schema)
    return "$ref" not in schema and (
        _types(schema) == ["object"] or isinstance(schema.get("properties"), dict)
    )


def _types(schema: Json) -> list[Any]:
    kind = schema.get("type")
    return [t for t in (kind if isinstance(kind, list) else [kind]) if t not in (None, "null")]


def has_type(schema: Any, *kinds: str) -> bool:
    """Return whether the schema's type, beside null, is one of these."""
    result = _types(mapping(schema))
    return len(result) == 1 and result[0] in kinds


def is_page(schema: Any) -> bool:
    """Return whether the schema is a page: results, and a cursor to the next ones."""
    properties = mapping(mapping(schema).get("properties"))
    return "cursor" in properties and has_type(properties.get("results"), "array")


def is_nullable(schema: Any) -> bool:
    """Return whether the schema accepts null."""
    schema = mapping(schema)
    return (
        schema.get("nullable") is True
        or (isinstance(schema.get("type"), list) and "null" in schema["type"])
        or schema.get("type") == "null"
        or any(is_nullable(s) for key in ("anyOf", "oneOf") for s in sequence(schema.get(key)))
    )


def is_openapi_30(document: Any) -> bool:
    """Return whether the document is OpenAPI 3.0, where null is written `nullable: true`."""
    return text(mapping(document).get("openapi")).startswith("3.0")


def reference(document: Any, ref: str, beside: Json, *, nullable: bool) -> Json:
    """Write a reference with something beside it, in the way of the document's version."""
    if nullable and not is_openapi_30(document):
        return {"anyOf": [{"$ref": ref}, {"type": "null"}], **beside}
    if nullable:
        beside = {**beside, "nullable": True}
    # in 3.0 nothing may stand beside a $ref, so it goes into an allOf
    return {"allOf": [{"$ref": ref}], **beside} if beside else {"$ref": ref}


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal; to Python `1` and `True` are."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)
