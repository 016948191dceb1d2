"""What the fake Whereby keeps, each record with its JSON as the API sends it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import attrs

from .clock import iso, iso_seconds
from .messages import Content

__all__ = [
    "UNDOCUMENTED",
    "Image",
    "Job",
    "Meeting",
    "Participant",
    "Record",
    "Recording",
    "RoomInsights",
    "RoomSession",
    "Summary",
    "Theme",
    "Transcription",
    "file_stem",
    "room_name_prefix",
    "slashed",
]

# fields that the API sends and its document does not have
UNDOCUMENTED = frozenset({"dialIn", "roomPreferences"})
# Meetings are deleted an hour after they end.
GRACE = timedelta(hours=1)


def slashed(room_name: str) -> str:
    """Return a room name with exactly one leading slash, as bodies and filters have it."""
    return "/" + room_name.lstrip("/")


def room_name_prefix(prefix: str | None) -> str:
    """Return what a room's name begins with: lower case, no white space, one slash in front."""
    return slashed("".join((prefix or "").split()).lower())


def file_stem(room_name: str, created: datetime) -> str:
    """Return what the names of a room's files begin with."""
    return f"{room_name.strip('/').replace('/', '-')}-{iso_seconds(created)}"


@attrs.define(kw_only=True, eq=False)
class Record:
    """Something that the API lists; `extra` is merged into its JSON as it is."""

    extra: dict[str, Any] = attrs.field(factory=dict)
    gone_at: datetime | None = None
    """When it ceases to exist; None while nobody has deleted it."""
    number: int = 0
    """Its place in the order of creation."""

    def exists(self, now: datetime) -> bool:
        """Return whether the API still knows it."""
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
    room_session_id: str | None = None
    """The session in its room; None before there is one."""
    request: dict[str, Any] = attrs.field(factory=dict)

    @property
    def locked(self) -> bool:
        """Return whether its room lets in only whom a host lets in."""
        return (
            bool(self.request.get("isLocked")) or self.request.get("templateType") == "viewerMode"
        )

    @property
    def room_url(self) -> str:
        """Return the address of the room."""
        return f"https://{self.subdomain}.whereby.com{quote(self.room_name)}"

    def exists(self, now: datetime) -> bool:
        """Return whether the API still knows it: an hour after its end it does not."""
        return super().exists(now) and now - GRACE < self.end_date

    def json(self, fields: Iterable[str] = ()) -> dict[str, Any]:
        """Return the meeting as the API sends it, with the fields that were asked for."""
        wanted = set(fields)
        value: dict[str, Any] = {
            "meetingId": self.meeting_id,
            "roomName": self.room_name,
            "roomUrl": self.room_url,
            # the document's example of a meeting has whole seconds, all others have milliseconds
            "startDate": iso_seconds(self.start_date),
            "endDate": iso_seconds(self.end_date),
        }
        if "hostRoomUrl" in wanted:
            value["hostRoomUrl"] = f"{self.room_url}?roomKey={self.host_key}"
        if "viewerRoomUrl" in wanted:
            value["viewerRoomUrl"] = f"{self.room_url}?roomKey={self.viewer_key}"
        # https://docs.whereby.com/whereby-product-features/dial-in
        if "dialIn" in wanted and self.request.get("isDialInEnabled"):
            number = {"countryCode": "US", "phoneNumber": "111-867-5309"}
            value["roomPreferences"] = {"dialIn": True}
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
        """Return the recording as the API sends it."""
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
        """Return whether the job has ended, well or badly."""
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
        return f"{file_stem(self.room_name, self.start_date)}.md"

    def state(self, now: datetime) -> str:
        """Return `in_progress`, `ready` or `failed`."""
        if not self.done(now):
            return "in_progress"
        return "ready" if self.failure is None else "failed"

    def json(self, now: datetime) -> dict[str, Any]:
        """Return the transcription as the API sends it."""
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
        """Return whether the job has ended; it waits for its transcription."""
        return super().done(now) and self.transcription.done(now)

    def state(self, now: datetime) -> str:
        """Return `in_progress`, `completed` (the document's word) or `failed`."""
        if not self.done(now):
            return "in_progress"
        failed = self.failure is not None or self.transcription.failure is not None
        return "failed" if failed else "completed"

    def json(self, now: datetime) -> dict[str, Any]:
        """Return the summary as the API sends it."""
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
        """Return the insights as the API sends them."""
        return self.values | self.extra


@attrs.define(kw_only=True, eq=False)
class RoomSession(Record):
    """The insights of one session of a room; `values` is its JSON."""

    values: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """Return the insights as the API sends them."""
        return self.values | self.extra


@attrs.define(kw_only=True, eq=False)
class Participant(Record):
    """A participant of a session; `values` is its JSON, `details` that of each of its visits."""

    values: dict[str, Any]
    details: list[dict[str, Any]]

    def json(self) -> dict[str, Any]:
        """Return the participant as the API lists it."""
        return self.values | self.extra
