"""The control API: what a test does to a fake in Python, for other processes and languages.

It stands in front of the API. Everything under `/_fake/` needs no token, costs no points and is not
recorded. Bodies are JSON with the names of the Python arguments
(`POST /_fake/recordings {"room_name": "/a"}`). docs/testing.md lists the commands.
"""

from __future__ import annotations

import inspect
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from . import events
from .api import API
from .clock import iso, parse_date_time
from .events import Webhook
from .exchange import Exchange, RecordedRequest
from .faults import Fault
from .messages import HTTPError, Request, Response
from .play import play
from .records import Recording, Transcription

if TYPE_CHECKING:
    from .webhooks import WebhookSender

__all__ = ["CONTROL", "Control"]

CONTROL = "/_fake/"
"""Paths that begin like this are the control API's."""


Arguments = dict[str, Any]


class Control:
    """Receives requests: its own it carries out, all others it passes on to the API."""

    def __init__(self, api: API, sender: WebhookSender | None = None) -> None:
        self.api = api
        self.sender = sender
        self.state: Final = api.state

    def receive(self, request: Request) -> Exchange:
        """Take a request whose head has arrived; its body may follow with `take`."""
        if not request.path.startswith(CONTROL):
            return self.api.receive(request)
        recorded = RecordedRequest.of(request, "control", self.state.clock.now())
        return _Execution(self, recorded)

    def execute(self, request: Request) -> Any:
        """Carry out a command and return its result."""
        _refuse_other_sites(request)
        command = f"{request.method} {request.path.removeprefix(CONTROL)}"
        if command not in COMMANDS:
            raise HTTPError(404, f"must be one of {', '.join(COMMANDS)}; got {command!r}")
        arguments: Any = {}
        if request.body:
            try:
                arguments = request.json
            except ValueError as error:
                raise HTTPError(400, f"body: must be JSON ({error})") from None
        if not isinstance(arguments, dict):
            raise HTTPError(400, "body: must be an object")
        try:
            return COMMANDS[command](self, arguments)
        except (TypeError, ValueError, KeyError) as error:
            raise HTTPError(400, f"{command}: {error}") from None

    # -------------------------------------------------------------------------------- commands

    def list_requests(self, arguments: Arguments) -> Any:
        """Return what came in."""
        return [_shown(recorded) for recorded in list(self.api.requests)]

    def forget(self, arguments: Arguments) -> None:
        """Forget what came in."""
        self.api.requests.clear()
        self.api.executed.clear()

    def executed(self, arguments: Arguments) -> Any:
        """Return how often each operation was carried out."""
        return dict(self.api.executed)

    def fail(self, arguments: Arguments) -> None:
        """Order a fault."""
        for name in ("body", "garbage"):
            if isinstance(arguments.get(name), str):
                arguments[name] = arguments[name].encode()
        self.api.fail(**arguments)

    def recover(self, arguments: Arguments) -> None:
        """Withdraw all faults."""
        self.api.recover()

    def spend(self, arguments: Arguments) -> None:
        """Spend points as another process would."""
        self.api.spend(**arguments)

    def move_clock(self, arguments: Arguments) -> Any:
        """Freeze, set, advance or resume the clock."""
        clock = self.state.clock
        if arguments.get("freeze"):
            clock.freeze()
        if "set" in arguments:
            clock.set(parse_date_time(arguments["set"]))
        if "advance" in arguments:
            clock.advance(arguments["advance"])
        if arguments.get("resume"):
            clock.resume()
        return {"now": iso(clock.now())}

    def finish(self, arguments: Arguments) -> None:
        """End a job now: `{"id": …}`, badly with `"reason"`."""
        key = arguments["id"]
        job = self.state.transcriptions.get(key) or self.state.summaries.get(key)
        if job is None:
            raise ValueError(f"there is no job {key!r}")
        if "reason" in arguments:
            job.fail(arguments["reason"])
        else:
            job.finish()

    def fail_jobs(self, arguments: Arguments) -> None:
        """Let the next jobs fail."""
        self.state.fail_jobs(**arguments)

    def seed_demo(self, arguments: Arguments) -> None:
        """Add a small organization."""
        self.state.seed_demo()

    def play(self, arguments: Arguments) -> list[Webhook]:
        """Let a meeting have happened: `{"meeting": id, "participants": 3, "recorded": true}`."""
        meeting = self.state.meetings.get(arguments.pop("meeting"))
        if meeting is None:
            raise ValueError("there is no such meeting")
        return play(self.state, meeting, **arguments)

    def send(self, arguments: Arguments) -> list[Webhook]:
        """Send one event: `{"event": "recording_finished", "of": id, "data": {…}}`."""
        if self.sender is None:
            raise ValueError("no webhook URL is known: start with --webhook-url")
        name, key = arguments["event"], arguments["of"]
        if name not in EVENTS:
            raise ValueError(f"event must be one of {', '.join(EVENTS)}; got {name!r}")
        build, collection = EVENTS[name]
        record = getattr(self.state, collection).get(key)
        if record is None:
            raise ValueError(f"there is nothing with the id {key!r} in {collection}")
        return [build(record, **arguments.get("data", {}))]

    def add(self, name: str, arguments: Arguments) -> Any:
        """Add a record by the names of the Python arguments."""
        method = getattr(self.state, name)
        allowed = inspect.signature(method).parameters
        for key, value in arguments.items():
            if key not in allowed:
                raise ValueError(f"must be one of {', '.join(allowed)}; got {key!r}")
            arguments[key] = self._argument(key, value)
        record = method(**arguments)
        return record.json(self.state.clock.today()) if hasattr(record, "state") else record.json()

    def _argument(self, key: str, value: Any) -> Any:
        """Read what JSON cannot hold: date-times, bytes, and records by their ids."""
        if value is None:
            return None
        if key in ("start_date", "end_date", "joined_at", "left_at"):
            return parse_date_time(value)
        if key == "content":
            return value.encode()
        record: Recording | Transcription | None
        if key == "recording":
            record = self.state.recordings.get(value)
        elif key == "transcription":
            record = self.state.transcriptions.get(value)
        else:
            return value
        if record is None:
            raise ValueError(f"there is no {key} {value!r}")
        return record


class _Execution(Exchange):
    """A command on its way: the webhooks that it causes are sent before its response."""

    __slots__ = ("_control", "_webhooks")

    def __init__(self, control: Control, recorded: RecordedRequest) -> None:
        super().__init__(recorded, None, (0.0, 0.0), self._execute, self._deliver)
        self._control = control
        self._webhooks: list[Webhook] = []

    def _execute(self, recorded: RecordedRequest, fault: Fault | None) -> Response:
        try:
            with self._control.api.lock:
                result = self._control.execute(recorded)
        except HTTPError as error:
            return error.response()
        if isinstance(result, list) and result and isinstance(result[0], Webhook):
            self._webhooks = result
        return Response(204) if result is None else Response.json(200, _plain(result))

    async def _deliver(self, response: Response) -> Response:
        sender = self._control.sender
        if sender is None or not self._webhooks:
            return response
        sent = [
            {**_plain(webhook), "status": await sender.send(webhook)} for webhook in self._webhooks
        ]
        return Response.json(200, sent)


def _plain(result: Any) -> Any:
    """Return webhooks as JSON, anything else as it is."""
    if isinstance(result, Webhook):
        return {"id": result.id, "type": result.type, "data": result.data}
    return [_plain(item) for item in result] if isinstance(result, list) else result


def _refuse_other_sites(request: Request) -> None:
    """Refuse what a web page of another site makes a browser send.

    A page can send requests to a server on the loopback address. One whose own name was rebound to
    that address shows it in `Host`, and such a name has a dot; a container's need not have one.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise HTTPError(403, "the control API takes no requests from other sites")
    if origin is not None and origin != f"http://{host}":
        raise HTTPError(403, "the control API takes no requests from other sites: Origin")
    if not _is_local(host):
        raise HTTPError(403, "the control API is reached by an IP address or a name without a dot")


def _is_local(host: str) -> bool:
    name = re.sub(r":\d*$", "", host).strip("[]")
    if "." not in name:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _shown(recorded: RecordedRequest) -> dict[str, Any]:
    headers = dict(recorded.headers)
    if "authorization" in headers:
        headers["authorization"] = "[secure]"
    return {
        "method": recorded.method,
        "target": recorded.target,
        "operation": recorded.operation,
        "headers": headers,
        "body": recorded.body.decode("utf-8", "replace"),
        "time": iso(recorded.time),
        "cost": recorded.cost,
        "status": recorded.status,
        "error": recorded.error,
        "doubts": recorded.doubts,
    }


EVENTS: Mapping[str, tuple[Callable[..., Webhook], str]] = {
    "assistant_requested": (events.assistant_requested, "meetings"),
    "client_joined": (events.client_joined, "meetings"),
    "client_knock_cancelled": (events.client_knock_cancelled, "meetings"),
    "client_knocked": (events.client_knocked, "meetings"),
    "client_left": (events.client_left, "meetings"),
    "recording_finished": (events.recording_finished, "recordings"),
    "session_ended": (events.session_ended, "meetings"),
    "session_started": (events.session_started, "meetings"),
    "transcription_failed": (events.transcription_failed, "transcriptions"),
    "transcription_finished": (events.transcription_finished, "transcriptions"),
    "transcription_started": (events.transcription_started, "transcriptions"),
}

COMMANDS: Mapping[str, Callable[[Control, Arguments], Any]] = {
    "GET requests": Control.list_requests,
    "DELETE requests": Control.forget,
    "GET executed": Control.executed,
    "POST fail": Control.fail,
    "DELETE fail": Control.recover,
    "POST spend": Control.spend,
    "POST clock": Control.move_clock,
    "POST finish": Control.finish,
    "POST fail-jobs": Control.fail_jobs,
    "POST seed-demo": Control.seed_demo,
    "POST play": Control.play,
    "POST webhooks": Control.send,
    "POST meetings": lambda control, arguments: control.add("add_meeting", arguments),
    "POST recordings": lambda control, arguments: control.add("add_recording", arguments),
    "POST transcriptions": lambda control, arguments: control.add("add_transcription", arguments),
    "POST summaries": lambda control, arguments: control.add("add_summary", arguments),
    "POST rooms": lambda control, arguments: control.add("add_room_insights", arguments),
    "POST room-sessions": lambda control, arguments: control.add("add_room_session", arguments),
    "POST participants": lambda control, arguments: control.add("add_participant", arguments),
}
