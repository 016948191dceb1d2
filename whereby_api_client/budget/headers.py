"""The rate limit of a response, as counts and durations.

Pure functions. Which of the many forms the server really sends is not known (no captured response
was found anywhere), so every form that servers of this kind use is understood, and anything else is
treated as if it were not there: a header must never break a call.

Only *durations* come out. The server's clock and ours differ, so `X-RateLimit-Reset` is compared
with the `Date` of the same response and never with the local clock.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, NamedTuple

# "Sun Nov 22 2026 17:29:45 GMT+0000 (Coordinated Universal Time)": what JavaScript makes of a Date
# that is put into a header as it is.
_JAVASCRIPT_DATE = re.compile(
    r"[A-Z][a-z]{2} (?P<day>[A-Z][a-z]{2} \d{2} \d{4} \d{2}:\d{2}:\d{2}) GMT(?P<zone>[+-]\d{4})\b"
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")

# Numbers up to here are durations; above, seconds since 1970; above the second, milliseconds.
_EPOCH_SECONDS_FROM = 1e8
_EPOCH_MILLISECONDS_FROM = 1e11

# Nothing honest is longer; it keeps hostile values away from the parsers.
_LONGEST_TEXT = 100
_LONGEST_BODY = 65_536


class RateLimit(NamedTuple):
    """What one response reports; None where it reports nothing that can be used.

    Attributes:
        limit: points per period.
        remaining: points left, this call's own already taken off.
        window_left: the server's window ends at most this many seconds after the response was
            made. Whole-second dates count to the end of their second.
        retry_in: on a 429, how long the server asks to wait.
        retry_is_exact: False if `retry_in` is in whole seconds, so up to a second too short.
    """

    limit: int | None = None
    remaining: int | None = None
    window_left: float | None = None
    retry_in: float | None = None
    retry_is_exact: bool = False


class _Moment(NamedTuple):
    """A point in time (seconds since 1970) or a duration, and whether it has fractions."""

    value: float
    is_duration: bool
    is_exact: bool


NOTHING = RateLimit()


def read_rate_limit(
    status: int, headers: Mapping[str, str], body: bytes | None = None
) -> RateLimit:
    """Read the rate-limit headers of a response, and the body of a 429. Never raises."""
    limit = _count(_header(headers, "X-RateLimit-Limit"))
    remaining = _count(_header(headers, "X-RateLimit-Remaining"))
    reset = _moment(_header(headers, "X-RateLimit-Reset"))
    if status != 429:
        if reset is None and limit is None and remaining is None:
            return NOTHING
        return RateLimit(limit, remaining, _window_left(reset, headers))
    retry_in, is_exact = _retry_in(reset, headers, body)
    return RateLimit(limit, remaining, _window_left(reset, headers), retry_in, is_exact)


def _header(headers: Mapping[str, str], name: str) -> str | None:
    # Mappings that ignore case find the first, plain dicts written by hand often need the second.
    value = headers.get(name.lower())
    return headers.get(name) if value is None else value


@lru_cache(maxsize=1024)
def _parse_count(text: str) -> int | None:
    # A header sent twice arrives as "100, 100"; the IETF draft adds parameters: "100;w=60".
    values = {item.partition(";")[0].strip() for item in text.split(",")}
    if len(values) != 1:
        return None
    value = values.pop()
    # `isdecimal` alone would accept other scripts' digits, and a sign or an underscore is nonsense.
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 12 else None


def _count(text: str | None) -> int | None:
    return None if text is None or len(text) > _LONGEST_TEXT else _parse_count(text)


@lru_cache(maxsize=256)  # one window's responses share their Reset, one second's share their Date
def _parse_moment(text: str) -> _Moment | None:
    text = text.strip()
    if _NUMBER.fullmatch(text):
        value = float(text)
        is_exact = "." in text
        if value >= _EPOCH_MILLISECONDS_FROM:
            return _Moment(value / 1000, False, True)
        return _Moment(value, value < _EPOCH_SECONDS_FROM, is_exact)
    when: datetime
    try:
        if match := _JAVASCRIPT_DATE.match(text):
            when = datetime.strptime(f"{match['day']} {match['zone']}", "%b %d %Y %H:%M:%S %z")
        elif text[:1].isdigit():
            when = datetime.fromisoformat(text)
        else:
            when = parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return _Moment(when.timestamp(), False, when.microsecond != 0)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _moment(text: str | None) -> _Moment | None:
    return None if text is None or len(text) > _LONGEST_TEXT else _parse_moment(text)


def _until(moment: _Moment | None, headers: Mapping[str, str]) -> float | None:
    """Seconds from the making of the response to `moment`, as far as whole seconds tell."""
    if moment is None or moment.is_duration:
        return None if moment is None else moment.value
    date = _moment(_header(headers, "Date"))
    return None if date is None or date.is_duration else moment.value - date.value


def _window_left(reset: _Moment | None, headers: Mapping[str, str]) -> float | None:
    left = _until(reset, headers)
    if left is None or reset is None:
        return None
    # `Date` never lies in the future of its response. A Reset in whole seconds may have lost up to
    # one second, so the window surely ends at the end of that second.
    if not reset.is_exact:
        left += 1.0
    return left if left > 0 else None


def _retry_in(
    reset: _Moment | None, headers: Mapping[str, str], body: bytes | None
) -> tuple[float | None, bool]:
    """Return how long a 429 asks to wait; the finest of its statements wins."""
    milliseconds = _milliseconds_left(body)
    if milliseconds is not None:
        return milliseconds / 1000, True
    for moment in (_moment(_header(headers, "Retry-After")), reset):
        wait = _until(moment, headers)
        if moment is not None and wait is not None and wait >= 0:
            return wait, moment.is_exact and moment.is_duration
    return None, False


def _milliseconds_left(body: bytes | None) -> float | None:
    """Find `{"data": {"msLeft": 38689}}`; one old client reads `ms_left`."""
    if not body or len(body) > _LONGEST_BODY:
        return None
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict):
        return None
    for name in ("msLeft", "ms_left"):
        value = data.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
            try:
                return float(value)
            except OverflowError:
                return None
    return None
