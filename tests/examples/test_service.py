"""The example service, end to end: only with what users of this package have."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from whereby_api_client.testing import FakeWhereby, MadeUp
from whereby_api_client.testing.webhooks import (
    Webhook,
    WebhookSender,
    recording_finished,
    transcription_failed,
    transcription_finished,
)
from whereby_api_client.webhooks import Webhooks

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
SERVICE = ROOT / "examples" / "service"
SECRET = "made-up-secret-of-an-endpoint"
CONTENT = MadeUp(3_000_000)


@contextmanager
def uvicorn(whereby_url: str, token: str, archive: Path) -> Iterator[str]:
    """Run the service as a process of its own; give its address when it responds."""
    environment = {
        **os.environ,
        "WHEREBY_BASE_URL": whereby_url,
        "WHEREBY_API_KEY": token,
        "WHEREBY_WEBHOOK_SECRET": SECRET,
        "ARCHIVE": str(archive),
    }
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "--app-dir", str(SERVICE)),
            *("--factory", "app:from_environment", "--port", "0"),
        ],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = ""
    try:
        while (running := re.search(r"Uvicorn running on (http://[\d.:]+)", output)) is None:
            line = process.stdout.readline()
            assert line, f"uvicorn did not start:\n{output}"
            output += line
        yield running[1]
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=10)
    assert "Traceback" not in rest
    assert SECRET not in rest
    assert token not in rest


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until it is so: another process works on it."""
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - nobody could set an event
            await anyio.sleep(0.02)


async def test_end_to_end(tmp_path: Path) -> None:
    """Run the service under uvicorn against a fake on another port: from meeting to transcript."""
    fake = FakeWhereby(job_time=10_000)
    with (
        fake.serve() as whereby_url,
        uvicorn(whereby_url, fake.token, tmp_path) as url,
    ):
        async with httpx.AsyncClient(base_url=url, trust_env=False) as browser:
            # a meeting is created
            response = await browser.post("/meetings", json={"minutes": 30, "name": "interview"})
            assert response.status_code == 201
            (meeting,) = fake.meetings.all()
            assert response.json()["roomUrl"] == meeting.room_url
            assert meeting.room_name.startswith("/interview")

            # it is recorded, and Whereby sends a webhook
            recording = fake.add_recording(room_name=meeting.room_name, content=CONTENT)
            sender = WebhookSender(f"{url}/webhooks", SECRET)
            event = recording_finished(recording)
            assert await sender.send(event) == 200  # which does not wait for the work

            # the recording is downloaded, and its transcript as well
            folder = tmp_path / recording.recording_id
            await until(lambda: len(fake.transcriptions.all()) == 1)
            assert not (folder / "transcript.md").exists()
            (transcription,) = fake.transcriptions.all()
            transcription.finish()
            assert await sender.send(transcription_finished(transcription)) == 200
            await until((folder / "transcript.md").exists)
            assert (folder / "recording.mp4").read_bytes() == CONTENT.read(0, CONTENT.size)
            (transcription,) = fake.transcriptions.all()
            assert transcription.recording_id == recording.recording_id
            assert (folder / "transcript.md").read_bytes() == transcription.content.read(0, 10**6)
            assert (await browser.get("/recordings")).json() == {recording.recording_id: True}

            # repeated and forged deliveries change nothing
            other = fake.add_recording(content=CONTENT)
            calls = len(fake.requests)
            files = paths_in(tmp_path)
            await sender.send_all([event], times=3)
            assert await sender.send(recording_finished(recording)) == 200  # with another id
            assert await sender.send(recording_finished(other), secret="guess") == 401
            assert await sender.send(recording_finished(other), age=3600) == 401
            assert await sender.send(recording_finished(other), signature="") == 401
            assert await sender.send(event, body=recording_finished(other).body) == 401
            assert (await browser.get("/recordings")).json() == {recording.recording_id: True}
            assert paths_in(tmp_path) == files
            assert len(fake.requests) == calls
    assert [request.status for request in fake.requests].count(429) == 0
    assert all("authorization" not in request.headers for request in fake.calls("storage.download"))


# --------------------------------------------------------------------- inside one process


def paths_in(folder: Path) -> list[Path]:
    """Return all files and folders below a folder."""
    return sorted(folder.rglob("*"))


def service() -> Any:
    """Import the example as a module."""
    spec = importlib.util.spec_from_file_location("example_service", SERVICE / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def running(
    fake: FakeWhereby, archive: Path, **options: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, WebhookSender]]:
    """Run the service inside the process; give a browser, and Whereby's side."""
    app = service().make_app(fake.client(**options), Webhooks(SECRET), archive)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="https://service.test") as browser,
    ):
        yield browser, WebhookSender("https://service.test/webhooks", SECRET, app=app)


async def test_a_webhook_ends_the_wait_early(tmp_path: Path) -> None:
    """File a transcript as soon as the webhook says that it is ready."""
    fake = FakeWhereby(job_time=10_000)
    recording = fake.add_recording(content=b"video")
    async with running(fake, tmp_path) as (browser, sender):
        await sender.send(recording_finished(recording))
        await until(lambda: len(fake.calls("transcriptions.get")) == 1)
        (transcription,) = fake.transcriptions.all()
        transcription.finish()
        await sender.send(transcription_finished(transcription))
        await until((tmp_path / recording.recording_id / "transcript.md").exists)
        assert (await browser.get("/recordings")).json() == {recording.recording_id: True}


async def test_restart(tmp_path: Path) -> None:
    """Take up after a restart what was not finished, without paying for it twice."""
    fake = FakeWhereby(job_time=10_000)
    recording = fake.add_recording(content=b"video")
    async with running(fake, tmp_path) as (browser, sender):
        await sender.send(recording_finished(recording))
        await until(lambda: len(fake.calls("transcriptions.get")) == 1)
        assert (await browser.get("/recordings")).json() == {recording.recording_id: False}
    (transcription,) = fake.transcriptions.all()
    transcription.finish()
    async with running(fake, tmp_path):
        await until((tmp_path / recording.recording_id / "transcript.md").exists)
    assert fake.executed["transcriptions.create"] == 1
    assert fake.executed["storage.download"] == 2


async def test_failures_stay_with_their_recording(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """File the others when one transcription fails, and say why it did."""
    fake = FakeWhereby(job_time=10_000)
    fake.fail_jobs(1, reason="too quiet")
    first, second = fake.add_recording(content=b"one"), fake.add_recording(content=b"two")
    async with running(fake, tmp_path) as (browser, sender):
        await sender.send(recording_finished(first))
        await until(lambda: len(fake.calls("transcriptions.get")) == 1)
        (transcription,) = fake.transcriptions.all()
        transcription.finish()
        await sender.send(transcription_failed(transcription))
        await until(lambda: "too quiet" in caplog.text)
        fake.job_time = 0
        await sender.send(recording_finished(second))
        await until((tmp_path / second.recording_id / "transcript.md").exists)
        assert (await browser.get("/recordings")).json() == {
            first.recording_id: False,
            second.recording_id: True,
        }


async def test_many_at_once(tmp_path: Path) -> None:
    """File many recordings whose webhooks come three times each and in any order."""
    fake = FakeWhereby(job_time=0)
    recordings = [fake.add_recording(content=b"video") for _ in range(8)]
    async with running(fake, tmp_path) as (_, sender):
        events = [recording_finished(recording) for recording in recordings]
        await sender.send_all(events, times=3, order="shuffled", at_once=True)
        await until(lambda: len(list(tmp_path.glob("*/transcript.md"))) == 8)
    assert fake.executed["transcriptions.create"] == 8
    assert fake.executed["storage.download"] == 16


async def test_odd_requests(tmp_path: Path) -> None:
    """Refuse what cannot be done, and create nothing."""
    fake = FakeWhereby()
    async with running(fake, tmp_path) as (browser, sender):
        for body in (b"", b"[]", b'{"minutes": -1}', b'{"minutes": "x"}', b'{"minutes": 1e9}'):
            assert (await browser.post("/meetings", content=body)).status_code == 400
        odd = Webhook(type="recording.finished", data={"recordingId": "../x", "roomName": "/a"})
        assert await sender.send(odd, retries=0) == 500
        assert await sender.send(Webhook(type="brand.new", data={})) == 200
    assert fake.requests == []
    assert paths_in(tmp_path) == []


async def test_no_points(tmp_path: Path) -> None:
    """Respond at once that there are no points left, rather than let somebody wait."""
    fake = FakeWhereby(limit=10)
    async with running(fake, tmp_path) as (browser, _):
        statuses = [(await browser.post("/meetings", json={})).status_code for _ in range(4)]
    assert statuses == [201, 201, 201, 503]
