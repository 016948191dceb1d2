"""What access links serve: bytes in memory, or files of any size that are made while being read."""

from __future__ import annotations

import random

__all__ = ["InMemory", "MadeUp"]

_BLOCK = 65536


class InMemory:
    """Bytes."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Return the length in bytes."""
        return len(self._data)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to `stop`."""
        return self._data[start:stop]


class MadeUp:
    """`size` bytes that look random, are the same every time, and never stand in memory at once.

    Each block begins with its own number, so that a misplaced block changes the file's hash.
    """

    __slots__ = ("_block", "size")

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size: int = size
        self._block = random.Random(seed).randbytes(_BLOCK)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to `stop`."""
        stop = min(stop, self.size)
        pieces: list[bytes] = []
        while start < stop:
            number, offset = divmod(start, _BLOCK)
            end = min(_BLOCK, offset + stop - start)
            pieces.append((number.to_bytes(8, "big") + self._block[8:])[offset:end])
            start += end - offset
        return b"".join(pieces)
