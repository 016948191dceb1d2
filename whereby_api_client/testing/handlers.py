"""What each operation of the API does, and the table of the functions that do it.

A handler gets requests that the document allows. It refuses what only the document's prose, or the
state, forbids. CONTRIBUTING.md, *Adding an endpoint to the fake*, says when one is needed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import attrs

from .check import CheckedRequest
from .clock import iso, parse_date_time
from .document import Document
from .messages import HTTPError, Part, Request, Response
from .pages import Pages
from .records import Image, room_name_prefix, slashed
from .samples import Sampler
from .state import Collection, RecordT, State

__all__ = ["HANDLERS", "Call", "Handler", "link_signature"]

# "max 600 kb" in the description of both backgrounds
BACKGROUND_LIMIT = 600_000
# the slash that Whereby puts in front counts
PREFIX_LIMIT = 40
NO_CONTENT = Response(204)


@attrs.frozen
class Call:
    """A request that was routed, paid for and checked."""

    request: Request
    checked: CheckedRequest
    state: State
    pages: Pages
    document: Document

    @property
    def path(self) -> Mapping[str, str]:
        """Return the path's arguments."""
        return self.checked.path

    @property
    def query(self) -> dict[str, Any]:
        """Return the query's values."""
        return self.checked.query

    @property
    def body(self) -> Any:
        """Return the parsed JSON, a list of `Part`, or None."""
        return self.checked.body

    @property
    def now(self) -> datetime:
        """Return the fake's time."""
        return self.state.clock.today()

    def page(self, rows: Any, **options: Any) -> Response:
        """Return a response with one page of the rows."""
        name = self.checked.operation.name
        return self.respond(200, self.pages.page(name, rows, self.query, **options))

    def respond(self, status: int, value: Any) -> Response:
        """Return a JSON response with the fields that the document has, and those of `extra`."""
        schema = self.checked.operation.result
        if schema is not None:
            sampler = Sampler(self.document, iso(self.now))
            value = sampler.fit(schema, value, self.state.extra_fields)
        return Response.json(status, value)


Handler = Callable[[Call], Response]


# ---------------------------------------------------------------------------------------- meetings


def create_meeting(call: Call) -> Response:
    """Create a meeting: `endDate` must not lie in the past."""
    body: dict[str, Any] = call.body
    end_date = parse_date_time(body["endDate"])
    # "the same or after the current date": a date, so earlier today is let through
    if end_date.astimezone(UTC).date() < call.now.date():
        raise HTTPError(400, f"body.endDate: must not be in the past; got {body['endDate']}")
    _check_prefix(call, body.get("roomNamePrefix"))
    for name in ("recording", "liveTranscription"):
        _check_storage(call, body.get(name), f"body.{name}")
    meeting = call.state.add_meeting(end_date=end_date, request=body)
    fields = set(body.get("fields") or ())
    if body.get("templateType") == "viewerMode":
        fields |= {"hostRoomUrl", "viewerRoomUrl"}
    return call.respond(201, meeting.json(fields))


def _check_prefix(call: Call, prefix: str | None) -> None:
    name = room_name_prefix(prefix)
    if len(name) > PREFIX_LIMIT:
        raise HTTPError(
            400,
            f"body.roomNamePrefix: must have at most {PREFIX_LIMIT} characters with its slash;"
            f" got {len(name)}",
        )
    if re.fullmatch(r"/[a-z0-9-]*", name) is None:
        call.checked.doubt("body.roomNamePrefix: has other characters than letters, digits, hyphen")


def _check_storage(call: Call, options: Any, where: str) -> None:
    if options is None:
        return
    destination = options.get("destination")
    if not destination:
        unused = {options.get("type"), options.get("startTrigger")} & {"none", "local"}
        if "destination" not in options and not unused:
            call.checked.doubt(f"{where}.destination: is missing, and may be needed")
        return
    if destination.get("provider") != "s3":
        return
    needed = ["bucket", "region", "accessKeyId", "accessKeySecret"]
    # a role without the type that it needs is sent by clients in production
    if destination.get("authenticationType") == "roleBased" or destination.get("oidcRoleArn"):
        needed = ["bucket", "oidcRoleArn"]
    for name in needed:
        if destination.get(name):
            continue
        message = f"{where}.destination.{name}: is required to store in S3 this way"
        # so are keys without a region
        if name != "region":
            raise HTTPError(400, message)
        call.checked.tolerate(message)


def list_meetings(call: Call) -> Response:
    """List the meetings that have not ended more than an hour ago."""
    fields = call.query.get("fields", ())
    name = _name_filter(call)
    rows = [(meeting.number, meeting.json(fields)) for meeting in call.state.meetings.all()]
    return call.page([row for row in rows if _has_name(row[1], name)])


def get_meeting(call: Call) -> Response:
    """Return a meeting."""
    meeting = _find("meeting", call.state.meetings, call.path["meetingId"])
    return call.respond(200, meeting.json(call.query.get("fields", ())))


def delete_meeting(call: Call) -> Response:
    """Delete a meeting, also one that is not there."""
    return _delete(call, call.state.meetings, [call.path["meetingId"]])


def _find(kind: str, records: Collection[RecordT], key: str) -> RecordT:
    record = records.get(key)
    if record is None:
        raise HTTPError(404, f"there is no {kind} {key!r}")
    return record


def _delete(
    call: Call, records: Collection[Any], keys: Iterable[str], after: float = 0.0
) -> Response:
    for key in keys:
        record = records.get(key)
        if record is not None:
            record.gone_at = call.now + timedelta(seconds=after)
    return NO_CONTENT


# -------------------------------------------------------------------------------------- recordings


def list_recordings(call: Call) -> Response:
    """List the recordings, of one room if asked."""
    rows = [(record.number, record.json()) for record in call.state.recordings.all()]
    return call.page(
        _of_room(call, rows), sortable=("roomName", "startDate", "duration", "sizeInMegaBytes")
    )


def get_recording(call: Call) -> Response:
    """Return a recording."""
    recording = _find("recording", call.state.recordings, call.path["recordingId"])
    return call.respond(200, recording.json())


def delete_recording(call: Call) -> Response:
    """Delete a recording, also one that is not there."""
    return _delete(call, call.state.recordings, [call.path["recordingId"]])


def bulk_delete_recordings(call: Call) -> Response:
    """Schedule the deletion of recordings, whether they exist or not."""
    keys, after = call.body["recordingIds"], call.state.bulk_delete_time
    return _delete(call, call.state.recordings, keys, after)


def get_recording_access_link(call: Call) -> Response:
    """Return the address of a Whereby-hosted recording's file."""
    recording = _find("recording", call.state.recordings, call.path["recordingId"])
    if not recording.hosted:
        raise HTTPError(403, "the recording is not hosted by Whereby: there is no access link")
    return _access_link(call, "recordings", recording.recording_id, recording.filename)


def _of_room(
    call: Call, rows: list[tuple[int, dict[str, Any]]]
) -> list[tuple[int, dict[str, Any]]]:
    room_name = call.query.get("roomName")
    if room_name is None:
        return rows
    return [row for row in rows if slashed(str(row[1].get("roomName"))) == slashed(room_name)]


def _access_link(call: Call, kind: str, key: str, filename: str) -> Response:
    seconds = call.query.get("validForSeconds", 3600)
    expires = int(call.state.clock.now() * 1000) + seconds * 1000
    path = f"/storage/{kind}/{quote(key, safe='')}/{quote(filename, safe='')}"
    link = (
        f"{call.request.origin}{path}?Expires={expires}&Signature={link_signature(path, expires)}"
    )
    return call.respond(200, {"accessLink": link, "expires": expires})


def link_signature(path: str, expires: int) -> str:
    """Return the signature of an access link; it only has to be hard to guess."""
    return hashlib.sha256(f"fake whereby {path} {expires}".encode()).hexdigest()[:40]


# ---------------------------------------------------------------------------------- transcriptions


def create_transcription(call: Call) -> Response:
    """Schedule the transcription of a recording."""
    recording = _find("recording", call.state.recordings, call.body["recordingId"])
    transcription = call.state.add_transcription(recording=recording, job_time=call.state.job_time)
    transcription.failure = call.state.next_failure()
    return call.respond(201, {"transcriptionId": transcription.transcription_id})


def list_transcriptions(call: Call) -> Response:
    """List the transcriptions, of one room if asked."""
    rows = [(record.number, record.json(call.now)) for record in call.state.transcriptions.all()]
    return call.page(_of_room(call, rows), sortable=("roomName", "startDate", "durationInSeconds"))


def get_transcription(call: Call) -> Response:
    """Return a transcription."""
    transcription = _find("transcription", call.state.transcriptions, call.path["transcriptionId"])
    return call.respond(200, transcription.json(call.now))


def delete_transcription(call: Call) -> Response:
    """Delete a transcription, also one that is not there."""
    return _delete(call, call.state.transcriptions, [call.path["transcriptionId"]])


def bulk_delete_transcriptions(call: Call) -> Response:
    """Schedule the deletion of transcriptions, whether they exist or not."""
    keys, after = call.body["transcriptionIds"], call.state.bulk_delete_time
    return _delete(call, call.state.transcriptions, keys, after)


def get_transcription_access_link(call: Call) -> Response:
    """Return the address of a ready, Whereby-hosted transcription's file."""
    transcription = _find("transcription", call.state.transcriptions, call.path["transcriptionId"])
    if not transcription.hosted:
        raise HTTPError(403, "the transcription is not hosted by Whereby: there is no access link")
    state = transcription.state(call.now)
    if state != "ready":
        raise HTTPError(404, f"the transcription is {state}: there is no file")
    return _access_link(
        call, "transcriptions", transcription.transcription_id, transcription.filename
    )


# --------------------------------------------------------------------------------------- summaries


def create_summary(call: Call) -> Response:
    """Schedule the summary of a transcription."""
    transcription = _find("transcription", call.state.transcriptions, call.body["transcriptionId"])
    summary = call.state.add_summary(
        transcription=transcription,
        template=call.body.get("template"),
        job_time=call.state.job_time,
    )
    summary.failure = call.state.next_failure()
    return call.respond(201, {"summaryId": summary.summary_id})


def list_summaries(call: Call) -> Response:
    """List the summaries."""
    rows = [(record.number, record.json(call.now)) for record in call.state.summaries.all()]
    return call.page(rows, sortable=("roomName", "startDate", "durationInSeconds"))


def get_summary(call: Call) -> Response:
    """Return a summary."""
    summary = _find("summary", call.state.summaries, call.path["summaryId"])
    return call.respond(200, summary.json(call.now))


def delete_summary(call: Call) -> Response:
    """Delete a summary, also one that is not there."""
    return _delete(call, call.state.summaries, [call.path["summaryId"]])


# ------------------------------------------------------------------------------------------- rooms


def set_colors(call: Call) -> Response:
    """Store a room's colors."""
    call.state.theme(call.path["roomName"]).tokens = call.body or {}
    return NO_CONTENT


def set_logo(call: Call) -> Response:
    """Store a room's logo, or go back to the default one."""
    call.state.theme(call.path["roomName"]).logo = _appearance(call)
    return NO_CONTENT


def set_background(call: Call) -> Response:
    """Store a room's background: an image, or names of Whereby's own."""
    call.state.theme(call.path["roomName"]).background = _appearance(call, BACKGROUND_LIMIT)
    return NO_CONTENT


def set_knock_page_background(call: Call) -> Response:
    """Store the background of a room's knock page."""
    call.state.theme(call.path["roomName"]).knock_page_background = _appearance(
        call, BACKGROUND_LIMIT
    )
    return NO_CONTENT


def _appearance(call: Call, limit: int | None = None) -> Image | dict[str, Any]:
    if not isinstance(call.body, list):
        return dict(call.body or {})
    parts: list[Part] = call.body
    image = next(part for part in parts if part.name == "image")
    if not image.content:
        raise HTTPError(400, "body.image: must not be empty")
    if limit is not None and len(image.content) > limit:
        size = len(image.content)
        raise HTTPError(400, f"body.image: must have at most {limit} bytes; got {size}")
    return Image(image.content, image.filename, image.content_type)


# ---------------------------------------------------------------------------------------- insights


def list_rooms(call: Call) -> Response:
    """List rooms with their insights, filtered by name and date of creation."""
    name, created = _name_filter(call), _filter(call, "createdAt", ("from", "to"))
    rows = [(room.number, room.json()) for room in call.state.rooms.all()]
    matching = [row for row in rows if _has_name(row[1], name) and _was_created(row[1], created)]
    return call.page(matching, limit=10)


def _name_filter(call: Call) -> dict[str, str]:
    return _filter(call, "roomName", ("exact", "startsWith", "contains"))


def _filter(call: Call, parameter: str, keys: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = call.query.get(parameter) or {}
    for key in values:
        if key not in keys:
            message = f"must be {parameter}[{'|'.join(keys)}]=…; got {parameter}[{key}]"
            call.checked.doubt(f"query parameter {parameter!r}: {message}")
    return values


def _has_name(row: dict[str, Any], name: Mapping[str, str]) -> bool:
    room_name: str = row["roomName"]
    return (
        ("exact" not in name or room_name == slashed(name["exact"]))
        and ("startsWith" not in name or room_name.startswith(slashed(name["startsWith"])))
        and ("contains" not in name or name["contains"] in room_name)
    )


def _was_created(row: dict[str, Any], created: Mapping[str, str]) -> bool:
    created_at = parse_date_time(row["createdAt"])
    return ("from" not in created or created_at >= parse_date_time(created["from"])) and (
        "to" not in created or created_at <= parse_date_time(created["to"])
    )


def list_room_sessions(call: Call) -> Response:
    """List the sessions of a room with their insights."""
    wanted = call.query.get("roomSessionId")
    rows = [(session.number, session.json()) for session in call.state.sessions.all()]
    if wanted is not None:
        rows = [row for row in rows if row[1]["roomSessionId"] == wanted]
    return call.page(_of_room(call, rows), limit=10)


def list_participants(call: Call) -> Response:
    """List the participants of a session, or all visits of an external id."""
    session, external = call.query.get("roomSessionId"), call.query.get("externalId")
    if not session and not external:
        message = "roomSessionId or externalId"
        raise HTTPError(400, f"query parameter {message}: one of them is required")
    rows = [
        (participant.number, participant.json())
        for participant in call.state.participants.all()
        if (not session or participant.json()["roomSessionId"] == session)
        and (not external or participant.json()["externalId"] == external)
    ]
    return call.page(rows, limit=10, sortable=("joinedAt", "leftAt"))


def get_participant(call: Call) -> Response:
    """Return the details of a participant's visits to a session."""
    session, participant_id = call.query["roomSessionId"], call.query["participantId"]
    participant = call.state.participants.get(f"{session}/{participant_id}")
    if participant is None:
        # the document has no 404 here: an empty array is the honest response
        return call.respond(200, [])
    return call.respond(200, participant.details)


HANDLERS: Mapping[str, Handler] = {
    "POST /meetings": create_meeting,
    "GET /meetings": list_meetings,
    "GET /meetings/{meetingId}": get_meeting,
    "DELETE /meetings/{meetingId}": delete_meeting,
    "GET /recordings": list_recordings,
    "GET /recordings/{recordingId}": get_recording,
    "DELETE /recordings/{recordingId}": delete_recording,
    "POST /recordings/bulk-delete": bulk_delete_recordings,
    "GET /recordings/{recordingId}/access-link": get_recording_access_link,
    "POST /transcriptions": create_transcription,
    "GET /transcriptions": list_transcriptions,
    "GET /transcriptions/{transcriptionId}": get_transcription,
    "DELETE /transcriptions/{transcriptionId}": delete_transcription,
    "POST /transcriptions/bulk-delete": bulk_delete_transcriptions,
    "GET /transcriptions/{transcriptionId}/access-link": get_transcription_access_link,
    "POST /summaries": create_summary,
    "GET /summaries": list_summaries,
    "GET /summaries/{summaryId}": get_summary,
    "DELETE /summaries/{summaryId}": delete_summary,
    "PUT /rooms/{roomName}/theme/tokens": set_colors,
    "PUT /rooms/{roomName}/theme/logo": set_logo,
    "PUT /rooms/{roomName}/theme/room-background": set_background,
    "PUT /rooms/{roomName}/theme/room-knock-page-background": set_knock_page_background,
    "GET /insights/rooms": list_rooms,
    "GET /insights/room-sessions": list_room_sessions,
    "GET /insights/participants": list_participants,
    "GET /insights/participant": get_participant,
}
