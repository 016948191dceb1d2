"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    date_time,
    explain,
    object_in,
)
from ..._runtime.model import Model
from ...types import UNSET, Unset

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class CreatedAtFilter(Model):
    """A CreatedAtFilter as the API gives it.

    Attributes:
        from_: Example: createdAt[from]=2025-01-01T00:00:00.000Z
        to: Example: createdAt[to]=2025-05-01T00:01:00.000Z
    """

    from_: datetime | Unset = UNSET
    to: datetime | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "from_": "from",
        "to": "to",
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
            v = get("from", UNSET)
            self.from_ = (
                _fromisoformat(v) if type(v) is str and v[-1:] == "Z" else date_time(cls, "from", v)
            )
            v = get("to", UNSET)
            self.to = (
                _fromisoformat(v) if type(v) is str and v[-1:] == "Z" else date_time(cls, "to", v)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(
                    "from",
                    "to",
                ),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
