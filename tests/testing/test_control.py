"""The fake for other processes and languages: seeding, faults and time over HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.__main__ import main


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
    """Tell what came in, order faults and withdraw them, spend points and move the clock."""
    with remote(limit=10) as client:
        assert client.get("/v1/meetings").status_code == 200
        (seen,) = client.get("/_fake/requests").json()
        assert (seen["operation"], seen["status"], seen["cost"]) == ("meetings.list", 200, 1)
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
    """Take no orders over HTTP unless told to: a test's own requests stay the only ones."""
    fake = FakeWhereby()
    with fake.serve() as url:
        orders = url.removesuffix("/v1") + "/_fake/requests"
        assert httpx.get(orders, verify=False).status_code == 401
    assert len(fake.requests) == 1


def test_command_line() -> None:
    """Serve as a process of its own until it is told to stop, with the options given."""
    command = [sys.executable, "-W", "error", "-m", "whereby_api_client.testing"]
    options = ["--port", "0", "--token", "t", "--limit", "5", "--delay", "0-0.001", "--demo"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Whereby (fake) at http://127.0.0.1:")
        url = line.split()[3]
        headers = {"Authorization": "Bearer t"}
        response = httpx.get(f"{url}/recordings", headers=headers, verify=False)
        assert response.headers["X-RateLimit-Limit"] == "5"
        assert response.json()["results"]
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "GET /v1/recordings 200\n")


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
