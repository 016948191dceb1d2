"""Type checkers after an update: what uses that which is gone is expected to be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from overrides.cli import main
from overrides.paths import LOST, SNAPSHOT, write
from overrides.update.type_check import TypeCheckError, expected_error
from overrides.update.usage import patterns

PYPROJECT = """
[tool.mypy]
strict = true
files = ["examples", "overrides", "thing.py"]

[tool.pyright]
include = ["examples", "overrides", "thing.py"]
"""
EXAMPLE = """
from thing import Client, add

def f(whereby: Client) -> int:
    found = whereby.things.get()
    return found + add(1, "2")  # type: ignore[arg-type]

def other() -> int:
    return add(1, "2")
"""
THING = """
class Things: ...

class Client:
    things: Things

def add(a: int, b: int) -> int:
    return a + b
"""
GONE = "WherebyClient.things.get"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with an example of what is gone, and with a mistake."""
    write(tmp_path / "pyproject.toml", PYPROJECT)
    write(tmp_path / "thing.py", THING)
    write(tmp_path / "examples/a.py", EXAMPLE)
    write(tmp_path / "overrides/b.py", "")
    write(tmp_path / SNAPSHOT, "")
    monkeypatch.setattr("overrides.cli.ROOT", tmp_path)
    return tmp_path


def test_what_is_gone_is_expected(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Show the errors that come from what is gone, and fail for every other."""
    write(project / LOST, f"{GONE}: def -> int\n")
    assert main(["types"]) == 1
    output, errors = capsys.readouterr()
    assert "whereby.things.get is gone; expected type errors" in output
    assert [line.partition(": ")[0] for line in errors.splitlines()] == [
        "overrides types",
        "examples/a.py:9",
    ]
    assert [line.rpartition(" (")[2] for line in errors.splitlines()] == ["mypy)", "pyright)"]
    write(project / "examples/a.py", EXAMPLE.replace('return add(1, "2")', "return 1"))
    assert main(["types"]) == 0
    write(project / LOST, "")
    assert main(["types"]) == 1
    errors = capsys.readouterr().err
    assert "things.get" not in errors
    assert errors.count("examples/a.py:5") == 2


def test_what_ships_has_to_be_right(tmp_path: Path) -> None:
    """Expect nothing of the package, of the overrides and of their tests."""
    lost = patterns({GONE: "def -> int"}, {})
    for folder, expected in (
        ("examples", GONE),
        ("tests/budget", GONE),
        ("whereby_api_client", ""),
        ("overrides", ""),
        ("tests/overrides", ""),
    ):
        path = f"{folder}/a.py"
        write(tmp_path / path, EXAMPLE)
        assert expected_error(TypeCheckError("mypy", path, 6, "wrong"), tmp_path, lost) == expected
        assert expected_error(TypeCheckError("mypy", path, 9, "wrong"), tmp_path, lost) == ""


def test_imports_count_in_the_whole_file(tmp_path: Path) -> None:
    """Expect errors wherever in a file that imports what is gone; and know that no syntax has."""
    lost = patterns({"models.Thing": "class(Model)"}, {})
    for text, expected in (
        ("from x.models import Thing\n\ny = 1\nz = 2\n", "models.Thing"),
        ("from x.models import Thing\n\n)\nz = 2\n", ""),
    ):
        write(tmp_path / "tests/a.py", text)
        error = TypeCheckError("pyright", "tests/a.py", 4, "wrong")
        assert expected_error(error, tmp_path, lost) == expected


def test_a_checker_that_does_not_work(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Name what a type checker says when it has no result."""
    write(project / "pyproject.toml", "[tool.mypy]\nfiles = ['nowhere']\n")
    assert main(["types"]) == 1
    assert "overrides types: mypy: " in capsys.readouterr().err
