"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    explain,
    object_in,
    wrong,
)
from ..._runtime.model import Model

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class CreatedSummary(Model):
    """A CreatedSummary as the API gives it.

    Attributes:
        summary_id: The summaryId ID.
    """

    summary_id: str

    _wire_names: ClassVar[Mapping[str, str]] = {
        "summary_id": "summaryId",
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
            v = d["summaryId"]
            self.summary_id = v if type(v) is str else wrong(cls, "summaryId", "a string", v)
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
