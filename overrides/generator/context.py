"""What the templates show: the generator's parsed document, told in the words of our own code.

openapi-python-client parses the patched document; what its parse drops (parameter styles, bounds,
our `x-` extensions on operations and parameters) is read from the document beside it.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field, frozen
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.properties.uuid import UuidProperty
from openapi_python_client.strings import PythonIdentifier, pascal_case

from ..openapi.document import Json, Operation, follow, mapping, operations, parameters_for
from .escaping import docstring, first_line, path_literal, quoted, wrapped

# the functions of whereby_api_client.arguments, by kind of type
CHECKS = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date_time": "date_time",
    "choice": "choice",
    "model": "json_object",
    "mapping": "json_object",
    "array": "anything",
    "anything": "anything",
}
# Names that the generated methods use themselves; `create_and_wait` passes on what `create` takes.
_IN_METHODS = "self extra_body extra_query arg json files fetch items nothing anything partial"
RESERVED_ARGUMENTS = frozenset(_IN_METHODS.split())
RESERVED_IN_CREATE = frozenset({"timeout", "webhooks", "created"})
# Names that the models have already, or use in the bodies of their classes.
RESERVED_FIELDS = frozenset(
    {"additional_properties", "field", "from_dict", "show_secret", "to_dict"}
)
# Names that the generated modules import: no model and no resource class can be called so.
_IN_MODULES = """
Any Call Callable Caller ClassVar Downloadable ImageInput Mapping Model OpenEnum Paginator Resource
Resources Self Sequence UNSET Unset Waitable Webhooks
"""
IMPORTED = frozenset(_IN_MODULES.split())


class UnsupportedDocument(Exception):
    """The document asks for something that the templates cannot express."""


@frozen
class Type:
    """A type of the document: how to annotate it, check it, read it."""

    kind: str  # text, integer, number, boolean, date_time, choice, model, mapping, array, anything
    hint: str  # in a model
    argument: str  # in a signature
    nullable: bool = False
    name: str = ""  # the class of a model or an enum
    module: str = ""
    item: Type | None = None


@frozen
class Field:
    """A field of a model, or a field of a request body."""

    name: str
    wire: str
    type: Type
    required: bool
    secret: bool
    room_name: bool
    text: str

    def check(self, bounds: str = "") -> str:
        """The expression that checks the argument and turns it into JSON."""
        null = ", null=True" if self.type.nullable else ""
        if self.type.kind == "array" and self.type.item is not None:
            inner = CHECKS[self.type.item.kind]
            return f'arg.array("{self.name}", {self.name}, arg.{inner}{null})'
        function = "room_name" if self.room_name else CHECKS[self.type.kind]
        return f'arg.{function}("{self.name}", {self.name}{null}{bounds})'

    @property
    def hint(self) -> str:
        """The annotation in a model that is read."""
        return self._annotation(self.type.hint)

    @property
    def argument_hint(self) -> str:
        """The annotation of an argument, and in a model that callers make."""
        return self._annotation(self.type.argument)

    def _annotation(self, hint: str) -> str:
        hint += " | None" if self.type.nullable else ""
        return hint if self.required else hint + " | Unset"


@frozen
class Parameter:
    """A path or query parameter."""

    field: Field
    place: str
    style: str  # form, comma, deep
    bounds: str
    filter_room_names: tuple[str, ...]

    @property
    def written(self) -> str:
        """The expression that checks a query argument and writes it into the query."""
        names = f", room_names={self.filter_room_names!r}" if self.filter_room_names else ""
        wire = quoted(self.field.wire)
        return f"arg.{self.style}({wire}, {self.field.check(self.bounds)}{names})"

    @property
    def segment(self) -> str:
        """The expression that checks a path argument and writes it into the path."""
        name = self.field.name
        if self.field.room_name:
            return f"arg.room_segment('{name}', {name})"
        text = self.field.type.kind in ("text", "choice", "anything")
        value = name if text else f"str({self.field.check()})".replace('"', "'")
        return f"arg.segment('{name}', {value})"


@frozen
class Argument:
    """An argument of a generated method."""

    name: str
    hint: str
    required: bool
    text: str


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
    parameters: list[Parameter]
    body: list[Field]
    upload: Field | None
    has_body: bool
    result: Type | None
    page_item: Type | None
    either_of: list[list[str]]
    repeatable: bool
    result_text: str
    result_fields: list[Field]

    def always_answers(self, wire: str) -> bool:
        """Tell whether its result has a text of that name, always."""
        return any(
            field.wire == wire
            and field.required
            and field.type.kind in ("text", "choice")
            and not field.type.nullable
            for field in self.result_fields
        )

    def field_of_result(self, wire: str) -> str:
        """Name the field of its result that is called so by the API."""
        return next((field.name for field in self.result_fields if field.wire == wire), "")

    @property
    def path_parameters(self) -> list[Parameter]:
        """The parameters in the path, in its order."""
        return [p for p in self.parameters if p.place == "path"]

    @property
    def query_parameters(self) -> list[Parameter]:
        """The parameters in the query."""
        return [p for p in self.parameters if p.place == "query"]

    @property
    def arguments(self) -> list[Argument]:
        """The keyword arguments: required ones first, then in the document's order."""
        fields = [p.field for p in self.query_parameters]
        if self.upload:
            fields.append(self.upload)
        fields += self.body
        made = [
            Argument(
                f.name,
                f.argument_hint,
                f.required,
                f.text,
            )
            for f in fields
        ]
        return [a for a in made if a.required] + [a for a in made if not a.required]

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
    def url(self) -> str:
        """The path as the text of an f-string."""
        written = {f"{{{p.field.wire}}}": f"{{{p.segment}}}" for p in self.path_parameters}
        parts = re.split(r"({[^{}]*})", self.path)
        return "".join(written.get(part) or path_literal(part) for part in parts)

    @property
    def doc(self) -> str:
        """The docstring: what it does, its arguments with their texts, what comes back."""
        parts = [first_line(self.summary or self.operation)]
        if self.description and self.description.rstrip(".") != self.summary.rstrip("."):
            parts.append(wrapped(self.description, 92))
        parts.append(
            f"{self.http_method} {self.path}, {self.points} point{'s' * (self.points > 1)}."
        )
        listed = [(p.field.name, p.field.text) for p in self.path_parameters] + [
            (a.name, a.text) for a in self.arguments
        ]
        if self.has_body:
            listed.append(("extra_body", "Further JSON fields, sent as they are."))
        listed.append(("extra_query", "Further query parameters."))
        lines = ["Args:"]
        for name, text in listed:
            entry = wrapped(f"{name}: {text or 'see the API reference.'}", 84)
            lines.append(textwrap.indent(entry.replace("\n", "\n    "), "    "))
        parts.append("\n".join(lines))
        if self.page_item is not None:
            parts.append(
                "Returns:\n    A paginator: await it for the first page, or iterate over it with\n"
                "    `async for`, item by item; `.pages()` goes page by page."
            )
        elif self.result_text and self.result is not None:
            parts.append("Returns:\n" + textwrap.indent(wrapped(self.result_text, 88), "    "))
        parts.append(
            "Raises:\n"
            "    InvalidArgumentError: an argument was refused; nothing was sent.\n"
            "    APIStatusError: the API answered with an error status.\n"
            "    WherebyError: anything else that went wrong (connection, timeout, budget, answer)."
        )
        return docstring("\n\n".join(parts))


@define
class Tag:
    """A resource class: the operations of one tag."""

    name: str
    class_name: str
    methods: list[Method] = field(factory=list)

    def _of_one(self, name: str) -> Method | None:
        """Return the method if it needs nothing but one text in its path: the id of an item."""
        method = next((method for method in self.methods if method.name == name), None)
        if method is None or [p.field.type.kind for p in method.path_parameters] != ["text"]:
            return None
        return None if any(argument.required for argument in method.arguments) else method

    @property
    def item(self) -> Type | None:
        """What `get` answers about the item that its path names."""
        get = self._of_one("get")
        return get.result if get is not None and get.result_fields else None

    @property
    def item_id(self) -> Field:
        """The argument that names an item."""
        return next(m for m in self.methods if m.name == "get").path_parameters[0].field

    @property
    def item_id_field(self) -> str:
        """The field of an item's model that holds its id."""
        get = next(m for m in self.methods if m.name == "get")
        return get.field_of_result(self.item_id.wire) or self.item_id.name

    @property
    def created_id_field(self) -> str:
        """The field of what `create` answers that holds the id."""
        create = next(m for m in self.methods if m.name == "create")
        return create.field_of_result(self.item_id.wire)

    @property
    def is_waitable(self) -> bool:
        """Whether items always have a state, so that callers can wait for them."""
        get = self._of_one("get")
        return get is not None and get.always_answers("state")

    @property
    def is_downloadable(self) -> bool:
        """Whether items have files."""
        link = self._of_one("get_access_link")
        return self.item is not None and link is not None and link.always_answers("accessLink")

    @property
    def create(self) -> Method | None:
        """The method that answers the id of what callers then wait for."""
        create = next((method for method in self.methods if method.name == "create"), None)
        if create is None or create.path_parameters or not self.is_waitable:
            return None
        return create if create.always_answers(self.item_id.wire) else None

    @property
    def doc(self) -> str:
        """One line that lists what can be called."""
        return docstring(
            f"The operations on {self.name}: {', '.join(m.name for m in self.methods)}."
        )


@frozen
class Model:
    """A model class."""

    class_name: str
    module: str
    description: str
    fields: list[Field]
    sent: bool  # callers make it

    def of_kind(self, kind: str) -> list[Field]:
        """The fields of one kind."""
        return [f for f in self.fields if f.type.kind == kind]

    @property
    def doc(self) -> str:
        """The docstring: the description and the fields with their texts."""
        parts = [wrapped(self.description or f"A {self.class_name} as the API gives it.", 94)]
        lines = [
            textwrap.indent(wrapped(f"{f.name}: {f.text}", 88).replace("\n", "\n    "), "    ")
            for f in self.fields
            if f.text
        ]
        if lines:
            parts.append("\n".join(["Attributes:", *lines]))
        return docstring("\n\n".join(parts))


@define
class Views:
    """Everything that the templates show."""

    models: list[Model]
    enums: list[EnumProperty]
    tags: list[Tag]


def type_of(prop: Any, data: GeneratorData) -> Type:
    """Translate a type of the generator's."""
    match prop:
        case UnionProperty():
            inner = [p for p in prop.inner_properties if not isinstance(p, NoneProperty)]
            nullable = len(inner) < len(prop.inner_properties)
            if len(inner) != 1:
                return Type("anything", "Any", "Any")
            one = type_of(inner[0], data)
            return Type(one.kind, one.hint, one.argument, nullable, one.name, one.module, one.item)
        case EnumProperty() if prop.value_type is str:
            name = str(prop.class_info.name)
            return Type("choice", name, f"{name} | str", False, name, prop.class_info.module_name)
        case ModelProperty():
            if not fields_of(prop, data):
                return Type("mapping", "dict[str, Any]", "Mapping[str, Any]")
            name = str(prop.class_info.name)
            return Type(
                "model",
                name,
                f"{name} | Mapping[str, Any]",
                False,
                name,
                prop.class_info.module_name,
            )
        case ListProperty():
            item = type_of(prop.inner_property, data)
            kept = item.hint if item.kind in ("model", "text", "integer", "number") else "Any"
            return Type("array", f"list[{kept}]", f"Sequence[{item.argument}]", item=item)
        case DateTimeProperty():
            return Type("date_time", "datetime", "datetime")
        case BooleanProperty():
            return Type("boolean", "bool", "bool")
        case IntProperty():
            return Type("integer", "int", "int")
        case FloatProperty():
            return Type("number", "float", "float")
        case StringProperty() | UuidProperty() | DateProperty():
            return Type("text", "str", "str")  # ids are opaque, whatever their format
        case _:
            return Type("anything", "Any", "Any")


def _properties(prop: ModelProperty, data: GeneratorData) -> list[Any]:
    # a property that refers to a model may have been made before the model was processed
    whole = next((m for m in data.models if m.class_info.name == prop.class_info.name), prop)
    return [*(whole.required_properties or []), *(whole.optional_properties or [])]


def fields_of(prop: ModelProperty, data: GeneratorData) -> list[Field]:
    """The fields of a model, required ones first."""
    properties = prop.data.properties or {}
    schemas = {name.get_untrusted_value(): schema for name, schema in properties.items()}
    made = []
    for inner in _properties(prop, data):
        wire = inner.name.get_untrusted_value()
        extra = getattr(schemas.get(wire), "model_extra", None) or {}
        name = str(inner.python_name)
        of_items = getattr(getattr(inner, "inner_property", None), "description", None)
        made.append(
            Field(
                f"{name}_" if name in RESERVED_FIELDS else name,
                wire,
                type_of(inner, data),
                inner.required,
                bool(extra.get("x-secret")),
                bool(extra.get("x-room-name")),
                text_of(inner.description) or text_of(of_items),
            )
        )
    return made


def text_of(text: Any) -> str:
    """The plain text of one of the generator's untrusted strings."""
    return text.get_untrusted_value().strip() if text else ""


def build(document: Json, data: GeneratorData) -> Views:
    """Tell the parsed document in the templates' words."""
    endpoints: dict[str, Endpoint] = {
        str(endpoint.name): endpoint
        for collection in data.endpoint_collections_by_tag.values()
        for endpoint in collection.endpoints
    }
    tags: dict[str, Tag] = {}
    flattened: set[str] = set()
    order = ("post", "get", "put", "patch", "delete")
    for operation in sorted(
        operations(document),
        key=lambda o: (o.path, order.index(o.method) if o.method in order else len(order)),
    ):
        operation_id = operation.data.get("operationId")
        if not isinstance(operation_id, str) or "x-points" not in operation.data:
            raise UnsupportedDocument(f"{label(operation)}: no name (operationId), or no x-points")
        endpoint = endpoints.get(PythonIdentifier(operation_id, prefix="field_"))
        if endpoint is None:
            raise UnsupportedDocument(f"the generator dropped {label(operation)}")
        name = operation_id.partition(".")[0]
        tag = tags.setdefault(name, Tag(name, resource_class(name, data)))
        tag.methods.append(method_of(document, data, operation, endpoint))
        flattened |= {
            str(body.prop.class_info.name)
            for body in endpoint.bodies
            if isinstance(body.prop, ModelProperty)
        }
    sent = sent_models(tags, data)
    models = []
    for prop in data.models:
        fields = fields_of(prop, data)
        if fields and str(prop.class_info.name) not in flattened:
            models.append(
                Model(
                    str(prop.class_info.name),
                    prop.class_info.module_name,
                    text_of(prop.description),
                    fields,
                    str(prop.class_info.name) in sent,
                )
            )
    enums = [e for e in data.enums if isinstance(e, EnumProperty) and e.value_type is str]
    return Views(
        sorted(models, key=lambda m: m.class_name),
        sorted(enums, key=lambda e: str(e.class_info.name)),
        sorted(tags.values(), key=lambda t: t.name),
    )


def resource_class(tag: str, data: GeneratorData) -> str:
    """Name the class of a tag's operations; a tag in the singular is called as what it gives."""
    name = pascal_case(tag)
    taken = {str(one.class_info.name) for one in (*data.models, *data.enums)} | IMPORTED
    return f"{name}Resource" if name in taken or keyword.iskeyword(name) else name


def sent_models(tags: dict[str, Tag], data: GeneratorData) -> set[str]:
    """Name the models that callers make: in bodies and filters, and inside those."""
    methods = [method for tag in tags.values() for method in tag.methods]
    fields = [f for m in methods for f in (*m.body, *(p.field for p in m.parameters))]
    sent: set[str] = set()
    while fields:
        kind = fields.pop().type
        for one in (kind, kind.item):
            if one is not None and one.kind == "model" and one.name not in sent:
                sent.add(one.name)
                prop = next(m for m in data.models if str(m.class_info.name) == one.name)
                fields += fields_of(prop, data)
    return sent


def label(operation: Operation) -> str:
    """Name an operation for a message."""
    return f"{operation.method.upper()} {operation.path}"


def method_of(
    document: Json, data: GeneratorData, operation: Operation, endpoint: Endpoint
) -> Method:
    """Describe the method of one operation."""
    raw = {(p["name"], p["in"]): p for p in parameters_for(document, operation)}
    name = operation.data["operationId"].partition(".")[2]
    taken = set(RESERVED_ARGUMENTS | (RESERVED_IN_CREATE if name == "create" else set()))
    made: list[Parameter] = []
    for location, prop in endpoint.iter_all_parameters():
        place = str(location.value)
        if place not in ("path", "query"):
            raise UnsupportedDocument(
                f"{label(operation)}: a {place} parameter; the templates know path and query"
            )
        wire = prop.name.get_untrusted_value()
        parameter = parameter_of(document, data, prop, place, raw[wire, place])
        kind = parameter.field.type.kind
        if place == "path" and kind in ("boolean", "array", "model", "mapping"):
            raise UnsupportedDocument(f"{label(operation)}: {wire}, in the path, is of type {kind}")
        made.append(evolve(parameter, field=renamed(parameter.field, taken)))
    parameters = {p.field.wire: p.field.name for p in made}
    body: list[Field] = []
    upload: Field | None = None
    for request in endpoint.bodies:
        fields = fields_of(request.prop, data) if isinstance(request.prop, ModelProperty) else []
        kind = str(request.body_type)
        if kind == "files" and len(fields) == 1:
            only = fields[0]
            image = Type("image", "ImageInput", "ImageInput")
            upload = renamed(
                Field(only.name, only.wire, image, False, False, False, only.text), taken
            )
        elif kind == "json" and fields:
            body += [renamed(f, taken, "_body") for f in fields]
        else:
            raise UnsupportedDocument(
                f"{label(operation)}: a {request.content_type.get_untrusted_value()} body of "
                "this shape; the templates know JSON objects and single files"
            )
    if upload is not None:
        body = [evolve(f, required=False) for f in body]
    result, result_text = result_of(document, data, endpoint, operation)
    about = operation.data
    return Method(
        name=name,
        operation=about["operationId"],
        http_method=operation.method.upper(),
        path=operation.path,
        points=about["x-points"],
        summary=about.get("summary", ""),
        description=about.get("description", ""),
        parameters=made,
        body=body,
        upload=upload,
        has_body=bool(endpoint.bodies),
        result=result,
        page_item=page_item_of(result, made, data),
        either_of=[[parameters[n] for n in names] for names in about.get("x-either-of", [])],
        # a repeated POST may create a second thing; the bulk deletes say that they are idempotent
        repeatable=operation.method != "post" or "idempotent" in about.get("description", ""),
        result_text=result_text,
        result_fields=fields_of_result(result, data),
    )


def fields_of_result(result: Type | None, data: GeneratorData) -> list[Field]:
    """The fields of a model that is a result."""
    if result is None or result.kind != "model":
        return []
    return fields_of(next(m for m in data.models if str(m.class_info.name) == result.name), data)


def renamed(item: Field, taken: set[str], ending: str = "_") -> Field:
    """Give an argument another name where something else has taken it, and take that."""
    name = item.name
    if name in taken - RESERVED_ARGUMENTS - RESERVED_IN_CREATE:
        name += ending
    while name in taken:
        name += "_"
    taken.add(name)
    return evolve(item, name=name)


def parameter_of(
    document: Json, data: GeneratorData, prop: Any, place: str, raw: Json
) -> Parameter:
    """Describe a parameter; what the generator's parse drops comes from the document."""
    schema = mapping(follow(document, raw.get("schema"))[0])
    style = "form"
    if raw.get("style") == "deepObject":
        style = "deep"
    elif schema.get("type") == "array" and raw.get("explode") is False:
        style = "comma"
    bounds = "".join(
        f", {key}={int(schema[key])}"
        for key in ("minimum", "maximum")
        if schema.get("type") == "integer" and key in schema
    )
    text = raw.get("description") or schema.get("description") or ""
    kind = type_of(prop, data)
    described = Field(
        str(prop.python_name),
        prop.name.get_untrusted_value(),
        kind,
        prop.required,
        False,
        bool(raw.get("x-room-name")) and kind.kind == "text",
        text.strip(),
    )
    filters = tuple(
        key for key, inner in schema.get("properties", {}).items() if inner.get("x-room-name")
    )
    return Parameter(described, place, style, bounds, filters)


def result_of(
    document: Json, data: GeneratorData, endpoint: Endpoint, operation: Operation
) -> tuple[Type | None, str]:
    """The type of the first documented success, and its text."""
    for status, node in sorted(operation.data["responses"].items()):
        if not status.startswith("2"):
            continue
        success = mapping(follow(document, node)[0])
        text = success.get("description", "")
        content = success.get("content")
        if not content:
            return None, text
        if not any("json" in kind for kind in content):
            raise UnsupportedDocument(
                f"{label(operation)}: answers {', '.join(content)}; the templates know JSON"
            )
        for response in endpoint.responses.patterns:
            codes = response.status_code.range
            if codes is not None and codes[0] == int(status.replace("X", "0")):
                return type_of(response.prop, data), text
    return None, ""


def page_item_of(
    result: Type | None, parameters: list[Parameter], data: GeneratorData
) -> Type | None:
    """The type of a page's items, if the operation is a list with a cursor."""
    if result is None or result.kind != "model":
        return None
    if not any(p.field.name == "cursor" and p.place == "query" for p in parameters):
        return None
    page = next(m for m in data.models if str(m.class_info.name) == result.name)
    fields: Mapping[str, Field] = {f.name: f for f in fields_of(page, data)}
    results = fields.get("results")
    if "cursor" not in fields or results is None or results.type.item is None:
        return None
    return results.type.item
