"""What the generated models and enums are built on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self

from attrs import define, field

from ..types import UNSET
from .codec import encode


def show_secret(value: object) -> str:
    """Stand in for a secret in a model's `repr`."""
    return "[secure]" if value else repr(value)


@define(kw_only=True)
class Model:
    """Base of all models.

    `additional_properties` holds the fields that the document does not know: those of an answer are
    kept and reachable there, and what is put there is sent with a request.
    """

    # Unknown fields are looked for in the source only when somebody asks: most never do.
    _extra: dict[str, Any] | None = field(
        default=None, alias="additional_properties", repr=False, eq=False
    )
    # The JSON object that the model was read from: `to_dict` gives dates back in their own form.
    _source: dict[str, Any] | None = field(default=None, init=False, repr=False, eq=False)

    _wire_names: ClassVar[Mapping[str, str]] = {}

    @property
    def additional_properties(self) -> dict[str, Any]:
        """The fields that the document does not know, by their name in the API."""
        if self._extra is None:
            known = set(self._wire_names.values())
            source = self._source or {}
            self._extra = {key: value for key, value in source.items() if key not in known}
        return self._extra

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON in the API's own names; fields that are `UNSET` are left out.

        Raises:
            InvalidArgumentError: a field holds what JSON cannot, or a date-time without timezone.
        """
        source = self._source or {}
        wire = {
            key: encode(name, value, source.get(key))
            for name, key in self._wire_names.items()
            if (value := getattr(self, name)) is not UNSET
        }
        wire.update(self.additional_properties)
        return wire


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
        member._value_ = value
        return member
