"""File names that are safe whatever the server sends, and different for each id."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from ..errors import InvalidArgumentError

# What no file name should hold on any of the usual systems.
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


def checked_path(name: str, value: object) -> Path:
    """Return an argument as a path."""
    if isinstance(value, (str, os.PathLike)) and value:
        path = os.fspath(value)
        if isinstance(path, str) and "\0" not in path:
            return Path(path)
    raise InvalidArgumentError(f"{name}: expected a path")


def file_name(filename: object, item_id: str) -> str:
    """Return the name for a file: the server's, if it has one, with the id in it."""
    # The last part in the spelling of either system: a name must not lead out of the folder.
    last = PureWindowsPath(PurePosixPath(filename).name).name if isinstance(filename, str) else ""
    stem, dot, suffix = last.rpartition(".")
    if not stem:
        stem, dot, suffix = last, "", ""
    clean = _UNSAFE.sub("_", f"{stem}-{item_id}" if stem else item_id)
    end = _UNSAFE.sub("_", dot + suffix)[:20]
    # 255 bytes are what the usual file systems allow. The end of the stem holds the id.
    while len((clean + end).encode()) > 250:
        clean = clean[1:]
    return clean.lstrip(".- ") + end.rstrip(". ")
