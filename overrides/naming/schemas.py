"""Schema names: classes for the objects and enums that the OpenAPI document writes inline.

An inline schema has no name, and the generator would invent one. Here it gets the name of what it
belongs to, and moves to the components.
"""

from __future__ import annotations

import builtins
import http
import itertools
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from overrides.naming.known_operations import KNOWN_OPERATIONS
from overrides.naming.operations import fixed_segments, known_first, pascal, singular_pascal, tag_of
from overrides.openapi.document import (
    Json,
    Operation,
    Parameter,
    has_type,
    is_nullable,
    is_object,
    is_page,
    items,
    mapping,
    operations,
    parameters,
    reference,
    sequence,
    text,
)
from overrides.openapi.pointers import join

if TYPE_CHECKING:
    from overrides.patch import Patch

# operationId -> the class of its response, where the rule reads badly.
RESULT_NAMES = {
    # the text says "details for a participant"; the rule's name is the list's item
    "insights.get_participant": "ParticipantDetails",
}

# The class that the rule would make -> the class that a caller would say.
CLASS_NAMES = {
    "FieldsItem": "MeetingField",
    "MeetingRoomMode": "RoomMode",
    "MeetingRoomNamePattern": "RoomNamePattern",
    "MeetingTemplateType": "TemplateType",
    # the wire's nesting `tokens.colors` says nothing to a caller
    "RoomColorsTokens": "RoomTokens",
    "RoomColorsTokensColors": "RoomColors",
    "RoomColorsTokensPreset": "RoomTokensPreset",
    # both backgrounds take the same palettes and themes; they part again when the values do
    "RoomBackgroundPalette": "RoomPalette",
    "RoomKnockPageBackgroundPalette": "RoomPalette",
    "RoomBackgroundTheme": "RoomTheme",
    "RoomKnockPageBackgroundTheme": "RoomTheme",
    "SummarySummary": "SummaryContent",
}


def class_name(name: str) -> str:
    """Return a name that the generator will leave as it is: `Warning` is one of Python's own."""
    name = re.sub(r"^(?=\d)", "Model", name) or "Model"
    return f"{name}Model" if hasattr(builtins, name) or keyword.iskeyword(name) else name


def result_name(operation: Operation, tag: str, method: str) -> str:
    """Name the model of a response, or of the items of its page or array."""
    if name := RESULT_NAMES.get(f"{tag}.{method}"):
        return name
    extra = fixed_segments(operation)[1:]
    if operation.method == "get" and extra:
        last = singular_pascal(extra[-1])
        # /insights/rooms: a room, seen by insights. /recordings/{id}/access-link: an access link.
        direct = operation.segments[1:2] == extra[-1:]
        return last + pascal(tag) if direct else last
    if operation.method == "get" or method in ("update", "replace"):
        return singular_pascal(tag)
    if method == "create":
        return f"Created{singular_pascal(tag)}"
    return f"{singular_pascal(tag)}{pascal(method)}Result"


def request_stem(tag: str, method: str) -> str:
    """Name what a request body's parts are called after: the thing, not the call."""
    if method in ("create", "update", "replace"):
        return singular_pascal(tag)
    if method.startswith("set_"):
        return f"{singular_pascal(tag)}{pascal(method.removeprefix('set_'))}"
    return f"{singular_pascal(tag)}{pascal(method)}"


def error_name(status: str) -> str:
    """Name the body of an error by its status."""
    known = {"401": "UnauthorizedError", "403": "ForbiddenError", "429": "ThrottleError"}
    try:
        return known.get(status) or f"{pascal(http.HTTPStatus(int(status)).phrase)}Error"
    except ValueError:
        return "Error"


def without_texts(schema: Any) -> Any:
    """Return a schema without its texts, to compare what two schemas mean."""
    if isinstance(schema, list):
        return [without_texts(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: without_texts(s) for name, s in items(part)}
        if key == "properties"
        else without_texts(part)
        for key, part in schema.items()
        if key not in ("description", "example", "title", "externalDocs")
    }


@dataclass(frozen=True)
class UnnamedSchema:
    """A schema that the generator would have to invent a class name for."""

    pointer: str
    schema: Json
    names: tuple[str, ...]  # the best one first

    @property
    def is_enum(self) -> bool:
        """Return whether it is an enum; otherwise it is an object."""
        return "enum" in self.schema


def unnamed_schemas(document: Any) -> list[UnnamedSchema]:
    """Return every enum and object without a name, children before their parents.

    What is written in the components comes first: who is named first gets the better name.
    """
    components = mapping(mapping(document).get("components"))
    unnamed: list[UnnamedSchema] = []
    for name, schema in sorted(items(components.get("schemas"))):
        # the component itself has a name; what is written inside it has none
        pointer = join("/components/schemas", name)
        listed = mapping(schema).get("items")
        unnamed += _unnamed(listed, join(pointer, "items"), (f"{name}Item",))
        rest = {key: part for key, part in items(schema) if key != "items"}
        unnamed += _inside(rest, pointer, (name,))
    for kind in ("responses", "requestBodies"):
        for name, holder in sorted(items(components.get(kind))):
            unnamed += _in_media(holder, join("/components", kind, name), (pascal(name),))
    for operation in known_first(operations(document)):
        unnamed += _in_operation(operation)
    for parameter in sorted(parameters(document), key=_is_newcomer):
        unnamed += _in_parameter(parameter)
    return unnamed


def _is_newcomer(parameter: Parameter) -> bool:
    return parameter.operation is not None and parameter.operation.pointer not in KNOWN_OPERATIONS


def _in_operation(operation: Operation) -> Iterator[UnnamedSchema]:
    tag, _, method = text(operation.data.get("operationId")).partition(".")
    call = singular_pascal(tag) + pascal(method)
    for kind, media in items(mapping(operation.data.get("requestBody")).get("content")):
        pointer = join(operation.pointer, "requestBody", "content", kind, "schema")
        name = f"{call}Request" if "json" in kind else f"{call}Upload"
        schema = mapping(media).get("schema")
        yield from _inside(schema, pointer, (request_stem(tag, method), name))
        yield from _itself(schema, pointer, (name,))
    for status, response in items(operation.data.get("responses")):
        names = (error_name(status), call + error_name(status))
        if status.startswith("2"):
            names = (result_name(operation, tag, method), f"{call}Result")
        yield from _in_media(response, join(operation.pointer, "responses", status), names)


def _in_media(holder: Any, pointer: str, names: tuple[str, ...]) -> Iterator[UnnamedSchema]:
    for kind, media in items(mapping(holder).get("content")):
        schema = mapping(media).get("schema")
        inner = join(pointer, "content", kind, "schema")
        if is_page(schema):
            yield from _in_page(mapping(schema), inner, names)
        else:
            yield from _unnamed(schema, inner, names)


def _in_page(page: Json, pointer: str, names: tuple[str, ...]) -> Iterator[UnnamedSchema]:
    item = mapping(page["properties"]["results"].get("items"))
    if "$ref" in item:
        names = (text(item["$ref"]).rpartition("/")[2], *names)
    yield from _unnamed(item, join(pointer, "properties", "results", "items"), names)
    pages = tuple(f"{name}Page" for name in names)
    rest = {**page, "properties": {**page["properties"], "results": {}}}
    yield from _inside(rest, pointer, pages)
    yield from _itself(page, pointer, pages)


def _in_parameter(parameter: Parameter) -> Iterator[UnnamedSchema]:
    schema = mapping(parameter.data.get("schema"))
    wire = pascal(text(parameter.data.get("name")))
    own = singular_pascal(tag_of(parameter.operation)) if parameter.operation else ""
    names = (f"{wire}Filter", f"{own}{wire}Filter") if is_object(schema) else (f"{own}{wire}",)
    yield from _unnamed(schema, join(parameter.pointer, "schema"), names)


def _unnamed(schema: Any, pointer: str, names: tuple[str, ...]) -> Iterator[UnnamedSchema]:
    """Iterate over a schema's unnamed descendants, and then itself."""
    yield from _inside(schema, pointer, names)
    yield from _itself(schema, pointer, names)


def _itself(schema: Any, pointer: str, names: tuple[str, ...]) -> Iterator[UnnamedSchema]:
    if isinstance(schema, dict) and "$ref" not in schema and _needs_name(schema):
        yield UnnamedSchema(pointer, schema, names)


def _inside(schema: Any, pointer: str, stems: tuple[str, ...]) -> Iterator[UnnamedSchema]:
    """Iterate over a schema's unnamed descendants, called after the stems."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return

    def called(ending: str) -> tuple[str, ...]:
        return tuple(stem + ending for stem in stems)

    for key, child in items(schema.get("properties")):
        ending = singular_pascal(key) if has_type(child, "array") else pascal(key)
        yield from _unnamed(child, join(pointer, "properties", key), called(ending))
    # an array is called in the singular already
    yield from _unnamed(schema.get("items"), join(pointer, "items"), stems)
    extra = schema.get("additionalProperties")
    yield from _unnamed(extra, join(pointer, "additionalProperties"), called("Value"))
    for key in ("anyOf", "oneOf"):
        kinds = [part for part in sequence(schema.get(key)) if mapping(part).get("type") != "null"]
        for at, part in enumerate(sequence(schema.get(key))):
            title = pascal(text(mapping(part).get("title"))) or f"Option{at + 1}"
            names = stems if len(kinds) == 1 else called(title)
            yield from _unnamed(part, join(pointer, key, at), names)
    for at, part in enumerate(sequence(schema.get("allOf"))):
        # the parts of an allOf become one class: only what is inside them needs names
        yield from _inside(part, join(pointer, "allOf", at), stems)


def _needs_name(schema: Json) -> bool:
    if "enum" in schema:
        return not has_type(schema, "boolean")  # which the generator takes for plain booleans
    parts = sequence(schema.get("allOf"))
    wrapper = len(parts) == 1 and "$ref" in mapping(parts[0]) and "properties" not in schema
    return is_object(schema) or bool(parts and not wrapper)


# what belongs to the use of a schema, and not to the schema itself
_BESIDE_REFERENCE = frozenset(
    (
        "default",
        "deprecated",
        "nullable",
        "readOnly",
        "writeOnly",
        "x-narrowed",
        "x-room-name",
        "x-secret",
    )
)


def name_schema(patch: Patch, unnamed: UnnamedSchema) -> None:
    """Move a schema to the components and leave a reference, with what belongs to its use."""
    kept = {key: value for key, value in unnamed.schema.items() if key in _BESIDE_REFERENCE}
    schema = {key: value for key, value in unnamed.schema.items() if key not in {*kept, "title"}}
    nullable = is_nullable(unnamed.schema)
    if nullable:
        _forbid_null(schema)
    kept.pop("nullable", None)
    # nobody would read a text beside the only schema of a response or a body
    whole = re.search(r"/content/[^/]*~1[^/]*/schema$", unnamed.pointer)
    if "description" in schema and not whole:
        kept["description"] = schema["description"]
    name = _free_name(patch, unnamed, schema)
    ref = f"#/components/schemas/{name}"
    patch.extract(
        unnamed.pointer, name, schema, reference(patch.document, ref, kept, nullable=nullable)
    )


def _free_name(patch: Patch, unnamed: UnnamedSchema, schema: Json) -> str:
    known = mapping(patch.get("/components/schemas"))
    plain = [CLASS_NAMES.get(unnamed.names[0]), *unnamed.names]
    numbered = (f"{unnamed.names[-1]}{number}" for number in itertools.count(2))
    candidates = map(class_name, itertools.chain(filter(None, plain), numbered))
    return next(
        name
        for name in candidates
        if name not in known or _meaning(known[name]) == _meaning(schema)
    )


def _forbid_null(schema: Json) -> None:
    """Take null out: the use of the schema allows it, not the schema itself."""
    if isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [value for value in schema["enum"] if value is not None]


def _meaning(schema: Any) -> Any:
    """Return what makes two schemas the same: of an enum, its values."""
    schema = mapping(schema)
    return schema["enum"] if "enum" in schema else without_texts(schema)
