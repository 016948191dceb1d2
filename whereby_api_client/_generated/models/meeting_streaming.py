"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    explain,
    member,
    nested,
    object_in,
    wrong,
)
from ..._runtime.model import Model
from .meeting_streaming_destination import MeetingStreamingDestination
from .meeting_streaming_start_trigger import MeetingStreamingStartTrigger

_new = object.__new__
_fromisoformat = datetime.fromisoformat
_MeetingStreamingStartTrigger: Callable[[Any], Any] = (
    MeetingStreamingStartTrigger._value2member_map_.get
)


@define(kw_only=True)
class MeetingStreaming(Model):
    """A configuration object for live RTMP streaming of the meeting

    Attributes:
        destination: The destination of the stream
        start_trigger: Specify the condition when live streaming should be started.- `null` -
            Should be passed when this is not required or should be inherited from the organization
            preferences
            - `none` - The meeting host is able to manually start and stop the stream.
            - `prompt` - The meeting host will be prompted to start the stream once joined.
            - `automatic` - The stream will be automatically started as soon as the first
              participant joins the meeting.
    """

    destination: MeetingStreamingDestination | Mapping[str, Any]
    start_trigger: MeetingStreamingStartTrigger | str | None

    _wire_names: ClassVar[Mapping[str, str]] = {
        "destination": "destination",
        "start_trigger": "startTrigger",
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
            v = d["destination"]
            self.destination = (
                nested(MeetingStreamingDestination.from_dict, cls, "destination", v)
                if type(v) is dict
                else wrong(cls, "destination", "an object", v)
            )
            v = get("startTrigger")
            self.start_trigger = _MeetingStreamingStartTrigger(v) or member(
                MeetingStreamingStartTrigger, cls, "startTrigger", v
            )
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(),
                choices=("startTrigger",),
            ) from None
        self._extra = None
        self._source = d
        return self
