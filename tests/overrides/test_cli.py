"""The command line: an exit status, a message with a reason, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from overrides.openapi import fetch as source
from overrides.paths import DOCUMENT, ROOT, files
from tests.helpers.override_runs import published
from tests.overrides.openapi.test_document import tomorrow

from ..helpers.update_runs import CHANGED
from .conftest import Run


def test_update(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Print the report, write it where it is wanted, and end with 0, whatever proxy there is."""
    for name in ("ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    before = files(root, CHANGED)
    (root / "new.json").write_text(json.dumps(published() | tomorrow()))
    done = run("update", "new.json", "--report", "report.md")
    assert (done.returncode, done.stderr) == (0, "")
    assert "new method whereby.polls.list" in done.stdout
    report = (root / "report.md").read_text()
    assert report == (root / "openapi/last-update.md").read_text()
    assert run("check").returncode == 0
    assert files(root, CHANGED) != before


def test_an_update_that_stops(root: Path, run: Run) -> None:
    """Print the report and the reason, and end with 1."""
    before = files(root, CHANGED)
    document = published()
    document["info"]["description"] = "Calls are free."
    (root / "new.json").write_text(json.dumps(document))
    done = run("update", "new.json", "--report", "stopped.md")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "overrides update: points_only_in_prose: drifted, check "
        "overrides/spec/points_only_in_prose.py"
    )
    assert "check overrides/spec/points_only_in_prose.py" in done.stdout
    assert "check `overrides/spec/points_only_in_prose.py`" in (root / "stopped.md").read_text()
    assert files(root, CHANGED) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["update", "nowhere.json"], "overrides update: nowhere.json: No such file"),
        (
            ["update", "tests/api.txt"],
            "overrides update: tests/api.txt: not JSON: Expecting value at line 1",
        ),
        (["update", "openapi"], "overrides update: openapi: Is a directory"),
        (["update", "a", "b"], "usage: "),
        (["ruin"], "usage: "),
        ([], "usage: "),
    ],
)
def test_what_cannot_be_done(root: Path, run: Run, arguments: list[str], message: str) -> None:
    """Say why."""
    before = files(root, CHANGED)
    done = run(*arguments)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr + done.stdout
    assert files(root, CHANGED) == before


def test_without_an_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask where Whereby publishes; here nobody can be reached, and that is said."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    done = run("update")
    assert done.returncode == 1
    assert done.stderr.startswith(f"overrides update: {source.PUBLISHED_AT}: cannot be")
    assert "Traceback" not in done.stderr


def test_a_report_that_cannot_be_written(run: Run) -> None:
    """Do the update all the same, and say that."""
    done = run("update", str(DOCUMENT), "--report", f"{DOCUMENT}/report.md")
    assert done.returncode == 0
    assert f"the report could not be written: {DOCUMENT}/report.md" in done.stderr


def test_a_mistake_of_ours(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell an error that nobody foresaw in one line, with its place."""
    monkeypatch.setattr("overrides.openapi.diff._grouped", lambda _: 1 / 0)
    before = files(root, CHANGED)
    (root / "new.json").write_text(json.dumps(published() | tomorrow()))
    done = run("update", "new.json")
    full = run("update", "new.json", "--traceback")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "overrides update: a mistake of ours, or a document that nobody foresaw: "
        f"ZeroDivisionError: division by zero ({ROOT}/overrides/openapi/diff.py, line "
    )
    assert "Traceback" not in done.stderr
    assert full.stderr.startswith("Traceback (most recent call last):")
    assert full.stderr.endswith(done.stderr)
    assert files(root, CHANGED) == before


def test_no_stage(root: Path, run: Run) -> None:
    """Say which file is in the way when nothing can be built."""
    (root / ".overrides-stage").write_text("a file where a folder has to be")
    try:
        done = run("generate")
    finally:
        (root / ".overrides-stage").unlink()
    assert done.returncode == 1
    assert done.stderr.startswith(f"overrides generate: {root / '.overrides-stage'}")
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves(root: Path) -> None:
    """Make no noise when the output's reader has gone."""
    code = "import pathlib; from overrides import cli; cli.ROOT = pathlib.Path(); "
    code += "raise SystemExit(cli.main(['generate']))"
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{code}" | head -c 1'],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(done.stdout) == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_help_lists_the_commands(run: Run) -> None:
    """List the commands."""
    done = run("--help")
    assert done.returncode == 0
    for command in ("generate", "check", "update", "api"):
        assert command in done.stdout
