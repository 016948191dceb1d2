"""Documents one after the other: each change is in the report, rightly called breaking."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from overrides.engine import apply_overrides
from overrides.errors import OverridesError
from overrides.generate import build
from overrides.openapi.fetch import read
from overrides.paths import (
    CHANGE_LIST,
    CHANGELOG,
    DOCUMENT,
    GENERATED,
    PATCHED,
    REVISIONS,
    VERSION,
    files,
    read_change_list,
)
from overrides.update.report import Report
from overrides.update.revisions import read_revisions
from overrides.update.update import UpdateError, update
from tests.helpers.override_runs import Json, parameter, published
from tests.helpers.planted_changes import PLANTED, Planted
from tests.helpers.slow import mostly_slow
from tests.overrides.spec.test_every_override import CASES

from ...helpers.update_runs import section, state, take, unverified

DAY = "2026-02-03"
QUICK = [
    planted
    for planted in PLANTED
    if planted.name in ("new operation", "tighter maximum", "a contact")
]


def take_in(document: Json, root: Path, **options: object) -> Report:
    """Update a repository with a document; look at types and wire elsewhere."""
    return take(document, root, today=DAY, verify=unverified, **options)


def mistakes(planted: Planted, report: Report) -> list[str]:
    """Return what the report of a planted change lacks, or calls by the wrong name."""
    lines = "\n".join(line for part in report.sections for line in part.lines)
    wrong = [f"{planted.name}: not in the report: {w!r}" for w in planted.words if w not in lines]
    breaking = bool(section(report, "Breaks callers"))
    if breaking != planted.breaking:
        wrong.append(f"{planted.name}: breaking={breaking}: {section(report, 'Breaks callers')}")
    urgent = bool(section(report, "Urgent"))
    if planted.urgent and not planted.breaking and not urgent:
        wrong.append(f"{planted.name}: not urgent")
    if urgent and not planted.urgent:
        wrong.append(f"{planted.name}: urgent: {section(report, 'Urgent')}")
    return wrong


@pytest.mark.parametrize("planted", mostly_slow(PLANTED, *QUICK), ids=lambda planted: planted.name)
def test_every_planted_change_is_reported(root: Path, planted: Planted) -> None:
    """Find the change in the report, in the right section, and nothing else that breaks."""
    document = published()
    planted.make(document)
    before = state(root)
    if planted.stops:
        with pytest.raises(UpdateError) as stopped:
            take_in(document, root)
        assert mistakes(planted, stopped.value.report) == []
        assert section(stopped.value.report, "Not compared")
        assert state(root) == before
    else:
        assert mistakes(planted, take_in(document, root)) == []


# they change what another one of the table changes: not twice in one history
AGAIN = {"field renamed", "wider maximum", "enum value added", "security of an operation"}
HISTORY = [planted for planted in PLANTED if planted.name not in AGAIN]


@pytest.mark.slow
def test_a_long_history(root: Path, tmp_path: Path) -> None:
    """Grow, shrink, tighten, flip defects and go back, for 60 steps; the end is as if alone."""
    document = published()
    revisions = [copy.deepcopy(document)]
    wrong: list[str] = []
    steps = 0
    for number, planted in enumerate(HISTORY):
        changed = copy.deepcopy(document)
        planted.make(changed)
        steps += 1
        if planted.stops:
            with pytest.raises(UpdateError) as stopped:
                take_in(changed, root)
            wrong += mistakes(planted, stopped.value.report)
            continue
        wrong += mistakes(planted, take_in(changed, root))
        document = changed
        revisions.append(copy.deepcopy(document))
        if number % 8 == 7:  # an older document comes back, and goes again
            with pytest.raises(OverridesError, match=r"this is the document of 2026-02-03 again"):
                take_in(revisions[number // 2], root)
            report = take_in(revisions[number // 2], root, anyway=True)
            assert section(report, "An earlier document")
            take_in(document, root, anyway=True)
            steps += 2
    for case in [c for c in CASES if c.name in ("enum_trailing_comma", "null_in_type_list")] * 2:
        repaired = copy.deepcopy(document)
        case.fix(repaired)
        report = take_in(repaired, root, anyway=True)
        lines = section(report, "Overrides")
        assert any(f"`{case.name}`: sleeping; repaired" in line for line in lines), lines
        entry = read_change_list(root / CHANGE_LIST)[case.name]
        assert (entry["outcome"], entry["since"]) == ("sleeping", DAY)
        assert entry["last_changed"]
        assert section(report, "To do") == []
        report = take_in(document, root, anyway=True)
        assert f"`{case.name}`: applied; new at" in "\n".join(section(report, "Overrides"))
        steps += 2
    assert wrong == []
    assert steps >= 40
    entries = read_change_list(root / CHANGE_LIST)
    assert {case.name for case in CASES} <= set(entries)
    # the last client is that of the last document alone
    alone = read(root / DOCUMENT)
    build(alone, apply_overrides(alone.document), tmp_path)
    assert files(tmp_path, [GENERATED, PATCHED]) == files(root, [GENERATED, PATCHED])


def test_an_earlier_document_again(root: Path) -> None:
    """Say of what day it is, refuse it, take it in when that is meant, and keep account."""
    first, second = published(), published()
    second["info"]["version"] = "v1.1"
    before = read_revisions(root)
    take_in(first, root)  # the same document, other bytes
    take_in(second, root)
    now = state(root)
    with pytest.raises(UpdateError, match=r"this is the document of 2026-02-03 again \(SHA-256 "):
        take_in(first, root)
    assert state(root) == now
    report = take_in(first, root, anyway=True)
    assert report.sections[0].title == "An earlier document"
    (line,) = report.sections[0].lines
    assert line.startswith("This is the document of 2026-02-03 again: Whereby went back to it, or ")
    assert "2026-02-03 again" in report.markdown().split("##")[1]
    revisions = read_revisions(root)
    assert [planted.date for planted in revisions[len(before) :]] == [DAY] * 3
    assert revisions[-1].sha256 == revisions[-3].sha256
    assert (root / REVISIONS).read_text().splitlines()[-1].split("\t")[2] == DAY


def test_nothing_new_changes_nothing(root: Path) -> None:
    """Touch no file when the document is the one that is there."""
    before = state(root)
    report = update(str(root / DOCUMENT), root)
    assert report.headline == "whereby.json: nothing changed"
    assert state(root) == before


def test_one_operation_does_not_block_the_rest(root: Path) -> None:
    """Leave out what cannot be expressed: the message offers it, the change list records it."""
    document = published()
    cookie = {"name": "session", "in": "cookie", "schema": {"type": "string"}}
    responses = {"204": {"description": ""}}
    document["paths"]["/things"] = {
        "get": {"summary": "List things", "responses": responses},
        "post": {"summary": "Create thing", "parameters": [cookie], "responses": responses},
    }
    before = state(root)
    with pytest.raises(UpdateError) as stopped:
        take_in(document, root)
    message = str(stopped.value)
    assert message.endswith("To take in the rest, run it again with --without 'POST /things'")
    assert state(root) == before
    with pytest.raises(OverridesError, match=r"--without, --with: must be one of .*; got 'GET /x'"):
        take_in(document, root, without=["GET /x"])
    take_in(document, root, without=["POST /things"])
    entry = read_change_list(root / CHANGE_LIST)["left_out"]
    (change,) = entry["changes"]
    assert (change["op"], change["path"]) == ("remove", "/paths/~1things/post")
    # it stays left out, until it is wanted
    document["info"]["version"] = "v1.1"
    take_in(document, root)
    assert "left_out" in read_change_list(root / CHANGE_LIST)
    document["paths"]["/things"]["post"]["parameters"] = []
    take_in(document, root, again=["POST /things"])
    assert "left_out" not in read_change_list(root / CHANGE_LIST)
    assert "things" in (root / GENERATED / "resources/things.py").read_text()


def test_a_release(root: Path) -> None:
    """Set the version, write the CHANGELOG entry, and release nothing twice."""
    (root / CHANGELOG).write_text("# Changelog\n\n## 0.1.0 (2025-01-01)\n\n- First.\n")
    document = published()
    parameter(document, "GET /meetings", "limit")["schema"]["maximum"] = 50
    version = (root / VERSION).read_text()
    try:
        take_in(document, root, release=True)
        assert (root / VERSION).read_text() == version.replace("0.1.0", "0.2.0")
        entry, old = (root / CHANGELOG).read_text().split("## 0.1.0")
        assert entry.startswith(f"# Changelog\n\n## 0.2.0 ({DAY})\n\n- Breaking: `meetings.list` ")
        assert entry.endswith("maximum: 100 → 50.\n\n")
        assert old == " (2025-01-01)\n\n- First.\n"
        before = files(root, [VERSION, CHANGELOG])
        take_in(document, root, release=True)
        assert files(root, [VERSION, CHANGELOG]) == before
    finally:
        (root / VERSION).write_text(version)
