"""The fake for other processes and languages: seeding, faults and time over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.__main__ import main
from whereby_api_client.testing.webhooks import WebhookSender
from whereby_api_client.webhooks import verify


@contextmanager
def remote(**options: Any) -> Iterator[httpx.Client]:
    """Serve a fake that takes orders and give a client of it."""
    fake = FakeWhereby(remote=True, seed=1, **options)
    headers = {"Authorization": f"Bearer {fake.token}"}
    with fake.serve() as url, httpx.Client(base_url=url, headers=headers, verify=False) as client:
        client.base_url = httpx.URL(url.removesuffix("/v1"))
        yield client


def order(client: httpx.Client, command: str, **body: Any) -> Any:
    """Give an order; return its result."""
    response = client.post(f"/_fake/{command}", json=body)
    assert response.is_success, response.text
    return response.json() if response.content else None


def test_seeding() -> None:
    """Add one of everything by the names of the Python arguments, dates and references included."""
    with remote() as client:
        recording = order(
            client, "recordings", room_name="/a", start_date="2025-01-01T10:00:00Z", content="hello"
        )
        assert recording["startDate"] == "2025-01-01T10:00:00.000Z"
        transcription = order(
            client, "transcriptions", recording=recording["recordingId"], job_time=3600
        )
        assert transcription["state"] == "in_progress"
        summary = order(client, "summaries", transcription=transcription["transcriptionId"])
        order(client, "fail-jobs", times=0)
        order(client, "finish", id=transcription["transcriptionId"])
        assert client.get(f"/v1/summaries/{summary['summaryId']}").json()["state"] == "completed"
        order(client, "finish", id=summary["summaryId"], reason="no")
        assert client.get(f"/v1/summaries/{summary['summaryId']}").json()["state"] == "failed"
        session = order(client, "room-sessions", room_name="/a")
        order(client, "participants", room_session_id=session["roomSessionId"], external_id="e")
        order(client, "rooms", room_name="/b", extra={"totalSessions": 9})
        meeting = order(client, "meetings", end_date="2020-01-01T00:00:00Z")
        assert meeting["endDate"] == "2020-01-01T00:00:00Z"
        names = [room["roomName"] for room in client.get("/v1/insights/rooms").json()["results"]]
        assert names == ["/a", "/b"]
        assert len(client.get("/v1/insights/participants?externalId=e").json()["results"]) == 1


def test_looking_and_ordering() -> None:
    """List what came in, order faults and withdraw them, spend points and move the clock."""
    with remote(limit=10) as client:
        assert client.get("/v1/meetings").status_code == 200
        (request,) = client.get("/_fake/requests").json()
        assert (request["operation"], request["status"], request["cost"]) == (
            "meetings.list",
            200,
            1,
        )
        assert client.get("/_fake/executed").json() == {"meetings.list": 1}
        assert client.delete("/_fake/requests").status_code == 204
        assert client.get("/_fake/requests").json() == []
        order(client, "fail", operation="meetings.list", body="<p>", status=502, times=None)
        assert client.get("/v1/meetings").text == "<p>"
        assert client.delete("/_fake/fail").status_code == 204
        assert client.get("/v1/meetings").status_code == 200
        order(client, "spend", points=100)
        assert client.get("/v1/meetings").status_code == 429
        order(client, "clock", freeze=True)
        now = order(client, "clock", advance=3600)["now"]
        assert order(client, "clock", set=now)["now"] == now
        assert order(client, "clock", resume=True)["now"] >= now
        assert client.get("/v1/meetings").status_code == 200
        order(client, "seed-demo")
        assert client.get("/v1/recordings").json()["results"]


@pytest.mark.parametrize(
    ("command", "body", "status", "error"),
    [
        ("nothing", b"", 404, "must be one of GET requests"),
        ("fail", b"{", 400, "body: must be JSON"),
        ("fail", b"[]", 400, "body: must be an object"),
        ("fail", b'{"operation": "x"}', 400, "POST fail: operation must be a pattern or one of"),
        ("recordings", b'{"roomName": "x"}', 400, "POST recordings: must be one of room_name"),
        ("transcriptions", b'{"recording": "x"}', 400, "POST transcriptions: there is no"),
        ("finish", b'{"id": "x"}', 400, "POST finish: there is no job 'x'"),
    ],
)
def test_wrong_orders_are_explained(command: str, body: bytes, status: int, error: str) -> None:
    """Say what is wrong with an order."""
    with remote() as client:
        response = client.post(f"/_fake/{command}", content=body)
    assert response.status_code == status
    assert response.json()["error"].startswith(error)


def test_orders_are_off_by_default() -> None:
    """Take no orders over HTTP by default: a test's own requests stay the only ones."""
    fake = FakeWhereby()
    with fake.serve() as url:
        orders = url.removesuffix("/v1") + "/_fake/requests"
        assert httpx.get(orders, verify=False).status_code == 401
    assert len(fake.requests) == 1


class Inbox:
    """A receiver of webhooks on a socket: the types of events, in order."""

    def __init__(self) -> None:
        self.types: list[str] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                verify(body, self.headers["Whereby-Signature"], "s3cret")
                inbox.types.append(json.loads(body)["type"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"

    def __enter__(self) -> Inbox:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_webhooks_on_demand() -> None:
    """Send one event, or those of a whole meeting, and return the responses."""
    with Inbox() as inbox, remote(webhooks=WebhookSender(inbox.url, "s3cret")) as client:
        meeting = order(client, "meetings")["meetingId"]
        played = order(client, "play", meeting=meeting, participants=2, recorded=True)
        assert {event["status"] for event in played} == {204}
        assert [event["type"] for event in played] == inbox.types
        assert inbox.types[-1] == "recording.finished"
        recording = client.get("/v1/recordings").json()["results"][0]["recordingId"]
        (sent,) = order(
            client, "webhooks", event="recording_finished", of=recording, data={"status": "odd"}
        )
        assert (sent["type"], sent["data"]["status"]) == ("recording.finished", "odd")
        assert len(inbox.types) == len(played) + 1


@pytest.mark.parametrize(
    ("command", "body", "error"),
    [
        ("play", {"meeting": "x"}, "there is no such meeting"),
        ("play", {}, "'meeting'"),
        ("webhooks", {"event": "x", "of": "y"}, "event must be one of assistant_requested"),
        ("webhooks", {"event": "client_left", "of": "y"}, "there is nothing with the id 'y'"),
    ],
)
def test_wrong_webhooks_are_explained(command: str, body: dict[str, str], error: str) -> None:
    """Say what cannot be sent."""
    with remote(webhooks=WebhookSender("http://127.0.0.1:9/", "s")) as client:
        response = client.post(f"/_fake/{command}", json=body)
    assert response.status_code == 400
    assert error in response.json()["error"]


def test_webhooks_need_an_address() -> None:
    """Play a meeting without sending anything, and refuse to send, when no URL is known."""
    with remote() as client:
        meeting = order(client, "meetings")["meetingId"]
        assert "status" not in order(client, "play", meeting=meeting)[0]
        body = {"event": "client_left", "of": meeting}
        response = client.post("/_fake/webhooks", json=body)
    assert "start with --webhook-url" in response.json()["error"]


@contextmanager
def process(*options: str) -> Iterator[tuple[httpx.Client, list[str]]]:
    """Run the command on a free port; give a client, and a list that its log will be in."""
    command = [sys.executable, "-W", "error", "-m", "whereby_api_client.testing", "--port", "0"]
    running = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    log: list[str] = []
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        assert line.startswith("Whereby (fake) at http://127.0.0.1:")
        url, token = line.split()[3].removesuffix("/v1"), line.split()[-1]
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, verify=False, timeout=30) as client:
            yield client, log
    finally:
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=60)
        log.append(errors)
    assert running.returncode == 0


def test_command_line() -> None:
    """Serve as a process of its own until it is stopped, with the options of the command."""
    options = ["--token", "t", "--limit", "5", "--delay", "0-0.001", "--demo"]
    with process(*options, "--price", "recordings.*=3") as (client, log):
        response = client.get("/v1/recordings")
        assert response.headers["X-RateLimit-Limit"] == "5"
        assert response.headers["X-RateLimit-Remaining"] == "2"
        assert response.json()["results"]
    assert log == ["GET /v1/recordings 200\n"]


def test_command_line_sends_webhooks() -> None:
    """Report the transcriptions that the API is asked for as they begin and end."""
    with Inbox() as inbox:
        options = ["--webhook-url", inbox.url, "--webhook-secret", "s3cret", "--job-time", "0.1"]
        with process(*options, "--quiet") as (client, log):
            recording = client.post("/_fake/recordings", json={}).json()["recordingId"]
            client.post("/v1/transcriptions", json={"recordingId": recording})
            client.post("/_fake/fail-jobs", json={"reason": "too quiet"})
            client.post("/v1/transcriptions", json={"recordingId": recording})
            deadline = time.monotonic() + 60
            while len(inbox.types) < 4 and time.monotonic() < deadline:
                time.sleep(0.01)
    assert sorted(inbox.types) == [
        "transcription.failed",
        "transcription.finished",
        "transcription.started",
        "transcription.started",
    ]
    assert log == [""]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--port", "99999"], "argument --port: must be between 0 and 65535; got 99999"),
        (["--limit", "many"], "argument --limit: must be a whole number; got 'many'"),
        (["--delay", "-1"], "argument --delay"),
        (["--delay", "2-1"], "argument --delay: must be LEAST-MOST; got '2-1'"),
        (["--period", "nan"], "argument --period: must not be negative or endless; got 'nan'"),
        (["--price", "x"], "argument --price: must be OPERATION=POINTS; got 'x'"),
        (["--webhook-url", "http://h/"], "--webhook-url needs --webhook-secret"),
        (["--webhook-url", "nowhere", "--webhook-secret", "s"], "webhook URL must be"),
        (["--algorithm", "leaky"], "invalid choice: 'leaky'"),
    ],
)
def test_wrong_arguments(
    arguments: list[str],
    error: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Explain what is wrong with an argument, without a traceback."""
    monkeypatch.delenv("WHEREBY_WEBHOOK_SECRET", raising=False)
    try:
        status: Any = main(arguments)
    except SystemExit as exit:
        status = exit.code
    assert status == 2
    assert error in capsys.readouterr().err


def test_help_tells_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Show every option with its default."""
    with pytest.raises(SystemExit):
        main(["--help"])
    output = capsys.readouterr().out
    for option in ("--webhook-url", "--webhook-secret", "--price", "--strict", "--job-time"):
        assert option in output
    assert "docs/testing.md" in output


def test_command_line_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """Explain what cannot be served."""
    assert main(["--limit", "0", "--quiet"]) == 2
    assert capsys.readouterr().err == "error: limit and period must be positive; got 0 and 60.0\n"
    with FakeWhereby().serve() as url:
        assert main(["--port", str(httpx.URL(url).port), "--quiet"]) == 1
    assert "error: cannot serve on 127.0.0.1:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "fake-whereby:8080"}, 200),
        ({"Host": "rebound.example:8080"}, 403),
        ({"Host": "localhost:80", "Origin": "http://localhost:80"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_other_sites_are_refused(headers: dict[str, str], status: int) -> None:
    """Let no web page control the fake, neither across sites nor with a rebound name."""
    with remote() as client:
        assert client.get("/_fake/executed", headers=headers).status_code == status


def test_tokens_are_not_shown() -> None:
    """List requests without what they are authorized with."""
    with remote(token="secret-1") as client:
        client.get("/v1/meetings", headers={"Authorization": "Bearer secret-2"})
        listed = client.get("/_fake/requests").text
    assert "secret-" not in listed
    assert '"authorization":"[secure]"' in listed
