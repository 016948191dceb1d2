"""The template context: resource classes, models and enums, made from the parsed document."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterable, Mapping

from attrs import define, field
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.strings import PythonIdentifier, pascal_case

from ..openapi.document import Json, mapping, operations, sequence
from .escaping import docstring, quoted, wrapped
from .fields import Field, Type, enum_values, fields_of, id_types, id_wire, model_fields, plain_text
from .methods import Method, UnsupportedDocument, label, method_of

# Names that the generated modules import: no model and no resource class can be called so.
_IN_MODULES = """
Any Call Callable Caller ClassVar Downloadable ImageInput Literal Mapping Model OpenEnum Paginator
Required Resource Resources Self Sequence TypedDict UNSET Unset Waitable Webhooks
"""
IMPORTED = frozenset(_IN_MODULES.split())

_METHOD_ORDER = ("post", "get", "put", "patch", "delete")


@define
class ResourceClass:
    """A resource class: the operations of one tag."""

    name: str
    class_name: str
    methods: list[Method] = field(factory=list)

    def _by_id(self, name: str) -> Method | None:
        """Return the method if it needs nothing but one string in its path: the id of an item."""
        method = next((method for method in self.methods if method.name == name), None)
        if method is None or [p.field.type.kind for p in method.path_parameters] != ["string"]:
            return None
        return None if any(argument.required for argument in method.arguments) else method

    @property
    def item(self) -> Type | None:
        """The type of the item that `get` returns by its id."""
        get = self._by_id("get")
        return get.result if get is not None and get.result_fields else None

    @property
    def item_id(self) -> Field:
        """The argument that holds an item's id."""
        return next(m for m in self.methods if m.name == "get").path_parameters[0].field

    @property
    def item_id_field(self) -> str:
        """The field of an item's model that holds its id."""
        get = next(m for m in self.methods if m.name == "get")
        return get.result_field(self.item_id.wire) or self.item_id.name

    @property
    def created_id_field(self) -> str:
        """The field of the result of `create` that holds the id."""
        create = next(m for m in self.methods if m.name == "create")
        return create.result_field(self.item_id.wire)

    @property
    def is_waitable(self) -> bool:
        """Whether items always have a state, so that callers can wait for them."""
        get = self._by_id("get")
        return get is not None and get.always_has("state")

    @property
    def is_downloadable(self) -> bool:
        """Whether items have files."""
        link = self._by_id("get_access_link")
        return self.item is not None and link is not None and link.always_has("accessLink")

    @property
    def create(self) -> Method | None:
        """The method that returns the id of what callers then wait for."""
        create = next((method for method in self.methods if method.name == "create"), None)
        if create is None or create.path_parameters or not self.is_waitable:
            return None
        if create.is_array_body or not create.has_body:
            return None
        return create if create.always_has(self.item_id.wire) else None

    @property
    def doc(self) -> str:
        """One line that lists the methods."""
        names = ", ".join(method.name for method in self.methods)
        return docstring(f"The operations on {self.name}: {names}.")


@define
class Model:
    """A model class."""

    class_name: str
    module: str
    description: str
    fields: list[Field]
    is_request: bool  # callers make it
    is_response: bool  # the API sends it; one model can be both

    @property
    def absent(self) -> str:
        """What a field that was not there is read as: no response holds UNSET."""
        return "None" if self.is_response else "UNSET"

    @property
    def id_field(self) -> str:
        """The field with the id of what the model describes; empty if it has none."""
        wire = id_wire(self.class_name)
        return next((f.name for f in self.fields if f.wire == wire and f.required), "")

    def hint(self, field: Field) -> str:
        """Return the annotation of a field."""
        if not self.is_request:
            return field.hint
        null = self.is_response and field.may_be_none and not field.type.nullable
        return field.argument_hint + (" | None" if null else "")

    def dict_hint(self, field: Field, late_imports: Iterable[Mapping[str, str]]) -> str:
        """Return the annotation of a field in the TypedDict; as text for what is not there yet."""
        hint = field.dict_hint
        late = {f"{self.class_name}Dict", *(other["name"] for other in late_imports)}
        return quoted(hint) if late & set(re.findall(r"\w+", hint)) else hint

    def default(self, field: Field) -> str:
        """Return what stands behind the annotation of a field."""
        plain = "" if field.required else "UNSET" if self.is_request else "None"
        options = [f"default={plain}"] if plain else []
        if field.secret:
            options.append("repr=show_secret")
        elif field.type.item is not None and field.type.item.kind == "model":
            options.append("repr=show_items")
        elif plain:
            return f" = {plain}"
        return f" = field({', '.join(options)})" if options else ""

    def of_kind(self, kind: str) -> list[Field]:
        """Return the fields of one kind."""
        return [field for field in self.fields if field.type.kind == kind]

    @property
    def doc(self) -> str:
        """The docstring: the description and the fields with their texts."""
        parts = [wrapped(self.description or f"A {self.class_name} as the API gives it.", 94)]
        lines = [
            textwrap.indent(
                wrapped(f"{f.name}: {f.description}", 88).replace("\n", "\n    "), "    "
            )
            for f in self.fields
            if f.description
        ]
        if lines:
            parts.append("\n".join(["Attributes:", *lines]))
        return docstring("\n\n".join(parts))


@define
class Enum:
    """An enum class."""

    class_name: str
    module: str
    description: str
    members: dict[str, str]

    @property
    def doc(self) -> str:
        """The docstring."""
        return docstring(wrapped(self.description, 94))


@define
class TemplateContext:
    """Everything that the templates show."""

    models: list[Model]
    enums: list[Enum]
    resources: list[ResourceClass]

    def reaches(self, start: str, goal: str) -> bool:
        """Return whether a model has a field, of its own or deeper, of another model."""
        parts = {
            model.class_name: [part for known in model.fields for part in known.type.parts]
            for model in self.models
        }
        seen: set[str] = set()
        left = [start]
        while left:
            for part in parts.get(left.pop(), ()):
                if part.name == goal:
                    return True
                if part.kind == "model" and part.name not in seen:
                    seen.add(part.name)
                    left.append(part.name)
        return False


def build(document: Json, data: GeneratorData) -> TemplateContext:
    """Make the template context of a parsed document.

    Raises:
        UnsupportedDocument: the templates cannot express the document.
    """
    resources = _resources(document, data)
    methods = [method for resource in resources for method in resource.methods]
    requests = _model_names((f for m in methods for f in (*m.body, *m.parameter_fields)), data)
    responses = _model_names((f for m in methods for f in m.result_fields), data)
    responses |= {m.result.name for m in methods if m.result is not None}
    # a body that is also a result, or a field of something, needs its class
    bodies = _body_models(data) - requests - responses
    models = []
    for prop in data.models:
        name, fields = str(prop.class_info.name), fields_of(prop, data)
        if fields and name not in bodies:
            text, is_request = plain_text(prop.description), name in requests
            is_response = name in responses or not is_request
            module = prop.class_info.module_name
            models.append(Model(name, module, text, fields, is_request, is_response))
    return TemplateContext(
        sorted(models, key=lambda model: model.class_name), _enums(document, data), resources
    )


def _enums(document: Json, data: GeneratorData) -> list[Enum]:
    schemas = mapping(mapping(document.get("components")).get("schemas"))
    enums = []
    for prop in data.enums:
        if not isinstance(prop, EnumProperty) or prop.value_type is not str:
            continue
        name, values = str(prop.class_info.name), enum_values(prop)
        listed = sequence(mapping(schemas.get(name)).get("enum"))
        raw = tuple(value for value in listed if isinstance(value, str))
        # the generator drops control characters; the document still has them
        values = raw if len(raw) == len(values) else values
        text = plain_text(prop.description) or f"The values of {name}."
        members = dict(zip(prop.values, values, strict=True))
        enums.append(Enum(name, prop.class_info.module_name, text, members))
    return sorted(enums, key=lambda enum: enum.class_name)


def _endpoints(data: GeneratorData) -> dict[str, Endpoint]:
    collections = data.endpoint_collections_by_tag.values()
    return {str(endpoint.name): endpoint for c in collections for endpoint in c.endpoints}


def _resources(document: Json, data: GeneratorData) -> list[ResourceClass]:
    endpoints, ids = _endpoints(data), id_types(data)
    resources: dict[str, ResourceClass] = {}
    for operation in sorted(
        operations(document),
        key=lambda o: (
            o.path,
            _METHOD_ORDER.index(o.method) if o.method in _METHOD_ORDER else len(_METHOD_ORDER),
        ),
    ):
        operation_id = operation.data.get("operationId")
        if not isinstance(operation_id, str) or "x-points" not in operation.data:
            raise UnsupportedDocument(f"{label(operation)}: no name (operationId), or no x-points")
        endpoint = endpoints.get(PythonIdentifier(operation_id, prefix="field_"))
        if endpoint is None:
            raise UnsupportedDocument(f"the generator dropped {label(operation)}")
        tag = operation_id.partition(".")[0]
        resource = resources.setdefault(tag, ResourceClass(tag, _class_name(tag, data)))
        resource.methods.append(method_of(document, data, operation, endpoint, ids))
    return sorted(resources.values(), key=lambda resource: resource.name)


def _class_name(tag: str, data: GeneratorData) -> str:
    """Return the class of a tag's operations; a tag in the singular is called as its model."""
    name = pascal_case(tag)
    taken = {str(prop.class_info.name) for prop in (*data.models, *data.enums)} | IMPORTED
    return f"{name}Resource" if name in taken or keyword.iskeyword(name) else name


def _body_models(data: GeneratorData) -> set[str]:
    """Return the models of request bodies: their fields are arguments, so they need no class."""
    return {
        str(body.prop.class_info.name)
        for endpoint in _endpoints(data).values()
        for body in endpoint.bodies
        if isinstance(body.prop, ModelProperty)
    }


def _model_names(fields: Iterable[Field], data: GeneratorData) -> set[str]:
    """Return the names of all models in these fields, and inside those."""
    names: set[str] = set()
    left = list(fields)
    while left:
        kind = left.pop().type
        for part in (kind, kind.item):
            if part is not None and part.kind == "model" and part.name not in names:
                names.add(part.name)
                left += model_fields(part, data)
    return names
