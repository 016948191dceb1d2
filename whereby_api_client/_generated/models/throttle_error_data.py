"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    explain,
    integer,
    object_in,
)
from ..._runtime.model import Model
from ...types import UNSET, Unset

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class ThrottleErrorData(Model):
    """Extra info about the rate limit

    Attributes:
        ms_left: Milliseconds left until rate limit is finished. Wait this long until trying
            again.
    """

    ms_left: int | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "ms_left": "msLeft",
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
            v = get("msLeft", UNSET)
            self.ms_left = v if type(v) is int else integer(cls, "msLeft", v, null=True)
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
