"""The pause before another attempt: one rule for API calls, downloads and Redis."""

from __future__ import annotations

import random


def backoff(
    attempt: int, *, base: float = 0.5, cap: float = 8.0, jitter: float | None = None
) -> float:
    """Return the seconds to pause before another attempt: exponential, with full jitter.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/

    Args:
        attempt: how many pauses there were before this one; 0 for the first.
        base: seconds of the first pause, before the jitter.
        cap: seconds that no pause exceeds.
        jitter: from 0 to 1, the part of the pause that is taken; by default a random number.
    """
    part = random.random() if jitter is None else jitter
    return part * min(cap, base * 2.0 ** min(attempt, 10))
