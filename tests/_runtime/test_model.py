"""Models survive what Python programs do to them, and nothing is lost or shown on the way."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from whereby_api_client import UNSET
from whereby_api_client._runtime.codec import DecodeError
from whereby_api_client.models import (
    AccessLink,
    Meeting,
    MeetingLiveTranscription,
    MeetingPage,
    MeetingRecordingDestination,
    ParticipantInsights,
    Recording,
)

from ..helpers.documents import SCHEMAS

SOURCE: dict[str, Any] = {
    **SCHEMAS["Meeting"]["example"],
    "hostRoomUrl": "https://x.whereby.com/a?roomKey=canary",
    "newField": {"a": [1]},
}
RECORDING: dict[str, Any] = SCHEMAS["Recording"]["example"]


class Plain(Meeting):
    """A subclass with attributes of its own."""

    note: str


@attrs.define(kw_only=True)
class Defined(Meeting):
    """A subclass of attrs' making."""

    note: str = "none"
    tags: list[str] = attrs.field(factory=list)


@attrs.define(kw_only=True)
class Demanding(Meeting):
    """A subclass whose own field has no default."""

    note: str


def pickled(value: Any) -> Any:
    """Pickle and unpickle."""
    return pickle.loads(pickle.dumps(value))


COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, pickled, attrs.evolve]


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("looked", [False, True], ids=["fresh", "looked at"])
@pytest.mark.parametrize("cls", [Meeting, Plain, Defined])
def test_copies(copied: Callable[[Any], Any], looked: bool, cls: type[Meeting]) -> None:
    """A copy is equal, has the same hash and JSON, and hides the secret, however it was made."""
    model = cls.from_dict(copy.deepcopy(SOURCE))
    if looked:
        assert model.additional_properties == {"newField": {"a": [1]}}
    again = copied(model)
    assert again == model
    if cls is not Defined:  # attrs takes the hash away where it makes the comparison
        assert hash(again) == hash(model)
    assert again.to_dict() == SOURCE
    assert "canary" not in repr(again) + repr(attrs.asdict(again))


def test_evolve_keeps_what_it_does_not_change() -> None:
    """`attrs.evolve` keeps unknown fields and the form of dates; both models own their fields."""
    model = Meeting.from_dict({**SOURCE, "endDate": "2030-01-01T00:00:00.500+01:00"})
    evolved = attrs.evolve(model, room_name="/b", host_room_url=None)
    assert evolved.to_dict() == {**model.to_dict(), "roomName": "/b", "hostRoomUrl": None}
    evolved.additional_properties["newField"] = 2
    assert model.additional_properties == {"newField": {"a": [1]}}


def test_attributes_of_subclasses() -> None:
    """`from_dict` gives a subclass, and what it adds survives."""
    plain = Plain.from_dict(SOURCE)
    plain.note = "mine"
    assert [copied(plain).note for copied in (copy.copy, copy.deepcopy, pickled)] == ["mine"] * 3
    defined = Defined.from_dict(SOURCE)
    assert (defined.note, defined.tags) == ("none", [])
    assert defined.tags is not Defined.from_dict(SOURCE).tags
    defined.note = "mine"
    assert [copied(defined).note for copied in COPIES] == ["mine"] * 4
    with pytest.raises(TypeError, match=r"Demanding\.note needs a default"):
        Demanding.from_dict(SOURCE)


def test_asdict() -> None:
    """`attrs.asdict` has public names only, and shows no secret."""
    values = attrs.asdict(Meeting.from_dict(SOURCE))
    assert not [name for name in values if name.startswith("_")]
    assert "canary" not in repr(values)
    assert values["host_room_url"] == SOURCE["hostRoomUrl"]
    request = MeetingRecordingDestination(provider="s3", access_key_secret="canary")
    assert "canary" not in repr(attrs.asdict(request)) + repr(request)
    assert json.dumps(request.to_dict()) == '{"provider": "s3", "accessKeySecret": "canary"}'


def test_equality_and_hash() -> None:
    """Equal are models of one class with the same fields, unknown ones included."""
    model = Meeting.from_dict(SOURCE)
    assert model == Meeting.from_dict(copy.deepcopy(SOURCE))
    assert model != Meeting.from_dict({**SOURCE, "newField": 2})
    assert model != Meeting.from_dict({**SOURCE, "roomName": "/other"})
    assert model != Plain.from_dict(SOURCE)
    assert len({model, Meeting.from_dict(SOURCE), Meeting.from_dict({**SOURCE, "a": 1})}) == 2


def test_absent_and_null() -> None:
    """Both are None; `to_dict` still tells them apart, and so it does for a copy."""
    model = Meeting.from_dict(SOURCE)
    for source in (SOURCE, {**SOURCE, "viewerRoomUrl": None}):
        model = Meeting.from_dict(source)
        assert model.viewer_room_url is None
        assert model.to_dict() == pickled(model).to_dict() == source
    model.viewer_room_url = "https://x"
    assert model.to_dict()["viewerRoomUrl"] == "https://x"
    model.host_room_url = None
    assert model.to_dict()["hostRoomUrl"] is None


def test_models_made_by_callers() -> None:
    """In a request UNSET is left out and None is null; a response made by hand has no null."""
    request = MeetingLiveTranscription(start_trigger=None, live_captions=True)
    assert request.destination is UNSET
    assert request.to_dict() == {"startTrigger": None, "liveCaptions": True}
    read = MeetingLiveTranscription.from_dict({"startTrigger": "none"})
    assert read.destination is UNSET  # callers read their own settings: no response
    read.destination = None
    assert read.to_dict() == {"startTrigger": "none", "destination": None}
    end = datetime(2030, 1, 1, tzinfo=UTC)
    meeting = Meeting(meeting_id="1", room_url="https://x", end_date=end)
    assert meeting.to_dict() == {
        "meetingId": "1",
        "roomUrl": "https://x",
        "endDate": "2030-01-01T00:00:00Z",
    }
    assert MeetingPage(results=[meeting], cursor=None).to_dict()["cursor"] is None


def test_a_narrowed_type_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    """What only we believe is None where it does not fit: raw in the JSON, one warning a field."""

    class Fresh(Recording):
        """A class that nobody has warned of yet."""

    odd = {**RECORDING, "startDate": "12 May, {noon}", "sizeInMegaBytes": "12 MB", "roomName": 5}
    with caplog.at_level(logging.WARNING, logger="whereby_api_client"):
        for _ in range(3):
            read = Fresh.from_dict(odd)
            assert (read.start_date, read.size_in_mega_bytes, read.room_name) == (None, None, None)
            assert read.end_date is not None
            assert read.to_dict() == pickled(Recording.from_dict(odd)).to_dict() == odd
    warnings = [r.getMessage() for r in caplog.records if "Fresh" in r.getMessage()]
    assert len(warnings) == 3
    assert "Fresh.startDate: expected a date-time, got other text" in "\n".join(warnings)
    assert "noon" not in "\n".join(warnings)


def test_what_the_document_promises_is_strict() -> None:
    """An id that is no string is refused, although a date beside it fails alone."""
    for odd, problem in (
        ({"recordingId": 5}, "Recording.recordingId: expected a string, got a number"),
        ({"startDate": "soon", "recordingId": None}, "Recording.recordingId: .* got null"),
    ):
        with pytest.raises(DecodeError, match=problem):
            Recording.from_dict({**RECORDING, **odd})
    with pytest.raises(DecodeError, match=r"Recording\.startDate: expected a value, got nothing"):
        Recording.from_dict({k: v for k, v in RECORDING.items() if k != "startDate"})


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2025-05-12T17:42:49z", (17, 42, 49, 0)),
        ("2025-05-12T17:42:49+0000", (17, 42, 49, 0)),
        ("2025-05-12T19:42:49+02", (17, 42, 49, 0)),
        ("2025-05-12T17:42Z", (17, 42, 0, 0)),
        ("2025-05-12T17:42:49.123456789Z", (17, 42, 49, 123456)),
        ("2025-05-12 17:42:49", (17, 42, 49, 0)),
    ],
)
def test_forms_of_dates(text: str, read: tuple[int, int, int, int]) -> None:
    """ISO 8601 is read in every form, promised or narrowed, and given back as it came."""
    expected = datetime(2025, 5, 12, *read, tzinfo=UTC)
    meeting = Meeting.from_dict({**SOURCE, "endDate": text})
    recording = Recording.from_dict({**RECORDING, "endDate": text})
    assert meeting.end_date == recording.end_date == expected
    assert meeting.to_dict()["endDate"] == recording.to_dict()["endDate"] == text


@pytest.mark.parametrize(
    "odd",
    [
        "+010000-01-01T00:00:00Z",
        "-000001-01-01T00:00:00.000Z",
        "9999-99-99T00:00:00Z",
        "Z",
        "soon",
        1e300,
        10**30,
        float("nan"),
        True,
        [],
        {},
    ],
)
def test_invalid_dates(odd: Any) -> None:
    """What is no date is an error where a date is promised, and None where it is not."""
    with pytest.raises(DecodeError, match=r"Meeting\.endDate: expected a date-time, got "):
        Meeting.from_dict({**SOURCE, "endDate": odd})
    read = Recording.from_dict({**RECORDING, "endDate": odd})
    assert read.end_date is None
    assert repr(read.to_dict()["endDate"]) == repr(odd)


def test_half_an_emoji() -> None:
    """A lone surrogate in any text comes back from `to_dict`."""
    half = "half an emoji: \ud83d"
    source = {**SOURCE, "roomName": half, "hostRoomUrl": half, "newField": [half, {"a": half}]}
    read = MeetingPage.from_dict({"results": [source], "cursor": half})
    assert read.to_dict() == pickled(read).to_dict() == {"results": [source], "cursor": half}


def test_a_page_is_shown_in_short() -> None:
    """The `repr` of a page shows its first items and how many more there are."""
    page = MeetingPage.from_dict({"results": [SOURCE] * 100, "cursor": None})
    assert len(repr(page)) < 1500
    assert "… 98 more]" in repr(page)


def test_unknown_attributes() -> None:
    """A wrong name is an AttributeError that says the class."""
    with pytest.raises(AttributeError, match="'Meeting' object has no attribute 'roomUrl'"):
        _ = Meeting.from_dict(SOURCE).roomUrl  # type: ignore[attr-defined]


def test_ids() -> None:
    """Each model knows whether it has an id of its own; a participant's session is not it."""
    assert (Meeting._id_name, Recording._id_name) == ("meeting_id", "recording_id")
    assert (ParticipantInsights._id_name, AccessLink._id_name) == ("participant_id", "")


@pytest.mark.parametrize(
    "use",
    [str, "{}".format, json.dumps, lambda unset: f"{unset:>9}", lambda unset: "%s" % unset],  # noqa: UP031
)
def test_unset_is_no_text(use: Callable[[Any], Any]) -> None:
    """UNSET refuses to become text or JSON."""
    with pytest.raises(TypeError):
        use(UNSET)


def test_unset_is_one_falsy_object() -> None:
    """It pickles and copies to itself, and can be neither made again nor subclassed."""
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert UNSET is copy.copy(UNSET) is copy.deepcopy(UNSET) is pickled(UNSET)
    unset: Any = type(UNSET)
    assert unset() is UNSET
    with pytest.raises(TypeError):
        type("Mine", (type(UNSET),), {})
