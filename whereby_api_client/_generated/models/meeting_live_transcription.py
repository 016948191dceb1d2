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
from ...types import UNSET, Unset
from .meeting_live_transcription_destination import MeetingLiveTranscriptionDestination
from .meeting_live_transcription_language import MeetingLiveTranscriptionLanguage
from .meeting_live_transcription_start_trigger import MeetingLiveTranscriptionStartTrigger

_new = object.__new__
_fromisoformat = datetime.fromisoformat
_MeetingLiveTranscriptionLanguage: Callable[[Any], Any] = (
    MeetingLiveTranscriptionLanguage._value2member_map_.get
)
_MeetingLiveTranscriptionStartTrigger: Callable[[Any], Any] = (
    MeetingLiveTranscriptionStartTrigger._value2member_map_.get
)


@define(kw_only=True)
class MeetingLiveTranscription(Model):
    """A configuration object for Session Transcription

    Attributes:
        destination: Information regarding where the transcription should be stored. If this is
            not required, or should be inherited, it should be set to null.
        start_trigger: What type of trigger should happen in the meeting when all the
            information required to start a Session Transcription has been provided.
            - `null` - The value should be taken from the organization settings
            - `"none"` - Session Transcription will not be available for the meeting
            - `"manual"` - Host can manually start/stop the Session Transcription via the UI in the
              meeting
            - `"automatic"` - The Session Transcription will be automatically started as soon as the
              first participant joins the meeting.
            - `"automatic-2nd-participant"` - The Session Transcription will be automatically
              started as soon as the second participant joins the meeting.
        language: What language should be used for the Session Transcription.
            - `null` - The value should be taken from the organization settings
        live_captions: If true, live captions will be enabled for the meeting. This will be
            available for all participants.
    """

    destination: MeetingLiveTranscriptionDestination | Mapping[str, Any] | None
    start_trigger: MeetingLiveTranscriptionStartTrigger | str | None
    language: MeetingLiveTranscriptionLanguage | str | None | Unset = UNSET
    live_captions: bool | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "destination": "destination",
        "start_trigger": "startTrigger",
        "language": "language",
        "live_captions": "liveCaptions",
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
            v = get("destination")
            self.destination = (
                nested(MeetingLiveTranscriptionDestination.from_dict, cls, "destination", v)
                if type(v) is dict
                else absent(cls, "destination", "an object", v)
            )
            v = get("startTrigger")
            self.start_trigger = _MeetingLiveTranscriptionStartTrigger(v) or member(
                MeetingLiveTranscriptionStartTrigger, cls, "startTrigger", v
            )
            v = get("language", UNSET)
            self.language = _MeetingLiveTranscriptionLanguage(v) or member(
                MeetingLiveTranscriptionLanguage, cls, "language", v
            )
            v = get("liveCaptions", UNSET)
            self.live_captions = (
                v if type(v) is bool else absent(cls, "liveCaptions", "a boolean", v)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(),
                choices=(
                    "startTrigger",
                    "language",
                ),
            ) from None
        self._extra = None
        self._source = d
        return self
