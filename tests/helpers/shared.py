"""What is made once for all processes that run the tests, and used by each of them."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

# of pytest-xdist; "alone" when there are no other processes
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of this run; the first process to ask makes it, the others wait for that."""
    base = factory.getbasetemp()
    path = (base if WORKER == "alone" else base.parent) / name
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            unfinished = path.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)  # making it may have failed
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(path)
    return path
