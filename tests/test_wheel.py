"""What users install: the wheel, in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# names the modules that are installed beside httpx, attrs and anyio, and works through the package
TRY_OUT = """
import asyncio, importlib.metadata, pkgutil, sys
import whereby_api_client
from whereby_api_client import PointBudget, WherebyClient
from whereby_api_client import models
assert sys.prefix in whereby_api_client.__file__, whereby_api_client.__file__
for name in models.__all__:
    getattr(models, name)
async def main():
    async with WherebyClient("token", budget=PointBudget()) as whereby:
        for tag in ("meetings", "recordings", "transcriptions", "summaries", "rooms", "insights"):
            getattr(whereby, tag)
asyncio.run(main())
print(importlib.metadata.version("whereby-api-client"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_contents(wheel: Path) -> None:
    """The wheel holds `whereby_api_client` and its metadata only: no overrides, no tests."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"whereby_api_client"}
    for needed in ("py.typed", "_generated/models/meeting.py", "testing/document.json"):
        assert f"whereby_api_client/{needed}" in names
    needs = [line for line in text.splitlines() if line.startswith("Requires-Dist")]
    always = {re.split("[<>=]", line.split()[1])[0] for line in needs if "extra ==" not in line}
    assert always == {"httpx", "attrs", "anyio"}


@pytest.mark.slow  # pyright reads the whole package again
def test_public_names_are_typed(wheel: Path, tmp_path: Path) -> None:
    """What type checkers know of the package that users install."""
    pytest.importorskip("pyright")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    (tmp_path / "elsewhere").mkdir()  # or pyright would take the folder for the package's own
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"),
            *("--ignoreexternal", "--verifytypes", "whereby_api_client"),
        ],
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    completeness = json.loads(checked.stdout)["typeCompleteness"]
    untyped = [symbol["name"] for symbol in completeness["symbols"] if not symbol["isTypeKnown"]]
    assert completeness["completenessScore"] >= 0.99, untyped


@pytest.mark.slow  # installs from the package index
def test_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    """It installs into a fresh environment and works with httpx, attrs and anyio alone."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *quiet, wheel], check=True, timeout=300)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "WHEREBY"))}
    ran = subprocess.run(
        [python, "-W", "error", "-c", TRY_OUT],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = {line.partition("==")[0].lower() for line in listed.split() if "==" in line}
    brought_along = {"certifi", "h11", "httpcore", "idna", "sniffio", "typing_extensions"}
    assert names - brought_along - {"pip", "setuptools", "wheel"} == {
        "whereby-api-client",
        "httpx",
        "attrs",
        "anyio",
    }
