"""The clock that tests can move."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from whereby_api_client.testing import Clock
from whereby_api_client.testing.clock import iso, parse_date_time


def test_real_time_by_default() -> None:
    """Follow real time."""
    assert abs(Clock().now() - time.time()) < 5


def test_moving() -> None:
    """Move forward and back, and to a moment, on top of any source."""
    source = [1000.0]
    clock = Clock(lambda: source[0])
    clock.advance(10)
    clock.advance(timedelta(minutes=1))
    assert clock.now() == 1070
    source[0] = 1001
    assert clock.now() == 1071
    clock.set(datetime(2025, 1, 1, tzinfo=UTC))
    assert repr(clock) == "<Clock running, now 2025-01-01T00:00:00.000Z>"


def test_freezing() -> None:
    """Stand still until moved or resumed, then run on from there."""
    source = [1000.0]
    clock = Clock(lambda: source[0])
    clock.freeze()
    source[0] = 2000
    assert clock.now() == 1000
    clock.advance(5)
    assert repr(clock) == "<Clock frozen at 1970-01-01T00:16:45.000Z>"
    clock.resume()
    assert clock.now() == 1005
    source[0] = 2001
    assert clock.now() == 1006
    clock.resume()
    assert clock.now() == 1006


def test_writing_and_reading_moments() -> None:
    """Write milliseconds in UTC; read any ISO form with a time."""
    moment = datetime(2025, 5, 7, 17, 42, 49, 500_000, tzinfo=UTC)
    assert iso(moment) == iso(moment.timestamp()) == "2025-05-07T17:42:49.500Z"
    assert parse_date_time("2025-05-07T12:42:49.5-05:00") == moment
    assert parse_date_time("2025-05-07 17:42:49.5") == moment
    for wrong in ("2025-05-07", "tomorrow T", ""):
        with pytest.raises(ValueError, match=r"date|format"):
            parse_date_time(wrong)
