"""The FastAPI example: its own tests, as a user runs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "interviews"


def test_its_tests(tmp_path: Path) -> None:
    """They pass in a folder that has nothing of this repository."""
    pytest.importorskip("fastapi")
    for file in EXAMPLE.glob("*.py"):
        shutil.copy(file, tmp_path)
    # where httpx2 takes the place of httpx, anyio is imported before pytest could rewrite it
    warnings = ("-W", "error", "-W", "ignore::pytest.PytestAssertRewriteWarning")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *warnings, "-p", "no:schemathesis"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 passed" in ran.stdout
