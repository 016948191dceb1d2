"""What the generated models and enums are built on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from attrs import NOTHING, Factory, define, field, fields

from ..types import UNSET, Unset
from .codec import encode

ModelT = TypeVar("ModelT", bound="Model")

_SHOWN_ITEMS = 2


def show_secret(value: object) -> str:
    """Return what a model's `repr` shows in place of a secret."""
    return "[secure]" if value else repr(value)


def show_items(items: object) -> str:
    """Return what a page's `repr` shows of its items: the first ones, and how many more."""
    if not isinstance(items, list) or len(items) <= _SHOWN_ITEMS:
        return repr(items)
    shown = ", ".join(map(repr, items[:_SHOWN_ITEMS]))
    return f"[{shown}, … {len(items) - _SHOWN_ITEMS} more]"


class OpenEnum(StrEnum):
    """An enum of strings that takes values it does not know.

    Whereby may add values at any time. An unknown one becomes a member of the same type whose name
    and value are that string: it compares equal to the string, and it pickles and copies. It does
    not show up when the enum is iterated.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = str.__str__(value)
        return member

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        # Enum's own looks members up by name in some versions of Python 3.11.
        return type(self), (self._value_,)


class _Secret(OpenEnum):
    """A string whose `repr` hides it, also in `attrs.asdict` and in tracebacks.

    An enum without members, because serialisers that refuse other kinds of `str` know enums.
    """

    def __repr__(self) -> str:
        return "[secure]"

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return secret, (str.__str__(self),)

    def __deepcopy__(self, memo: object) -> Self:
        return self


# It is its own name and value. Properties are quicker than attributes of each.
type.__setattr__(_Secret, "_name_", property(str.__str__))
type.__setattr__(_Secret, "_value_", property(str.__str__))
_new_secret = partial(str.__new__, _Secret)


def secret(value: str) -> str:
    """Return an equal string whose `repr` does not show it."""
    return _new_secret(value) if value else value


class _Unknown(dict[str, Any]):
    """The unknown fields of a model, and the JSON object that the model was read from.

    `attrs.evolve` hands over public fields only: so this is one, and the source travels with it.
    """

    __slots__ = ("source",)

    source: dict[str, Any] | None

    def __init__(self, values: Iterable[Any] = (), source: dict[str, Any] | None = None) -> None:
        super().__init__(values)
        self.source = source


class _Source:
    """Holds what a model was read from, out of the sight of `attrs.asdict`."""

    if TYPE_CHECKING:  # type checkers know no slots of a base when attrs makes those of a class
        _source: dict[str, Any] | None
    else:
        __slots__ = ("_source",)


@define(kw_only=True, eq=False, getstate_setstate=False)
class Model(_Source):
    """Base of all models.

    Two models are equal if they are of the same class and all their fields are equal, unknown ones
    included. Equal models have the same hash: it is made of the class and the strings among the
    fields. Models can be changed: do not change one while it is in a set or the key of a dict.

    Attributes:
        additional_properties: The fields that the document does not know, by their name in the API:
            those of a response are kept here, and what is put here is sent with a request.
    """

    additional_properties: dict[str, Any] = field(factory=dict, repr=False)

    _wire_names: ClassVar[Mapping[str, str]] = {}
    _secrets: ClassVar[Sequence[str]] = ()
    # Fields whose type only an override claims: a value that does not fit it is None.
    _narrowed: ClassVar[frozenset[str]] = frozenset()
    # What `from_dict` reads a field as that is not there; no response ever holds UNSET.
    _absent: ClassVar[Unset | None] = None
    # The field with the id of what the model describes, if it has one.
    _id_name: ClassVar[str] = ""

    def __attrs_post_init__(self) -> None:
        # A copy: after attrs.evolve both models would share one dict.
        source = getattr(self.additional_properties, "source", None)
        self.additional_properties = _Unknown(self.additional_properties, source)
        self._source = source
        for name in self._secrets:
            value = getattr(self, name)
            if isinstance(value, str):
                setattr(self, name, secret(value))

    if not TYPE_CHECKING:  # type checkers would take any attribute for an existing one

        def __getattr__(self, name: str) -> Any:
            if name == "additional_properties":
                # `from_dict` leaves them out: unknown fields are looked for when somebody asks.
                source, known = self._source, set(self._wire_names.values())
                unknown = [(k, v) for k, v in (source or {}).items() if k not in known]
                self.additional_properties = _Unknown(unknown, source)
                return self.additional_properties
            if name == "_source":
                # A subclass of attrs' making pickles its fields only.
                self._source = None
                self._source = self.additional_properties.source
                return self._source
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=self)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, a.name) == getattr(other, a.name) for a in fields(type(self)))

    def __hash__(self) -> int:
        values = (getattr(self, name) for name in self._wire_names)
        return hash((type(self), *(value for value in values if isinstance(value, str))))

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read the model from the API's JSON.

        Raises:
            DecodeError: a required field is missing, or a value is of another type.
        """
        raise NotImplementedError  # each generated model has its own

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON in the API's own names.

        What was read from a response comes back as it came, absent fields and odd values included.

        Raises:
            InvalidArgumentError: a field holds what JSON cannot, or a date-time without timezone.
        """
        source = self._source or {}
        wire: dict[str, Any] = {}
        for name, key in self._wire_names.items():
            value = getattr(self, name)
            if value is UNSET:
                continue
            if value is None:
                if key in source:
                    value = source[key] if name in self._narrowed else None
                elif self._is_absent(name):
                    continue
            wire[key] = encode(name, value, source.get(key))
        for key, value in self.additional_properties.items():
            wire[key] = encode(key, value, source.get(key))
        return wire

    def _is_absent(self, name: str) -> bool:
        """Return whether None means that the field is not there, and not null."""
        default = getattr(fields(type(self)), name).default
        if self._source is None:
            return default is None
        return self._absent is None or default is NOTHING

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        from .pydantic_schema import core_schema_of

        return core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: object, handler: object) -> Any:
        from .pydantic_schema import json_schema_of

        return json_schema_of(cls)


def finish(model: ModelT, base: type[Model]) -> ModelT:
    """Fill in the fields that a subclass of a generated model has of its own.

    Raises:
        TypeError: such a field has no default.
    """
    known = {attribute.name for attribute in fields(base)}
    for attribute in fields(type(model)):
        if attribute.name in known:
            continue
        default: Any = attribute.default
        if default is NOTHING:
            raise TypeError(f"{type(model).__name__}.{attribute.name} needs a default")
        if isinstance(default, Factory):  # type: ignore[arg-type]
            default = default.factory(model) if default.takes_self else default.factory()
        setattr(model, attribute.name, default)
    return model
