"""Methods: one for each operation, with its parameters, its body and its result.

What the generator's parse drops (parameter styles, bounds, our `x-` extensions on operations and
parameters) is read from the OpenAPI document beside it.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

from attrs import define, evolve, frozen
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty

from ..naming.operations import words
from ..openapi.document import Json, Operation, follow, mapping, parameters_for
from .escaping import docstring, first_line, path_literal, quoted, wrapped
from .fields import Field, Ids, Type, fields_of, model_fields, type_of, with_models

# Names that the generated methods use themselves; `create_and_wait` passes on what `create` takes.
_IN_METHODS = (
    "self bytes extra_body extra_query arg json files fetch items nothing anything optional partial"
)
RESERVED_ARGUMENTS = frozenset(_IN_METHODS.split())
RESERVED_IN_CREATE = frozenset({"timeout", "webhooks", "created"})

# the name on the wire of a body that is an array: it has none
WHOLE_BODY = ""
# OpenAPI says that parameters of these names are ignored: the client sets them
IGNORED_HEADERS = frozenset({"accept", "authorization", "content-type"})


class UnsupportedDocument(Exception):
    """The document asks for something that the templates cannot express."""


@frozen
class PathParameter:
    """An argument that is written into the path."""

    field: Field

    @property
    def segment(self) -> str:
        """The expression that checks it and writes it into the path."""
        name = self.field.name
        if self.field.room_name:
            return f"arg.room_segment('{name}', {name})"
        value = name
        if self.field.type.id_field:
            value = self.field.check().replace('"', "'")
        elif self.field.type.kind not in ("string", "enum", "any"):
            value = f"str({self.field.check()})".replace('"', "'")
        return f"arg.segment('{name}', {value})"


@frozen
class QueryParameter:
    """An argument that is written into the query."""

    field: Field
    style: str  # form, deepObject
    explode: bool
    bounds: str
    room_name_filters: tuple[str, ...]
    shorthand: str  # the key of a filter that a plain string stands for

    @property
    def written(self) -> str:
        """The expression that checks it and writes it into the query."""
        function = "deep_object" if self.style == "deepObject" else "form"
        check, options = self.field.check(self.bounds), ""
        if self.shorthand:
            name = self.field.name
            check = f'arg.json_filter("{name}", {name}, {quoted(self.shorthand)})'
        if self.room_name_filters:
            options = f", room_names={self.room_name_filters!r}"
        elif not self.explode:
            options = ", explode=False"
        wire = quoted(self.field.wire)
        return f"arg.{function}({wire}, {check}{options})"


@frozen
class Argument:
    """A keyword argument of a generated method."""

    name: str
    hint: str
    required: bool
    description: str


@define
class Method:
    """A generated method: one operation of the document."""

    name: str
    operation: str
    http_method: str
    path: str
    points: int
    summary: str
    description: str
    path_parameters: list[PathParameter]
    query_parameters: list[QueryParameter]
    header_parameters: list[Field]
    body: list[Field]  # the fields of an object, or one argument that is the whole array
    is_array_body: bool
    upload: Field | None
    has_body: bool
    result: Type | None
    media_type: str  # of a result that is no JSON
    result_description: str
    result_fields: list[Field]
    page_item: Type | None
    either_of: list[list[str]]
    repeatable: bool

    @property
    def parameter_fields(self) -> list[Field]:
        """The fields of all parameters."""
        in_path = [parameter.field for parameter in self.path_parameters]
        in_query = [parameter.field for parameter in self.query_parameters]
        return [*in_path, *in_query, *self.header_parameters]

    def always_has(self, wire: str) -> bool:
        """Return whether its result always has a string of that name."""
        return any(
            field.wire == wire
            and field.required
            and field.type.kind in ("string", "enum")
            and not field.may_be_none
            for field in self.result_fields
        )

    def result_field(self, wire: str) -> str:
        """Return the name of the result's field that has this name in the API."""
        return next((field.name for field in self.result_fields if field.wire == wire), "")

    @property
    def arguments(self) -> list[Argument]:
        """The keyword arguments: required ones first, then in the document's order."""
        fields = [*(p.field for p in self.query_parameters), *self.header_parameters]
        if self.upload:
            fields.append(self.upload)
        fields += self.body
        arguments = [Argument(f.name, f.argument_hint, f.required, f.description) for f in fields]
        return sorted(arguments, key=lambda argument: not argument.required)

    @property
    def returns(self) -> str:
        """The annotation of the result."""
        if self.page_item is not None and self.result is not None:
            return f"Paginator[{self.result.hint}, {self.page_item.hint}]"
        if self.result is None:
            return "None"
        hint = "builtins." + self.result.hint if self.result.kind == "array" else self.result.hint
        return hint + (" | None" if self.result.nullable else "")

    @property
    def _returned(self) -> str:
        """The text of what it returns, in place of the document's ("A JSON object …")."""
        result = self.result
        if result is None:
            return ""
        if self.page_item is not None:
            return (
                f"A paginator: await it for the first `{result.name}`, or get every "
                f"`{self.page_item.hint}` with `async for`; `.pages()` goes page by page."
            )
        if result.kind == "model":
            ids = [f"`{f.name}`" for f in self.result_fields if len(self.result_fields) == 1]
            return f"The {' '.join(words(result.name))}{''.join(f': its {name}' for name in ids)}."
        if result.item is not None and result.item.name:
            return f"A list of `{result.item.name}`."
        content = "bytes" if result.kind == "bytes" else "JSON"
        return self.result_description or f"The {content} of the response."

    @property
    def url(self) -> str:
        """The path as the text of an f-string."""
        written = {f"{{{p.field.wire}}}": f"{{{p.segment}}}" for p in self.path_parameters}
        parts = re.split(r"({[^{}]*})", self.path)
        return "".join(written.get(part) or path_literal(part) for part in parts)

    @property
    def doc(self) -> str:
        """The docstring: what it does, its arguments with their texts, what it returns."""
        parts = [first_line(self.summary or self.operation)]
        if self.description and self.description.rstrip(".") != self.summary.rstrip("."):
            parts.append(wrapped(self.description, 92))
        points = f"{self.points} point{'s' * (self.points > 1)}"
        parts.append(f"{self.http_method} {self.path}, {points}.")
        listed = [(p.field.name, p.field.description) for p in self.path_parameters]
        listed += [(a.name, a.description) for a in self.arguments]
        if self.has_body and not self.is_array_body:
            listed.append(("extra_body", "Further JSON fields, sent as they are."))
        listed.append(("extra_query", "Further query parameters."))
        lines = ["Args:"]
        for name, text in listed:
            entry = wrapped(f"{name}: {text or 'see the API reference.'}", 84)
            lines.append(textwrap.indent(entry.replace("\n", "\n    "), "    "))
        parts.append("\n".join(lines))
        if self.result is not None:
            text = textwrap.indent(wrapped(self._returned, 88), "    ")
            parts.append(f"Returns:\n{text}")
        parts.append(
            "Raises:\n"
            "    InvalidArgumentError: an argument was refused; nothing was sent.\n"
            "    APIStatusError: the API responded with an error status.\n"
            "    WherebyError: anything else that failed (connection, timeout, budget, response)."
        )
        return docstring("\n\n".join(parts))


def label(operation: Operation) -> str:
    """Return an operation's name in messages."""
    return f"{operation.method.upper()} {operation.path}"


def method_of(
    document: Json,
    data: GeneratorData,
    operation: Operation,
    endpoint: Endpoint,
    ids: Ids,
) -> Method:
    """Describe the method of one operation; `ids` is what `id_types` returns."""
    about = operation.data
    name = about["operationId"].partition(".")[2]
    taken = set(RESERVED_ARGUMENTS | (RESERVED_IN_CREATE if name == "create" else set()))
    in_path, in_query, in_headers = _parameters(document, data, operation, endpoint, ids, taken)
    body, upload = _body(document, data, operation, endpoint, ids, taken)
    result, media_type, result_description = _result(document, data, endpoint, operation)
    names = {parameter.field.wire: parameter.field.name for parameter in in_query}
    return Method(
        name=name,
        operation=about["operationId"],
        http_method=operation.method.upper(),
        path=operation.path,
        points=about["x-points"],
        summary=about.get("summary", ""),
        description=about.get("description", ""),
        path_parameters=in_path,
        query_parameters=in_query,
        header_parameters=in_headers,
        body=body,
        is_array_body=any(field.wire == WHOLE_BODY for field in body),
        upload=upload,
        has_body=bool(endpoint.bodies),
        result=result,
        media_type=media_type,
        result_description=result_description,
        result_fields=model_fields(result, data),
        page_item=_page_item(result, in_query, data),
        either_of=[[names[wire] for wire in wires] for wires in about.get("x-either-of", [])],
        # a repeated POST may create a second thing; the bulk deletes say that they are idempotent
        repeatable=operation.method != "post" or "idempotent" in about.get("description", ""),
    )


def _parameters(
    document: Json,
    data: GeneratorData,
    operation: Operation,
    endpoint: Endpoint,
    ids: Ids,
    taken: set[str],
) -> tuple[list[PathParameter], list[QueryParameter], list[Field]]:
    raw = {(p["name"], p["in"]): p for p in parameters_for(document, operation)}
    in_path: list[PathParameter] = []
    in_query: list[QueryParameter] = []
    in_headers: list[Field] = []
    for where, prop in endpoint.iter_all_parameters():
        location = str(where.value)
        wire = prop.name.get_untrusted_value()
        if location not in ("path", "query", "header"):
            raise UnsupportedDocument(
                f"{label(operation)}: a {location} parameter; the templates know path, query and "
                "header"
            )
        if location == "header" and wire.lower() in IGNORED_HEADERS:
            continue
        written = raw[wire, location]
        schema = mapping(follow(document, written.get("schema"))[0])
        kind = type_of(prop, data)
        if location == "path" and kind.kind in ("boolean", "array", "model", "object"):
            raise UnsupportedDocument(
                f"{label(operation)}: {wire}, in the path, is of type {kind.kind}"
            )
        field = Field(
            str(prop.python_name),
            wire,
            with_models(kind, wire, ids),
            prop.required,
            room_name=bool(written.get("x-room-name")) and kind.kind == "string",
            description=(written.get("description") or schema.get("description") or "").strip(),
        )
        field = _renamed(field, taken)
        if location == "path":
            in_path.append(PathParameter(field))
        elif location == "header":
            in_headers.append(field)
        else:
            in_query.append(_query_parameter(field, written, schema))
    return in_path, in_query, in_headers


def _query_parameter(field: Field, written: Json, schema: Json) -> QueryParameter:
    bounds = "".join(
        f", {key}={int(schema[key])}"
        for key in ("minimum", "maximum")
        if schema.get("type") == "integer" and key in schema
    )
    filters = tuple(
        key for key, inner in schema.get("properties", {}).items() if inner.get("x-room-name")
    )
    explode = schema.get("type") != "array" or written.get("explode") is not False
    style = "deepObject" if written.get("style") == "deepObject" else "form"
    shorthand = ""
    if style == "deepObject":
        shorthand = _shorthand(schema.get("properties", {}))
    if shorthand:
        hint = evolve(field.type, argument=f"str | {field.type.argument}")
        text = f"{field.description}\nA plain string means `{shorthand}`.".strip()
        field = evolve(field, type=hint, description=text)
    if schema.get("x-sort-order"):
        bounds = ", sort_order=True"
    return QueryParameter(field, style, explode, bounds, filters, shorthand)


def _shorthand(properties: Json) -> str:
    """Return the key of a filter that a plain string stands for; none if that could be another."""
    if "exact" in properties:
        return "exact"
    names = [name for name, schema in properties.items() if schema.get("type") == "string"]
    return names[0] if len(properties) == len(names) == 1 else ""


def _body(
    document: Json,
    data: GeneratorData,
    operation: Operation,
    endpoint: Endpoint,
    ids: Ids,
    taken: set[str],
) -> tuple[list[Field], Field | None]:
    """Return the fields of the JSON body, and the file that can be sent in its place.

    An array has no fields: it is one argument.
    """
    body: list[Field] = []
    upload: Field | None = None
    for request in endpoint.bodies:
        fields = fields_of(request.prop, data) if isinstance(request.prop, ModelProperty) else []
        media = str(request.body_type)
        if media == "files" and len(fields) == 1:
            image = Type("image", "ImageInput", "ImageInput")
            upload = _renamed(evolve(fields[0], type=image, required=False), taken)
        elif media == "json" and fields:
            for field in fields:
                kind = with_models(field.type, field.wire, ids)
                body.append(_renamed(evolve(field, type=kind), taken, "_body"))
        elif media == "json" and isinstance(request.prop, ListProperty) and not body:
            node = mapping(follow(document, operation.data.get("requestBody"))[0])
            text = (node.get("description") or "The items.").strip()
            kind, required = type_of(request.prop, data), node.get("required") is True
            field = Field("body", WHOLE_BODY, kind, required, description=text)
            body.append(_renamed(field, taken))
        else:
            raise UnsupportedDocument(
                f"{label(operation)}: a {request.content_type.get_untrusted_value()} body of "
                "this shape; the templates know JSON objects, JSON arrays and single files"
            )
    if upload is not None:
        body = [evolve(field, required=False) for field in body]
    return body, upload


def _renamed(field: Field, taken: set[str], ending: str = "_") -> Field:
    """Return the field with a name that is not taken yet, and take that name."""
    name = field.name
    if name in taken - RESERVED_ARGUMENTS - RESERVED_IN_CREATE:
        name += ending
    while name in taken:
        name += "_"
    taken.add(name)
    return evolve(field, name=name)


def _result(
    document: Json, data: GeneratorData, endpoint: Endpoint, operation: Operation
) -> tuple[Type | None, str, str]:
    """Return the type of the first documented success, its media type if not JSON, its text."""
    for status, node in sorted(operation.data["responses"].items()):
        if not status.startswith("2"):
            continue
        success = mapping(follow(document, node)[0])
        text = success.get("description", "")
        content = success.get("content")
        if not content:
            return None, "", text
        if all(map(is_binary, content)):
            return Type("bytes", "bytes", "bytes"), ", ".join(content), text
        if not any("json" in kind for kind in content):
            raise UnsupportedDocument(
                f"{label(operation)}: responds with {', '.join(content)}; the templates know JSON "
                "and files"
            )
        for response in endpoint.responses.patterns:
            codes = response.status_code.range
            if codes is not None and codes[0] == int(status.replace("X", "0")):
                return type_of(response.prop, data), "", text
    return None, "", ""


def is_binary(media_type: str) -> bool:
    """Return whether content of a media type is bytes to callers."""
    pattern = r"(audio|image|video)/(?!.*xml)|application/(octet-stream|pdf|zip)\b"
    return re.match(pattern, media_type) is not None


def _page_item(
    result: Type | None, in_query: list[QueryParameter], data: GeneratorData
) -> Type | None:
    """Return the type of a page's items, if the operation is a list with a cursor."""
    if not any(parameter.field.name == "cursor" for parameter in in_query):
        return None
    fields: dict[str, Any] = {field.name: field for field in model_fields(result, data)}
    if "cursor" not in fields or "results" not in fields:
        return None
    item: Type | None = fields["results"].type.item
    return item
