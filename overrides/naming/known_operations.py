"""The operations that callers know already: a new operation never takes one of their names."""

from __future__ import annotations

_PATHS = {
    "/insights/participant": "get",
    "/insights/participants": "get",
    "/insights/room-sessions": "get",
    "/insights/rooms": "get",
    "/meetings": "get post",
    "/meetings/{meetingId}": "delete get",
    "/recordings": "get",
    "/recordings/bulk-delete": "post",
    "/recordings/{recordingId}": "delete get",
    "/recordings/{recordingId}/access-link": "get",
    "/rooms/{roomName}/theme/logo": "put",
    "/rooms/{roomName}/theme/room-background": "put",
    "/rooms/{roomName}/theme/room-knock-page-background": "put",
    "/rooms/{roomName}/theme/tokens": "put",
    "/summaries": "get post",
    "/summaries/{summaryId}": "delete get",
    "/transcriptions": "get post",
    "/transcriptions/bulk-delete": "post",
    "/transcriptions/{transcriptionId}": "delete get",
    "/transcriptions/{transcriptionId}/access-link": "get",
}

KNOWN_OPERATIONS = tuple(
    f"/paths/{path.replace('/', '~1')}/{method}"
    for path, methods in _PATHS.items()
    for method in methods.split()
)
