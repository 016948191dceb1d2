"""The report: what a maintainer reads, in the order in which it matters."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from overrides.engine import apply_overrides, change_list
from overrides.openapi.diff import DocumentChange, diff_documents, kind_of
from overrides.update.api_diff import ApiChange
from overrides.update.report import Findings, renamed, report, spoken, suggestion
from tests.helpers.override_runs import operation, parameter, patched, published
from tests.overrides.openapi.test_document import tomorrow
from tests.overrides.spec.test_every_override import CASES

from ...helpers.update_runs import Json, section

CHANGE = DocumentChange("`meetings.get` (GET /meetings/{meetingId})", "another thing")
TEXT = DocumentChange("`Meeting`", "another text", is_text=True)
LIMIT = DocumentChange(
    "the document", "the text about the limits: was: 'a'", is_text=True, is_limit=True
)
BREAKS = ApiChange("x", "method `whereby.x.y` is gone", True)
ADDS = ApiChange("z", "new method `whereby.x.z`", False)


def entries(listed: list[Json]) -> dict[str, Json]:
    """Return the entries of a change list by override."""
    return {entry["override"]: entry for entry in listed}


def facts(**changes: Any) -> Findings:
    """Make the facts of an update that found nothing, but for what is given."""
    result = apply_overrides(published())
    known: dict[str, Any] = {
        "origin": "https://example.org/openapi.json",
        "notes": (),
        "changes": [],
        "result": result,
        "published": published(),
        "old_published": published(),
        "old_change_list": entries(change_list(result)),
        "api": [],
        "version": "0.1.0",
    }
    return Findings(**(known | changes))


@pytest.mark.parametrize(
    ("version", "differences", "api", "suggested"),
    [
        ("0.1.0", [], [], ("0.1.0", "nothing changed, nothing to release")),
        ("0.1.0", [TEXT], [], ("0.1.1", "patch step from 0.1.0: the Python API is the same")),
        ("0.1.0", [CHANGE], [ADDS], ("0.1.1", "patch step from 0.1.0: it adds to the API")),
        ("0.1.9", [], [ADDS, BREAKS], ("0.2.0", "minor step from 0.1.9: it breaks callers")),
        ("1.2.3", [TEXT], [], ("1.2.4", "patch step from 1.2.3: the Python API is the same")),
        ("1.2.3", [], [ADDS], ("1.3.0", "minor step from 1.2.3: it adds to the API")),
        ("1.2.3", [], [BREAKS], ("2.0.0", "major step from 1.2.3: it breaks callers")),
        ("1.2.3rc1", [], [BREAKS], ("2.0.0", "major step from 1.2.3rc1: it breaks callers")),
    ],
)
def test_suggested_version(
    version: str,
    differences: list[DocumentChange],
    api: list[ApiChange],
    suggested: tuple[str, str],
) -> None:
    """Suggest the step that semantic versioning asks for."""
    assert suggestion(facts(version=version, changes=differences, api=api)) == suggested


def test_what_to_act_on_comes_first() -> None:
    """Begin with limits and what breaks callers."""
    document = published()
    next(case for case in CASES if case.name == "enum_trailing_comma").fix(document)
    found = report(
        facts(
            result=apply_overrides(document),
            published=document,
            changes=[TEXT, CHANGE, LIMIT],
            api=[ADDS, BREAKS],
            notes=("A note.",),
        )
    )
    assert [one.title for one in found.sections] == [
        "Limits",
        "What changed in the document",
        "Other texts",
        "Breaks callers",
        "New or changed in the Python API",
        "Overrides",
        "Notes",
        "Suggested version",
        "Suggested CHANGELOG entry",
    ]
    assert found.headline == (
        "https://example.org/openapi.json: 2 changes, 1 other text, 1 of the API's changes breaking"
    )
    assert next(n for n in section(found, "Overrides") if "sleeping" in n) == (
        "`enum_trailing_comma`: sleeping; repaired by Whereby at POST /meetings"
    )
    (entry,) = section(found, "Suggested CHANGELOG entry")
    assert entry == (
        "```markdown\n"
        "## 0.2.0 (unreleased)\n"
        "\n"
        "- New method `whereby.x.z`.\n"
        "- Breaking: Method `whereby.x.y` is gone.\n"
        "- The document: the text about the limits: was: 'a'.\n"
        "```"
    )


def test_nothing_changed() -> None:
    """Say so, and list what the overrides did."""
    found = report(facts())
    assert found.headline == "https://example.org/openapi.json: nothing changed"
    assert [one.title for one in found.sections] == ["Overrides", "Suggested version"]
    lines = section(found, "Overrides")
    assert len(lines) == len(CASES)
    assert "`security_never_applied`: applied at 27 places" in lines


def test_markdown_and_terminal() -> None:
    """Write the same twice: as Markdown, and for a terminal of some width."""
    found = report(facts(changes=[CHANGE], api=[BREAKS]))
    markdown = found.markdown()
    assert markdown.startswith("# https://example.org/openapi.json: 1 change, 0 other texts, 1 of")
    assert "\n\n## Breaks callers\n\n- method `whereby.x.y` is gone\n\n" in markdown
    assert markdown.endswith("- Breaking: Method `whereby.x.y` is gone.\n```\n")
    plain = found.terminal(width=60)
    assert "\nBreaks callers\n  method whereby.x.y is gone\n" in plain
    assert "`" not in plain
    assert "\nSuggested CHANGELOG entry\n  ## 0.2.0 (unreleased)\n" in plain
    assert max(map(len, plain.splitlines()[1:])) <= 60


def test_where_overrides_do_more_and_less() -> None:
    """Tell new places that a rule cured, and places that no longer need it."""
    old = published()
    new = published() | tomorrow()
    for listed in new["paths"]["/recordings"]["get"]["parameters"]:
        listed.setdefault("schema", {"type": "string"})
    found = report(
        facts(
            result=apply_overrides(new), old_change_list=entries(change_list(apply_overrides(old)))
        )
    )
    line = next(n for n in section(found, "Overrides") if n.startswith("`parameters_without_sch"))
    assert "; repaired by Whereby at GET /recordings" in line
    assert "; new at GET /polls, DELETE /polls/{pollId}, GET /polls/{pollId}" in line


@pytest.mark.parametrize(
    ("pointer", "said"),
    [
        ("/paths/~1meetings~1{meetingId}/get", "GET /meetings/{meetingId}"),
        ("/paths/~1meetings/post/requestBody/content", "POST /meetings, requestBody/content"),
        ("/components/schemas/Meeting/required", "schemas/Meeting, required"),
        ("/info/description", "/info/description"),
        ("", "the document"),
    ],
)
def test_places_in_words(pointer: str, said: str) -> None:
    """Write a place as a person says it."""
    assert spoken(pointer) == said


def test_renamed_methods() -> None:
    """Find methods by what they call, not by what their paths' parameters are called."""
    old = patched()
    new = copy.deepcopy(old)
    new["paths"]["/meetings/{id}"] = new["paths"].pop("/meetings/{meetingId}")
    assert renamed(old, new) == []
    operation(new, "GET /meetings/{id}")["operationId"] = "meetings.fetch"
    (line,) = renamed(old, new)
    assert line.startswith(
        "whereby.meetings.get (GET /meetings/{}) would become whereby.meetings.f"
    )


def move_cursor(document: Json) -> None:
    """Call a parameter something else."""
    parameter(document, "GET /meetings", "cursor")["name"] = "after"


def drop_body_kind(document: Json) -> None:
    """Take another kind of body."""
    content = operation(document, "PUT /rooms/{roomName}/theme/logo")["requestBody"]["content"]
    content["image/png"] = content.pop("multipart/form-data")


def other_status(document: Json) -> None:
    """Answer with another status."""
    responses = operation(document, "POST /meetings")["responses"]
    responses["200"] = responses.pop("201")


def deprecate(document: Json) -> None:
    """Deprecate an operation and a field."""
    operation(document, "GET /meetings")["deprecated"] = True
    document["components"]["schemas"]["Meeting"]["properties"]["startDate"]["deprecated"] = True


def other_type(document: Json) -> None:
    """Give fields another type."""
    document["components"]["schemas"]["Recording"]["properties"]["sizeInMegaBytes"] = TEXT_SCHEMA
    document["components"]["schemas"]["MeetingPage"]["properties"]["results"]["items"] = TEXT_SCHEMA


def other_style(document: Json) -> None:
    """Write a parameter in another style."""
    listed = operation(document, "GET /meetings")["parameters"]
    next(one for one in listed if one.get("name") == "fields")["explode"] = True


def other_info(document: Json) -> None:
    """Call the document something else."""
    document["info"]["title"] = "Whereby API"
    document["info"]["version"] = "v1.1"


def empty_answer(document: Json) -> None:
    """Answer nothing any more."""
    del operation(document, "GET /meetings")["responses"]["200"]["content"]


def either_or(document: Json) -> None:
    """Need none of two parameters any more."""
    del operation(document, "GET /insights/participants")["x-either-of"]


def other_texts(document: Json) -> None:
    """Say the same in other words."""
    operation(document, "GET /meetings")["summary"] = "List the meetings"
    document["components"]["schemas"]["Meeting"]["properties"]["roomUrl"]["description"] = "Where."


TEXT_SCHEMA = {"type": "string"}
LOGO = "`rooms.set_logo` (PUT /rooms/{roomName}/theme/logo)"
LIST = "`meetings.list` (GET /meetings)"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            move_cursor,
            [
                f"{LIST}: the query parameter `cursor` is gone",
                f"{LIST}: new query parameter `after` (string)",
            ],
        ),
        (
            drop_body_kind,
            [
                f"{LOGO}: no longer takes multipart/form-data",
                f"{LOGO}: takes image/png now (RoomSetLogoUpload)",
            ],
        ),
        (
            other_status,
            [
                "`meetings.create` (POST /meetings): no longer answers 201",
                "`meetings.create` (POST /meetings): can answer 200 now",
            ],
        ),
        (deprecate, [f"{LIST}: deprecated", "`Meeting`: field `startDate` is deprecated"]),
        (
            other_type,
            [
                "`Recording`: field `sizeInMegaBytes` is string, was number",
                "`MeetingPage`: field `results` is array of string, was array of Meeting",
            ],
        ),
        (other_style, [f"{LIST}: parameter `fields`: explode False → True"]),
        (
            other_info,
            [
                "the document: its title: Whereby REST API → Whereby API",
                "the document: its version: v1 → v1.1",
            ],
        ),
        (empty_answer, [f"{LIST}: the answer 200 is no longer application/json"]),
        (
            either_or,
            [
                "`insights.list_participants` (GET /insights/participants): of some parameters "
                "one is needed: none"
            ],
        ),
        (other_texts, [f"{LIST}: another text", "`Meeting`, field `roomUrl`: another text"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_differences(change: Callable[[Json], None], told: list[str]) -> None:
    """Tell every kind of change of a document."""
    new = patched()
    change(new)
    found = list(map(str, diff_documents(patched(), new)))
    assert set(told) <= set(found)


def test_no_differences() -> None:
    """Find nothing between a document and itself, and everything new in the first one."""
    assert diff_documents(patched(), patched()) == []
    first = [str(found) for found in diff_documents({}, patched())]
    assert f"{LIST}: new operation, 1 point: Get meetings" in first


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "format": "date-time"}, "string (date-time)"),
        ({"type": ["integer", "null"]}, "integer"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/A~1b"}}, "array of A/b"),
        ({"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True}, "A"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "number"}]}, "string or number"),
        ({"enum": ["a"]}, "enum"),
        ({}, "anything"),
        (None, "anything"),
    ],
)
def test_types_in_words(schema: Any, said: str) -> None:
    """Say a type in a word or two."""
    assert kind_of(schema) == said
