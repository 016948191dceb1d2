"""A repository for each test."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from overrides import generate
from overrides.cli import main
from overrides.generator.render import render
from overrides.openapi.document import Json
from overrides.paths import PACKAGE, ROOT, files
from overrides.update import verify

from ..helpers.shared import made_once
from ..helpers.update_runs import CHANGED, copy, restore


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let mypy read the libraries once, into a cache that each process has a copy of."""
    usual, start = verify.CACHE, verify._start
    known = usual / "tests"

    def fill(_: Path) -> None:
        for makes_check in () if known.exists() else usual.glob("3.*"):
            shutil.copytree(makes_check, known / makes_check.name)
        command = [sys.executable, "-m", "mypy", "--cache-dir", str(known), str(PACKAGE)]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)

    def start_with_cache(command: list[str], folder: Path) -> subprocess.Popen[str]:
        if "mypy" in command and not verify.CACHE.exists():
            made_once(tmp_path_factory, "mypy", fill)
            shutil.copytree(known, verify.CACHE)
        return start(command, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "CACHE", tmp_path_factory.mktemp("mypy") / "cache")
        patch.setattr(verify, "_start", start_with_cache)
        yield


@pytest.fixture(scope="session", autouse=True)
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Render each document once: most tests begin with the same one."""

    def render_once(document: Json, into: Path) -> None:
        digest = hashlib.sha256(json.dumps(document).encode()).hexdigest()
        folder = made_once(
            tmp_path_factory, f"rendered-{digest}", lambda path: render(document, path / "package")
        )
        shutil.copytree(folder / "package", into)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "render", render_once)
        yield


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """Return a repository whose outputs are of today, and what an update can change of it."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(made_once(tmp_path_factory, "prepared", copy), root, dirs_exist_ok=True)
    return root, files(root, CHANGED)


@pytest.fixture
def root(prepared: tuple[Path, dict[str, bytes]]) -> Iterator[Path]:
    """Return a repository, put back after the test: quicker than a copy for each."""
    root, before = prepared
    there = set(root.iterdir())
    yield root
    restore(root, before)
    for path in set(root.iterdir()) - there:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]


@pytest.fixture
def run(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command of ours in the repository, in this process."""
    monkeypatch.chdir(root)
    monkeypatch.setattr("overrides.cli.ROOT", root)

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as error:  # of argparse
            status = int(error.code or 0)
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return run
