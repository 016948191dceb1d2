"""A Whereby of your own for tests: the same API, without the network and without the bill.

>>> fake = FakeWhereby()
>>> fake.add_recording(room_name="/standup").room_name
'/standup'

Hand `fake.transport()` to a client for tests inside the process; `fake.serve()` opens a socket.
"""

from __future__ import annotations

from .api import API
from .clock import Clock
from .content import InMemory, MadeUp
from .exchange import RecordedRequest
from .fake import TOKEN, FakeWhereby
from .faults import Fault
from .messages import Headers, Part
from .records import (
    Image,
    Meeting,
    Participant,
    Recording,
    RoomInsights,
    RoomSession,
    Summary,
    Theme,
    Transcription,
)
from .state import State

__all__ = [
    "API",
    "TOKEN",
    "Clock",
    "FakeWhereby",
    "Fault",
    "Headers",
    "Image",
    "InMemory",
    "MadeUp",
    "Meeting",
    "Part",
    "Participant",
    "RecordedRequest",
    "Recording",
    "RoomInsights",
    "RoomSession",
    "State",
    "Summary",
    "Theme",
    "Transcription",
]
