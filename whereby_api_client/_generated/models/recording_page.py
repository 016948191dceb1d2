"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    absent,
    explain,
    items,
    object_in,
    wrong,
)
from ..._runtime.model import Model
from .recording import Recording

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class RecordingPage(Model):
    """A RecordingPage as the API gives it.

    Attributes:
        cursor: The cursor for paginating through the results. To fetch the next page, set the
            `cursor` to the `cursor` returned by the previous request. If there are no more results,
            the value returned is `null`.
    """

    results: list[Recording]
    cursor: str | None

    _wire_names: ClassVar[Mapping[str, str]] = {
        "results": "results",
        "cursor": "cursor",
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
            v = d["results"]
            self.results = (
                items(Recording.from_dict, cls, "results", v)
                if type(v) is list
                else wrong(cls, "results", "an array", v)
            )
            v = get("cursor")
            self.cursor = v if type(v) is str else absent(cls, "cursor", "a string", v)
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
