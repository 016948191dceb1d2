"""Downloads: whole, resumed where the connection broke, named only when complete.

The bytes go to a partial file beside the destination. A transfer whose connection is lost resumes
where it broke (`Range`, guarded by `If-Range`), an access link that has expired is replaced by a
new one, and the length is checked before the file gets its name.
"""

from __future__ import annotations

import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Iterable
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

import anyio

from .._runtime import arguments as arg
from .._runtime import checks
from .._runtime.resource import Resource
from ..errors import InvalidArgumentError
from ._download_all import DownloadAll
from ._file_names import checked_path, file_name, names_a_folder, printable
from ._partial_file import PartialFile
from ._transfer import Transfer
from .progress import Progress, ProgressCallback

Destination = str | os.PathLike[str]


class Link(Protocol):
    """The part of the generated model of an access link that a download needs."""

    @property
    def access_link(self) -> str:
        """The address of the file."""
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
        item_id: ItemT | str,
        destination: Destination,
        *,
        progress: ProgressCallback | None = None,
    ) -> Path:
        """Download the file, and return its path.

        It comes in pieces to a partial file beside the destination, which gets its name when it is
        complete; a file that was there before is replaced. When the connection is lost the
        download resumes where it broke; it is given up after five attempts in a row that brought
        nothing. One that was killed resumes when it is called again with the same destination.
        Each access link costs 1 point, the download itself nothing, and the storage host never
        sees the token.

        Args:
            item_id: what to download: its id or its model.
            destination: the path of the file; one that is a link replaces the file that the link
                leads to. A folder: the file gets the name that Whereby gave it, with the id in it,
                for 1 more point unless there is a model. A path with a slash at its end is a
                folder, which is created if it is missing.
            progress: called with a `Progress` whenever bytes have arrived; see
                `whereby_api_client.progress` for a bar.

        Raises:
            DownloadError: the storage host does not send the file.
            InvalidArgumentError: the destination is in no folder that exists, or something else
                than a regular file is there.
            OSError: the file cannot be written, for example because the disk is full.
            APIStatusError: the API gives no access link: there is no such file, it is not ready
                yet, or it is not hosted by Whereby.
        """
        identifier = arg.item_id(self._id_name, item_id, self._id_name)
        path = checked_path("destination", destination)
        _check_progress(progress)
        is_folder = names_a_folder(destination)
        with self._caller._until_closed():
            if is_folder:
                await _make_folder(path)
            if is_folder or await anyio.Path(path).is_dir():
                path /= await self._file_name(item_id, identifier)
            await self._fetch(identifier, path, progress)
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
        their name, so a run that was broken off is simply repeated. An item that fails does not
        keep the others from being downloaded.

        Args:
            items: what to download: a list method's result, or models, or ids (1 more point each).
            folder: where the files are written; created if it is missing.
            concurrency: how many downloads go on at the same time.
            progress: called with a `Progress` whenever bytes of any file have arrived.

        Returns:
            The paths of all files, in the order of the items, also of those that were there.

        Raises:
            DownloadAllError: some could not be downloaded; `errors` says which, and why.
            OSError: the disk is full or cannot be written to; nothing more is tried.
        """
        checks.whole_number("concurrency", concurrency, 1)
        parent = checked_path("folder", folder)
        _check_progress(progress)
        if isinstance(items, (str, bytes)) or not isinstance(items, (AsyncIterable, Iterable)):
            # A single text would be taken for an iterable of one-letter ids.
            raise InvalidArgumentError(
                "items: must be what a list method returns, or an iterable of ids or models; "
                f"got {type(items).__name__}"
            )
        await anyio.Path(parent).mkdir(parents=True, exist_ok=True)

        async def download(item: ItemT | str, identifier: str) -> Path:
            path = parent / await self._file_name(item, identifier)
            if not await anyio.Path(path).is_file():
                await self._fetch(identifier, path, progress)
            return path

        downloads = DownloadAll(self._id_of, download, concurrency)
        with self._caller._until_closed():
            return await downloads.run(items)

    def _id_of(self, item: ItemT | str) -> str:
        """Return the id of an item; whether that can be one is seen when it is downloaded."""
        if isinstance(item, str):
            return item
        if getattr(type(item), "_id_name", None) == self._id_name:
            return str(getattr(item, self._id_name))
        raise InvalidArgumentError(
            f"items: must be ids, or models of what has a {self._id_name}; "
            f"got {type(item).__name__}"
        )

    async def _file_name(self, item: ItemT | str, identifier: str) -> str:
        model = await self.get(identifier) if isinstance(item, str) else item
        return file_name(getattr(model, "filename", None), identifier)

    async def _fetch(self, identifier: str, path: Path, progress: ProgressCallback | None) -> None:
        async def new_link() -> str:
            return (await self.get_access_link(identifier)).access_link

        def report(received: int, total: int | None) -> None:
            if progress is not None:
                progress(Progress(identifier, path, received, total))

        kind = self._id_name.removesuffix("_id")
        label = f"{kind} {printable(identifier)}"
        async with PartialFile(path, f"{kind} {identifier}") as partial_file:
            await partial_file.open()
            await Transfer(label, partial_file, new_link, self._caller.open_link, report).run()
            await partial_file.finish()


def _check_progress(progress: object) -> None:
    if progress is not None and (not callable(progress) or inspect.iscoroutinefunction(progress)):
        raise InvalidArgumentError(
            "progress: must be an ordinary function (not async def) that takes a Progress; "
            f"got {type(progress).__name__}"
        )


async def _make_folder(path: Path) -> None:
    try:
        await anyio.Path(path).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        message = f"destination: {os.fspath(path)!r} must be a folder, and is or is in a file"
        raise InvalidArgumentError(message) from None
