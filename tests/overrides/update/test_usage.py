"""Hand-written files that use the API: renamed where that is sure, else reported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from overrides.openapi.diff import DocumentChange
from overrides.paths import LOST, ROOT
from overrides.update.usage import (
    gone_operations,
    lost_names,
    mentioned,
    patterns,
    renamed_words,
    required_fields,
    rewritten,
    users,
)

from ...helpers.override_runs import Json, at, published, request_schema
from ...helpers.update_runs import facts, section, take

MEETING = "/components/schemas/Meeting"
README = """
[`meeting.room_url`](#x) is `roomUrl` on the wire; `host_room_url` and `hostRoomUrl` are others.
"""


def rename(document: Json, pointer: str, old: str, new: str) -> None:
    """Rename a field of an object, and in its required ones."""
    schema = at(document, pointer)
    schema["properties"] = {
        new if name == old else name: field for name, field in schema["properties"].items()
    }
    schema["required"] = [new if name == old else name for name in schema.get("required", ())]


def test_a_renamed_field_is_renamed(root: Path) -> None:
    """Rename it in pages, tests and the fake, as a whole word."""
    document = published()
    rename(document, MEETING, "roomUrl", "meetingUrl")
    (root / "README.md").write_text(README)
    (root / "examples").mkdir()
    (root / "examples/long.py").write_text(f'f(room_url="{"x" * 84}")\n')
    made_up = root / "whereby_api_client/testing/made_up.py"
    made_up.write_text('FIELDS = {"roomUrl", "hostRoomUrl"}\n')
    report = take(document, root, verify=lambda _: [])
    assert (root / "README.md").read_text() == README.replace("`roomUrl", "`meetingUrl").replace(
        ".room_url", ".meeting_url"
    )
    assert (root / "examples/long.py").read_text() == f'f(\n    meeting_url="{"x" * 84}"\n)\n'
    assert made_up.read_text() == 'FIELDS = {"meetingUrl", "hostRoomUrl"}\n'
    (line,) = section(report, "Hand-written files")
    assert line.startswith("renamed fields have their new names in README.md, examples/")
    assert "room_url" not in "".join(section(report, "To do"))
    assert facts(root)["models.Meeting.meeting_url"] == "field str"


def test_what_is_not_surely_renamed_stays(root: Path) -> None:
    """Leave a name that others have, one of one word, and one that webhooks send."""
    document = published()
    rename(document, MEETING, "endDate", "endsAt")  # recordings have one, too
    rename(document, "/components/schemas/Transcription", "filename", "nameOfFile")
    (root / "README.md").write_text("meeting.end_date, transcription.filename")
    report = take(document, root, verify=lambda _: [])
    assert section(report, "Hand-written files") == []
    todo = "\n".join(section(report, "To do"))
    assert "rewrite what uses `models.Meeting.end_date`, which is gone" in todo
    assert "`models.Transcription.filename`, which is gone: README.md" in todo


def test_words_of_webhooks_stay() -> None:
    """Replace no word that the events of webhooks have: they are not in the document."""
    texts = {"README.md": "a_b aB", "whereby_api_client/webhooks/events.py": "the field aB"}
    assert rewritten(texts, {"aB": "cD", "a_b": "c_d"}) == {"README.md": "c_d aB"}
    assert rewritten(texts, {"aB": "cD"}) == {}


def test_two_new_names_for_one_are_no_rename() -> None:
    """Replace nothing where the change of a name is not the same everywhere."""
    names: tuple[Json, Json] = (
        {"properties": {"aB": {}}},
        {"properties": {"cD": {}, "eF": {}}},
    )
    changes = [DocumentChange("", "", renamed=("aB", new)) for new in ("cD", "eF")]
    assert renamed_words(changes, *names) == {}
    assert renamed_words(changes[:1], *names) == {"aB": "cD", "a_b": "c_d"}


BEFORE = {
    "WherebyClient.things.get": "async def -> Thing",
    "WherebyClient.things.get(thing_id)": "positional 1 str",
    "models.Kind": "class(OpenEnum)",
    "models.Kind.BIG": "member 'big'",
    "models.Kind.SMALL": "member 'small'",
    "models.Other": "class(Model)",
    "models.Other.end_date": "field str",
    "models.Thing": "class(Model)",
    "models.Thing.end_date": "field str",
    "models.Thing.first_name": "field str",
    "models.Thing.weight": "field str",
}


@pytest.mark.parametrize(
    ("gone", "text"),
    [
        ("WherebyClient.things.get", "await whereby.things.get(1)"),
        ("models.Kind.BIG", "Kind.BIG"),
        ("models.Kind.BIG", "must be one of small; got 'big'"),
        ("models.Other", "from x.models import (\n    Kind,\n    Other,\n)"),
        ("models.Other", "from x.models import Kind, Other"),
        ("models.Other", "cannot import name 'Other' from 'x.models'"),
        ("models.Other", "_generated/models/other.py"),
        ("models.Other", "Other: expected an object, got an array"),
        ("models.Thing.first_name", "KeyError: firstName"),
        ("models.Thing.first_name", "thing.first_name"),
        ("models.Thing.end_date", "'Thing' object has no attribute 'end_date'"),
        ("models.Thing.end_date", "Thing.endDate: expected a value"),
        ("models.Thing.weight", "f(weight=1)"),
        ("models.Thing.weight", "{'weight': 1}"),
        ("WherebyClient.things.get", '"Things" has no attribute "get"'),
        ("WherebyClient.things.get", 'Cannot access attribute "get" for class "Things"'),
    ],
)
def test_uses_are_found(gone: str, text: str) -> None:
    """Find a name in Python, in JSON, in a message, and nothing in what is like it."""
    after = {name: fact for name, fact in BEFORE.items() if not name.startswith(gone)}
    names = patterns(lost_names(BEFORE, after), after)
    assert mentioned(text, names) == [gone]
    others = "big; things.get_all(); first_names; end_date; Others; a_first_name"
    others += "; the weight of; things.weight(); 'things' or 'get'"
    others += "; Other.end_date" if gone != "models.Other" else ""
    assert mentioned(others, {gone: names[gone]}) == []
    assert lost_names(BEFORE, BEFORE) == {}


def test_what_only_has_another_type_is_not_lost() -> None:
    """Expect no failure of what can be used as before, but of a call without what it needs now."""
    after = {
        **BEFORE,
        "WherebyClient.things.get": "async def -> Item",
        "models.Thing.first_name": "field str | None",
    }
    assert lost_names(BEFORE, after) == {}
    argument = "WherebyClient.things.get(why)"
    required = BEFORE | {argument: "keyword str"}
    optional = BEFORE | {argument: "keyword str = UNSET"}
    for before in (BEFORE, optional):
        assert lost_names(before, required) == {argument: "keyword str"}
    assert lost_names(BEFORE, optional) == {}


ARGUMENT = "WherebyClient.things.get(why)"


@pytest.mark.parametrize(
    "text",
    [
        "things.get(\n    f(1, g(2)),\n    why=1,\n)",
        'Unexpected keyword argument "why" for "get" of "Things"',
        "Things.get() got an unexpected keyword argument 'why'",
    ],
)
def test_arguments_are_found(text: str) -> None:
    """Find an argument that other methods have as well in the calls of its own."""
    names = patterns(
        {ARGUMENT: "keyword str = UNSET"}, {"WherebyClient.others.get(why)": "keyword str"}
    )
    assert mentioned(text, names) == [ARGUMENT]
    assert mentioned("things.get(1); others.get(why=1)".replace("; ", "\n"), names) == []


def test_calls_by_http_are_found() -> None:
    """Find calls of an operation without a method of ours; in a test that fails, far away too."""
    old: Json = {"paths": {"/things/{thingId}": {"delete": {}}, "/things": {"get": {}}}}
    lost = gone_operations(old, {"paths": {"/things": {"get": {}}}})
    assert lost == {"DELETE /things/{thingId}": "operation"}
    failures, files = patterns(lost, {}), patterns(lost, {}, where="file")
    for text in (
        'client.delete(f"{url}/things/{thing}")',
        'Request("DELETE", "/v1/things/1", headers)',
        "`DELETE /things/{thingId}`",
        "curl -X DELETE https://api/v1/things/1?a=b",
    ):
        assert mentioned(text, failures) == mentioned(text, files) == list(lost), text
    apart = 'url = "https://api/v1/things/1"\nawait client.delete(url)'
    assert (mentioned(apart, failures), mentioned(apart, files)) == (list(lost), [])
    for text in ('client.delete("/things")', 'client.delete("/things/1/x")', 'get("/things/1")'):
        assert mentioned(text, failures) == [], text
    assert users({"whereby_api_client/a.py": "DELETE /things/{thingId}"}, lost, {}) == {}


def test_what_is_required_now_is_missed_by_its_callers() -> None:
    """List the files that call without what has to be given, and those that make such a model."""
    lost = {ARGUMENT: "keyword str", "models.Thing.last_name": "field str"}
    texts = {
        "docs/with.md": "things.get(1, why=f(2)) and Thing(last_name=1)",
        "examples/call.py": "things.get(1, f(2))",
        "tests/make.py": "Thing(first_name=f(1))",
    }
    assert users(texts, lost, {**BEFORE, **lost}) == {
        ARGUMENT: ["examples/call.py"],
        "models.Thing.last_name": ["tests/make.py"],
    }


def test_a_text_of_the_package_is_no_use() -> None:
    """Take a word in quotes for a field's name in tests, and for a text in the package."""
    lost = {"models.Thing.weight": "field str"}
    use = "x['weight'] = 1"
    texts = {"whereby_api_client/a.py": use, "tests/a.py": use}
    assert users(texts, lost, {}) == {"models.Thing.weight": ["tests/a.py"]}
    texts = {"whereby_api_client/a.py": "print(thing.weight)"}
    assert users(texts, lost, {}) == {"models.Thing.weight": ["whereby_api_client/a.py"]}


def test_new_fields_of_responses() -> None:
    """Find what made-up responses lack: fields that are required now."""
    after = {**BEFORE, "models.Thing.last_name": "field str", "models.Thing.x": "field str = None"}
    facts = required_fields(BEFORE, after)
    assert list(facts) == ["models.Thing.last_name"]
    text = "Thing.lastName: expected a value, got nothing"
    assert mentioned(text, patterns(facts, after)) == ["models.Thing.last_name"]


CONFTEST = """
import re, sys
sys.path.insert(0, {root!r})
from tests.helpers import lost_names
lost_names.lost_names = lambda: {names}
from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport
"""
TESTS = """
import pytest

def test_uses_it_and_passes(): assert "roomUrl"
def test_another_mistake(): assert 1 == 2
def test_in_its_source(): assert {} == {"roomUrl": 1}
def test_in_its_error(): raise AttributeError("no attribute " + "room" + "Url")
def test_in_its_output(): print("room" + "Url"); assert False
@pytest.mark.parametrize("name", ["roomUrl", "roomName"])
def test_in_a_parameter(name): assert not name
"""


@pytest.mark.parametrize(
    ("names", "outcome"),
    [
        (
            "{'room_url': re.compile('roomUrl')}",
            "2 failed, 1 passed, 1 skipped, 4 xfailed, 1 error",
        ),
        ("{}", "6 failed, 1 passed, 2 errors"),
    ],
)
def test_tests_that_use_it_are_expected_to_fail(tmp_path: Path, names: str, outcome: str) -> None:
    """Expect those to fail that mention a lost name; with none lost, expect nothing."""
    (tmp_path / "conftest.py").write_text(CONFTEST.format(root=str(ROOT), names=names))
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_import.py").write_text("raise ImportError('no roomUrl')\n")
    (tmp_path / "test_another_import.py").write_text("raise ImportError('no roomName')\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rsx"]
    command += ["--continue-on-collection-errors"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # quicker
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert outcome in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("the API has room_url no more") == (5 if "xfailed" in outcome else 0)


def test_what_is_lost_is_kept_while_it_is_used(root: Path) -> None:
    """List what files use and the API has no more, until they do not, or it is there again."""
    document = published()
    enum = request_schema(document, "POST /meetings")["properties"]["roomMode"]["enum"]
    (root / "README.md").write_text("whereby.summaries.delete, RoomMode.GROUP")
    del document["paths"]["/summaries/{summaryId}"]["delete"]
    enum.remove("group")
    take(document, root, verify=lambda _: [])
    lost = (root / LOST).read_text()
    assert lost == (
        "WherebyClient.summaries.delete: async def -> None\nmodels.RoomMode.GROUP: member 'group'\n"
    )
    document["info"]["version"] = "v2"
    take(document, root, verify=lambda _: [])
    assert (root / LOST).read_text() == lost
    enum.append("group")
    (root / "README.md").write_text("")
    take(document, root, verify=lambda _: [])
    assert (root / LOST).read_text() == ""
