"""Models as fields of pydantic models, and as FastAPI's bodies and responses.

Loaded when pydantic asks for it: the package does not depend on pydantic. Both directions use the
API's JSON. Secrets are left out of what pydantic writes, unless its caller asks for them with
`context={"secrets": True}`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, fields
from pydantic_core import PydanticCustomError, core_schema

from ..types import Unset
from .codec import DecodeError

if TYPE_CHECKING:
    from .model import Model

_TYPES: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    types.NoneType: {"type": "null"},
}


def core_schema_of(model: type[Model]) -> core_schema.CoreSchema:
    """Return how pydantic reads and writes a model."""

    def read(value: object) -> Model:
        if isinstance(value, model):
            return value
        if not isinstance(value, Mapping):
            text = "Input should be a {name}, or its JSON"
            raise PydanticCustomError("whereby_model", text, {"name": model.__name__})
        try:
            return model.from_dict(value)
        except DecodeError as error:
            context = {"problem": str(error)}
            raise PydanticCustomError("whereby_model", "{problem}", context) from None

    return core_schema.no_info_plain_validator_function(
        read,
        ref=f"{model.__module__}.{model.__qualname__}:{id(model)}",
        serialization=core_schema.plain_serializer_function_ser_schema(_write, info_arg=True),
    )


def _write(value: Model, info: core_schema.SerializationInfo) -> dict[str, Any]:
    asked = isinstance(info.context, Mapping) and info.context.get("secrets")
    return value.to_dict() if asked else _without_secrets(value)


def _without_secrets(model: Model) -> dict[str, Any]:
    wire = model.to_dict()
    for name, key in model._wire_names.items():
        value = getattr(model, name)
        if name in model._secrets:
            wire.pop(key, None)
        elif _is_model(type(value)):
            wire[key] = _without_secrets(value)
        elif isinstance(value, list) and all(_is_model(type(item)) for item in value):
            wire[key] = [_without_secrets(item) for item in value]
    return wire


def json_schema_of(model: type[Model], inside: tuple[type[Model], ...] = ()) -> dict[str, Any]:
    """Return the JSON Schema of a model in the API's own names.

    A model inside itself is described as any object.
    """
    if model in inside:
        return {"type": "object", "title": model.__name__}
    inside = (*inside, model)
    hints = get_type_hints(model)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, key in model._wire_names.items():
        properties[key] = _schema(hints[name], inside)
        if name in model._secrets:
            properties[key]["writeOnly"] = True  # left out of what is written
        elif getattr(fields(model), name).default is NOTHING and name not in model._narrowed:
            required.append(key)
    schema: dict[str, Any] = {"type": "object", "title": model.__name__, "properties": properties}
    return {**schema, "required": required} if required else schema


def _schema(hint: Any, inside: tuple[type[Model], ...]) -> dict[str, Any]:
    if hint in _TYPES:
        return dict(_TYPES[hint])
    if get_origin(hint) in (Union, types.UnionType):
        parts = [part for part in get_args(hint) if part is not Unset]
        classes = [part for part in parts if _is_enum(part) or _is_model(part)]
        if classes:  # beside them stand the strings and the dicts that callers may give
            parts = [*classes, *(part for part in parts if part is types.NoneType)]
        schemas = [_schema(part, inside) for part in parts]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    if get_origin(hint) is list:
        return {"type": "array", "items": _schema(get_args(hint)[0], inside)}
    if get_origin(hint) is dict:
        return {"type": "object"}
    if _is_model(hint):
        return json_schema_of(hint, inside)
    if _is_enum(hint):
        # the API may send other values than the listed ones
        return {"type": "string", "examples": [member.value for member in hint]}
    return {}


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _is_model(hint: Any) -> bool:
    return hasattr(hint, "_wire_names")
