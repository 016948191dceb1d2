"""What older versions of anyio cannot do."""

from __future__ import annotations

from importlib.metadata import version

import pytest

_version = tuple(int(part) for part in version("anyio").split(".")[:2])

needs_clean_cancelled_connects = pytest.mark.skipif(
    _version < (4, 16),
    reason="anyio before 4.16 leaves the socket of a cancelled connect to the garbage collector",
)
