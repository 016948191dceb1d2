"""Simulated rate-limited servers: the fake's algorithms on virtual time, every form of header."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import NamedTuple

from whereby_api_client.testing.points import (
    Algorithm,
    Decision,
    FixedWindow,
    SlidingLog,
    TokenBucket,
)

#: Where the server's clock stands when virtual time is 0; clients must not care.
SERVER_EPOCH = 1_795_368_585.0


class Limiter:
    """An algorithm, and what it has let through."""

    def __init__(self, algorithm: Algorithm, limit: int, period: float) -> None:
        self.algorithm = algorithm
        self.limit = limit
        self.period = period
        self.accepted = 0  # calls
        self.refused = 0  # calls
        self.used = 0  # points of accepted calls
        self.log: list[tuple[float, int]] = []  # accepted (time, points)

    def handle(self, cost: int, now: float) -> Decision:
        """Decide about one call."""
        decision = self.algorithm.take(now, cost)
        if decision.allowed:
            self.accepted += 1
            self.used += cost
            self.log.append((now, cost))
        else:
            self.refused += 1
        return decision


ALGORITHMS: dict[str, Callable[[int, float], Limiter]] = {
    "fixed": lambda n, p: Limiter(FixedWindow(n, p), n, p),
    "sliding": lambda n, p: Limiter(SlidingLog(n, p), n, p),
    "sliding, reset after a period": lambda n, p: Limiter(SlidingLog(n, p, "period"), n, p),
    "bucket": lambda n, p: Limiter(TokenBucket(n, p), n, p),
    "bucket, reset at the next point": lambda n, p: Limiter(TokenBucket(n, p, "next"), n, p),
}


def _utc(when: float) -> datetime:
    return datetime.fromtimestamp(when, UTC)


def _javascript(when: float) -> str:
    zone = timezone(timedelta(hours=2))  # the server's zone, not ours
    text = datetime.fromtimestamp(when, zone).strftime("%a %b %d %Y %H:%M:%S GMT%z")
    return f"{text} (Central European Summer Time)"


#: How the end of the window is written.
RESETS: dict[str, Callable[[float], str]] = {
    "javascript": _javascript,
    "iso": lambda t: _utc(math.floor(t)).isoformat().replace("+00:00", "Z"),
    "iso milliseconds": lambda t: _utc(t).isoformat(timespec="milliseconds"),
    "http date": lambda t: format_datetime(_utc(math.floor(t)), usegmt=True),
    "epoch seconds": lambda t: str(math.floor(t)),
    "epoch seconds, rounded up": lambda t: str(math.ceil(t)),
    "epoch milliseconds": lambda t: str(math.ceil(t * 1000)),
}

#: How long a refused call shall wait. Given seconds, and the moment of the response.
RETRIES: dict[str, Callable[[float, float], str]] = {
    "fractional": lambda s, t: f"{s:.3f}",
    "rounded up": lambda s, t: str(math.ceil(s)),
    "rounded": lambda s, t: str(round(s) or 1),
    "http date": lambda s, t: format_datetime(_utc(math.ceil(t + s)), usegmt=True),
}


class Response(NamedTuple):
    """What goes back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server:
    """A limiter that responds in HTTP.

    Args:
        limiter: decides.
        reset: a name from `RESETS`, None for no headers at all.
        retry: a name from `RETRIES`, None for no `Retry-After`.
        body: whether a 429 has Whereby's body with `msLeft`.
        shift: seconds that the server's clock is ahead of the simulation's: moves the phase of its
            whole seconds.
    """

    def __init__(
        self,
        limiter: Limiter,
        *,
        reset: str | None = "javascript",
        retry: str | None = "fractional",
        body: bool = True,
        shift: float = 0.0,
    ) -> None:
        self.limiter = limiter
        self._reset = None if reset is None else RESETS[reset]
        self._retry = None if retry is None else RETRIES[retry]
        self._body = body
        self._shift = SERVER_EPOCH + shift

    def handle(self, cost: int, now: float) -> Response:
        """Respond to one call."""
        decision = self.limiter.handle(cost, now)
        wall = now + self._shift
        headers = {"date": format_datetime(_utc(math.floor(wall)), usegmt=True)}
        if self._reset is not None:
            headers["x-ratelimit-limit"] = str(self.limiter.limit)
            headers["x-ratelimit-remaining"] = str(decision.remaining)
            headers["x-ratelimit-reset"] = self._reset(decision.reset + self._shift)
        if decision.allowed:
            return Response(200, headers, b"{}")
        if self._retry is not None:
            headers["retry-after"] = self._retry(decision.retry_after, wall)
        data = {"msLeft": math.ceil(decision.retry_after * 1000)} if self._body else {}
        error = "Rate limit active for throttle key: organization:1"
        return Response(429, headers, json.dumps({"error": error, "data": data}).encode())
