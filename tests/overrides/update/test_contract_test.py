"""The contract test finds what it is there to find: each mistake below is one to be seen."""

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
    told = done.stdout.splitlines()
    assert done.returncode == bool(told != [""] and told)
    return [line for line in told if line]


def test_nothing_is_wrong(folder: Path) -> None:
    """Say nothing about the package as it is."""
    assert contract_test(folder) == []


@pytest.mark.slow  # a process for each
@pytest.mark.parametrize(
    ("module", "old", "new", "told"),
    [
        ("meetings", "cost=3", "cost=1", "meetings.create (POST /meetings): pays 1 points"),
        ("meetings", 'method="DELETE"', 'method="GET"', "meetings.delete (DELETE /meetings/{meet"),
        (
            "meetings",
            'path="/meetings",\n                cost=3',
            'path="/meeting",\n                cost=3',
            "path: '/v1/meeting' arrived, not '/v1/meetings'",
        ),
        ("meetings", '"endDate": arg', '"end_date": arg', "body: {'end_date'"),
        (
            "meetings",
            'arg.date_time("end_date", end_date)',
            "str(end_date)",
            "body: {'endDate': '2030",
        ),
        (
            "meetings",
            "explode=False",
            "explode=True",
            "meetings.get (GET /meetings/{meetingId}): query",
        ),
        ("meetings", 'arg.form("limit"', 'arg.form("max"', "meetings.list (GET /meetings): query"),
        (
            "meetings",
            "arg.segment('meeting_id', arg.item_id('meeting_id', meeting_id, 'meeting_id'))",
            "meeting_id",
            "meetings.get (GET",
        ),
        ("meetings", "return Paginator(fetch, cursor)", "return Paginator(fetch)", "meetings.list"),
        (
            "meetings",
            'arg.string("cursor", cursor)',
            "UNSET",
            "meetings.list (GET /meetings): query",
        ),
        ("meetings", "parse=MeetingPage.from_dict", "parse=lambda d: d", "meetings.list"),
        (
            "meetings",
            "parse=Meeting.from_dict",
            "parse=lambda d: None",
            "the result is a NoneType, not a model",
        ),
        ("meetings", "async def get(", "async def got(", "there is no method whereby.meetings.get"),
        (
            "meetings",
            "async def get(",
            "async def more(self) -> None: ...\n\n    async def get(",
            "whereby.meetings.more: the document has no such operation",
        ),
        ("meetings", "room_mode: RoomMode", "mode: RoomMode", "`roomMode` (body)"),
        (
            "meetings",
            "room_mode: RoomMode",
            "other: str = '', room_mode: RoomMode",
            "takes other, of which",
        ),
        ("meetings", 'operation="meetings.get"', 'operation="meetings.list"', "as meetings.list"),
        (
            "rooms",
            "arg.room_segment('room_name', room_name)",
            "arg.segment('room_name', room_name)",
            "rooms.set_logo",
        ),
        ("rooms", '{"image": await', '{"file": await', "the file image is not in the body"),
        ("recordings", "arg.room_name(", "arg.string(", "recordings.list (GET /recordings): query"),
        (
            "insights",
            'arg.deep_object(\n                            "roomName"',
            'arg.form(\n                            "roomName"',
            "insights.list_rooms",
        ),
        (
            "insights",
            'room_names=("exact", "startsWith")',
            'room_names=("exact",)',
            "insights.list_rooms",
        ),
        (
            "insights",
            "parse=partial(items, ParticipantDetails.from_dict",
            "parse=partial(lambda *a: a[-1], ParticipantDetails.from_dict",
            "insights.get_participant (GET /insights/participant): the result is a dict, not",
        ),
    ],
)
def test_a_mistake_is_found(folder: Path, module: str, old: str, new: str, told: str) -> None:
    """Name the operation and what is wrong with it."""
    path = folder / GENERATED / f"resources/{module}.py"
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    found = contract_test(folder)
    assert any(told in line for line in found), found


def test_an_answer_that_is_read_wrongly(folder: Path) -> None:
    """Compare what the caller gets with what the server said."""
    path = folder / GENERATED / "models/meeting.py"
    path.write_text(path.read_text().replace('d["roomUrl"]', 'd["meetingId"] + "x"'))
    found = contract_test(folder)
    assert any(
        line.startswith("whereby.meetings.get") and "the result's JSON" in line for line in found
    )


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
