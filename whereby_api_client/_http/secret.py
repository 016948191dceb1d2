"""A string that does not show itself."""

from __future__ import annotations

from typing import Never


class Secret:
    """A string that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string."""
        return self._value

    def __repr__(self) -> str:
        return "[secure]"

    def __reduce__(self) -> Never:
        raise TypeError("a secret cannot be pickled")
