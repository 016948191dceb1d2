"""Every operation as a caller writes it, and the request that must arrive."""

# ruff: noqa: E501 - one call a line reads better

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from attrs import field, frozen

from whereby_api_client.models import (
    MeetingField,
    MeetingLiveTranscription,
    MeetingLiveTranscriptionDestination,
    RoomColors,
    RoomNameFilter,
    RoomTokens,
)

from .documents import operations

PNG = b"\x89PNG\r\n\x1a\n" + b"the rest of an image, holding \r\n--+++\r\n and \x00\xff"
END = datetime(2030, 5, 7, 17, 42, 49, tzinfo=timezone(-timedelta(hours=5)))


@frozen
class Case:
    """A call and the request that it must send; `image` stands for one uploaded file."""

    operation: str
    call: Callable[[Any], Awaitable[Any]]  # untyped: an update can remove the operation
    method: str
    target: str
    json: Any = None
    image: tuple[str, str, bytes] | None = None
    points: int = field(kw_only=True)


S3 = {
    "provider": "s3",
    "authenticationType": "accessKey",
    "bucket": "b",
    "region": "eu-west-1",
    "accessKeyId": "id",
    "accessKeySecret": "secret",
    "fileFormat": "mp4",
}

TABLE = [
    Case("meetings.create", lambda w: w.meetings.create(end_date=END), "POST", "/v1/meetings", json={"endDate": "2030-05-07T17:42:49-05:00"}, points=3),
    Case(
        "meetings.create",
        lambda w: w.meetings.create(
            end_date=END,
            start_date=datetime(2030, 1, 1, tzinfo=UTC),
            is_locked=True,
            room_mode="group",
            room_name_prefix="team-a",
            room_name_pattern="human-short",
            template_type="viewerMode",
            recording={"type": "cloud", "destination": S3, "startTrigger": None},
            live_transcription=MeetingLiveTranscription(destination=MeetingLiveTranscriptionDestination(provider="whereby"), start_trigger="automatic", language="en", live_captions=False),
            streaming={"destination": {"url": "rtmp://host/live2/"}, "startTrigger": "none"},
            fields=[MeetingField.HOSTROOMURL, "viewerRoomUrl"],
            extra_body={"isDialInEnabled": True},
        ),
        "POST",
        "/v1/meetings",
        json={
            "endDate": "2030-05-07T17:42:49-05:00",
            "startDate": "2030-01-01T00:00:00Z",
            "isLocked": True,
            "roomMode": "group",
            "roomNamePrefix": "team-a",
            "roomNamePattern": "human-short",
            "templateType": "viewerMode",
            "recording": {"type": "cloud", "destination": S3, "startTrigger": None},
            "liveTranscription": {"destination": {"provider": "whereby"}, "startTrigger": "automatic", "language": "en", "liveCaptions": False},
            "streaming": {"destination": {"url": "rtmp://host/live2/"}, "startTrigger": "none"},
            "fields": ["hostRoomUrl", "viewerRoomUrl"],
            "isDialInEnabled": True,
        },
        points=3,
    ),
    Case(
        "meetings.create",
        lambda w: w.meetings.create(end_date=END, room_name_prefix=None, recording={"type": "none"}, live_transcription=MeetingLiveTranscription(start_trigger="none", live_captions=True), fields="hostRoomUrl"),
        "POST",
        "/v1/meetings",
        json={"endDate": "2030-05-07T17:42:49-05:00", "roomNamePrefix": None, "recording": {"type": "none"}, "liveTranscription": {"startTrigger": "none", "liveCaptions": True}, "fields": ["hostRoomUrl"]},
        points=3,
    ),
    Case("meetings.list", lambda w: w.meetings.list(), "GET", "/v1/meetings", points=1),
    Case(
        "meetings.list",
        lambda w: w.meetings.list(cursor="a b&c/=é", limit=100, fields=["hostRoomUrl", "viewerRoomUrl", MeetingField("dialIn")], extra_query={"new": "x y"}),
        "GET",
        "/v1/meetings?cursor=a%20b%26c%2F%3D%C3%A9&limit=100&fields=hostRoomUrl,viewerRoomUrl,dialIn&new=x%20y",
        points=1,
    ),
    Case("meetings.list", lambda w: w.meetings.list(room_name="customer a"), "GET", "/v1/meetings?roomName%5BstartsWith%5D=%2Fcustomer%20a", points=1),
    Case("meetings.get", lambda w: w.meetings.get("a/b ?#é", fields=[MeetingField.HOSTROOMURL]), "GET", "/v1/meetings/a%2Fb%20%3F%23%C3%A9?fields=hostRoomUrl", points=1),
    Case("meetings.delete", lambda w: w.meetings.delete("m1"), "DELETE", "/v1/meetings/m1", points=2),
    Case(
        "recordings.list",
        lambda w: w.recordings.list(room_name="room", cursor="c", limit=1, sort_by="sizeInMegaBytes:desc"),
        "GET",
        "/v1/recordings?roomName=%2Froom&cursor=c&limit=1&sortBy=sizeInMegaBytes%3Adesc",
        points=1,
    ),
    Case("recordings.get", lambda w: w.recordings.get("r1"), "GET", "/v1/recordings/r1", points=1),
    Case("recordings.delete", lambda w: w.recordings.delete("r1"), "DELETE", "/v1/recordings/r1", points=2),
    Case("recordings.bulk_delete", lambda w: w.recordings.bulk_delete(recording_ids=["r1", "r2"]), "POST", "/v1/recordings/bulk-delete", json={"recordingIds": ["r1", "r2"]}, points=3),
    Case("recordings.get_access_link", lambda w: w.recordings.get_access_link("r1", valid_for_seconds=43200), "GET", "/v1/recordings/r1/access-link?validForSeconds=43200", points=1),
    Case("transcriptions.create", lambda w: w.transcriptions.create(recording_id="r1"), "POST", "/v1/transcriptions", json={"recordingId": "r1"}, points=3),
    Case(
        "transcriptions.list",
        lambda w: w.transcriptions.list(room_name="/room", cursor="c", limit=2, sort_by="startDate:asc"),
        "GET",
        "/v1/transcriptions?roomName=%2Froom&cursor=c&limit=2&sortBy=startDate%3Aasc",
        points=1,
    ),
    Case("transcriptions.get", lambda w: w.transcriptions.get("t1"), "GET", "/v1/transcriptions/t1", points=1),
    Case("transcriptions.delete", lambda w: w.transcriptions.delete("t1"), "DELETE", "/v1/transcriptions/t1", points=2),
    Case("transcriptions.bulk_delete", lambda w: w.transcriptions.bulk_delete(transcription_ids=("t1",)), "POST", "/v1/transcriptions/bulk-delete", json={"transcriptionIds": ["t1"]}, points=3),
    Case("transcriptions.get_access_link", lambda w: w.transcriptions.get_access_link("t1", valid_for_seconds=1), "GET", "/v1/transcriptions/t1/access-link?validForSeconds=1", points=1),
    Case("summaries.create", lambda w: w.summaries.create(transcription_id="t1", template="General Narrative"), "POST", "/v1/summaries", json={"transcriptionId": "t1", "template": "General Narrative"}, points=3),
    Case("summaries.list", lambda w: w.summaries.list(cursor="c", limit=3, sort_by="roomName:asc"), "GET", "/v1/summaries?cursor=c&limit=3&sortBy=roomName%3Aasc", points=1),
    Case("summaries.get", lambda w: w.summaries.get("s1"), "GET", "/v1/summaries/s1", points=1),
    Case("summaries.delete", lambda w: w.summaries.delete("s1"), "DELETE", "/v1/summaries/s1", points=2),
    Case(
        "rooms.set_colors",
        lambda w: w.rooms.set_colors("/a/b room?#ü..x", tokens=RoomTokens(colors=RoomColors(primary="#112233", secondary="#445566", focus="#778899")), tokens_preset="custom"),
        "PUT",
        "/v1/rooms/a%2Fb%20room%3F%23%C3%BC..x/theme/tokens",
        json={"tokens": {"colors": {"primary": "#112233", "secondary": "#445566", "focus": "#778899"}}, "tokensPreset": "custom"},
        points=3,
    ),
    Case("rooms.set_logo", lambda w: w.rooms.set_logo("room", image=PNG), "PUT", "/v1/rooms/room/theme/logo", image=("image", "image/png", PNG), points=3),
    Case("rooms.set_logo", lambda w: w.rooms.set_logo("/room", theme="default"), "PUT", "/v1/rooms/room/theme/logo", json={"theme": "default"}, points=3),
    Case("rooms.set_background", lambda w: w.rooms.set_background("room", image=PNG), "PUT", "/v1/rooms/room/theme/room-background", image=("image", "image/png", PNG), points=3),
    Case("rooms.set_background", lambda w: w.rooms.set_background("room", palette="grey", theme="rocks"), "PUT", "/v1/rooms/room/theme/room-background", json={"palette": "grey", "theme": "rocks"}, points=3),
    Case("rooms.set_knock_page_background", lambda w: w.rooms.set_knock_page_background("room", image=PNG), "PUT", "/v1/rooms/room/theme/room-knock-page-background", image=("image", "image/png", PNG), points=3),
    Case(
        "rooms.set_knock_page_background",
        lambda w: w.rooms.set_knock_page_background("room", palette="default", theme="mountains"),
        "PUT",
        "/v1/rooms/room/theme/room-knock-page-background",
        json={"palette": "default", "theme": "mountains"},
        points=3,
    ),
    Case(
        "insights.list_rooms",
        lambda w: w.insights.list_rooms(
            room_name={"exact": "a b", "startsWith": "/a", "contains": "b"}, created_at={"from": datetime(2025, 1, 1, tzinfo=UTC), "to": "2025-05-01T00:01:00.000Z"}, sort_by="totalSessions:asc", cursor="c", limit=30
        ),
        "GET",
        "/v1/insights/rooms?roomName%5Bexact%5D=%2Fa%20b&roomName%5BstartsWith%5D=%2Fa"
        "&roomName%5Bcontains%5D=b&createdAt%5Bfrom%5D=2025-01-01T00%3A00%3A00Z"
        "&createdAt%5Bto%5D=2025-05-01T00%3A01%3A00.000Z&sortBy=totalSessions%3Aasc"
        "&cursor=c&limit=30",
        points=1,
    ),
    Case("insights.list_rooms", lambda w: w.insights.list_rooms(room_name=RoomNameFilter(starts_with="a")), "GET", "/v1/insights/rooms?roomName%5BstartsWith%5D=%2Fa", points=1),
    Case(
        "insights.list_room_sessions",
        lambda w: w.insights.list_room_sessions(room_name="room", room_session_id="s1", sort_by="totalUniqueParticipants:asc", cursor="c", limit=1),
        "GET",
        "/v1/insights/room-sessions?roomName=%2Froom&roomSessionId=s1&sortBy=totalUniqueParticipants%3Aasc&cursor=c&limit=1",
        points=1,
    ),
    Case(
        "insights.list_participants",
        lambda w: w.insights.list_participants(room_session_id="s1", external_id="e/1", sort_by="joinedAt:asc", cursor="c", limit=9),
        "GET",
        "/v1/insights/participants?roomSessionId=s1&externalId=e%2F1&sortBy=joinedAt%3Aasc&cursor=c&limit=9",
        points=1,
    ),
    Case("insights.get_participant", lambda w: w.insights.get_participant(room_session_id="s1", participant_id="/p1"), "GET", "/v1/insights/participant?roomSessionId=s1&participantId=%2Fp1", points=1),
]  # fmt: skip

# what a new document has dropped cannot be called any more
_OPERATIONS = {name for name, _, _ in operations()}
CASES = [case for case in TABLE if case.operation in _OPERATIONS]
