"""The template context: which models callers make, which the API sends, what stands for an id."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from overrides.generator.context import Model, TemplateContext, build
from overrides.generator.methods import Method
from overrides.generator.render import render
from overrides.paths import ROOT
from tests.helpers.override_runs import Json, parse, patched
from whereby_api_client import UNSET


def build_context(document: Json) -> TemplateContext:
    """Build the context of a patched document."""
    return build(document, parse(document))


def model(context: TemplateContext, name: str) -> Model:
    """Return a model by its class."""
    return next(model for model in context.models if model.class_name == name)


def method(context: TemplateContext, name: str) -> Method:
    """Return a method by its operation."""
    methods = [method for resource in context.resources for method in resource.methods]
    return next(method for method in methods if method.operation == name)


def with_recording_in_response() -> Json:
    """Return a document whose meetings tell how they are recorded."""
    document = patched()
    ref = {"allOf": [{"$ref": "#/components/schemas/MeetingRecording"}]}
    document["components"]["schemas"]["Meeting"]["properties"]["recording"] = ref
    return document


def test_requests_and_responses() -> None:
    """A model is made by callers, sent by the API, or both; it follows from where it is used."""
    context = build_context(patched())
    roles = {model.class_name: (model.is_request, model.is_response) for model in context.models}
    assert roles["MeetingRecording"] == (True, False)
    assert roles["Meeting"] == roles["ThrottleErrorData"] == (False, True)
    assert model(build_context(with_recording_in_response()), "MeetingRecording").is_response


def generated(into: Path, module: str) -> ModuleType:
    """Import a generated model as a part of the package."""
    name = f"whereby_api_client._generated.models.{module}_of_a_test"
    spec = importlib.util.spec_from_file_location(name, into / f"models/{module}.py")
    assert spec is not None
    assert spec.loader is not None
    imported = importlib.util.module_from_spec(spec)
    sys.modules[name] = imported
    try:
        spec.loader.exec_module(imported)
    finally:
        del sys.modules[name]
    return imported


def test_a_model_that_is_both(tmp_path: Path) -> None:
    """What callers leave out is UNSET; what a response lacks is None, never UNSET."""
    into = tmp_path / "out"
    render(with_recording_in_response(), into)
    recording: Any = generated(into, "meeting_recording").MeetingRecording
    created = recording(type_="cloud")
    assert created.destination is UNSET
    assert created.to_dict() == {"type": "cloud"}
    read = recording.from_dict({"type": "cloud"})
    assert read.destination is None
    assert read.to_dict() == {"type": "cloud"}
    written = (into / "models/meeting_recording.py").read_text()
    assert "start_trigger: (\n" in written or "| None | Unset = UNSET" in written


@pytest.mark.parametrize(
    ("operation", "argument", "hint"),
    [
        ("recordings.bulk_delete", "recording_ids", "Sequence[str | Recording]"),
        ("summaries.create", "transcription_id", "str | CreatedTranscription | Transcription"),
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
    arguments = {a.name: a for a in method(build_context(patched()), operation).arguments}
    assert arguments[argument].hint == hint


def test_a_plain_string_for_a_filter() -> None:
    """It means `exact`, or the only filter that there is; where it is open which, it is refused."""
    document = patched()
    context = build_context(document)
    keys = {
        p.field.wire: p.shorthand for p in method(context, "insights.list_rooms").query_parameters
    }
    assert (keys["roomName"], keys["createdAt"]) == ("exact", "")
    (room_name,) = (
        p for p in method(context, "meetings.list").query_parameters if p.field.wire == "roomName"
    )
    assert room_name.shorthand == "startsWith"
    assert "A plain string means `startsWith`." in room_name.field.description


RECURSIVE = """
import typing
import pydantic
from whereby_api_client import models
from whereby_api_client.models import Meeting, Recording
plain = {"meetingId": "1", "roomUrl": "https://x", "endDate": "2030-01-01T00:00:00Z"}
recording = {"recordingId": "r", "roomSessionId": "s", "startDate": "", "endDate": "",
             "sizeInMegaBytes": 1, "meeting": plain}
levels = {"parent": {**plain, "parent": plain}, "children": [plain]}
source = {**plain, **levels, "recording": recording}
meeting = Meeting.from_dict(source)
assert meeting.parent.parent.meeting_id == meeting.recording.meeting.meeting_id == "1"
assert meeting.to_dict() == source
assert pydantic.TypeAdapter(Meeting).json_schema()["properties"]["children"]
assert typing.get_type_hints(models.MeetingDict)["children"]
"""


def test_recursive_schemas(tmp_path: Path) -> None:
    """Models that contain themselves or each other can be imported in any order, and read."""
    document = patched()
    schemas = document["components"]["schemas"]
    ref = {"$ref": "#/components/schemas/Meeting"}
    schemas["Meeting"]["properties"] |= {
        "parent": ref,
        "children": {"type": "array", "items": ref},
        "recording": {"$ref": "#/components/schemas/Recording"},
    }
    schemas["Recording"]["properties"]["meeting"] = ref
    content = {"application/json": {"schema": ref}}
    document["paths"]["/meetings"]["put"] = {
        "operationId": "meetings.replace",
        "requestBody": {"content": content},
        "responses": {"204": {"description": ""}},
        "x-points": 3,
    }
    package = tmp_path / "whereby_api_client"
    without = shutil.ignore_patterns("_generated", "__pycache__")
    shutil.copytree(ROOT / "whereby_api_client", package, ignore=without)
    render(document, package / "_generated")
    for names in ("Meeting, Recording", "Recording, Meeting"):
        code = RECURSIVE.replace("Meeting, Recording", names)
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True)


def test_odd_enum_values(tmp_path: Path) -> None:
    """Quotes and backslashes are kept, control characters are kept, integers are integers."""
    document = patched()
    enum = document["components"]["schemas"]["RoomMode"]["enum"]
    enum += ['a "b" \\ c', "line\nbreak"]
    level = {"type": "integer", "enum": [1, 2]}
    document["components"]["schemas"]["Meeting"]["properties"]["level"] = level
    context = build_context(document)
    (mode,) = (enum for enum in context.enums if enum.class_name == "RoomMode")
    assert 'a "b" \\ c' in mode.members.values()
    fields = {field.wire: field for field in model(context, "Meeting").fields}
    assert fields["level"].hint == "int | None"
    render(document, tmp_path / "out")
    members = generated(tmp_path / "out", "room_mode").RoomMode
    assert {'a "b" \\ c', "line\nbreak"} <= {member.value for member in members}
