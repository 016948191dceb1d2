"""Before a generated package gets into the repository: check its types and its calls on the wire.

Both run in processes of their own, at the same time, on a copy of the package: what is imported
here is the package of the repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import shorten
from ..paths import GENERATED, PACKAGE, PATCHED, ROOT

_SECONDS = 300  # far more than either takes; a package that hangs must not hang the command
_MAX_LINES = 20

# the cache of `make check`: with it mypy takes a second, without it ten
CACHE = ROOT / ".mypy_cache"


def assemble(root: Path, new: Path, into: Path) -> Path:
    """Copy the hand-written package of the repository, and what is new of it, into one folder."""
    ignore = shutil.ignore_patterns("__pycache__", GENERATED.name)
    shutil.copytree(root / PACKAGE, into / PACKAGE, ignore=ignore)
    shutil.copytree(new / PACKAGE, into / PACKAGE, dirs_exist_ok=True)
    (into / PATCHED).parent.mkdir()
    shutil.copyfile(new / PATCHED, into / PATCHED)
    return into / PACKAGE


def verify(folder: Path) -> list[str]:
    """Return what is wrong with the package in a folder; empty when all is well."""
    types = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty"]
    types += ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(CACHE)]
    contract = [sys.executable, "-m", "overrides.update.contract_test", str(PATCHED)]
    processes = {
        "mypy": _start([*types, str(PACKAGE)], folder),
        "the contract test": _start(contract, folder),
    }
    errors: list[str] = []
    try:
        for name, process in processes.items():
            try:
                output, _ = process.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                errors.append(f"{name}: not finished after {_SECONDS} s")
                continue
            lines = [shorten(line, 400) for line in output.splitlines()]
            if process.returncode:
                lines = lines or [f"ended with status {process.returncode}"]
                if (more := len(lines) - _MAX_LINES) > 0:  # a traceback's end says what it is
                    lines[_MAX_LINES // 2 : -_MAX_LINES // 2] = [f"and {more} more"]
                errors += [f"{name}: {line}" for line in lines]
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
    return errors


def _start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    # the contract test talks to this machine alone: a proxy would only be in its way
    inherited = {
        name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")
    }
    # the copy comes first on the import path, then the repository, where `overrides` is
    environment = {
        **inherited,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
