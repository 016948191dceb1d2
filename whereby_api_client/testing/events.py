"""The events that Whereby's webhooks report, made of what the fake keeps.

Each builder takes a record; keyword arguments add and replace fields of the event's `data`, by
their names in the API: `client_joined(meeting, displayName="Ada", roleName="host")`.
https://docs.whereby.com/monitoring-usage/webhooks#event-objects
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import attrs

from .clock import iso
from .javascript import stringify
from .records import Meeting, Recording, Transcription

__all__ = [
    "Webhook",
    "assistant_requested",
    "client_joined",
    "client_knock_cancelled",
    "client_knocked",
    "client_left",
    "recording_finished",
    "session_ended",
    "session_started",
    "transcription_failed",
    "transcription_finished",
    "transcription_started",
]


@attrs.frozen(kw_only=True)
class Webhook:
    """An event to be sent; a repeated delivery has the same id."""

    type: str
    data: dict[str, Any]
    id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    created_at: str = attrs.field(factory=lambda: iso(time.time()))
    extra: dict[str, Any] = attrs.field(factory=dict)
    """Fields that are not documented yet, merged into the body."""

    @property
    def body(self) -> bytes:
        """Return the body as JavaScript writes it: names are not escaped to ASCII."""
        event = {
            "id": self.id,
            "apiVersion": "1.0",
            "createdAt": self.created_at,
            "type": self.type,
            "data": self.data,
        }
        return stringify(event | self.extra).encode()


def client_joined(meeting: Meeting, **data: Any) -> Webhook:
    """Report that a participant has come into a meeting's room."""
    return Webhook(type="room.client.joined", data=_room(meeting) | _client(1) | data)


def client_left(meeting: Meeting, **data: Any) -> Webhook:
    """Report that a participant has left a meeting's room."""
    return Webhook(type="room.client.left", data=_room(meeting) | _client(0) | data)


def client_knocked(meeting: Meeting, **data: Any) -> Webhook:
    """Report that a participant asks to be let into a meeting's room."""
    return Webhook(type="room.client.knocked", data=_room(meeting) | _participant() | data)


def client_knock_cancelled(meeting: Meeting, **data: Any) -> Webhook:
    """Report that a participant does not ask any more."""
    return Webhook(type="room.client.knockCancelled", data=_room(meeting) | _participant() | data)


def session_started(meeting: Meeting, **data: Any) -> Webhook:
    """Report that a session has begun in a meeting's room, and give it an id if it has none."""
    meeting.room_session_id = meeting.room_session_id or str(uuid.uuid4())
    return Webhook(type="room.session.started", data=_room(meeting) | data)


def session_ended(meeting: Meeting, **data: Any) -> Webhook:
    """Report that the session in a meeting's room is over."""
    meeting.room_session_id = meeting.room_session_id or str(uuid.uuid4())
    return Webhook(type="room.session.ended", data=_room(meeting) | data)


def assistant_requested(meeting: Meeting, **data: Any) -> Webhook:
    """Report that a host wants the assistant to come; it goes to the assistant's own address."""
    return Webhook(type="assistant.requested", data=_room(meeting) | data)


def recording_finished(recording: Recording, **data: Any) -> Webhook:
    """Report that a recording can be fetched."""
    known = {
        "filename": recording.filename,
        "recordingId": recording.recording_id,
        "roomName": recording.room_name,
        "status": "completed",
    }
    return Webhook(type="recording.finished", data=known | data)


def transcription_started(transcription: Transcription, **data: Any) -> Webhook:
    """Report that a transcription has begun."""
    return _transcription("started", transcription, {"status": "in_progress"} | data)


def transcription_finished(transcription: Transcription, **data: Any) -> Webhook:
    """Report that a transcript is ready."""
    known = {
        "status": "ready",
        "filename": transcription.filename,
        "storageType": "WHEREBY_HOSTED" if transcription.hosted else "SELF_HOSTED",
        "durationInSeconds": (transcription.end_date - transcription.start_date).total_seconds(),
    }
    if transcription.recording_id is not None:
        known["recordingId"] = transcription.recording_id
    return _transcription("finished", transcription, known | data)


def transcription_failed(transcription: Transcription, **data: Any) -> Webhook:
    """Report that there will be no transcript, and why."""
    known = {"status": "failed", "error": transcription.failure or "the job failed"}
    return _transcription("failed", transcription, known | data)


def _transcription(what: str, transcription: Transcription, data: dict[str, Any]) -> Webhook:
    known = {
        "transcriptionId": transcription.transcription_id,
        "roomName": transcription.room_name,
        "roomSessionId": transcription.room_session_id,
        "type": "LIVE_TRANSCRIPTION"
        if transcription.recording_id is None
        else "RECORDING_TRANSCRIPTION",
    }
    return Webhook(type=f"transcription.{what}", data=known | data)


def _room(meeting: Meeting) -> dict[str, Any]:
    return {
        "meetingId": meeting.meeting_id,
        "roomName": meeting.room_name,
        "roomSessionId": meeting.room_session_id,
        "subdomain": meeting.subdomain,
    }


def _participant() -> dict[str, Any]:
    return {
        "displayName": "Søren K.",
        "participantId": str(uuid.uuid4()),
        "metadata": None,
        "externalId": None,
    }


def _client(number: int) -> dict[str, Any]:
    return _participant() | {
        "roleName": "visitor",
        "numClients": number,
        "numClientsByRoleName": {"visitor": number} if number else {},
        "isDialIn": False,
    }
