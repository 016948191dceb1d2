"""The partial file of a download: written in threads, because disks can be slow."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import anyio
import anyio.to_thread

from ..errors import InvalidArgumentError

# How many bytes are collected before they are written: each write is a trip to a thread.
_BLOCK: Final = 1_048_576


class PartialFile:
    """A file beside the destination, which gets the destination's name when it is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.received = 0
        self._partial_path = path.with_name(f".{uuid.uuid4().hex}.part")
        self._file: BinaryIO | None = None
        self._block = bytearray()

    async def __aenter__(self) -> Self:
        return self

    async def open(self) -> None:
        """Create the partial file. Done first: it shows whether the folder exists."""
        try:
            await anyio.to_thread.run_sync(self._open)
        except (FileNotFoundError, NotADirectoryError):
            message = f"destination: {os.fspath(self.path.parent)!r} must be an existing folder"
            raise InvalidArgumentError(message) from None

    def _open(self) -> None:
        self._file = open(self._partial_path, "xb", buffering=0)  # noqa: SIM115 - see __aexit__

    async def write(self, chunk: bytes) -> None:
        """Add bytes; they are written when there are enough of them."""
        self._block += chunk
        self.received += len(chunk)
        if len(self._block) >= _BLOCK:
            await self.flush()

    async def flush(self) -> None:
        """Write the bytes that were collected."""
        if self._block:
            block, self._block = self._block, bytearray()
            await anyio.to_thread.run_sync(self._write, block)

    def _write(self, block: bytearray) -> None:
        assert self._file is not None
        view = memoryview(block)
        while view:  # an unbuffered file may take less than it was handed
            view = view[self._file.write(view) :]

    async def restart(self) -> None:
        """Discard what was received."""
        self._block.clear()
        self.received = 0
        await anyio.to_thread.run_sync(self._truncate)

    def _truncate(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        self._file.truncate()

    async def finish(self) -> None:
        """Rename the file to its destination, now that all of it is on the disk."""
        await self.flush()
        await anyio.to_thread.run_sync(self._rename)

    def _rename(self) -> None:
        assert self._file is not None
        # Without this a power cut could leave an empty file under the name.
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._partial_path, self.path)

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
            self._partial_path.unlink(missing_ok=True)
