"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define, field

from ..._runtime.codec import (
    explain,
    object_in,
    wrong,
)
from ..._runtime.model import Model, show_secret

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class MeetingStreamingDestination(Model):
    """The destination of the stream

    Attributes:
        url: The destination RTMP URI of the stream. This should be set to match the inject url
            of your streaming provider (Youtube, Facebook, Twitch, etc). Example
            `rtmp://a.rtmp.youtube.com/live2/`
    """

    url: str = field(repr=show_secret)

    _wire_names: ClassVar[Mapping[str, str]] = {
        "url": "url",
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
            v = d["url"]
            self.url = v if type(v) is str else wrong(cls, "url", "a string", v)
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
