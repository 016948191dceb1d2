"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    absent,
    explain,
    object_in,
)
from ..._runtime.model import Model
from ...types import UNSET, Unset

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class RoomColors(Model):
    """A RoomColors as the API gives it.

    Attributes:
        primary: The HEX color code of the primary color.
        secondary: The HEX color code of the secondary color.
        focus: The HEX color code of the focus color.
    """

    primary: str | Unset = UNSET
    secondary: str | Unset = UNSET
    focus: str | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "primary": "primary",
        "secondary": "secondary",
        "focus": "focus",
    }

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read the model from the API's JSON.

        Raises:
            DecodeError: a required field is missing, or a value is of another type.
        """
        d = src_dict if type(src_dict) is dict else object_in(cls, src_dict)
        get = d.get
        self = _new(cls)
        try:
            v = get("primary", UNSET)
            self.primary = v if type(v) is str else absent(cls, "primary", "a string", v)
            v = get("secondary", UNSET)
            self.secondary = v if type(v) is str else absent(cls, "secondary", "a string", v)
            v = get("focus", UNSET)
            self.focus = v if type(v) is str else absent(cls, "focus", "a string", v)
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
