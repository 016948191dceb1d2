"""Long matrices: a few of their cases run always, all of them in `make test-all`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def mostly_slow(values: Iterable[Any], *quick: Any) -> list[Any]:
    """Mark the values of a parametrized test as slow, but for those that stand for them."""
    listed = list(values)
    assert all(value in listed for value in quick), quick
    return [v if v in quick else pytest.param(v, marks=pytest.mark.slow) for v in listed]
