"""The natural ways to handle an absent field, and arguments that are left out: all of them narrow.

Read by mypy --strict and pyright, never run.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from whereby_api_client import UNSET, Unset, WherebyClient
from whereby_api_client.models import (
    CreatedTranscription,
    Meeting,
    MeetingField,
    MeetingLiveTranscription,
    MeetingRecording,
    MeetingRecordingDict,
    Recording,
    RoomMode,
    Transcription,
    TranscriptionState,
)


def default_by_or(meeting: Meeting) -> str:
    """`or` takes the None away."""
    return assert_type(meeting.host_room_url or "", str)


def if_not(meeting: Meeting) -> str:
    """`if not` narrows what comes after it."""
    if not meeting.room_name:
        return "no name"
    return assert_type(meeting.room_name, str)


def is_none(recording: Recording) -> datetime:
    """`is None` narrows."""
    if recording.start_date is None:
        return datetime.max
    return assert_type(recording.start_date, datetime)


def by_assert(meeting: Meeting) -> str:
    """`assert` narrows."""
    assert meeting.host_room_url
    return assert_type(meeting.host_room_url, str)


def by_is_not_none(meeting: Meeting) -> str:
    """`is not None` in an expression narrows."""
    return meeting.viewer_room_url if meeting.viewer_room_url is not None else meeting.room_url


def by_walrus(meeting: Meeting) -> int:
    """`:=` narrows."""
    return len(name) if (name := meeting.room_name) else 0


def promised(meeting: Meeting, transcription: Transcription) -> None:
    """What the document promises has no None."""
    assert_type(meeting.meeting_id, str)
    assert_type(meeting.end_date, datetime)
    assert_type(transcription.state, TranscriptionState)


def left_out(name: str | Unset = UNSET, size: int | Unset | None = UNSET) -> str:
    """Functions around ours can have the same default; `is`, `not` and `isinstance` narrow."""
    if name is UNSET:
        name = "/room"
    assert_type(name, str)
    if isinstance(size, Unset):
        return name
    assert_type(size, int | None)
    return name


def falsy(name: str | Unset = UNSET) -> str:
    """UNSET is always false."""
    return assert_type(name or "/room", str)


async def arguments(whereby: WherebyClient, end: datetime, meeting: Meeting) -> None:
    """Members, listed strings, unlisted strings, models and dicts are arguments."""
    await whereby.meetings.create(end_date=end, room_mode="group")
    await whereby.meetings.create(end_date=end, room_mode=next(iter(RoomMode)))
    await whereby.meetings.create(end_date=end, room_mode="something-new")
    await whereby.meetings.create(
        end_date=end, room_name_prefix=None, fields=["hostRoomUrl", MeetingField("new")]
    )
    recording: MeetingRecordingDict = {"type": "cloud", "destination": {"provider": "whereby"}}
    await whereby.meetings.create(end_date=end, recording=recording)
    await whereby.meetings.create(end_date=end, recording=MeetingRecording(type_="none"))
    captions = MeetingLiveTranscription(start_trigger="none", live_captions=True)
    await whereby.meetings.create(end_date=end, live_transcription=captions)
    await whereby.meetings.delete(meeting)
    assert_type(await whereby.meetings.get(meeting.meeting_id), Meeting)
    whereby.meetings.list(room_name="/customer")
    whereby.insights.list_rooms(room_name="/x", created_at={"from": end})


async def ids(whereby: WherebyClient, recording: Recording, job: CreatedTranscription) -> None:
    """Where an id goes, its model goes."""
    assert_type(await whereby.transcriptions.create(recording_id=recording), CreatedTranscription)
    await whereby.transcriptions.get(job)
    await whereby.recordings.bulk_delete(recording_ids=[recording, "r2"])
    await whereby.recordings.delete(recording)
