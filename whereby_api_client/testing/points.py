"""The three usual ways for a server to count points, and the headers that report them.

Pure functions of the time that is passed in: no clock, no I/O.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Literal, Protocol

import attrs

from .clock import iso

__all__ = [
    "Algorithm",
    "AlgorithmName",
    "Decision",
    "FixedWindow",
    "HeadersSent",
    "PointHeaders",
    "ResetForm",
    "RetryAfterForm",
    "SlidingLog",
    "TokenBucket",
    "make_algorithm",
]

AlgorithmName = Literal["fixed", "sliding", "token-bucket"]
ResetForm = Literal["js", "iso", "http", "epoch", "epoch-ms"]
RetryAfterForm = Literal["integer", "fraction", "http"]
HeadersSent = Literal["always", "limited", "never"]


@attrs.frozen
class Decision:
    """Whether a request passes, and what the headers of its response report."""

    allowed: bool
    limit: int
    remaining: int
    reset: float
    """Epoch seconds: when the window ends, or when the request could pass."""
    retry_after: float
    """Seconds until a request of the same cost can pass; 0 if it passed."""


class Algorithm(Protocol):
    """Counts points."""

    def take(self, now: float, cost: int) -> Decision:
        """Count a request of that cost and decide whether it passes."""
        ...


class FixedWindow:
    """A window that opens with its first request.

    Adds before it checks, as the Node library does whose texts the API's resemble: a rejected write
    counts too, and can block later reads until the window ends.
    """

    __slots__ = ("_ends", "_used", "limit", "period")

    def __init__(self, limit: int, period: float) -> None:
        self.limit: int = limit
        self.period: float = period
        self._used = 0
        self._ends = -math.inf

    def take(self, now: float, cost: int) -> Decision:
        """Count a request of that cost and decide whether it passes."""
        if now >= self._ends:
            self._used, self._ends = 0, now + self.period
        self._used += cost
        allowed = self._used <= self.limit
        wait = 0.0 if allowed else self._ends - now
        return Decision(allowed, self.limit, max(self.limit - self._used, 0), self._ends, wait)


class SlidingLog:
    """Every request counts for one period after it came; rejected ones do not count.

    `reset` is what the header reports: when the `oldest` request ceases to count, or one `period`
    from now, when all of them have.
    """

    __slots__ = ("_log", "_used", "limit", "period", "reset")

    def __init__(
        self, limit: int, period: float, reset: Literal["oldest", "period"] = "oldest"
    ) -> None:
        self.limit: int = limit
        self.period: float = period
        self.reset: str = reset
        self._log: deque[tuple[float, int]] = deque()
        self._used = 0

    def take(self, now: float, cost: int) -> Decision:
        """Count a request of that cost and decide whether it passes."""
        while self._log and self._log[0][0] + self.period <= now:
            self._used -= self._log.popleft()[1]
        if allowed := self._used + cost <= self.limit:
            self._log.append((now, cost))
            self._used += cost
        wait = 0.0 if allowed else self._wait_for(now, cost)
        reset = now + wait
        if allowed or self.reset == "period":
            from_when = self._log[0][0] if self.reset == "oldest" else now
            reset = from_when + self.period
        return Decision(allowed, self.limit, max(self.limit - self._used, 0), reset, wait)

    def _wait_for(self, now: float, cost: int) -> float:
        missing = self._used + cost - self.limit
        for arrived, points in self._log:
            missing -= points
            if missing <= 0:
                return arrived + self.period - now
        return self.period  # more than the limit: it can never pass


class TokenBucket:
    """A bucket of full capacity that refills evenly; rejected requests take nothing.

    `reset` is what the header reports: when the bucket is `full`, or when the `next` point is in.
    """

    __slots__ = ("_filled_at", "_tokens", "limit", "period", "reset")

    def __init__(self, limit: int, period: float, reset: Literal["full", "next"] = "full") -> None:
        self.limit: int = limit
        self.period: float = period
        self.reset: str = reset
        self._tokens = float(limit)
        self._filled_at = -math.inf

    def take(self, now: float, cost: int) -> Decision:
        """Count a request of that cost and decide whether it passes."""
        rate = self.limit / self.period
        if self._filled_at > -math.inf:
            gained = max(now - self._filled_at, 0.0) * rate
            self._tokens = min(float(self.limit), self._tokens + gained)
        self._filled_at = now
        # a hair of tolerance: rounding must not refuse who waited exactly as long as asked to
        allowed = self._tokens + 1e-9 >= cost
        if allowed:
            self._tokens = max(self._tokens - cost, 0.0)
        wait = 0.0 if allowed else (cost - self._tokens) / rate
        whole = math.floor(self._tokens + 1e-9)
        target = whole + 1 if self.reset == "next" else self.limit if allowed else cost
        reset = now + max(target - self._tokens, 0.0) / rate
        return Decision(allowed, self.limit, whole, reset, wait)


def make_algorithm(name: AlgorithmName, limit: int, period: float) -> Algorithm:
    """Return the algorithm of that name with all points left."""
    if limit < 1 or period <= 0:
        raise ValueError(f"limit and period must be positive; got {limit} and {period}")
    kinds: dict[str, Callable[[int, float], Algorithm]] = {
        "fixed": FixedWindow,
        "sliding": SlidingLog,
        "token-bucket": TokenBucket,
    }
    if name not in kinds:
        raise ValueError(f"algorithm must be one of {', '.join(kinds)}; got {name!r}")
    return kinds[name](limit, period)


@attrs.frozen
class PointHeaders:
    """Which responses carry the documented headers, and in which form."""

    sent: HeadersSent = "always"
    reset: ResetForm = "js"
    retry_after: RetryAfterForm = "fraction"

    def write(self, decision: Decision, now: float) -> list[tuple[str, str]]:
        """Return the headers that report a decision."""
        if self.sent == "never" or (self.sent == "limited" and decision.allowed):
            return []
        headers = [
            ("X-RateLimit-Limit", str(decision.limit)),
            ("X-RateLimit-Remaining", str(decision.remaining)),
            ("X-RateLimit-Reset", _write_reset(decision.reset, self.reset)),
        ]
        if not decision.allowed:
            wait = _write_retry_after(decision.retry_after, self.retry_after, now)
            headers.append(("Retry-After", wait))
        return headers


def _write_reset(moment: float, form: ResetForm) -> str:
    match form:
        case "js":
            # JavaScript's `String(new Date(…))` cuts the milliseconds off
            when = datetime.fromtimestamp(math.floor(moment), UTC)
            # strftime follows the locale; these names must not
            day, month = formatdate(moment)[:3], formatdate(moment)[8:11]
            zone = "GMT+0000 (Coordinated Universal Time)"
            return f"{day} {month} {when.day:02} {when:%Y} {when:%H:%M:%S} {zone}"
        case "iso":
            return iso(moment)
        case "http":
            return formatdate(moment, usegmt=True)
        case "epoch":
            return str(math.ceil(moment))
        case "epoch-ms":
            return str(math.ceil(moment * 1000))


def _write_retry_after(seconds: float, form: RetryAfterForm, now: float) -> str:
    match form:
        case "integer":
            return str(math.ceil(seconds))
        case "fraction":
            return f"{math.ceil(round(seconds * 1000, 3)) / 1000:.3f}".rstrip("0").rstrip(".")
        case "http":
            return formatdate(math.ceil(now + seconds), usegmt=True)
