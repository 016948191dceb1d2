"""Documents that Whereby may publish: each gives a working client, or a reason by name.

An update type-checks the new package and sends every operation over a socket before it replaces
anything: an update that returns has passed both.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overrides.engine import changed_pointers, load_overrides
from overrides.errors import OverridesError
from overrides.openapi.pointers import MISSING, resolve
from overrides.paths import (
    CHANGE_LIST,
    DOCUMENT,
    GENERATED,
    PATCHED,
    REPORT,
    files,
    read_change_list,
    read_json,
)
from overrides.update.report import Report
from overrides.update.update import UpdateError, update
from tests.helpers.override_cases import Case
from tests.helpers.override_cases.shape import HISTORIC as HISTORIC_CASES
from tests.helpers.override_runs import (
    at,
    operation,
    operations,
    parameter,
    patched,
    published,
    request_schema,
)
from tests.helpers.slow import mostly_slow
from tests.overrides.openapi.test_document import ODD, members, shuffled, tomorrow
from tests.overrides.spec.test_every_override import CASES

from ...helpers.update_runs import Json, facts, section, sleeping, state, take, unverified

OVERRIDES = {override.name: override for override in load_overrides()}
CALLS = [f"{method.upper()} {path}" for path, method, _ in operations(published())]

# Their fix differs from ours in the end: Whereby would know the types better.
FIXED_OTHERWISE = {"properties_only_in_example", "unwrapped_properties"}

# What the package adds of its own stands on the operations: it goes with them.
WAIT = {
    f"{tag}.{name}"
    for tag in ("summaries", "transcriptions")
    for name in ("create_and_wait", "wait")
}
LOAD = {
    f"{tag}.{name}"
    for tag in ("recordings", "transcriptions")
    for name in ("download", "download_all")
}
DEPENDING = dict.fromkeys(
    [
        "GET /recordings/{recordingId}",
        "GET /recordings/{recordingId}/access-link",
        "POST /transcriptions",
        "GET /transcriptions/{transcriptionId}",
        "GET /transcriptions/{transcriptionId}/access-link",
        "POST /summaries",
        "GET /summaries/{summaryId}",
    ],
    WAIT | LOAD,
)

HISTORIC = {case.name for case in HISTORIC_CASES}
ODD_DOCUMENTS = int(os.environ.get("WHEREBY_ODD_DOCUMENTS", "12"))
QUICK = [case for case in CASES if case.name in ("enum_trailing_comma", "points_only_in_prose")]
ONE_BY_ONE = [
    case for case in CASES if case.fixed_one_by_one and len(OVERRIDES[case.name].seen_at) > 1
]
every_case = pytest.mark.parametrize("case", mostly_slow(CASES, *QUICK), ids=lambda case: case.name)


def methods(root: Path) -> set[str]:
    """Name the methods of a repository's client."""
    names = {
        name.removeprefix("WherebyClient.")
        for name, fact in facts(root).items()
        if name.startswith("WherebyClient.") and "def " in fact
    }
    return {name for name in names if "." in name and "__" not in name}


def generated(root: Path) -> dict[str, bytes]:
    """Read the generated package."""
    return files(root, [GENERATED])


def promised(before: dict[str, str], old: Json, new: Json) -> dict[str, str]:
    """Return the API, with the dates that the document itself promises now: never None."""
    known = dict(before)
    for model, schema in old["components"]["schemas"].items():
        for name, field in schema.get("properties", {}).items():
            now = new["components"]["schemas"][model]["properties"][name]
            dated = field.get("format") == now.get("format") == "date-time"
            if dated and "x-narrowed" in field and "x-narrowed" not in now:
                fact = f"models.{model}." + re.sub("([A-Z])", r"_\1", name).lower()
                if name in schema["required"] and not now.get("nullable"):
                    assert known[fact] == "field datetime | None"
                    known[fact] = "field datetime"
    return known


def asleep(names: list[str], entries: dict[str, Json], document: Json) -> dict[str, str]:
    """Return why overrides fell asleep: a repair, if one place is left, else no place is left."""
    why = {}
    for name in names:
        holders = [pointer.rpartition("/")[0] for pointer in changed_pointers(entries[name])]
        moved = [
            resolve(published(), holder) is not MISSING and resolve(document, holder) is MISSING
            for holder in holders
        ]
        why[name] = "its place is gone" if all(moved) else "repaired by Whereby at"
    return why


def reported_asleep(report: Report) -> dict[str, str]:
    """Read from a report why overrides fell asleep."""
    reasons = {}
    for line in section(report, "Overrides"):
        if match := re.match("`(.+)`: sleeping; (repaired by Whereby at|its place is gone)", line):
            reasons[match[1]] = match[2]
    return reasons


@every_case
def test_a_defect_fixed_upstream(root: Path, case: Case) -> None:
    """Take the document in, report which override sleeps; callers notice nothing."""
    document = published()
    case.fix(document)
    names = sleeping(document)
    entries = read_change_list(root / CHANGE_LIST)
    before, old = facts(root), read_json(root / PATCHED)
    report = take(document, root)
    assert case.name in names
    # an override that names a schema moves it among the components: its old place is gone
    assert reported_asleep(report) == asleep(sorted(set(names) - HISTORIC), entries, document)
    if case.name not in FIXED_OTHERWISE:
        assert section(report, "To do") == []
    if case.name == "datetimes_without_format":
        # what Whereby says itself is strict; what only we said was not, so callers gain
        after = promised(before, old, read_json(root / PATCHED))
        assert after != before
        before = after
    assert (facts(root) == before) is (case.name not in FIXED_OTHERWISE)
    entry = read_change_list(root / CHANGE_LIST)[case.name]
    assert entry["outcome"] == "sleeping"
    assert "changes" not in entry


@pytest.mark.slow
def test_all_defects_fixed_upstream(root: Path) -> None:
    """Generate the same package from a document that needs no override at all."""
    before = generated(root)
    entries = read_change_list(root / CHANGE_LIST)
    report = take(patched(), root)
    names = [case.name for case in CASES]
    assert reported_asleep(report) == asleep(names, entries, patched())
    # what they say now is what we made of it before: told, but as published only
    lines = section(report, "What changed in the document")
    assert [line for line in lines if ": published" not in line] == []
    new = patched()["components"]["schemas"].keys() - published()["components"]["schemas"].keys()
    for name in new:
        start = f"the document: published, /components/schemas/{name}: nothing → "
        assert sum(line.startswith(start) for line in lines) == 1
    assert section(report, "Suggested version") == ["0.1.0: nothing changed, nothing to release"]
    assert generated(root) == before


@pytest.mark.parametrize(
    "case",
    mostly_slow(ONE_BY_ONE, ONE_BY_ONE[0]),
    ids=lambda case: case.name,
)
def test_a_defect_fixed_at_one_place_only(root: Path, case: Case) -> None:
    """Go on patching the other places, and name the one that is fixed."""
    document, fixed = published(), published()
    case.fix(fixed)
    pointer = OVERRIDES[case.name].seen_at[-1]
    above, _, last = pointer.rpartition("/")
    at(document, above)[last] = at(fixed, pointer)
    # what the fixed place refers to
    document["components"]["schemas"] = (
        fixed["components"]["schemas"] | document["components"]["schemas"]
    )
    before, old = facts(root), read_json(root / PATCHED)
    report = take(document, root, verify=unverified)
    if case.name == "datetimes_without_format":
        before = promised(before, old, read_json(root / PATCHED))
    (line,) = [n for n in section(report, "Overrides") if n.startswith(f"`{case.name}`: applied")]
    assert "; repaired by Whereby at " in line
    assert (facts(root) == before) is (case.name not in FIXED_OTHERWISE)


@every_case
def test_a_place_that_holds_something_else(root: Path, case: Case) -> None:
    """Stop, name the override, the place, what was expected and what was found."""
    if not case.drifts_at:
        pytest.skip("it handles whatever stands there")
    document = published()
    case.drift(document)
    before = state(root)
    with pytest.raises(UpdateError) as stopped:
        take(document, root)
    message = str(stopped.value)
    assert f"{case.name}: drifted, check overrides/spec/{case.name}.py against" in message
    assert f"at {case.drifts_at}: expected " in message
    assert any(case.name in line for line in section(stopped.value.report, "To do"))
    assert state(root) == before


@pytest.mark.parametrize("call", mostly_slow(CALLS, "GET /insights/participant"))
def test_an_operation_removed(root: Path, call: str) -> None:
    """Lose its method and no other, and say that this breaks callers."""
    document = published()
    method, path = call.split()
    name = operation(patched(), call)["operationId"]
    del document["paths"][path][method.lower()]
    before = methods(root)
    report = take(document, root)
    gone = before - methods(root)
    assert gone - DEPENDING.get(call, set()) == {name}
    assert methods(root) < before
    assert {f"method `whereby.{method}` is gone" for method in gone} <= set(
        section(report, "Breaks callers")
    )
    assert f"`{name}` ({call}): the operation is gone" in section(report, "Breaks callers")
    assert section(report, "Suggested version")[0].startswith("0.2.0: minor step")


@pytest.mark.parametrize(
    "tags",
    mostly_slow(
        [
            ("summaries",),
            ("summaries", "transcriptions"),
            ("summaries", "transcriptions", "insights"),
            ("summaries", "transcriptions", "insights", "recordings", "rooms"),
        ],
        ("summaries", "transcriptions"),
    ),
    ids=len,
)
def test_an_older_and_smaller_document(root: Path, tags: tuple[str, ...]) -> None:
    """Work without the endpoints that came later."""
    document = published()
    for path in list(document["paths"]):
        if path.split("/")[1] in tags:
            del document["paths"][path]
    for component in ("Summary", "Transcription")[: len(tags)]:
        del document["components"]["schemas"][component]
    report = take(document, root)
    assert {name.partition(".")[0] for name in methods(root)}.isdisjoint(tags)
    assert [line for line in section(report, "To do") if "rewrite what uses" not in line] == []
    absent = [line for line in section(report, "Overrides") if ": absent, " in line]
    assert bool(absent) is (len(tags) > 1)  # a sibling has the same defects


def test_a_new_tag(root: Path) -> None:
    """Name, type, page, price and test four operations that have all the old defects."""
    before = facts(root)
    report = take(published() | tomorrow(), root)
    now = facts(root)
    assert now["WherebyClient.polls.list"] == "def -> Paginator[PollPage, Poll]"
    assert now["WherebyClient.polls.create"] == "async def -> CreatedPoll"
    assert now["WherebyClient.polls.create(question)"] == "keyword str"
    assert now["WherebyClient.polls.get(poll_id)"].startswith("positional 1 str")
    assert now["WherebyClient.polls.delete"] == "async def -> None"
    assert {name: now.get(name) for name in before} == before
    assert section(report, "Breaks callers") == []
    assert "new method `whereby.polls.list`" in section(report, "New or changed in the Python API")
    assert (
        "`polls.delete` (DELETE /polls/{pollId}): new operation, 2 points: Delete poll"
        in section(report, "What changed in the document")
    )
    lines = [line for line in section(report, "Overrides") if "new at" in line]
    assert any(line.startswith("`parameters_without_schema`") for line in lines)
    assert section(report, "Suggested version") == [
        "0.1.1: patch step from 0.1.0: it adds to the API"
    ]
    (entry,) = section(report, "Suggested CHANGELOG entry")
    assert "- New method `whereby.polls.list`.\n" in entry


def rename_field(document: Json) -> None:
    """Call a field of the meeting something else."""
    properties = document["components"]["schemas"]["Meeting"]["properties"]
    properties["meetingUrl"] = properties.pop("roomUrl")
    document["components"]["schemas"]["Meeting"]["required"] = [
        "meetingId",
        "meetingUrl",
        "endDate",
    ]


def enum_value(document: Json) -> None:
    """Take an enum value away and give another one."""
    request_schema(document, "POST /meetings")["properties"]["roomMode"]["enum"] = [
        "normal",
        "webinar",
    ]


def require_parameter(document: Json) -> None:
    """Make a parameter and a field of a body required."""
    parameter(document, "GET /recordings", "roomName")["required"] = True
    request_schema(document, "POST /meetings")["required"] = ["endDate", "roomMode"]


def make_nullable(document: Json) -> None:
    """Let a field be null that was not, and one be left out that was always there."""
    meeting = document["components"]["schemas"]["Meeting"]
    meeting["properties"]["roomUrl"]["nullable"] = True
    meeting["required"].remove("endDate")


def other_default(document: Json) -> None:
    """Let the server do something else when nothing is said, with other bounds."""
    schema = parameter(document, "GET /meetings", "limit")["schema"]
    schema.update({"default": 20, "maximum": 50})


def other_prices(document: Json) -> None:
    """Raise the prices, in the same words."""
    about = document["info"]
    about["description"] = about["description"].replace(
        "a delete consumes 2 points", "a delete consumes 4 points"
    )


def other_budget(document: Json) -> None:
    """Lower the small plan's budget."""
    about = document["info"]
    about["description"] = about["description"].replace("*Build* plans have 100", "*Build* have 50")


@pytest.mark.parametrize(
    ("change", "reported", "breaks"),
    [
        (
            rename_field,
            [
                "`Meeting`: field `roomUrl` is gone (renamed to `meetingUrl`?)",
                "`Meeting`: new required field `meetingUrl` (string (uri))",
            ],
            ["field `models.Meeting.room_url` is gone"],
        ),
        (
            enum_value,
            [
                "`RoomMode`: no longer has the value 'group'",
                "`RoomMode`: has the new value 'webinar'",
            ],
            ["enum member `models.RoomMode.GROUP` is gone"],
        ),
        (
            require_parameter,
            [
                "`recordings.list` (GET /recordings): parameter `roomName` is required now",
                "`MeetingCreateRequest`: field `roomMode` is required now",
            ],
            [
                "`whereby.meetings.create`: argument `room_mode` is required now",
                "`whereby.recordings.list`: argument `room_name` is required now",
            ],
        ),
        (
            make_nullable,
            [
                "`Meeting`: field `roomUrl` can be null now",
                "`Meeting`: field `endDate` is optional now",
            ],
            [
                "`Meeting`: field `endDate` is optional now",
                "`Meeting`: field `roomUrl` can be null now",
            ],
        ),
        (
            other_default,
            [
                "`meetings.list` (GET /meetings): parameter `limit` default: 50 → 20",
                "`meetings.list` (GET /meetings): parameter `limit` maximum: 100 → 50",
            ],
            [],
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_change_is_reported_to_callers(
    root: Path, change: Callable[[Json], None], reported: list[str], breaks: list[str]
) -> None:
    """Say in the report what changed, and what of it breaks callers."""
    document = published()
    change(document)
    report = take(document, root, verify=unverified)
    lines = section(report, "Breaks callers") + section(report, "What changed in the document")
    assert set(reported) <= set(lines)
    assert set(breaks) <= set(section(report, "Breaks callers"))
    assert section(report, "Suggested version")[0].startswith("0.2.0: minor step")


def test_other_prices(root: Path) -> None:
    """Let calls pay what the text says now, and put that where it is seen."""
    document = published()
    other_prices(document)
    report = take(document, root, verify=unverified)
    text, price = section(report, "Urgent")
    assert price.startswith("`meetings.delete` (DELETE /meetings/{meetingId}); `recordings.delete`")
    assert price.endswith(": costs 4 points, not 2")
    assert "a delete consumes 2 points" in text
    assert operation(read_json(root / PATCHED), "DELETE /meetings/{meetingId}")["x-points"] == 4


@pytest.mark.slow
def test_another_budget(root: Path) -> None:
    """Show a change of the text about the limits word by word, and do nothing else about it."""
    document = published()
    other_budget(document)
    report = take(document, root)
    (line,) = section(report, "Urgent")
    assert "*Build* plans have 100.' → " in line
    assert line.endswith("*Build* have 50.'")
    assert section(report, "What changed in the document") == []


def test_a_price_list_in_other_words(root: Path) -> None:
    """Stop when nobody can tell the prices: the budget's promise hangs on them."""
    document = published()
    about = document["info"]
    about["description"] = about["description"].replace("A read request consumes", "Reads cost")
    before = state(root)
    with pytest.raises(UpdateError, match="points_only_in_prose: drifted") as stopped:
        take(document, root, verify=unverified)
    assert "at /info/description: expected 'A read request consumes 1 point" in str(stopped.value)
    assert "Reads cost 1 point" in str(stopped.value)
    assert state(root) == before


def test_other_order_and_whitespace(root: Path) -> None:
    """Have nothing to say when only the form changed; the package's methods stay as they are."""
    document = shuffled(published(), random.Random(1))
    before = facts(root)
    path = root / "new.json"
    path.write_text(json.dumps(document, indent=7))
    report = update(str(path), root, verify=unverified)
    assert report.headline == "new.json: nothing changed"
    assert facts(root) == before
    assert (root / DOCUMENT).read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_openapi_31(root: Path) -> None:
    """Understand OpenAPI 3.1 with its own way to say null: callers notice nothing."""
    before = facts(root)
    report = take(published() | {"openapi": "3.1.0"}, root)
    assert facts(root) == before
    assert "the document: OpenAPI 3.0.0 → 3.1.0" in section(report, "What changed in the document")
    assert section(report, "To do") == []


def in_31(value: Any) -> Any:
    """Say null as OpenAPI 3.1 does."""
    if isinstance(value, list):
        return [in_31(member) for member in value]
    if not isinstance(value, dict):
        return value
    schema = {name: in_31(member) for name, member in value.items()}
    if schema.pop("nullable", False) is True:
        if isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
        elif "allOf" in schema:
            schema["anyOf"] = [*schema.pop("allOf"), {"type": "null"}]
    return schema


@pytest.mark.slow
def test_openapi_31_without_defects(root: Path) -> None:
    """Generate the same client from a document that says all of it in OpenAPI 3.1."""
    before = facts(root)
    report = take(in_31(patched()) | {"openapi": "3.1.0"}, root)
    assert facts(root) == before
    lines = section(report, "What changed in the document")
    # beside what overrides said before; null as a part of an `anyOf` means the same
    assert [line for line in lines if ": published" not in line] == [
        "the document: OpenAPI 3.0.0 → 3.1.0"
    ]
    assert section(report, "Breaks callers") == []
    assert section(report, "Suggested version") == [
        "0.1.1: patch step from 0.1.0: the Python API is the same"
    ]


@pytest.mark.slow
def test_an_old_defect_comes_back(root: Path) -> None:
    """Patch at another place what was only seen elsewhere: rules, not lists."""
    document = published()
    transcription = document["components"]["schemas"]["Transcription"]
    del transcription["properties"]
    transcription["example"] = dict.fromkeys(transcription["required"], "text")
    for shared in document["components"]["parameters"].values():
        del shared["schema"]
    report = take(document, root)
    assert facts(root)["models.Transcription.transcription_id"] == "field str"
    lines = [line for line in section(report, "Overrides") if "new at" in line]
    assert any(line.startswith("`properties_only_in_example`") for line in lines)
    assert any(line.startswith("`parameters_without_schema`") for line in lines)


def test_a_document_of_another_api(root: Path) -> None:
    """Say whose document it is."""
    document = published()
    document["info"]["title"] = "Petstore"
    document["servers"] = [{"url": "https://petstore.example/v1"}]
    before = state(root)
    with pytest.raises(
        OverridesError, match=r"another API: Petstore, with https://petstore\.example/v1"
    ):
        take(document, root)
    assert state(root) == before


def refused(root: Path, content: bytes) -> str:
    """Return why an update does not take what a file holds; nothing in the repository changes."""
    path = root / "new.json"
    path.write_bytes(content)
    before = state(root)
    with pytest.raises(OverridesError) as stopped:
        update(str(path), root)
    assert state(root) == before
    return str(stopped.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.9999])
def test_truncated_json(root: Path, share: float) -> None:
    """Say that it ends in the middle, wherever it does."""
    whole = (root / DOCUMENT).read_bytes().rstrip()
    reason = refused(root, whole[: int(len(whole) * share)])
    assert "truncated: not JSON, for it ends in the middle" in reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"paths": {', '"paths": {,', "line \\d+, column \\d+, after .*paths"),
        (
            '"openapi": "3.0.0",',
            '"openapi": "3.0.0"',
            "Expecting ',' delimiter at line \\d+, col",
        ),
        ('"openapi"', "'openapi'", "Expecting property name"),
        ('"3.0.0"', "NaN", "NaN, which is not a JSON value"),
        ('"openapi": "3.0.0"', '"swagger": "2.0"', "must be OpenAPI 3.0 or 3.1; got Swagger 2.0"),
        ('"openapi": "3.0.0"', '"openapi": "4.0.0"', "must be OpenAPI 3.0 or 3.1; got 4.0.0"),
        ('"openapi": "3.0.0",', "", "no `openapi` in it, but info"),
        ('"paths"', '"path"', "has no operations. At /paths"),
        ('/schemas/Meeting"', '/schemas/Meting"', "leads to nothing: #/components/schemas/Meting"),
        (
            '#/components/schemas/Meeting"',
            'https://x/y.json"',
            "leads outside: https://x/y.json",
        ),
        ("api.whereby.dev/v1", "api.whereby.dev/v2", "has moved within api.whereby.dev"),
    ],
)
def test_a_broken_document(root: Path, old: str, new: str, reason: str) -> None:
    """Name what is broken and where."""
    published = (root / DOCUMENT).read_text()
    assert old in published
    assert re.search(reason, refused(root, published.replace(old, new).encode()))


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\x00", b"[1]", b"7", b"a: [", b"a: b"])
def test_no_document_at_all(root: Path, content: bytes) -> None:
    """Say what it is instead."""
    assert re.match("empty|must be UTF-8|not an|not JSON", refused(root, content))


def test_the_report_is_kept(root: Path) -> None:
    """Keep the report beside the document, as Markdown, without this machine's paths."""
    report = take(published(), root, verify=unverified)
    markdown = (root / REPORT).read_text()
    assert markdown == report.markdown()
    assert markdown.startswith("# new.json: nothing changed\n")
    assert str(root) not in markdown


@pytest.mark.parametrize("seed", mostly_slow(range(ODD_DOCUMENTS), 0, 1))
def test_an_odd_document(root: Path, seed: int) -> None:
    """Delete and replace members at random: a package comes out, or a reason; nothing else.

    WHEREBY_ODD_DOCUMENTS=1000 makes it that many. The packages are only generated here.
    """
    chance = random.Random(seed)
    document = published() | (tomorrow() if seed % 2 else {})
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        holder, key = chance.choice(list(members(document)))
        if chance.random() < 0.4:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(ODD))
    path = root / "new.json"
    path.write_text(json.dumps(document))
    before = state(root)
    try:
        update(str(path), root, verify=lambda _: [])
    except OverridesError as error:
        assert "object at 0x" not in str(error)
        assert state(root) == before
