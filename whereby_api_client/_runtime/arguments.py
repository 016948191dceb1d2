"""From a method's arguments to a request: checks, and the exact form on the wire.

The generated methods call these. Each check lets `UNSET` through (not given: not sent) and refuses
what the API could not understand before anything is sent, naming the argument.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from stat import S_ISDIR, S_ISREG
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread

from ..errors import InvalidArgumentError
from ..types import UNSET, ImageInput
from .codec import encode, encode_date_time

# How images begin, with the content type to declare; the browser clients of the API send the same.
_IMAGE_TYPES = (
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF8", "gif", "image/gif"),
    (b"<svg", "svg", "image/svg+xml"),
    (b"<?xml", "svg", "image/svg+xml"),
)


def _refuse(name: str, value: object, expected: str) -> InvalidArgumentError:
    # The type and not the value: an argument can be a secret.
    kind = "None" if value is None else type(value).__name__
    return InvalidArgumentError(f"{name}: must be {expected}; got {kind}")


def _absent(name: str, value: object, null: bool) -> bool:
    if value is UNSET:
        return True
    if value is None:
        if not null:
            raise InvalidArgumentError(
                f"{name}: cannot be None, the API documents no null here; leave the argument out"
            )
        return True
    return False


def string(name: str, value: Any, *, null: bool = False, sort_order: bool = False) -> Any:
    """Check a string; enum members are strings too."""
    if _absent(name, value, null):
        return value
    if not isinstance(value, str):
        raise _refuse(name, value, "a str")
    if sort_order and ":" in value and value.rpartition(":")[2] not in ("asc", "desc"):
        raise InvalidArgumentError(f"{name}: must end with :asc or :desc; got {value!r}")
    return encode(name, value)


def enum(name: str, value: Any, values: Sequence[str] = (), *, null: bool = False) -> Any:
    """Check a value of an enum: a member, or a string.

    The API accepts values that the document does not list yet, so an unlisted string is sent,
    unless it is a listed one with a typing mistake.
    """
    wire = string(name, value, null=null)
    if isinstance(value, Enum) or not isinstance(wire, str) or wire in values:
        return wire
    meant = next((listed for listed in values if _is_typo(wire, listed)), None)
    if meant is None:
        return wire
    raise InvalidArgumentError(
        f"{name}: must be one of {', '.join(values)}; got {wire!r}, did you mean {meant!r}? "
        "(To send an unlisted value that looks like a listed one, give a member of its enum.)"
    )


def _is_typo(text: str, listed: str) -> bool:
    """Return whether it is the listed value with another case, or with one slip of a letter.

    Short values, and those that differ in a digit, can be other values: `mp3`, `en-AU`, `v2`.
    """
    if text.casefold() == listed.casefold():
        return True
    shorter, longer = sorted((text, listed), key=len)
    if len(shorter) < 4:
        return False
    if len(shorter) < len(longer):
        return any(
            longer[:at] + longer[at + 1 :] == shorter and letter.isalpha()
            for at, letter in enumerate(longer)
        )
    slips = [pair for pair in zip(text, listed, strict=True) if pair[0] != pair[1]]
    if len(slips) == 2:
        return slips[0] == slips[1][::-1]
    return len(slips) == 1 and len(listed) > 5 and "".join(slips[0]).isalpha()


def _is_model(value: object) -> bool:
    return hasattr(value, "to_dict") and isinstance(getattr(value, "_id_name", None), str)


def item_id(name: str, value: Any, id_name: str, *, null: bool = False) -> Any:
    """Check an id, or take it from the model of what it belongs to."""
    if _is_model(value):
        if value._id_name != id_name:
            raise _refuse(name, value, f"an id, or a model of what has a {id_name}")
        value = getattr(value, id_name)
    return string(name, value, null=null)


def json_filter(name: str, value: Any, key: str) -> Any:
    """Check a filter; a plain string is the filter's value of this key."""
    return {key: string(name, value)} if isinstance(value, str) else json_object(name, value)


def boolean(name: str, value: Any, *, null: bool = False) -> Any:
    """Check a bool."""
    if not _absent(name, value, null) and not isinstance(value, bool):
        raise _refuse(name, value, "a bool")
    return value


def integer(
    name: str,
    value: Any,
    *,
    null: bool = False,
    minimum: int | None = None,
    maximum: int | None = None,
) -> Any:
    """Check an int and the bounds that the API documents for it."""
    if _absent(name, value, null):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(name, value, "an int")
    if minimum is not None and value < minimum:
        raise InvalidArgumentError(f"{name}: must be at least {minimum}; got {value}")
    if maximum is not None and value > maximum:
        raise InvalidArgumentError(f"{name}: must be at most {maximum}; got {value}")
    return value


def number(name: str, value: Any, *, null: bool = False) -> Any:
    """Check an int or a finite float."""
    if _absent(name, value, null):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refuse(name, value, "a number")
    return encode(name, value)


def date_time(name: str, value: Any, *, null: bool = False) -> Any:
    """Check a timezone-aware datetime and write it as ISO 8601."""
    if _absent(name, value, null):
        return value
    if not isinstance(value, datetime):
        raise _refuse(name, value, "a timezone-aware datetime")
    return encode_date_time(name, value)


def json_object(name: str, value: Any, *, null: bool = False) -> Any:
    """Check a model, or a mapping in the API's own spelling."""
    if _absent(name, value, null):
        return value
    if not isinstance(value, Mapping) and not hasattr(value, "to_dict"):
        raise _refuse(name, value, "its model or a mapping")
    # a second time, because a model gives back what it was read from, whether it can be sent or not
    return encode(name, encode(name, value))


def array(
    name: str, value: Any, check: Callable[..., Any], *, null: bool = False, **options: Any
) -> Any:
    """Check a sequence and each of its items; a lone string or model means that one item."""
    if _absent(name, value, null):
        return value
    if isinstance(value, str) or _is_model(value):
        return [check(name, value, **options)]
    if isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        raise _refuse(name, value, "a sequence")
    return [check(f"{name}[{i}]", item, **options) for i, item in enumerate(value)]


def anything(name: str, value: Any, *, null: bool = False) -> Any:
    """Turn any value into JSON; the document does not describe its type."""
    return value if value is UNSET else encode(name, value)


def room_name(name: str, value: Any, *, null: bool = False) -> Any:
    """Write a room name for bodies and queries: with its leading slash."""
    # docs/api-facts.md#the-slash-in-bodies-and-queries
    value = string(name, value, null=null)
    if not isinstance(value, str):
        return value
    if not value.strip("/"):
        raise InvalidArgumentError(f"{name}: a room name cannot be empty")
    return value if value.startswith("/") else "/" + value


def segment(name: str, value: Any) -> str:
    """Percent-encode an argument as one segment of the path.

    Raises:
        InvalidArgumentError: it is empty, or holds a `.` or `..` segment, which servers and proxies
            resolve to another address than the one that was meant.
    """
    if not isinstance(value, str):
        raise _refuse(name, value, "a str")
    if not value.strip():
        raise InvalidArgumentError(f"{name}: cannot be empty, it is part of the address")
    if any(part in (".", "..") for part in value.replace("\\", "/").split("/")):
        raise InvalidArgumentError(
            f"{name}: {value!r} would lead to another address; '.' and '..' are refused"
        )
    return quote(encode(name, value), safe="")


def room_segment(name: str, value: Any) -> str:
    """Percent-encode a room name for the path: without its leading slash."""
    # docs/api-facts.md#the-slash-in-paths
    return segment(name, value.removeprefix("/") if isinstance(value, str) else value)


def at_least_one(**arguments: Any) -> None:
    """Refuse a call without any of the arguments of which the API needs one."""
    if all(value is UNSET for value in arguments.values()):
        raise InvalidArgumentError(f"give {' or '.join(arguments)}: the API needs one of them")


def upload_or_fields(upload: str, file: object, **fields: Any) -> None:
    """Refuse a call with both a file and the named defaults, or with neither."""
    named = [name for name, value in fields.items() if value is not UNSET and value is not None]
    if file is not UNSET and named:
        raise InvalidArgumentError(f"give either {upload} or {' and '.join(named)}, not both")
    if file is UNSET and not named:
        raise InvalidArgumentError(f"give {upload}, or one of {', '.join(fields)}")


def body(fields: Mapping[str, Any], extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """Build a JSON body from the checked arguments and the caller's extra fields."""
    wire = {key: value for key, value in fields.items() if value is not UNSET}
    if extra is not None:
        wire.update(json_object("extra_body", extra))
    return wire


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        value = encode_date_time(name, value)
    if isinstance(value, (str, int, float)):
        return str(encode(name, value))
    raise _refuse(name, value, "a string, a number or a date")


def _plain(name: str, value: Any) -> str:
    return quote(_text(name, value), safe="")


def form(name: str, value: Any, *, explode: bool = True) -> list[str]:
    """Write a query parameter (`style: form`): a list repeats it, or is joined with commas."""
    if value is UNSET:
        return []
    values = [_plain(name, item) for item in (value if isinstance(value, list) else [value])]
    return [
        f"{quote(name, safe='')}={part}" for part in (values if explode else [",".join(values)])
    ]


def deep_object(name: str, value: Any, room_names: Sequence[str] = ()) -> list[str]:
    """Write an object as `name[key]=value` (`style: deepObject`), brackets percent-encoded."""
    if value is UNSET:
        return []
    pairs = []
    for key, inner in value.items():
        if inner is None:
            continue
        if key in room_names:
            inner = room_name(f"{name}[{key}]", inner)
        pairs.append(f"{quote(f'{name}[{key}]', safe='')}={_plain(f'{name}[{key}]', inner)}")
    return pairs


def query(*parameters: list[str], extra: Mapping[str, Any] | None) -> str:
    """Join the written parameters and the caller's extra ones to a query string."""
    pairs = [pair for parameter in parameters for pair in parameter]
    for name, value in (extra or {}).items():
        pairs += form(name, list(value) if isinstance(value, (list, tuple)) else value)
    return "&".join(pairs)


def headers(fields: Mapping[str, Any]) -> dict[str, str]:
    """Write header parameters.

    Raises:
        InvalidArgumentError: a value has a character that a header cannot have.
    """
    written = {}
    for name, value in fields.items():
        if value is UNSET:
            continue
        text = _text(name, value)
        if re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", text) is None:
            raise InvalidArgumentError(f"{name}: must be printable ASCII, to be sent as a header")
        written[name] = text
    return written


async def image(name: str, value: ImageInput) -> tuple[str, bytes, str]:
    """Read an image off the event loop; return its file name, content and content type.

    Raises:
        InvalidArgumentError: it cannot be read, is empty, or is a file in text mode.
    """
    filename = ""
    content: Any
    if isinstance(value, (bytes, bytearray, memoryview)):
        content = bytes(value)
    elif isinstance(value, (str, os.PathLike)):
        path = anyio.Path(value)
        filename = path.name
        try:
            mode = (await path.stat()).st_mode
            # reading a pipe or a device may never end; of a folder the system says it better
            content = await path.read_bytes() if S_ISREG(mode) or S_ISDIR(mode) else None
        except (OSError, ValueError) as error:
            raise _unreadable(name, repr(os.fspath(value)), error) from None
        if content is None:
            raise InvalidArgumentError(f"{name}: must be a regular file; got {os.fspath(value)!r}")
    elif callable(getattr(value, "read", None)):
        # aiofiles, anyio and the like have a `name`; an upload of FastAPI has a `filename`
        filename = os.path.basename(
            str(getattr(value, "name", "") or getattr(value, "filename", "") or "")
        )
        try:
            content = await _read(value)
        except (OSError, ValueError) as error:
            raise _unreadable(name, f"the {type(value).__name__}", error) from None
        if not isinstance(content, (bytes, bytearray, memoryview)):
            raise InvalidArgumentError(f"{name}: must be a file in binary mode ('rb')")
        content = bytes(content)
    else:
        raise _refuse(name, value, "a path, bytes or a binary file")
    if not content:
        raise InvalidArgumentError(
            f"{name}: the image is empty; a file is read from where it stands: seek(0) to its start"
        )
    extension, content_type = _image_type(content)
    # httpx writes the multipart body. The name is ours to choose: a caller's may hold what a
    # multipart header cannot.
    safe = "".join(c for c in filename if c.isalnum() or c in "._-")
    return safe or f"{name}.{extension}", content, content_type


async def _read(file: Any) -> Any:
    """Read a file to its end; one whose `read` is asynchronous in the event loop, all else not."""
    if inspect.iscoroutinefunction(file.read):
        return await file.read()
    # In a list, because trio takes no coroutine from a thread.
    (content,) = await anyio.to_thread.run_sync(lambda: [file.read()])
    return await content if inspect.isawaitable(content) else content


def _unreadable(name: str, file: str, error: Exception) -> InvalidArgumentError:
    reason = getattr(error, "strerror", None) or str(error)
    return InvalidArgumentError(f"{name}: cannot read {file}: {reason}")


def _image_type(content: bytes) -> tuple[str, str]:
    for start, extension, content_type in _IMAGE_TYPES:
        if content.startswith(start):
            return extension, content_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp", "image/webp"
    return "bin", "application/octet-stream"
