"""Is each documented event read into its class, and is nothing lost of those that are new?"""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whereby_api_client import InvalidArgumentError
from whereby_api_client.webhooks import (
    EVENT_TYPES,
    AssistantRequested,
    Event,
    FrozenMapping,
    PayloadError,
    RecordingData,
    RecordingFinished,
    RoomClientJoined,
    RoomClientKnockCancelled,
    RoomClientKnocked,
    RoomClientLeft,
    RoomSessionEnded,
    RoomSessionStarted,
    TranscriptionFailed,
    TranscriptionFinished,
    TranscriptionStarted,
    UnknownEvent,
    WebhookError,
    parse,
)

ROOM = {
    "meetingId": "134",
    "roomName": "/støtte",
    "roomSessionId": "s-1",
    "subdomain": "example",
}
KNOCK = ROOM | {
    "displayName": "Zoë 張偉",
    "participantId": "p-1",
    "metadata": "m",
    "externalId": "x",
}
CLIENT = KNOCK | {
    "roleName": "granted_visitor",
    "numClients": 8,
    "numClientsByRoleName": {"host": 1, "visitor": 7},
    "isDialIn": False,
}
TRANSCRIPTION = {
    "roomName": "/støtte",
    "roomSessionId": "s-1",
    "transcriptionId": "t-1",
    "type": "RECORDING_TRANSCRIPTION",
    "status": "ready",
    "filename": "støtte.md",
    "storageType": "WHEREBY_HOSTED",
    "durationInSeconds": 61.5,
    "recordingId": "r-1",
    "error": "too quiet",
}
RECORDING = {
    "filename": "støtte.mp4",
    "recordingId": "r-1",
    "roomName": "/støtte",
    "status": "completed",
}
DOCUMENTED: list[tuple[str, type[Event[Any]], dict[str, Any]]] = [
    ("room.client.joined", RoomClientJoined, CLIENT),
    ("room.client.left", RoomClientLeft, CLIENT),
    ("room.client.knocked", RoomClientKnocked, KNOCK),
    ("room.client.knockCancelled", RoomClientKnockCancelled, KNOCK),
    ("room.session.started", RoomSessionStarted, ROOM),
    ("room.session.ended", RoomSessionEnded, ROOM),
    ("transcription.started", TranscriptionStarted, TRANSCRIPTION),
    ("transcription.finished", TranscriptionFinished, TRANSCRIPTION),
    ("transcription.failed", TranscriptionFailed, TRANSCRIPTION),
    ("recording.finished", RecordingFinished, RECORDING),
    ("assistant.requested", AssistantRequested, ROOM),
]


def body(kind: str, data: Any, **more: Any) -> bytes:
    """Write an event as Whereby does."""
    event = {
        "id": "e-1",
        "apiVersion": "1.0",
        "createdAt": "2025-01-21T16:29:59.681Z",
        "type": kind,
        "data": data,
    }
    return json.dumps(event | more, ensure_ascii=False).encode()


def snake(name: str) -> str:
    """Spell a name of the API as Python does."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@pytest.mark.parametrize(("kind", "expected", "data"), DOCUMENTED)
def test_documented_events(kind: str, expected: type[Event[Any]], data: dict[str, Any]) -> None:
    """Read every documented field of every documented type."""
    event = parse(body(kind, data))
    assert type(event) is expected
    assert event.id == "e-1"
    assert event.type == kind
    assert event.api_version == "1.0"
    assert event.created_at == datetime(2025, 1, 21, 16, 29, 59, 681000, UTC)
    assert not event.additional_properties
    for name, value in data.items():
        assert getattr(event.data, snake(name)) == value
    assert not event.data.additional_properties


def test_every_documented_type_is_tested() -> None:
    """Know the same types here as there."""
    assert {kind: expected for kind, expected, _ in DOCUMENTED} == dict(EVENT_TYPES)
    for kind, expected in EVENT_TYPES.items():
        assert attrs.fields_dict(expected)["type"].default == kind


@pytest.mark.parametrize(("kind", "expected", "data"), DOCUMENTED)
def test_bare_events(kind: str, expected: type[Event[Any]], data: dict[str, Any]) -> None:
    """Accept events with nothing but what they cannot be used without."""
    needed = {
        key: value
        for key, value in data.items()
        if key == ("roomName" if data.keys() >= ROOM.keys() else f"{kind.split('.')[0]}Id")
    }
    event = parse(json.dumps({"id": "e", "type": kind, "data": needed}))
    assert type(event) is expected
    assert event.created_at is None
    for missing in needed:
        rest = {key: value for key, value in data.items() if key != missing}
        with pytest.raises(PayloadError, match=missing):
            parse(body(kind, rest))


@pytest.mark.parametrize(("kind", "expected", "data"), DOCUMENTED)
def test_nulls_and_odd_values(kind: str, expected: type[Event[Any]], data: dict[str, Any]) -> None:
    """Take null for nothing, and keep what has another type than expected where it is found."""
    needed = {"roomName", "transcriptionId", "recordingId"} & data.keys()
    odd = {
        key: value if key in needed else ([{"odd": [1]}] if number % 2 else None)
        for number, (key, value) in enumerate(data.items())
    }
    event = parse(body(kind, odd, createdAt="yesterday", apiVersion=[1]))
    assert type(event) is expected
    assert event.additional_properties == {"createdAt": "yesterday", "apiVersion": (1,)}
    for key, value in odd.items():
        if key in needed:
            continue
        assert not getattr(event.data, snake(key))
        if value is not None:
            assert event.data.additional_properties[key] == ({"odd": (1,)},)


def test_new_fields_are_kept() -> None:
    """Keep fields that are not known, in the event and in its data."""
    data = RECORDING | {"codec": {"video": ["av1"]}, "hostedBy": None}
    event = parse(body("recording.finished", data, region="eu"))
    assert event.additional_properties == {"region": "eu"}
    assert event.data.additional_properties == {"codec": {"video": ("av1",)}, "hostedBy": None}


def test_new_types_are_kept() -> None:
    """Read an event of a type that is not known, with all that it says."""
    event = parse(body("room.client.waved", {"hands": [1, {"left": True}]}, region="eu"))
    assert type(event) is UnknownEvent
    assert event.type == "room.client.waved"
    assert event.data == {"hands": (1, {"left": True})}
    assert event.additional_properties == {"region": "eu"}
    assert type(parse(body("ping", None))) is UnknownEvent


def test_numbers_in_other_clothes() -> None:
    """Take numbers as ids, and whole numbers that are written as fractions."""
    event = parse(body("room.client.left", CLIENT | {"meetingId": 134, "numClients": 8.0}))
    assert isinstance(event, RoomClientLeft)
    assert (event.data.meeting_id, event.data.num_clients) == ("134", 8)
    assert parse(body("x", {}, id=7)).id == "7"


def test_dates() -> None:
    """Read dates with and without a zone as aware ones."""
    read = parse(body("x", {}, createdAt="2025-01-01T00:00:00")).created_at
    assert read == datetime(2025, 1, 1, tzinfo=UTC)
    assert parse(body("x", {}, createdAt=5)).additional_properties == {"createdAt": 5}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"id": "\xff"}',
        b"[" * 200_000,
        b"{}",
        b'{"id": "1"}',
        b'{"type": "x", "data": {}}',
        b'{"id": null, "type": "x", "data": {}}',
        b'{"id": "1", "type": ["x"], "data": {}}',
        b'{"id": {}, "type": "x", "data": {}}',
        b'{"id": "1", "type": "recording.finished"}',
        b'{"id": "1", "type": "recording.finished", "data": null}',
        b'{"id": "1", "type": "recording.finished", "data": []}',
        b'{"id": "1", "type": "recording.finished", "data": {"recordingId": {}}}',
        b'{"id": "1", "type": "x", "data": ' + b"[" * 990 + b"]" * 990 + b"}",
    ],
)
def test_bodies_that_are_no_events(content: bytes) -> None:
    """Refuse what is no event with an error of ours."""
    try:
        event = parse(content)
    except PayloadError as error:
        assert isinstance(error, WebhookError)
        assert error.__context__ is None
    else:
        # how deep is too deep is the interpreter's business
        assert content.startswith(b'{"id": "1", "type": "x"')
        assert type(event) is UnknownEvent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(DOCUMENTED), st.data())
def test_any_json_is_read_or_refused(
    documented: tuple[str, type[Event[Any]], dict[str, Any]], data: st.DataObject
) -> None:
    """Read or refuse an event whose fields hold anything at all; fail in no other way."""
    kind, _, sample = documented
    values = {key: data.draw(JSON | st.just(value)) for key, value in sample.items()}
    try:
        event = parse(body(kind, values, **{data.draw(st.text()): data.draw(JSON)}))
    except PayloadError:
        return
    hash(event)
    repr(event)


def test_events_are_frozen() -> None:
    """Let nobody change an event that others will see."""
    event = parse(body("room.client.joined", CLIENT | {"new": {"a": [1]}}))
    assert isinstance(event, RoomClientJoined)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.id = "other"  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.data.room_name = "/other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        event.data.num_clients_by_role_name["host"] = 2  # type: ignore[index]
    with pytest.raises(TypeError):
        event.data.additional_properties["new"]["a"] = 2


def test_events_travel() -> None:
    """Compare, hash, pickle and copy events: they are put into queues."""
    for kind, _, data in [*DOCUMENTED, ("new", UnknownEvent, {"a": [1, {"b": None}]})]:
        event = parse(body(kind, data))
        for other in (pickle.loads(pickle.dumps(event)), copy.deepcopy(event)):
            assert other == event
            assert hash(other) == hash(event)


def test_events_can_be_made_by_hand() -> None:
    """Make an event for the test of a handler without writing its type."""
    event = RecordingFinished(id="1", data=RecordingData(recording_id="r-1"))
    assert event.type == "recording.finished"
    assert event == parse('{"id":"1","type":"recording.finished","data":{"recordingId":"r-1"}}')


def test_frozen_mapping() -> None:
    """Behave as a mapping that cannot be changed."""
    mapping = FrozenMapping({"a": 1})
    assert mapping == {"a": 1}
    assert mapping == FrozenMapping({"a": 1})
    assert mapping != FrozenMapping({"a": 2})
    assert repr(mapping) == "{'a': 1}"
    assert json.dumps(dict(mapping)) == '{"a": 1}'


@pytest.mark.parametrize("body", [None, 5, {"id": "e-1"}, [1]])
def test_what_is_no_body(body: Any) -> None:
    """Refuse what was parsed already, and anything else that is no body."""
    with pytest.raises(InvalidArgumentError, match="body"):
        parse(body)
