"""Before a generated package gets into the tree: does it type-check, and does it work on the wire?

Both run in processes of their own, at the same time, on a copy of the package: what is imported
here is the package of the tree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..engine import shorten
from ..paths import GENERATED, PACKAGE, ROOT, SHIPPED

_SECONDS = 300  # far more than either takes; a package that hangs must not hang the command
_MOST = 20

# one cache for all runs: a second check takes a third of a second, not three
CACHE = ROOT / ".mypy_cache" / "generated"


# what is running, for a signal handler that has to end it
_running: list[subprocess.Popen[str]] = []


def assemble(root: Path, new: Path, into: Path) -> Path:
    """Put the hand-written package of the tree and the newly generated parts together."""
    ignore = shutil.ignore_patterns("__pycache__", GENERATED.name)
    shutil.copytree(root / PACKAGE, into / PACKAGE, ignore=ignore)
    shutil.copytree(new / GENERATED, into / GENERATED)
    shutil.copyfile(new / SHIPPED, into / SHIPPED)
    return into / PACKAGE


def problems(folder: Path) -> list[str]:
    """Check the package in a folder; say what is wrong, nothing when all is well."""
    types = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty"]
    types += ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(CACHE)]
    runs = {
        "mypy": _start([*types, str(PACKAGE)], folder),
        "the wire smoke test": _start(
            [sys.executable, "-m", "overrides.update.contract_test", str(SHIPPED)], folder
        ),
    }
    found: list[str] = []
    try:
        for name, run in runs.items():
            try:
                out, _ = run.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                found.append(f"{name}: no end after {_SECONDS} s")
                continue
            lines = [shorten(line, 400) for line in out.splitlines()]
            if run.returncode:
                lines = lines or [f"ended with status {run.returncode}"]
                found += [f"{name}: {line}" for line in lines[:_MOST]]
                found += [f"{name}: and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    finally:
        stop()
    return found


def stop() -> None:
    """End what is still running."""
    while _running:
        run = _running.pop()
        run.kill()
        run.wait()


def _start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    # the copy comes first on the import path, then the tree, where `overrides` is
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }
    run = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    _running.append(run)
    return run
