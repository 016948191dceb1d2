"""The README of the example service, followed to the letter: its commands, in their order."""

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
PAGE = ROOT / "examples/service/README.md"
DEADLINE = 120  # a busy machine; it usually takes 3 s


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


@pytest.mark.skipif(sys.platform == "win32", reason="the page is for a POSIX shell")
def test_the_page(tmp_path: Path) -> None:
    """Create a meeting, play it, and find its recording and transcript in the archive."""
    text = PAGE.read_text("utf-8")
    ports = {"8080": free_port(), "8000": free_port()}
    for usual, free in ports.items():
        text = text.replace(usual, free)
    text = text.replace("/tmp/archive", str(tmp_path / "archive"))
    fake, service, create, play, look = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    environment.pop("HTTP_PROXY", None)

    def shell(command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    with (
        running(fake, ports["8080"], environment),
        running(service, ports["8000"], environment),
    ):
        meeting = json.loads(shell(create))["meetingId"]
        events = json.loads(shell(play.replace("MEETING", meeting)))
        assert {event["status"] for event in events} == {200}
        assert events[-1]["type"] == "recording.finished"
        recording = events[-1]["data"]["recordingId"]
        end = time.monotonic() + DEADLINE
        shown = ""
        while f'"{recording}":true' not in shown and time.monotonic() < end:
            shown = shell(look)
            time.sleep(0.05)
        assert f'"{recording}":true' in shown
        assert "recording.mp4" in shown
        assert "transcript.md" in shown
