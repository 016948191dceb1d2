"""Types and fields: what the templates need of the properties that the generator has parsed."""

from __future__ import annotations

import ast
from typing import Any

from attrs import evolve, frozen
from openapi_python_client.parser import GeneratorData
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

# The functions of whereby_api_client._runtime.arguments, by kind of type.
_CHECKS = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date-time": "date_time",
    "enum": "enum",
    "model": "json_object",
    "object": "json_object",
    "array": "anything",
    "any": "anything",
}
# Names that the models have already, or use in the bodies of their classes.
RESERVED_FIELDS = frozenset(
    {"additional_properties", "field", "from_dict", "show_items", "show_secret", "to_dict"}
)


@frozen
class Type:
    """A type of the document: how to annotate it, check it, read it.

    A hint is what a response holds; an argument what callers may give. The strict argument leaves
    out the strings that the document does not list, for places where type checkers should find
    mistakes: a new value is written as a member there, `RoomMode("new")`.
    """

    kind: str  # string, integer, number, boolean, date-time, enum, model, object, array, any
    hint: str
    argument: str
    strict: str = ""
    nullable: bool = False
    name: str = ""  # the class of a model or an enum
    module: str = ""
    values: tuple[str, ...] = ()  # of an enum
    item: Type | None = None
    # of an id: the field of the models that can stand for it, and these models
    id_field: str = ""
    id_models: tuple[Type, ...] = ()

    @property
    def parts(self) -> list[Type]:
        """The type itself, that of its items, and the models that can stand for it."""
        parts = [self, *self.id_models]
        return parts if self.item is None else [*parts, *self.item.parts]

    @property
    def argument_names(self) -> list[tuple[str, str]]:
        """The names that the annotation of an argument needs, each with its module."""
        names: list[tuple[str, str]] = []
        for part in self.parts:
            if part.name:
                other = {"enum": "Value", "model": "Dict"}[part.kind]
                names += [(part.module, part.name), (part.module, part.name + other)]
        return names


@frozen
class Field:
    """A field of a model, or of a request body, or the value of a parameter."""

    name: str
    wire: str
    type: Type
    required: bool
    secret: bool = False
    room_name: bool = False
    narrowed: bool = False  # the published document promises less than this type
    description: str = ""

    def check(self, options: str = "") -> str:
        """Return the expression that checks the argument and turns it into JSON."""
        kind = self.type
        options = (", null=True" if kind.nullable else "") + options
        if kind.kind == "array" and kind.item is not None:
            inner = _CHECKS[kind.item.kind]
            if kind.item.id_field:
                inner, options = "item_id", f', id_name="{kind.item.id_field}"{options}'
            elif kind.item.values:
                options = f", values={kind.item.values!r}{options}"
            return f'arg.array("{self.name}", {self.name}, arg.{inner}{options})'
        function = "room_name" if self.room_name else _CHECKS[kind.kind]
        if kind.id_field:
            function, options = "item_id", f', "{kind.id_field}"{options}'
        elif kind.values:
            options = f", {kind.values!r}{options}"
        return f'arg.{function}("{self.name}", {self.name}{options})'

    @property
    def may_be_none(self) -> bool:
        """Whether a response can lack it: not there, null, or a value that does not fit."""
        return not self.required or self.type.nullable or self.narrowed

    @property
    def hint(self) -> str:
        """The annotation in a model of a response."""
        return self.type.hint + (" | None" if self.may_be_none else "")

    @property
    def argument_hint(self) -> str:
        """The annotation of an argument, and in a model that callers make."""
        hint = self.type.argument + (" | None" if self.type.nullable else "")
        return hint if self.required else hint + " | Unset"

    @property
    def dict_hint(self) -> str:
        """The annotation in the TypedDict beside a model that callers make."""
        hint = (self.type.strict or self.type.argument) + (" | None" if self.type.nullable else "")
        return f"Required[{hint}]" if self.required else hint


def type_of(prop: Any, data: GeneratorData) -> Type:
    """Translate a type of the generator's."""
    match prop:
        case UnionProperty():
            inner = [p for p in prop.inner_properties if not isinstance(p, NoneProperty)]
            nullable = len(inner) < len(prop.inner_properties)
            if len(inner) != 1:
                return Type("any", "Any", "Any")
            return evolve(type_of(inner[0], data), nullable=nullable)
        case EnumProperty() if prop.value_type is str:
            name = str(prop.class_info.name)
            return Type(
                "enum",
                name,
                f"{name} | {name}Value | str",
                strict=f"{name} | {name}Value",
                name=name,
                module=prop.class_info.module_name,
                values=enum_values(prop),
            )
        case EnumProperty():
            return Type("integer", "int", "int")
        case ModelProperty():
            if not _properties(prop, data):
                return Type("object", "dict[str, Any]", "Mapping[str, Any]")
            name, module = str(prop.class_info.name), prop.class_info.module_name
            return Type("model", name, f"{name} | {name}Dict", name=name, module=module)
        case ListProperty():
            item = type_of(prop.inner_property, data)
            hint = item.hint if item.kind in ("model", "string", "integer", "number") else "Any"
            argument = item.strict or item.argument
            return Type("array", f"list[{hint}]", f"Sequence[{argument}]", item=item)
        case DateTimeProperty():
            return Type("date-time", "datetime", "datetime", strict="datetime | str")
        case BooleanProperty():
            return Type("boolean", "bool", "bool")
        case IntProperty():
            return Type("integer", "int", "int")
        case FloatProperty():
            return Type("number", "float", "float")
        case StringProperty() | UuidProperty() | DateProperty():
            return Type("string", "str", "str")  # ids are opaque, whatever their format
        case _:
            return Type("any", "Any", "Any")


def enum_values(prop: EnumProperty) -> tuple[str, ...]:
    """Return the values of an enum, which the generator has escaped for its own templates."""
    return tuple(ast.literal_eval(f'"{value}"') for value in prop.values.values())


def _properties(prop: ModelProperty, data: GeneratorData) -> list[Any]:
    # a property that refers to a model may have been made before the model was processed
    whole = next((m for m in data.models if m.class_info.name == prop.class_info.name), prop)
    return [*(whole.required_properties or []), *(whole.optional_properties or [])]


def fields_of(prop: ModelProperty, data: GeneratorData) -> list[Field]:
    """Return the fields of a model, required ones first."""
    properties = prop.data.properties or {}
    schemas = {name.get_untrusted_value(): schema for name, schema in properties.items()}
    fields = []
    for inner in _properties(prop, data):
        wire = inner.name.get_untrusted_value()
        extensions = getattr(schemas.get(wire), "model_extra", None) or {}
        name = str(inner.python_name)
        of_items = getattr(getattr(inner, "inner_property", None), "description", None)
        fields.append(
            Field(
                f"{name}_" if name in RESERVED_FIELDS else name,
                wire,
                type_of(inner, data),
                inner.required,
                bool(extensions.get("x-secret")),
                bool(extensions.get("x-room-name")),
                bool(extensions.get("x-narrowed")),
                plain_text(inner.description) or plain_text(of_items),
            )
        )
    return fields


def model_fields(kind: Type | None, data: GeneratorData) -> list[Field]:
    """Return the fields of a type that is a model; none of any other."""
    if kind is None or kind.kind != "model":
        return []
    return fields_of(next(m for m in data.models if str(m.class_info.name) == kind.name), data)


def id_wire(class_name: str) -> str:
    """Return the name that the API gives to the id of what a model describes."""
    noun = class_name.removeprefix("Created").removesuffix("Insights")
    return f"{noun[:1].lower()}{noun[1:]}Id"


# the models that can stand for an id, each as its id field, by that id's name in the API
Ids = dict[str, list[Field]]


def id_types(data: GeneratorData) -> Ids:
    """Return the models that can stand for an id."""
    types: Ids = {}
    # sorted, because the order of a document means nothing
    for prop in sorted(data.models, key=lambda model: str(model.class_info.name)):
        name, module = str(prop.class_info.name), prop.class_info.module_name
        for field in fields_of(prop, data):
            if field.wire == id_wire(name) and field.required and field.type.kind == "string":
                kind = Type("model", name, name, name=name, module=module)
                types.setdefault(field.wire, []).append(evolve(field, type=kind))
    return types


def with_models(kind: Type, wire: str, ids: Ids) -> Type:
    """Let the models of an id stand for it."""
    if kind.item is not None:
        item = with_models(kind.item, wire.removesuffix("s"), ids)
        return evolve(kind, item=item, argument=f"Sequence[{item.strict or item.argument}]")
    fields = ids.get(wire, []) if kind.kind == "string" else []
    if not fields:
        return kind
    models = tuple(field.type for field in fields)
    argument = " | ".join(["str", *(model.name for model in models)])
    return evolve(kind, argument=argument, id_field=fields[0].name, id_models=models)


def plain_text(text: Any) -> str:
    """Return the text of one of the generator's untrusted strings."""
    return text.get_untrusted_value().strip() if text else ""
