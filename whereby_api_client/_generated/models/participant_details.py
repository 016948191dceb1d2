"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    absent,
    date_time,
    explain,
    object_in,
    wrong,
)
from ..._runtime.model import Model
from ...types import UNSET, Unset

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class ParticipantDetails(Model):
    """A ParticipantDetails as the API gives it.

    Attributes:
        user_role: The role of the participant.
        user_agent: User agent string of the participant.
        time_stamp: Timestamp the participant joined the session.
        sample_rate_ms: The interval (in milliseconds) the samples are collected in.
        samples: Data object arrays with network data. `packetLossSend`, `packetLossRecv`,
            `bitrateSend` and `bitrateRecv`.
        display_name: Display name of the participant.
    """

    user_role: str
    user_agent: str
    time_stamp: datetime
    sample_rate_ms: float
    samples: dict[str, Any]
    display_name: str | None | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "user_role": "userRole",
        "user_agent": "userAgent",
        "time_stamp": "timeStamp",
        "sample_rate_ms": "sampleRateMs",
        "samples": "samples",
        "display_name": "displayName",
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
            v = d["userRole"]
            self.user_role = v if type(v) is str else wrong(cls, "userRole", "a string", v)
            v = d["userAgent"]
            self.user_agent = v if type(v) is str else wrong(cls, "userAgent", "a string", v)
            v = d["timeStamp"]
            self.time_stamp = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "timeStamp", v)
            )
            v = d["sampleRateMs"]
            self.sample_rate_ms = (
                v
                if type(v) is int or type(v) is float
                else wrong(cls, "sampleRateMs", "a number", v)
            )
            v = d["samples"]
            self.samples = v if type(v) is dict else wrong(cls, "samples", "an object", v)
            v = get("displayName", UNSET)
            self.display_name = v if type(v) is str else absent(cls, "displayName", "a string", v)
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=("timeStamp",),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
