"""Destinations of downloads, and names that are safe whatever the server sends."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from ..errors import InvalidArgumentError

# What no file name should hold on any of the usual systems: control characters, reserved ones, what
# reverses the direction of text, and half characters (lone surrogates).
_UNSAFE: Final = re.compile(
    r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u2028-\u202e\u2066-\u2069\ud800-\udfff]'
)
# An id that can stand in a name as it is: it stays distinct from others where the file system does
# not distinguish capitals, and at the end of any stem. Devices of Windows are no names.
_PLAIN_ID: Final = re.compile(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z0-9_]{1,100}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
# The usual file systems allow 255 bytes.
_LONGEST_NAME: Final = 250
_LONGEST_SUFFIX: Final = 20
_LONGEST_ID: Final = 100
_SPECIAL_FILES: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "a device"),
)


def checked_path(name: str, value: object) -> Path:
    """Return an argument as a path."""
    if isinstance(value, (str, os.PathLike)) and value:
        path = os.fspath(value)
        if isinstance(path, str) and "\0" not in path:
            try:
                os.fsencode(path)
            except UnicodeEncodeError:
                message = f"{name}: {path!r} has a character that no file name can have"
                raise InvalidArgumentError(message) from None
            return Path(path)
    raise InvalidArgumentError(f"{name}: must be a path that is not empty")


def names_a_folder(destination: str | os.PathLike[str]) -> bool:
    """Return whether a path can only be that of a folder, such as one that ends with a slash."""
    path = os.fspath(destination)
    return path.endswith(os.altsep or os.sep) or os.path.basename(path) in ("", ".", "..")


def check_replaceable(path: Path) -> None:
    """Refuse a destination where something else than a regular file is; `path` is no link."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(mode):
        kind = next((kind for is_kind, kind in _SPECIAL_FILES if is_kind(mode)), "no regular file")
        raise InvalidArgumentError(
            f"destination: {os.fspath(path)!r} is {kind}; only a regular file can be replaced"
        )


def file_name(filename: object, item_id: str) -> str:
    """Return the name for a file: the server's, if it has one, with the id in it."""
    # The end of a long name is the part that differs. The last part in the spelling of either
    # system: a name must not lead out of the folder.
    text = filename[-1000:] if isinstance(filename, str) else ""
    last = PureWindowsPath(PurePosixPath(text).name).name
    stem, dot, suffix = last.rpartition(".")
    if not stem:
        stem, dot, suffix = last, "", ""
    end = _UNSAFE.sub("_", dot + suffix)[:_LONGEST_SUFFIX].rstrip(". ")
    id_part = _id_part(item_id)
    room = _LONGEST_NAME - len(f"-{id_part}{end}".encode())
    start = _UNSAFE.sub("_", stem).encode()[-room:].decode(errors="ignore").lstrip(".- ")
    return f"{start}-{id_part}{end}" if start else id_part + end


def printable(text: str, limit: int = _LONGEST_ID) -> str:
    """Return a text for a message: one line, and not a long one."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in text[:limit])
    return line if len(text) <= limit else f"{line}…"


def _id_part(item_id: str) -> str:
    """Return an id as part of a name; what cannot stand there is replaced, and a hash added."""
    if _PLAIN_ID.fullmatch(item_id):
        return item_id
    digest = hashlib.sha256(item_id.encode(errors="surrogatepass")).hexdigest()[:12]
    clean = _UNSAFE.sub("_", item_id[:_LONGEST_ID]).encode()[:_LONGEST_ID].decode(errors="ignore")
    return f"{clean.strip('.- ')}-{digest}".lstrip("-")
