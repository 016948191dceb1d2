"""The fake's clock: real time by default, any other source, and movable by tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["Clock", "iso", "iso_seconds", "parse_date_time"]


class Clock:
    """The fake's time, which a test can set.

    `now` is any callable that returns epoch seconds (for example one that follows trio's virtual
    clock); without it the clock follows real time. `advance`, `set` and `freeze` work on top of it.
    """

    __slots__ = ("_frozen", "_offset", "_source")

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._source = now or _monotonic_wall_clock()
        self._offset = 0.0
        self._frozen: float | None = None

    def __repr__(self) -> str:
        state = "frozen at" if self._frozen is not None else "running, now"
        return f"<Clock {state} {iso(self.now())}>"

    def now(self) -> float:
        """Return the fake's time in epoch seconds."""
        return self._frozen if self._frozen is not None else self._source() + self._offset

    def today(self) -> datetime:
        """Return the fake's time as an aware UTC date-time."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float | timedelta) -> None:
        """Move the clock by that many seconds; a negative number moves it back."""
        step = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        if self._frozen is not None:
            self._frozen += step
        else:
            self._offset += step

    def set(self, moment: float | datetime) -> None:
        """Make it that moment now: epoch seconds or an aware date-time."""
        self.advance((moment.timestamp() if isinstance(moment, datetime) else moment) - self.now())

    def freeze(self) -> None:
        """Stop the clock: it moves only by `advance` and `set` until `resume`."""
        self._frozen = self.now()

    def resume(self) -> None:
        """Let a frozen clock run on from where it stands."""
        if self._frozen is not None:
            stood, self._frozen = self._frozen, None
            self.set(stood)


def _monotonic_wall_clock() -> Callable[[], float]:
    # time.time() can be stepped by the machine; a window that jumps would make tests flaky
    start = time.time() - time.monotonic()
    return lambda: start + time.monotonic()


def iso(moment: float | datetime) -> str:
    """Write a moment as the API does: `2025-01-01T00:00:00.000Z`."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_seconds(moment: datetime) -> str:
    """Write a moment in whole seconds: `2025-01-01T00:00:00Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_date_time(text: str) -> datetime:
    """Read an ISO date-time; without a zone it is UTC. ValueError if it is none."""
    if "T" not in text.upper() and " " not in text:
        raise ValueError(f"{text!r} is a date without a time")
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range in UTC") from None
