"""Checks of the client's options, and of the free-form parts of `WherebyClient.request`.

The API key is read from `WHEREBY_API_KEY` here, by `token`, for the client and for the probe.
No message shows a value that could be a secret.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from ..errors import InvalidArgumentError

TOKEN_VARIABLE: Final = "WHEREBY_API_KEY"

# What other SDKs call the token.
_TOKEN_NAMES: Final = frozenset({"access_token", "api_key", "api_token", "apikey", "auth", "key"})

# The client sets these itself; another value would send the token astray or break the framing.
_OWN_HEADERS: Final = frozenset({"authorization", "content-length", "host", "transfer-encoding"})


def token(value: object) -> str:
    """Return the API key: the argument, or that of the environment."""
    if value is None:
        value = os.environ.get(TOKEN_VARIABLE)
    if not value:
        raise InvalidArgumentError(f"no API key: give token=, or set {TOKEN_VARIABLE}")
    if not isinstance(value, str) or re.fullmatch(r"[\x21-\x7e]+", value) is None:
        raise InvalidArgumentError(
            "token: holds a space, a line break or another character that no API key has "
            "(often a line break at its end)"
        )
    return value


def budget(value: Any) -> Any:
    """Check a budget; what is often taken for one gets a hint."""
    if isinstance(value, type):
        raise InvalidArgumentError(
            f"budget: must be an object; got the class, write {value.__name__}()"
        )
    if not hasattr(value, "acquire"):
        hint = f": write PointBudget(limit={value})" if type(value) is int else ""
        raise InvalidArgumentError(
            f"budget: must be a PointBudget; got {type(value).__name__}{hint}"
        )
    return value


def no_other_options(names: Mapping[str, object]) -> None:
    """Refuse options that do not exist, as Python does; some names get a hint.

    Raises:
        TypeError: there is one.
    """
    for name in names:
        hint = "; the API key is token=" if name in _TOKEN_NAMES else ""
        raise TypeError(f"WherebyClient() got an unexpected keyword argument {name!r}{hint}")


def seconds(name: str, value: Any, *, zero: bool = False) -> float | None:
    """Check a duration that can also be None."""
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise InvalidArgumentError(f"{name}: must be a number of seconds, or None")
    if value < 0 or (value == 0 and not zero):
        raise InvalidArgumentError(f"{name}: must be a positive number of seconds; got {value}")
    return value


def whole_number(name: str, value: object, least: int) -> int:
    """Check a count."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgumentError(f"{name}: must be a whole number, {least} or more")
    return value


def method(value: object) -> str:
    """Check an HTTP method."""
    if not isinstance(value, str) or re.fullmatch(r"[A-Za-z]+", value) is None:
        raise InvalidArgumentError("method: must be GET, POST, PUT, PATCH, DELETE, …")
    return value.upper()


def target(base_url: str, path: Any, params: Mapping[str, Any] | None) -> tuple[str, str]:
    """Check a path below `base_url`; return it and the query."""
    from .arguments import query as write_query

    if not isinstance(path, str):
        raise InvalidArgumentError("path: must be a str")
    path = path.removeprefix(base_url) if path.startswith(base_url + "/") else path
    path, _, query = path.partition("?")
    if not path.startswith("/") or path.startswith("//"):
        raise InvalidArgumentError(
            "path: must begin with a single slash, below base_url; "
            "the token is not sent anywhere else"
        )
    if any(segment in (".", "..") for segment in re.split(r"[/\\]", unquote(path))):
        raise InvalidArgumentError("path: '.' and '..' would lead to another address")
    if re.search(r"[\x00-\x20\x7f\\#]", path + query):
        raise InvalidArgumentError(
            "path: holds a space, a control character, a backslash or '#'; percent-encode it"
        )
    return path, "&".join(filter(None, (query, write_query(extra=params))))


def headers(values: Any) -> Mapping[str, str]:
    """Check the headers that a caller adds."""
    if not isinstance(values, Mapping | None):
        raise InvalidArgumentError("headers must be a mapping of names to values")
    for name, value in (values or {}).items():
        if not isinstance(name, str) or re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) is None:
            raise InvalidArgumentError("headers: must have names that HTTP allows")
        if name.lower() in _OWN_HEADERS:
            raise InvalidArgumentError(f"headers: cannot set {name}, the client does")
        if not isinstance(value, str) or re.fullmatch(r"[\t\x20-\x7e]*", value) is None:
            raise InvalidArgumentError(f"headers: {name} holds what HTTP does not allow")
    return values or {}


def files(values: Any) -> Mapping[str, tuple[str, bytes, str]]:
    """Check a multipart body: nothing in it may write a header of its own."""
    if not isinstance(values, Mapping):
        raise InvalidArgumentError("files: must be a mapping of field → (name, content, type)")
    checked: dict[str, tuple[str, bytes, str]] = {}
    for field, value in values.items():
        match field, value:
            case (str(), (str(name), bytes(content), str(content_type))):
                pass
            case _:
                raise InvalidArgumentError(
                    "files: must have (file name, bytes, type) for each field"
                )
        if re.search(r"[\x00-\x1f\x7f]", field + name):
            raise InvalidArgumentError("files: a name holds a control character")
        if re.fullmatch(r"[\w.+-]+/[\w.+-]+( *;[\x20-\x7e]+)?", content_type, re.ASCII) is None:
            raise InvalidArgumentError(
                f"files: the content type of {field} must be like image/png; got {content_type!r}"
            )
        checked[field] = (name, content, content_type)
    return checked
