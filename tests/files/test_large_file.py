"""Does a large file arrive intact over a bad line, without being held in memory?

40 MiB in the fast run, 64 MiB in the slow one. With another size:

    DOWNLOAD_MIB=1024 python -m pytest tests/files/test_large_file.py -m slow
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from whereby_api_client.testing import FakeWhereby, MadeUp

MIB = 1024 * 1024
LARGE = int(os.environ.get("DOWNLOAD_MIB", "64"))
CUTS = 10
ROOT = Path(__file__).parent.parent.parent


def digest(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(content: MadeUp) -> str:
    """Hash what was to arrive."""
    sha = hashlib.sha256()
    for start in range(0, content.size, MIB):
        sha.update(content.read(start, start + MIB))
    return sha.hexdigest()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory as Linux does")
@pytest.mark.parametrize(
    ("mib", "backend"),
    [
        (40, "asyncio"),  # more than may be in memory
        pytest.param(LARGE, "asyncio", marks=pytest.mark.slow),
        pytest.param(LARGE, "trio", marks=pytest.mark.slow),
    ],
)
def test_large_file(
    tmp_path: Path, mib: int, backend: str, record_property: Callable[[str, object], None]
) -> None:
    """Download a large file over a connection that is cut ten times, in less than 32 MiB."""
    fake = FakeWhereby()
    size = mib * MIB
    content = MadeUp(size, seed=1)
    fake.add_recording(recording_id="large", content=content)
    with fake.serve() as url:
        for number in range(CUTS):
            fake.fail("storage.download", drop="mid", cut=size // (CUTS + 1) - 997 * number)
        began = time.monotonic()
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.helpers.large_download",
                backend,
                url,
                "large",
                str(tmp_path / "file"),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        took = time.monotonic() - began
    measured = json.loads(run.stdout)
    for name, value in (
        ("size in MiB", mib),
        ("memory growth in MiB", round(measured["grown"] / MIB, 1)),
        ("seconds", round(took, 1)),
    ):
        record_property(name, value)
        print(f"{backend}: {name}: {value}")
    assert digest(tmp_path / "file") == digest_of(content)
    assert measured["grown"] < 32 * MIB
    assert len(fake.calls("storage.download")) == CUTS + 1
    (tmp_path / "file").unlink()
