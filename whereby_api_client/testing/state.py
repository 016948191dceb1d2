"""What the fake Whereby remembers: meetings, files, jobs, themes, insights."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import attrs

from .clock import Clock, iso
from .content import InMemory
from .messages import Content

__all__ = [
    "Image",
    "Meeting",
    "Participant",
    "Recording",
    "RoomInsights",
    "RoomSession",
    "State",
    "Summary",
    "Theme",
    "Transcription",
    "slashed",
]

# Meetings are deleted an hour after they end.
GRACE = timedelta(hours=1)


def slashed(room_name: str) -> str:
    """Return a room name with exactly one leading slash, as bodies and filters have it."""
    return "/" + room_name.lstrip("/")


def _file_stem(room_name: str, created: datetime) -> str:
    return f"{room_name.strip('/').replace('/', '-')}-{iso(created)}"


@attrs.define(kw_only=True, eq=False)
class Record:
    """Something that the API lists; `extra` is merged into its JSON as it is."""

    extra: dict[str, Any] = attrs.field(factory=dict)
    gone_at: datetime | None = None
    """When it ceases to exist; None while nobody has deleted it."""
    number: int = 0
    """Its place in the order of creation."""

    def exists(self, now: datetime) -> bool:
        """Tell whether the API still knows it."""
        return self.gone_at is None or now < self.gone_at


@attrs.define(kw_only=True, eq=False)
class Meeting(Record):
    """A meeting with its transient room; `request` is the body that created it."""

    meeting_id: str
    room_name: str
    start_date: datetime
    end_date: datetime
    host_key: str
    viewer_key: str
    subdomain: str = "subdomain"
    request: dict[str, Any] = attrs.field(factory=dict)

    @property
    def room_url(self) -> str:
        """Return the address of the room."""
        return f"https://{self.subdomain}.whereby.com{self.room_name}"

    def exists(self, now: datetime) -> bool:
        """Tell whether the API still knows it: an hour after its end it does not."""
        return super().exists(now) and now < self.end_date + GRACE

    def json(self, fields: Iterable[str] = ()) -> dict[str, Any]:
        """Return the meeting as the API answers it, with the fields that were asked for."""
        wanted = set(fields)
        value: dict[str, Any] = {
            "meetingId": self.meeting_id,
            "roomName": self.room_name,
            "roomUrl": self.room_url,
            "startDate": iso(self.start_date),
            "endDate": iso(self.end_date),
        }
        if "hostRoomUrl" in wanted:
            value["hostRoomUrl"] = f"{self.room_url}?roomKey={self.host_key}"
        if "viewerRoomUrl" in wanted:
            value["viewerRoomUrl"] = f"{self.room_url}?roomKey={self.viewer_key}"
        # https://docs.whereby.com/whereby-product-features/dial-in
        if "dialIn" in wanted and self.request.get("isDialInEnabled"):
            number = {"countryCode": "US", "phoneNumber": "111-867-5309"}
            value["dialIn"] = {"code": f"{self.number:010}", "phoneNumbers": [number]}
        return value | self.extra


@attrs.define(kw_only=True, eq=False)
class Recording(Record):
    """A recording; only those that Whereby hosts have access links."""

    recording_id: str
    room_session_id: str
    room_name: str
    filename: str
    start_date: datetime
    end_date: datetime
    content: Content
    size_in_mega_bytes: float
    hosted: bool = True

    def json(self) -> dict[str, Any]:
        """Return the recording as the API answers it."""
        return {
            "recordingId": self.recording_id,
            "roomSessionId": self.room_session_id,
            "roomName": self.room_name,
            "filename": self.filename,
            "startDate": iso(self.start_date),
            "endDate": iso(self.end_date),
            "sizeInMegaBytes": self.size_in_mega_bytes,
        } | self.extra


@attrs.define(kw_only=True, eq=False)
class Job(Record):
    """Something that takes time to be made, and can fail."""

    ready_at: datetime
    failure: str | None = None
    """Why the job fails when its time comes; None when it succeeds."""

    def done(self, now: datetime) -> bool:
        """Tell whether the job has ended, well or badly."""
        return now >= self.ready_at

    def finish(self) -> None:
        """End the job now."""
        self.ready_at = datetime.min.replace(tzinfo=UTC)

    def fail(self, reason: str = "the job failed") -> None:
        """End the job now, badly."""
        self.failure = reason
        self.finish()


@attrs.define(kw_only=True, eq=False)
class Transcription(Job):
    """A transcription: a job first, a Markdown file then."""

    transcription_id: str
    room_session_id: str
    room_name: str
    start_date: datetime
    end_date: datetime
    created_at: datetime
    content: Content
    recording_id: str | None = None
    hosted: bool = True

    @property
    def filename(self) -> str:
        """Return the transcript's file name."""
        return f"{_file_stem(self.room_name, self.start_date)}.md"

    def state(self, now: datetime) -> str:
        """Return `in_progress`, `ready` or `failed`."""
        if not self.done(now):
            return "in_progress"
        return "ready" if self.failure is None else "failed"

    def json(self, now: datetime) -> dict[str, Any]:
        """Return the transcription as the API answers it."""
        state = self.state(now)
        value: dict[str, Any] = {
            "transcriptionId": self.transcription_id,
            "roomSessionId": self.room_session_id,
            "roomName": self.room_name,
            "startDate": iso(self.start_date),
            "endDate": iso(self.end_date),
            "state": state,
            "createdAt": iso(self.created_at),
            "type": "LIVE_TRANSCRIPTION"
            if self.recording_id is None
            else "RECORDING_TRANSCRIPTION",
            "storageType": "WHEREBY_HOSTED" if self.hosted else "SELF_HOSTED",
        }
        if state == "ready":
            value["filename"] = self.filename
            value["durationInSeconds"] = (self.end_date - self.start_date).total_seconds()
        return value | self.extra


@attrs.define(kw_only=True, eq=False)
class Summary(Job):
    """A summary of a transcription: a job first, an object with text then."""

    summary_id: str
    transcription: Transcription
    template: str
    created_at: datetime
    text: dict[str, Any]

    def done(self, now: datetime) -> bool:
        """Tell whether the job has ended; it waits for its transcription."""
        return super().done(now) and self.transcription.done(now)

    def state(self, now: datetime) -> str:
        """Return `in_progress`, `completed` (the document's word) or `failed`."""
        if not self.done(now):
            return "in_progress"
        failed = self.failure is not None or self.transcription.failure is not None
        return "failed" if failed else "completed"

    def json(self, now: datetime) -> dict[str, Any]:
        """Return the summary as the API answers it."""
        state = self.state(now)
        modified = self.created_at
        if self.done(now):
            modified = max(self.created_at, min(self.ready_at, now))
        return {
            "summaryId": self.summary_id,
            "transcriptionId": self.transcription.transcription_id,
            "summary": self.text if state == "completed" else {},
            "roomSessionId": self.transcription.room_session_id,
            "roomName": self.transcription.room_name,
            "startDate": iso(self.transcription.start_date),
            "endDate": iso(self.transcription.end_date),
            "state": state,
            "createdAt": iso(self.created_at),
            "modifiedAt": iso(modified),
            "template": self.template,
        } | self.extra


@attrs.frozen
class Image:
    """An uploaded image."""

    content: bytes
    filename: str | None
    content_type: str | None


@attrs.define
class Theme:
    """How a room looks: what the PUTs under `/rooms/{roomName}/theme` have set."""

    tokens: dict[str, Any] = attrs.field(factory=dict)
    logo: Image | dict[str, Any] | None = None
    background: Image | dict[str, Any] | None = None
    knock_page_background: Image | dict[str, Any] | None = None


@attrs.define(kw_only=True, eq=False)
class RoomInsights(Record):
    """The insights of one room; `values` is its JSON."""

    values: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """Return the insights as the API answers them."""
        return self.values | self.extra


@attrs.define(kw_only=True, eq=False)
class RoomSession(Record):
    """The insights of one session of a room; `values` is its JSON."""

    values: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """Return the insights as the API answers them."""
        return self.values | self.extra


@attrs.define(kw_only=True, eq=False)
class Participant(Record):
    """A participant of a session; `values` is its JSON, `details` that of each of its visits."""

    values: dict[str, Any]
    details: list[dict[str, Any]]

    def json(self) -> dict[str, Any]:
        """Return the participant as the API lists it."""
        return self.values | self.extra


class _Recorded(Protocol):
    number: int

    def exists(self, now: datetime) -> bool: ...


RecordT = TypeVar("RecordT", bound=_Recorded)


class Shelf(Generic[RecordT]):
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
        return [record for record in self._records.values() if record.exists(now)]

    def __len__(self) -> int:
        return len(self.all())

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None


class State:
    """Everything that the fake remembers, and how its parts come into being."""

    def __init__(self, clock: Clock, rng: random.Random, job_time: float) -> None:
        self.clock = clock
        self.rng = rng
        self.job_time = job_time
        self.meetings: Shelf[Meeting] = Shelf(clock)
        self.recordings: Shelf[Recording] = Shelf(clock)
        self.transcriptions: Shelf[Transcription] = Shelf(clock)
        self.summaries: Shelf[Summary] = Shelf(clock)
        self.rooms: Shelf[RoomInsights] = Shelf(clock)
        self.sessions: Shelf[RoomSession] = Shelf(clock)
        self.participants: Shelf[Participant] = Shelf(clock)
        self.themes: dict[str, Theme] = {}

    def new_id(self) -> str:
        """Return a UUID that the seed decides."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def theme(self, room_name: str) -> Theme:
        """Return a room's theme, the default one when nothing was set."""
        return self.themes.setdefault(slashed(room_name), Theme())

    def create_meeting(
        self, *, end_date: datetime, request: dict[str, Any], extra: dict[str, Any] | None = None
    ) -> Meeting:
        """Create a meeting with a room name by the request's prefix and pattern."""
        prefix = request.get("roomNamePrefix", "").replace(" ", "").strip("/").lower()
        if prefix and not prefix.endswith("-"):
            prefix += "-"
        if request.get("roomNamePattern") == "human-short":
            # no letters or digits that are easily taken for one another
            tail = "".join(self.rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=6))
        else:
            tail = self.new_id()
        # ids are opaque: numbers in a string have been seen, so nobody should count on a UUID
        meeting_id = str(self.rng.randrange(10**7, 10**9))
        meeting = Meeting(
            meeting_id=meeting_id,
            room_name=f"/{prefix}{tail}",
            start_date=self.clock.today(),
            end_date=end_date,
            host_key=f"host-{self.new_id()}",
            viewer_key=f"viewer-{self.new_id()}",
            request=request,
            extra=extra or {},
        )
        return self.meetings.put(meeting_id, meeting)

    def create_recording(
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
        """Create a recording; what is not given is made up."""
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
            filename=filename or f"{_file_stem(room_name, start_date)}.mp4",
            start_date=start_date,
            end_date=end_date,
            content=content,
            size_in_mega_bytes=size_in_mega_bytes,
            hosted=hosted,
            extra=extra or {},
        )
        return self.recordings.put(recording_id, recording)

    def create_transcription(
        self,
        *,
        recording: Recording | None = None,
        transcription_id: str | None = None,
        room_name: str | None = None,
        room_session_id: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        text: str | None = None,
        job_time: float | None = None,
        hosted: bool = True,
        extra: dict[str, Any] | None = None,
    ) -> Transcription:
        """Create a transcription, of a recording or of a session; what is not given is made up."""
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
            ready_at=now + timedelta(seconds=self.job_time if job_time is None else job_time),
            recording_id=None if recording is None else recording.recording_id,
            content=InMemory(text.encode()),
            hosted=hosted,
            extra=extra or {},
        )
        return self.transcriptions.put(transcription_id, transcription)

    def create_summary(
        self,
        *,
        transcription: Transcription,
        template: str | None = None,
        summary_id: str | None = None,
        text: dict[str, Any] | None = None,
        job_time: float | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Summary:
        """Create a summary of a transcription."""
        now = self.clock.today()
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
            ready_at=now + timedelta(seconds=self.job_time if job_time is None else job_time),
            text=text,
            extra=extra or {},
        )
        return self.summaries.put(summary_id, summary)

    def create_room_insights(
        self, room_name: str | None = None, extra: dict[str, Any] | None = None
    ) -> RoomInsights:
        """Create the insights of a room that was used half an hour; `extra` overrides any value."""
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

    def create_room_session(
        self,
        room_name: str,
        room_session_id: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> RoomSession:
        """Create the insights of a session; its room gets insights too when it has none."""
        room_name = slashed(room_name)
        if room_name not in self.rooms:
            self.create_room_insights(room_name)
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

    def create_participant(
        self,
        room_session_id: str,
        participant_id: str | None = None,
        *,
        display_name: str | None = "Ada Lovelace",
        external_id: str | None = None,
        extra: dict[str, Any] | None = None,
        details: list[dict[str, Any]] | None = None,
    ) -> Participant:
        """Create a participant of a session, with network samples of one visit."""
        participant_id = participant_id or self.new_id()
        now = self.clock.today()
        joined = iso(now - timedelta(minutes=30))
        values = {
            "roomSessionId": room_session_id,
            "participantId": participant_id,
            "deviceId": self.new_id(),
            "userId": self.new_id(),
            "roleName": "host",
            "displayName": display_name,
            "joinedAt": joined,
            "leftAt": iso(now),
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
                    "userRole": "host",
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
