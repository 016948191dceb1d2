"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    absent,
    date_time,
    explain,
    member,
    object_in,
    wrong,
)
from ..._runtime.model import Model
from ...types import UNSET, Unset
from .transcription_state import TranscriptionState
from .transcription_storage_type import TranscriptionStorageType
from .transcription_type import TranscriptionType

_new = object.__new__
_fromisoformat = datetime.fromisoformat
_TranscriptionState: Callable[[Any], Any] = TranscriptionState._value2member_map_.get
_TranscriptionStorageType: Callable[[Any], Any] = TranscriptionStorageType._value2member_map_.get
_TranscriptionType: Callable[[Any], Any] = TranscriptionType._value2member_map_.get


@define(kw_only=True)
class Transcription(Model):
    """A Transcription as the API gives it.

    Attributes:
        transcription_id: The ID of the transcription.
        room_session_id: The ID of the room session.
        room_name: The name of the room.
        start_date: When the transcription starts. Always in UTC, regardless of the input
            timezone.
        end_date: When the transcription ends. Always in UTC, regardless of the input timezone.
        state: The state of the transcription
            - `ready` - The transcription is ready to be downloaded
            - `failed` - The transcription failed to be generated
            - `in_progress` - The transcription is still being generated
        created_at: When the transcription was created. Always in UTC, regardless of the input
            timezone.
        type_: The type of the transcription
            - `LIVE_TRANSCRIPTION` - Session Transcription
            - `RECORDING_TRANSCRIPTION` - generated based on a recording
        filename: The filename of the transcription that was written to either Whereby or self
            hosted storage buckets (see: `storageType`).
        duration_in_seconds: The total billable time in seconds for this transcription.
        storage_type: The storage type of the transcription
            - `WHEREBY_HOSTED` - files kept with Whereby
            - `SELF_HOSTED` - files stored in external location
    """

    transcription_id: str
    room_session_id: str
    room_name: str
    start_date: datetime
    end_date: datetime
    state: TranscriptionState
    created_at: datetime
    type_: TranscriptionType
    filename: str | None | Unset = UNSET
    duration_in_seconds: float | Unset = UNSET
    storage_type: TranscriptionStorageType | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "transcription_id": "transcriptionId",
        "room_session_id": "roomSessionId",
        "room_name": "roomName",
        "start_date": "startDate",
        "end_date": "endDate",
        "state": "state",
        "created_at": "createdAt",
        "type_": "type",
        "filename": "filename",
        "duration_in_seconds": "durationInSeconds",
        "storage_type": "storageType",
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
            v = d["transcriptionId"]
            self.transcription_id = (
                v if type(v) is str else wrong(cls, "transcriptionId", "a string", v)
            )
            v = d["roomSessionId"]
            self.room_session_id = (
                v if type(v) is str else wrong(cls, "roomSessionId", "a string", v)
            )
            v = d["roomName"]
            self.room_name = v if type(v) is str else wrong(cls, "roomName", "a string", v)
            v = d["startDate"]
            self.start_date = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "startDate", v)
            )
            v = d["endDate"]
            self.end_date = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "endDate", v)
            )
            v = d["state"]
            self.state = _TranscriptionState(v) or member(TranscriptionState, cls, "state", v)
            v = d["createdAt"]
            self.created_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "createdAt", v)
            )
            v = d["type"]
            self.type_ = _TranscriptionType(v) or member(TranscriptionType, cls, "type", v)
            v = get("filename", UNSET)
            self.filename = v if type(v) is str else absent(cls, "filename", "a string", v)
            v = get("durationInSeconds", UNSET)
            self.duration_in_seconds = (
                v
                if type(v) is int or type(v) is float
                else absent(cls, "durationInSeconds", "a number", v)
            )
            v = get("storageType", UNSET)
            self.storage_type = _TranscriptionStorageType(v) or member(
                TranscriptionStorageType, cls, "storageType", v
            )
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(
                    "startDate",
                    "endDate",
                    "createdAt",
                ),
                choices=(
                    "state",
                    "type",
                    "storageType",
                ),
            ) from None
        self._extra = None
        self._source = d
        return self
