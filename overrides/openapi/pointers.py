"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any


class _Missing:
    """The type of MISSING, which stands for no value at all."""

    def __repr__(self) -> str:
        return "nothing"

    def __bool__(self) -> bool:
        return False

    def __deepcopy__(self, memo: object) -> _Missing:
        return self


MISSING: Any = _Missing()


def join(pointer: str, *tokens: str | int) -> str:
    """Return the pointer with these tokens appended."""
    for token in tokens:
        pointer += "/" + str(token).replace("~", "~0").replace("/", "~1")
    return pointer


def split(pointer: str) -> list[str]:
    """Return the tokens of a pointer."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def resolve(document: Any, pointer: str) -> Any:
    """Return the value at the pointer, or MISSING."""
    value = document
    for token in split(pointer):
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
    return value
