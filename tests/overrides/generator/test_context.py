"""The template context: which models callers make, which the API sends, what stands for an id."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from overrides.generator.context import Model, TemplateContext, build
from overrides.generator.methods import Method
from overrides.generator.render import render
from tests.helpers.override_runs import Json, parse, patched
from whereby_api_client import UNSET


def context(document: Json) -> TemplateContext:
    """Build the context of a patched document."""
    return build(document, parse(document))


def model(found: TemplateContext, name: str) -> Model:
    """Return a model by its class."""
    return next(one for one in found.models if one.class_name == name)


def method(found: TemplateContext, name: str) -> Method:
    """Return a method by its operation."""
    methods = [one for resource in found.resources for one in resource.methods]
    return next(one for one in methods if one.operation == name)


def with_recording_in_response() -> Json:
    """Return a document whose meetings tell how they are recorded."""
    document = patched()
    ref = {"allOf": [{"$ref": "#/components/schemas/MeetingRecording"}]}
    document["components"]["schemas"]["Meeting"]["properties"]["recording"] = ref
    return document


def test_requests_and_responses() -> None:
    """A model is made by callers, sent by the API, or both; it follows from where it is used."""
    found = context(patched())
    roles = {one.class_name: (one.is_request, one.is_response) for one in found.models}
    assert roles["MeetingRecording"] == (True, False)
    assert roles["Meeting"] == roles["ThrottleErrorData"] == (False, True)
    assert model(context(with_recording_in_response()), "MeetingRecording").is_response


def generated(into: Path, module: str) -> ModuleType:
    """Import a generated model as a part of the package."""
    name = f"whereby_api_client._generated.models.{module}_of_a_test"
    spec = importlib.util.spec_from_file_location(name, into / f"models/{module}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    try:
        spec.loader.exec_module(made)
    finally:
        del sys.modules[name]
    return made


def test_a_model_that_is_both(tmp_path: Path) -> None:
    """What callers leave out is UNSET; what a response lacks is None, never UNSET."""
    into = tmp_path / "out"
    render(with_recording_in_response(), into)
    recording: Any = generated(into, "meeting_recording").MeetingRecording
    made = recording(type_="cloud")
    assert made.destination is UNSET
    assert made.to_dict() == {"type": "cloud"}
    read = recording.from_dict({"type": "cloud"})
    assert read.destination is None
    assert read.to_dict() == {"type": "cloud"}
    written = (into / "models/meeting_recording.py").read_text()
    assert "start_trigger: (\n" in written or "| None | Unset = UNSET" in written


@pytest.mark.parametrize(
    ("operation", "argument", "hint"),
    [
        ("recordings.bulk_delete", "recording_ids", "Sequence[str | Recording]"),
        ("summaries.create", "transcription_id", "str | Transcription | CreatedTranscription"),
        ("insights.list_participants", "room_session_id", "str | RoomSessionInsights | Unset"),
        ("insights.list_participants", "external_id", "str | Unset"),
        ("meetings.create", "room_mode", "RoomMode | RoomModeValue | str | Unset"),
        ("meetings.create", "fields", "Sequence[MeetingField | MeetingFieldValue] | Unset"),
        ("insights.list_rooms", "room_name", "str | RoomNameFilter | RoomNameFilterDict | Unset"),
        ("insights.list_rooms", "created_at", "CreatedAtFilter | CreatedAtFilterDict | Unset"),
    ],
)
def test_hints_of_arguments(operation: str, argument: str, hint: str) -> None:
    """Models stand for their ids, listed strings are offered, filters take a plain string."""
    arguments = {one.name: one for one in method(context(patched()), operation).arguments}
    assert arguments[argument].hint == hint


def test_a_plain_string_for_a_filter() -> None:
    """It means `exact`, or the only filter that there is; where it is open which, it is refused."""
    document = patched()
    found = context(document)
    keys = {
        p.field.wire: p.shorthand for p in method(found, "insights.list_rooms").query_parameters
    }
    assert (keys["roomName"], keys["createdAt"]) == ("exact", "")
    (room_name,) = (
        p for p in method(found, "meetings.list").query_parameters if p.field.wire == "roomName"
    )
    assert room_name.shorthand == "startsWith"
    assert "A plain string means `startsWith`." in room_name.field.description
