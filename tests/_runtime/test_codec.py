"""Models: reading what the API gives, tolerating what it may give, writing it back."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from whereby_api_client import models
from whereby_api_client._runtime.codec import DecodeError
from whereby_api_client.models import Meeting, MeetingPage, Transcription, TranscriptionState

from ..helpers.documents import DOCUMENT, SCHEMAS, example_of

MEETING = SCHEMAS["Meeting"]["example"]
TRANSCRIPTION = SCHEMAS["Transcription"]["example"]


@pytest.mark.parametrize("name", models.__all__)
def test_examples_round_trip(name: str) -> None:
    """Every example of the document parses into its model, and `to_dict` gives the same JSON."""
    model: Any = getattr(models, name)
    if not hasattr(model, "from_dict"):
        for value in model:
            assert model(value.value) is value
        return
    example = example_of(SCHEMAS[name])
    read = model.from_dict(copy.deepcopy(example))
    assert json.loads(json.dumps(read.to_dict())) == example
    assert read.additional_properties == {}
    assert pickle.loads(pickle.dumps(read)) == read == copy.deepcopy(read)


def test_every_response_has_an_example() -> None:
    """The round trip covers every success that the document describes with a named schema."""
    named = set(models.__all__)
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                if not status.startswith("2") or "content" not in response:
                    continue
                schema = response["content"]["application/json"]["schema"]
                schema = schema.get("items", schema)
                assert schema["$ref"].rpartition("/")[2] in named, (method, path)


def test_dates_keep_their_own_form() -> None:
    """A date that was read is written the way it came; a changed one is written anew."""
    meeting = Meeting.from_dict({**MEETING, "endDate": "2025-05-12T19:42:49.500+02:00"})
    assert meeting.end_date == datetime(2025, 5, 12, 17, 42, 49, 500000, tzinfo=UTC)
    assert meeting.to_dict()["endDate"] == "2025-05-12T19:42:49.500+02:00"
    meeting.end_date = datetime(2026, 1, 1, tzinfo=UTC)
    assert meeting.to_dict()["endDate"] == "2026-01-01T00:00:00Z"


def test_dates_are_always_aware() -> None:
    """A date without a zone is read as UTC, which the API's texts promise."""
    meeting = Meeting.from_dict({**MEETING, "endDate": "2025-05-12T17:42:49"})
    assert meeting.end_date == datetime(2025, 5, 12, 17, 42, 49, tzinfo=UTC)
    assert Meeting.from_dict({**MEETING, "endDate": 1747071769000}).end_date.tzinfo is UTC


@pytest.mark.parametrize("field", ["createdAt", "state"])
def test_null_where_the_document_promises_a_value(field: str) -> None:
    """Null in a required date or enum is refused, by its name."""
    with pytest.raises(DecodeError, match=rf"Transcription\.{field}: expected .*, got null"):
        Transcription.from_dict({**TRANSCRIPTION, field: None})


def test_unknown_enum_values_stay_usable() -> None:
    """An unknown value equals its string, keeps its type, pickles, copies, and is no member."""
    read = Transcription.from_dict({**TRANSCRIPTION, "state": "archived"})
    assert read.state == "archived"
    assert type(read.state) is TranscriptionState
    assert repr(read.state) == "<TranscriptionState.archived: 'archived'>"
    assert pickle.loads(pickle.dumps(read.state)) == "archived"
    assert copy.deepcopy(read).state == "archived"
    assert read.to_dict() == {**TRANSCRIPTION, "state": "archived"}
    assert "archived" not in [member.value for member in TranscriptionState]
    assert Transcription.from_dict(TRANSCRIPTION).state is TranscriptionState.READY


def test_unknown_fields_are_kept() -> None:
    """A field that the document does not know is reachable and written back."""
    read = Meeting.from_dict({**MEETING, "dialIn": {"pin": "1"}})
    assert read.additional_properties == {"dialIn": {"pin": "1"}}
    assert read.to_dict()["dialIn"] == {"pin": "1"}


def test_missing_optional_fields_are_none() -> None:
    """What the response does not hold is None, and not written back."""
    read = Meeting.from_dict(MEETING)
    assert read.host_room_url is None
    assert "hostRoomUrl" not in read.to_dict()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            {"results": [MEETING, {**MEETING, "meetingId": 5}], "cursor": None},
            r"MeetingPage\.results\[1\]\.meetingId: expected a string, got a number",
        ),
        (
            {"results": [{k: v for k, v in MEETING.items() if k != "roomUrl"}], "cursor": None},
            r"MeetingPage\.results\[0\]\.roomUrl: expected a value, got nothing",
        ),
        (
            {"results": [{**MEETING, "endDate": "soon"}], "cursor": None},
            r"MeetingPage\.results\[0\]\.endDate: expected a date-time, got other text",
        ),
        (
            {"results": [[]], "cursor": None},
            r"MeetingPage\.results\[0\]: expected an object, got an array",
        ),
        (
            {"results": {}, "cursor": None},
            r"MeetingPage\.results: expected an array, got an object",
        ),
        ({"cursor": None}, r"MeetingPage\.results: expected a value, got nothing"),
        ([], r"MeetingPage: expected an object, got an array"),
    ],
)
def test_wrong_responses_name_the_field(broken: Any, message: str) -> None:
    """A wrong or missing value is told with model, field and place in the list, not the value."""
    with pytest.raises(DecodeError, match=message):
        MeetingPage.from_dict(broken)


def test_an_enum_that_is_no_string() -> None:
    """A list where an enum value stands is refused, not a TypeError."""
    with pytest.raises(DecodeError, match=r"Transcription\.state: expected a string, got an array"):
        Transcription.from_dict({**TRANSCRIPTION, "state": []})


def test_secrets_stay_out_of_repr() -> None:
    """A host URL is shown as [secure]; that it is missing may be shown."""
    read = Meeting.from_dict({**MEETING, "hostRoomUrl": "https://x/?roomKey=canary"})
    assert "canary" not in repr(read)
    assert "host_room_url=[secure]" in repr(read)
    assert "viewer_room_url=None" in repr(read)
