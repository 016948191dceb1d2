"""Does a file arrive where it was meant to, and is nothing replaced that is no file?"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.files.test_download import BYTES, CONTENT, left_in
from whereby_api_client import InvalidArgumentError, NotFoundError
from whereby_api_client.testing import FakeWhereby

pytestmark = pytest.mark.anyio


@pytest.fixture
def fake() -> FakeWhereby:
    """Make a fake with two recordings of one name."""
    fake = FakeWhereby()
    for item_id in ("r1", "r2"):
        fake.add_recording(recording_id=item_id, filename="a.mp4", content=CONTENT)
    return fake


@pytest.mark.parametrize("destination", ["files/", "new/files/", "./files/.", "files//"])
async def test_slash(
    fake: FakeWhereby, destination: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take a path with a slash at its end for a folder, and create it."""
    monkeypatch.chdir(tmp_path)
    async with fake.client() as whereby:
        paths = [await whereby.recordings.download(name, destination) for name in ("r1", "r2")]
    assert [path.name for path in paths] == ["a-r1.mp4", "a-r2.mp4"]
    assert all(path.read_bytes() == BYTES for path in paths)
    assert left_in(Path(destination)) == ["a-r1.mp4", "a-r2.mp4"]


async def test_slash_after_a_file(fake: FakeWhereby, tmp_path: Path) -> None:
    """Refuse a folder where a file is, and leave the file."""
    (tmp_path / "file").write_text("old")
    async with fake.client() as whereby:
        for destination in (f"{tmp_path}/file/", f"{tmp_path}/file/below/"):
            with pytest.raises(InvalidArgumentError, match="must be a folder"):
                await whereby.recordings.download("r1", destination)
    assert (tmp_path / "file").read_text() == "old"
    assert fake.requests == []


async def test_model_instead_of_its_id(fake: FakeWhereby, tmp_path: Path) -> None:
    """Take the model where the id goes; it also saves the point for the name."""
    async with fake.client() as whereby:
        recording = await whereby.recordings.get("r1")
        fake.requests.clear()
        path = await whereby.recordings.download(recording, tmp_path)
        assert path == tmp_path / "a-r1.mp4"
        assert [r.operation for r in fake.requests] == [
            "recordings.get_access_link",
            "storage.download",
        ]
        for odd in (5, None, b"r1"):
            with pytest.raises(InvalidArgumentError, match="recording_id"):
                await whereby.recordings.download(odd, tmp_path)  # type: ignore[arg-type]


async def test_link_to_a_file(fake: FakeWhereby, tmp_path: Path) -> None:
    """Replace the file that a link leads to; the link stays."""
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "file.mp4").write_text("old")
    (tmp_path / "latest.mp4").symlink_to("large/file.mp4")
    (tmp_path / "new.mp4").symlink_to("large/missing.mp4")
    async with fake.client() as whereby:
        for name in ("latest.mp4", "new.mp4"):
            path = await whereby.recordings.download("r1", tmp_path / name)
            assert path == tmp_path / name
            assert path.is_symlink()
            assert path.read_bytes() == BYTES
    assert left_in(tmp_path) == ["large", "latest.mp4", "new.mp4"]
    assert left_in(tmp_path / "large") == ["file.mp4", "missing.mp4"]


async def test_link_to_a_folder(fake: FakeWhereby, tmp_path: Path) -> None:
    """Write into the folder that a link leads to."""
    (tmp_path / "large").mkdir()
    (tmp_path / "folder").symlink_to("large")
    async with fake.client() as whereby:
        await whereby.recordings.download("r1", tmp_path / "folder")
    assert left_in(tmp_path / "large") == ["a-r1.mp4"]


async def test_special_files(fake: FakeWhereby, tmp_path: Path) -> None:
    """Refuse a pipe and a socket, also behind a link, before anything is sent; both stay."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    async with fake.client() as whereby:
        for name, kind in (("pipe", "a pipe"), ("link", "a pipe"), ("socket", "a socket")):
            with pytest.raises(InvalidArgumentError, match=f"is {kind}; only a regular file"):
                await whereby.recordings.download("r1", tmp_path / name)
    assert left_in(tmp_path) == ["link", "pipe", "socket"]
    assert (tmp_path / "pipe").is_fifo()
    assert fake.requests == []


async def test_path_that_no_system_has(fake: FakeWhereby, tmp_path: Path) -> None:
    """Refuse what cannot be a path; pass on the system's error for what is only too long."""
    async with fake.client() as whereby:
        for odd in ("half an emoji \ud83d", "a\0b", ""):
            with pytest.raises(InvalidArgumentError, match="destination"):
                await whereby.recordings.download("r1", odd)
        with pytest.raises(OSError, match="too long"):
            await whereby.recordings.download("r1", tmp_path / ("x" * 300))
    assert left_in(tmp_path) == []


async def test_nothing_is_left_of_a_refusal(fake: FakeWhereby, tmp_path: Path) -> None:
    """Leave no partial file when there is no such recording."""
    async with fake.client() as whereby:
        with pytest.raises(NotFoundError):
            await whereby.recordings.download("missing", tmp_path / "file")
    assert left_in(tmp_path) == []
