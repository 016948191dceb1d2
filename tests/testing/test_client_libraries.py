"""How clients in eight languages call the API, on the wire; and the known requests by our own SDK.

The table is in our own words: what such clients do differently is how they write headers, dates,
arrays, empty bodies, chunks and forms. The fake must understand each of them.
"""

# a request a line reads better
# ruff: noqa: E501

from __future__ import annotations

import json
import re
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from whereby_api_client import WherebyClient
from whereby_api_client.testing import FakeWhereby

from ..helpers.fake_clients import GONE
from ..helpers.fake_table import PNG


class Pattern(NamedTuple):
    """A request as it stands on the wire, but for `Host` and the length of the body."""

    client: str
    line: str
    headers: tuple[str, ...] = ()
    body: bytes = b""
    status: int = 200
    chunked: bool = False


TOKEN = "Authorization: Bearer fake-whereby-token"
JSON = "Content-Type: application/json"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="logo.png"\r\n'
    b"Content-Type: image/png\r\n\r\n" + PNG + b"\r\n--x--\r\n"
)

PATTERNS = [
    # JavaScript, fetch: lower-case names, a date from toISOString
    Pattern("javascript", "POST /v1/meetings", ("authorization: Bearer fake-whereby-token", "content-type: application/json", "accept: */*", "accept-language: *", "sec-fetch-mode: cors", "accept-encoding: gzip, deflate"), b'{"endDate":"2099-01-01T10:00:00.000Z","fields":["hostRoomUrl"]}', 201),
    Pattern("javascript", "GET /v1/meetings/{meeting}?fields=hostRoomUrl", ("authorization: Bearer fake-whereby-token", "content-type: application/json")),
    # JavaScript, axios: a DELETE with an empty JSON body
    Pattern("axios", "DELETE /v1/meetings/{meeting}", (TOKEN, JSON), b"{}", 204),
    # Python, requests: spaces in JSON, isoformat with an offset
    Pattern("python", "POST /v1/meetings", (TOKEN, JSON, "Connection: keep-alive"), b'{"isLocked": true, "roomNamePrefix": "lesson", "endDate": "2099-01-01T10:00:00.123456+00:00", "fields": ["hostRoomUrl", "viewerRoomUrl"]}', 201),
    # PHP, Guzzle: a charset, a slash escaped, unicode escaped
    Pattern("php", "POST /v1/meetings", (TOKEN, "Content-Type: application/json; charset=utf-8"), b'{"endDate":"2099-01-01T10:00:00+01:00","roomNamePrefix":"\\/clinic-","roomMode":"group"}', 201),
    # PHP, curl: a form that asks before it sends
    Pattern("php", "PUT /v1/rooms/clinic/theme/logo", (TOKEN, "Content-Type: multipart/form-data; boundary=x", "Expect: 100-continue"), FORM, 204),
    # Ruby, Net::HTTP: a content type where there is no body; arrays with brackets
    Pattern("ruby", "GET /v1/meetings?fields%5B%5D=hostRoomUrl&fields%5B%5D=viewerRoomUrl&limit=10", (TOKEN, JSON, "Accept: application/json", "Connection: close")),
    # Go, net/http: null for a nil pointer, a zone in the date, chunks for a reader of unknown length
    Pattern("go", "POST /v1/meetings", (TOKEN, JSON, "User-Agent: Go-http-client/1.1"), b'{"endDate":"2099-01-01T10:00:00.123456789-05:00","roomNamePrefix":null,"recording":{"type":"none"}}\n', 201, True),
    # Java, OkHttp: a charset in upper case
    Pattern("java", "POST /v1/recordings/bulk-delete", (TOKEN, "Content-Type: application/json; charset=UTF-8", "Accept-Encoding: gzip"), b'{"recordingIds":["rec","none"]}', 204),
    # C#, HttpClient: seven digits of a second, bare token scheme in lower case
    Pattern("c#", "POST /v1/meetings", ("Authorization: bearer fake-whereby-token", "Content-Type: application/json; charset=utf-8"), b'{"endDate":"2099-01-01T10:00:00.0000000Z","templateType":"viewerMode"}', 201),
    # Rust, reqwest: a comma in a query as it is, a plain room name filter
    Pattern("rust", "GET /v1/meetings?fields=hostRoomUrl,viewerRoomUrl", (TOKEN, "accept: */*")),
    Pattern("rust", "GET /v1/insights/rooms?roomName=/clinic", (TOKEN, "accept: */*")),
    # Elixir and Swift: a target of scheme and host, a path with an encoded slash
    Pattern("elixir", "GET http://{host}/v1/recordings?roomName=%2Fclinic&sortBy=startDate:desc", (TOKEN,)),
    Pattern("swift", "PUT /v1/rooms/%2Fclinic/theme/tokens", (TOKEN, JSON), b'{"tokens":{"colors":{"primary":"#112233"}}}', 204),
]  # fmt: skip


def exchange(connection: socket.socket, host: str, pattern: Pattern, meeting: str) -> str:
    """Send a request as it stands, and return the whole response."""
    line = pattern.line.replace("{meeting}", meeting).replace("{host}", host)
    headers = [f"Host: {host}", *pattern.headers]
    body = pattern.body
    if pattern.chunked:
        headers.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif body:
        headers.append(f"Content-Length: {len(body)}")
    connection.sendall("\r\n".join([f"{line} HTTP/1.1", *headers, "", ""]).encode())
    received = b""
    if any(header.startswith("Expect") for header in pattern.headers):
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 100"), received
        received = b""
    connection.sendall(body)
    while b"\r\n\r\n" not in received or not _whole(received):
        received += connection.recv(65536)
    return received.decode()


def _whole(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return length is None or len(body) >= int(length[1])


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: f"{p.client} {p.line}")
def test_pattern(pattern: Pattern) -> None:
    """Understand the request, doubt nothing of it, and respond in HTTP that any client reads."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="rec", room_name="/clinic")
    fake.add_room_insights("/clinic")
    meeting = fake.add_meeting().meeting_id
    with fake.serve() as url:
        host = url.removeprefix("http://").removesuffix("/v1")
        address, _, port = host.partition(":")
        with socket.create_connection((address, int(port)), timeout=60) as connection:
            response = exchange(connection, host, pattern, meeting)
    sent = fake.requests[0]
    if any(op.startswith(sent.method) and p.fullmatch(sent.path) for op, p in GONE.items()):
        pytest.skip("the document does not have the operation any more")
    assert response.startswith(f"HTTP/1.1 {pattern.status} "), response
    assert fake.requests[0].doubts == []
    if pattern.status != 204:
        assert json.loads(response.partition("\r\n\r\n")[2])


def test_eight_clients() -> None:
    """Cover at least eight clients."""
    assert len({pattern.client for pattern in PATTERNS}) >= 8


END = datetime(2099, 1, 1, 10, tzinfo=UTC)
S3: Any = {"provider": "s3", "bucket": "b", "accessKeyId": "A", "accessKeySecret": "s"}
Call = Callable[[WherebyClient], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "captions only": lambda w: w.meetings.create(end_date=END, live_transcription={"startTrigger": "none", "liveCaptions": True}),
    "prefix null": lambda w: w.meetings.create(end_date=END, room_name_prefix=None, fields=["hostRoomUrl"]),
    "S3 without region": lambda w: w.meetings.create(end_date=END, recording={"type": "cloud", "destination": S3, "startTrigger": "automatic"}),
    "no destination": lambda w: w.meetings.create(end_date=END, recording={"type": "none"}),
    "slash and 39 characters": lambda w: w.meetings.create(end_date=END, room_name_prefix="/" + "a" * 39),
    "no separator": lambda w: w.meetings.create(end_date=END, room_name_prefix="eigo"),
    "filter of rooms": lambda w: w.insights.list_rooms(room_name={"exact": "/standup"}),
    "slash in a path": lambda w: w.rooms.set_logo("/standup", image=PNG),
    "prefix filter of meetings": lambda w: w.meetings.list(room_name={"startsWith": "/no-such"}),
}  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize("name", CALLS)
async def test_known_requests_by_our_client(name: str) -> None:
    """Accept the known requests from our own client without a doubt."""
    fake = FakeWhereby()
    async with fake.client() as whereby:
        await CALLS[name](whereby)
    assert fake.requests[0].doubts == []
