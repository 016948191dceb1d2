"""Small types that appear in the signatures of the client."""

from __future__ import annotations

import os
from enum import Enum
from typing import IO, Final


class Unset(Enum):
    """The type of `UNSET`: a one-member enum, so that type checkers narrow it and it pickles."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Not given: an argument that is not sent, or a field that the answer did not hold. Falsy."""

ImageInput = str | os.PathLike[str] | bytes | IO[bytes]
"""An image to upload: its path, its bytes, or a file opened in binary mode."""
