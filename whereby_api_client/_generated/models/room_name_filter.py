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
class RoomNameFilter(Model):
    """A RoomNameFilter as the API gives it.

    Attributes:
        exact: Example: roomName[exact]=/room-prefix-793e9ec1-c686-423d-9043-9b7a10c553fd
        starts_with: Example: roomName[startsWith]=/room-prefix
        contains: Example: roomName[contains]=793e9ec1
    """

    exact: str | Unset = UNSET
    starts_with: str | Unset = UNSET
    contains: str | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "exact": "exact",
        "starts_with": "startsWith",
        "contains": "contains",
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
            v = get("exact", UNSET)
            self.exact = v if type(v) is str else absent(cls, "exact", "a string", v)
            v = get("startsWith", UNSET)
            self.starts_with = v if type(v) is str else absent(cls, "startsWith", "a string", v)
            v = get("contains", UNSET)
            self.contains = v if type(v) is str else absent(cls, "contains", "a string", v)
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
