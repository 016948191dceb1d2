"""Simulated rate limiters: the three usual algorithms, on virtual time, with every form of header.

They are the judges of the budget, so they are written without looking at it: each is the plain
textbook algorithm, counts what it let through and what it refused, and knows nothing of clients.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import NamedTuple

#: Where the server's clock stands when virtual time is 0; clients must not care.
SERVER_EPOCH = 1_795_368_585.0


class Answer(NamedTuple):
    """What a limiter decides about one call."""

    accepted: bool
    remaining: int
    reset_at: float
    retry_in: float


class Limiter:
    """Counts what every limiter counts."""

    def __init__(self, limit: int, period: float) -> None:
        self.limit = limit
        self.period = period
        self.accepted = 0  # calls
        self.refused = 0  # calls
        self.used = 0  # points of accepted calls
        self.log: list[tuple[float, int]] = []  # accepted (time, points)

    def handle(self, cost: int, now: float) -> Answer:
        """Decide about one call."""
        answer = self.decide(cost, now)
        if answer.accepted:
            self.accepted += 1
            self.used += cost
            self.log.append((now, cost))
        else:
            self.refused += 1
        return answer

    def decide(self, cost: int, now: float) -> Answer:
        """Apply the algorithm."""
        raise NotImplementedError


class FixedWindow(Limiter):
    """A window that opens with the first call after the last one ended; adds before it checks."""

    def __init__(self, limit: int, period: float) -> None:
        super().__init__(limit, period)
        self.ends = -math.inf
        self.count = 0

    def decide(self, cost: int, now: float) -> Answer:
        if now >= self.ends:
            self.ends = now + self.period
            self.count = 0
        self.count += cost
        left = max(0, self.limit - self.count)
        return Answer(self.count <= self.limit, left, self.ends, self.ends - now)


class SlidingWindow(Limiter):
    """A log of the last period; refused calls are not in it."""

    def __init__(self, limit: int, period: float, reset: str = "oldest") -> None:
        super().__init__(limit, period)
        self.reset = reset
        self.recent: deque[tuple[float, int]] = deque()
        self.count = 0

    def decide(self, cost: int, now: float) -> Answer:
        while self.recent and self.recent[0][0] <= now - self.period:
            self.count -= self.recent.popleft()[1]
        accepted = self.count + cost <= self.limit
        if accepted:
            self.recent.append((now, cost))
            self.count += cost
        # When enough for this call is back, when all is back: both are seen.
        missing = self.count + cost - self.limit
        retry_at = now
        for when, points in self.recent:
            if missing <= 0:
                break
            missing -= points
            retry_at = when + self.period
        oldest = self.recent[0][0] if self.reset == "oldest" and self.recent else now
        return Answer(accepted, self.limit - self.count, oldest + self.period, retry_at - now)


class TokenBucket(Limiter):
    """A bucket that starts full and refills evenly."""

    def __init__(self, limit: int, period: float, reset: str = "full") -> None:
        super().__init__(limit, period)
        self.reset = reset
        self.level = float(limit)
        self.at = 0.0

    def decide(self, cost: int, now: float) -> Answer:
        rate = self.limit / self.period
        self.level = min(self.limit, self.level + (now - self.at) * rate)
        self.at = now
        # Binary fractions: 0.1 + 0.2 is no reason for a 429.
        accepted = cost <= self.level + 1e-9
        if accepted:
            self.level = max(0.0, self.level - cost)
        to_full = (self.limit - self.level) / rate
        to_next = (math.floor(self.level) + 1 - self.level) / rate
        return Answer(
            accepted,
            math.floor(self.level + 1e-9),
            now + (to_full if self.reset == "full" else to_next),
            max(0.0, cost - self.level) / rate,
        )


ALGORITHMS: dict[str, Callable[[int, float], Limiter]] = {
    "fixed": FixedWindow,
    "sliding": SlidingWindow,
    "sliding, reset after a period": lambda n, p: SlidingWindow(n, p, "period"),
    "bucket": TokenBucket,
    "bucket, reset at the next point": lambda n, p: TokenBucket(n, p, "next"),
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
    """A limiter that answers in HTTP.

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
        """Answer one call."""
        answer = self.limiter.handle(cost, now)
        wall = now + self._shift
        headers = {"date": format_datetime(_utc(math.floor(wall)), usegmt=True)}
        if self._reset is not None:
            headers["x-ratelimit-limit"] = str(self.limiter.limit)
            headers["x-ratelimit-remaining"] = str(answer.remaining)
            headers["x-ratelimit-reset"] = self._reset(answer.reset_at + self._shift)
        if answer.accepted:
            return Response(200, headers, b"{}")
        if self._retry is not None:
            headers["retry-after"] = self._retry(answer.retry_in, wall)
        data = {"msLeft": math.ceil(answer.retry_in * 1000)} if self._body else {}
        error = "Rate limit active for throttle key: organization:1"
        return Response(429, headers, json.dumps({"error": error, "data": data}).encode())
