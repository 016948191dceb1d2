"""The contract test notices what it is there to notice: each mistake below is one."""

# ruff: noqa: E501 - a mistake in a line reads better

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from overrides.paths import GENERATED, PACKAGE, PATCHED, ROOT, read_json, write_json


@pytest.fixture(scope="module")
def package(
    prepared: tuple[Path, dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a folder with a package to make mistakes in."""
    root = tmp_path_factory.mktemp("package")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(prepared[0] / PACKAGE, root / PACKAGE, ignore=ignore)
    (root / PATCHED).parent.mkdir()
    shutil.copyfile(prepared[0] / PATCHED, root / PATCHED)
    return root


@pytest.fixture
def folder(package: Path) -> Iterator[Path]:
    """Return the package, and restore it after the test."""
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    yield package
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


def contract_test(folder: Path) -> list[str]:
    """Run the contract test on the package in the folder."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-B", "-m", "overrides.update.contract_test", str(PATCHED)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    problems = done.stdout.split("\n")[:-1]
    assert done.returncode == bool(problems != [""])
    return [line for line in problems if line]


def test_nothing_is_wrong(folder: Path) -> None:
    """Say nothing about the package as it is."""
    assert contract_test(folder) == []


LOCKED = '"isLocked": arg.boolean("is_locked", is_locked),'
MEETING_ID = "arg.segment('meeting_id', arg.item_id('meeting_id', meeting_id, 'meeting_id'))"
CREATE = "meetings.create (POST /meetings): "
GET = "meetings.get (GET /meetings/{meetingId}): "
LIST = "meetings.list (GET /meetings): "
AS_FILE = '(lambda *_: {"a": ("a", b"b", "text/plain")})'

# in which module of the generated package, what is written in place of what, what it tells
MISTAKES = [
    # price and name
    ("resources/meetings", {"cost=3": "cost=1"}, CREATE + "pays 1 points as meetings.create, not 3"),
    (
        "resources/meetings",
        {'operation="meetings.get"': 'operation="meetings.list"'},
        GET + "pays 1 points as meetings.list",
    ),
    # method and path
    ("resources/meetings", {'method="DELETE"': 'method="PUT"'}, "PUT is not possible here, only"),
    (
        "resources/meetings",
        {'method="DELETE"': 'method="GET"'},
        "meetings.delete (DELETE /meetings/{meetingId}): sends GET /v1/meetings/",
    ),
    (
        "resources/meetings",
        {'path="/meetings",\n                cost=3': 'path="/meeting",\n                cost=3'},
        CREATE + "there is nothing at /v1/meeting",
    ),
    ("resources/meetings", {MEETING_ID: "meeting_id"}, GET + "there is nothing at "),
    (
        "resources/insights",
        {'"participantId",\n                        arg.item_id("participant_id", participant_id': (
            '"participantId",\n                        arg.item_id("participant_id", room_session_id'
        )},
        "query/participantId: must be 'participantId +b&c",
    ),
    (
        "resources/rooms",
        {"arg.room_segment('room_name', room_name)": "arg.segment('room_name', room_name)"},
        "rooms.set_logo (PUT /rooms/{roomName}/theme/logo): path/roomName: must be 'roomName +b",
    ),
    # query
    (
        "resources/meetings",
        {"explode=False": "explode=True"},
        GET + "query parameter 'fields': must be sent once, with commas; got 2 times",
    ),
    (
        "resources/meetings",
        {'arg.form("limit"': 'arg.form("max"'},
        LIST + "query parameter 'max': is not documented",
    ),
    ("resources/meetings", {"limit: int | Unset = UNSET": "limit: int = 50"}, LIST + "query/limit"),
    ("resources/meetings", {'arg.string("cursor", cursor)': "UNSET"}, LIST + "query/cursor"),
    (
        "resources/recordings",
        {"arg.room_name(": "arg.string("},
        "recordings.list (GET /recordings): query/roomName: must be '/roomName",
    ),
    (
        "resources/insights",
        {
            'arg.deep_object("createdAt", arg.json_object("created_at", created_at))': (
                'arg.form("createdAt", UNSET if created_at is UNSET else "2030")'
            )
        },
        "insights.list_rooms (GET /insights/rooms): query parameter 'createdAt': is documented as createdAt[",
    ),
    (
        "resources/insights",
        {'room_names=("exact", "startsWith")': 'room_names=("exact",)'},
        "insights.list_rooms (GET /insights/rooms): query/roomName/startsWith: must be '/startsWith",
    ),
    # body
    ("resources/meetings", {'"endDate": arg': '"end_date": arg'}, CREATE + "body.endDate: is requ"),
    (
        "resources/meetings",
        {'arg.date_time("end_date", end_date)': "str(end_date)"},
        CREATE + "body/endDate: must be '2030-01-02T03:04:05Z'; got '2030-01-02 03:04:05+00:00'",
    ),
    ("resources/meetings", {LOCKED: ""}, CREATE + "body/isLocked: must be True; got nothing"),
    (
        "resources/meetings",
        {LOCKED: '"isLocked": "yes",'},
        CREATE + "body.isLocked: must be a boolean; got 'yes'",
    ),
    (
        "resources/meetings",
        {
            LOCKED: "",
            "query=arg.query(extra": (
                'query=arg.query(arg.form("isLocked", locals().get("is_locked")), extra'
            ),
        },
        CREATE + "query parameter 'isLocked': is not documented for POST /meetings",
    ),
    (
        "resources/meetings",
        {'arg.date_time("start_date", start_date)': 'arg.date_time("start_date", end_date)'},
        CREATE + "body/startDate: must be nothing; got '2030-01-02T03:04:05Z'",
    ),
    (
        "resources/meetings",
        {'"room_name_prefix", room_name_prefix, null=True': '"room_name_prefix", room_name_prefix'},
        CREATE + "InvalidArgumentError: room_name_prefix: cannot be None",
    ),
    (
        "resources/summaries",
        {"json=arg.body(": f"files={AS_FILE}("},
        "summaries.create (POST /summaries): Content-Type: must be application/json for POST",
    ),
    ("resources/rooms", {'{"image": await': '{"file": await'}, "must have the field 'image'; got"),
    (
        "resources/rooms",
        {'await arg.image("image", image)': '("a.png", b"other", "image/png")'},
        "rooms.set_logo (PUT /rooms/{roomName}/theme/logo): multipart/image: must be b'",
    ),
    # arguments
    (
        "resources/meetings",
        {"async def get(": "async def got("},
        "there is no method whereby.meetings.get",
    ),
    (
        "resources/meetings",
        {"async def get(": "async def more(self) -> None: ...\n\n    async def get("},
        "whereby.meetings.more: the document has no such operation",
    ),
    ("resources/meetings", {"room_mode: RoomMode": "mode: RoomMode"}, CREATE + "the method takes no"),
    (
        "resources/meetings",
        {"room_mode: RoomMode": "other: str = '', room_mode: RoomMode"},
        CREATE + "the method takes other, which the document does not have",
    ),
    # what the caller gets
    (
        "resources/meetings",
        {"return Paginator(fetch, cursor)": "return Paginator(fetch)"},
        LIST + "query/cursor",
    ),
    (
        "resources/meetings",
        {"parse=MeetingPage.from_dict": "parse=lambda d: d"},
        LIST + "result: must be a model; got a dict",
    ),
    (
        "resources/meetings",
        {"parse=Meeting.from_dict": "parse=lambda d: None"},
        GET + "result: must be a model; got a NoneType",
    ),
    (
        "resources/insights",
        {"parse=partial(items, ParticipantDetails.from_dict": (
            "parse=partial(lambda *a: a[-1], ParticipantDetails.from_dict"
        )},
        "insights.get_participant (GET /insights/participant): result/0: must be a model; got a dict",
    ),
    (
        "models/meeting",
        {'d["roomUrl"]': 'd["meetingId"]'},
        GET + "result.to_dict()/roomUrl: must be 'roomUrl +b&c=/é?#%'; got 'meetingId +b&c=/é?#%'",
    ),
    (
        "models/meeting",
        {"fromisoformat(v)": "str(v)"},
        GET + "result/endDate: must be datetime.datetime(2030, 1, 2, 3, 4, 5",
    ),
    (
        "models/meeting",
        {"meetingId": "…", "roomUrl": "meetingId", "…": "roomUrl"},
        GET + "result/meetingId: the model has no attribute for it",
    ),
    (
        "models/meeting_page",
        {"items(Meeting.from_dict, cls, \"results\", v)": "v"},
        LIST + "result/results/0: must be a model; got a dict",
    ),
    (
        "models/meeting_page",
        {"items(Meeting.from_dict, cls, \"results\", v)": (
            "items(Meeting.from_dict, cls, \"results\", v[:1])"
        )},
        LIST + "result.to_dict()/results: must be ",
    ),
    (
        "models/transcription",
        {"TranscriptionState._value2member_map_.get": "str"},
        "transcriptions.get (GET /transcriptions/{transcriptionId}): result/state: must be a member",
    ),
]  # fmt: skip


@pytest.mark.slow  # a process for each
@pytest.mark.parametrize(("module", "changes", "reason"), MISTAKES)
def test_a_mistake_is_noticed(
    folder: Path, module: str, changes: dict[str, str], reason: str
) -> None:
    """Name the operation, the place, and what is wrong there."""
    path = folder / GENERATED / f"{module}.py"
    content = path.read_text()
    for old, new in changes.items():
        assert old in content
        content = content.replace(old, new)
    path.write_text(content)
    problems = contract_test(folder)
    assert any(reason in line for line in problems), problems


def test_an_operation_that_is_not_there(folder: Path) -> None:
    """Miss a method for an operation of the document."""
    document = read_json(folder / PATCHED)
    paths = document["paths"]
    assert isinstance(paths, dict)
    more = {"operationId": "things.get", "x-points": 1, "responses": {}}
    write_json(folder / PATCHED, {**document, "paths": {**paths, "/things": {"get": more}}})
    assert contract_test(folder) == [
        "whereby.things.get (GET /things): there is no method whereby.things.get"
    ]
