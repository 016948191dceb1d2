"""Does a file arrive whole, or not at all, whatever happens to its connections and links?"""

from __future__ import annotations

import logging
import pickle
import resource
import stat
import time
import unicodedata
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.helpers.servers import Behaviour, hang_up, reply, reset, send, serve
from whereby_api_client import (
    ClientClosedError,
    DownloadError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    WherebyClient,
    WherebyError,
)
from whereby_api_client.files._file_names import file_name
from whereby_api_client.progress import Progress
from whereby_api_client.testing import FakeWhereby, MadeUp

pytestmark = pytest.mark.anyio

SIZE = 300_000
CONTENT = MadeUp(SIZE)
BYTES = CONTENT.read(0, SIZE)


def left_in(folder: Path) -> list[str]:
    """Return the names of all files of a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


async def test_recording(tmp_path: Path) -> None:
    """Download a recording to a path, for the one point of its access link."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    async with fake.client() as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file.mp4")
    assert path == tmp_path / "file.mp4"
    assert path.read_bytes() == BYTES
    assert left_in(tmp_path) == ["file.mp4"]
    assert [(r.operation, r.cost) for r in fake.requests] == [
        ("recordings.get_access_link", 1),
        ("storage.download", 0),
    ]


async def test_transcript(tmp_path: Path) -> None:
    """Download a transcript; a path may be a plain string."""
    fake = FakeWhereby()
    transcription = fake.add_transcription(text="# Støtte\n")
    async with fake.client() as whereby:
        path = await whereby.transcriptions.download(
            transcription.transcription_id, str(tmp_path / "file.md")
        )
    assert path.read_text(encoding="utf-8") == "# Støtte\n"


async def test_empty_file(tmp_path: Path) -> None:
    """Download a file without a single byte."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=b"")
    async with fake.client() as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert path.read_bytes() == b""


async def test_storage_host_gets_no_token(tmp_path: Path) -> None:
    """Send the storage host neither the token nor cookies, also not when it redirects."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    (received,) = fake.calls("storage.download")
    assert fake.token not in repr(dict(received.headers))
    assert "authorization" not in received.headers
    assert "cookie" not in received.headers
    assert received.headers["accept-encoding"] == "identity"


async def test_into_a_folder(tmp_path: Path) -> None:
    """Name the file as Whereby does, with the id, when the destination is a folder."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT, filename="støtte 1.mp4")
    async with fake.client() as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path)
    assert path == tmp_path / f"støtte 1-{recording.recording_id}.mp4"
    assert path.read_bytes() == BYTES


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a.mp4", "a-id.mp4"),
        ("a.tar.gz", "a.tar-id.gz"),
        ("a", "a-id"),
        ("", "id"),
        (None, "id"),
        (".mp4", ".mp4-id".lstrip(".")),
        ("..", "id"),
        ("../../etc/passwd", "passwd-id"),
        ("/etc/passwd", "passwd-id"),
        ("C:\\Windows\\win.ini", "win-id.ini"),
        ("a\x00b\n.mp4", "a_b_-id.mp4"),
        ('a<b>:"|?*.mp4', "a_b______-id.mp4"),
        ("-rf.mp4", "rf-id.mp4"),
        ("a.mp4. ", "a.mp4-id"),
        ("x" * 400 + ".mp4", "x" * 243 + "-id.mp4"),
        ("ø" * 400 + ".mp4", "ø" * 121 + "-id.mp4"),
        ("a." + "y" * 400, "a-id." + "y" * 19),
        ("cut\ud83d.mp4", "cut_-id.mp4"),
        ("a\u202egpm.mp4", "a_gpm-id.mp4"),
        ("\x85a.mp4", "_a-id.mp4"),
    ],
)
async def test_file_names(tmp_path: Path, filename: str | None, expected: str) -> None:
    """Take no name from the server that leads out of the folder, hides, or cannot be."""
    fake = FakeWhereby()
    recording = fake.add_recording(recording_id="id", content=CONTENT, extra={"filename": filename})
    async with fake.client() as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path)
    assert left_in(tmp_path) == [expected] == [path.name]


@pytest.mark.parametrize("part", ["x", "ø", ".", "/", "\\", "\x00", "\ud83d"])
def test_names_of_a_million_characters(part: str) -> None:
    """Clean a name in time that grows with its length, whatever it consists of."""
    began = time.process_time()
    assert len(file_name(part * 1_000_000, "id").encode()) <= 255
    assert len(file_name("a.mp4", part * 1_000_000).encode()) <= 255
    assert time.process_time() - began < 2  # it was 36 s


def test_names_of_ids_stay_distinct() -> None:
    """Never give two ids one name, also where the file system ignores the case of letters."""
    ids = [
        "a/b",
        "a:b",
        "a_b",
        "A_B",
        "a b",
        "a.b",
        ".a_b",
        "-a_b",
        "con",
        "CON",
        "",
        "\ud83d",
        "?",
    ]
    ids += ["x" * 120, "x" * 119 + "y", "ø" * 90, "ø" * 90 + "a"]
    names = [(filename, item_id) for filename in ("x.mp4", "x-a.mp4", None) for item_id in ids]
    names += [("x.mp4", "a-b"), ("x-a.mp4", "b"), ("x", "a.b"), ("x.b", "a")]
    recording = [unicodedata.normalize("NFC", file_name(*name)).casefold() for name in names]
    assert len(set(recording)) == len(names)
    assert all(0 < len(name.encode()) <= 255 and not name.startswith(".") for name in recording)


async def test_replaces_a_file(tmp_path: Path) -> None:
    """Put the new file in the place of an old one, with the permissions of any new file."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_text("old")
    other.touch()
    async with fake.client() as whereby:
        await whereby.recordings.download(recording.recording_id, path)
    assert path.read_bytes() == BYTES
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


# ------------------------------------------------------------------------------- interruptions


async def test_lost_connections_on_sockets(tmp_path: Path) -> None:
    """Go on where the connection broke, over real sockets."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    for _ in range(3):
        fake.fail("storage.download", drop="mid", cut=70_000)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert path.read_bytes() == BYTES
    assert len(fake.calls("storage.download")) == 4


async def test_a_link_that_expires(tmp_path: Path) -> None:
    """Get a new link when the old one has expired amid the download, and go on."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    fake.fail("storage.download", drop="mid", times=3)

    def expire(progress: Progress) -> None:
        fake.clock.advance(1800)

    async with fake.client() as whereby:
        path = await whereby.recordings.download(
            recording.recording_id, tmp_path / "file", progress=expire
        )
    assert path.read_bytes() == BYTES
    statuses = [r.status for r in fake.calls("storage.download")]
    assert statuses[:3] == [200, 403, 206]
    assert len(fake.calls("recordings.get_access_link")) == 1 + statuses.count(403)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_new_link_that_is_refused(tmp_path: Path, status: int) -> None:
    """Give up when the storage host refuses a new link, with its own words."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    body = b"<Error><Code>No</Code><Message>Not today</Message><Key>secret</Key></Error>"
    fake.fail("storage.download", status=status, body=body, times=None)
    async with fake.client() as whereby:
        with pytest.raises(DownloadError) as caught:
            await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert str(caught.value) == (
        f"recording {recording.recording_id}: the storage host refuses a new access link "
        f"({status}, Not today)"
    )
    assert caught.value.status_code == status
    assert len(fake.calls("storage.download")) == 1
    assert left_in(tmp_path) == []


async def test_a_link_that_is_refused_for_good(tmp_path: Path) -> None:
    """Ask for one new link when a used one is refused, and give up when that is refused too."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    fake.fail("storage.download", drop="mid")
    fake.fail("storage.download", status=403, times=None)
    async with fake.client() as whereby:
        with pytest.raises(DownloadError):
            await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    assert len(fake.calls("recordings.get_access_link")) == 2
    assert left_in(tmp_path) == []


async def test_no_link(tmp_path: Path) -> None:
    """Pass on why the API gives no link, and leave what was there."""
    fake = FakeWhereby()
    elsewhere = fake.add_recording(hosted=False)
    early = fake.add_transcription(job_time=1000)
    path = tmp_path / "file"
    path.write_text("old")
    async with fake.client() as whereby:
        with pytest.raises(PermissionDeniedError):
            await whereby.recordings.download(elsewhere.recording_id, path)
        with pytest.raises(NotFoundError, match="in_progress"):
            await whereby.transcriptions.download(early.transcription_id, path)
        with pytest.raises(NotFoundError):
            await whereby.recordings.download("missing", tmp_path)
    assert left_in(tmp_path) == ["file"]
    assert path.read_text() == "old"


# ----------------------------------------------------------------------- odd storage hosts

HALF = SIZE // 2
TAG = {"etag": '"v1"'}


def part(
    start: int, stop: int, *, total: int | str = SIZE, extra: bytes = b"", **headers: str
) -> Behaviour:
    """Respond with a part of the file."""
    span = f"bytes {start}-{stop - 1}/{total}"
    return reply(206, BYTES[start:stop] + extra, content_range=span, **headers)


def cut(stop: int, **headers: str) -> Behaviour:
    """Promise the file, and break off at `stop`."""
    lines = ["HTTP/1.1 200 Whatever", f"content-length: {SIZE}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return send("\r\n".join(lines).encode() + b"\r\n\r\n" + BYTES[:stop], keep=False)


async def downloaded(
    tmp_path: Path, *behaviours: Behaviour, **options: Any
) -> tuple[bytes, list[dict[str, str]]]:
    """Download from a host that behaves like that; return the file and the requests' headers."""
    link: Behaviour = hang_up

    async def give_link(stream: Any) -> bool:
        return await link(stream)

    failure: WherebyError | None = None
    content = b""
    async with serve(give_link, *behaviours) as server:
        link = reply(200, {"accessLink": f"{server.url}/file?Signature=s3cr3t", "expires": 1})
        async with WherebyClient("token", base_url=server.url) as whereby:
            try:
                path = await whereby.recordings.download("ID", tmp_path / "file", **options)
                content = path.read_bytes()
            except WherebyError as error:
                failure = error
    # out here: the server's task group would wrap it
    if failure is not None:
        assert left_in(tmp_path) == []
        raise failure
    assert left_in(tmp_path) == ["file"]
    return content, [request.headers for request in server.requests[1:]]


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between attempts short: sockets need real time."""
    monkeypatch.setattr("whereby_api_client.files._transfer._PAUSE_BASE", 0.001)


async def test_host_without_ranges(tmp_path: Path) -> None:
    """Begin anew where the host cannot go on."""
    content, requests = await downloaded(tmp_path, cut(HALF, **TAG), reply(200, BYTES, **TAG))
    assert content == BYTES
    assert requests[1]["range"] == f"bytes={HALF}-"
    assert requests[1]["if-range"] == '"v1"'


async def test_host_with_a_new_version(tmp_path: Path) -> None:
    """Begin anew when the file is another one by now."""
    new = reply(200, b"new" * 1000, etag='"v2"')
    content, _ = await downloaded(tmp_path, cut(HALF, **TAG), new)
    assert content == b"new" * 1000


async def test_host_with_a_shorter_version(tmp_path: Path) -> None:
    """Leave nothing of the old version behind the new one, also of what was written already."""
    long = 3_000_000
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {long}\r\n\r\n".encode()
    broken = send(head + bytes(long - 1), keep=False)
    content, _ = await downloaded(tmp_path, broken, reply(200, b"short"))
    assert content == b"short"


@pytest.mark.parametrize(
    "wrong",
    [
        part(HALF, SIZE, etag='"v2"'),
        part(HALF - 1, SIZE),
        part(0, HALF),
        part(HALF, SIZE, total=SIZE + 1),
        reply(206, BYTES[HALF:]),
        reply(206, BYTES[HALF:], content_range="nonsense"),
        part(HALF, SIZE, extra=b"more than it says"),
        reply(416, content_range="bytes */10"),
        reply(416, content_range=f"bytes */{HALF}"),
        reply(416),
    ],
    ids=[
        *("version", "early", "beginning", "length", "no range", "nonsense", "too much"),
        *("416", "416 of what is here", "bare 416"),
    ],
)
async def test_host_that_goes_on_wrongly(tmp_path: Path, wrong: Behaviour, no_pauses: None) -> None:
    """Begin anew rather than put together what does not belong together."""
    content, requests = await downloaded(
        tmp_path, cut(HALF, **TAG), wrong, reply(200, BYTES, **TAG)
    )
    assert content == BYTES
    assert "range" not in requests[2]


async def test_host_with_bare_parts(tmp_path: Path, no_pauses: None) -> None:
    """Accept parts that do not repeat the version, nor the length, and come in small portions."""
    third = SIZE // 3
    content, requests = await downloaded(
        tmp_path,
        cut(third, **TAG),
        part(third, 2 * third),
        part(2 * third, SIZE, total="*"),
    )
    assert content == BYTES
    assert len(requests) == 3


async def test_host_without_strong_versions(tmp_path: Path) -> None:
    """Send no `If-Range` that would not be accepted; the length still tells."""
    weak = {"etag": 'W/"v1"', "last_modified": "Sun, 22 Nov 2026 17:29:45 GMT"}
    content, requests = await downloaded(
        tmp_path, cut(HALF, **weak), part(HALF, SIZE, etag=weak["etag"])
    )
    assert content == BYTES
    assert "if-range" not in requests[1]


def chunked(body: bytes, *, end: bytes = b"0\r\n\r\n") -> Behaviour:
    """Respond in chunks, without a length."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return send(head + f"{len(body):x}\r\n".encode() + body + b"\r\n" + end, keep=end != b"")


async def test_host_with_chunks(tmp_path: Path) -> None:
    """Accept a file without a length when its end is sure, and only then."""
    content, requests = await downloaded(tmp_path, chunked(BYTES[:HALF], end=b""), part(HALF, SIZE))
    assert content == BYTES
    assert len(requests) == 2


async def test_host_that_does_not_tell_the_length(tmp_path: Path, no_pauses: None) -> None:
    """Ask for more when the end of the file is not sure: the connection may just have broken."""
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
    content, requests = await downloaded(
        tmp_path,
        send(head + BYTES[:HALF], keep=False),
        part(HALF, SIZE),
    )
    assert content == BYTES
    content, requests = await downloaded(
        tmp_path,
        send(head + BYTES, keep=False),
        reply(416, content_range=f"bytes */{SIZE}"),
    )
    assert content == BYTES
    assert requests[1]["range"] == f"bytes={SIZE}-"


async def test_host_that_compresses(tmp_path: Path) -> None:
    """Refuse a compressed file: its length and its ranges would mean something else."""
    with pytest.raises(DownloadError, match="compressed"):
        await downloaded(tmp_path, reply(200, b"...", content_encoding="gzip"))
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("status", [201, 204, 206, 304, 418])
async def test_host_with_another_status(tmp_path: Path, status: int) -> None:
    """Refuse what is no file."""
    body = b"" if status in (204, 304) else b"no file"
    with pytest.raises(DownloadError, match=str(status)):
        await downloaded(tmp_path, reply(status, body))
    assert left_in(tmp_path) == []


async def test_host_that_redirects(tmp_path: Path) -> None:
    """Follow redirects; refuse circles."""
    there = reply(302, b"", location="/elsewhere?Signature=t0k3n")
    content, requests = await downloaded(tmp_path, there, reply(200, BYTES))
    assert content == BYTES
    assert all("authorization" not in headers for headers in requests)


async def test_host_that_redirects_in_circles(tmp_path: Path, no_pauses: None) -> None:
    """Give up on a host that redirects for ever."""
    with pytest.raises(DownloadError, match="TooManyRedirects"):
        await downloaded(tmp_path, reply(302, b"", location="/again"))


async def test_host_that_is_not_there(tmp_path: Path, no_pauses: None) -> None:
    """Give up on a host that only hangs up."""
    with pytest.raises(DownloadError, match="sends nothing any more"):
        await downloaded(tmp_path, reset)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "link", ["", "file:///etc/passwd", "ftp://x/", "nonsense", "https://a:b@c/", "//x"]
)
async def test_odd_links(tmp_path: Path, link: str) -> None:
    """Open nothing but http(s) addresses."""
    async with (
        serve(reply(200, {"accessLink": link, "expires": 1})) as server,
        WherebyClient("token", base_url=server.url) as whereby,
    ):
        with pytest.raises(WherebyError, match="access link"):
            await whereby.recordings.download("ID", tmp_path / "file")
    assert left_in(tmp_path) == []


async def test_links_stay_secret(
    tmp_path: Path, no_pauses: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Show the secret part of a link nowhere: not in errors, not in logs, also not in httpx's."""
    body = b"<Message>no</Message><StringToSign>Signature=s3cr3t</StringToSign>"
    texts = []
    with caplog.at_level(logging.DEBUG):
        await downloaded(tmp_path, cut(HALF), reply(200, BYTES))
        (tmp_path / "file").unlink()
        there = reply(302, b"", location="/elsewhere?Signature=s3cr3t")
        await downloaded(tmp_path, there, reply(200, BYTES))
        (tmp_path / "file").unlink()
        for behaviour in (
            reset,
            reply(403, body),
            reply(503),
            reply(302, b"", location="http://["),
        ):
            with pytest.raises(WherebyError) as caught:
                await downloaded(tmp_path, behaviour)
            error: BaseException | None = caught.value
            while error is not None:
                texts.append(f"{error!r} {error} {error.__dict__}")
                error = error.__cause__ or error.__context__
            assert isinstance(pickle.loads(pickle.dumps(caught.value)), WherebyError)
    assert "HTTP Request: GET" in caplog.text  # httpx has logged at all
    texts.append(caplog.text)
    assert "s3cr3t" not in "".join(texts)


# -------------------------------------------------------------------------------- the disk


async def test_no_folder(tmp_path: Path) -> None:
    """Refuse a destination in no folder before anything is sent."""
    fake = FakeWhereby()
    (tmp_path / "plain").touch()
    async with fake.client() as whereby:
        for path in (tmp_path / "no" / "file", tmp_path / "plain" / "file", tmp_path / "a\x00b"):
            with pytest.raises(InvalidArgumentError, match="destination"):
                await whereby.recordings.download("ID", path)
        for odd in ("", None, b"bytes", 5):
            with pytest.raises(InvalidArgumentError, match="destination"):
                await whereby.recordings.download("ID", odd)  # type: ignore[arg-type]
    assert fake.requests == []


@pytest.mark.parametrize("size", [5_000_000, 2 * 1024 * 1024], ids=["between", "last block"])
async def test_full_disk(tmp_path: Path, size: int) -> None:
    """Pass on the system's error when not all can be written, and tidy up."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=MadeUp(size))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        async with fake.client() as whereby:
            with pytest.raises(OSError, match="too large"):
                await whereby.recordings.download(recording.recording_id, tmp_path / "file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert left_in(tmp_path) == []


async def test_a_folder_in_the_way(tmp_path: Path) -> None:
    """Replace no folder that appears at the destination meanwhile."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    path = tmp_path / "file"

    def obstruct(progress: Progress) -> None:
        path.mkdir(exist_ok=True)

    async with fake.client() as whereby:
        with pytest.raises(InvalidArgumentError, match="is a folder"):
            await whereby.recordings.download(recording.recording_id, path, progress=obstruct)
    assert left_in(tmp_path) == ["file"]
    assert left_in(path) == []


# ----------------------------------------------------------------------------- being stopped


async def test_cancelled(tmp_path: Path) -> None:
    """Leave nothing behind when the download is cancelled, at any point."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        for point in range(12):
            with anyio.CancelScope() as scope:
                left = point

                def stop(progress: Progress) -> None:
                    nonlocal left
                    left -= 1
                    if left <= 0:
                        scope.cancel()

                if point == 0:
                    scope.cancel()
                await whereby.recordings.download(
                    recording.recording_id, tmp_path / "file", progress=stop
                )
            names = left_in(tmp_path)
            assert names in ([], ["file"])
            if names:
                assert (tmp_path / "file").read_bytes() == BYTES
        path = await whereby.recordings.download(recording.recording_id, tmp_path / "file")
        assert path.read_bytes() == BYTES


async def test_an_error_of_the_callback(tmp_path: Path) -> None:
    """Pass on an error of the progress callback, and leave nothing behind."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)

    def fails(progress: Progress) -> None:
        raise RuntimeError("in the callback")

    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        with pytest.raises(RuntimeError, match="in the callback"):
            await whereby.recordings.download(
                recording.recording_id, tmp_path / "file", progress=fails
            )
    assert left_in(tmp_path) == []


async def test_closed_client(tmp_path: Path) -> None:
    """Say that the client was closed when that happens amid a download."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=MadeUp(30_000_000))
    reached = anyio.Event()

    def note(progress: Progress) -> None:
        if progress.received:
            reached.set()

    async with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url)

        async def download() -> None:
            with pytest.raises(ClientClosedError):
                await whereby.recordings.download(
                    recording.recording_id, tmp_path / "file", progress=note
                )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(download)
            await reached.wait()
            await whereby.aclose()
    assert left_in(tmp_path) == []


# --------------------------------------------------------------------------------- progress


async def test_progress(tmp_path: Path) -> None:
    """Tell how far the download is, from nothing to all, across a break."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    fake.fail("storage.download", drop="mid", cut=HALF)
    reports: list[Progress] = []
    async with fake.client() as whereby:
        path = await whereby.recordings.download(
            recording.recording_id, tmp_path / "file", progress=reports.append
        )
    assert (reports[0].received, reports[0].total) == (0, SIZE)
    assert (reports[-1].received, reports[-1].total) == (SIZE, SIZE)
    assert HALF in [progress.received for progress in reports]
    assert [progress.received for progress in reports] == sorted(
        progress.received for progress in reports
    )
    files = {(progress.id, progress.path) for progress in reports}
    assert files == {(recording.recording_id, path)}


# --------------------------------------------------------------------- reading without a disk


async def test_open_link() -> None:
    """Read a file piece by piece, or only some of it, without paying or leaking anything."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=CONTENT)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        link = (await whereby.recordings.get_access_link(recording.recording_id)).access_link
        async with whereby.open_link(link) as response:
            assert response.status_code == 200
            assert b"".join([chunk async for chunk in response]) == BYTES
        async with whereby.open_link(link, headers={"Range": "bytes=5-9"}) as response:
            assert response.status_code == 206
            assert b"".join([chunk async for chunk in response]) == BYTES[5:10]
        async with whereby.open_link(link) as response:
            async for chunk in response:
                assert BYTES.startswith(chunk)
                break
        async with whereby.open_link(link) as response:
            pass
        with pytest.raises(InvalidArgumentError):
            whereby.open_link(link, headers={"Authorization": "Bearer x"})
        assert "Signature" not in repr(response.request)
        await anyio.lowlevel.checkpoint()
    assert all("authorization" not in r.headers for r in fake.calls("storage.download"))
