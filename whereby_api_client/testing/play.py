"""The life of a meeting: who comes and goes, what is recorded, what the insights count."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import attrs

from . import events
from .clock import iso
from .events import Webhook
from .records import Meeting
from .state import State

__all__ = ["play"]

NAMES = ("Ada Lovelace", "Søren K.", "María José", "李雷", "Grace Hopper")


@attrs.define
class _Guest:
    """A participant of the meeting that is played."""

    participant_id: str
    display_name: str
    external_id: str | None
    role: str
    joined: datetime
    left: datetime

    @property
    def data(self) -> dict[str, Any]:
        return {
            "displayName": self.display_name,
            "participantId": self.participant_id,
            "externalId": self.external_id,
        }

    @property
    def minutes(self) -> int:
        """Return the minutes in the room, rounded up, as the insights count them."""
        return math.ceil((self.left - self.joined).total_seconds() / 60)


def play(
    state: State,
    meeting: Meeting,
    *,
    participants: int = 2,
    recorded: bool = False,
    transcribed: bool = False,
    duration: float = 1800.0,
) -> list[Webhook]:
    """Let a meeting have happened, and return the webhooks that it causes, in order.

    It ends now and began `duration` seconds ago. The first participant is the host; the others
    knock before they join when the meeting is locked. A session begins with the second participant:
    before, events have no `roomSessionId`.

    Raises:
        ValueError: there are too few participants, or the duration is not positive.
    """
    if participants < 1:
        raise ValueError(f"participants must be at least 1; got {participants}")
    if (recorded or transcribed) and participants < 2:
        raise ValueError("participants must be at least 2 for a session to be recorded; got 1")
    if not 0 < duration < math.inf:
        raise ValueError(f"duration must be a positive number of seconds; got {duration}")
    return _Play(state, meeting, participants, duration).run(recorded, transcribed)


class _Play:
    def __init__(self, state: State, meeting: Meeting, participants: int, duration: float) -> None:
        self.state = state
        self.meeting = meeting
        self.end = state.clock.today()
        self.begin = self.end - timedelta(seconds=duration)
        meeting.start_date = min(meeting.start_date, self.begin)
        meeting.room_session_id = None
        # all have come after a tenth of the time, and leave in its last tenth
        step = timedelta(seconds=duration / 10 / participants)
        self.guests = [
            _Guest(
                participant_id=state.new_id(),
                display_name=NAMES[number % len(NAMES)],
                external_id=f"guest-{number}" if number else None,
                role="visitor" if number else "host",
                joined=self.begin + step * number,
                left=self.end - step * (participants - number),
            )
            for number in range(participants)
        ]
        self.webhooks: list[Webhook] = []

    def run(self, recorded: bool, transcribed: bool) -> list[Webhook]:
        self._gather(transcribed)
        self._leave()
        session_id = self.meeting.room_session_id
        if session_id is None:
            return self.webhooks
        self._count(session_id, recorded)
        if recorded:
            recording = self.state.add_recording(
                room_name=self.meeting.room_name,
                room_session_id=session_id,
                start_date=self.guests[1].joined,
                end_date=self.end,
            )
            self._send(events.recording_finished(recording), self.end)
        if transcribed:
            self._send(events.transcription_finished(self.transcription), self.end)
        return self.webhooks

    def _send(self, webhook: Webhook, moment: datetime) -> None:
        self.webhooks.append(attrs.evolve(webhook, id=self.state.new_id(), created_at=iso(moment)))

    def _gather(self, transcribed: bool) -> None:
        roles: Counter[str] = Counter()
        for number, guest in enumerate(self.guests):
            if number and self.meeting.locked:
                self._send(events.client_knocked(self.meeting, **guest.data), guest.joined)
            if number == 1:
                self.meeting.room_session_id = self.state.new_id()
                self._send(events.session_started(self.meeting), guest.joined)
                if transcribed:
                    self.transcription = self.state.add_transcription(
                        room_name=self.meeting.room_name,
                        room_session_id=self.meeting.room_session_id,
                        start_date=guest.joined,
                        end_date=self.end,
                    )
                    self._send(events.transcription_started(self.transcription), guest.joined)
            roles[guest.role] += 1
            present = self._present(guest, roles)
            self._send(events.client_joined(self.meeting, **guest.data, **present), guest.joined)
        self.roles = roles

    def _leave(self) -> None:
        for guest in self.guests:
            self.roles[guest.role] -= 1
            present = self._present(guest, self.roles)
            self._send(events.client_left(self.meeting, **guest.data, **present), guest.left)
        if self.meeting.room_session_id is not None:
            self._send(events.session_ended(self.meeting), self.end)

    def _present(self, guest: _Guest, roles: Counter[str]) -> dict[str, Any]:
        return {
            "roleName": guest.role,
            "numClients": roles.total(),
            # only the roles that are present
            "numClientsByRoleName": dict(+roles),
        }

    def _count(self, session_id: str, recorded: bool) -> None:
        began = self.guests[1].joined
        minutes = sum(guest.minutes for guest in self.guests)
        recorder = math.ceil((self.end - began).total_seconds() / 60) if recorded else 0
        totals = {
            "totalParticipantMinutes": minutes,
            "totalRecorderMinutes": recorder,
            "totalStreamerMinutes": 0,
            "totalUniqueParticipants": len(self.guests),
            "totalUniqueRecorders": int(recorded),
            "totalUniqueStreamers": 0,
        }
        self.state.count_session(self.meeting, began, totals)
        span = {"startedAt": iso(began), "endedAt": iso(self.end)}
        self.state.add_room_session(self.meeting.room_name, session_id, extra=span | totals)
        for guest in self.guests:
            self.state.add_participant(
                session_id,
                guest.participant_id,
                display_name=guest.display_name,
                external_id=guest.external_id,
                role=guest.role,
                joined_at=guest.joined,
                left_at=guest.left,
            )
