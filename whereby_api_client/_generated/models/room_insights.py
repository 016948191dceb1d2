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
    integer,
    object_in,
    wrong,
)
from ..._runtime.model import Model
from ...types import UNSET, Unset

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class RoomInsights(Model):
    """A RoomInsights as the API gives it.

    Attributes:
        room_name: The name of the room.
        created_at: The date the room was created.
        total_participant_minutes: The total number of minutes participants have been in the
            room, rounded up per individual connection.
        total_recorder_minutes: The total number of minutes the room was recorded.
        total_streamer_minutes: The total number of minutes the room was streamed.
        total_unique_participants: The total number of distinct participants in the room.
        total_unique_recorders: The total number of distinct recorders in the room.
        total_unique_streamers: The total number of distinct streamers in the room.
        total_sessions: The total number of sessions in the room.
        end_at: The date the room was set to expire.
        first_session_started_at: The date the first session started in this room.
        last_session_started_at: The date the last session started in this room.
        rating: Average quality rating for the last session in the room. Requires session
            ratings to be enabled for the organization.
        total_ratings: Total number of ratings submitted for the last session in the room.
            Requires session ratings to be enabled for the organization.
    """

    room_name: str
    created_at: datetime
    total_participant_minutes: int
    total_recorder_minutes: int
    total_streamer_minutes: int
    total_unique_participants: int
    total_unique_recorders: int
    total_unique_streamers: int
    total_sessions: int
    end_at: datetime | None | Unset = UNSET
    first_session_started_at: datetime | None | Unset = UNSET
    last_session_started_at: datetime | None | Unset = UNSET
    rating: float | None | Unset = UNSET
    total_ratings: float | None | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "room_name": "roomName",
        "created_at": "createdAt",
        "total_participant_minutes": "totalParticipantMinutes",
        "total_recorder_minutes": "totalRecorderMinutes",
        "total_streamer_minutes": "totalStreamerMinutes",
        "total_unique_participants": "totalUniqueParticipants",
        "total_unique_recorders": "totalUniqueRecorders",
        "total_unique_streamers": "totalUniqueStreamers",
        "total_sessions": "totalSessions",
        "end_at": "endAt",
        "first_session_started_at": "firstSessionStartedAt",
        "last_session_started_at": "lastSessionStartedAt",
        "rating": "rating",
        "total_ratings": "totalRatings",
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
            v = d["roomName"]
            self.room_name = v if type(v) is str else wrong(cls, "roomName", "a string", v)
            v = d["createdAt"]
            self.created_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "createdAt", v)
            )
            v = d["totalParticipantMinutes"]
            self.total_participant_minutes = (
                v if type(v) is int else integer(cls, "totalParticipantMinutes", v)
            )
            v = d["totalRecorderMinutes"]
            self.total_recorder_minutes = (
                v if type(v) is int else integer(cls, "totalRecorderMinutes", v)
            )
            v = d["totalStreamerMinutes"]
            self.total_streamer_minutes = (
                v if type(v) is int else integer(cls, "totalStreamerMinutes", v)
            )
            v = d["totalUniqueParticipants"]
            self.total_unique_participants = (
                v if type(v) is int else integer(cls, "totalUniqueParticipants", v)
            )
            v = d["totalUniqueRecorders"]
            self.total_unique_recorders = (
                v if type(v) is int else integer(cls, "totalUniqueRecorders", v)
            )
            v = d["totalUniqueStreamers"]
            self.total_unique_streamers = (
                v if type(v) is int else integer(cls, "totalUniqueStreamers", v)
            )
            v = d["totalSessions"]
            self.total_sessions = v if type(v) is int else integer(cls, "totalSessions", v)
            v = get("endAt", UNSET)
            self.end_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "endAt", v)
            )
            v = get("firstSessionStartedAt", UNSET)
            self.first_session_started_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "firstSessionStartedAt", v)
            )
            v = get("lastSessionStartedAt", UNSET)
            self.last_session_started_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "lastSessionStartedAt", v)
            )
            v = get("rating", UNSET)
            self.rating = (
                v if type(v) is int or type(v) is float else absent(cls, "rating", "a number", v)
            )
            v = get("totalRatings", UNSET)
            self.total_ratings = (
                v
                if type(v) is int or type(v) is float
                else absent(cls, "totalRatings", "a number", v)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(
                    "createdAt",
                    "endAt",
                    "firstSessionStartedAt",
                    "lastSessionStartedAt",
                ),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
