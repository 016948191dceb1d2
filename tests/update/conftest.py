"""A tree for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .support import TREE, copy


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree whose outputs are of today; not to be changed."""
    return copy(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def tree(prepared: Path, tmp_path: Path) -> Path:
    """Return a tree of one's own."""
    for part in TREE:
        shutil.copytree(prepared / part, tmp_path / part)
    return tmp_path
