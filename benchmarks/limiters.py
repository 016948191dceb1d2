"""The limiters that the benchmark compares, each behind the same two calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

import limits
import limits.aio
import pyrate_limiter
import throttled.asyncio as throttled
from aiolimiter import AsyncLimiter

from whereby_api_client import PointBudget


class Limiter(Protocol):
    """Gives leave to send a call of some cost, and is told of its response."""

    async def acquire(self, cost: int, is_retry: bool) -> Any:
        """Wait for the points; `is_retry` after a 429."""

    def answered(self, grant: Any, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Take note of the response."""


class _Deaf:
    """Base of the limiters that do not listen to the server."""

    def answered(self, grant: Any, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Ignore the response."""


class Ours:
    """`PointBudget`."""

    def __init__(self, limit: int, period: float) -> None:
        self.budget = PointBudget(limit=limit, period=period)

    async def acquire(self, cost: int, is_retry: bool) -> Any:
        """Wait for the points."""
        return await self.budget.acquire(cost, first=is_retry)

    def answered(self, grant: Any, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Settle the grant."""
        grant.settle(status, headers, body)


class Aiolimiter(_Deaf):
    """aiolimiter: a leaky bucket of full capacity."""

    def __init__(self, limit: int, period: float) -> None:
        self._limiter = AsyncLimiter(limit, period)

    async def acquire(self, cost: int, is_retry: bool) -> None:
        """Wait for the points."""
        await self._limiter.acquire(cost)


class Pyrate(_Deaf):
    """pyrate-limiter: a sliding window log."""

    def __init__(self, limit: int, period: float) -> None:
        self._limiter = pyrate_limiter.Limiter(pyrate_limiter.Rate(limit, int(period * 1000)))

    async def acquire(self, cost: int, is_retry: bool) -> None:
        """Wait for the points."""
        await self._limiter.try_acquire_async("organization", weight=cost)


class Throttled(_Deaf):
    """throttled-py: a token bucket."""

    def __init__(self, limit: int, period: float) -> None:
        quota = throttled.per_duration(timedelta(seconds=period), limit, burst=limit)
        self._limiter = throttled.Throttled(
            using=throttled.RateLimiterType.TOKEN_BUCKET.value, quota=quota
        )

    async def acquire(self, cost: int, is_retry: bool) -> None:
        """Wait for the points; its own waiting gives up early, so ask again."""
        while (result := await self._limiter.limit("organization", cost=cost)).limited:
            await asyncio.sleep(max(0.001, result.state.retry_after))


class Limits(_Deaf):
    """limits: a moving window, asked again every 10 ms, as it cannot wait itself."""

    def __init__(self, limit: int, period: float) -> None:
        self._item = limits.RateLimitItemPerSecond(limit, int(period))
        self._limiter = limits.aio.strategies.MovingWindowRateLimiter(
            limits.aio.storage.MemoryStorage()
        )

    async def acquire(self, cost: int, is_retry: bool) -> None:
        """Wait for the points."""
        while not await self._limiter.hit(self._item, "organization", cost=cost):
            await asyncio.sleep(0.01)


class Naive(_Deaf):
    """The token bucket that everybody writes first: full capacity, steady refill."""

    def __init__(self, limit: int, period: float) -> None:
        self._limit, self._rate = limit, limit / period
        self._tokens, self._at = float(limit), time.monotonic()
        self._lock = asyncio.Lock()

    async def acquire(self, cost: int, is_retry: bool) -> None:
        """Wait for the points."""
        async with self._lock:
            while True:
                now = time.monotonic()
                self._tokens = min(self._limit, self._tokens + (now - self._at) * self._rate)
                self._at = now
                if self._tokens >= cost:
                    self._tokens -= cost
                    return
                await asyncio.sleep((cost - self._tokens) / self._rate)


class RetryOnly(_Deaf):
    """No limiter at all: send, and wait when the server says 429."""

    def __init__(self, limit: int, period: float) -> None: ...

    async def acquire(self, cost: int, is_retry: bool) -> None:
        """Do not wait."""


LIMITERS: dict[str, type[Any]] = {
    "PointBudget": Ours,
    "aiolimiter": Aiolimiter,
    "pyrate-limiter": Pyrate,
    "throttled-py": Throttled,
    "limits (moving window)": Limits,
    "naive token bucket": Naive,
    "retry only": RetryOnly,
}
