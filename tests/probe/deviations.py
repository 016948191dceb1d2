"""Deviations of an API from its document, planted one at a time; each names what must be found."""

# a deviation a line reads better
# ruff: noqa: E501

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import attrs
import httpx

from whereby_api_client.testing import FakeWhereby


@attrs.define
class Response:
    """A response that a deviation may change."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()


Change = Callable[[Response], None]


class Deviation(NamedTuple):
    """A change of the responses of one operation, and the finding that names it."""

    kind: str
    operation: str
    where: str
    change: Change | None = None
    changes: str = ""
    """The operation whose responses change, where it is not `operation`; `*` is any."""
    options: dict[str, Any] | None = None
    """Of the fake, where it can deviate by itself."""
    write: bool = False


class Deviating(httpx.AsyncBaseTransport):
    """A fake whose responses are changed on their way."""

    def __init__(self, fake: FakeWhereby, operation: str, change: Change) -> None:
        self._fake = fake
        self._inner = fake.transport()
        self._operation = operation
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, and change the response."""
        original = await self._inner.handle_async_request(request)
        body = await original.aread()
        headers = {name.lower(): value for name, value in original.headers.items()}
        response = Response(original.status_code, headers, body)
        if self._operation in ("*", self._fake.requests[-1].operation):
            self._change(response)
        response.headers["content-length"] = str(len(response.body))
        return httpx.Response(
            response.status, headers=list(response.headers.items()), content=response.body
        )


# ------------------------------------------------------------------------------------ changes


def items(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Change each item of a page, or the one object of another success."""

    def apply(response: Response) -> None:
        if response.status >= 300 or not response.body:
            return
        value = response.json
        rows = value if isinstance(value, list) else value.get("results", [value])
        for item in rows:
            change(item)
        response.json = value

    return apply


def put(name: str, value: Any) -> Change:
    """Replace or add a field of each item."""
    return items(lambda item: item.__setitem__(name, value))


def drop(name: str) -> Change:
    """Remove a field of each item."""
    return items(lambda item: item.pop(name, None))


def text(name: str, old: str, new: str) -> Change:
    """Replace a part of a text field of each item."""
    return items(lambda item: item.__setitem__(name, item[name].replace(old, new)))


def header(name: str, value: str | None) -> Change:
    """Replace, add or remove a header."""

    def apply(response: Response) -> None:
        response.headers.pop(name, None)
        if value is not None:
            response.headers[name] = value

    return apply


def raw(old: bytes, new: bytes) -> Change:
    """Replace bytes of a success's body."""

    def apply(response: Response) -> None:
        if response.status < 300:
            response.body = response.body.replace(old, new)

    return apply


def error(body: bytes, kind: str = "application/json") -> Change:
    """Replace the bodies of errors."""

    def apply(response: Response) -> None:
        if response.status >= 400:
            response.body = body
            response.headers["content-type"] = kind

    return apply


def status(old: int, new: int, body: bytes | None = None) -> Change:
    """Replace a status."""

    def apply(response: Response) -> None:
        if response.status == old:
            response.status = new
            response.body = response.body if body is None else body

    return apply


def page(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Change a page."""

    def apply(response: Response) -> None:
        if response.status == 200:
            value = response.json
            change(value)
            response.json = value

    return apply


def always(result: dict[str, Any]) -> Change:
    """Return an item whatever the filter."""
    return page(lambda value: value["results"] or value["results"].append(result))


def seconds(value: dict[str, Any]) -> None:
    """Write the expiry of a link in seconds."""
    value["expires"] = value["expires"] // 1000


MEETING = {
    "meetingId": "1",
    "roomName": "/a",
    "roomUrl": "https://subdomain.whereby.com/a",
    "hostRoomUrl": "https://subdomain.whereby.com/a?roomKey=k",
    "viewerRoomUrl": "https://subdomain.whereby.com/a?roomKey=k",
    "startDate": "2025-01-01T00:00:00Z",
    "endDate": "2025-01-01T00:00:00Z",
}

DEVIATIONS = [
    # headers and their forms
    Deviation("header-missing", "*", "header x-ratelimit-reset", header("x-ratelimit-reset", None), "*"),
    Deviation("header-missing", "*", "header x-ratelimit-limit", options={"headers": "limited"}),
    Deviation("header-form", "*", "header x-ratelimit-reset", options={"reset": "iso"}),
    Deviation("header-form", "*", "header x-ratelimit-reset", options={"reset": "epoch"}),
    Deviation("header-form", "*", "header x-ratelimit-remaining", header("x-ratelimit-remaining", "12;w=60"), "*"),
    Deviation("header-unknown", "*", "header ratelimit-policy", header("ratelimit-policy", "1000;w=60"), "*"),
    # real prices
    Deviation("price", "insights.list_rooms", "points", options={"prices": {"insights.list_rooms": 7}}),
    Deviation("price", "meetings.create", "points", options={"prices": {"meetings.create": 5}}, write=True),
    Deviation("price", "meetings.get", "points", options={"prices": {"meetings.get": 2}}),
    # fields
    Deviation("field-unknown", "recordings.list", "body.results[].codecName", put("codecName", "av1")),
    Deviation("field-unknown", "summaries.get", "body.[name withheld]", put("K3Y with data", 1)),
    Deviation("field-missing", "transcriptions.get", "body.createdAt", drop("createdAt")),
    Deviation("field-null", "recordings.get", "body.recordingId", put("recordingId", None)),
    Deviation("field-type", "insights.list_room_sessions", "body.results[].totalParticipantMinutes", put("totalParticipantMinutes", "60")),
    Deviation("number-form", "insights.list_rooms", "body.results[].totalSessions", items(lambda item: item.__setitem__("totalSessions", float(item["totalSessions"])))),
    Deviation("enum-value", "transcriptions.list", "body.results[].state", put("state", "value of tomorrow")),
    Deviation("room-name", "recordings.list", "body.results[].roomName", text("roomName", "/", "")),
    Deviation("room-url", "meetings.list", "body.results[].roomUrl", text("roomUrl", "whereby.com", "whereby.example")),
    Deviation("file-name", "recordings.get", "body.filename", put("filename", "recording.mp4")),
    # dates
    Deviation("date-form", "recordings.list", "body.results[].startDate", text("startDate", "Z", "+00:00")),
    Deviation("date-form", "insights.list_participants", "body.results[].joinedAt", text("joinedAt", "T", " ")),
    Deviation("date-form", "insights.get_participant", "body[].timeStamp", put("timeStamp", 1735689600000)),
    # bodies
    Deviation("not-json", "summaries.list", "body", raw(b"{", b"<")),
    Deviation("content-type", "meetings.list", "content type", header("content-type", "text/html")),
    Deviation("error-body", "*", "body of the error", error(b'{"message":"no"}'), "*"),
    Deviation("error-body", "*", "body of the error", error(b"<p>no", "text/html"), "*"),
    Deviation("status", "meetings.get", "status: a meeting that does not exist", status(404, 400)),
    Deviation("status", "insights.list_participants", "status", status(200, 202)),
    # pages, filters, fields, links
    Deviation("cursor", "recordings.list", "body.results".replace("results", "cursor"), page(lambda value: value.__setitem__("cursor", ""))),
    Deviation("cursor", "recordings.list", "body.cursor", page(lambda value: value.pop("cursor"))),
    Deviation("page-size", "recordings.list", "body.results", page(lambda value: value["results"].extend(value["results"] * 2))),
    Deviation("filter", "meetings.list", "query roomName[startsWith]", always(MEETING)),
    Deviation("filter", "recordings.list", "query roomName", page(lambda value: value["results"] or value["results"].append({"recordingId": "r", "roomName": "/a"}))),
    Deviation("fields", "meetings.list", "body.results[].hostRoomUrl", drop("hostRoomUrl")),
    Deviation("link-expires", "recordings.get_access_link", "body.expires", page(seconds)),
    Deviation("link-host", "transcriptions.get_access_link", "body.accessLink", page(lambda value: value.__setitem__("accessLink", "https://api.whereby.test/file"))),
    # the prefix rule, and deleting
    Deviation("prefix", "meetings.create", "body.roomName", text("roomName", "apiprobe", "apiprobe-"), write=True),
    Deviation("prefix", "meetings.create", "body.roomName", text("roomName", "apiprobe", "ApiProbe"), write=True),
    Deviation("delete", "meetings.get", "status: the deleted meeting", status(404, 200, json.dumps(MEETING).encode()), write=True),
]  # fmt: skip
