"""`check`: everything that is not in order is told, each in its own words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from overrides.check import check
from overrides.engine import load_overrides
from overrides.generate import generate
from overrides.paths import (
    CHANGE_LIST,
    DOCUMENT,
    FINGERPRINT,
    GENERATED,
    PATCHED,
    ROOT,
    SNAPSHOT,
    files,
    read_change_list,
    write_json,
)
from tests.helpers.override_runs import published
from tests.helpers.slow import mostly_slow

from ..helpers.update_runs import CHANGED, PROJECT, copy
from .conftest import Run


def test_all_in_order(root: Path) -> None:
    """Say nothing when there is nothing to say."""
    assert check(root) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (GENERATED / "models/meeting.py", "differs from what generation gives; it is never edited"),
        (
            GENERATED / "resources/rooms.py",
            "differs from what generation gives; it is never edited",
        ),
        (PATCHED, "is not what the overrides make of the document: run `make generate`"),
    ],
)
def test_an_edited_output(root: Path, path: Path, message: str) -> None:
    """Name a file that generation gives otherwise."""
    (root / path).write_text((root / path).read_text() + "\n")
    (line,) = check(root)
    assert line.startswith(f"{path.as_posix()} {message}")


def test_missing_and_left_over_outputs(root: Path) -> None:
    """Name files that are not there, and files that nobody made."""
    (root / GENERATED / "resources/rooms.py").unlink()
    (root / GENERATED / "models/old.py").write_text("")
    lines = check(root)
    assert f"{GENERATED}/resources/rooms.py is missing: run `make generate`" in lines
    assert f"{GENERATED}/models/old.py is not generated any more: run `make generate`" in lines


def test_an_edited_document(root: Path) -> None:
    """Tell the published document's fingerprint from that of an edited one."""
    document = (root / DOCUMENT).read_text()
    (root / DOCUMENT).write_text(document.replace("Create meeting", "Make meeting"))
    lines = check(root)
    assert lines[0] == (
        "openapi/whereby.json was edited and nothing was generated since. It is never "
        "edited: patch it in overrides/spec, or take in a new one with `make update-spec`"
    )
    assert any(line.startswith(f"{PATCHED} is not what") for line in lines)


def test_another_whitespace_is_an_edit(root: Path) -> None:
    """Insist on the bytes, also where nothing follows from them."""
    (root / DOCUMENT).write_bytes((root / DOCUMENT).read_bytes() + b"\n")
    (line,) = check(root)
    assert "openapi/whereby.json was edited" in line


@pytest.mark.parametrize("path", [FINGERPRINT, CHANGE_LIST])
def test_a_missing_record(root: Path, path: Path) -> None:
    """Name a record that is gone."""
    (root / path).unlink()
    assert check(root) == [f"{path} is missing: run `make generate`"]


def test_a_stale_change_list(root: Path) -> None:
    """Name the override whose entry is not what it does."""
    entries = read_change_list(root / CHANGE_LIST)
    entries["security_never_applied"]["outcome"] = "absent"
    write_json(root / CHANGE_LIST, list(entries.values()))
    (line,) = check(root)
    assert line.startswith(
        f"{CHANGE_LIST} is stale: the overrides do something else now (security_never"
    )


def test_a_sleeping_override(root: Path) -> None:
    """Never stop for one: the document may go back to what it was."""
    document = published()
    for item in document["paths"].values():
        for operation in item.values():
            operation["security"] = [{"BearerAuth": []}]
    (root / DOCUMENT).write_text(json.dumps(document))
    generate(root)
    assert check(root) == []
    entry = read_change_list(root / CHANGE_LIST)["security_never_applied"]
    assert entry["outcome"] == "sleeping"


def test_a_drifted_override(root: Path) -> None:
    """Show the place and what was expected; compare nothing that would only differ."""
    document = published()
    document["info"]["description"] = "Calls are free."
    (root / DOCUMENT).write_text(json.dumps(document))
    lines = check(root)
    assert any("points_only_in_prose: drifted, check" in line for line in lines)
    assert any("at /info/description: expected 'A read request" in line for line in lines)
    assert not any("run `make generate`" in line for line in lines)


@pytest.mark.parametrize(
    "name",
    mostly_slow([override.name for override in load_overrides()], "enum_trailing_comma"),
)
def test_a_deleted_override(
    root: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Name the defect that is back when the module that patched it is gone."""
    defect = read_change_list(root / CHANGE_LIST)[name]["defect"]
    spec = tmp_path / "spec"
    ignore = shutil.ignore_patterns(f"{name}.py", "__pycache__")
    shutil.copytree(ROOT / "overrides/spec", spec, ignore=ignore)
    monkeypatch.setattr("overrides.spec.__path__", [str(spec)])
    lines = check(root)
    assert f"overrides/spec/{name}.py is gone, and so is what it did: {defect}" in lines[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole project to run commands in."""
    return copy(tmp_path_factory.mktemp("project"), PROJECT)


def run_process(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in the project."""
    command = [sys.executable, "-m", "overrides", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_deleted_override_on_the_command_line(project: Path) -> None:
    """Fail in `check`, and in `generate` too, until somebody says that it is meant."""
    module = project / "overrides/spec/enum_trailing_comma.py"
    before = files(project, CHANGED)
    content = module.read_text()
    module.unlink()
    try:
        checked, generated = run_process(project, "check"), run_process(project, "generate")
        assert (checked.returncode, generated.returncode) == (1, 1)
        for done in (checked, generated):
            assert "overrides/spec/enum_trailing_comma.py is gone" in done.stderr
            assert "enum values end in a comma (1 changes). Put it back" in done.stderr
            assert "Traceback" not in done.stderr
        assert files(project, CHANGED) == before
        retired = run_process(project, "generate", "--retire", "enum_trailing_comma")
        assert retired.returncode == 0, retired.stderr
        assert "enum_trailing_comma" not in read_change_list(project / CHANGE_LIST)
    finally:
        module.write_text(content)
    assert run_process(project, "generate").returncode == 0
    assert files(project, CHANGED) == before


def test_a_changed_api(root: Path, run: Run) -> None:
    """Tell what changed, what of it breaks callers, and how to say that it is meant."""
    client = root / "whereby_api_client/client.py"
    content = client.read_text()
    client.write_text(
        content.replace("async def aclose(", "async def close_now(").replace(
            "max_retries: int = 2,", "max_retries: int,"
        )
    )
    done = run("check")
    assert done.returncode == 1
    assert f"the public API changed and {SNAPSHOT} does not show it" in done.stderr
    assert "BREAKING method `whereby.aclose` is gone" in done.stderr
    assert "argument `max_retries` is required now" in done.stderr
    assert "  new method `whereby.close_now`" in done.stderr
    accepted = run("api")
    assert accepted.returncode == 0
    assert "BREAKING method `whereby.aclose` is gone" in accepted.stdout
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "generated code is up to date, every override fits the document\n"


def test_a_missing_snapshot(root: Path) -> None:
    """Ask for it."""
    (root / SNAPSHOT).unlink()
    (line,) = check(root)
    assert line.startswith(f"{SNAPSHOT} is missing: run `python -m overrides api`")


def test_the_documents_name_of_the_last_update_is_no_output(root: Path) -> None:
    """Take no notice of the report: generation does not make it."""
    (root / "openapi/last-update.md").write_text("# x\n")
    assert check(root) == []
