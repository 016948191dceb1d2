"""Small types that appear in the signatures of the client."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from typing import IO, TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    import enum

    # Type checkers narrow `is UNSET` for the member of an enum only. At run time it is none:
    # pydantic, orjson and the like write an enum as its value, and nobody must write this one.
    class Unset(enum.Enum):
        """The type of `UNSET`."""

        UNSET = enum.auto()

        def __bool__(self) -> Literal[False]:
            return False

    UNSET: Final = Unset.UNSET
else:

    class Unset:
        """The type of `UNSET`: falsy, one object, and neither text nor JSON."""

        __slots__ = ()

        def __new__(cls):  # noqa: D102
            return globals()["UNSET"] if "UNSET" in globals() else object.__new__(cls)

        def __bool__(self):
            return False

        def __repr__(self):
            return "UNSET"

        def __str__(self):
            raise TypeError("UNSET is the default of an argument that is left out; it is not text")

        def __format__(self, format_spec):
            return str(self)

        def __reduce__(self):
            return "UNSET"  # a name in this module: pickle and copy give back the same object

        def __init_subclass__(cls):
            raise TypeError("Unset cannot be subclassed")

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            raise TypeError("UNSET is no value of a field; write `str | None` and give None")

    UNSET = Unset()
"""Left out: the default of an argument that is not sent. Falsy; no response ever holds it."""


class AsyncReadable(Protocol):
    """A file whose `read` is awaited: FastAPI's `UploadFile`, or one of aiofiles or anyio."""

    def read(self) -> Awaitable[bytes]:
        """Read to the end."""
        ...


ImageInput = str | os.PathLike[str] | bytes | IO[bytes] | AsyncReadable
"""An image to upload: its path, its bytes, or a file in binary mode, also an asynchronous one."""
