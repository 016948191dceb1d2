"""The engine: finding, ordering, applying, judging, telling."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from overrides import spec
from overrides.engine import (
    Outcome,
    Override,
    OverrideResult,
    apply_overrides,
    change_list,
    in_order,
    load_overrides,
    messages,
)
from overrides.openapi.pointers import MISSING
from overrides.patch import Patch
from tests.helpers.json_patch import json_patch
from tests.helpers.override_runs import Json, at, published, result


def make_override(
    name: str,
    apply: Callable[[Patch], None] = lambda patch: None,
    *,
    after: tuple[str, ...] = (),
    seen_at: tuple[str, ...] = (),
) -> Override:
    """Make an override without a module."""
    return Override(name, f"the defect of {name}", "a test", seen_at, after, apply)


def names(overrides: list[Override]) -> list[str]:
    """Return the names in their order."""
    return [override.name for override in in_order(overrides)]


def test_overrides_run_after_those_they_name() -> None:
    """Order by AFTER, and by name where AFTER says nothing."""
    overrides = [
        make_override("a", after=("c",)),
        make_override("b"),
        make_override("c"),
        make_override("d", after=("b",)),
    ]
    assert names(overrides) == ["b", "c", "a", "d"]
    assert names(overrides[::-1]) == ["b", "c", "a", "d"]


def test_a_star_means_after_all_that_have_none() -> None:
    """Run the naming last, whatever else is written one day."""
    overrides = [
        make_override("a", after=("*", "b")),
        make_override("b", after=("*",)),
        make_override("z"),
    ]
    assert names(overrides) == ["z", "b", "a"]


def test_names_of_deleted_overrides_do_not_matter() -> None:
    """Let a maintainer delete a module without touching the others."""
    assert names([make_override("b", after=("retired",)), make_override("a")]) == ["a", "b"]


def test_names_come_last_of_all() -> None:
    """Have the two naming overrides behind everything that makes or changes a schema."""
    assert [override.name for override in load_overrides()][-2:] == [
        "enums_without_names",
        "objects_without_names",
    ]


def test_a_new_module_is_found_without_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put a module into the folder, and it runs."""
    lines = ["DEFECT = 'd'", "EVIDENCE = 'e'", "SEEN_AT = ('/info',)", "def apply(patch): pass"]
    (tmp_path / "zz_found.py").write_text("\n".join(lines))
    (tmp_path / "_helper.py").write_text("")
    monkeypatch.setattr(spec, "__path__", [*spec.__path__, str(tmp_path)])
    loaded = load_overrides()
    assert "zz_found" in [override.name for override in loaded]
    report = apply_overrides(published(), loaded).overrides[-3]
    assert (report.name, report.outcome) == ("zz_found", Outcome.SLEEPING)


def test_a_module_that_lacks_a_part_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name the file and what it does not define."""
    (tmp_path / "zz_half.py").write_text("DEFECT = 'd'")
    monkeypatch.setattr(spec, "__path__", [str(tmp_path)])
    with pytest.raises(TypeError, match=r"spec/zz_half\.py does not define EVIDENCE"):
        load_overrides()


def test_every_module_says_why_it_is_there() -> None:
    """Have a defect, evidence and known places in each, and a docstring that explains."""
    for override in load_overrides():
        assert override.defect, override.name
        assert override.evidence, override.name
        assert override.seen_at, override.name
        assert (override.apply.__doc__ or "").endswith(".")


def test_the_input_stays_as_it_was() -> None:
    """Work on a copy."""
    document = published()
    apply_overrides(document)
    assert document == published()


def test_the_same_document_gives_the_same_bytes() -> None:
    """Have a change list and a document that can be committed and compared."""
    again = apply_overrides(published())
    assert json.dumps(again.document) == json.dumps(result().document)
    assert json.dumps(change_list(again)) == json.dumps(change_list(result()))


def test_a_patched_document_needs_no_override() -> None:
    """Find nothing to do in a patched document: everything sleeps."""
    again = apply_overrides(result().document)
    assert {report.outcome for report in again.overrides} == {Outcome.SLEEPING}
    assert again.document == result().document


def test_a_rule_that_fails_is_named() -> None:
    """Make no traceback of what a rule did not foresee."""

    def fail(patch: Patch) -> None:
        patch.document["nowhere"]["at all"] = 1

    (report,) = apply_overrides({"info": {}}, [make_override("failing", fail)]).overrides
    assert report.outcome is Outcome.DRIFTED
    assert report.messages == [
        "failing: drifted, check overrides/spec/failing.py against the document: "
        "the defect of failing (evidence: a test)",
        "  at the document: expected a document that the rule can read, got KeyError: 'nowhere'",
    ]


def test_drift_outweighs_what_was_changed() -> None:
    """Stop even when most of the places were patched."""

    def half(patch: Patch) -> None:
        patch.add("/a", 1)
        patch.drifted("/b", expected="a 1", actual=2)

    (report,) = apply_overrides({"b": 2}, [make_override("half", half)]).overrides
    assert report.outcome is Outcome.DRIFTED
    assert report.changes[0].path == "/a"


def test_new_places_are_listed_apart_from_known_ones() -> None:
    """Tell a maintainer what a rule has changed that nobody had seen before."""

    def mark(patch: Patch) -> None:
        for name in ("known", "new", "known2"):
            patch.add(f"/{name}/x", 1)

    document: Json = {"known": {}, "new": {}, "known2": {}, "repaired": {}}
    override = make_override("mark", mark, seen_at=("/known", "/repaired", "/missing"))
    (report,) = apply_overrides(document, [override]).overrides
    assert report.affected == ("/known",)
    assert report.repaired == ("/repaired",)
    assert report.gone == ("/missing",)
    assert report.new == ("/new/x", "/known2/x")
    assert report.messages == [
        "mark: applied, 3 changes",
        "  repaired by Whereby at /repaired",
        "  not in this document: /missing",
        "  also applied at /new/x",
        "  also applied at /known2/x",
    ]


def test_the_change_list_keeps_the_old_values() -> None:
    """Record path, operation, old and new value, in plain JSON."""
    entries = json.loads(json.dumps(change_list(result())))
    assert [entry["override"] for entry in entries] == [
        override.name for override in load_overrides()
    ]
    (entry,) = [entry for entry in entries if entry["override"] == "required_names_unknown"]
    assert entry["outcome"] == "applied"
    assert entry["defect"] == "`required` names what is no property"
    (details,) = [change for change in entry["changes"] if "participant" in change["path"]]
    assert details["op"] == "replace"
    assert details["old"] == [*details["value"], "events"]


# they change what another override has added: their places are not in the published document
AFTER_OTHERS = {
    "null_in_practice",
    "null_only_in_text",
    "objects_without_names",
    "sort_orders_only_in_example",
    "undocumented_fields",
}


@pytest.mark.parametrize("report", result().overrides, ids=lambda report: report.name)
def test_a_changed_place_can_be_found_in_the_published_document(report: OverrideResult) -> None:
    """Point at what was published: the place itself, or what something was added to."""
    document = published()
    for change in report.changes:
        above = (change.extracted_from or change.path).rpartition("/")[0]
        if report.name not in AFTER_OTHERS:
            assert isinstance(at(document, above), dict | list)


def test_the_report_begins_with_what_needs_a_person() -> None:
    """List drifted ones first, then sleeping, then absent, then applied."""

    def change(patch: Patch) -> None:
        patch.add("/x", 1)

    def drift(patch: Patch) -> None:
        patch.drifted("/", expected="a", actual="b")

    overrides = [
        make_override("applied", change),
        make_override("absent", seen_at=("/nowhere",)),
        make_override("drifted", drift),
        make_override("sleeping", seen_at=("/info",)),
    ]
    lines = messages(apply_overrides({"info": {}}, overrides))
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == [
        "drifted",
        "sleeping",
        "absent",
        "applied",
    ]


def test_long_findings_are_cut_in_the_middle() -> None:
    """Keep a report readable when a whole schema stands in the wrong place."""

    def drift(patch: Patch) -> None:
        patch.drifted("/x", expected="a word", actual="begin" + "." * 5000 + "end")

    (report,) = apply_overrides({}, [make_override("long", drift)]).overrides
    assert len(report.drifts[0].actual) <= 200
    assert report.drifts[0].actual.startswith("begin")
    assert report.drifts[0].actual.endswith("end")


def test_a_patch_changes_and_records() -> None:
    """Replace, add and remove in objects and arrays."""
    patch = Patch({"a": {"b/c": [1, 2]}})
    patch.replace("/a/b~1c/0", 5)
    patch.add("/a/d", {"e": 1})
    patch.remove("/a/b~1c/1")
    patch.put("/a/d", {})
    patch.put("/a/d", {})  # the same again is no change
    assert patch.document == {"a": {"b/c": [5], "d": {}}}
    changes = [(change.op, change.path, change.old, change.value) for change in patch.changes]
    assert changes == [
        ("replace", "/a/b~1c/0", 1, 5),
        ("add", "/a/d", MISSING, {"e": 1}),
        ("remove", "/a/b~1c/1", 2, MISSING),
        ("replace", "/a/d", {"e": 1}, {}),
    ]


def test_a_patch_records_copies() -> None:
    """Keep the change list true when a later override changes the same value."""
    patch = Patch({"a": {"b": 1}})
    new = {"c": 1}
    patch.replace("/a", new)
    new["c"] = 2
    patch.document["a"]["c"] = 3
    assert (patch.changes[0].old, patch.changes[0].value) == ({"b": 1}, {"c": 1})


@pytest.mark.parametrize(
    "wrong",
    [
        lambda patch: patch.replace("/b", 1),
        lambda patch: patch.remove("/b"),
        lambda patch: patch.add("/a", 1),
        lambda patch: patch.add("/a/b", 1),
        lambda patch: patch.add("/x/y/z", 1),
    ],
)
def test_a_patch_refuses_what_cannot_be_meant(wrong: Callable[[Patch], None]) -> None:
    """Replace and remove only what is there, add only what is not."""
    patch = Patch({"a": 1})
    with pytest.raises(LookupError):
        wrong(patch)
    assert patch.document == {"a": 1}
    assert patch.changes == []


@pytest.mark.parametrize(
    ("version", "schema", "expected"),
    [
        ("3.0.0", {"type": "string"}, {"type": "string", "nullable": True}),
        ("3.1.0", {"type": "string"}, {"type": ["string", "null"]}),
        (
            "3.0.0",
            {"type": "string", "enum": ["a"]},
            {"type": "string", "enum": ["a", None], "nullable": True},
        ),
        (
            "3.1.0",
            {"type": "string", "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ("3.0.0", {"$ref": "#/x"}, {"allOf": [{"$ref": "#/x"}], "nullable": True}),
        ("3.1.0", {"$ref": "#/x"}, {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]}),
        ("3.0.0", {"allOf": [{"$ref": "#/x"}]}, {"allOf": [{"$ref": "#/x"}], "nullable": True}),
        (
            "3.1.0",
            {"allOf": [{"$ref": "#/x"}]},
            {"anyOf": [{"allOf": [{"$ref": "#/x"}]}, {"type": "null"}]},
        ),
    ],
)
def test_null_is_written_as_the_version_writes_it(
    version: str, schema: Json, expected: Json
) -> None:
    """Say null in the way of OpenAPI 3.0, and of 3.1."""
    patch = Patch({"openapi": version, "schema": copy.deepcopy(schema)})
    patch.allow_null("/schema")
    assert patch.document["schema"] == expected


def test_the_change_list_is_a_json_patch() -> None:
    """Turn the published document into the patched one with nothing but RFC 6902."""
    document = published()
    for entry in change_list(result()):
        document = json_patch(document, entry.get("changes", []))
    assert document == result().document


def test_true_is_not_one() -> None:
    """Tell values apart that are equal to Python only."""
    patch = Patch({"a": 1})
    patch.replace("/a", True)
    assert [change.value for change in patch.changes] == [True]
