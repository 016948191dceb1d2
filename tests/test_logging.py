"""The environment variable that switches the log on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import logging, whereby_api_client
logging.getLogger("whereby_api_client.budget").info("hello")
logging.getLogger("whereby_api_client").debug("details")
"""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", []),
        ("info", ["hello"]),
        ("DEBUG", ["hello", "details"]),
        ("warning", []),
        ("loud", ["WHEREBY_LOG must be one of debug, info, warning; got 'loud'"]),
    ],
)
def test_the_switch(value: str, shown: list[str]) -> None:
    """Write what was asked for to standard error, and nothing by default."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "WHEREBY_LOG": value},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = result.stderr.splitlines()
    assert len(lines) == len(shown)
    assert all(text in line for text, line in zip(shown, lines, strict=True))
