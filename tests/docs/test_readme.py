"""What the README shows, run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from whereby_api_client import WherebyClient
from whereby_api_client.testing import FakeWhereby

README = Path(__file__).parents[2].joinpath("README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SERVICE = """
from datetime import datetime, timedelta, timezone

async def book_interview(whereby, name):
    end = datetime.now(timezone.utc) + timedelta(hours=1)
    meeting = await whereby.meetings.create(end_date=end, room_name_prefix=name.lower())
    return meeting.room_url
"""


@pytest.mark.anyio
@pytest.mark.parametrize("block", [block for block in BLOCKS if "async with" in block])
async def test_examples(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples run as they stand, against the fake."""
    fake = FakeWhereby()
    fake.add_recording()
    monkeypatch.setenv("WHEREBY_API_KEY", str(fake.token))
    indented = "".join(f"    {line}\n" for line in block.splitlines())
    names: dict[str, object] = {}
    exec(
        f"async def example(WherebyClient_):\n{indented}".replace(
            "WherebyClient(", "WherebyClient_("
        ),
        names,
    )
    async with fake.serve() as url:
        await names["example"](lambda **options: WherebyClient(base_url=url, **options))  # type: ignore[operator]
    assert fake.requests
    assert {request.status for request in fake.requests} <= {200, 201}


def test_a_users_first_test(tmp_path: Path) -> None:
    """The test of a user's own code passes as it stands, in a folder with nothing else."""
    (block,) = (block for block in BLOCKS if "fake_whereby" in block)
    assert len([line for line in block.splitlines() if line.strip()]) < 10
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "test_service.py").write_text(block)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout
