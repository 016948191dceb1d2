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
class ParticipantInsights(Model):
    """A ParticipantInsights as the API gives it.

    Attributes:
        room_session_id: The identifier of the session.
        participant_id: The identifier of the participant.
        role_name: The role name of the participant.
        joined_at: The timestamp the participant joined the session.
        device_id: The identifier of the device.
        user_id: The identifier of the user.
        display_name: The display name of the participant.
        left_at: The timestamp the participant left the session.
        external_id: The external identifier of the participant.
        rating: The participant's quality rating. Requires session ratings to be enabled for the
            organization.
        tags: Tags the participant selected (e.g. issue categories). Requires session ratings to
            be enabled for the organization.
        comment: Free-text comment from the participant. Requires session ratings to be enabled
            for the organization.
    """

    room_session_id: str
    participant_id: str
    role_name: str
    joined_at: datetime
    device_id: str | None | Unset = UNSET
    user_id: str | None | Unset = UNSET
    display_name: str | None | Unset = UNSET
    left_at: datetime | None | Unset = UNSET
    external_id: str | None | Unset = UNSET
    rating: float | None | Unset = UNSET
    tags: list[str] | None | Unset = UNSET
    comment: str | None | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "room_session_id": "roomSessionId",
        "participant_id": "participantId",
        "role_name": "roleName",
        "joined_at": "joinedAt",
        "device_id": "deviceId",
        "user_id": "userId",
        "display_name": "displayName",
        "left_at": "leftAt",
        "external_id": "externalId",
        "rating": "rating",
        "tags": "tags",
        "comment": "comment",
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
            v = d["roomSessionId"]
            self.room_session_id = (
                v if type(v) is str else wrong(cls, "roomSessionId", "a string", v)
            )
            v = d["participantId"]
            self.participant_id = (
                v if type(v) is str else wrong(cls, "participantId", "a string", v)
            )
            v = d["roleName"]
            self.role_name = v if type(v) is str else wrong(cls, "roleName", "a string", v)
            v = d["joinedAt"]
            self.joined_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "joinedAt", v)
            )
            v = get("deviceId", UNSET)
            self.device_id = v if type(v) is str else absent(cls, "deviceId", "a string", v)
            v = get("userId", UNSET)
            self.user_id = v if type(v) is str else absent(cls, "userId", "a string", v)
            v = get("displayName", UNSET)
            self.display_name = v if type(v) is str else absent(cls, "displayName", "a string", v)
            v = get("leftAt", UNSET)
            self.left_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "leftAt", v)
            )
            v = get("externalId", UNSET)
            self.external_id = v if type(v) is str else absent(cls, "externalId", "a string", v)
            v = get("rating", UNSET)
            self.rating = (
                v if type(v) is int or type(v) is float else absent(cls, "rating", "a number", v)
            )
            v = get("tags", UNSET)
            self.tags = v if type(v) is list else absent(cls, "tags", "an array", v)
            v = get("comment", UNSET)
            self.comment = v if type(v) is str else absent(cls, "comment", "a string", v)
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(
                    "joinedAt",
                    "leftAt",
                ),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
