"""Each override: its defect is there, is patched, and its other three outcomes are reported."""

from __future__ import annotations

import contextlib

import pytest

from overrides.engine import Outcome, OverrideResult, apply_overrides, load_overrides
from tests.helpers.override_cases import Case
from tests.helpers.override_cases import meaning as cases_of_meaning
from tests.helpers.override_cases import names as cases_of_names
from tests.helpers.override_cases import shape as cases_of_shape
from tests.helpers.override_runs import Json, at, delete, published, result

CASES = cases_of_shape.CASES + cases_of_meaning.CASES + cases_of_names.CASES

SEEN_AT = {override.name: override.seen_at for override in load_overrides()}

HISTORIC = cases_of_shape.HISTORIC
ALL = [*CASES, *HISTORIC]

every_case = pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)


def report_of(name: str, document: Json | None = None) -> OverrideResult:
    """Return one override's report on a document, by default the published one."""
    overrides = load_overrides()
    names = [override.name for override in overrides]
    assert name in names, f"overrides/spec/{name}.py is gone"
    index = names.index(name)
    if document is None:
        return result().overrides[index]
    # those that run later change nothing of its report
    return apply_overrides(document, overrides[: index + 1]).overrides[index]


def test_every_override_has_a_case() -> None:
    """Have no override without the tests of this module."""
    assert sorted(case.name for case in ALL) == sorted(o.name for o in load_overrides())


@every_case
def test_the_published_document_has_the_defect(case: Case) -> None:
    """Show the defect where the override was written for it."""
    assert len(list(case.find(case.published()))) == case.occurrences, case.defect


@every_case
def test_the_patched_document_has_it_no_more(case: Case) -> None:
    """Show that nothing is left of it, and name the defect when something is."""
    document = case.published()
    document = (result() if document == published() else apply_overrides(document)).document
    assert list(case.find(document)) == [], case.defect


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_applied_is_reported_for_all_known_places(case: Case) -> None:
    """Report the changes at every place that SEEN_AT lists, and at no other."""
    report = report_of(case.name)
    assert report.outcome is Outcome.APPLIED
    assert report.affected == report.override.seen_at
    assert (report.repaired, report.gone, report.new) == ((), (), ())


@every_case
def test_repaired_by_whereby_is_sleeping(case: Case) -> None:
    """Report where it was repaired when no place has the defect any more."""
    document = case.published()
    case.fix(document)
    report = report_of(case.name, document)
    assert report.outcome is Outcome.SLEEPING, report.messages
    assert report.messages[0].startswith(f"{case.name}: sleeping, no place has the defect")
    assert [
        f"  repaired by Whereby at {pointer}" for pointer in report.repaired
    ] == report.messages[1:]
    assert report.changes == ()


@every_case
def test_something_else_in_its_place_is_drifted(case: Case) -> None:
    """Show the place, what was expected and what was found."""
    if not case.drifts_at:
        return
    document = case.published()
    case.drift(document)
    report = report_of(case.name, document)
    assert report.outcome is Outcome.DRIFTED, report.messages
    drift = next(drift for drift in report.drifts if drift.path == case.drifts_at)
    assert drift.expected
    assert drift.actual
    line = f"  at {case.drifts_at}: expected {drift.expected}, got {drift.actual}"
    assert line in report.messages


@every_case
def test_without_its_endpoints_it_is_absent(case: Case) -> None:
    """Say nothing of a defect when the document has none of its places."""
    document = published()
    for pointer in report_of(case.name).override.seen_at:
        with contextlib.suppress(KeyError):  # a part of one that is gone already
            delete(document, pointer)
    report = report_of(case.name, document)
    assert report.outcome is Outcome.ABSENT, report.messages
    assert report.gone == report.override.seen_at


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.fixed_one_by_one and len(SEEN_AT.get(case.name, ())) > 1],
    ids=lambda case: case.name,
)
def test_fixed_at_one_place_only_is_still_applied(case: Case) -> None:
    """Go on patching the other places, and report which one Whereby has repaired."""
    document, fixed = published(), published()
    case.fix(fixed)
    pointer = SEEN_AT[case.name][-1]
    above, _, last = pointer.rpartition("/")
    at(document, above)[last] = at(fixed, pointer)
    # what the fixed place refers to
    document["components"]["schemas"] = (
        fixed["components"]["schemas"] | document["components"]["schemas"]
    )
    report = report_of(case.name, document)
    assert report.outcome is Outcome.APPLIED, report.messages
    assert report.repaired == (pointer,)
    assert f"  repaired by Whereby at {pointer}" in report.messages
