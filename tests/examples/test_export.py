"""The nightly export, run as a user runs it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whereby_api_client.testing import FakeWhereby

pytest.importorskip("rich")
SCRIPT = Path(__file__).parents[2] / "examples" / "export" / "export.py"


def run(fake: FakeWhereby, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, folder],
        env={**os.environ, "WHEREBY_API_KEY": fake.token, "WHEREBY_BASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """Read a CSV file of the last day."""
    file = max(folder.glob(f"insights/*/{name}.csv"))
    with file.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def test_export(tmp_path: Path) -> None:
    """The first night brings everything but what fails, the second what is missing or new."""
    fake = FakeWhereby(job_time=0)
    contents = [f"video {number}".encode() for number in range(3)]
    recordings = [fake.add_recording(content=content) for content in contents]
    fake.add_transcription()
    fake.add_room_insights("/standup", extra={"brandNew": 'é, "x"'})
    fake.add_room_session("/standup")
    with fake.serve() as url:
        fake.fail("recordings.get_access_link", status=403, times=1)
        first = run(fake, url, tmp_path)
        assert first.returncode == 1
        assert "Traceback" not in first.stderr
        assert len(list(tmp_path.glob("recordings/*"))) == 2
        assert any(recording.recording_id in first.stderr for recording in recordings)
        assert fake.token not in first.stdout + first.stderr

        downloads = fake.executed["storage.download"]
        second = run(fake, url, tmp_path)
        assert second.returncode == 0, second.stderr
        assert fake.executed["storage.download"] == downloads + 1
    downloaded = sorted(file.read_bytes() for file in tmp_path.glob("recordings/*"))
    assert downloaded == contents
    assert len(list(tmp_path.glob("transcripts/*.md"))) == 1
    assert [(row["roomName"], row["brandNew"]) for row in rows(tmp_path, "rooms")] == [
        ("/standup", 'é, "x"')
    ]
    assert [row["roomName"] for row in rows(tmp_path, "sessions")] == ["/standup"]
    assert not list(tmp_path.rglob("*.part"))
