"""Interrupt the real command at random moments: the tree is the old one or the new one, at once.

A few moments each time; WHEREBY_INTERRUPTS=500 makes it that many.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from overrides.paths import files
from overrides.staging import ROOM, STEP
from tests.helpers.override_runs import published
from tests.overrides.openapi.test_document import tomorrow

from ...helpers.update_runs import CHANGED, PROJECT, copy, put_back
from ..test_staging import settled

MOMENTS = int(os.environ.get("WHEREBY_INTERRUPTS", "4"))
COMMAND = [sys.executable, "-m", "overrides", "update", "new.json"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole project to run commands in, and a document to update it with."""
    root = copy(tmp_path_factory.mktemp("project"), PROJECT)
    (root / "new.json").write_text(json.dumps(published() | tomorrow()))
    return root


def start(project: Path) -> subprocess.Popen[str]:
    """Start an update in a process group of its own, as a shell would."""
    return subprocess.Popen(
        COMMAND,
        cwd=project,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def ends(project: Path) -> tuple[dict[str, bytes], dict[str, bytes], float]:
    """Return the tree before and after an update, and how long that takes."""
    before = files(project, CHANGED)
    start(project).communicate()  # fills the caches
    put_back(project, before)
    began = time.monotonic()
    run = start(project)
    said, _ = run.communicate()
    lasted = time.monotonic() - began
    assert run.returncode == 0, said
    after = files(project, CHANGED)
    put_back(project, before)
    return before, after, lasted


def test_interrupted(project: Path, ends: tuple[dict[str, bytes], dict[str, bytes], float]) -> None:
    """Find the tree old or new, nothing of a traceback, and nothing in the next command's way."""
    before, after, lasted = ends
    chance = random.Random()
    seen = Counter[str]()
    for _ in range(MOMENTS):
        number = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
        # half of them in the last fifth, where the tree is replaced
        share = chance.uniform(0.8, 1.02) if chance.random() < 0.5 else chance.random()
        tell = chance.choice([os.kill, os.killpg])  # the command, or all that a Ctrl-C reaches
        run = start(project)
        try:
            run.wait(share * lasted)
        except subprocess.TimeoutExpired:
            tell(run.pid, number)
        said, _ = run.communicate()
        settled(project)
        found = files(project, CHANGED)
        told = f"{number.name} ({tell.__name__}) after {share * lasted:.3f} s: {said}"
        assert found in (before, after), told
        assert "Traceback" not in said, told
        if number is not signal.SIGKILL:
            assert not (project / STEP).exists(), told
        seen[f"{number.name} {'old' if found == before else 'new'}"] += 1
        put_back(project, before)
    print(dict(sorted(seen.items())))
    run = start(project)
    said, _ = run.communicate()
    assert run.returncode == 0, said
    assert files(project, CHANGED) == after
    assert not (project / ROOM).exists()
    assert not (project / STEP).exists()
