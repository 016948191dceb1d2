"""Webhooks: verify deliveries from Whereby, parse their events, call handlers.

    hooks = Webhooks()  # the secret comes from WHEREBY_WEBHOOK_SECRET

    @hooks.on(RecordingFinished)
    async def file(event: RecordingFinished) -> None:
        print(event.data.recording_id)

`hooks` is an ASGI application: mount it in any framework, or hand deliveries to `hooks.receive`.
`verify` and `parse` are what it stands on, and do no I/O.
https://docs.whereby.com/monitoring-usage/webhooks
"""

from __future__ import annotations

from .dispatch import Delivery, RecentEvents, SeenEvents, Webhooks
from .errors import PayloadError, SignatureError, SignatureProblem, WebhookError
from .events import (
    EVENT_TYPES,
    AssistantRequested,
    Event,
    InRoomData,
    KnockData,
    ParticipantData,
    RecordingData,
    RecordingFinished,
    RoomClientJoined,
    RoomClientKnockCancelled,
    RoomClientKnocked,
    RoomClientLeft,
    RoomSessionEnded,
    RoomSessionStarted,
    TranscriptionData,
    TranscriptionFailed,
    TranscriptionFinished,
    TranscriptionStarted,
    UnknownEvent,
    parse,
)
from .frozen import FrozenMapping
from .signature import HEADER, SECRET_VARIABLE, sign, verify

__all__ = [
    "EVENT_TYPES",
    "HEADER",
    "SECRET_VARIABLE",
    "AssistantRequested",
    "Delivery",
    "Event",
    "FrozenMapping",
    "InRoomData",
    "KnockData",
    "ParticipantData",
    "PayloadError",
    "RecentEvents",
    "RecordingData",
    "RecordingFinished",
    "RoomClientJoined",
    "RoomClientKnockCancelled",
    "RoomClientKnocked",
    "RoomClientLeft",
    "RoomSessionEnded",
    "RoomSessionStarted",
    "SeenEvents",
    "SignatureError",
    "SignatureProblem",
    "TranscriptionData",
    "TranscriptionFailed",
    "TranscriptionFinished",
    "TranscriptionStarted",
    "UnknownEvent",
    "WebhookError",
    "Webhooks",
    "parse",
    "sign",
    "verify",
]
