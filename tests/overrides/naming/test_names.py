"""Names of operations and classes, made by rule."""

from __future__ import annotations

import keyword

import pytest

from overrides.engine import apply_overrides
from overrides.naming.operations import pascal, singular, snake
from overrides.naming.schemas import class_name
from tests.helpers.override_runs import (
    Json,
    class_names,
    operation,
    operations,
    parse,
    published,
    result,
)

CONTRACT = {
    "meetings": {"create", "list", "get", "delete"},
    "recordings": {"list", "get", "delete", "bulk_delete", "get_access_link"},
    "transcriptions": {"create", "list", "get", "delete", "bulk_delete", "get_access_link"},
    "summaries": {"create", "list", "get", "delete"},
    "rooms": {"set_colors", "set_logo", "set_background", "set_knock_page_background"},
    "insights": {"list_rooms", "list_room_sessions", "list_participants", "get_participant"},
}

PAGE: Json = {
    "type": "object",
    "properties": {"results": {"type": "array", "items": {"type": "string"}}, "cursor": {}},
}
THING: Json = {"type": "object", "properties": {"id": {"type": "string"}}}


def named(*calls: tuple[str, str, Json | None]) -> list[str]:
    """Return the names of operations, each given as call, summary and response schema."""
    document: Json = {
        "openapi": "3.0.0",
        "info": {},
        "paths": {},
        "components": {"securitySchemes": {"B": {"type": "http", "scheme": "bearer"}}},
    }
    for call, summary, schema in calls:
        method, path = call.split()
        content = {"content": {"application/json": {"schema": schema}}} if schema else {}
        data: Json = {"responses": {"200": {"description": "", **content}}}
        if summary:
            data["summary"] = summary
        document["paths"].setdefault(path, {})[method.lower()] = data
    patched = apply_overrides(document).document
    return [operation(patched, call)["operationId"] for call, _, _ in calls]


def test_the_contract_names_are_what_the_rules_make() -> None:
    """Give all operations the names that callers write."""
    names: dict[str, set[str]] = {}
    for _, _, data in operations(result().document):
        tag, _, method = data["operationId"].partition(".")
        names.setdefault(tag, set()).add(method)
        assert data["tags"] == [tag]
    assert names == CONTRACT


@pytest.mark.parametrize(
    ("call", "summary", "schema", "expected"),
    [
        ("GET /polls", "Get polls", PAGE, "polls.list"),
        ("GET /polls", "Get polls", {"type": "array", "items": THING}, "polls.get_all"),
        ("GET /organization", "Get organization", THING, "organization.get"),
        ("GET /polls/{id}", "Whatever it says", THING, "polls.get"),
        ("POST /polls", "Create poll", THING, "polls.create"),
        ("PUT /polls/{id}", "Update poll", THING, "polls.update"),
        ("PATCH /polls/{id}", "Update poll", THING, "polls.update"),
        ("DELETE /polls/{id}", "Delete poll", None, "polls.delete"),
        ("DELETE /polls", "Delete polls", None, "polls.delete_all"),
        ("GET /polls/{id}/votes", "Get votes", PAGE, "polls.list_votes"),
        ("GET /polls/{id}/access-link", "Get link", THING, "polls.get_access_link"),
        ("GET /room-sessions/{id}", "", THING, "room_sessions.get"),
        ("POST /polls/{id}/close", "Close the poll", None, "polls.close"),
        ("POST /polls/{id}/votes", "Cast a vote in a poll", None, "polls.cast_vote"),
        ("POST /polls/bulk-delete", "", None, "polls.bulk_delete"),
        ("PUT /polls/{id}/theme/poll-background", "", None, "polls.set_background"),
        ("DELETE /polls/{id}/votes", "", None, "polls.delete_votes"),
        ("POST /polls/{id}/import", "Import polls", None, "polls.import_"),
        (
            "POST /polls/{id}/lock",
            "Locks a poll and asks everybody to leave it",
            None,
            "polls.lock",
        ),
        ("GET /v2/polls", "Get polls", PAGE, "polls.list"),
        ("POST /class", "Create a class", None, "class_.create"),
        ("GET /request", "Get a request", THING, "request_.get"),
        ("GET /3d-models", "Get models", PAGE, "call_3d_models.list"),
        ("GET /", "Get all", THING, "root.get"),
    ],
)
def test_an_operation_is_named_by_method_path_and_summary(
    call: str, summary: str, schema: Json | None, expected: str
) -> None:
    """Make a name that reads as it would be written by hand."""
    assert named((call, summary, schema)) == [expected]


def test_two_operations_never_share_a_name() -> None:
    """Let the plainer path keep the plain name."""
    assert named(
        ("PUT /polls/{id}", "Replace poll", THING),
        ("PATCH /polls/{id}", "Update poll", THING),
        ("GET /polls/{id}/votes", "Get votes", PAGE),
        ("GET /polls/votes", "Get votes", PAGE),
        ("POST /polls/{id}/close", "Close poll", None),
        ("POST /polls/{id}/options/close", "Close poll", None),
        ("GET /polls/{id}/a/votes", "Get votes", PAGE),
        ("GET /polls/{id}/a/{b}/votes", "Get votes", PAGE),
    ) == [
        "polls.replace",
        "polls.update",
        "polls.list_votes_by_id",
        "polls.list_votes",
        "polls.close",
        "polls.options_close",
        "polls.list_a_votes",
        "polls.list_a_votes_by_id_b",
    ]


def test_a_newcomer_takes_no_known_name() -> None:
    """Keep the names that callers write, even if a new operation sorts before them."""
    document = published()
    sessions = document["paths"]["/insights/room-sessions"]
    document["paths"]["/insights/archive/room-sessions"] = sessions
    document["paths"]["/insights/a/participants"] = document["paths"]["/insights/participants"]
    patched = apply_overrides(document).document
    for path, method, data in operations(result().document):
        assert patched["paths"][path][method]["operationId"] == data["operationId"]


def test_upstream_names_are_replaced_and_remembered() -> None:
    """Keep what callers write; keep the other name in the change list."""
    document = published()
    operation(document, "GET /meetings").update(operationId="getMeetings", tags=["Meetings"])
    done = apply_overrides(document)
    assert operation(done.document, "GET /meetings")["operationId"] == "meetings.list"
    (report,) = [report for report in done.overrides if report.name == "operations_without_names"]
    old = [change.old for change in report.changes if change.op == "replace"]
    assert old == ["getMeetings", ["Meetings"]]


@pytest.mark.parametrize(
    ("plural", "expected"),
    [
        ("meetings", "meeting"),
        ("summaries", "summary"),
        ("access", "access"),
        ("classes", "class"),
        ("boxes", "box"),
        ("status", "status"),
        ("analysis", "analysis"),
        ("keys", "key"),
        ("theme", "theme"),
    ],
)
def test_singulars(plural: str, expected: str) -> None:
    """Know the plurals that APIs are made of."""
    assert singular(plural) == expected


def test_words_are_found_in_every_way_of_writing() -> None:
    """Split camel case, kebab case, and sentences."""
    assert snake("roomSessionId") == "room_session_id"
    assert snake("Set room knock-page background") == "set_room_knock_page_background"
    assert pascal("HTTPStatus code2") == "HttpStatusCode2"


def test_class_names_are_left_alone_by_the_generator() -> None:
    """Avoid Python's own names, which the generator would change."""
    assert class_name("Warning") == "WarningModel"
    assert class_name("None") == "NoneModel"
    assert class_name("3dModel") == "Model3dModel"
    assert class_name("Meeting") == "Meeting"


# every class of the published document, by name
MODELS = """
AccessLink CreatedAtFilter CreatedSummary CreatedTranscription Meeting MeetingCreateRequest
MeetingLiveTranscription MeetingLiveTranscriptionDestination MeetingPage MeetingRecording
MeetingRecordingDestination MeetingRoomNameFilter MeetingStreaming MeetingStreamingDestination
ParticipantDetails
ParticipantDetailsSamples ParticipantInsights ParticipantInsightsPage Recording
RecordingBulkDeleteRequest RecordingPage RoomColors RoomInsights RoomInsightsPage RoomNameFilter
RoomSessionInsights RoomSessionInsightsPage RoomSetBackgroundRequest RoomSetBackgroundUpload
RoomSetColorsRequest RoomSetKnockPageBackgroundRequest RoomSetKnockPageBackgroundUpload
RoomSetLogoRequest RoomSetLogoUpload RoomTokens Summary SummaryContent SummaryCreateRequest
SummaryPage ThrottleError ThrottleErrorData Transcription TranscriptionBulkDeleteRequest
TranscriptionCreateRequest TranscriptionPage
"""
ENUMS = """
MeetingField MeetingLiveTranscriptionDestinationAuthenticationType
MeetingLiveTranscriptionDestinationProvider MeetingLiveTranscriptionLanguage
MeetingLiveTranscriptionStartTrigger MeetingRecordingDestinationAuthenticationType
MeetingRecordingDestinationFileFormat MeetingRecordingDestinationProvider
MeetingRecordingStartTrigger MeetingRecordingType MeetingStreamingStartTrigger RoomLogoTheme
RoomMode RoomNamePattern RoomPalette RoomTheme RoomTokensPreset SummaryTemplate TemplateType
TranscriptionState TranscriptionStorageType TranscriptionType
"""


def test_the_generator_invents_no_class() -> None:
    """Have exactly the classes that are named, and none that the generator made up."""
    data = parse(result().document)
    assert {str(model.class_info.name) for model in data.models} == set(MODELS.split())
    assert {str(enum.class_info.name) for enum in data.enums} == set(ENUMS.split())
    known = set(result().document["components"]["schemas"])
    assert class_names(data) == known - {"Fields"}  # an array has no class
    assert not any(keyword.iskeyword(name) for name in known)


def test_an_enum_keeps_its_text_and_its_use_keeps_the_rest() -> None:
    """Leave description, default and null at the property, in an allOf beside the reference."""
    schemas = result().document["components"]["schemas"]
    mode = schemas["MeetingCreateRequest"]["properties"]["roomMode"]
    assert mode["allOf"] == [{"$ref": "#/components/schemas/RoomMode"}]
    assert mode["default"] == "normal"
    assert mode["description"] == schemas["RoomMode"]["description"]
    assert schemas["RoomMode"]["enum"] == ["group", "normal"]
    assert "default" not in schemas["RoomMode"]
    trigger = schemas["MeetingRecording"]["properties"]["startTrigger"]
    assert trigger["nullable"] is True
    assert None not in schemas["MeetingRecordingStartTrigger"]["enum"]


def test_what_is_the_same_shares_a_class() -> None:
    """Have one AccessLink, one palette; and two classes as soon as they differ."""
    schemas = result().document["components"]["schemas"]
    for name in ("RoomSetBackgroundRequest", "RoomSetKnockPageBackgroundRequest"):
        palette = schemas[name]["properties"]["palette"]
        assert palette["allOf"] == [{"$ref": "#/components/schemas/RoomPalette"}]

    document = published()
    knock = operation(document, "PUT /rooms/{roomName}/theme/room-knock-page-background")
    body = knock["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["palette"]["enum"].append("green")
    schemas = apply_overrides(document).document["components"]["schemas"]
    assert schemas["RoomPalette"]["enum"] == ["default", "grey", "purple", "burgund"]
    assert schemas["RoomKnockPageBackgroundPalette"]["enum"][-1] == "green"
