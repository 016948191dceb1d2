"""Does the ready bar show what is going on, and say so when rich is not there?"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from whereby_api_client.files.progress import Progress, progress_bar
from whereby_api_client.testing import FakeWhereby, MadeUp

pytestmark = pytest.mark.anyio


def terminal() -> Console:
    """Make a console that takes itself for a terminal."""
    return Console(file=io.StringIO(), force_terminal=True, width=120)


def shown(console: Console) -> str:
    """Return what was written."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_bar(tmp_path: Path) -> None:
    """Show name, size and completion of each file."""
    fake = FakeWhereby()
    for number in range(3):
        fake.add_recording(
            recording_id=f"r{number}", filename="[b]møte.mp4", content=MadeUp(1_000_000)
        )
    console = terminal()
    with progress_bar(console=console) as progress:
        async with fake.client() as whereby:
            await whereby.recordings.download_all(
                whereby.recordings.list(), tmp_path, progress=progress
            )
    text = shown(console)
    for number in range(3):
        assert f"[b]møte-r{number}.mp4" in text
    assert "1.0/1.0 MB" in text


def test_many_files() -> None:
    """Make room: hide bars of complete files beyond a handful, and only those."""
    console = terminal()
    with progress_bar(console=console) as progress:
        for number in range(30):
            for received in (0, 5, 10):
                progress(Progress(f"r{number}", Path(f"file{number}"), received, 10))
        progress(Progress("slow", Path("slow"), 1, None))
        console.file = io.StringIO()  # what is shown from here on is the last picture
    text = shown(console)
    assert "slow" in text
    assert "file29" in text
    assert "file0 " not in text
    assert text.count("file") <= 30


def test_few_files() -> None:
    """Keep the bars of a handful of files, complete or not."""
    console = terminal()
    with progress_bar(console=console) as progress:
        for number in range(7):
            progress(Progress(f"r{number}", Path(f"file{number}"), 10, 10))
        console.file = io.StringIO()
    for number in range(7):
        assert f"file{number}" in shown(console)


def test_two_files_of_one_name() -> None:
    """Keep downloads of the same name apart."""
    console = terminal()
    with progress_bar(console=console) as progress:
        progress(Progress("a", Path("x/file"), 10, 10))
        progress(Progress("b", Path("y/file"), 5, 10))
        console.file = io.StringIO()
    assert "10/10 bytes" in shown(console)
    assert "5/10 bytes" in shown(console)


def test_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say which extra is missing."""
    monkeypatch.setitem(sys.modules, "rich", None)
    with (
        pytest.raises(ModuleNotFoundError, match=r"whereby-api-client\[progress\]"),
        progress_bar(),
    ):
        raise AssertionError
