"""A repository for each test."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from overrides import generate
from overrides.cli import main
from overrides.generator.render import render
from overrides.openapi.document import Json
from overrides.paths import files
from overrides.update import verify

from ..helpers.update_runs import CHANGED, copy, put_back


@pytest.fixture(scope="session", autouse=True)
def cache() -> Iterator[None]:
    """Give each process that runs tests a cache of its own: mypy shares none with another mypy."""
    usual = verify.CACHE
    verify.CACHE = usual / f"tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    for known in usual.glob("3.*"):  # what `make check` knows already
        if not (verify.CACHE / known.name).exists():
            shutil.copytree(known, verify.CACHE / known.name)
    yield
    verify.CACHE = usual


@pytest.fixture(scope="session", autouse=True)
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Render each document once: most tests begin with the same one."""
    cache = tmp_path_factory.mktemp("rendered")

    def render_once(document: Json, into: Path) -> None:
        digest = hashlib.sha256(json.dumps(document).encode()).hexdigest()
        if not (cache / digest).exists():
            render(document, into)
            shutil.copytree(into, cache / digest)
        else:
            shutil.copytree(cache / digest, into)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "render", render_once)
        yield


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """Return a repository whose outputs are of today, and what an update can change of it."""
    root = copy(tmp_path_factory.mktemp("repository"))
    return root, files(root, CHANGED)


@pytest.fixture
def root(prepared: tuple[Path, dict[str, bytes]]) -> Iterator[Path]:
    """Return a repository, put back after the test: quicker than a copy for each."""
    root, before = prepared
    there = set(root.iterdir())
    yield root
    put_back(root, before)
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
