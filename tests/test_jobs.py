"""Does waiting for a job end when it should, cost little, and say why when it was in vain?"""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import anyio
import pytest

from tests.helpers.virtual import anyio_backend  # noqa: F401 - a fixture
from whereby_api_client import (
    ClientClosedError,
    InvalidArgumentError,
    JobError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    PointBudget,
    WherebyClient,
    WherebyError,
)
from whereby_api_client.jobs import _DONE, _FAILED
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.webhooks import (
    WebhookSender,
    recording_finished,
    transcription_failed,
    transcription_finished,
    transcription_started,
)
from whereby_api_client.webhooks import Webhooks

pytestmark = pytest.mark.anyio

SECRET = "made-up-secret-of-an-endpoint"


def fake_whereby(**options: Any) -> FakeWhereby:
    """Make a fake that follows the virtual time."""
    return FakeWhereby(**{"clock": anyio.current_time, "limit": None, **options})


def client(fake: FakeWhereby, limit: int | None = None, **options: Any) -> WherebyClient:
    """Make a client whose budget follows the virtual time."""
    return fake.client(budget=PointBudget(limit, clock=anyio.current_time), **options)


def polls(fake: FakeWhereby, operation: str = "transcriptions.get") -> list[float]:
    """Return when the job was polled."""
    return [received.time for received in fake.calls(operation)]


async def test_ready_at_once() -> None:
    """Return a job that is done without any pause."""
    fake = fake_whereby()
    job = fake.add_transcription()
    async with client(fake) as whereby:
        done = await whereby.transcriptions.wait(job.transcription_id)
    assert (done.transcription_id, done.state) == (job.transcription_id, "ready")
    assert len(polls(fake)) == 1


async def test_growing_intervals() -> None:
    """Poll a job less and less often, at least every 30 s, until it is done."""
    fake = fake_whereby()
    job = fake.add_transcription(job_time=200)
    start = anyio.current_time()
    async with client(fake) as whereby:
        done = await whereby.transcriptions.wait(job.transcription_id)
    assert done.state == "ready"
    times = [time - start for time in polls(fake)]
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses[:4] == pytest.approx([1, 1.5, 2.25, 3.375])
    assert pauses == sorted(pauses)
    assert max(pauses) == pytest.approx(30)
    assert 200 <= times[-1] <= 230


async def test_summaries() -> None:
    """Wait for a summary, whose word for done is another one."""
    fake = fake_whereby()
    job = fake.add_summary(job_time=20)
    async with client(fake) as whereby:
        done = await whereby.summaries.wait(job.summary_id)
    assert done.state == "completed"


async def test_create_and_wait() -> None:
    """Create a transcription and a summary of it, and get both when they are done."""
    fake = fake_whereby(job_time=45)
    recording = fake.add_recording()
    async with client(fake) as whereby:
        transcription = await whereby.transcriptions.create_and_wait(
            recording_id=recording.recording_id
        )
        assert transcription.state == "ready"
        summary = await whereby.summaries.create_and_wait(
            transcription_id=transcription.transcription_id, template="SOAP"
        )
    assert (summary.state, summary.template) == ("completed", "SOAP")
    assert fake.executed["transcriptions.create"] == fake.executed["summaries.create"] == 1


async def test_failed() -> None:
    """Stop when the job fails, and say why with the words of the response."""
    fake = fake_whereby(job_time=45)
    fake.fail_jobs()
    recording = fake.add_recording()
    async with client(fake) as whereby:
        with pytest.raises(JobFailedError, match="is failed: the API does not say why") as caught:
            await whereby.transcriptions.create_and_wait(recording_id=recording.recording_id)
        error = caught.value
        assert (error.state, error.job.state, error.reason) == ("failed", "failed", "")
        assert error.job_id == fake.transcriptions.all()[0].transcription_id
        for extra, reason in (
            ({"error": "too  quiet\n"}, "too quiet"),
            ({"reason": {"message": "no audio"}}, "no audio"),
            ({"error": None, "failureReason": "no speech"}, "no speech"),
            ({"error": "x" * 10_000}, "x" * 500),
        ):
            failed = fake.add_transcription(extra=extra)
            failed.fail()
            with pytest.raises(JobFailedError) as caught:
                await whereby.transcriptions.wait(failed.transcription_id)
            assert caught.value.reason == reason
            assert str(caught.value).endswith(f"{failed.transcription_id} is failed: {reason}")


@pytest.mark.parametrize("state", sorted(_DONE))
async def test_words_for_done(state: str) -> None:
    """Understand every usual word for a job that is done."""
    fake = fake_whereby()
    job = fake.add_summary(extra={"state": state})
    async with client(fake) as whereby:
        assert (await whereby.summaries.wait(job.summary_id)).state == state


@pytest.mark.parametrize("state", sorted(_FAILED))
async def test_words_for_failed(state: str) -> None:
    """Understand every usual word for a job that has failed."""
    fake = fake_whereby()
    job = fake.add_summary(extra={"state": state})
    async with client(fake) as whereby:
        with pytest.raises(JobFailedError):
            await whereby.summaries.wait(job.summary_id)


@pytest.mark.parametrize("state", ["in_progress", "queued", "READY?", ""])
async def test_timeout(state: str) -> None:
    """Give up when the time is over, and tell how far the job was; unknown words mean not yet."""
    fake = fake_whereby()
    job = fake.add_transcription(extra={"state": state})
    start = anyio.current_time()
    async with client(fake) as whereby:
        with pytest.raises(JobTimeoutError, match="after 100 s") as caught:
            await whereby.transcriptions.wait(job.transcription_id, timeout=100)
    assert anyio.current_time() - start == pytest.approx(100)
    assert f"still {state or 'without a state'}" in str(caught.value)
    assert caught.value.job_id == job.transcription_id
    assert caught.value.state == (state or "")


async def test_default_timeout() -> None:
    """Give up after an hour by default; None waits for ever."""
    fake = fake_whereby()
    job = fake.add_transcription(job_time=5000)
    async with client(fake) as whereby:
        start = anyio.current_time()
        with pytest.raises(JobTimeoutError):
            await whereby.transcriptions.wait(job.transcription_id)
        assert anyio.current_time() - start == pytest.approx(3600)
        assert (
            await whereby.transcriptions.wait(job.transcription_id, timeout=None)
        ).state == "ready"


async def test_errors_travel() -> None:
    """Pickle both errors with what they know."""
    fake = fake_whereby()
    job = fake.add_transcription(extra={"state": "failed", "error": "too quiet"})
    async with client(fake) as whereby:
        with pytest.raises(JobFailedError) as caught:
            await whereby.transcriptions.wait(job.transcription_id)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.reason, copy.job) == (
        str(caught.value),
        "too quiet",
        caught.value.job,
    )
    assert issubclass(JobError, WherebyError)


async def test_transient_errors() -> None:
    """Go on polling while the API cannot be reached, and tell of it only when time is over."""
    fake = fake_whereby()
    job = fake.add_transcription(job_time=60)
    fake.fail("transcriptions.get", status=503, times=4)
    fake.fail("transcriptions.get", drop="after", times=2)
    fake.fail("transcriptions.get", status=429, times=2)
    async with client(fake, max_retries=0) as whereby:
        done = await whereby.transcriptions.wait(job.transcription_id)
        assert done.state == "ready"
        fake.fail("transcriptions.get", status=502, message="bad gateway", times=None)
        with pytest.raises(JobTimeoutError, match="not seen") as caught:
            await whereby.transcriptions.wait(job.transcription_id, timeout=30)
    assert "bad gateway" in caught.value.__notes__[0]


async def test_lasting_errors() -> None:
    """Pass on at once what will not pass: no such job, no permission."""
    fake = fake_whereby()
    job = fake.add_transcription(job_time=60)
    async with client(fake) as whereby:
        with pytest.raises(NotFoundError):
            await whereby.transcriptions.wait("missing")
        fake.fail("transcriptions.get", status=403)
        with pytest.raises(PermissionDeniedError):
            await whereby.transcriptions.wait(job.transcription_id)
    assert len(polls(fake)) == 2


async def test_hanging_poll() -> None:
    """Give up in time although the API does not respond to a poll at all."""
    fake = fake_whereby()
    job = fake.add_transcription()
    fake.fail("transcriptions.get", delay=10_000, times=None)
    start = anyio.current_time()
    async with client(fake, timeout=None) as whereby:
        with pytest.raises(JobTimeoutError):
            await whereby.transcriptions.wait(job.transcription_id, timeout=50)
    assert anyio.current_time() - start == pytest.approx(50)


async def test_background_priority() -> None:
    """Let other calls go first when points are short."""
    fake = fake_whereby(limit=100)
    jobs = [fake.add_transcription(job_time=300) for _ in range(200)]
    waited: list[float] = []
    async with client(fake, 100) as whereby:

        async def wait(job_id: str) -> None:
            await whereby.transcriptions.wait(job_id)

        async with anyio.create_task_group() as tasks:
            for job in jobs:
                tasks.start_soon(wait, job.transcription_id)
            for _ in range(20):
                await anyio.sleep(10)
                start = anyio.current_time()
                await whereby.meetings.list()
                waited.append(anyio.current_time() - start)
    assert max(waited) < 1
    assert all(received.status == 200 for received in fake.requests)


async def test_no_points_within_max_wait() -> None:
    """Take a poll without points for a failed one: the next may have them."""
    fake = fake_whereby(limit=10)
    job = fake.add_transcription(job_time=30)
    async with client(fake, 10, max_wait=0) as whereby:
        for _ in range(8):
            await whereby.meetings.list()
        assert (await whereby.transcriptions.wait(job.transcription_id)).state == "ready"


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True])
async def test_odd_timeouts(timeout: Any) -> None:
    """Refuse an invalid timeout, and what is no transcription."""
    fake = fake_whereby()
    recording = fake.add_recording()
    async with client(fake) as whereby:
        with pytest.raises(InvalidArgumentError, match="timeout"):
            await whereby.transcriptions.wait("id", timeout=timeout)
        for odd in (5, None, await whereby.recordings.get(recording.recording_id)):
            with pytest.raises(InvalidArgumentError, match="transcription_id"):
                await whereby.transcriptions.wait(odd)  # type: ignore[arg-type]
        with pytest.raises(InvalidArgumentError, match="webhooks"):
            await whereby.transcriptions.wait("id", webhooks=SECRET)  # type: ignore[arg-type]


@pytest.mark.parametrize("webhooks", [None, Webhooks(SECRET)], ids=["alone", "webhooks"])
async def test_closed_client(webhooks: Webhooks | None) -> None:
    """Say at once that the client was closed, also amid a pause."""
    fake = fake_whereby()
    job = fake.add_transcription(job_time=1000)
    whereby = client(fake)
    start = anyio.current_time()

    async def wait() -> None:
        with pytest.raises(ClientClosedError):
            await whereby.transcriptions.wait(job.transcription_id, timeout=None, webhooks=webhooks)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.sleep(100)
        await whereby.aclose()
    assert anyio.current_time() - start == pytest.approx(100, abs=0.1)
    with pytest.raises(ClientClosedError):
        await whereby.transcriptions.wait(job.transcription_id)


async def test_model_instead_of_its_id() -> None:
    """Take the model where the id goes."""
    fake = fake_whereby()
    fake.add_transcription(job_time=45)
    async with client(fake) as whereby:
        (transcription,) = (await whereby.transcriptions.list()).results
        assert transcription.state == "in_progress"
        assert (await whereby.transcriptions.wait(transcription)).state == "ready"


# ------------------------------------------------------------------------------- early wake-up


async def test_an_event_ends_the_pause() -> None:
    """Poll at once when Whereby tells that the job is done, and not before."""
    fake = fake_whereby()
    hooks = Webhooks(SECRET)
    sender = WebhookSender("https://service.test/", SECRET, app=hooks)
    job, other = fake.add_transcription(job_time=100), fake.add_transcription()
    start = anyio.current_time()

    async def send_events() -> None:
        await anyio.sleep(90)
        await sender.send(transcription_finished(other))
        await anyio.sleep(10)
        await sender.send(transcription_finished(job))

    async with client(fake) as whereby, anyio.create_task_group() as tasks:
        tasks.start_soon(send_events)
        done = await whereby.transcriptions.wait(job.transcription_id, webhooks=hooks)
        assert done.state == "ready"
    assert anyio.current_time() - start == pytest.approx(100, abs=0.01)


async def test_an_event_tells_why() -> None:
    """Say why a transcription has failed with the words of the event, also if others follow."""
    fake = fake_whereby(job_time=100)
    fake.fail_jobs(reason="the recording has no sound")
    recording = fake.add_recording()
    hooks = Webhooks(SECRET)
    sender = WebhookSender("https://service.test/", SECRET, app=hooks)

    async def send_events() -> None:
        await anyio.sleep(100)
        (transcription,) = fake.transcriptions.all()
        await sender.send_all(
            [transcription_failed(transcription), transcription_started(transcription)], times=2
        )

    async with client(fake) as whereby, anyio.create_task_group() as tasks:
        tasks.start_soon(send_events)
        with pytest.raises(JobFailedError, match="no sound") as caught:
            await whereby.transcriptions.create_and_wait(
                recording_id=recording.recording_id, webhooks=hooks
            )
        assert caught.value.reason == "the recording has no sound"


async def test_an_event_that_is_early() -> None:
    """Poll more often again when an event was ahead of the API."""
    fake = fake_whereby()
    hooks = Webhooks(SECRET)
    sender = WebhookSender("https://service.test/", SECRET, app=hooks)
    job = fake.add_transcription(job_time=93)
    start = anyio.current_time()

    async def send_events() -> None:
        await anyio.sleep(90)
        await sender.send(transcription_finished(job))

    async with client(fake) as whereby, anyio.create_task_group() as tasks:
        tasks.start_soon(send_events)
        await whereby.transcriptions.wait(job.transcription_id, webhooks=hooks)
    assert 93 <= anyio.current_time() - start <= 95


async def test_without_events() -> None:
    """Find out by polling when no event comes, or only such as do not matter."""
    fake = fake_whereby()
    hooks = Webhooks(SECRET)
    sender = WebhookSender("https://service.test/", SECRET, app=hooks)
    recording = fake.add_recording()
    job = fake.add_transcription(recording=recording, job_time=100)

    async def send_events() -> None:
        for _ in range(50):
            await sender.send(recording_finished(recording))

    async with client(fake) as whereby, anyio.create_task_group() as tasks:
        tasks.start_soon(send_events)
        await whereby.transcriptions.wait(job.transcription_id, webhooks=hooks)
    assert len(polls(fake)) < 15
    assert hooks._watches == {}
