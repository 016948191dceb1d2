"""Types and fields: what the templates need of the properties that the generator has parsed."""

from __future__ import annotations

from typing import Any

from attrs import frozen
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
    {"additional_properties", "field", "from_dict", "show_secret", "to_dict"}
)


@frozen
class Type:
    """A type of the document: how to annotate it, check it, read it."""

    kind: str  # string, integer, number, boolean, date-time, enum, model, object, array, any
    hint: str  # in a model
    argument: str  # in a signature
    nullable: bool = False
    name: str = ""  # the class of a model or an enum
    module: str = ""
    item: Type | None = None


@frozen
class Field:
    """A field of a model, or of a request body, or the value of a parameter."""

    name: str
    wire: str
    type: Type
    required: bool
    secret: bool
    room_name: bool
    description: str

    def check(self, bounds: str = "") -> str:
        """Return the expression that checks the argument and turns it into JSON."""
        null = ", null=True" if self.type.nullable else ""
        if self.type.kind == "array" and self.type.item is not None:
            inner = _CHECKS[self.type.item.kind]
            return f'arg.array("{self.name}", {self.name}, arg.{inner}{null})'
        function = "room_name" if self.room_name else _CHECKS[self.type.kind]
        return f'arg.{function}("{self.name}", {self.name}{null}{bounds})'

    @property
    def hint(self) -> str:
        """The annotation in a model of a response."""
        return self._annotation(self.type.hint)

    @property
    def argument_hint(self) -> str:
        """The annotation of an argument, and in a model that callers make."""
        return self._annotation(self.type.argument)

    def _annotation(self, hint: str) -> str:
        hint += " | None" if self.type.nullable else ""
        return hint if self.required else hint + " | Unset"


def type_of(prop: Any, data: GeneratorData) -> Type:
    """Translate a type of the generator's."""
    match prop:
        case UnionProperty():
            inner = [p for p in prop.inner_properties if not isinstance(p, NoneProperty)]
            nullable = len(inner) < len(prop.inner_properties)
            if len(inner) != 1:
                return Type("any", "Any", "Any")
            only = type_of(inner[0], data)
            return Type(
                only.kind, only.hint, only.argument, nullable, only.name, only.module, only.item
            )
        case EnumProperty() if prop.value_type is str:
            name = str(prop.class_info.name)
            return Type("enum", name, f"{name} | str", False, name, prop.class_info.module_name)
        case ModelProperty():
            if not fields_of(prop, data):
                return Type("object", "dict[str, Any]", "Mapping[str, Any]")
            name = str(prop.class_info.name)
            hint = f"{name} | Mapping[str, Any]"
            return Type("model", name, hint, False, name, prop.class_info.module_name)
        case ListProperty():
            item = type_of(prop.inner_property, data)
            hint = item.hint if item.kind in ("model", "string", "integer", "number") else "Any"
            return Type("array", f"list[{hint}]", f"Sequence[{item.argument}]", item=item)
        case DateTimeProperty():
            return Type("date-time", "datetime", "datetime")
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


def fields_of(prop: ModelProperty, data: GeneratorData) -> list[Field]:
    """Return the fields of a model, required ones first."""
    # a property that refers to a model may have been made before the model was processed
    whole = next((m for m in data.models if m.class_info.name == prop.class_info.name), prop)
    properties = prop.data.properties or {}
    schemas = {name.get_untrusted_value(): schema for name, schema in properties.items()}
    fields = []
    for inner in (*(whole.required_properties or []), *(whole.optional_properties or [])):
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
                plain_text(inner.description) or plain_text(of_items),
            )
        )
    return fields


def model_fields(kind: Type | None, data: GeneratorData) -> list[Field]:
    """Return the fields of a type that is a model; none of any other."""
    if kind is None or kind.kind != "model":
        return []
    return fields_of(next(m for m in data.models if str(m.class_info.name) == kind.name), data)


def plain_text(text: Any) -> str:
    """Return the text of one of the generator's untrusted strings."""
    return text.get_untrusted_value().strip() if text else ""
