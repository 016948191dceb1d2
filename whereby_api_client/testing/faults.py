"""Faults that a test orders: which requests they strike, what they do, how often."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import attrs

from .messages import Response

__all__ = ["Drop", "Fault"]

Drop = Literal["early", "before", "after", "mid"]


@attrs.define(eq=False)
class Fault:
    """One fault ordered by `FakeWhereby.fail`; `cancel` withdraws it."""

    operation: str
    """A name such as `meetings.list`, or a pattern such as `meetings.*` or `*`."""
    times: int | None
    """How many requests it still strikes; None for all."""
    response: Response | None = None
    """Sent in place of the real one."""
    execute: bool = False
    """Whether the request is charged and executed although another response is sent."""
    delay: float = 0.0
    """Seconds by which the response comes later."""
    drop: Drop | None = None
    """Close the connection with the body unread, before executing, after it, amid the response."""
    cut: int | None = None
    """For `drop="mid"`: how many bytes of the body arrive; half of them by default."""
    garbage: bytes | None = None
    """Sent in place of an HTTP response."""
    hits: int = 0
    """How many requests it has struck."""

    def strikes(self, operation: str) -> bool:
        """Return whether a request of that operation is to be struck, and count it if so."""
        if self.times == 0 or not fnmatchcase(operation, self.operation):
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True

    def cancel(self) -> None:
        """Strike no more."""
        self.times = 0
