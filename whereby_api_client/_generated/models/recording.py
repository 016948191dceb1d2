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
class Recording(Model):
    """A Recording as the API gives it.

    Attributes:
        room_name: The name of the room.
    """

    recording_id: str
    room_session_id: str
    start_date: datetime
    end_date: datetime
    size_in_mega_bytes: float
    filename: str | None | Unset = UNSET
    room_name: str | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "recording_id": "recordingId",
        "room_session_id": "roomSessionId",
        "start_date": "startDate",
        "end_date": "endDate",
        "size_in_mega_bytes": "sizeInMegaBytes",
        "filename": "filename",
        "room_name": "roomName",
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
            v = d["recordingId"]
            self.recording_id = v if type(v) is str else wrong(cls, "recordingId", "a string", v)
            v = d["roomSessionId"]
            self.room_session_id = (
                v if type(v) is str else wrong(cls, "roomSessionId", "a string", v)
            )
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
            v = d["sizeInMegaBytes"]
            self.size_in_mega_bytes = (
                v
                if type(v) is int or type(v) is float
                else wrong(cls, "sizeInMegaBytes", "a number", v)
            )
            v = get("filename", UNSET)
            self.filename = v if type(v) is str else absent(cls, "filename", "a string", v)
            v = get("roomName", UNSET)
            self.room_name = v if type(v) is str else absent(cls, "roomName", "a string", v)
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(
                    "startDate",
                    "endDate",
                ),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
