"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    absent,
    explain,
    member,
    nested,
    object_in,
)
from ..._runtime.model import Model
from .meeting_recording_destination import MeetingRecordingDestination
from .meeting_recording_start_trigger import MeetingRecordingStartTrigger
from .meeting_recording_type import MeetingRecordingType

_new = object.__new__
_fromisoformat = datetime.fromisoformat
_MeetingRecordingStartTrigger: Callable[[Any], Any] = (
    MeetingRecordingStartTrigger._value2member_map_.get
)
_MeetingRecordingType: Callable[[Any], Any] = MeetingRecordingType._value2member_map_.get


@define(kw_only=True)
class MeetingRecording(Model):
    """Options for how a meeting should be recorded.

    Attributes:
        type_: The type of recording that should take place. "none" - Recording should be
            disabled "local" - Recording should happen in the browser "cloud" - Recording should
            happen in the cloud
        destination: Information regarding where the recording should be stored. If this is not
            required, or should be inherited, it should be set to null.
        start_trigger: What type of trigger should happen in the meeting when all the
            information required to start a recording has been provided. This only has effect when
            recording.type is set to `"cloud"`
            - `null` - The value should be taken from the organization settings
            - `"none"` - A user should manually start the recording using the UI in the meeting
            - `"prompt"` - A prompt to start the recording will be shown to the first user with
              permission to start the recording.
            - `"automatic"` - The recording will be automatically started as soon as the first
              participant joins the meeting.
            - `"automatic-2nd-participant"` - The recording will be automatically started as soon as
              the second participant joins the meeting.
    """

    type_: MeetingRecordingType | str
    destination: MeetingRecordingDestination | Mapping[str, Any] | None
    start_trigger: MeetingRecordingStartTrigger | str | None

    _wire_names: ClassVar[Mapping[str, str]] = {
        "type_": "type",
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
            v = d["type"]
            self.type_ = _MeetingRecordingType(v) or member(MeetingRecordingType, cls, "type", v)
            v = get("destination")
            self.destination = (
                nested(MeetingRecordingDestination.from_dict, cls, "destination", v)
                if type(v) is dict
                else absent(cls, "destination", "an object", v)
            )
            v = get("startTrigger")
            self.start_trigger = _MeetingRecordingStartTrigger(v) or member(
                MeetingRecordingStartTrigger, cls, "startTrigger", v
            )
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(),
                choices=(
                    "type",
                    "startTrigger",
                ),
            ) from None
        self._extra = None
        self._source = d
        return self
