"""What a test in Python says to the fake, over HTTP: for tests in other processes and languages.

Everything lives under `/_fake/`, needs no token, costs no points and is not noted. Bodies are JSON
with the names of the Python arguments (`POST /_fake/recordings {"room_name": "/a"}`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .clock import iso, parse_date_time
from .exchange import Received
from .messages import Answer, Refusal, Request
from .records import Recording, Transcription

if TYPE_CHECKING:
    from .fake import FakeWhereby

__all__ = ["REMOTE", "obey"]

REMOTE = "/_fake/"
"""Paths that begin like this are the fake's own."""


def obey(fake: FakeWhereby, request: Request) -> Answer:
    """Do what a request to `/_fake/…` says."""
    command = f"{request.method} {request.path.removeprefix(REMOTE)}"
    if command not in COMMANDS:
        raise Refusal(404, f"{command!r} is none of {', '.join(COMMANDS)}")
    given: Any = {}
    if request.body:
        try:
            given = request.json
        except ValueError as error:
            raise Refusal(400, f"body: is not JSON ({error})") from None
    if not isinstance(given, dict):
        raise Refusal(400, "body: must be an object")
    try:
        result = COMMANDS[command](fake, given)
    except (TypeError, ValueError, KeyError) as error:
        raise Refusal(400, f"{command}: {error}") from None
    return Answer(204) if result is None else Answer.json(200, result)


def _requests(fake: FakeWhereby, given: Mapping[str, Any]) -> Any:
    return [_told(received) for received in list(fake.requests)]


def _told(received: Received) -> dict[str, Any]:
    return {
        "method": received.method,
        "target": received.target,
        "operation": received.operation,
        "headers": dict(received.headers),
        "body": received.body.decode("utf-8", "replace"),
        "time": iso(received.time),
        "cost": received.cost,
        "status": received.status,
    }


def _forget(fake: FakeWhereby, given: Mapping[str, Any]) -> None:
    fake.requests.clear()
    fake.executed.clear()


def _executed(fake: FakeWhereby, given: Mapping[str, Any]) -> Any:
    return dict(fake.executed)


def _fail(fake: FakeWhereby, given: dict[str, Any]) -> None:
    for name in ("body", "garbage"):
        if isinstance(given.get(name), str):
            given[name] = given[name].encode()
    fake.fail(**given)


def _recover(fake: FakeWhereby, given: Mapping[str, Any]) -> None:
    fake.recover()


def _spend(fake: FakeWhereby, given: dict[str, Any]) -> None:
    fake.spend(**given)


def _clock(fake: FakeWhereby, given: Mapping[str, Any]) -> Any:
    if given.get("freeze"):
        fake.clock.freeze()
    if "set" in given:
        fake.clock.set(parse_date_time(given["set"]))
    if "advance" in given:
        fake.clock.advance(given["advance"])
    if given.get("resume"):
        fake.clock.resume()
    return {"now": iso(fake.clock.now())}


def _finish(fake: FakeWhereby, given: Mapping[str, Any]) -> None:
    """End a job now: `{"id": …}`, badly with `"reason"`."""
    job = fake.transcriptions.get(given["id"]) or fake.summaries.get(given["id"])
    if job is None:
        raise ValueError(f"there is no job {given['id']!r}")
    if "reason" in given:
        job.fail(given["reason"])
    else:
        job.finish()


def _fail_jobs(fake: FakeWhereby, given: dict[str, Any]) -> None:
    fake.fail_jobs(**given)


def _seed_demo(fake: FakeWhereby, given: Mapping[str, Any]) -> None:
    fake.seed_demo()


def _add(name: str) -> Callable[[FakeWhereby, dict[str, Any]], Any]:
    def add(fake: FakeWhereby, given: dict[str, Any]) -> Any:
        method = getattr(fake, name)
        allowed = inspect.signature(method).parameters
        for key, value in given.items():
            if key not in allowed:
                raise ValueError(f"{key!r} is none of {', '.join(allowed)}")
            given[key] = _argument(fake, key, value)
        record = method(**given)
        if hasattr(record, "state"):
            return record.json(fake.clock.today())
        return record.json()

    return add


def _argument(fake: FakeWhereby, key: str, value: Any) -> Any:
    """Read what JSON cannot hold: date-times, bytes, and records by their ids."""
    if value is None:
        return None
    if key in ("start_date", "end_date"):
        return parse_date_time(value)
    if key == "content":
        return value.encode()
    found: Recording | Transcription | None
    if key == "recording":
        found = fake.recordings.get(value)
    elif key == "transcription":
        found = fake.transcriptions.get(value)
    else:
        return value
    if found is None:
        raise ValueError(f"there is no {key} {value!r}")
    return found


COMMANDS: Mapping[str, Callable[[FakeWhereby, dict[str, Any]], Any]] = {
    "GET requests": _requests,
    "DELETE requests": _forget,
    "GET executed": _executed,
    "POST fail": _fail,
    "DELETE fail": _recover,
    "POST spend": _spend,
    "POST clock": _clock,
    "POST finish": _finish,
    "POST fail-jobs": _fail_jobs,
    "POST seed-demo": _seed_demo,
    "POST meetings": _add("add_meeting"),
    "POST recordings": _add("add_recording"),
    "POST transcriptions": _add("add_transcription"),
    "POST summaries": _add("add_summary"),
    "POST rooms": _add("add_room_insights"),
    "POST room-sessions": _add("add_room_session"),
    "POST participants": _add("add_participant"),
    "POST items": _add("add_item"),
}
