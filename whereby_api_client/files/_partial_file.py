"""The partial file of a download: written in threads, because disks can be slow.

It has a stable name beside the destination, so that a download which was killed resumes. What it is
the beginning of is in a second file, written before the first byte: no bytes of another version, or
of another recording, are ever continued.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import sys
import uuid
from pathlib import Path
from typing import Final, NamedTuple, Self

import anyio
import anyio.to_thread

from ..errors import InvalidArgumentError
from ._file_names import check_replaceable

if sys.platform != "win32":
    import fcntl

# How many bytes are collected before they are written: each write is a trip to a thread.
BLOCK: Final = 1_048_576

# Not by a link, which somebody else could have put there, and without waiting for a pipe.
_FLAGS: Final = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# Downloads to one destination at the same time, of which each could be resumed.
_MOST_NUMBERS: Final = 100


class _LockedError(Exception):
    """Another download is writing to a partial file."""


class _UnusableError(Exception):
    """What has the name of a partial file cannot be used as one."""


class Version(NamedTuple):
    """What identifies one version of a file at its storage host; empty or None where unknown."""

    etag: str = ""
    last_modified: str = ""
    total: int | None = None


class PartialFile:
    """A file beside the destination, which gets the destination's name when it is complete.

    `label` is what is downloaded: only a partial file of the same is resumed.

    Attributes:
        received: how many bytes of the file there are, from its beginning.
        version: what they are the beginning of.
    """

    def __init__(self, path: Path, label: str) -> None:
        self._path = path
        self._label = label
        self.received = 0
        self.version = Version()
        self._partial_path = path
        self._descriptor = -1
        self._number = 0
        self._is_finished = False
        self._block = bytearray()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close)

    async def open(self) -> None:
        """Open it, or create it. Done first: it shows whether the folder exists."""
        try:
            await anyio.to_thread.run_sync(self._open)
        except (FileNotFoundError, NotADirectoryError):
            message = f"destination: {os.fspath(self._path.parent)!r} must be an existing folder"
            raise InvalidArgumentError(message) from None

    async def begin(self, version: Version) -> None:
        """Discard what was received, and begin with another version."""
        self._block.clear()
        self.received = 0
        self.version = version
        await anyio.to_thread.run_sync(self._begin)

    async def write(self, chunk: bytes) -> None:
        """Add bytes; they are written when there are enough of them."""
        self._block += chunk
        self.received += len(chunk)
        if len(self._block) >= BLOCK:
            await self._flush()

    async def finish(self) -> None:
        """Rename the file to its destination, now that all of it is on the disk."""
        await self._flush()
        await anyio.to_thread.run_sync(self._rename)

    async def _flush(self) -> None:
        if self._block:
            block, self._block = self._block, bytearray()
            await anyio.to_thread.run_sync(self._write, block)

    # ------------------------------------------------------------------------------- in threads

    @property
    def _version_path(self) -> Path:
        return self._version_path_of(self._partial_path)

    @staticmethod
    def _version_path_of(path: Path) -> Path:
        return path.with_name(path.name + ".json")

    def _open(self) -> None:
        # A link stays: the file that it leads to is replaced.
        self._path = Path(os.path.realpath(self._path))
        check_replaceable(self._path)
        # Another number while another download to the same destination is under way.
        for number in range(1, _MOST_NUMBERS + 1):
            self._partial_path = self._numbered(number)
            try:
                self._descriptor = self._open_locked(self._partial_path)
            except _LockedError:
                continue
            except _UnusableError:
                break
            self._number = number
            break
        if self._descriptor < 0:
            self._open_unlocked()
        self.received, self.version = self._read_version()
        if not self.received:
            os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, self.received, os.SEEK_SET)

    def _numbered(self, number: int) -> Path:
        stable = hashlib.sha256(os.fsencode(self._path.name)).hexdigest()[:20]
        return self._path.with_name(f".{stable}-{number}.part" if number > 1 else f".{stable}.part")

    def _open_locked(self, path: Path) -> int:
        """Open or create a partial file and lock it.

        Raises:
            _LockedError: another download is writing to it.
            _UnusableError: it is nothing to write to, or the file system has no locks.
        """
        if sys.platform == "win32":
            raise _UnusableError
        try:
            descriptor = os.open(path, _FLAGS | os.O_CREAT, 0o666)
        except OSError as error:
            # A link, a folder, or a file of another user. Not a missing folder, nor a full disk.
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.EACCES, errno.ENXIO):
                raise _UnusableError from None
            raise
        try:
            status = os.fstat(descriptor)
            # Not another user's: they could still write to it when it has got its name. (Some file
            # systems show all files as those of the folder's owner.)
            owners = (os.geteuid(), os.lstat(path.parent).st_uid)
            if (
                not stat.S_ISREG(status.st_mode)
                or status.st_nlink > 1
                or status.st_uid not in owners
            ):
                raise _UnusableError
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _LockedError from None
            except OSError:
                raise _UnusableError from None
            # The one that had locked it before may have renamed or removed it meanwhile.
            if not os.path.lexists(path) or not os.path.samestat(status, os.lstat(path)):
                raise _LockedError
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _open_unlocked(self) -> None:
        """Open a partial file of which nobody else knows the name, and which cannot be resumed."""
        self._partial_path = self._path.with_name(f".{uuid.uuid4().hex}.part")
        flags = _FLAGS | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(self._partial_path, flags, 0o666)

    def _read_version(self) -> tuple[int, Version]:
        """Return how many bytes can be resumed, and of which version they are."""
        size = os.fstat(self._descriptor).st_size
        try:
            saved = json.loads(self._version_path.read_bytes())
            label, etag, last_modified, total = saved
            version = Version(str(etag), str(last_modified), int(total))
        except (OSError, ValueError, TypeError, RecursionError):
            return 0, Version()
        if label != self._label or not version.total or size > version.total:
            return 0, Version()
        # One byte less than all: the response to the request for it shows that it still fits.
        return min(size, version.total - 1), version

    def _begin(self) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.ftruncate(self._descriptor, 0)
        version = self.version
        if version.total and (version.etag or version.last_modified):
            self._version_path.write_text(json.dumps([self._label, *version]), encoding="ascii")
        else:
            self._version_path.unlink(missing_ok=True)

    def _write(self, block: bytearray) -> None:
        view = memoryview(block)
        while view:  # less than all may be written at once
            view = view[os.write(self._descriptor, view) :]

    def _rename(self) -> None:
        # Without this a power cut could leave an empty file under the name.
        os.fsync(self._descriptor)
        check_replaceable(self._path)
        self._version_path.unlink(missing_ok=True)
        if sys.platform == "win32":  # which renames no file that is open
            self._close_descriptor()
        # Still locked: nobody else writes to it while it gets its name.
        os.replace(self._partial_path, self._path)
        self._is_finished = True
        if self._number:
            self._remove_others()

    def _remove_others(self) -> None:
        """Remove what others have left that were killed while they downloaded the same."""
        for number in range(1, _MOST_NUMBERS + 1):
            path = self._numbered(number)
            if not os.path.lexists(path):
                if number > self._number:
                    break
                continue
            with contextlib.suppress(OSError, _LockedError, _UnusableError):
                descriptor = self._open_locked(path)
                try:
                    self._version_path_of(path).unlink(missing_ok=True)
                    path.unlink()
                finally:
                    os.close(descriptor)

    def _close(self) -> None:
        if self._descriptor < 0:
            return
        if sys.platform == "win32":  # which removes no file that is open
            self._close_descriptor()
        if not self._is_finished:
            with contextlib.suppress(OSError):
                self._version_path.unlink(missing_ok=True)
                self._partial_path.unlink(missing_ok=True)
        self._close_descriptor()

    def _close_descriptor(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
