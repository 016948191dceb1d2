"""What type checkers say of callers' code: nothing to what is right, something to each mistake."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from whereby_api_client import InvalidArgumentError, PointBudget, WherebyClient

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
HEADER = """\
from datetime import datetime, timezone
from whereby_api_client import PointBudget, WherebyClient
from whereby_api_client.models import Meeting, Recording, Transcription

async def f(w: WherebyClient, meeting: Meeting, transcription: Transcription) -> None:
    end = datetime.now(timezone.utc)
"""
# Mistakes that both checkers have to find, each in a line of its own.
MISTAKES = [
    "await w.meetings.create()",
    'await w.meetings.create(end_date="2026-01-01T00:00:00Z")',
    'await w.meetings.create(end_date=end, roomMode="group")',
    'await w.meetings.create(end_date=end, fields="hostRoomUrl")',
    'await w.meetings.create(end_date=end, fields=["hostRoomURL"])',
    'await w.meetings.create(end_date=end, recording={"type": "clod"})',
    'await w.meetings.create(end_date=end, recording={"tipe": "cloud"})',
    'await w.meetings.create(end_date=end, is_locked="yes")',
    "await w.meetings.get(12)",
    "print(w.meetings.get('x').room_url)",
    "print([r for r in w.recordings.list()])",
    "print([r async for r in await w.recordings.list()])",
    "meeting.host_room_url.upper()",
    "print(meeting.roomUrl)",
    'w.with_options(priority="low")',
    "WherebyClient(budget=1000)",
    'WherebyClient(api_key="x")',
    'await w.rooms.set_colors("/x", tokens={"colors": {"primry": "#fff"}})',
    "await w.recordings.delete_all()",
    "w.meetings.create(end_date=end)",
    "await w.recordings.delete(transcription)",
    "w.recordings.list(room_name=meeting.room_name)",
]
# Mistakes in strings and numbers that no checker can find: a message before anything is sent.
MESSAGES: list[tuple[Any, str]] = [
    (
        lambda w: w.meetings.create(end_date=datetime.now(UTC), room_mode="gruop"),
        r"room_mode: must be one of (.+, )?group, .+; got 'gruop', did you mean 'group'\?",
    ),
    (lambda w: w.recordings.list(sort_by="startdate:up"), r"sort_by: must end with :asc or :desc"),
    (lambda w: w.recordings.list(limit=1000), r"limit: must be at most 100; got 1000"),
    (lambda w: w.recordings.list(room_name=None), r"room_name: cannot be None"),
    (lambda w: w.meetings.get(12), r"meeting_id: must be a str; got int"),
]


def run(checker: list[str], *paths: Path) -> str:
    """Run a type checker with our settings; return what it writes."""
    command = [sys.executable, "-m", *checker, *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


CHECKERS = pytest.mark.parametrize("checker", ["mypy", "pyright"])


@CHECKERS
@pytest.mark.slow
def test_type_checkers(checker: str, tmp_path: Path) -> None:
    """Each mistake is an error in its line, and the good examples have none."""
    good = ROOT / "tests/typing/absent_fields.py"
    bad = tmp_path / "mistakes.py"
    bad.write_text(HEADER + "".join(f"    {line}\n" for line in MISTAKES))
    if checker == "mypy":
        out = run(["mypy", "--strict", "--no-incremental", "--no-error-summary"], good, bad)
        wrong = {(Path(p).name, int(n)) for p, n in re.findall(r"^(.+?):(\d+): error", out, re.M)}
    else:
        settings = ["--pythonpath", sys.executable, "--outputjson"]
        diagnostics = json.loads(run(["pyright", *settings], good, bad))["generalDiagnostics"]
        wrong = {
            (Path(entry["file"]).name, entry["range"]["start"]["line"] + 1)
            for entry in diagnostics
            if entry["severity"] == "error"
        }
    first = HEADER.count("\n") + 1
    assert wrong == {("mistakes.py", first + at) for at in range(len(MISTAKES))}


@pytest.mark.parametrize(("call", "message"), MESSAGES)
async def test_messages(call: Any, message: str) -> None:
    """What no checker finds is refused by name, before anything is sent."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(500)

    transport = httpx.MockTransport(respond)
    async with WherebyClient("token", transport=transport, max_retries=0) as whereby:
        with pytest.raises(InvalidArgumentError, match=message):
            await call(whereby)
    assert requests == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"budget": 1000},
            r"budget: must be a PointBudget; got int: write PointBudget\(limit=1000\)",
        ),
        ({"budget": PointBudget}, r"got the class, write PointBudget\(\)"),
    ],
)
def test_a_budget_that_is_none(options: dict[str, Any], message: str) -> None:
    """A number or a class in place of a budget is refused with the way to write it."""
    with pytest.raises(InvalidArgumentError, match=message):
        WherebyClient("token", **options)
    with pytest.raises(InvalidArgumentError, match=message):
        WherebyClient("token").with_options(**options)


def test_other_names_of_the_token() -> None:
    """`api_key=` gets a hint; any other unknown option is refused as Python does."""
    client: Any = WherebyClient
    with pytest.raises(TypeError, match="unexpected keyword argument 'api_key'; the API key is t"):
        client(api_key="x")
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'retries'$"):
        client("token", retries=1)


def test_completion_shows_what_callers_use() -> None:
    """What is for the generated code only is not listed."""
    listed = set(dir(WherebyClient("token")))
    assert "execute" not in listed
    assert {"meetings", "request", "with_options"} <= listed
