"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    absent,
    explain,
    nested,
    object_in,
)
from ..._runtime.model import Model
from ...types import UNSET, Unset
from .throttle_error_data import ThrottleErrorData

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class ThrottleError(Model):
    """A ThrottleError as the API gives it.

    Attributes:
        error: Error description
        data: Extra info about the rate limit
    """

    error: str | Unset = UNSET
    data: ThrottleErrorData | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "error": "error",
        "data": "data",
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
            v = get("error", UNSET)
            self.error = v if type(v) is str else absent(cls, "error", "a string", v)
            v = get("data", UNSET)
            self.data = (
                nested(ThrottleErrorData.from_dict, cls, "data", v)
                if type(v) is dict
                else absent(cls, "data", "an object", v)
            )
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
