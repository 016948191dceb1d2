"""Do many files arrive, each once, some at a time, and in spite of one another's failures?"""

from __future__ import annotations

import errno
import os
import pickle
import resource
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from tests.files.test_download import CONTENT, left_in
from whereby_api_client import (
    ClientClosedError,
    DownloadAllError,
    DownloadError,
    InvalidArgumentError,
    ServerError,
    WherebyClient,
    WherebyError,
)
from whereby_api_client.models import Recording
from whereby_api_client.progress import Progress
from whereby_api_client.testing import FakeWhereby, MadeUp

pytestmark = pytest.mark.anyio


def filled(number: int, **options: Any) -> tuple[FakeWhereby, list[str]]:
    """Make a fake with that many recordings, all of one name; return their ids."""
    fake = FakeWhereby(**options)
    for count in range(number):
        fake.add_recording(
            recording_id=f"r{count}", filename="meeting.mp4", content=MadeUp(1000, seed=count)
        )
    return fake, [f"r{count}" for count in range(number)]


def expected(ids: list[str]) -> dict[str, bytes]:
    """Return the files that these recordings become."""
    return {
        f"meeting-{item_id}.mp4": MadeUp(1000, seed=int(item_id.removeprefix("r"))).read(0, 1000)
        for item_id in ids
    }


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of all files of a folder."""
    return {name: (folder / name).read_bytes() for name in left_in(folder)}


async def test_a_whole_list(tmp_path: Path) -> None:
    """Download every page of a list into a new folder; return the paths in the list's order."""
    fake, ids = filled(25)
    folder = tmp_path / "new" / "folder"
    async with fake.client() as whereby:
        paths = await whereby.recordings.download_all(whereby.recordings.list(limit=10), folder)
    assert [path.name for path in paths] == list(expected(ids))
    assert files(folder) == expected(ids)
    assert len(fake.calls("recordings.list")) == 3
    assert len(fake.calls("recordings.get")) == 0


async def test_what_is_there_is_skipped(tmp_path: Path) -> None:
    """Download only what is new, without a single call for the rest."""
    fake, ids = filled(5)
    async with fake.client() as whereby:
        first = await whereby.recordings.download_all(whereby.recordings.list(), tmp_path)
        fake.requests.clear()
        fake.add_recording(recording_id="r5", filename="meeting.mp4", content=MadeUp(1000, seed=5))
        paths = await whereby.recordings.download_all(whereby.recordings.list(), tmp_path)
    assert paths == [*first, tmp_path / "meeting-r5.mp4"]
    assert files(tmp_path) == expected([*ids, "r5"])
    assert [r.operation for r in fake.requests] == [
        "recordings.list",
        "recordings.get_access_link",
        "storage.download",
    ]


async def test_items_of_every_kind(tmp_path: Path) -> None:
    """Take ids, models, a generator of either, and repeated ones once."""
    fake, ids = filled(4)
    async with fake.client() as whereby:
        model = await whereby.recordings.get("r1")

        async def some() -> AsyncIterator[Recording | str]:
            for item in ("r0", model, "r0", "r1", "r2"):
                await anyio.lowlevel.checkpoint()
                yield item

        paths = await whereby.recordings.download_all(some(), tmp_path)
        assert [path.name for path in paths] == list(expected(ids[:3]))
        paths = await whereby.recordings.download_all(["r3", model], tmp_path)
        assert [path.name for path in paths] == ["meeting-r3.mp4", "meeting-r1.mp4"]
        assert await whereby.recordings.download_all([], tmp_path) == []
    assert files(tmp_path) == expected(ids)
    assert fake.executed["storage.download"] == 4


async def test_transcripts(tmp_path: Path) -> None:
    """Download transcripts the same way."""
    fake = FakeWhereby()
    for number in range(3):
        fake.add_transcription(transcription_id=f"t{number}", text=f"# {number}\n")
    async with fake.client() as whereby:
        paths = await whereby.transcriptions.download_all(whereby.transcriptions.list(), tmp_path)
    assert [path.read_text() for path in paths] == ["# 0\n", "# 1\n", "# 2\n"]
    assert {path.suffix for path in paths} == {".md"}


class Gate(httpx.AsyncBaseTransport):
    """Holds downloads back until `expected` of them are going on, and notes how many there are."""

    def __init__(self, fake: FakeWhereby, expected: int) -> None:
        self._inner = fake.transport()
        self._expected = expected
        self._open = anyio.Event()
        self.going_on = 0
        self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let a request through, a download not before its time."""
        if not request.url.path.startswith("/storage/"):
            return await self._inner.handle_async_request(request)
        self.going_on += 1
        self.most = max(self.most, self.going_on)
        if self.most == self._expected:
            self._open.set()
        await self._open.wait()
        response = await self._inner.handle_async_request(request)
        self.going_on -= 1
        return response


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_bounded_concurrency(tmp_path: Path, concurrency: int) -> None:
    """Have as many downloads going on as allowed, and no more."""
    fake, ids = filled(10)
    gate = Gate(fake, concurrency)
    url = "https://api.whereby.test/v1"
    async with WherebyClient(fake.token, base_url=url, transport=gate) as whereby:
        with anyio.fail_after(10):
            await whereby.recordings.download_all(ids, tmp_path, concurrency=concurrency)
    assert gate.most == concurrency
    assert files(tmp_path) == expected(ids)


async def test_lists_are_read_as_needed(tmp_path: Path) -> None:
    """Ask for the next page of a list only when there is a slot for its items."""
    fake, ids = filled(6)
    order: list[str] = []
    async with fake.client() as whereby:
        await whereby.recordings.download_all(
            whereby.recordings.list(limit=2), tmp_path, concurrency=1
        )
    order = [r.operation for r in fake.requests if r.operation != "recordings.get_access_link"]
    pages = [at for at, operation in enumerate(order) if operation == "recordings.list"]
    assert pages[1] > order.index("storage.download")
    assert files(tmp_path) == expected(ids)


async def test_one_that_fails(tmp_path: Path) -> None:
    """Download the others when one cannot be, and tell at the end which one and why."""
    fake, ids = filled(5)
    fake.recordings.all()[1].hosted = False
    async with fake.client() as whereby:
        with pytest.raises(DownloadAllError) as caught:
            await whereby.recordings.download_all([*ids, "missing"], tmp_path, concurrency=2)
        error = caught.value
        assert list(error.errors) in (["r1", "missing"], ["missing", "r1"])
        assert [path.name for path in error.paths] == list(expected(["r0", "r2", "r3", "r4"]))
        assert str(error).startswith("2 of 6 files could not be downloaded; ")
        assert "there is no access link" in str(error.errors["r1"])
        assert files(tmp_path) == expected(["r0", "r2", "r3", "r4"])
        copy = pickle.loads(pickle.dumps(error))
        assert (copy.paths, list(copy.errors)) == (error.paths, list(error.errors))
        fake.fail("storage.download", status=403)
        with pytest.raises(DownloadAllError) as caught:
            await whereby.recordings.download_all(ids, tmp_path / "other", concurrency=1)
        assert isinstance(caught.value.errors["r0"], DownloadError)


async def test_a_list_that_fails(tmp_path: Path) -> None:
    """Pass on the error of the list, and keep what was complete by then."""
    fake, ids = filled(4)
    async with fake.client(max_retries=0) as whereby:
        items = whereby.recordings.list(limit=2)
        fail = fake.fail("recordings.list", status=500, times=None)
        fail.cancel()

        def break_the_list(progress: Progress) -> None:
            fail.times = None

        with pytest.raises(ServerError):
            await whereby.recordings.download_all(
                items, tmp_path, concurrency=1, progress=break_the_list
            )
    assert set(files(tmp_path)) <= set(expected(ids[:2]))
    assert all(name.startswith("meeting-") for name in left_in(tmp_path))


async def test_a_list_that_fails_amid_downloads(tmp_path: Path) -> None:
    """Stop the downloads that are going on when the list fails."""
    fake, _ = filled(4)
    gate = Gate(fake, expected=100)  # holds them for ever
    url = "https://api.whereby.test/v1"
    async with WherebyClient(fake.token, base_url=url, transport=gate) as whereby:

        async def some() -> AsyncIterator[str]:
            yield "r0"
            yield "r1"
            while gate.going_on < 2:
                await anyio.wait_all_tasks_blocked()
            raise RuntimeError("in the list")

        with anyio.fail_after(10), pytest.raises(RuntimeError, match="in the list"):
            await whereby.recordings.download_all(some(), tmp_path)
    assert left_in(tmp_path) == []


async def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop everything when the disk is full: the next file could not be written either."""
    fake = FakeWhereby()
    for number in range(10):
        fake.add_recording(recording_id=f"{number}", content=CONTENT)

    def full(descriptor: int, data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("whereby_api_client.files._partial_file.os.write", full)
    async with fake.client() as whereby:
        with pytest.raises(OSError, match="No space left"):
            await whereby.recordings.download_all(
                whereby.recordings.list(), tmp_path, concurrency=2
            )
    assert left_in(tmp_path) == []
    assert len(fake.calls("storage.download")) <= 4


async def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Get the others when one is larger than the file system allows."""
    fake, ids = filled(4)
    fake.add_recording(recording_id="large", filename="meeting.mp4", content=MadeUp(3_000_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        async with fake.client() as whereby:
            with pytest.raises(DownloadAllError, match="File too large") as caught:
                await whereby.recordings.download_all(["large", *ids], tmp_path, concurrency=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(caught.value.errors) == ["large"]
    assert isinstance(caught.value.errors["large"].__cause__, OSError)
    assert files(tmp_path) == expected(ids)


@pytest.mark.parametrize(
    "odd",
    [
        {"recordingId": "odd", "filename": "cut\ud83d.mp4"},
        {"recordingId": "odd", "filename": "x" * 100_000},
        {"recordingId": "odd\ud83d"},
        {"recordingId": ".."},
        {"recordingId": ""},
        {"recordingId": "no\nsuch\x1b[31m"},
        {"recordingId": "no" * 10_000},
        {"recordingId": "no-such-recording"},
    ],
    ids=["half an emoji", "long", "odd id", "two dots", "empty id", "lines", "long id", "missing"],
)
async def test_an_odd_item(tmp_path: Path, odd: dict[str, Any]) -> None:
    """Get the others, whatever is odd in an item of the list."""
    fake, ids = filled(2)
    fake.add_recording(recording_id="odd")
    async with fake.client() as whereby:
        sane = [await whereby.recordings.get(item_id) for item_id in ids]
        strange = Recording.from_dict(sane[0].to_dict() | odd)
        try:
            await whereby.recordings.download_all([strange, *sane], tmp_path)
        except DownloadAllError as error:
            assert list(error.errors) == [odd["recordingId"]]
            assert isinstance(pickle.loads(pickle.dumps(error)), DownloadAllError)
            assert str(error).isprintable()
            assert len(str(error)) < 1000
    assert files(tmp_path).items() >= expected(ids).items()


async def test_special_files_in_the_way(tmp_path: Path) -> None:
    """Replace no folder and no pipe that has the name of a file, and get the others."""
    fake, ids = filled(3)
    (tmp_path / "meeting-r0.mp4").mkdir()
    os.mkfifo(tmp_path / "meeting-r1.mp4")
    async with fake.client() as whereby:
        with pytest.raises(DownloadAllError) as caught:
            await whereby.recordings.download_all(ids, tmp_path)
    errors = {item_id: str(error) for item_id, error in caught.value.errors.items()}
    assert set(errors) == {"r0", "r1"}
    assert "is a folder" in errors["r0"]
    assert "is a pipe" in errors["r1"]
    assert (tmp_path / "meeting-r1.mp4").is_fifo()
    assert (tmp_path / "meeting-r2.mp4").read_bytes() == expected(["r2"])["meeting-r2.mp4"]


async def test_a_client_that_is_closed(tmp_path: Path) -> None:
    """Stop at once when the client is closed amid the run."""
    fake, _ = filled(20)
    async with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url)
        started = anyio.Event()

        async def download() -> None:
            with pytest.raises(ClientClosedError):
                await whereby.recordings.download_all(
                    whereby.recordings.list(limit=2),
                    tmp_path,
                    concurrency=2,
                    progress=lambda progress: started.set(),
                )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(download)
            await started.wait()
            await whereby.aclose()
    assert all(name.startswith("meeting-") for name in left_in(tmp_path))


async def test_cancelled(tmp_path: Path) -> None:
    """Leave only whole files when the run is cancelled, and go on with the next run."""
    fake, ids = filled(10)
    started: set[str] = set()
    with anyio.CancelScope() as scope:

        def stop(progress: Progress) -> None:
            started.add(progress.id)
            if len(started) == 5:
                scope.cancel()

        async with fake.client() as whereby:
            await whereby.recordings.download_all(
                whereby.recordings.list(), tmp_path, progress=stop
            )
    assert scope.cancelled_caught
    there = files(tmp_path)
    assert there.items() <= expected(ids).items()
    assert len(there) < 10
    async with fake.client() as whereby:
        await whereby.recordings.download_all(whereby.recordings.list(), tmp_path)
    assert files(tmp_path) == expected(ids)


async def test_generators_are_closed(tmp_path: Path) -> None:
    """Close the caller's generator when the run ends early."""
    fake, _ = filled(3)
    closed: list[bool] = []

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield f"r{len(closed)}"
                await anyio.lowlevel.checkpoint()
                yield 5  # type: ignore[misc]
        finally:
            closed.append(True)

    async with fake.client() as whereby:
        with pytest.raises(InvalidArgumentError, match="recording_id"):
            await whereby.recordings.download_all(endless(), tmp_path)
    assert closed == [True]


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "4", True])
async def test_odd_concurrency(tmp_path: Path, concurrency: Any) -> None:
    """Refuse a concurrency with which nothing would ever happen."""
    async with FakeWhereby().client() as whereby:
        with pytest.raises(InvalidArgumentError, match="concurrency"):
            await whereby.recordings.download_all([], tmp_path, concurrency=concurrency)


async def test_odd_arguments(tmp_path: Path) -> None:
    """Refuse a single id in place of several, a list that was not called, and no function."""
    fake, _ = filled(1)
    folder = tmp_path / "folder"
    async with fake.client() as whereby:
        for odd in ("r0", b"r0", None, 5, whereby.recordings.list):
            with pytest.raises(InvalidArgumentError, match="items: must be"):
                await whereby.recordings.download_all(odd, folder)  # type: ignore[arg-type]
        with pytest.raises(InvalidArgumentError, match="progress"):
            await whereby.recordings.download_all([], folder, progress=5)  # type: ignore[arg-type]
        with pytest.raises(InvalidArgumentError, match="progress"):
            await whereby.recordings.download("r0", folder, progress=5)  # type: ignore[arg-type]

        async def never_awaited(progress: Progress) -> None:
            raise AssertionError

        with pytest.raises(InvalidArgumentError, match="not async def"):
            await whereby.recordings.download("r0", folder, progress=never_awaited)
    assert left_in(tmp_path) == []
    assert fake.requests == []


async def test_models_of_other_things(tmp_path: Path) -> None:
    """Refuse the model of a transcription, although it knows the id of a recording."""
    fake, _ = filled(1)
    transcription = fake.add_transcription()
    async with fake.client() as whereby:
        model = await whereby.transcriptions.get(transcription.transcription_id)
        with pytest.raises(InvalidArgumentError, match="recording_id; got Transcription"):
            await whereby.recordings.download_all([model], tmp_path)  # type: ignore[list-item]
        with pytest.raises(InvalidArgumentError, match="recording_id"):
            await whereby.recordings.download(model, tmp_path)  # type: ignore[arg-type]


async def test_folder_that_is_a_file(tmp_path: Path) -> None:
    """Pass on the system's error when the folder cannot be made."""
    (tmp_path / "file").touch()
    async with FakeWhereby().client() as whereby:
        with pytest.raises(FileExistsError):
            await whereby.recordings.download_all([], tmp_path / "file")
        with pytest.raises(InvalidArgumentError, match="folder"):
            await whereby.recordings.download_all([], "")


def test_errors_are_ours() -> None:
    """Let both errors be caught as WherebyError."""
    assert issubclass(DownloadError, WherebyError)
    assert issubclass(DownloadAllError, WherebyError)
