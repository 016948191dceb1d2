"""The three usual ways for a server to count points, and the headers that tell of them.

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
    "FixedWindow",
    "ResetForm",
    "RetryAfterForm",
    "SlidingLog",
    "TokenBucket",
    "Verdict",
    "make_algorithm",
    "rate_limit_headers",
]

AlgorithmName = Literal["fixed", "sliding", "token-bucket"]
ResetForm = Literal["js", "iso", "http", "epoch", "epoch-ms"]
RetryAfterForm = Literal["integer", "fraction", "http"]


@attrs.frozen
class Verdict:
    """What the server decided about one request, and what it tells about its books."""

    allowed: bool
    limit: int
    remaining: int
    reset: float
    """Epoch seconds: when the window ends, or when the request could pass."""
    retry_after: float
    """Seconds until a request of the same cost can pass; 0 if it passed."""


class Algorithm(Protocol):
    """Counts points."""

    def take(self, now: float, cost: int) -> Verdict:
        """Count a request of that cost and say whether it passes."""
        ...


class FixedWindow:
    """A window that opens with its first request.

    Adds before it checks, as the Node library does whose texts the API's resemble: a rejected write
    counts too, and can block later reads until the window ends.
    """

    __slots__ = ("_ends", "_used", "limit", "period")

    def __init__(self, limit: int, period: float) -> None:
        self.limit, self.period = limit, period
        self._used = 0
        self._ends = -math.inf

    def take(self, now: float, cost: int) -> Verdict:
        """Count a request of that cost and say whether it passes."""
        if now >= self._ends:
            self._used, self._ends = 0, now + self.period
        self._used += cost
        allowed = self._used <= self.limit
        wait = 0.0 if allowed else self._ends - now
        return Verdict(allowed, self.limit, max(self.limit - self._used, 0), self._ends, wait)


class SlidingLog:
    """Every request leaves the books one period after it came; rejected ones are not counted."""

    __slots__ = ("_log", "_used", "limit", "period")

    def __init__(self, limit: int, period: float) -> None:
        self.limit, self.period = limit, period
        self._log: deque[tuple[float, int]] = deque()
        self._used = 0

    def take(self, now: float, cost: int) -> Verdict:
        """Count a request of that cost and say whether it passes."""
        while self._log and self._log[0][0] + self.period <= now:
            self._used -= self._log.popleft()[1]
        if allowed := self._used + cost <= self.limit:
            self._log.append((now, cost))
            self._used += cost
        remaining = max(self.limit - self._used, 0)
        if allowed:
            # a read of no cost can be the only one: then there is nothing to wait for
            oldest = self._log[0][0]
            return Verdict(True, self.limit, remaining, oldest + self.period, 0.0)
        wait = self._wait_for(now, cost)
        return Verdict(False, self.limit, remaining, now + wait, wait)

    def _wait_for(self, now: float, cost: int) -> float:
        missing = self._used + cost - self.limit
        for came, points in self._log:
            missing -= points
            if missing <= 0:
                return came + self.period - now
        return self.period  # more than the limit: it can never pass


class TokenBucket:
    """A bucket of full capacity that refills evenly; rejected requests take nothing."""

    __slots__ = ("_filled_at", "_tokens", "limit", "period")

    def __init__(self, limit: int, period: float) -> None:
        self.limit, self.period = limit, period
        self._tokens = float(limit)
        self._filled_at = -math.inf

    def take(self, now: float, cost: int) -> Verdict:
        """Count a request of that cost and say whether it passes."""
        rate = self.limit / self.period
        if self._filled_at > -math.inf:
            gained = max(now - self._filled_at, 0.0) * rate
            self._tokens = min(float(self.limit), self._tokens + gained)
        self._filled_at = now
        # a hair of tolerance: rounding must not refuse who waited exactly as long as told
        allowed = self._tokens + 1e-9 >= cost
        if allowed:
            self._tokens = max(self._tokens - cost, 0.0)
            wait, reset = 0.0, now + (self.limit - self._tokens) / rate
        else:
            wait = (cost - self._tokens) / rate
            reset = now + wait
        return Verdict(allowed, self.limit, math.floor(self._tokens + 1e-9), reset, wait)


def make_algorithm(name: AlgorithmName, limit: int, period: float) -> Algorithm:
    """Return the algorithm of that name with full books."""
    if limit < 1 or period <= 0:
        raise ValueError("limit and period must be positive")
    kinds: dict[str, Callable[[int, float], Algorithm]] = {
        "fixed": FixedWindow,
        "sliding": SlidingLog,
        "token-bucket": TokenBucket,
    }
    if name not in kinds:
        raise ValueError(f"algorithm {name!r} is none of {', '.join(kinds)}")
    return kinds[name](limit, period)


def rate_limit_headers(
    verdict: Verdict, reset: ResetForm, retry_after: RetryAfterForm, now: float
) -> list[tuple[str, str]]:
    """Write the documented headers in the wanted form."""
    headers = [
        ("X-RateLimit-Limit", str(verdict.limit)),
        ("X-RateLimit-Remaining", str(verdict.remaining)),
        ("X-RateLimit-Reset", _write_reset(verdict.reset, reset)),
    ]
    if not verdict.allowed:
        headers.append(("Retry-After", _write_retry_after(verdict.retry_after, retry_after, now)))
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
