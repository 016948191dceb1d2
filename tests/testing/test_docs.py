"""docs/testing.md, run as it stands: pytest, unittest, Python, curl and JavaScript."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.control import COMMANDS

from ..helpers.pages import python_blocks, run_block
from .test_plugin import run_pytest

PAGE = Path(__file__).parents[2] / "docs/testing.md"
TEXT = PAGE.read_text("utf-8")


def block_with(part: str) -> str:
    """Return the Python block of the page that holds a text."""
    (block,) = [block for block in python_blocks(PAGE) if part in block]
    return block


def test_pytest(tmp_path: Path) -> None:
    """Pass on asyncio and trio."""
    assert "4 passed" in run_pytest(tmp_path, test_page=block_with("@pytest.mark.anyio"))


def test_unittest(tmp_path: Path) -> None:
    """Pass under unittest."""
    (tmp_path / "test_page.py").write_text(block_with("import unittest"), "utf-8")
    command = [sys.executable, "-W", "error", "-m", "unittest"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Ran 2 tests" in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.anyio
async def test_python() -> None:
    """Run the other blocks, one after the other."""
    names: dict[str, Any] = {}
    blocks = [block for block in python_blocks(PAGE) if "class " not in block]
    for block in [block for block in blocks if "pytest" not in block]:
        await run_block(block, names)
    assert names["fake"].requests


def test_commands_are_listed() -> None:
    """List every command of the control API, and no other."""
    listed = set(re.findall(r"`(?:(?:POST|GET|DELETE) )?/(?:_fake/)?([a-z-]+)[` ]", TEXT))
    assert listed == {command.partition(" ")[2] for command in COMMANDS}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl() -> None:
    """Follow the curl commands against a fake on a socket."""
    (commands,) = [b for b in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) if "curl" in b]
    with FakeWhereby(remote=True).serve() as url:
        address = url.removeprefix("http://").removesuffix("/v1")
        output = subprocess.run(
            ["bash", "-ec", commands.replace("localhost:8080", address)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert output.count('"roomName":"/standup"') == 2
    assert "[secure]" in output
    assert "fake-whereby-token" not in output


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript() -> None:
    """Follow the JavaScript against a fake on a socket."""
    (script,) = re.findall(r"```js\n(.*?)```", TEXT, re.DOTALL)
    fake = FakeWhereby()
    fake.add_recording()
    with fake.serve() as url:
        address = url.removeprefix("http://").removesuffix("/v1")
        done = subprocess.run(
            ["node", "--input-type=module", "-e", script.replace("localhost:8080", address)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.strip() == "1"
