"""The READMEs of the examples, followed to the letter: their commands, in their order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DEADLINE = 120  # a busy machine; it usually takes 3 s


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the pages are for a POSIX shell")


def free_port() -> str:
    """Return a port that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@contextmanager
def running(command: str, port: str, environment: dict[str, str]) -> Iterator[None]:
    """Run a command of the page until the block ends; wait until it listens."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {command.strip()}"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            assert process.poll() is None, command
            try:
                socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@pytest.fixture
def environment() -> dict[str, str]:
    """Put the programs of this environment on the PATH."""
    programs = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def shell(command: str, environment: dict[str, str], folder: Path = ROOT) -> str:
    """Run a command of the page; return what it prints."""
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout


def test_service(environment: dict[str, str], tmp_path: Path) -> None:
    """Create a meeting, play it, and find its recording and transcript in the archive."""
    text = (EXAMPLES / "service/README.md").read_text("utf-8")
    ports = {"8080": free_port(), "8000": free_port()}
    for usual, free in ports.items():
        text = text.replace(usual, free)
    text = text.replace("/tmp/archive", str(tmp_path / "archive"))
    fake, service, create, play, look = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    with (
        running(fake, ports["8080"], environment),
        running(service, ports["8000"], environment),
    ):
        meeting = json.loads(shell(create, environment))["meetingId"]
        events = json.loads(shell(play.replace("MEETING", meeting), environment))
        assert {event["status"] for event in events} == {200}
        assert events[-1]["type"] == "recording.finished"
        recording = events[-1]["data"]["recordingId"]
        end = time.monotonic() + DEADLINE
        listing = ""
        while f'"{recording}":true' not in listing and time.monotonic() < end:
            listing = shell(look, environment)
            time.sleep(0.05)
        assert f'"{recording}":true' in listing
        assert "recording.mp4" in listing
        assert "transcript.md" in listing


@pytest.mark.slow  # test_export.py runs the same script
def test_export(environment: dict[str, str], tmp_path: Path) -> None:
    """Export what a local Whereby holds."""
    port = free_port()
    text = (EXAMPLES / "export/README.md").read_text("utf-8").replace("8080", port)
    text = text.replace("/tmp/export", str(tmp_path))
    fake, export = re.findall(r"```\n(.*?)```", text, re.DOTALL)[-1].splitlines()
    with running(fake, port, environment):
        assert "recordings: 0 files" not in shell(export, environment, EXAMPLES / "export")
    for name in ("recordings/*.mp4", "transcripts/*.md", "insights/*/rooms.csv"):
        assert list(tmp_path.glob(name)), name
