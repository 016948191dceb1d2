"""What the fake Whereby remembers, and how tests and requests put something there."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from .clock import Clock, iso
from .content import InMemory
from .messages import Content
from .records import (
    UNDOCUMENTED,
    Meeting,
    Participant,
    Record,
    Recording,
    RoomInsights,
    RoomSession,
    Summary,
    Theme,
    Transcription,
    file_stem,
    room_name_prefix,
    slashed,
)

__all__ = ["Collection", "RecordT", "State"]

RecordT = TypeVar("RecordT", bound=Record)


class Collection(Generic[RecordT]):
    """Records of one kind by id, in the order of creation."""

    __slots__ = ("_clock", "_records")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, RecordT] = {}

    def put(self, key: str, record: RecordT) -> RecordT:
        """Keep a record under an id."""
        record.number = len(self._records) + 1
        self._records[key] = record
        return record

    def get(self, key: str) -> RecordT | None:
        """Return the record with that id while it exists."""
        record = self._records.get(key)
        return record if record is not None and record.exists(self._clock.today()) else None

    def all(self) -> list[RecordT]:
        """Return the records that exist, oldest first."""
        now = self._clock.today()
        # a copy: a server in a thread may add while a test looks
        return [record for record in list(self._records.values()) if record.exists(now)]

    def __len__(self) -> int:
        return len(self.all())

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None


class State:
    """Everything that the fake remembers; `add_…` makes up the values that it does not get.

    Each record's `extra` is merged into its JSON: unknown fields, odd values.
    """

    def __init__(
        self, clock: Clock, rng: random.Random, job_time: float, bulk_delete_time: float
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.job_time = job_time
        self.bulk_delete_time = bulk_delete_time
        self._failing: int | None = 0
        self._reason = ""
        self.meetings: Collection[Meeting] = Collection(clock)
        self.recordings: Collection[Recording] = Collection(clock)
        self.transcriptions: Collection[Transcription] = Collection(clock)
        self.summaries: Collection[Summary] = Collection(clock)
        self.rooms: Collection[RoomInsights] = Collection(clock)
        self.sessions: Collection[RoomSession] = Collection(clock)
        self.participants: Collection[Participant] = Collection(clock)
        self.themes: dict[str, Theme] = {}

    def extra_fields(self) -> frozenset[str]:
        """Return the names of the fields that records have beside those of the document."""
        collections = (self.meetings, self.recordings, self.transcriptions, self.summaries)
        insights = (self.rooms, self.sessions, self.participants)
        return UNDOCUMENTED | {
            name
            for collection in (*collections, *insights)
            for record in collection.all()
            for name in record.extra
        }

    def fail_jobs(self, times: int | None = 1, reason: str = "the job failed") -> None:
        """Let the next jobs that are created over the API end badly; None for all."""
        self._failing = times
        self._reason = reason

    def next_failure(self) -> str | None:
        """Return why the next job fails; None when it does not."""
        if self._failing == 0:
            return None
        if self._failing is not None:
            self._failing -= 1
        return self._reason

    def new_id(self) -> str:
        """Return a UUID that the seed decides."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def theme(self, room_name: str) -> Theme:
        """Return a room's theme, the default one when nothing was set."""
        return self.themes.setdefault(slashed(room_name), Theme())

    def add_meeting(
        self,
        *,
        end_date: datetime | None = None,
        request: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Meeting:
        """Add a meeting, also one in the past; `request` is the body that asks for it."""
        request = request or {}
        prefix = room_name_prefix(request.get("roomNamePrefix"))
        if request.get("roomNamePattern") == "human-short":
            # no letters or digits that are easily taken for one another
            tail = "".join(self.rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=6))
        else:
            tail = self.new_id()
        # ids are opaque: numbers in a string have been seen, so nobody should count on a UUID
        meeting_id = str(self.rng.randrange(10**7, 10**9))
        meeting = Meeting(
            meeting_id=meeting_id,
            room_name=f"{prefix}{tail}",
            start_date=self.clock.today(),
            end_date=end_date or self.clock.today() + timedelta(hours=1),
            host_key=f"host-{self.new_id()}",
            viewer_key=f"viewer-{self.new_id()}",
            request=request,
            extra=extra or {},
        )
        return self.meetings.put(meeting_id, meeting)

    def add_recording(
        self,
        *,
        room_name: str | None = None,
        recording_id: str | None = None,
        room_session_id: str | None = None,
        filename: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        content: bytes | Content | None = None,
        size_in_mega_bytes: float | None = None,
        hosted: bool = True,
        extra: dict[str, Any] | None = None,
    ) -> Recording:
        """Add a recording; `content` is what its access link serves."""
        recording_id = recording_id or self.new_id()
        room_name = slashed(room_name or f"room-{self.new_id()}")
        end_date = end_date or self.clock.today()
        start_date = start_date or end_date - timedelta(minutes=30)
        if content is None:
            content = self.rng.randbytes(4096)
        if isinstance(content, bytes):
            content = InMemory(content)
        if size_in_mega_bytes is None:
            size_in_mega_bytes = max(1, round(content.size / 1_000_000))
        recording = Recording(
            recording_id=recording_id,
            room_session_id=room_session_id or self.new_id(),
            room_name=room_name,
            filename=filename or f"{file_stem(room_name, start_date)}.mp4",
            start_date=start_date,
            end_date=end_date,
            content=content,
            size_in_mega_bytes=size_in_mega_bytes,
            hosted=hosted,
            extra=extra or {},
        )
        return self.recordings.put(recording_id, recording)

    def add_transcription(
        self,
        *,
        recording: Recording | None = None,
        transcription_id: str | None = None,
        room_name: str | None = None,
        room_session_id: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        text: str | None = None,
        job_time: float = 0.0,
        hosted: bool = True,
        extra: dict[str, Any] | None = None,
    ) -> Transcription:
        """Add a transcription, of a recording or of a session, that is ready after `job_time`."""
        now = self.clock.today()
        if recording is not None:
            room_name = room_name or recording.room_name
            room_session_id = room_session_id or recording.room_session_id
            start_date = start_date or recording.start_date
            end_date = end_date or recording.end_date
        end_date = end_date or now
        room_name = slashed(room_name or f"room-{self.new_id()}")
        text = (
            text
            or f"# Transcript of {room_name}\n\n**Ada** 00:00\n\nHello, and welcome: ærlig talt.\n"
        )
        transcription_id = transcription_id or self.new_id()
        transcription = Transcription(
            transcription_id=transcription_id,
            room_session_id=room_session_id or self.new_id(),
            room_name=room_name,
            start_date=start_date or end_date - timedelta(minutes=30),
            end_date=end_date,
            created_at=now,
            ready_at=now + timedelta(seconds=job_time),
            recording_id=None if recording is None else recording.recording_id,
            content=InMemory(text.encode()),
            hosted=hosted,
            extra=extra or {},
        )
        return self.transcriptions.put(transcription_id, transcription)

    def add_summary(
        self,
        *,
        transcription: Transcription | None = None,
        template: str | None = None,
        summary_id: str | None = None,
        text: dict[str, Any] | None = None,
        job_time: float = 0.0,
        extra: dict[str, Any] | None = None,
    ) -> Summary:
        """Add a summary that is completed after `job_time`, and its transcription if needed."""
        now = self.clock.today()
        transcription = transcription or self.add_transcription()
        summary_id = summary_id or self.new_id()
        template = template or "General Narrative"
        if text is None:
            text = {"summary": "This is a meeting summary"}
            if "SOAP" in template:
                sections = ("subjective", "objective", "assessment", "plan")
                text["SOAP"] = {section: f"The {section} part" for section in sections}
        summary = Summary(
            summary_id=summary_id,
            transcription=transcription,
            template=template,
            created_at=now,
            ready_at=now + timedelta(seconds=job_time),
            text=text,
            extra=extra or {},
        )
        return self.summaries.put(summary_id, summary)

    def add_room_insights(
        self, room_name: str | None = None, *, extra: dict[str, Any] | None = None
    ) -> RoomInsights:
        """Add the insights of a room that was used half an hour."""
        room_name = slashed(room_name or f"room-{self.new_id()}")
        now = self.clock.today()
        values = {
            "roomName": room_name,
            "createdAt": iso(now - timedelta(hours=1)),
            "endAt": iso(now + timedelta(hours=1)),
            "firstSessionStartedAt": iso(now - timedelta(minutes=45)),
            "lastSessionStartedAt": iso(now - timedelta(minutes=30)),
            "totalParticipantMinutes": 60,
            "totalRecorderMinutes": 30,
            "totalStreamerMinutes": 0,
            "totalUniqueParticipants": 2,
            "totalUniqueRecorders": 1,
            "totalUniqueStreamers": 0,
            "totalSessions": 1,
            "rating": None,
            "totalRatings": None,
        }
        return self.rooms.put(room_name, RoomInsights(values=values, extra=extra or {}))

    def add_room_session(
        self,
        room_name: str,
        room_session_id: str | None = None,
        *,
        extra: dict[str, Any] | None = None,
    ) -> RoomSession:
        """Add the insights of a session, and of its room when it has none."""
        room_name = slashed(room_name)
        if room_name not in self.rooms:
            self.add_room_insights(room_name)
        room_session_id = room_session_id or self.new_id()
        now = self.clock.today()
        values = {
            "roomSessionId": room_session_id,
            "roomName": room_name,
            "startedAt": iso(now - timedelta(minutes=30)),
            "endedAt": iso(now),
            "totalParticipantMinutes": 60,
            "totalRecorderMinutes": 30,
            "totalStreamerMinutes": 0,
            "totalUniqueParticipants": 2,
            "totalUniqueRecorders": 1,
            "totalUniqueStreamers": 0,
            "rating": None,
            "totalRatings": None,
        }
        return self.sessions.put(room_session_id, RoomSession(values=values, extra=extra or {}))

    def add_participant(
        self,
        room_session_id: str,
        participant_id: str | None = None,
        *,
        display_name: str | None = "Ada Lovelace",
        external_id: str | None = None,
        role: str = "host",
        joined_at: datetime | None = None,
        left_at: datetime | None = None,
        extra: dict[str, Any] | None = None,
        details: list[dict[str, Any]] | None = None,
    ) -> Participant:
        """Add a participant; `details` is what `insights.get_participant` returns."""
        participant_id = participant_id or self.new_id()
        now = self.clock.today()
        joined = iso(joined_at or now - timedelta(minutes=30))
        values = {
            "roomSessionId": room_session_id,
            "participantId": participant_id,
            "deviceId": self.new_id(),
            "userId": self.new_id(),
            "roleName": role,
            "displayName": display_name,
            "joinedAt": joined,
            "leftAt": iso(left_at or now),
            "externalId": external_id,
            "rating": None,
            "tags": None,
            "comment": None,
        }
        if details is None:
            names = ("packetLossSend", "packetLossRecv", "bitrateSend", "bitrateRecv")
            details = [
                {
                    "displayName": display_name or "",
                    "userRole": role,
                    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
                    "timeStamp": joined,
                    "sampleRateMs": 2000,
                    "samples": {
                        name: [self.rng.randrange(100) for _ in range(5)] for name in names
                    },
                    "events": [],
                }
            ]
        key = f"{room_session_id}/{participant_id}"
        participant = Participant(values=values, details=details, extra=extra or {})
        return self.participants.put(key, participant)

    def count_session(self, meeting: Meeting, began: datetime, totals: Mapping[str, int]) -> None:
        """Add the totals of a session to the insights of its room."""
        room = self.rooms.get(meeting.room_name)
        if room is None:
            new = {
                "createdAt": iso(meeting.start_date),
                "endAt": iso(meeting.end_date),
                "firstSessionStartedAt": iso(began),
                "totalSessions": 0,
            }
            room = self.add_room_insights(meeting.room_name, extra=new | dict.fromkeys(totals, 0))
        known = room.json()
        room.extra |= {name: known[name] + count for name, count in totals.items()}
        room.extra |= {
            "lastSessionStartedAt": iso(began),
            "totalSessions": known["totalSessions"] + 1,
        }

    def seed_demo(self) -> None:
        """Fill the fake with a small organization: a few rooms with all that can belong to them."""
        for number, room_name in enumerate(("/standup", "/interview", "/støtte-gruppe"), 1):
            self.add_room_insights(
                room_name, extra={"totalSessions": number, "totalParticipantMinutes": number * 45}
            )
            for _ in range(number):
                session = self.add_room_session(room_name).values["roomSessionId"]
                self.add_participant(session, display_name="Ada Lovelace", external_id="ada")
                self.add_participant(session, display_name="Søren K.", external_id=f"s{number}")
                recording = self.add_recording(room_name=room_name, room_session_id=session)
                transcription = self.add_transcription(recording=recording)
                self.add_summary(transcription=transcription)
