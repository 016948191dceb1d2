"""Documents that Whereby may publish one day, and some that nobody should."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from overrides.engine import Outcome, apply_overrides, change_list, load_overrides, messages
from tests.helpers.override_cases.shape import HISTORIC
from tests.helpers.override_runs import (
    Json,
    class_names,
    deref,
    generator_errors,
    operation,
    operations,
    parameter,
    parse,
    published,
    response_schema,
    result,
)
from tests.helpers.slow import mostly_slow

OVERRIDES = load_overrides()
HISTORIC_NAMES = {case.name for case in HISTORIC}


def sound(document: Json) -> Json:
    """Patch a document; check that nothing stops, all is valid and the generator is content."""
    done = apply_overrides(document, OVERRIDES)
    assert done.with_outcome(Outcome.DRIFTED) == [], messages(done)
    validate(done.document)
    data = parse(done.document)
    assert generator_errors(data) == []
    assert class_names(data) <= set(done.document["components"]["schemas"])
    return done.document


def test_the_published_document_comes_out_sound() -> None:
    """Pass the validator and the generator, with every override applied."""
    sound(published())
    outcomes = {override.name: override.outcome for override in result().overrides}
    historic = {case.name: Outcome.SLEEPING for case in HISTORIC}
    assert outcomes == dict.fromkeys(outcomes, Outcome.APPLIED) | historic


CALLS = [f"{m.upper()} {p}" for p, m, _ in operations(published())]


@pytest.mark.parametrize("call", mostly_slow(CALLS, *CALLS[::9]))
def test_any_operation_may_disappear(call: str) -> None:
    """Stay quiet about an endpoint that is not there; change no other name."""
    document = published()
    method, path = call.split()
    del document["paths"][path][method.lower()]
    patched = sound(document)
    for other, verb, data in operations(patched):
        assert data["operationId"] == result().document["paths"][other][verb]["operationId"]
    known = result().document["components"]["schemas"]
    assert set(patched["components"]["schemas"]) <= set(known)


@pytest.mark.parametrize("tag", sorted({path.split("/")[1] for path in published()["paths"]}))
def test_a_whole_tag_may_disappear(tag: str) -> None:
    """Work with the older, smaller documents."""
    document = published()
    for path in list(document["paths"]):
        if path.split("/")[1] == tag:
            del document["paths"][path]
    sound(document)


def test_a_document_of_one_operation() -> None:
    """Report what it has not as absent, and patch what it has."""
    document = published()
    document["paths"] = {"/meetings": {"get": document["paths"]["/meetings"]["get"]}}
    document["components"]["schemas"] = {
        name: document["components"]["schemas"][name] for name in ("Meeting", "Fields")
    }
    done = apply_overrides(document, OVERRIDES)
    absent = {report.name for report in done.overrides if report.outcome is Outcome.ABSENT}
    assert {"enum_trailing_comma", "either_or_parameters", "undocumented_fields"} <= absent
    sound(document)


def shuffled(value: Any, order: random.Random) -> Any:
    """Return the same document with the members of every object in another order."""
    if isinstance(value, dict):
        names = list(value)
        order.shuffle(names)
        return {name: shuffled(value[name], order) for name in names}
    if isinstance(value, list):
        return [shuffled(member, order) for member in value]
    return value


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_keys_does_not_matter(seed: int) -> None:
    """Give the same names and the same changes."""
    document = shuffled(published() | tomorrow(), random.Random(seed))
    done = apply_overrides(document, OVERRIDES)
    assert done.document == apply_overrides(published() | tomorrow(), OVERRIDES).document


def test_openapi_31_is_written_as_31() -> None:
    """Leave type lists alone, and say null with them; nothing stops because of it."""
    document = published() | {"openapi": "3.1.0"}
    patched = sound(document)
    schemas = patched["components"]["schemas"]
    assert "nullable" not in json.dumps(patched)
    assert schemas["MeetingPage"]["properties"]["cursor"]["type"] == ["string", "null"]
    assert schemas["RoomInsights"]["properties"]["rating"]["type"] == ["number", "null"]
    assert schemas["MeetingRecording"]["properties"]["destination"]["anyOf"] == [
        {"$ref": "#/components/schemas/MeetingRecordingDestination"},
        {"type": "null"},
    ]
    reports = {report.name: report.outcome for report in apply_overrides(document).overrides}
    assert reports.pop("null_in_type_list") is Outcome.ABSENT
    sleeping = {name for name, outcome in reports.items() if outcome is Outcome.SLEEPING}
    assert sleeping == HISTORIC_NAMES
    assert set(reports.values()) == {Outcome.APPLIED, Outcome.SLEEPING}


def tomorrow() -> Json:
    """Return the paths of tomorrow: the published ones, and an endpoint with all old diseases."""
    poll = {
        "type": "object",
        "required": ["pollId", "createdAt", "leftAt", "nothing"],
        "properties": {
            "pollId": {"type": "string"},
            "createdAt": {"type": "string", "example": "2025-01-01T00:00:00.000Z"},
            "leftAt": {"type": "string", "description": "The date the last voter left."},
            "state": {"type": "string", "enum": ["open,", "closed,"], "description": "Its state."},
            "stars": {"type": ["number", "null"]},
            "streamKey": {"type": "string"},
            "choices": {
                "type": "array",
                "items": {"type": "object", "properties": {"label": {"type": "string"}}},
            },
        },
    }
    filters = {"type": "object", "properties": {"exact": {"type": "string"}}}
    page = {
        "type": "object",
        "properties": {"results": {"type": "array", "items": poll}},
        "cursor": {"type": "string", "description": "The value is `null` on the last page."},
    }
    request = {
        "type": "object",
        "required": ["question"],
        "properties": {
            "question": {"type": "string", "pattern": "[a-z]{1,9}", "example": "Who?"},
            "state": {"type": "string", "enum": ["draft", "open"]},
            "settings": {"type": "object", "description": "Or set to null.", "properties": {}},
        },
    }

    def response(schema: Json) -> Json:
        return {"description": "", "content": {"application/json": {"schema": schema}}}

    throttled = {"429": {"$ref": "#/components/responses/ThrottleError"}}
    paths = published()["paths"]
    paths["/polls"] = {
        "get": {
            "summary": "Get polls",
            "parameters": [
                {"name": "roomName", "in": "query", "schema": filters},
                {"name": "cursor", "in": "query"},
                {"name": "one", "in": "query", "description": "Either one or other is required"},
                {"name": "other", "in": "query", "required": True},
                {"$ref": "#/components/parameters/meetingId"},
            ],
            "responses": {"200": response(page), **throttled},
        },
        "post": {
            "summary": "Create poll",
            "requestBody": {"content": {"application/json": {"schema": request}}},
            "responses": {"201": response({"pollId": {"type": "string"}}), **throttled},
        },
    }
    paths["/polls/{pollId}"] = {
        "get": {
            "summary": "Get poll",
            "parameters": [{"name": "pollId", "in": "path", "required": True}],
            "responses": {"200": response(copy.deepcopy(poll)), **throttled},
        },
        "delete": {
            "summary": "Delete poll",
            "parameters": [{"name": "pollId", "in": "path", "required": True}],
            "responses": {"204": {"description": "Gone."}, **throttled},
        },
    }
    return {"paths": paths}


def test_an_endpoint_of_tomorrow_is_named_typed_and_priced() -> None:
    """Patch all old defects at a new place, with no line written for it."""
    document = sound(published() | tomorrow())
    schemas = document["components"]["schemas"]
    calls = ("GET /polls", "POST /polls", "GET /polls/{pollId}", "DELETE /polls/{pollId}")
    new = [operation(document, call) for call in calls]
    names = [data["operationId"] for data in new]
    assert names == ["polls.list", "polls.create", "polls.get", "polls.delete"]
    assert [data["tags"] for data in new] == [["polls"]] * 4
    assert [data["x-points"] for data in new] == [1, 3, 1, 2]
    assert all(data["security"] == [{"BearerAuth": []}] for data in new)
    assert new[0]["x-either-of"] == [["one", "other"]]
    assert new[1]["requestBody"]["required"] is True

    assert len(new[0]["parameters"]) == 4  # meetingId is not in the path
    assert parameter(document, "GET /polls", "cursor")["schema"] == {"type": "string"}
    filtered = parameter(document, "GET /polls", "roomName")
    assert (filtered["style"], filtered["explode"]) == ("deepObject", True)
    assert filtered["schema"]["$ref"].endswith("/PollRoomNameFilter")
    assert schemas["PollRoomNameFilter"]["properties"]["exact"]["x-room-name"] is True

    added = set(schemas) - set(result().document["components"]["schemas"])
    assert added == {
        "CreatedPoll",
        "Poll",
        "PollChoice",
        "PollCreateRequest",
        "PollCreateRequestState",  # the request's states are others than the response's
        "PollPage",
        "PollRoomNameFilter",
        "PollSettings",
        "PollState",
    }
    assert response_schema(document, "GET /polls")["$ref"].endswith("/PollPage")
    assert response_schema(document, "GET /polls/{pollId}")["$ref"].endswith("/Poll")
    page = deref(document, response_schema(document, "GET /polls"))
    assert page["properties"]["cursor"]["nullable"] is True
    assert page["required"] == ["results", "cursor"]
    poll = schemas["Poll"]
    assert poll["required"] == ["pollId", "createdAt"]
    assert poll["properties"]["createdAt"]["format"] == "date-time"
    assert poll["properties"]["leftAt"]["nullable"] is True
    assert poll["properties"]["stars"] == {"type": "number", "nullable": True}
    assert poll["properties"]["streamKey"]["x-secret"] is True
    assert schemas["PollState"]["enum"] == ["open", "closed"]
    assert "pattern" not in schemas["PollCreateRequest"]["properties"]["question"]
    settings = schemas["PollCreateRequest"]["properties"]["settings"]
    assert settings["nullable"] is True
    assert schemas["CreatedPoll"]["required"] == ["pollId"]


def test_an_endpoint_of_tomorrow_is_reported_to_the_maintainer() -> None:
    """List the new places by override, and rename nothing that was there."""
    done = apply_overrides(published() | tomorrow(), OVERRIDES)
    lines = messages(done)
    pointer = "/paths/~1polls/get/responses/200/content/application~1json/schema/properties/cursor"
    assert f"  also applied at {pointer}" in lines
    extended = {report.name for report in done.overrides if report.new}
    general = {"null_only_in_text", "objects_without_names", "parameters_without_schema"}
    general |= {"operations_without_names", "points_only_in_prose", "unwrapped_properties"}
    general |= {"security_never_applied", "secrets_unmarked", "misplaced_properties"}
    assert general <= extended
    assert extended.isdisjoint({"undocumented_fields", "fields_only_in_text"} | HISTORIC_NAMES)
    known = result().document["components"]["schemas"]
    assert all(done.document["components"]["schemas"][name] == known[name] for name in known)


ODD: tuple[Any, ...] = (
    None,
    7,
    True,
    "x",
    [],
    {},
    ["a"],
    [None],
    {"a": 1},
    {"type": ["a", "b"]},
    {"enum": []},
    {"$ref": "#/paths"},
    {"$ref": "#/components/schemas/Nowhere"},
)


def members(value: Any) -> Iterator[tuple[Any, Any]]:
    """Go through every member of every object and array: its holder and its key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from members(value[key])


@pytest.mark.parametrize("seed", mostly_slow(range(120), *range(20)))
def test_an_odd_document_makes_no_traceback(seed: int) -> None:
    """Delete and replace members at random: every rule passes over what it cannot read."""
    chance = random.Random(seed)
    document = published()
    for _ in range(chance.choice((1, 1, 2, 5))):
        holder, key = chance.choice(list(members(document)))
        if chance.random() < 0.4:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(ODD))
    done = apply_overrides(document, OVERRIDES)
    json.dumps(change_list(done))
    assert messages(done)
    for report in done.overrides:
        for drift in report.drifts:
            # the net that catches what a rule did not foresee, told by its own name
            assert drift.path or "no object or array" in drift.actual, report.messages


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"paths": None},
        {"paths": []},
        {"paths": {"/x": None, "/y": [], "/z": {"get": None, "post": []}}},
        {"openapi": 3, "info": [], "components": [], "paths": {"/x": {"get": {}}}},
        {"components": {"schemas": [], "parameters": 7, "responses": "x"}},
    ],
)
def test_a_document_of_nothing_makes_no_traceback(document: Json) -> None:
    """Take whatever parses as JSON."""
    done = apply_overrides(document, OVERRIDES)
    assert len(done.overrides) == len(OVERRIDES)
    json.dumps(change_list(done))
