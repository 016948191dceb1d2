"""The command line: an exit status, a message with a reason, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from overrides.openapi import fetch as source
from overrides.paths import DOCUMENT, files
from tests.helpers.override_runs import published
from tests.overrides.openapi.test_document import tomorrow

from ..helpers.update_runs import CHANGED, PROJECT, copy, put_back


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole project to run commands in."""
    return copy(tmp_path_factory.mktemp("project"), PROJECT)


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours."""
    return subprocess.run(
        [sys.executable, "-m", "overrides", *arguments],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_update(project: Path) -> None:
    """Print the report, write it where it is wanted, and end with 0."""
    before = files(project, CHANGED)
    (project / "new.json").write_text(json.dumps(published() | tomorrow()))
    done = run(project, "update", "new.json", "--report", "report.md")
    assert (done.returncode, done.stderr) == (0, "")
    assert "new method whereby.polls.list" in done.stdout
    said = (project / "report.md").read_text()
    assert said == (project / "openapi/last-update.md").read_text()
    assert run(project, "check").returncode == 0
    assert files(project, CHANGED) != before
    put_back(project, before)


def test_an_update_that_stops(project: Path) -> None:
    """Print the report and the reason, and end with 1."""
    before = files(project, CHANGED)
    document = published()
    document["info"]["description"] = "Calls are free."
    (project / "new.json").write_text(json.dumps(document))
    done = run(project, "update", "new.json", "--report", "stopped.md")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "overrides update: points_only_in_prose: drifted, check "
        "overrides/spec/points_only_in_prose.py"
    )
    assert "check overrides/spec/points_only_in_prose.py" in done.stdout
    assert "check `overrides/spec/points_only_in_prose.py`" in (project / "stopped.md").read_text()
    assert files(project, CHANGED) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["update", "nowhere.json"], "overrides update: nowhere.json: No such file"),
        (
            ["update", "pyproject.toml"],
            "overrides update: pyproject.toml: not JSON: Expecting value at line 1",
        ),
        (["update", "openapi"], "overrides update: openapi: Is a directory"),
        (["update", "a", "b"], "usage: "),
        (["ruin"], "usage: "),
        ([], "usage: "),
    ],
)
def test_what_cannot_be_done(project: Path, arguments: list[str], said: str) -> None:
    """Say why."""
    before = files(project, CHANGED)
    done = run(project, *arguments)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr + done.stdout
    assert files(project, CHANGED) == before


def test_without_an_address(project: Path) -> None:
    """Ask where Whereby publishes; here nobody can be reached, and that is said."""
    done = run(
        project, "update", HTTPS_PROXY="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9"
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"overrides update: {source.PUBLISHED_AT}: cannot be")
    assert "Traceback" not in done.stderr


def test_a_report_that_cannot_be_written(project: Path) -> None:
    """Do the update all the same, and say that."""
    before = files(project, CHANGED)
    done = run(project, "update", str(DOCUMENT), "--report", "pyproject.toml/report.md")
    assert done.returncode == 0
    assert "the report could not be written: pyproject.toml/report.md" in done.stderr
    put_back(project, before)


def test_a_mistake_of_ours(project: Path) -> None:
    """Tell an error that nobody foresaw in one line, with its place."""
    module = project / "overrides/openapi/diff.py"
    content = module.read_text()
    module.write_text(content.replace("def key_of(", "def key_of(o):\n    return 1 / 0\ndef _(", 1))
    before = files(project, CHANGED)
    (project / "new.json").write_text(json.dumps(published() | tomorrow()))
    try:
        done = run(project, "update", "new.json")
        full = run(project, "update", "new.json", "--traceback")
    finally:
        module.write_text(content)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "overrides update: a mistake of ours, or a document that nobody foresaw: "
        "ZeroDivisionError: division by zero (overrides/openapi/diff.py, line "
    )
    assert "Traceback" not in done.stderr
    assert full.stderr.startswith("Traceback (most recent call last):")
    assert full.stderr.endswith(done.stderr)
    assert files(project, CHANGED) == before


def test_no_stage(project: Path) -> None:
    """Say which file is in the way when nothing can be built."""
    (project / ".overrides-stage").write_text("a file where a folder has to be")
    try:
        done = run(project, "generate")
    finally:
        (project / ".overrides-stage").unlink()
    assert done.returncode == 1
    assert done.stderr.startswith(f"overrides generate: {project / '.overrides-stage'}")
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves(project: Path) -> None:
    """Make no noise when the output's reader has gone."""
    script = f"{sys.executable} -m overrides generate | head -c 1"
    done = subprocess.run(
        ["sh", "-c", script], cwd=project, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_commands_tell_what_they_are(project: Path) -> None:
    """List the commands."""
    done = run(project, "--help")
    assert done.returncode == 0
    for command in ("generate", "check", "update", "api"):
        assert command in done.stdout
