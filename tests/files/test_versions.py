"""Is a download only ever resumed with bytes of the same version of the same file?"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.files.test_download import BYTES, CONTENT, HALF, SIZE, cut, downloaded, left_in
from tests.files.test_download import no_pauses as no_pauses
from tests.files.test_download import part as reply_part
from tests.helpers.servers import reply
from whereby_api_client import WherebyClient
from whereby_api_client.files._partial_file import PartialFile, Version
from whereby_api_client.progress import Progress
from whereby_api_client.testing import FakeWhereby, MadeUp

pytestmark = pytest.mark.anyio

STRONG = {"etag": '"v1"'}
WEAK = {"etag": 'W/"v1"'}
DATE = {"last_modified": "Sun, 22 Nov 2026 17:29:45 GMT"}
OTHER_DATE = {"last_modified": "Sun, 22 Nov 2026 17:29:46 GMT"}
ODD = {"etag": '"\xe9"'}


@pytest.mark.parametrize(
    ("first", "second", "resumes"),
    [
        (STRONG, STRONG, True),
        (STRONG, {}, True),  # `If-Range` has asked for it
        (STRONG, {"etag": '"v2"'}, False),
        (STRONG, WEAK, False),
        (STRONG | DATE, STRONG | DATE, True),
        (STRONG | DATE, OTHER_DATE, False),
        (WEAK, WEAK, True),
        (WEAK, {"etag": 'W/"v2"'}, False),
        (WEAK, {}, False),
        (WEAK | DATE, WEAK, True),
        (DATE, DATE, True),
        (DATE, OTHER_DATE, False),
        (DATE, {}, False),
        ({}, {}, True),  # only the length is left to tell
        ({}, STRONG, False),
        (ODD, ODD, True),
        (ODD, {"etag": '"\xe8"'}, False),
    ],
)
async def test_parts_of_a_version(
    tmp_path: Path, no_pauses: None, first: Any, second: Any, resumes: bool
) -> None:
    """Put a part behind the beginning only if nothing says that it is of another version."""
    content, requests = await downloaded(
        tmp_path, cut(HALF, **first), reply_part(HALF, SIZE, **second), reply(200, BYTES, **second)
    )
    assert content == BYTES
    assert len(requests) == (2 if resumes else 3)
    # What is no strong entity tag in plain ASCII cannot be asked for.
    assert ("if-range" in requests[1]) == (first.get("etag") == '"v1"')


@pytest.mark.parametrize(
    "content_range",
    [f"bytes {'9' * 5000}-1/2", f"bytes {HALF}-1/{'9' * 5000}", f"bytes {HALF}-{'9' * 5000}/*"],
)
async def test_numbers_beyond_reason(tmp_path: Path, no_pauses: None, content_range: str) -> None:
    """Begin anew after a part whose place has thousands of digits."""
    wrong = reply(206, BYTES[HALF:], content_range=content_range)
    content, _ = await downloaded(tmp_path, cut(HALF, **STRONG), wrong, reply(200, BYTES))
    assert content == BYTES


# ---------------------------------------------------------------------- after the process has ended

Change = Callable[[FakeWhereby, Path], None]


async def left_behind(fake: FakeWhereby, path: Path, received: int = HALF) -> None:
    """Leave what a killed download leaves: the partial file and its version."""
    async with fake.client() as whereby:
        link = (await whereby.recordings.get_access_link("r1")).access_link
        async with whereby.open_link(link) as response:
            version = Version(response.headers["etag"], "", SIZE)
    killed = PartialFile(path, "recording r1")
    await killed.open()
    await killed.begin(version)
    await killed.write(BYTES[:received])
    await killed._flush()
    os.close(killed._descriptor)  # without the removal that an ordinary end brings
    fake.requests.clear()


def partial_file(folder: Path) -> Path:
    """Return the only partial file of a folder."""
    (path,) = folder.glob(".*.part")
    return path


async def resumed(fake: FakeWhereby, path: Path, item_id: str = "r1") -> list[str | None]:
    """Download; return which ranges were requested."""
    async with fake.client() as whereby:
        await whereby.recordings.download(item_id, path)
    return [request.headers.get("range") for request in fake.calls("storage.download")]


@pytest.mark.parametrize("received", [1, HALF, SIZE - 1, SIZE])
async def test_resumes(tmp_path: Path, received: int) -> None:
    """Request only what is missing, at least a byte: it shows that the version is the same."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    await left_behind(fake, tmp_path / "file", received)
    assert await resumed(fake, tmp_path / "file") == [f"bytes={min(received, SIZE - 1)}-"]
    assert (tmp_path / "file").read_bytes() == BYTES
    assert left_in(tmp_path) == ["file"]


async def test_resumes_with_progress(tmp_path: Path) -> None:
    """Report from the start what is here already."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    await left_behind(fake, tmp_path / "file")
    reports: list[Progress] = []
    async with fake.client() as whereby:
        await whereby.recordings.download("r1", tmp_path / "file", progress=reports.append)
    assert (reports[0].received, reports[0].total) == (HALF, SIZE)


async def test_another_recording(tmp_path: Path) -> None:
    """Begin anew when another recording goes to the same destination."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    fake.add_recording(recording_id="r2", content=CONTENT)
    await left_behind(fake, tmp_path / "file")
    assert await resumed(fake, tmp_path / "file", "r2") == [None]
    assert left_in(tmp_path) == ["file"]


async def test_another_version(tmp_path: Path) -> None:
    """Begin anew when the file has another length by now."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    await left_behind(fake, tmp_path / "file")
    fake.recordings.all()[0].content = MadeUp(400_000, seed=2)
    assert await resumed(fake, tmp_path / "file") == [f"bytes={HALF}-", None]
    assert (tmp_path / "file").read_bytes() == MadeUp(400_000, seed=2).read(0, 400_000)
    assert left_in(tmp_path) == ["file"]


def _lose_version(path: Path) -> None:
    path.with_name(path.name + ".json").unlink()


def _break_version(path: Path) -> None:
    path.with_name(path.name + ".json").write_text("[1, 2")


def _change_version(*saved: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.with_name(path.name + ".json").write_text(json.dumps(saved))

    return change


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(SIZE))


def _share(path: Path) -> None:
    os.link(path, path.with_name("elsewhere"))


@pytest.mark.parametrize(
    "damage",
    [
        _lose_version,
        _break_version,
        _change_version(),
        _change_version("recording r1", '"x"', "", None),
        _change_version("recording r1", '"x"', "", 0),
        _change_version("recording r1", '"x"', "", 10),
        _grow,
        _share,
    ],
    ids=["none", "broken", "empty", "no length", "zero", "short", "too long", "shared"],
)
async def test_what_cannot_be_resumed(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """Begin anew when it is not sure what is here, and write to no file that is also another's."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    await left_behind(fake, tmp_path / "file")
    path = partial_file(tmp_path)
    damage(path)
    assert await resumed(fake, tmp_path / "file") == [None]
    assert (tmp_path / "file").read_bytes() == BYTES
    if damage is _share:
        assert (tmp_path / "elsewhere").read_bytes() == BYTES[:HALF]
    else:
        assert left_in(tmp_path) == ["file"]


async def test_a_trap_at_the_name_of_the_partial_file(tmp_path: Path) -> None:
    """Follow no link that somebody else has put where the partial file goes; open no pipe."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    await left_behind(fake, tmp_path / "file")
    path = partial_file(tmp_path)
    path.unlink()
    (tmp_path / "precious").write_text("precious")
    path.symlink_to("precious")
    await resumed(fake, tmp_path / "file")
    assert (tmp_path / "precious").read_text() == "precious"
    path.unlink()
    path.symlink_to("created")
    await resumed(fake, tmp_path / "file")
    assert not (tmp_path / "created").exists()
    path.unlink()
    os.mkfifo(path)
    await resumed(fake, tmp_path / "file")
    assert path.is_fifo()
    assert (tmp_path / "file").read_bytes() == BYTES


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_a_file_of_another_user(tmp_path: Path) -> None:
    """Write to no partial file of another user, who could still change it when it is complete."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    await left_behind(fake, tmp_path / "file")
    path = partial_file(tmp_path)
    os.chown(path, 1234, 1234)
    assert await resumed(fake, tmp_path / "file") == [None]
    assert (tmp_path / "file").read_bytes() == BYTES
    assert path.stat().st_size == HALF
    # ... unless all files of the folder are that user's, as some file systems show them.
    os.chown(tmp_path, 1234, 1234)
    fake.requests.clear()
    assert await resumed(fake, tmp_path / "file") == [f"bytes={HALF}-"]
    assert left_in(tmp_path) == ["file"]


async def test_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Download under a name of its own where the file system has no locks."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)

    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("whereby_api_client.files._partial_file.fcntl.flock", no_locks)
    assert await resumed(fake, tmp_path / "file") == [None]
    assert (tmp_path / "file").read_bytes() == BYTES


async def test_what_others_have_left(tmp_path: Path) -> None:
    """Remove what several killed downloads to one destination have left, once one is complete."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    killed = [PartialFile(tmp_path / "file", "recording r1") for _ in range(4)]
    for download in killed:
        await download.open()
        await download.begin(Version('"v1"', "", SIZE))
    for download in killed[:2]:
        os.close(download._descriptor)
    assert len(left_in(tmp_path)) == 8
    await resumed(fake, tmp_path / "file")
    # Two are still under way.
    assert len(left_in(tmp_path)) == 5
    for download in killed[2:]:
        os.close(download._descriptor)
    await left_behind(fake, tmp_path / "file")
    await resumed(fake, tmp_path / "file")
    assert len(left_in(tmp_path)) == 5


async def test_two_downloads_to_one_destination(tmp_path: Path) -> None:
    """Let two downloads to one destination both end well, each with a partial file of its own."""
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=CONTENT)
    names: list[list[str]] = []

    def note(progress: Progress) -> None:
        names.append([name for name in left_in(tmp_path) if name.endswith(".part")])

    async with (
        fake.serve() as url,
        WherebyClient(fake.token, base_url=url) as whereby,
        anyio.create_task_group() as tasks,
    ):
        download = partial(whereby.recordings.download, progress=note)
        for _ in range(3):
            tasks.start_soon(download, "r1", tmp_path / "file")
    assert max(map(len, names)) > 1
    assert (tmp_path / "file").read_bytes() == BYTES
    assert left_in(tmp_path) == ["file"]
