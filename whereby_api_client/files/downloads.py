"""Downloads: whole, resumed where the connection broke, named only when complete.

The bytes go to a partial file beside the destination. A transfer whose connection is lost resumes
where it broke (`Range`, guarded by `If-Range`), an access link that has expired is replaced by a
new one, and the length is checked before the file gets its name.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Iterable
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

import anyio

from .._runtime import checks
from .._runtime.resource import Resource
from ..errors import InvalidArgumentError
from ._download_all import DownloadAll
from ._file_names import checked_path, file_name
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
        item_id: str,
        destination: Destination,
        *,
        progress: ProgressCallback | None = None,
    ) -> Path:
        """Download the file, and return where it is.

        It comes in pieces to a partial file beside the destination, which gets its name when it is
        complete; a file that was there before is replaced. When the connection is lost the
        download resumes where it broke; it is given up after five attempts in a row that brought
        nothing. Each access link costs 1 point, the download itself nothing, and the storage host
        never sees the token.

        Args:
            item_id: what to download.
            destination: the path of the file. A folder that exists: the file gets the name that
                Whereby gave it, with the id in it, for 1 more point.
            progress: called with a `Progress` whenever bytes have arrived; see
                `whereby_api_client.progress` for a bar.

        Raises:
            DownloadError: the storage host does not send the file.
            InvalidArgumentError: the destination is in no folder that exists.
            OSError: the file cannot be written, for example because the disk is full.
            APIStatusError: the API gives no access link: there is no such file, it is not ready
                yet, or it is not hosted by Whereby.
        """
        path = checked_path("destination", destination)
        if await anyio.Path(path).is_dir():
            path /= _name_of(await self.get(item_id), item_id)
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
        parent = checked_path("folder", folder)
        await anyio.Path(parent).mkdir(parents=True, exist_ok=True)

        async def download(item: ItemT | str, item_id: str) -> Path:
            path = parent / _name_of(
                await self.get(item_id) if isinstance(item, str) else item, item_id
            )
            if not await anyio.Path(path).exists():
                await self._fetch(item_id, path, progress)
            return path

        return await DownloadAll(self._id_of, download, concurrency).run(items)

    def _id_of(self, item: ItemT | str) -> str:
        item_id = item if isinstance(item, str) else getattr(item, self._id_name, None)
        if not isinstance(item_id, str) or not item_id:
            raise InvalidArgumentError(f"items: must be models with a {self._id_name}, or ids")
        return item_id

    async def _fetch(self, item_id: str, path: Path, progress: ProgressCallback | None) -> None:
        async def new_link() -> str:
            return (await self.get_access_link(item_id)).access_link

        label = f"{self._id_name.removesuffix('_id')} {item_id}"
        async with PartialFile(path) as partial:
            await partial.open()

            def report(received: int, total: int | None) -> None:
                if progress is not None:
                    progress(Progress(item_id, path, received, total))

            await Transfer(label, partial, new_link, self._caller.open_link, report).run()
            await partial.finish()


def _name_of(item: object, item_id: str) -> str:
    return file_name(getattr(item, "filename", None), item_id)
