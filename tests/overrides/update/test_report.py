"""The report: what a maintainer reads, in the order in which it matters."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from overrides.engine import apply_overrides, change_list
from overrides.openapi.diff import DocumentChange
from overrides.update.api_diff import ApiChange
from overrides.update.report import Findings, make_report, renamed, spoken, suggestion
from tests.helpers.override_runs import operation, patched, published
from tests.overrides.openapi.test_document import tomorrow
from tests.overrides.spec.test_every_override import CASES

from ...helpers.update_runs import Json, section

CHANGE = DocumentChange("`meetings.get` (GET /meetings/{meetingId})", "another thing")
TEXT = DocumentChange("`Meeting`", "text: 'a' → 'b'", is_text=True)
LIMIT = DocumentChange("the document", "text: '1 point' → '2 points'", is_text=True, urgent=True)
TIGHTER = DocumentChange("`meetings.list` (GET /meetings)", "maximum: 100 → 50", breaking=True)
BREAKS = ApiChange("x", "method `whereby.x.y` is gone", True)
SLEEPING = "sleeping as before: 3 (misplaced_security, paths_without_slash, repeated_enum_values)"
ADDS = ApiChange("z", "new method `whereby.x.z`", False)


def entries(listed: list[Json]) -> dict[str, Json]:
    """Return the entries of a change list by override."""
    return {entry["override"]: entry for entry in listed}


def findings(**changes: Any) -> Findings:
    """Make the findings of an update that found nothing, but for the changes."""
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
        "today": "2026-01-01",
    }
    return Findings(**(known | changes))


@pytest.mark.parametrize(
    ("version", "changes", "api", "suggested"),
    [
        ("0.1.0", [], [], ("0.1.0", "nothing changed, nothing to release")),
        ("0.1.0", [TEXT], [], ("0.1.1", "patch step from 0.1.0: the Python API is the same")),
        ("0.1.0", [CHANGE], [ADDS], ("0.1.1", "patch step from 0.1.0: it adds to the API")),
        ("0.1.9", [], [ADDS, BREAKS], ("0.2.0", "minor step from 0.1.9: it breaks callers")),
        ("0.1.9", [TIGHTER], [], ("0.2.0", "minor step from 0.1.9: it breaks callers")),
        ("1.2.3", [TEXT], [], ("1.2.4", "patch step from 1.2.3: the Python API is the same")),
        ("1.2.3", [], [ADDS], ("1.3.0", "minor step from 1.2.3: it adds to the API")),
        ("1.2.3", [], [BREAKS], ("2.0.0", "major step from 1.2.3: it breaks callers")),
        ("1.2.3rc1", [], [BREAKS], ("2.0.0", "major step from 1.2.3rc1: it breaks callers")),
        ("1.2.3", [CHANGE], None, ("1.2.3", "not known, the update stopped")),
    ],
)
def test_suggested_version(
    version: str,
    changes: list[DocumentChange],
    api: list[ApiChange] | None,
    suggested: tuple[str, str],
) -> None:
    """Suggest the step that semantic versioning asks for."""
    assert suggestion(findings(version=version, changes=changes, api=api)) == suggested


def test_what_to_act_on_comes_first() -> None:
    """Begin with what is urgent and what breaks callers; count each change once."""
    document = published()
    next(case for case in CASES if case.name == "enum_trailing_comma").fix(document)
    report = make_report(
        findings(
            result=apply_overrides(document),
            published=document,
            changes=[TEXT, CHANGE, LIMIT, TIGHTER],
            api=[ADDS, BREAKS],
            notes=("A note.",),
        )
    )
    assert [part.title for part in report.sections] == [
        "Urgent",
        "Breaks callers",
        "What changed in the document",
        "Other texts",
        "New or changed in the Python API",
        "Overrides",
        "Notes",
        "Suggested version",
        "Suggested CHANGELOG entry",
    ]
    assert report.headline == (
        "https://example.org/openapi.json: 7 changes, 2 of them breaking, 1 urgent one"
    )
    assert section(report, "Breaks callers") == [str(TIGHTER), BREAKS.text]
    here, there = section(report, "What changed in the document")
    assert here == str(CHANGE)
    assert there.startswith(
        "POST /meetings: published, requestBody/content/application/json/schema"
    )
    assert "language/enum: gone: [" in there
    assert section(report, "Overrides") == [
        "`enum_trailing_comma`: sleeping; repaired by Whereby at POST /meetings",
        f"applied as before: {len(CASES) - 1}",
        SLEEPING,
    ]
    (entry,) = section(report, "Suggested CHANGELOG entry")
    assert entry == (
        "```markdown\n"
        "## 0.2.0 (2026-01-01)\n"
        "\n"
        "- Breaking: `meetings.list` (GET /meetings): maximum: 100 → 50.\n"
        "- Breaking: Method `whereby.x.y` is gone.\n"
        "- New method `whereby.x.z`.\n"
        "- The document: text: '1 point' → '2 points'.\n"
        "```"
    )


def test_a_quiet_report_fits_a_screen() -> None:
    """Sum up what is as before."""
    report = make_report(findings())
    assert report.headline == "https://example.org/openapi.json: nothing changed"
    assert [part.title for part in report.sections] == ["Overrides", "Suggested version"]
    assert section(report, "Overrides") == [f"applied as before: {len(CASES)}", SLEEPING]
    assert len(report.terminal().splitlines()) < 24


def test_a_stopped_update_says_what_it_did_not_look_at() -> None:
    """Claim nothing of what was never compared."""
    report = make_report(findings(changes=[CHANGE], api=None))
    assert report.headline.endswith(": 1 change; stopped, not everything was compared")
    assert section(report, "Not compared") == [
        "the Python API, its types and the contract test: the update stopped before them"
    ]
    assert section(report, "Suggested CHANGELOG entry") == []


def test_a_drift_shows_the_evidence() -> None:
    """Show what the override is about, and how that was known."""
    document = published()
    document["info"]["description"] = "Calls are free."
    report = make_report(findings(result=apply_overrides(document), published=document, api=None))
    first, second = section(report, "To do")
    assert first.startswith("check `overrides/spec/points_only_in_prose.py` (the points that an")
    assert "evidence: the document's description, Rate limiting; docs/api-facts.md" in first
    assert second.startswith("at /info/description: expected 'A read request consumes 1 point, a")


@pytest.mark.parametrize(("since", "suggested"), [("2024-12-31", True), ("2025-06-01", False)])
def test_a_long_sleep_is_a_suggestion(since: str, suggested: bool) -> None:
    """Suggest to consider deleting what has slept for a year, and only that."""
    document = published()
    next(case for case in CASES if case.name == "enum_trailing_comma").fix(document)
    result = apply_overrides(document)
    old = entries(change_list(result, entries(change_list(apply_overrides(published()))), since))
    assert old["enum_trailing_comma"]["since"] == since
    assert old["enum_trailing_comma"]["last_changed"][0].startswith("/paths/~1meetings/post")
    report = make_report(findings(result=result, published=document, old_change_list=old))
    lines = section(report, "To do")
    assert any("overrides/spec/enum_trailing_comma.py" in line for line in lines) is suggested
    assert section(report, "Overrides")[-1].startswith("sleeping as before: 4 (")


def test_a_place_that_is_gone_is_not_repaired() -> None:
    """Tell a defect that was repaired from one whose field does not exist any more."""
    document = published()
    schema = operation(document, "POST /meetings")["requestBody"]["content"]["application/json"]
    del schema["schema"]["properties"]["liveTranscription"]
    report = make_report(findings(result=apply_overrides(document), published=document))
    (line,) = [n for n in section(report, "Overrides") if "enum_trailing_comma" in n]
    assert line.startswith(
        "`enum_trailing_comma`: sleeping; its place is gone: POST /meetings, req"
    )


def test_markdown_and_terminal() -> None:
    """Write the same twice: as Markdown, and for a terminal of some width."""
    report = make_report(findings(changes=[CHANGE], api=[BREAKS]))
    markdown = report.markdown()
    assert markdown.startswith(
        "# https://example.org/openapi.json: 2 changes, 1 of them breaking\n"
    )
    assert "\n\n## Breaks callers\n\n- method `whereby.x.y` is gone\n\n" in markdown
    assert markdown.endswith("- Breaking: Method `whereby.x.y` is gone.\n```\n")
    plain = report.terminal(width=60)
    assert "\nBreaks callers\n  method whereby.x.y is gone\n" in plain
    assert "`" not in plain
    assert "\nSuggested CHANGELOG entry\n  ## 0.2.0 (2026-01-01)\n" in plain
    assert max(map(len, plain.splitlines()[1:])) <= 60


def test_where_overrides_do_more_and_less() -> None:
    """Report new places of a rule, and places that no longer need it."""
    old = published()
    new = published() | tomorrow()
    for listed in new["paths"]["/recordings"]["get"]["parameters"]:
        listed.setdefault("schema", {"type": "string"})
    report = make_report(
        findings(
            result=apply_overrides(new),
            published=new,
            old_change_list=entries(change_list(apply_overrides(old))),
        )
    )
    line = next(n for n in section(report, "Overrides") if n.startswith("`parameters_without_sch"))
    assert "; repaired by Whereby at GET /recordings" in line
    assert "; new at GET /polls, DELETE /polls/{pollId}, GET /polls/{pollId}" in line


@pytest.mark.parametrize(
    ("pointer", "words"),
    [
        ("/paths/~1meetings~1{meetingId}/get", "GET /meetings/{meetingId}"),
        ("/paths/~1meetings/post/requestBody/content", "POST /meetings, requestBody/content"),
        ("/components/schemas/Meeting/required", "schemas/Meeting, required"),
        ("/info/description", "/info/description"),
        ("", "the document"),
    ],
)
def test_pointers_in_words(pointer: str, words: str) -> None:
    """Write a place as a person says it."""
    assert spoken(pointer) == words


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
