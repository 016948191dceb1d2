"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define, field

from ..._runtime.codec import (
    explain,
    integer,
    object_in,
    wrong,
)
from ..._runtime.model import Model, show_secret

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class AccessLink(Model):
    """A AccessLink as the API gives it.

    Attributes:
        access_link: The access link.
        expires: The timestamp when the access link expires.
    """

    access_link: str = field(repr=show_secret)
    expires: int

    _wire_names: ClassVar[Mapping[str, str]] = {
        "access_link": "accessLink",
        "expires": "expires",
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
            v = d["accessLink"]
            self.access_link = v if type(v) is str else wrong(cls, "accessLink", "a string", v)
            v = d["expires"]
            self.expires = v if type(v) is int else integer(cls, "expires", v)
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
