"""How long are the pauses of a download in trouble, and when is it given up? In virtual time."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.files.test_download import BYTES, CONTENT, left_in
from tests.helpers.virtual import anyio_backend  # noqa: F401 - a fixture
from whereby_api_client import DownloadError, PointBudget, WherebyClient
from whereby_api_client.testing import FakeWhereby, MadeUp

pytestmark = pytest.mark.anyio


def client(fake: FakeWhereby, **options: Any) -> WherebyClient:
    """Make a client whose budget follows the virtual time."""
    return fake.client(budget=PointBudget(clock=anyio.current_time), **options)


async def test_gives_up(tmp_path: Path) -> None:
    """Give up after five attempts in a row that bring nothing, with pauses between."""
    fake = FakeWhereby(clock=anyio.current_time)
    recording = fake.add_recording(content=CONTENT)
    fake.fail("storage.download", drop="mid", cut=1000)
    fake.fail("storage.download", status=503, times=None)
    async with client(fake) as whereby:
        with pytest.raises(DownloadError, match="responded with 503") as caught:
            await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert caught.value.status_code == 503
    times = [r.time for r in fake.calls("storage.download")]
    assert len(times) == 6
    pauses = [after - before for before, after in itertools.pairwise(times)]
    for number, pause in enumerate(pauses):
        assert 0.25 * 2**number <= pause <= 0.5 * 2**number + 0.001
    assert left_in(tmp_path) == []


async def test_patience(tmp_path: Path) -> None:
    """Go on through trouble of every kind as long as something comes now and then."""
    fake = FakeWhereby(clock=anyio.current_time)
    recording = fake.add_recording(content=CONTENT)
    for _ in range(3):
        fake.fail("storage.download", drop="before")
        fake.fail("storage.download", drop="after")
        fake.fail("storage.download", garbage=True)
        fake.fail("storage.download", status=500)
        fake.fail("storage.download", drop="mid", cut=1)
    async with client(fake) as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert path.read_bytes() == BYTES
    assert len(fake.calls("storage.download")) == 16


async def test_asked_pauses(tmp_path: Path) -> None:
    """Wait as long as the storage host asks for, within reason."""
    fake = FakeWhereby(clock=anyio.current_time)
    recording = fake.add_recording(content=CONTENT)
    fake.fail("storage.download", status=429, headers={"Retry-After": "20"})
    fake.fail("storage.download", status=503, headers={"Retry-After": "86400"})
    async with client(fake) as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert path.read_bytes() == BYTES
    first, second, third = [r.time for r in fake.calls("storage.download")]
    assert second - first == pytest.approx(20, abs=0.01)
    assert third - second == pytest.approx(60, abs=0.01)


async def test_lost_connections(tmp_path: Path) -> None:
    """Go on where the connection broke, as often as it does."""
    fake = FakeWhereby(clock=anyio.current_time)
    content = MadeUp(3_000_000)
    recording = fake.add_recording(content=content)
    for _ in range(30):
        fake.fail("storage.download", drop="mid", cut=77_777)
    async with client(fake) as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert path.read_bytes() == content.read(0, content.size)
    first, *others = fake.calls("storage.download")
    # who brings so much each time is connected again at once: 30 pauses would take 11 s
    assert others[-1].time - first.time < 1
    assert len(others) == 30
    assert "range" not in first.headers
    assert [r.headers["range"] for r in others] == [f"bytes={n * 77_777}-" for n in range(1, 31)]
    assert len({r.headers["if-range"] for r in others}) == 1
    assert len(fake.calls("recordings.get_access_link")) == 1


async def test_silence(tmp_path: Path) -> None:
    """Take a storage host that says nothing for longer than `timeout` for a lost one."""
    fake = FakeWhereby(clock=anyio.current_time)
    recording = fake.add_recording(content=CONTENT)
    fake.fail("storage.download", delay=1000)
    start = anyio.current_time()
    async with client(fake, timeout=7) as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert path.read_bytes() == BYTES
    assert 7 <= fake.calls("storage.download")[1].time - start <= 8
