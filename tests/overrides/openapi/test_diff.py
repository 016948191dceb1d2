"""The comparison of two documents: every change is reported, once, rightly called breaking."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from overrides.openapi.diff import diff_documents, kind_of
from tests.helpers.override_runs import Json, operation, patched
from tests.helpers.slow import mostly_slow

LIST = "`meetings.list` (GET /meetings)"


def test_no_differences() -> None:
    """Find nothing between a document and itself, and everything new in the first one."""
    assert diff_documents(patched(), patched()) == []
    first = [str(change) for change in diff_documents({}, patched())]
    assert f"{LIST}: new operation, 1 point: Get meetings" in first


def members(value: Any, pointer: str = "") -> list[str]:
    """Return the pointers of all members of all objects and arrays."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    pointers = []
    for key, member in pairs:
        token = str(key).replace("~", "~0").replace("/", "~1")
        pointers.append(f"{pointer}/{token}")
        if isinstance(member, dict | list):
            pointers += members(member, pointers[-1])
    return pointers


def holder_of(document: Json, pointer: str) -> tuple[Any, Any]:
    """Return what holds a member, and its key."""
    *above, last = [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]
    holder: Any = document
    for token in above:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token]
    return holder, int(last) if isinstance(holder, list) else last


POINTERS = [p for p in members(patched()) if not p.endswith("/tags") and "/tags/" not in p]


PARTS = 80


@pytest.mark.parametrize("part", mostly_slow(range(PARTS), *range(4)))
def test_nothing_is_overlooked(part: int) -> None:
    """Remove each member of the document, and put something else in its place: all is reported."""
    before, silent = patched(), []
    for pointer in POINTERS[part::PARTS]:
        document = patched()
        holder, key = holder_of(document, pointer)
        value = holder[key]
        del holder[key]
        if not diff_documents(before, document) and not _means_nothing(value, key):
            silent.append(f"- {pointer}")
        if isinstance(value, str):
            document = patched()
            holder, key = holder_of(document, pointer)
            holder[key] = f"{value}x"
            if not diff_documents(before, document):
                silent.append(f"~ {pointer}")
    assert silent == []
    assert before == patched()


def _means_nothing(value: Any, key: Any) -> bool:
    """Return whether leaving a member out says the same as having it."""
    return value in (False, None, [], {}) or (key == "description" and value == "")


def test_what_many_operations_share_is_reported_once() -> None:
    """Report a changed error body once, not for each of the operations that can respond with it."""
    document = patched()
    response = document["components"]["responses"]["ThrottleError"]
    response["description"] = "Slow down."
    (change,) = diff_documents(patched(), document)
    assert change.text == "text: new: 'Slow down.'" or " → 'Slow down.'" in change.text
    assert change.where.count(";") == 5
    assert change.where.endswith(" more")


REF = {"$ref": "#/components/schemas/Summary"}
SAME: list[Json] = [
    REF,
    {"allOf": [REF]},
    {"anyOf": [REF]},
]
SAME_AND_NULL: list[Json] = [
    {"allOf": [REF], "nullable": True},
    {"anyOf": [REF, {"type": "null"}]},
    {"oneOf": [{"type": "null"}, REF]},
]


def test_one_meaning_in_other_words_is_no_change() -> None:
    """Report no difference between the ways to refer to a schema, or to allow null beside it."""

    def with_extra(schema: Json) -> Json:
        document = patched()
        document["components"]["schemas"]["Meeting"]["properties"]["extra"] = schema
        return document

    for ways in (SAME, SAME_AND_NULL):
        for old, new in itertools.permutations(ways, 2):
            assert diff_documents(with_extra(old), with_extra(new)) == [], (old, new)
    for old, new in itertools.product(SAME, SAME_AND_NULL):
        (change,) = diff_documents(with_extra(old), with_extra(new))
        assert str(change) == "`Meeting`: field `extra` can be null now"
        assert change.breaking


def test_a_parameter_without_a_location() -> None:
    """Call it misplaced: this document is not valid, and its report is read all the same."""
    document = patched()
    parameter = operation(document, "GET /meetings")["parameters"][1]
    del parameter["in"]
    texts = [change.text for change in diff_documents(patched(), document)]
    assert "the query parameter `limit` is gone" in texts
    assert "new misplaced parameter `limit` (integer)" in texts


def test_long_texts_show_the_changed_words() -> None:
    """Show some words around, not the whole paragraph."""
    words = [f"word{n}" for n in range(200)]
    old, new = patched(), patched()
    operation(old, "GET /meetings")["description"] = " ".join(words)
    words[100] = "other"
    operation(new, "GET /meetings")["description"] = " ".join(words)
    (change,) = diff_documents(old, new)
    assert change.text.startswith("text: '… word94 word95")
    assert " word99 word100 word101 " in change.text
    assert " word99 other word101 " in change.text
    assert len(change.text) < 250


@pytest.mark.parametrize(
    ("schema", "words"),
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
def test_types_in_words(schema: Any, words: str) -> None:
    """Write a type in a word or two."""
    assert kind_of(schema) == words
