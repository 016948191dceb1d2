"""Changes that Whereby may make to its document, each with what the report has to say of it.

Hand-written, and without a look at the rules of the comparison.
"""

# ruff: noqa: E501 - one change a line reads better

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .override_runs import Json, at, operation, parameter, request_schema

MEETING = "/components/schemas/Meeting"


@dataclass(frozen=True)
class Planted:
    """A change, words that the report must have, whether callers break, whether it is urgent."""

    name: str
    make: Callable[[Json], object]
    words: tuple[str, ...]
    breaking: bool = False
    urgent: bool = False
    stops: bool = False  # an override drifts, or the document is not valid


def _set(pointer: str, key: str, value: object) -> Callable[[Json], object]:
    def make(document: Json) -> None:
        at(document, pointer)[key] = value

    return make


def _delete(pointer: str, key: str) -> Callable[[Json], object]:
    def make(document: Json) -> None:
        del at(document, pointer)[key]

    return make


def _prose(old: str, new: str) -> Callable[[Json], object]:
    def make(document: Json) -> None:
        info = document["info"]
        assert old in info["description"]
        info["description"] = info["description"].replace(old, new)

    return make


def _limit(document: Json) -> Json:
    schema: Json = parameter(document, "GET /meetings", "limit")["schema"]
    return schema


def _room_mode(document: Json) -> Json:
    schema: Json = request_schema(document, "POST /meetings")["properties"]["roomMode"]
    return schema


def _rename_field(document: Json) -> None:
    meeting = at(document, MEETING)
    meeting["properties"]["meetingUrl"] = meeting["properties"].pop("roomUrl")
    meeting["required"] = ["meetingUrl" if n == "roomUrl" else n for n in meeting["required"]]


def _throttle(document: Json) -> Json:
    schema: Json = document["components"]["responses"]["ThrottleError"]
    return schema


def _list_rooms(document: Json) -> None:
    room = {
        "type": "object",
        "properties": {
            "roomId": {"type": "string"},
            "owner": {"type": "object", "properties": {"ownerId": {"type": "string"}}},
        },
    }
    properties: Json = {"results": {"type": "array", "items": room}, "cursor": {"type": "string"}}
    page = {"type": "object", "properties": properties}
    content = {"application/json": {"schema": page}}
    document["paths"]["/rooms"] = {
        "get": {
            "summary": "List rooms",
            "parameters": [{"name": "cursor", "in": "query"}],
            "responses": {"200": {"description": "The rooms.", "content": content}},
        }
    }


GET = "/paths/~1meetings~1{meetingId}/get"
LIST = "/paths/~1meetings/get"
POST = "/paths/~1meetings/post"
SCHEME = "/components/securitySchemes/BearerAuth"

PLANTED = [
    # operations
    Planted("new operation", _list_rooms, ("GET /rooms", "new operation, 1 point: List rooms")),
    Planted("operation gone", _delete("/paths/~1summaries~1{summaryId}", "delete"), ("DELETE /summaries/{summaryId}", "the operation is gone"), breaking=True),
    Planted("deprecated", _set(GET, "deprecated", True), ("GET /meetings/{meetingId}", "deprecated"), urgent=True),
    Planted("callback", _set(POST, "callbacks", {"onEnd": {"{$request.body#/url}": {"post": {"responses": {"200": {"description": ""}}}}}}), ("POST /meetings", "new callback `onEnd`")),
    Planted("an extension", _set(GET, "x-beta", True), ("x-beta: nothing → true",)),
    # authentication
    Planted("another scheme", _set(SCHEME, "scheme", "basic"), ("the authentication: scheme", '"basic"'), breaking=True, urgent=True, stops=True),
    Planted("a text of the authentication", _set(SCHEME, "description", "Every API call needs this token. Rotate it each month."), ("Rotate it each month",)),
    Planted("security repaired", _set(LIST, "security", [{"BearerAuth": []}]), ("published, security: nothing → ", "GET /meetings")),
    Planted("security of an operation", _set(GET, "security", [{"Session": []}]), ("authentication: BearerAuth → Session",), breaking=True, urgent=True),
    Planted("the same security for all operations", lambda d: d.update(security=[{"BearerAuth": []}]), ("the document: authentication: none → BearerAuth",), urgent=True),
    Planted("another security for all operations", lambda d: d.update(security=[{"Session": []}]), ("`meetings.delete` (DELETE /meetings/{meetingId})", "authentication: BearerAuth → Session"), breaking=True, urgent=True),
    Planted("a second way to authenticate", _set(LIST, "security", [{"BearerAuth": []}, {"Session": []}]), ("authentication: BearerAuth → BearerAuth or Session",), urgent=True),
    # servers
    Planted("a second server", lambda d: d["servers"].append({"url": "https://eu.api.whereby.dev/v1"}), ("new server https://eu.api.whereby.dev/v1",)),
    # parameters
    Planted("tighter maximum", lambda d: _limit(d).update(maximum=50), ("parameter `limit` maximum: 100 → 50",), breaking=True),
    Planted("wider maximum", lambda d: _limit(d).update(maximum=500), ("parameter `limit` maximum: 100 → 500",)),
    Planted("new minimum", lambda d: _limit(d).update(minimum=10), ("parameter `limit` minimum: ", "→ 10"), breaking=True),
    Planted("another default", lambda d: _limit(d).update(default=20), ("parameter `limit` default: 50 → 20",)),
    Planted("required parameter", lambda d: parameter(d, "GET /recordings", "roomName").update(required=True), ("parameter `roomName` is required now",), breaking=True),
    Planted("new parameter", lambda d: operation(d, "GET /recordings")["parameters"].append({"name": "order", "in": "query", "schema": {"type": "string"}}), ("new query parameter `order` (string)",)),
    Planted(
        "new required parameter",
        lambda d: operation(d, "GET /recordings")["parameters"].append({"name": "region", "in": "query", "required": True, "schema": {"type": "string"}}),
        ("new required query parameter `region` (string)",),
        breaking=True,
    ),
    Planted("parameter's text", lambda d: parameter(d, "GET /recordings", "roomName").update(description="Only this room."), ("'Only this room.'",)),
    Planted("parameter's example", lambda d: parameter(d, "GET /recordings", "roomName").update(example="/other-room"), ("parameter `roomName`: example", "/other-room")),
    # request bodies
    Planted("new required field in a request", lambda d: request_schema(d, "POST /meetings")["required"].append("roomMode"), ("field `roomMode` is required now",), breaking=True),
    Planted("new field in a request", lambda d: request_schema(d, "POST /meetings")["properties"].update(topic={"type": "string"}), ("new field `topic` (string)",)),
    Planted("stricter pattern", lambda d: request_schema(d, "POST /transcriptions")["properties"]["recordingId"].update(pattern="^.+$"), ("pattern: nothing → ^.+$",), breaking=True),
    Planted("enum value gone", lambda d: _room_mode(d).update(enum=["normal"]), ("no longer has the value 'group'",), breaking=True),
    Planted("enum value added", lambda d: _room_mode(d).update(enum=["normal", "group", "webinar"]), ("has the new value 'webinar'",)),
    Planted(
        "another media type",
        lambda d: operation(d, "POST /meetings")["requestBody"]["content"].update({"application/xml": {"schema": {"type": "string"}}}),
        ("takes application/xml now (string)",),
        stops=True,
    ),
    # responses
    Planted("field renamed", _rename_field, ("`Meeting`: field `roomUrl` is gone (renamed to `meetingUrl`?)", "field `meetingUrl`"), breaking=True),
    Planted("field can be null", lambda d: at(d, MEETING)["properties"]["roomUrl"].update(nullable=True), ("field `roomUrl` can be null now",), breaking=True),
    Planted("read only", lambda d: at(d, MEETING)["properties"]["roomUrl"].update(readOnly=True), ("field `roomUrl` is readOnly",)),
    Planted("write only", lambda d: at(d, MEETING)["properties"]["roomUrl"].update(writeOnly=True), ("field `roomUrl` is writeOnly",), breaking=True),
    Planted("bound of a response", lambda d: at(d, MEETING)["properties"]["roomUrl"].update(maxLength=100), ("field `roomUrl` maxLength: nothing → 100",)),
    Planted(
        "new nested object",
        lambda d: at(d, MEETING)["properties"].update(host={"type": "object", "properties": {"hostId": {"type": "string"}}}),
        ("`Meeting`: new field `host` (MeetingHost)", "`MeetingHost`: new: object"),
    ),
    Planted("new status", _set(f"{GET}/responses", "410", {"description": "Gone."}), ("can respond with 410 now",)),
    Planted("text of the 429", lambda d: _throttle(d).update(description="Slow down, please."), ("the response 429", "'Slow down, please.'"), urgent=True),
    Planted("header of the 429", lambda d: _throttle(d).update(headers={"RateLimit-Policy": {"schema": {"type": "string"}}}), ("the response 429 has the new header RateLimit-Policy",)),
    # prices, limits, texts
    Planted("another price", _prose("a delete consumes 2 points", "a delete consumes 4 points"), ("costs 4 points, not 2", "a delete consumes 2 points", "a delete consumes 4 points"), urgent=True),
    Planted("another budget", _prose("*Build* plans have 100", "*Build* plans have 50"), ("*Build* plans have 100", "*Build* plans have 50"), urgent=True),
    Planted(
        "a deprecation in a text", lambda d: operation(d, "GET /recordings").update(description="This endpoint will be removed in 2027."), ("This endpoint will be removed in 2027.",), urgent=True
    ),
    Planted("an end in a text", lambda d: operation(d, "GET /recordings").update(description="This call is going away."), ("This call is going away.",), urgent=True),
    Planted("a harmless text", lambda d: operation(d, "GET /recordings").update(summary="All recordings"), ("'All recordings'",)),
    Planted("the version", _set("/info", "version", "v1.1"), ("its version: v1 → v1.1",)),
    Planted("a contact", _set("/info", "contact", {"email": "x@y.z"}), ("contact", "x@y.z")),
    Planted("a component that nobody uses", _set("/components", "examples", {"Unused": {"value": 1}}), ("components/examples: Unused",)),
    Planted("a schema that nobody uses", _set("/components/schemas", "Unused", {"type": "object", "properties": {}}), ("`Unused`: new: object",)),
]  # fmt: skip
