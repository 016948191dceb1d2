"""Events: one frozen class for each documented type.

_Fields that are not known yet, and known ones that hold something else than expected, are in
`additional_properties`; types that are not known yet are an `UnknownEvent`. So an event is refused
only when it lacks what it cannot be used without.
https://docs.whereby.com/monitoring-usage/webhooks#event-objects
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from attrs import field, fields, frozen

from ..errors import InvalidArgumentError
from .errors import PayloadError
from .frozen import FrozenMapping, freeze

T = TypeVar("T")
DataT = TypeVar("DataT", covariant=True)

_NOTHING_MORE: Final[FrozenMapping[Any]] = FrozenMapping()


class _Fields:
    """Reads the fields of a JSON object and remembers which ones."""

    __slots__ = ("_owner", "_rest")

    def __init__(self, owner: str, values: Mapping[str, Any]) -> None:
        self._owner = owner
        self._rest = dict(values)

    def text(self, name: str) -> str:
        """Take a string that has to be there."""
        value = self.text_or_none(name)
        if value is None:
            problem = "has another type" if self._rest.get(name) is not None else "is missing"
            raise PayloadError(f"{self._owner}.{name}: must be a string, but {problem}")
        return value

    def text_or_none(self, name: str) -> str | None:
        """Take a string; ids are opaque, so a number is one too."""
        value = self._rest.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return self._take(name, value) if isinstance(value, str) or value is None else None

    def integer_or_none(self, name: str) -> int | None:
        """Take a whole number."""
        value = self._rest.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return self._take(name, value)
        return None

    def number_or_none(self, name: str) -> float | None:
        """Take a number."""
        value = self._rest.get(name)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return self._take(name, value)
        return None

    def flag_or_none(self, name: str) -> bool | None:
        """Take a truth value."""
        value = self._rest.get(name)
        return self._take(name, value) if isinstance(value, bool) or value is None else None

    def date_time_or_none(self, name: str) -> datetime | None:
        """Take a date-time; one without a zone is UTC."""
        value = self._rest.get(name)
        if value is None:
            return self._take(name, None)
        try:
            parsed = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return None
        return self._take(name, parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))

    def counts(self, name: str) -> FrozenMapping[int]:
        """Take an object of whole numbers; none is an empty one."""
        value = self._rest.get(name)
        if value is None:
            value = {}
        if isinstance(value, dict) and all(type(count) is int for count in value.values()):
            return self._take(name, FrozenMapping(value))
        return FrozenMapping()

    def anything(self, name: str) -> Any:
        """Take whatever is there."""
        return self._take(name, self._rest.get(name))

    def rest(self) -> FrozenMapping[Any]:
        """Return the fields that were not taken."""
        return FrozenMapping({name: freeze(value) for name, value in self._rest.items()})

    def _take(self, name: str, value: T) -> T:
        self._rest.pop(name, None)
        return value


# ----------------------------------------------------------------------------- what events hold


@frozen(kw_only=True)
class InRoomData:
    """What happened in a room.

    Attributes:
        room_name: the room, with its leading slash.
        meeting_id: the meeting; None for a room that belongs to none.
        room_session_id: the session; None before there is one.
        subdomain: that of the organization.
        additional_properties: the fields that are not known, by their name in the API.
    """

    room_name: str
    meeting_id: str | None = None
    room_session_id: str | None = None
    subdomain: str | None = None
    additional_properties: FrozenMapping[Any] = _NOTHING_MORE

    @classmethod
    def _read(cls, values: _Fields) -> Self:
        """Read the `data` of an event."""
        return cls(**cls._known(values), additional_properties=values.rest())

    @classmethod
    def _known(cls, values: _Fields) -> dict[str, Any]:
        return {
            "room_name": values.text("roomName"),
            "meeting_id": values.text_or_none("meetingId"),
            "room_session_id": values.text_or_none("roomSessionId"),
            "subdomain": values.text_or_none("subdomain"),
        }


@frozen(kw_only=True)
class KnockData(InRoomData):
    """Somebody at the door of a room, beside what `InRoomData` tells.

    Attributes:
        display_name: the name that the others see.
        participant_id: the participant, as in the insights.
        metadata: the `metadata` parameter of the room's URL.
        external_id: the `externalId` parameter of the room's URL.
    """

    display_name: str | None = None
    participant_id: str | None = None
    metadata: str | None = None
    external_id: str | None = None

    @classmethod
    def _known(cls, values: _Fields) -> dict[str, Any]:
        return super()._known(values) | {
            "display_name": values.text_or_none("displayName"),
            "participant_id": values.text_or_none("participantId"),
            "metadata": values.text_or_none("metadata"),
            "external_id": values.text_or_none("externalId"),
        }


@frozen(kw_only=True)
class ParticipantData(KnockData):
    """Somebody who came or went, beside what `KnockData` tells.

    Attributes:
        role_name: `owner`, `member`, `host`, `visitor`, `granted_visitor`, `viewer`,
            `granted_viewer`, `recorder`, `streamer`, `captioner`, `assistant`, or a new one.
        num_clients: how many are in the room now.
        num_clients_by_role_name: the same by role; only the roles that are there.
        is_dial_in: whether it is a telephone.
    """

    role_name: str | None = None
    num_clients: int | None = None
    num_clients_by_role_name: FrozenMapping[int] = field(factory=FrozenMapping[int])
    is_dial_in: bool | None = None

    @classmethod
    def _known(cls, values: _Fields) -> dict[str, Any]:
        return super()._known(values) | {
            "role_name": values.text_or_none("roleName"),
            "num_clients": values.integer_or_none("numClients"),
            "num_clients_by_role_name": values.counts("numClientsByRoleName"),
            "is_dial_in": values.flag_or_none("isDialIn"),
        }


@frozen(kw_only=True)
class TranscriptionData:
    """How a transcription is getting on.

    Attributes:
        transcription_id: the transcription.
        type: `LIVE_TRANSCRIPTION` or `RECORDING_TRANSCRIPTION`.
        status: `in_progress`, `ready` or `failed`.
        room_name: the room, with its leading slash.
        room_session_id: the session that was transcribed.
        filename: the transcript's name, once finished.
        storage_type: `WHEREBY_HOSTED` or `SELF_HOSTED`, once finished.
        duration_in_seconds: the time that is billed, once finished.
        recording_id: the recording that was transcribed; None for a live transcription.
        error: why it failed.
        additional_properties: the fields that are not known, by their name in the API.
    """

    transcription_id: str
    type: str | None = None
    status: str | None = None
    room_name: str | None = None
    room_session_id: str | None = None
    filename: str | None = None
    storage_type: str | None = None
    duration_in_seconds: float | None = None
    recording_id: str | None = None
    error: str | None = None
    additional_properties: FrozenMapping[Any] = _NOTHING_MORE

    @classmethod
    def _read(cls, values: _Fields) -> Self:
        """Read the `data` of an event."""
        return cls(
            transcription_id=values.text("transcriptionId"),
            type=values.text_or_none("type"),
            status=values.text_or_none("status"),
            room_name=values.text_or_none("roomName"),
            room_session_id=values.text_or_none("roomSessionId"),
            filename=values.text_or_none("filename"),
            storage_type=values.text_or_none("storageType"),
            duration_in_seconds=values.number_or_none("durationInSeconds"),
            recording_id=values.text_or_none("recordingId"),
            error=values.text_or_none("error"),
            additional_properties=values.rest(),
        )


@frozen(kw_only=True)
class RecordingData:
    """A recording that can be fetched.

    Attributes:
        recording_id: the recording.
        room_name: the room, with its leading slash.
        filename: the recording's name.
        status: `completed`; there is no other so far.
        additional_properties: the fields that are not known, by their name in the API.
    """

    recording_id: str
    room_name: str | None = None
    filename: str | None = None
    status: str | None = None
    additional_properties: FrozenMapping[Any] = _NOTHING_MORE

    @classmethod
    def _read(cls, values: _Fields) -> Self:
        """Read the `data` of an event."""
        return cls(
            recording_id=values.text("recordingId"),
            room_name=values.text_or_none("roomName"),
            filename=values.text_or_none("filename"),
            status=values.text_or_none("status"),
            additional_properties=values.rest(),
        )


# ---------------------------------------------------------------------------------- the events


@frozen(kw_only=True)
class Event(Generic[DataT]):
    """What all events have.

    Attributes:
        id: the event; a delivery that is repeated carries the same one.
        type: such as `room.client.joined`.
        data: what happened; its class depends on the type.
        created_at: when the event was made. Events do not arrive in this order.
        api_version: the version of the API that `data` follows.
        additional_properties: the fields that are not known, by their name in the API.
    """

    id: str
    type: str
    data: DataT
    created_at: datetime | None = None
    api_version: str | None = None
    additional_properties: FrozenMapping[Any] = _NOTHING_MORE

    _data: ClassVar[Any] = None

    @classmethod
    def _read(cls, values: _Fields) -> Self:
        """Read an event whose type is known to be this one."""
        data = values.anything("data")
        if cls._data is None:
            data = freeze(data)
        elif isinstance(data, dict):
            data = cls._data._read(_Fields("event.data", data))
        else:
            raise PayloadError("event.data: must be an object")
        return cls(
            id=values.text("id"),
            type=values.text("type"),
            data=data,
            created_at=values.date_time_or_none("createdAt"),
            api_version=values.text_or_none("apiVersion"),
            additional_properties=values.rest(),
        )

    def mentions(self, value: str) -> bool:
        """Return whether a field of the data has this value, for example an awaited id."""
        if isinstance(self.data, Mapping):
            return value in self.data.values()
        known = fields(type(self.data))  # type: ignore[arg-type]
        return any(getattr(self.data, known_field.name) == value for known_field in known)


@frozen(kw_only=True)
class RoomClientJoined(Event[ParticipantData]):
    """Somebody, or a recorder or the like, has come into a room."""

    type: str = "room.client.joined"
    _data = ParticipantData


@frozen(kw_only=True)
class RoomClientLeft(Event[ParticipantData]):
    """Somebody has left a room."""

    type: str = "room.client.left"
    _data = ParticipantData


@frozen(kw_only=True)
class RoomClientKnocked(Event[KnockData]):
    """Somebody wants to be let into a room."""

    type: str = "room.client.knocked"
    _data = KnockData


@frozen(kw_only=True)
class RoomClientKnockCancelled(Event[KnockData]):
    """Somebody does not want to be let in any more, or was cut off."""

    type: str = "room.client.knockCancelled"
    _data = KnockData


@frozen(kw_only=True)
class RoomSessionStarted(Event[InRoomData]):
    """A second person is in the room: a session has begun."""

    type: str = "room.session.started"
    _data = InRoomData


@frozen(kw_only=True)
class RoomSessionEnded(Event[InRoomData]):
    """Less than two have been in the room for some time: the session is over."""

    type: str = "room.session.ended"
    _data = InRoomData


@frozen(kw_only=True)
class TranscriptionStarted(Event[TranscriptionData]):
    """A transcription has begun."""

    type: str = "transcription.started"
    _data = TranscriptionData


@frozen(kw_only=True)
class TranscriptionFinished(Event[TranscriptionData]):
    """A transcript is ready."""

    type: str = "transcription.finished"
    _data = TranscriptionData


@frozen(kw_only=True)
class TranscriptionFailed(Event[TranscriptionData]):
    """There will be no transcript; `data.error` says why."""

    type: str = "transcription.failed"
    _data = TranscriptionData


@frozen(kw_only=True)
class RecordingFinished(Event[RecordingData]):
    """A recording is complete and can be fetched."""

    type: str = "recording.finished"
    _data = RecordingData


@frozen(kw_only=True)
class AssistantRequested(Event[InRoomData]):
    """A host wants the assistant to come into the room."""

    type: str = "assistant.requested"
    _data = InRoomData


@frozen(kw_only=True)
class UnknownEvent(Event[Any]):
    """An event of a type that is newer than this package; `data` is its frozen JSON."""


EVENT_TYPES: Final[Mapping[str, type[Event[Any]]]] = FrozenMapping(
    {
        "room.client.joined": RoomClientJoined,
        "room.client.left": RoomClientLeft,
        "room.client.knocked": RoomClientKnocked,
        "room.client.knockCancelled": RoomClientKnockCancelled,
        "room.session.started": RoomSessionStarted,
        "room.session.ended": RoomSessionEnded,
        "transcription.started": TranscriptionStarted,
        "transcription.finished": TranscriptionFinished,
        "transcription.failed": TranscriptionFailed,
        "recording.finished": RecordingFinished,
        "assistant.requested": AssistantRequested,
    }
)
"""The documented types of events and their classes."""


def parse(body: bytes | bytearray | memoryview | str) -> Event[Any]:
    """Read the body of a delivery. It proves nothing about the sender: call `verify` before.

    Raises:
        InvalidArgumentError: the body is neither bytes nor text.
        PayloadError: it is no JSON object with an id, a type and what its type cannot do without.
    """
    if not isinstance(body, (bytes, bytearray, memoryview, str)):
        raise InvalidArgumentError(
            f"body: must be the body of the request; got a {type(body).__name__}"
        )
    try:
        values = json.loads(bytes(body) if isinstance(body, memoryview) else body)
        if not isinstance(values, dict):
            raise PayloadError("the body must be a JSON object")
        kind = values.get("type")
        event_type = EVENT_TYPES.get(kind) if isinstance(kind, str) else None
        return (event_type or UnknownEvent)._read(_Fields("event", values))
    except (ValueError, RecursionError) as error:
        problem = type(error).__name__
    # Out here, so that no chain leads to an exception that holds the whole body.
    raise PayloadError(f"the body cannot be read as JSON ({problem})")
