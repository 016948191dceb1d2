"""Getting files out: whole, resumed where the connection broke, named only when complete.

The bytes go to a temporary file beside the destination. A lost connection is taken up again where
it broke (`Range`, guarded by `If-Range`), an access link that has expired is replaced by a new one,
and the length is checked before the file gets its name.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    BinaryIO,
    ClassVar,
    Final,
    Generic,
    NamedTuple,
    Protocol,
    Self,
    TypeVar,
)

import anyio
import anyio.to_thread

from .._runtime import checks
from .._runtime.resource import Resource
from ..budget.headers import read_rate_limit
from ..errors import (
    APIConnectionError,
    DownloadAllError,
    DownloadError,
    InvalidArgumentError,
    WherebyError,
)

if TYPE_CHECKING:
    from ..errors import Headers
    from .access_links import LinkAnswer

# Attempts in a row that brought nothing, before a download is given up.
MAX_STALLS: Final = 5
# Who brings this much between two breaks is connected again without a pause.
WORTHWHILE: Final = 65_536
# What is collected before it is written: each write is a trip to a thread.
BLOCK: Final = 1_048_576
PAUSE_BASE: Final = 0.5
PAUSE_CAP: Final = 15.0

_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
# What no file name should hold on any of the usual systems.
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_XML_MESSAGE: Final = re.compile(r"<Message>([^<]{1,300})</Message>")

Destination = str | os.PathLike[str]


class Progress(NamedTuple):
    """How far a download is.

    Attributes:
        id: the recording, transcription, …
        path: where the file will be.
        received: how many bytes are here.
        total: how many there are; None until the storage host has said so.
    """

    id: str
    path: Path
    received: int
    total: int | None


ProgressCallback = Callable[[Progress], object]


class Link(Protocol):
    """What is needed of an access link; the model is generated, and may be of any name."""

    @property
    def access_link(self) -> str:
        """Where the file is."""
        ...


ItemT = TypeVar("ItemT")


class Downloadable(Resource, ABC, Generic[ItemT]):
    """Base of the generated classes that have access links to files."""

    __slots__ = ()

    _id_name: ClassVar[str]

    @abstractmethod
    async def get(self, item_id: str, /) -> ItemT:
        """Get one item: the generated method."""

    @abstractmethod
    async def get_access_link(self, item_id: str, /) -> Link:
        """Get a link to the file: the generated method."""

    async def download(
        self,
        item_id: str,
        destination: Destination,
        *,
        progress: ProgressCallback | None = None,
    ) -> Path:
        """Download the file, and return where it is.

        It comes in pieces to a temporary file beside the destination, which gets its name when it
        is complete; a file that was there before is replaced. When the connection is lost the
        download goes on where it broke; it is given up after five attempts in a row that brought
        nothing. Each access link costs 1 point, the download itself nothing, and the storage host
        never sees the token.

        Args:
            item_id: what to download.
            destination: the path of the file. A folder that exists: the file gets the name that
                Whereby gave it, with the id in it, for 1 more point.
            progress: called with a `Progress` whenever bytes have arrived; see
                `whereby_api_client.progress` for a bar.

        Raises:
            DownloadError: the storage host does not give the file.
            InvalidArgumentError: the destination is in no folder that exists.
            OSError: the file cannot be written, for example because the disk is full.
            APIStatusError: the API gives no access link: there is no such file, it is not ready
                yet, or it is not hosted by Whereby.
        """
        path = _path("destination", destination)
        if await anyio.Path(path).is_dir():
            path /= self._file_name(await self.get(item_id), item_id)
        await self._fetch(item_id, path, progress)
        return path

    async def download_all(
        self,
        items: AsyncIterable[ItemT | str] | Iterable[ItemT | str],
        folder: Destination,
        *,
        concurrency: int = 4,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """Download many files into a folder, some at a time; what is already there is skipped.

            await whereby.recordings.download_all(whereby.recordings.list(), "recordings")

        A file's name is the one that Whereby gave it, with the id in it: two of the same name do
        not get into each other's way, and the next run knows what it has. Only whole files have
        their name, so a run that was broken off is simply repeated. One that fails does not keep
        the others from being downloaded.

        Args:
            items: what to download: a list method's result, or items, or ids (1 more point each).
            folder: where to put the files; made if it is not there.
            concurrency: how many downloads go on at the same time.
            progress: called with a `Progress` whenever bytes of any file have arrived.

        Returns:
            The paths of all files, in the order of the items, also of those that were there.

        Raises:
            DownloadAllError: some could not be downloaded; `errors` tells which, and why.
            OSError: a file cannot be written; nothing more is tried.
        """
        checks.whole_number("concurrency", concurrency, 1)
        top = _path("folder", folder)
        await anyio.Path(top).mkdir(parents=True, exist_ok=True)
        run = _Run(self, top, progress, concurrency)
        await run.over(items)
        return run.result()

    def _id_of(self, item: ItemT | str) -> str:
        item_id = item if isinstance(item, str) else getattr(item, self._id_name, None)
        if not isinstance(item_id, str) or not item_id:
            raise InvalidArgumentError(f"items: expected models with a {self._id_name}, or ids")
        return item_id

    def _file_name(self, item: ItemT, item_id: str) -> str:
        """Make a name that is safe whatever the server says, and different for each id."""
        given = getattr(item, "filename", None)
        # the last part in the spelling of either system: a name must not lead out of the folder
        last = PureWindowsPath(PurePosixPath(given).name).name if isinstance(given, str) else ""
        stem, dot, suffix = last.rpartition(".")
        if not stem:
            stem, dot, suffix = last, "", ""
        clean = _UNSAFE.sub("_", f"{stem}-{item_id}" if stem else item_id)
        end = _UNSAFE.sub("_", dot + suffix)[:20]
        # 255 bytes are what the usual file systems allow; the end of the stem holds the id
        while len((clean + end).encode()) > 250:
            clean = clean[1:]
        return clean.lstrip(".- ") + end.rstrip(". ")

    async def _fetch(self, item_id: str, path: Path, progress: ProgressCallback | None) -> None:
        async with _Part(path) as part:
            await part.open()
            await _Download(self, item_id, part, progress).run()
            await part.finish()


def _path(name: str, value: object) -> Path:
    if isinstance(value, (str, os.PathLike)) and value:
        path = os.fspath(value)
        if isinstance(path, str) and "\0" not in path:
            return Path(path)
    raise InvalidArgumentError(f"{name}: expected a path")


class _Each(AsyncIterator[ItemT]):
    """An ordinary iterable as an asynchronous one."""

    def __init__(self, items: Iterable[ItemT]) -> None:
        self._items = iter(items)

    async def __anext__(self) -> ItemT:
        for item in self._items:
            return item
        raise StopAsyncIteration


class _Run(Generic[ItemT]):
    """One `download_all`."""

    def __init__(
        self,
        resource: Downloadable[ItemT],
        folder: Path,
        progress: ProgressCallback | None,
        concurrency: int,
    ) -> None:
        self._resource = resource
        self._folder = folder
        self._progress = progress
        self._slots = anyio.Semaphore(concurrency)
        # by id, in the order of the items; None while it is not there
        self._paths: dict[str, Path | None] = {}
        self._errors: dict[str, WherebyError] = {}
        self._fatal: Exception | None = None

    async def over(self, items: AsyncIterable[ItemT | str] | Iterable[ItemT | str]) -> None:
        """Start the downloads one by one, each when there is a slot for it."""
        each = items.__aiter__() if isinstance(items, AsyncIterable) else _Each(items)
        async with contextlib.AsyncExitStack() as stack:
            if isinstance(each, AsyncGenerator):
                stack.push_async_callback(each.aclose)
            tasks = await stack.enter_async_context(anyio.create_task_group())
            try:
                async for item in each:
                    item_id = self._resource._id_of(item)
                    if item_id in self._paths:
                        continue
                    self._paths[item_id] = None
                    await self._slots.acquire()
                    tasks.start_soon(self._one, item, item_id, tasks.cancel_scope)
            except Exception as error:
                self._fatal = error
                tasks.cancel_scope.cancel()

    async def _one(self, item: ItemT | str, item_id: str, scope: anyio.CancelScope) -> None:
        try:
            if isinstance(item, str):
                item = await self._resource.get(item_id)
            path = self._folder / self._resource._file_name(item, item_id)
            if not await anyio.Path(path).exists():
                await self._resource._fetch(item_id, path, self._progress)
            self._paths[item_id] = path
        except WherebyError as error:
            self._errors[item_id] = error
        except Exception as error:
            # such as a full disk: the others would only run into the same
            self._fatal = error
            scope.cancel()
        finally:
            self._slots.release()

    def result(self) -> list[Path]:
        """Return the paths, or raise what has gone wrong."""
        if self._fatal is not None:
            raise self._fatal
        paths = [path for path in self._paths.values() if path is not None]
        if self._errors:
            first, why = next(iter(self._errors.items()))
            raise DownloadAllError(
                f"{len(self._errors)} of {len(self._paths)} files could not be downloaded; "
                f"{first}: {why}",
                paths=paths,
                errors=self._errors,
            )
        return paths


class _Part:
    """The temporary file of a download, written in threads: disks can be slow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.received = 0
        self._part = path.with_name(f".{uuid.uuid4().hex}.part")
        self._file: BinaryIO | None = None
        self._block = bytearray()

    async def __aenter__(self) -> Self:
        return self

    async def open(self) -> None:
        """Make the temporary file. Done first: it shows whether there is a place for it."""
        try:
            await anyio.to_thread.run_sync(self._open)
        except (FileNotFoundError, NotADirectoryError):
            message = f"destination: {os.fspath(self.path.parent)!r} is no folder"
            raise InvalidArgumentError(message) from None

    def _open(self) -> None:
        self._file = open(self._part, "xb", buffering=0)  # noqa: SIM115 - closed at the exit

    async def write(self, chunk: bytes) -> None:
        """Add bytes; they are written when there are enough of them."""
        self._block += chunk
        self.received += len(chunk)
        if len(self._block) >= BLOCK:
            await self.flush()

    async def flush(self) -> None:
        """Write what is collected."""
        if self._block:
            block, self._block = self._block, bytearray()
            await anyio.to_thread.run_sync(self._write, block)

    def _write(self, block: bytearray) -> None:
        assert self._file is not None
        view = memoryview(block)
        while view:  # an unbuffered file may take less than it is given
            view = view[self._file.write(view) :]

    async def restart(self) -> None:
        """Throw away what is there."""
        self._block.clear()
        self.received = 0
        await anyio.to_thread.run_sync(self._truncate)

    def _truncate(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        self._file.truncate()

    async def finish(self) -> None:
        """Give the file its name, now that all of it is on the disk."""
        await self.flush()
        await anyio.to_thread.run_sync(self._rename)

    def _rename(self) -> None:
        assert self._file is not None
        # without this a power cut could leave an empty file under the name
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._part, self.path)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._remove)

    def _remove(self) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)


class _LinkRefused(Exception):
    """The storage host does not accept the link, which may have expired."""

    def __init__(self, status_code: int, said: str) -> None:
        super().__init__()
        self.status_code = status_code
        self.said = said


class _Broken(Exception):
    """An attempt ended early; the next one goes on. `asked`: for how long to wait first."""

    def __init__(
        self, why: str, status_code: int | None = None, asked: float | None = None
    ) -> None:
        super().__init__(why)
        self.why = why
        self.status_code = status_code
        self.asked = asked


class _Download:
    """One file on its way."""

    def __init__(
        self,
        resource: Downloadable[Any],
        item_id: str,
        part: _Part,
        progress: ProgressCallback | None,
    ) -> None:
        self._resource = resource
        self._item_id = item_id
        self._part = part
        self._progress = progress
        self._total: int | None = None
        # what tells the storage host which version of the file we have the beginning of
        self._version = ""

    async def run(self) -> None:
        """Attempt until the file is complete."""
        link = await self._new_link()
        is_untried = True
        stalls = 0
        while True:
            before = self._part.received
            broken: _Broken | None = None
            try:
                await self._attempt(link)
            except _LinkRefused as refused:
                if is_untried:
                    raise self._error(
                        f"refuses a new access link{refused.said}", refused.status_code
                    ) from None
                link, is_untried = await self._new_link(), True
                continue
            except _Broken as reason:
                broken = reason
            except APIConnectionError as error:
                broken = _Broken(str(error))
            if broken is None:
                return
            gained = self._part.received - before
            stalls = 0 if gained > 0 else stalls + 1
            if stalls >= MAX_STALLS:
                raise self._error(f"gives nothing any more: {broken.why}", broken.status_code)
            # it may expire from now on
            is_untried = False
            if gained < WORTHWHILE:
                await anyio.sleep(_pause(stalls, broken.asked))

    async def _new_link(self) -> str:
        return (await self._resource.get_access_link(self._item_id)).access_link

    def _error(self, text: str, status_code: int | None) -> DownloadError:
        name = self._resource._id_name.removesuffix("_id")
        return DownloadError(
            f"{name} {self._item_id}: the storage host {text}", status_code=status_code
        )

    async def _attempt(self, link: str) -> None:
        """Ask for what is missing, and take what comes. Returns when the file is complete."""
        headers = {}
        if self._part.received:
            headers["Range"] = f"bytes={self._part.received}-"
            if self._version:
                headers["If-Range"] = self._version
        async with self._resource._caller.open_link(link, headers=headers) as answer:
            if await self._is_complete(answer):
                return
            async for chunk in answer:
                await self._part.write(chunk)
                self._report()
        received = self._part.received
        if self._total is None and not _ends_by_itself(answer):
            # Was this all? What it answers when it is asked for more tells.
            raise _Broken("it does not tell how long the file is")
        if self._total is not None and received != self._total:
            if received > self._total:
                await self._start_again()
            raise _Broken(f"the answer ended after {received} of {self._total} bytes")
        self._total = received
        self._report()

    async def _is_complete(self, answer: LinkAnswer) -> bool:
        """Judge an answer's head; return whether there is nothing left to read."""
        status = answer.status_code
        if status == 200:
            if self._part.received:
                await self._start_again()  # another version, or a host without ranges
            self._begin(answer)
            return False
        if status == 206 and self._part.received:
            await self._go_on(answer)
            return False
        if status == 416 and self._part.received:
            size = f"bytes */{self._part.received}"
            if self._total is None and answer.headers.get("content-range") == size:
                return True
            await self._start_again()
            raise _Broken("it has less of the file than before", status)
        if status in (408, 425, 429) or status >= 500:
            asked = read_rate_limit(429, answer.headers, None).retry_in
            raise _Broken(f"it answered {status}", status, asked)
        said = f" ({status}{_said(await answer.text())})"
        if 400 <= status < 500:
            raise _LinkRefused(status, said)
        raise self._error(f"gives no file{said}", status)

    def _begin(self, answer: LinkAnswer) -> None:
        headers = answer.headers
        encoding = headers.get("content-encoding", "identity")
        if encoding != "identity":
            # The length would be that of the compressed file, and ranges would be too.
            raise self._error(f"sends the file as {encoding}, although asked not to", 200)
        length = headers.get("content-length", "")
        self._total = int(length) if length.isdecimal() else None
        self._version = _version(headers)
        self._report()

    async def _go_on(self, answer: LinkAnswer) -> None:
        found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        total = int(found[3]) if found and found[3] != "*" else self._total
        if (
            found is None
            or int(found[1]) != self._part.received
            or (self._total is not None and total != self._total)
            # a part need not repeat the version, but it must not be of another one
            or (_version(answer.headers) or self._version) != self._version
        ):
            await self._start_again()
            raise _Broken("it went on with another part, or another version of the file", 206)
        self._total = total

    async def _start_again(self) -> None:
        await self._part.restart()
        self._total = None
        self._version = ""

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(
                Progress(self._item_id, self._part.path, self._part.received, self._total)
            )


def _version(headers: Headers) -> str:
    """Return what `If-Range` takes: a strong entity tag, or nothing.

    Not the date of the last change: a part need not carry it, and a second is a long time.
    """
    tag = headers.get("etag", "")
    return tag if tag.startswith('"') else ""


def _ends_by_itself(answer: LinkAnswer) -> bool:
    """Tell whether the end of an answer without a length is sure to be the end of the file."""
    return "chunked" in answer.headers.get("transfer-encoding", "").lower()


def _said(text: str) -> str:
    """Pick the storage host's own words out of its error document (S3's and its likes')."""
    found = _XML_MESSAGE.search(text)
    return f", {found[1].strip()}" if found else ""


def _pause(stalls: int, asked: float | None) -> float:
    """Wait longer each time, and not in step with others; but as long as the host asks for."""
    pause = random.uniform(0.5, 1.0) * min(PAUSE_CAP, PAUSE_BASE * 2.0 ** min(stalls, 10))
    return pause if asked is None else min(max(asked, pause), 4 * PAUSE_CAP)
