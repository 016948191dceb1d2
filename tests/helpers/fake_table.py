"""Requests to every operation with every documented parameter, and the status they get."""

# one request a line reads better than one in ten lines
# ruff: noqa: E501

from __future__ import annotations

from typing import Any, NamedTuple

from whereby_api_client.testing import FakeWhereby

from .fake_clients import END
from .wire_table import S3

PNG = b"\x89PNG\r\n\x1a\n\x00\x01--\r\n"


class Row(NamedTuple):
    """One request; `{…}` in it stands for the id of something that `furnished` put there."""

    operation: str
    method: str
    target: str
    status: int = 200
    json: Any = None
    image: bytes | None = None


def furnished() -> FakeWhereby:
    """Make a fake that holds one of everything, under known ids."""
    fake = FakeWhereby(seed=7, limit=None)
    recording = fake.add_recording(recording_id="rec", room_name="/room a", room_session_id="ses")
    transcription = fake.add_transcription(transcription_id="tra", recording=recording)
    fake.add_summary(summary_id="sum", transcription=transcription)
    fake.add_room_session("/room a", "ses")
    fake.add_participant("ses", "par", external_id="ext")
    return fake


CREATE = {
    "endDate": END,
    "startDate": END,
    "isLocked": True,
    "roomMode": "group",
    "roomNamePrefix": "example-prefix",
    "roomNamePattern": "human-short",
    "templateType": "viewerMode",
    "recording": {
        "type": "cloud",
        "destination": S3,
        "startTrigger": "automatic",
    },
    "liveTranscription": {
        "destination": {"provider": "s3", "authenticationType": "roleBased", "bucket": "b", "oidcRoleArn": "arn"},
        "startTrigger": "manual",
        "language": "pt-BR",
        "liveCaptions": True,
    },
    "streaming": {"destination": {"url": "rtmp://a.example/live2/"}, "startTrigger": "prompt"},
    "fields": ["hostRoomUrl", "viewerRoomUrl"],
}  # fmt: skip

ROWS = [
    Row("meetings.create", "POST", "/meetings", 201, {"endDate": END}),
    Row("meetings.create", "POST", "/meetings", 201, CREATE),
    Row("meetings.create", "POST", "/meetings", 201, {"endDate": END, "recording": {"type": "none", "destination": None, "startTrigger": None}}),
    Row("meetings.list", "GET", "/meetings"),
    Row("meetings.list", "GET", "/meetings?roomName%5BstartsWith%5D=%2Fno-such-prefix"),
    Row("meetings.list", "GET", "/meetings?limit=1&fields=hostRoomUrl,viewerRoomUrl"),
    Row("meetings.list", "GET", "/meetings?limit=1&fields=hostRoomUrl%2CviewerRoomUrl"),
    Row("meetings.list", "GET", "/meetings?cursor=nobody-gave-this-out", 400),
    Row("meetings.get", "GET", "/meetings/{meeting}"),
    Row("meetings.get", "GET", "/meetings/{meeting}?fields=hostRoomUrl"),
    Row("meetings.get", "GET", "/meetings/none", 404),
    Row("meetings.delete", "DELETE", "/meetings/{meeting}", 204),
    Row("meetings.delete", "DELETE", "/meetings/none", 204),
    Row("recordings.list", "GET", "/recordings"),
    Row("recordings.list", "GET", "/recordings?roomName=%2Froom%20a&sortBy=roomName%3Aasc&limit=100"),
    Row("recordings.list", "GET", "/recordings?sortBy=duration:desc"),
    Row("recordings.list", "GET", "/recordings?sortBy=filename:asc", 400),
    Row("recordings.list", "GET", "/recordings?cursor=x", 400),
    Row("recordings.get", "GET", "/recordings/rec"),
    Row("recordings.get", "GET", "/recordings/none", 404),
    Row("recordings.delete", "DELETE", "/recordings/rec", 204),
    Row("recordings.bulk_delete", "POST", "/recordings/bulk-delete", 204, {"recordingIds": ["rec", "none"]}),
    Row("recordings.bulk_delete", "POST", "/recordings/bulk-delete", 400, {"recordingIds": "rec"}),
    Row("recordings.get_access_link", "GET", "/recordings/rec/access-link"),
    Row("recordings.get_access_link", "GET", "/recordings/rec/access-link?validForSeconds=43200"),
    Row("recordings.get_access_link", "GET", "/recordings/rec/access-link?validForSeconds=43201", 400),
    Row("recordings.get_access_link", "GET", "/recordings/none/access-link", 404),
    Row("transcriptions.create", "POST", "/transcriptions", 201, {"recordingId": "rec"}),
    Row("transcriptions.create", "POST", "/transcriptions", 404, {"recordingId": "none"}),
    Row("transcriptions.create", "POST", "/transcriptions", 400, {}),
    Row("transcriptions.list", "GET", "/transcriptions"),
    Row("transcriptions.list", "GET", "/transcriptions?roomName=room+a&limit=1&sortBy=durationInSeconds:asc"),
    Row("transcriptions.list", "GET", "/transcriptions?cursor=x", 400),
    Row("transcriptions.get", "GET", "/transcriptions/tra"),
    Row("transcriptions.get", "GET", "/transcriptions/none", 404),
    Row("transcriptions.delete", "DELETE", "/transcriptions/tra", 204),
    Row("transcriptions.bulk_delete", "POST", "/transcriptions/bulk-delete", 204, {"transcriptionIds": ["tra"]}),
    Row("transcriptions.get_access_link", "GET", "/transcriptions/tra/access-link?validForSeconds=1"),
    Row("transcriptions.get_access_link", "GET", "/transcriptions/tra/access-link?validForSeconds=0", 400),
    Row("transcriptions.get_access_link", "GET", "/transcriptions/none/access-link", 404),
    Row("summaries.create", "POST", "/summaries", 201, {"transcriptionId": "tra"}),
    Row("summaries.create", "POST", "/summaries", 201, {"transcriptionId": "tra", "template": "Extended SOAP"}),
    Row("summaries.create", "POST", "/summaries", 400, {"transcriptionId": "tra", "template": "Haiku"}),
    Row("summaries.create", "POST", "/summaries", 404, {"transcriptionId": "none"}),
    Row("summaries.list", "GET", "/summaries"),
    Row("summaries.list", "GET", "/summaries?sortBy=startDate:desc&limit=1"),
    Row("summaries.list", "GET", "/summaries?cursor=x", 400),
    Row("summaries.get", "GET", "/summaries/sum"),
    Row("summaries.get", "GET", "/summaries/none", 404),
    Row("summaries.delete", "DELETE", "/summaries/sum", 204),
    Row("rooms.set_colors", "PUT", "/rooms/room%20a/theme/tokens", 204, {"tokensPreset": "custom", "tokens": {"colors": {"primary": "#aAbB01", "secondary": "#000000", "focus": "#ffffff"}}}),
    Row("rooms.set_colors", "PUT", "/rooms/room%20a/theme/tokens", 400, {"tokens": {"colors": {"primary": "red"}}}),
    Row("rooms.set_logo", "PUT", "/rooms/room%20a/theme/logo", 204, image=PNG),
    Row("rooms.set_logo", "PUT", "/rooms/room%20a/theme/logo", 204, {"theme": "default"}),
    Row("rooms.set_logo", "PUT", "/rooms/room%20a/theme/logo", 400, {"theme": "mountains"}),
    Row("rooms.set_background", "PUT", "/rooms/room%20a/theme/room-background", 204, image=PNG),
    Row("rooms.set_background", "PUT", "/rooms/room%20a/theme/room-background", 204, {"palette": "burgund", "theme": "rocks"}),
    Row("rooms.set_background", "PUT", "/rooms/room%20a/theme/room-background", 400, image=b"x" * 600_001),
    Row("rooms.set_knock_page_background", "PUT", "/rooms/room%20a/theme/room-knock-page-background", 204, image=PNG),
    Row("rooms.set_knock_page_background", "PUT", "/rooms/room%20a/theme/room-knock-page-background", 204, {"palette": "grey", "theme": "characters"}),
    Row("insights.list_rooms", "GET", "/insights/rooms"),
    Row("insights.list_rooms", "GET", "/insights/rooms?roomName[exact]=/room%20a&sortBy=totalSessions:asc&limit=30"),
    Row("insights.list_rooms", "GET", "/insights/rooms?createdAt[from]=2020-01-01T00:00:00.000Z&createdAt%5Bto%5D=2098-01-01T00:00:00Z"),
    Row("insights.list_rooms", "GET", "/insights/rooms?createdAt[from]=yesterday", 400),
    Row("insights.list_rooms", "GET", "/insights/rooms?roomName=x"),
    Row("insights.list_rooms", "GET", "/insights/rooms?roomName[like]=x"),
    Row("insights.list_rooms", "GET", "/insights/rooms?cursor=x", 400),
    Row("insights.list_room_sessions", "GET", "/insights/room-sessions?roomName=%2Froom+a&roomSessionId=ses&sortBy=totalUniqueParticipants:asc&limit=1"),
    Row("insights.list_room_sessions", "GET", "/insights/room-sessions", 400),
    Row("insights.list_room_sessions", "GET", "/insights/room-sessions?roomName=x&cursor=x", 400),
    Row("insights.list_participants", "GET", "/insights/participants?roomSessionId=ses&sortBy=joinedAt:asc&limit=1"),
    Row("insights.list_participants", "GET", "/insights/participants?externalId=ext&sortBy=leftAt:desc"),
    Row("insights.list_participants", "GET", "/insights/participants", 400),
    Row("insights.list_participants", "GET", "/insights/participants?externalId=ext&cursor=x", 400),
    Row("insights.get_participant", "GET", "/insights/participant?roomSessionId=ses&participantId=par"),
    Row("insights.get_participant", "GET", "/insights/participant?roomSessionId=ses&participantId=none"),
    Row("insights.get_participant", "GET", "/insights/participant?roomSessionId=ses", 400),
    Row("insights.get_participant", "GET", "/insights/participant?participantId=par", 400),
]  # fmt: skip
