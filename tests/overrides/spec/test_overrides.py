"""What the overrides make of the published document, and of other cases."""

from __future__ import annotations

import resource
from typing import Any

import pytest

from overrides.engine import Outcome, apply_overrides, load_overrides
from overrides.patch import Patch
from overrides.spec.properties_only_in_example import describe
from tests.helpers.override_runs import (
    Json,
    deref,
    operation,
    parameter,
    patched,
    published,
    request_schema,
    response_schema,
    result,
)

SCHEMAS: Json = result().document["components"]["schemas"]
TEXT = {"type": "string"}
DATE_TIME = {"type": "string", "format": "date-time"}
NARROWED: Json = {"x-narrowed": True}


def apply(name: str, document: Json) -> Patch:
    """Run one override on a document, in place."""
    patch = Patch(document)
    next(override for override in load_overrides() if override.name == name).apply(patch)
    return patch


def alone(name: str, schema: Json, *, request: bool = False) -> tuple[Json, Patch]:
    """Run one override on a document with one schema in it; return the schema and the patch."""
    media = {"content": {"application/json": {"schema": schema}}}
    data = {"requestBody": media} if request else {"responses": {"200": media}}
    patch = apply(name, {"openapi": "3.0.0", "paths": {"/things": {"get": data}}})
    left: Json = media["content"]["application/json"]["schema"]
    return left, patch


def object_of(name: str, schema: Json) -> Json:
    """Wrap a schema as the only property of an object."""
    return {"type": "object", "properties": {name: schema}}


def test_a_recording_has_its_fields() -> None:
    """Derive them from the example, add roomName, and let the filename be missing."""
    recording = SCHEMAS["Recording"]
    assert recording["properties"] == {
        "recordingId": TEXT,
        "roomSessionId": TEXT,
        "filename": TEXT | {"nullable": True},
        "startDate": DATE_TIME | NARROWED,
        "endDate": DATE_TIME | NARROWED,
        "sizeInMegaBytes": {"type": "number", "x-narrowed": True},
        "roomName": TEXT | NARROWED | {"description": "The name of the room."},
    }
    required = ["recordingId", "roomSessionId", "startDate", "endDate", "sizeInMegaBytes"]
    assert recording["required"] == required


def test_a_summary_has_its_fields() -> None:
    """Derive them from the example; what is in `summary` depends on the template."""
    properties = SCHEMAS["Summary"]["properties"]
    assert list(properties) == SCHEMAS["Summary"]["required"]
    assert properties["createdAt"] == properties["modifiedAt"] == DATE_TIME | NARROWED
    assert properties["template"] == TEXT
    content = {"$ref": "#/components/schemas/SummaryContent"}
    assert properties["summary"] == {"allOf": [content], **NARROWED}
    assert SCHEMAS["SummaryContent"] == {"type": "object", "additionalProperties": True}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, {"type": "boolean"}),
        (7, {"type": "number"}),
        (0.5, {"type": "number"}),
        ("2025-01-01", TEXT),
        ("2025-01-01T00:00Z", DATE_TIME),
        ("2025-01-01T00:00:00.000+02:00", DATE_TIME),
        (["a"], {"type": "array", "items": TEXT}),
        ([], None),
        ([None], None),
        (None, None),
    ],
)
def test_an_example_value_suggests_a_schema(value: Any, expected: Json | None) -> None:
    """Promise no more than one example can."""
    assert describe(value) == expected


def test_language_codes_are_codes() -> None:
    """Have 33 of them, with regions, without commas."""
    languages = SCHEMAS["MeetingLiveTranscriptionLanguage"]["enum"]
    assert len(languages) == 33
    assert {"en", "en-US", "pt-BR", "zh-TW", "vi"} <= set(languages)


def test_commas_off_may_make_two_values_one() -> None:
    """Write a value once that stood there with and without a comma."""
    left, patch = alone("enum_trailing_comma", {"enum": ["a,", "a", "b", None]})
    assert left == {"enum": ["a", "b", None]}
    assert not patch.drifts


def test_commas_inside_values_are_no_defect() -> None:
    """Leave an enum alone in which no value ends in a comma."""
    left, patch = alone("enum_trailing_comma", {"enum": ["a, b", "c"]})
    assert left == {"enum": ["a, b", "c"]}
    assert not patch.drifts


def test_a_response_of_bare_properties_is_an_object_that_requires_them() -> None:
    """Wrap the 201 responses, and name them."""
    document = result().document
    for call, name, field in (
        ("POST /transcriptions", "CreatedTranscription", "transcriptionId"),
        ("POST /summaries", "CreatedSummary", "summaryId"),
    ):
        assert response_schema(document, call) == {"$ref": f"#/components/schemas/{name}"}
        assert SCHEMAS[name]["type"] == "object"
        assert SCHEMAS[name]["required"] == [field]
        assert SCHEMAS[name]["properties"][field]["type"] == "string"


def test_unknown_members_that_are_no_schemas_are_no_defect() -> None:
    """Stay quiet about a keyword of tomorrow, and about extensions."""
    schema = {"type": "string", "tomorrow": True, "x-thing": {"type": "string"}}
    for name in ("misplaced_properties", "unwrapped_properties"):
        _, patch = alone(name, dict(schema))
        assert (patch.changes, patch.drifts) == ([], [])


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"id": {"type": "string"}, "tomorrow": True}, "schemas only"),
        ({"type": "string", "id": {"type": "string"}}, "an object, or no type at all"),
    ],
)
def test_bare_properties_beside_something_else_drift(
    schema: dict[str, object], expected: str
) -> None:
    """Leave it to somebody what a member is that is neither a keyword nor a schema."""
    _, patch = alone("unwrapped_properties", schema)
    assert patch.changes == []
    assert [drift.expected for drift in patch.drifts] == [expected]


def test_one_of_several_path_parameters_goes() -> None:
    """Remove the one that is not in the path, and keep the others in their order."""
    listed = [{"in": "path", "name": name} for name in ("a", "b", "c")]
    paths = {"/{a}/{c}": {"get": {"parameters": listed}}}
    apply("path_parameters_not_in_path", {"paths": paths})
    assert [entry["name"] for entry in listed] == ["a", "c"]


def test_pages_have_their_cursor() -> None:
    """Have results and cursor required on all seven pages, and null on the last one."""
    pages = [schema for name, schema in SCHEMAS.items() if name.endswith("Page")]
    assert len(pages) == 7
    for page in pages:
        assert set(page["required"]) == {"results", "cursor"}
        assert page["properties"]["cursor"]["nullable"] is True
        assert page["properties"]["cursor"]["type"] == "string"


def test_a_session_requires_the_names_that_it_has() -> None:
    """Take startedAt for createdAt; endedAt can be missing while it lasts."""
    session = SCHEMAS["RoomSessionInsights"]
    assert session["required"][:3] == ["roomSessionId", "roomName", "startedAt"]
    assert not {"createdAt", "endAt", "endedAt"} & set(session["required"])
    assert session["properties"]["endedAt"]["nullable"] is True


def test_required_of_composed_schemas_is_left_alone() -> None:
    """Expect the names in the other parts of an allOf."""
    schema = {"allOf": [{"$ref": "#/x"}], "properties": {"a": {}}, "required": ["b"]}
    _, patch = alone("required_names_unknown", schema)
    assert patch.changes == []


def test_a_required_name_is_dropped_where_its_property_has_another_name() -> None:
    """Take the name that is meant; where Whereby renamed it, require nothing."""
    schema = {"properties": {"startedAt": {}, "finishedAt": {}}, "required": ["createdAt", "endAt"]}
    left, patch = alone("required_names_unknown", schema)
    assert left["required"] == ["startedAt"]
    assert not patch.drifts


def test_properties_beside_those_of_the_example() -> None:
    """Derive what is required and has no property, also where there are some."""
    schema = {
        "type": "object",
        "required": ["id", "size", "new"],
        "properties": {"new": TEXT},
        "example": {"id": "1", "size": 2, "other": 3},
    }
    left, _ = alone("properties_only_in_example", schema)
    size = {"type": "number", "x-narrowed": True}
    assert left["properties"] == {"new": TEXT, "id": TEXT, "size": size}


def test_a_list_of_required_names_never_ends_up_empty() -> None:
    """Remove `required` with its last name: 3.0 allows no empty one."""
    left, _ = alone("required_names_unknown", {"properties": {"a": {}}, "required": ["b"]})
    assert "required" not in left
    left, _ = alone("null_in_practice", object_of("leftAt", dict(TEXT)) | {"required": ["leftAt"]})
    assert "required" not in left


def test_what_can_be_null_in_practice_is_so_in_responses_only() -> None:
    """Keep requests exact."""
    schema = object_of("displayName", dict(TEXT)) | {"required": ["displayName"]}
    left, patch = alone("null_in_practice", schema, request=True)
    assert patch.changes == []
    left, patch = alone("null_in_practice", left)
    assert left == object_of("displayName", TEXT | {"nullable": True})


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Can be `null`.", "nullable"),
        ("It should be set to null.", "nullable"),
        ('- `"null"` takes the default', "nullable"),
        ("Contains no null bytes", "left"),
        ("It must not be set to null", "drifted"),
        ("The name. `null` is not allowed", "drifted"),
        ("This can't be `null`", "drifted"),
        ("If this is not required, or should be inherited, it should be set to null.", "nullable"),
    ],
)
def test_null_is_read_from_texts(text: str, outcome: str) -> None:
    """Tell a text that allows null from one that forbids it."""
    left, patch = alone("null_only_in_text", object_of("x", TEXT | {"description": text}))
    assert left["properties"]["x"].get("nullable", False) is (outcome == "nullable")
    assert bool(patch.drifts) is (outcome == "drifted")


def test_every_parameter_has_a_type() -> None:
    """Have a schema everywhere; texts where nothing was said."""
    document = result().document
    assert parameter(document, "GET /insights/participant", "participantId")["schema"] == TEXT
    assert parameter(document, "GET /recordings", "sortBy")["schema"]["type"] == "string"
    assert parameter(document, "GET /insights/rooms", "limit")["schema"]["type"] == "integer"


def test_filters_are_deep_objects() -> None:
    """Send `roomName[exact]=`, and have names for the filters."""
    for name, schema in (("roomName", "RoomNameFilter"), ("createdAt", "CreatedAtFilter")):
        query_filter = parameter(result().document, "GET /insights/rooms", name)
        assert (query_filter["style"], query_filter["explode"]) == ("deepObject", True)
        assert query_filter["schema"] == {"$ref": f"#/components/schemas/{schema}"}


def test_a_style_that_nothing_contradicts_is_left_alone() -> None:
    """Drift only where the texts show brackets."""
    schema = object_of("a", dict(TEXT))
    listed = {"in": "query", "name": "f", "style": "form", "schema": schema}
    document: Json = {"paths": {"/x": {"get": {"parameters": [listed]}}}}
    patch = apply("filters_without_deep_object", document)
    assert (patch.changes, patch.drifts) == ([], [])
    schema["properties"]["a"]["description"] = "Example: f[a]=1"
    assert apply("filters_without_deep_object", document).drifts


def test_either_session_or_external_id() -> None:
    """Make both optional and tell the generated method that one is needed."""
    listing = operation(result().document, "GET /insights/participants")
    assert listing["x-either-of"] == [["roomSessionId", "externalId"]]
    for name in ("roomSessionId", "externalId"):
        argument = parameter(result().document, "GET /insights/participants", name)
        assert argument.get("required", False) is False


def test_a_recording_destination_has_a_region() -> None:
    """Copy the field from the live transcription's destination."""
    recording = SCHEMAS["MeetingRecordingDestination"]["properties"]
    transcription = SCHEMAS["MeetingLiveTranscriptionDestination"]["properties"]
    assert recording["region"] == transcription["region"]
    assert recording["region"]["type"] == "string"


def test_a_destination_can_be_null() -> None:
    """Keep null beside the reference, where the generator reads `X | None`."""
    for name in ("MeetingRecording", "MeetingLiveTranscription"):
        destination = SCHEMAS[name]["properties"]["destination"]
        assert destination["allOf"] == [{"$ref": f"#/components/schemas/{name}Destination"}]
        assert destination["nullable"] is True
    streaming = SCHEMAS["MeetingStreaming"]["properties"]["destination"]
    assert not streaming.get("nullable")


@pytest.mark.parametrize(
    ("pattern", "example", "removed"),
    [
        ("[a-z]{0,9}", "a-b", True),
        ("[a-z]{0,9}", "ab", False),
        ("^/", "/room", False),  # means the beginning only
        ("b$", "ab", False),
        ("^[a-z]+$", "a1", True),
        ("#[a-f0-9]{6}", None, False),
    ],
)
def test_patterns_are_held_against_their_examples(
    pattern: str, example: str | None, removed: bool
) -> None:
    """Read a pattern without anchors over the whole text, one with an anchor as it is written."""
    schema = TEXT | {"pattern": pattern} | ({"example": example} if example else {})
    left, _ = alone("pattern_against_example", schema)
    assert ("pattern" not in left) is removed


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^(a+)+$", True),
        ("(a|aa)+$", True),
        (r"(\w+\s?)*$", True),
        ("(ab|ba|abab|baba)+$", True),
        ("^/([a-z0-9-]+)*$", True),
        ("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", False),
        (r"^([\w.+-]+)@([\w-]+\.)+[\w]{2,}$", False),
        ("^([a-z0-9]+-)*[a-z0-9]+$", False),
        ("[a-z0-9]{0,39}", False),
    ],
)
def test_a_pattern_that_can_explode_is_named(pattern: str, expected: bool) -> None:
    """Name it even where nothing in the document makes it explode: callers' values may."""
    _, override = alone("pattern_against_example", TEXT | {"pattern": pattern})
    assert [drift.actual for drift in override.drifts] == ([pattern] if expected else [])


@pytest.mark.parametrize("key", ["example", "default"])
def test_a_pattern_that_explodes_is_named_in_bounded_time(key: str) -> None:
    """Give it a second of processor time, however often it is there; name it with its pointer."""
    schema = TEXT | {"pattern": "^(a+)+$", key: "a" * 40 + "!"}
    document = published()
    for name in ("roomNamePrefix", "secondPrefix"):
        request_schema(document, "POST /meetings")["properties"][name] = schema
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    drifts = apply("pattern_against_example", document).drifts
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2.5
    operation = "/paths/~1meetings/post/requestBody/content/application~1json/schema"
    assert [(drift.path, drift.actual) for drift in drifts] == [
        (f"{operation}/properties/{name}/pattern", "^(a+)+$")
        for name in ("roomNamePrefix", "secondPrefix")
    ]


@pytest.mark.parametrize(
    ("name", "schema", "dated"),
    [
        ("whenever", {"example": "2025-01-01T00:00:00Z"}, True),
        ("endedAt", {"description": "The date it ended."}, True),
        ("timeStamp", {"description": "Timestamp of joining."}, True),
        ("format", {"description": "The date format."}, False),
        ("lookAt", {"description": "Where to look."}, False),
        ("startedAt", {"description": "The date", "enum": ["today"]}, False),
        ("filename", {"example": "room-2025-01-01T00:00:00.000Z.md"}, False),
    ],
)
def test_date_times_are_known_by_example_or_name_and_text(
    name: str, schema: Json, dated: bool
) -> None:
    """Add the format where there is evidence, and only there."""
    left, _ = alone("datetimes_without_format", object_of(name, TEXT | schema))
    assert (left["properties"][name].get("format") == "date-time") is dated


def test_epoch_milliseconds_stay_numbers() -> None:
    """Leave `expires`, an integer, what it is."""
    assert SCHEMAS["AccessLink"]["properties"]["expires"]["type"] == "integer"
    assert "format" not in SCHEMAS["AccessLink"]["properties"]["expires"]


def test_every_body_is_required() -> None:
    """Let no caller leave out what the server needs."""
    document = patched()
    bodies = [
        data["requestBody"]
        for item in document["paths"].values()
        for data in item.values()
        if "requestBody" in data
    ]
    assert len(bodies) == 9
    assert all(data["required"] is True for data in bodies)
    assert deref(document, request_schema(document, "POST /meetings"))["required"] == ["endDate"]


def test_a_body_that_may_be_left_out_stays_optional() -> None:
    """Mark no POST whose body has no required fields."""
    media = {"content": {"application/json": {"schema": object_of("a", dict(TEXT))}}}
    document: Json = {"paths": {"/x": {"post": {"requestBody": media}}}}
    assert apply("optional_request_bodies", document).changes == []


def test_secrets_are_marked() -> None:
    """Know them all, and nothing else."""
    marked = {
        (name, field)
        for name, schema in SCHEMAS.items()
        for field, prop in schema.get("properties", {}).items()
        if prop.get("x-secret")
    }
    assert marked == {
        ("AccessLink", "accessLink"),
        ("Meeting", "hostRoomUrl"),
        ("Meeting", "viewerRoomUrl"),
        ("MeetingLiveTranscriptionDestination", "accessKeySecret"),
        ("MeetingRecordingDestination", "accessKeySecret"),
        ("MeetingStreamingDestination", "url"),
    }


@pytest.mark.parametrize("name", ["clientSecret", "streamKey", "apiKey", "PASSWORD", "privateKey"])
def test_tomorrows_secrets_are_known_by_their_names(name: str) -> None:
    """Mark what is called a secret before anybody has seen it."""
    left, _ = alone("secrets_unmarked", object_of(name, dict(TEXT)))
    assert left["properties"][name]["x-secret"] is True


@pytest.mark.parametrize("name", ["tokens", "secretary", "accessKeyId", "roomUrl", "monkey"])
def test_what_only_sounds_like_a_secret_is_none(name: str) -> None:
    """Keep the rest readable."""
    left, _ = alone("secrets_unmarked", object_of(name, dict(TEXT)))
    assert "x-secret" not in left["properties"][name]


def test_room_names_are_marked_where_they_begin_with_a_slash() -> None:
    """Mark the path's, the queries', and the filter's members that start a name."""
    document = result().document
    assert document["components"]["parameters"]["roomName"]["x-room-name"] is True
    assert parameter(document, "GET /recordings", "roomName")["x-room-name"] is True
    members = SCHEMAS["RoomNameFilter"]["properties"]
    marked = {name for name, prop in members.items() if prop.get("x-room-name")}
    assert marked == {"exact", "startsWith"}


def test_points_follow_the_prose() -> None:
    """Charge reads 1, deletes 2, writes 3, and a POST that deletes as a write."""
    document = result().document
    for path, item in document["paths"].items():
        for method, data in item.items():
            assert data["x-points"] == {"get": 1, "delete": 2}.get(method, 3), path


def test_points_follow_other_prices() -> None:
    """Read the numbers, do not know them."""
    description = (
        "A read request consumes 2 points, a\ndelete consumes 4 points and a write request "
        "consumes 10 points."
    )
    paths: Json = {"/x": {"get": {}, "delete": {}, "patch": {}}}
    document = apply_overrides({"info": {"description": description}, "paths": paths}).document
    points = {method: data["x-points"] for method, data in document["paths"]["/x"].items()}
    assert points == {"get": 2, "delete": 4, "patch": 10}


def test_a_changed_price_list_is_shown_in_its_own_words() -> None:
    """Quote what the document says about points now."""
    description = "Hello. A read consumes 1 to 10 points. Goodbye."
    paths: Json = {"/x": {"get": {}}}
    reports = apply_overrides({"info": {"description": description}, "paths": paths}).overrides
    report = next(report for report in reports if report.name == "points_only_in_prose")
    assert report.outcome is Outcome.DRIFTED
    assert report.drifts[0].actual == "A read consumes 1 to 10 points."


def test_every_operation_asks_for_the_token() -> None:
    """Apply the bearer scheme, whatever it is called."""
    document = result().document
    for item in document["paths"].values():
        assert all(data["security"] == [{"BearerAuth": []}] for data in item.values())


def test_an_operation_that_is_open_on_purpose_stays_open() -> None:
    """Respect `security: []`."""
    schemes = {"securitySchemes": {"Other": {"type": "http", "scheme": "Bearer"}}}
    paths: Json = {"/x": {"get": {"security": []}, "put": {}}}
    document = apply_overrides({"components": schemes, "paths": paths}).document
    assert document["paths"]["/x"]["get"]["security"] == []
    assert document["paths"]["/x"]["put"]["security"] == [{"Other": []}]
