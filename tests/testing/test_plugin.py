"""The pytest fixtures, as a new user writes tests with them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SERVICE = '''
    """The new user's own code."""

    from datetime import datetime, timedelta, timezone


    async def book_interview(whereby, name):
        end = datetime.now(timezone.utc) + timedelta(hours=1)
        meeting = await whereby.meetings.create(end_date=end, room_name_prefix=name.lower())
        return meeting.room_url
'''

TEST = """
    import pytest
    from service import book_interview


    @pytest.mark.anyio
    async def test_booking(whereby, fake_whereby):
        link = await book_interview(whereby, "Ada")
        assert fake_whereby.calls("meetings.create")[0].json["roomNamePrefix"] == "ada"
        assert link == fake_whereby.meetings.all()[0].room_url
"""

MORE = """
    import gc

    import httpx
    import pytest


    @pytest.mark.anyio
    async def test_no_waiting(whereby):
        for _ in range(300):
            await whereby.meetings.list()
        gc.collect()


    def test_each_test_has_its_own(fake_whereby):
        assert fake_whereby.requests == []


    def test_other_processes(whereby_url, fake_whereby):
        headers = {"Authorization": f"Bearer {fake_whereby.token}"}
        assert httpx.get(f"{whereby_url}/meetings", headers=headers).status_code == 200
        assert fake_whereby.executed["meetings.list"] == 1
"""


def run_pytest(folder: Path, **files: str) -> str:
    """Run pytest on files in a folder of their own, warnings being errors."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    plugins = ["-p", "anyio.pytest_plugin", "-p", "whereby_api_client.testing.plugin"]
    # autoload off: the test is the same whether or not the plugin is installed as an entry point
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *plugins],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_users_first_test(tmp_path: Path) -> None:
    """Let a new user test own code in under ten lines, on asyncio and trio."""
    assert len(textwrap.dedent(TEST).strip().splitlines()) < 10
    assert "2 passed" in run_pytest(tmp_path, service=SERVICE, test_service=TEST)


@pytest.mark.slow
def test_fixtures(tmp_path: Path) -> None:
    """Give each test a fake of its own, with plenty of points, in the process and on a socket."""
    assert "4 passed" in run_pytest(tmp_path, test_more=MORE)


@pytest.mark.slow
def test_projects_override_the_fake(tmp_path: Path) -> None:
    """Let a project replace the fake: client and server follow."""
    conftest = """
        import pytest
        from whereby_api_client.testing import FakeWhereby


        @pytest.fixture
        def fake_whereby():
            return FakeWhereby(token="ours")
    """
    test = """
        import pytest


        @pytest.mark.anyio
        async def test_ours(whereby, fake_whereby):
            await whereby.meetings.list()
            assert fake_whereby.requests[0].headers["authorization"] == "Bearer ours"
    """
    assert "2 passed" in run_pytest(tmp_path, conftest=conftest, test_ours=test)
