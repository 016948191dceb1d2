"""Many processes through a Redis that is near or far, in virtual time: what they waste and risk."""

from __future__ import annotations

import pytest

from ...helpers.virtual_crowd import VirtualCrowd


@pytest.mark.parametrize(
    ("processes", "rtt", "calls", "least"),
    [
        (2, 0.0002, 300, 0.97),
        (8, 0.05, 300, 0.93),
        pytest.param(2, 0.15, 1000, 0.89, marks=pytest.mark.slow),
        pytest.param(8, 0.15, 1000, 0.89, marks=pytest.mark.slow),
        pytest.param(32, 0.0002, 1000, 0.97, marks=pytest.mark.slow),
        pytest.param(32, 0.15, 1000, 0.89, marks=pytest.mark.slow),
    ],
)
def test_no_429_and_little_waste(processes: int, rtt: float, calls: int, least: float) -> None:
    """Draw no 429 however many share, however far Redis is, and use the limit."""
    crowd = VirtualCrowd.run(processes, rtt, calls)
    assert crowd.refused == 0
    assert len(crowd.counted) == calls // processes * processes
    assert crowd.used() > least
