"""Does a download that was killed resume, bring the right bytes, and leave nothing behind?"""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.files.test_download import left_in
from tests.files.test_large_file import ROOT, digest, digest_of
from whereby_api_client.files._partial_file import BLOCK
from whereby_api_client.testing import FakeWhereby, MadeUp

# What is lost with a kill: the block that is being collected, and a piece off the wire.
LOST = BLOCK + 65_536


class Run:
    """One process that downloads, and what it has reported."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.killed_download", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.received: list[int] = []

    def read_until(self, received: int) -> None:
        """Read reports until that much has arrived, or the process has ended."""
        assert self._process.stdout is not None
        while not self.received or self.received[-1] < received:
            line = self._process.stdout.readline()
            if not line:
                return
            self.received.append(int(line))

    def kill(self) -> int:
        """Kill it; return how many bytes it has fetched."""
        self._process.kill()
        rest, _ = self._process.communicate()
        self.received += [int(line) for line in rest.splitlines(keepends=True) if line[-1] == "\n"]
        return self.received[-1] - self.received[0] if self.received else 0

    def finish(self) -> int:
        """Let it finish; return how many bytes it has fetched."""
        self.read_until(sys.maxsize)
        assert self._process.wait() == 0
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self.received[-1] - self.received[0]

    def sleep(self, seconds: float) -> None:
        """Let it run for some time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)


@pytest.mark.parametrize(
    ("kills", "backend"),
    [
        (4, "asyncio"),
        pytest.param(50, "asyncio", marks=pytest.mark.slow),
        pytest.param(50, "trio", marks=pytest.mark.slow),
    ],
)
def test_killed_at_random_moments(
    tmp_path: Path, kills: int, backend: str, record_property: Callable[[str, object], None]
) -> None:
    """Kill a download again and again: the hash is right, and hardly a byte is fetched twice."""
    dice = random.Random(kills)
    content = MadeUp(kills * 2_500_000, seed=7)
    fake = FakeWhereby()
    fake.add_recording(recording_id="r1", content=content)
    fetched = 0
    reached = 0
    with fake.serve() as url:
        arguments = (backend, url, "r1", str(tmp_path / "file"))
        for _ in range(kills):
            run = Run(*arguments)
            if dice.random() < 0.2:  # also before the first byte
                run.sleep(dice.uniform(0, 0.5))
            else:
                # Mostly amid the transfer, wherever it is when the report has got here.
                run.read_until(reached + int(dice.uniform(0, content.size / kills)))
            fetched += run.kill()
            reached = max([reached, *run.received])
            assert not (tmp_path / "file").exists()
            assert len(left_in(tmp_path)) <= 2
        last = Run(*arguments)
        fetched += last.finish()
    for name, value in (("size", content.size), ("fetched", fetched), ("kills", kills)):
        record_property(name, value)
    print(f"{backend}: {kills} kills, {content.size} bytes, {fetched} fetched")
    assert digest(tmp_path / "file") == digest_of(content)
    assert left_in(tmp_path) == ["file"]
    assert content.size <= fetched + kills * LOST
    assert fetched <= content.size + kills * LOST
    assert last.received[0] >= reached - LOST
