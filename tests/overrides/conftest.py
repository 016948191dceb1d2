"""A tree for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from overrides.paths import files
from overrides.update import verify

from ..helpers.update_runs import CHANGED, copy, put_back


@pytest.fixture(scope="session", autouse=True)
def cache() -> Iterator[None]:
    """Give each process that runs tests a cache of its own: mypy shares none with another mypy."""
    usual = verify.CACHE
    verify.CACHE = usual.with_name(f"tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")
    yield
    verify.CACHE = usual


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """Return a tree whose outputs are of today, and what an update can change of it."""
    root = copy(tmp_path_factory.mktemp("tree"))
    return root, files(root, CHANGED)


@pytest.fixture
def tree(prepared: tuple[Path, dict[str, bytes]]) -> Iterator[Path]:
    """Return a tree that is as it was when the next test gets it; quicker than a copy for each."""
    root, before = prepared
    there = set(root.iterdir())
    yield root
    put_back(root, before)
    for path in set(root.iterdir()) - there:
        path.unlink()
