"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define, field

from ..._runtime.codec import (
    absent,
    date_time,
    explain,
    object_in,
    wrong,
)
from ..._runtime.model import Model, show_secret
from ...types import UNSET, Unset

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class Meeting(Model):
    """A Meeting as the API gives it.

    Attributes:
        meeting_id: The ID of the meeting.
        room_url: The URL to room where the meeting will be hosted.
        end_date: When the meeting ends. Always in UTC, regardless of the input timezone.
        room_name: The name of the room.
        start_date: When the meeting starts. Always in UTC, regardless of the input timezone.
        host_room_url: The URL to the room where the meeting will be hosted which will also make
            the user the host of the meeting. A host will get additional privileges like locking the
            room, and removing and muting participants, so you should be careful with whom you share
            this URL. The user will only become a host if the meeting is on-going (some additional
            slack is added to allow a host joining the meeting ahead of time or if the meeting goes
            over time). This field is optional and will only be returned if requested through the
            fields parameter.
        viewer_room_url: The URL to the room where the meeting will be hosted which will make
            the user a viewer of the meeting. A viewer will not be able to turn on the camera or
            microphone, but will be able to join the meeting. This field is optional and will only
            be returned if requested through the fields parameter.
    """

    meeting_id: str
    room_url: str
    end_date: datetime
    room_name: str | Unset = UNSET
    start_date: datetime | Unset = UNSET
    host_room_url: str | Unset = field(default=UNSET, repr=show_secret)
    viewer_room_url: str | Unset = field(default=UNSET, repr=show_secret)

    _wire_names: ClassVar[Mapping[str, str]] = {
        "meeting_id": "meetingId",
        "room_url": "roomUrl",
        "end_date": "endDate",
        "room_name": "roomName",
        "start_date": "startDate",
        "host_room_url": "hostRoomUrl",
        "viewer_room_url": "viewerRoomUrl",
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
            v = d["meetingId"]
            self.meeting_id = v if type(v) is str else wrong(cls, "meetingId", "a string", v)
            v = d["roomUrl"]
            self.room_url = v if type(v) is str else wrong(cls, "roomUrl", "a string", v)
            v = d["endDate"]
            self.end_date = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "endDate", v)
            )
            v = get("roomName", UNSET)
            self.room_name = v if type(v) is str else absent(cls, "roomName", "a string", v)
            v = get("startDate", UNSET)
            self.start_date = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "startDate", v)
            )
            v = get("hostRoomUrl", UNSET)
            self.host_room_url = v if type(v) is str else absent(cls, "hostRoomUrl", "a string", v)
            v = get("viewerRoomUrl", UNSET)
            self.viewer_room_url = (
                v if type(v) is str else absent(cls, "viewerRoomUrl", "a string", v)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(
                    "endDate",
                    "startDate",
                ),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
