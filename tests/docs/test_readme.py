"""What the README shows, run."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from whereby_api_client.testing import FakeWhereby

from ..helpers.documents import operations
from ..helpers.override_runs import operations as of_document
from ..helpers.override_runs import result
from ..helpers.pages import python_blocks, run_block, served

ROOT = Path(__file__).parents[2]

README = ROOT / "README.md"
BLOCKS = python_blocks(README)
(SCRIPT,) = (block for block in BLOCKS if "asyncio.run" in block)
(USERS_TEST,) = (block for block in BLOCKS if "import pytest" in block)
SERVICE = """
from datetime import datetime, timedelta, timezone

async def book_interview(whereby, name):
    end = datetime.now(timezone.utc) + timedelta(hours=1)
    meeting = await whereby.meetings.create(end_date=end, room_name_prefix=name.lower())
    return meeting.room_url
"""


def test_the_first_script(tmp_path: Path) -> None:
    """Copied into a file, it runs without a key, and prints that nothing was refused."""
    (tmp_path / "try.py").write_text(SCRIPT)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "try.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    created, first, refused = ran.stdout.splitlines()
    assert created.startswith("150 meetings")
    assert "https://" in first
    assert refused == "requests that the server refused: 0"


@pytest.mark.anyio
@pytest.mark.parametrize("block", [b for b in BLOCKS if b not in (SCRIPT, USERS_TEST)])
async def test_examples(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other blocks run as they stand, against the fake."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", "secret")
    (tmp_path / "recordings").mkdir()
    (tmp_path / "transcripts").mkdir()
    fake = FakeWhereby(job_time=0)
    fake.add_recording(content=b"video")
    async with served(fake, monkeypatch) as whereby:
        await run_block(block, {"whereby": whereby})
    assert {request.status for request in fake.requests} <= {200, 201}
    if "download" in block:
        assert [path.read_bytes() for path in (tmp_path / "recordings").iterdir()] == [b"video"]
        assert len(list((tmp_path / "transcripts").iterdir())) == 1


def test_a_users_first_test(tmp_path: Path) -> None:
    """The test of a user's own code passes as it stands, in a folder with nothing else."""
    assert len([line for line in USERS_TEST.splitlines() if line.strip()]) < 10
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "test_service.py").write_text(USERS_TEST)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout


def test_links_are_absolute_and_lead_somewhere() -> None:
    """The README is the package's page as well, where relative links lead nowhere."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    repository = urls["Repository"]
    raw = repository.replace("https://github.com", "https://raw.githubusercontent.com") + "/main/"
    for link in re.findall(r"\]\(([^)]+)\)", README.read_text()):
        assert link.startswith("https://"), link
        if match := re.fullmatch(rf"{repository}/(?:blob|tree)/main/(.+)", link):
            assert (ROOT / match[1]).exists(), link
        elif link.startswith(raw):
            assert (ROOT / link.removeprefix(raw)).exists(), link
        else:
            assert link in {urls["Documentation"], "https://docs.whereby.com/"}, link


def test_every_operation_is_listed() -> None:
    """The table names each attribute and method of the client, but for what an update added."""
    table = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", README.read_text(), re.MULTILINE))
    listed = {f"{tag}.{name}" for tag, row in table.items() for name in re.findall(r"`(\w+)`", row)}
    snapshot = (ROOT / "tests" / "api.txt").read_text()
    real = set(
        re.findall(r"^WherebyClient\.(\w+\.[a-z]\w*): (?:async )?def", snapshot, re.MULTILINE)
    )
    known = {o["operationId"] for _, _, o in of_document(result().document)}
    new = {name for name, _, _ in operations()} - known
    assert real - new <= listed <= real
