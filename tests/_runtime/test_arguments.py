"""What callers give: the checks before anything is sent, and the exact form on the wire."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from whereby_api_client import UNSET, InvalidArgumentError
from whereby_api_client._runtime import arguments as arg
from whereby_api_client.models import (
    CreatedTranscription,
    MeetingRecordingDestination,
    ParticipantInsights,
    Recording,
    RoomMode,
)

from ..helpers.documents import SCHEMAS, example_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("/room-1", "room-1"),
        ("room-1", "room-1"),
        ("/a/b c?#", "a%2Fb%20c%3F%23"),
        ("räum", "r%C3%A4um"),
        ("a..b", "a..b"),
        ("%2e%2e", "%252e%252e"),
    ],
)
def test_room_segment(name: str, sent: str) -> None:
    """A room name goes into the path without its leading slash, percent-encoded as one segment."""
    assert arg.room_segment("room_name", name) == sent


@pytest.mark.parametrize("name", ["", " ", "/", ".", "..", "/..", "a/../b", "a\\..\\b", None, 5])
def test_segment_refused(name: Any) -> None:
    """What would lead to another address is refused, by the argument's name."""
    with pytest.raises(InvalidArgumentError, match=r"^room_name: "):
        arg.room_segment("room_name", name)


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (arg.string, 5),
        (arg.string, None),
        (arg.string, b"bytes"),
        (arg.string, "lone \ud800 surrogate"),
        (arg.boolean, 1),
        (arg.integer, True),
        (arg.integer, 1.0),
        (arg.number, float("nan")),
        (arg.number, "1"),
        (arg.date_time, "2025-01-01T00:00:00Z"),
        (arg.date_time, datetime(2025, 1, 1)),
        (arg.json_object, [1]),
        (arg.json_object, {"at": datetime(2025, 1, 1)}),
        (arg.json_object, {"of": object()}),
        (arg.room_name, "/"),
    ],
)
def test_refused(check: Any, bad: Any) -> None:
    """A value of a wrong type is refused with an error that starts with the argument's name."""
    with pytest.raises(InvalidArgumentError, match=r"^thing"):
        check("thing", bad)


def test_naive_date_says_so() -> None:
    """A date-time without timezone gets an error that says so and what to do."""
    with pytest.raises(
        InvalidArgumentError, match=r"end_date: 2025-01-01T00:00:00 has no timezone"
    ):
        arg.date_time("end_date", datetime(2025, 1, 1))


def test_bounds() -> None:
    """The documented bounds of a number are checked, and the message tells them."""
    assert arg.integer("limit", 1, minimum=1, maximum=100) == 1
    assert arg.integer("limit", 100, minimum=1, maximum=100) == 100
    with pytest.raises(InvalidArgumentError, match="limit: must be at least 1; got 0"):
        arg.integer("limit", 0, minimum=1, maximum=100)
    with pytest.raises(InvalidArgumentError, match="limit: must be at most 100; got 101"):
        arg.integer("limit", 101, minimum=1, maximum=100)


@pytest.mark.parametrize(
    "check", [arg.string, arg.boolean, arg.integer, arg.date_time, arg.room_name]
)
def test_left_out_and_null(check: Any) -> None:
    """`UNSET` passes every check; `None` only where the API documents null."""
    assert check("x", UNSET) is UNSET
    assert check("x", None, null=True) is None
    with pytest.raises(InvalidArgumentError, match="leave the argument out"):
        check("x", None)


def test_a_lone_string_means_one_item() -> None:
    """`fields="hostRoomUrl"` is that one field, and not eleven letters."""
    assert arg.array("fields", "hostRoomUrl", arg.enum) == ["hostRoomUrl"]
    assert arg.array("fields", ("a", "b"), arg.enum) == ["a", "b"]
    with pytest.raises(InvalidArgumentError, match="fields: must be a sequence; got bytes"):
        arg.array("fields", b"hostRoomUrl", arg.enum)
    with pytest.raises(InvalidArgumentError, match=r"ids\[1\]: must be a str; got int"):
        arg.array("ids", ["a", 1], arg.string)


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ("gruop", "group"),
        ("Group", "group"),
        ("goup", "group"),
        ("grroup", "group"),
        ("hostRoomURL", "hostRoomUrl"),
        ("human-shirt", "human-short"),
    ],
)
def test_a_slip_in_an_enum_value_is_refused(value: str, listed: str) -> None:
    """A listed value with one slip of a letter is refused, and the message names the listed one."""
    with pytest.raises(
        InvalidArgumentError, match=f"x: must be one of .*; got '{value}', did you mean '{listed}'"
    ):
        arg.enum("x", value, ("normal", listed))


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ("dialIn", "hostRoomUrl"),
        ("en-AU", "en-US"),
        ("de-CH", "de-DE"),
        ("mp3", "mp4"),
        ("automatic-3rd-participant", "automatic-2nd-participant"),
        (RoomMode("gruop"), "group"),
    ],
)
def test_unlisted_enum_values_are_sent(value: str, listed: str) -> None:
    """What can be a new value is sent as it is; a member always is."""
    assert arg.enum("x", value, (listed,)) == value


def test_ids_and_their_models() -> None:
    """Where an id goes, its model goes; a model of something else is refused."""
    recording = Recording.from_dict(SCHEMAS["Recording"]["example"])
    assert arg.item_id("recording_id", recording, "recording_id") == recording.recording_id
    assert arg.item_id("recording_id", "r1", "recording_id") == "r1"
    assert arg.array("ids", recording, arg.item_id, id_name="recording_id") == [
        recording.recording_id
    ]
    created = CreatedTranscription(transcription_id="t1")
    assert arg.item_id("transcription_id", created, "transcription_id") == "t1"
    participant = ParticipantInsights.from_dict(example_of(SCHEMAS["ParticipantInsights"]))
    with pytest.raises(InvalidArgumentError, match="room_session_id: must be an id, or a model of"):
        arg.item_id("room_session_id", participant, "room_session_id")
    for wrong in (created, 5, None, UNSET.__class__):
        with pytest.raises(InvalidArgumentError, match=r"^recording_id: "):
            arg.item_id("recording_id", wrong, "recording_id")


def test_a_model_that_cannot_be_sent() -> None:
    """What a model was read from is checked like any other argument before it is sent."""
    read = MeetingRecordingDestination.from_dict({"provider": "s3", "bucket": "half \ud83d"})
    with pytest.raises(InvalidArgumentError, match=r"x\.bucket: holds a lone surrogate"):
        arg.json_object("x", read)


def test_sort_orders() -> None:
    """A direction that does not exist is refused; a field alone is for the API to check."""
    assert arg.string("sort_by", "startDate:asc", sort_order=True) == "startDate:asc"
    assert arg.string("sort_by", "startDate", sort_order=True) == "startDate"
    with pytest.raises(InvalidArgumentError, match="sort_by: must end with :asc or :desc; got"):
        arg.string("sort_by", "startdate:up", sort_order=True)


def test_query() -> None:
    """Each style writes its own form; values are percent-encoded, the comma between them is not."""
    query = arg.query(
        arg.form("cursor", "a b/ö"),
        arg.form("skipped", UNSET),
        arg.form("flag", True),
        arg.form("fields", ["a,b", "c"], explode=False),
        arg.deep_object(
            "roomName", {"exact": "x", "contains": "x", "none": None}, room_names=("exact",)
        ),
        arg.deep_object("createdAt", {"from": datetime(2025, 1, 1, tzinfo=UTC)}),
        extra={"more": [1, 2]},
    )
    assert query == (
        "cursor=a%20b%2F%C3%B6&flag=true&fields=a%2Cb,c&roomName%5Bexact%5D=%2Fx"
        "&roomName%5Bcontains%5D=x&createdAt%5Bfrom%5D=2025-01-01T00%3A00%3A00Z&more=1&more=2"
    )


def test_body_leaves_out_unset_arguments() -> None:
    """A body holds the given arguments and the caller's extra fields, which win."""
    assert arg.body({"a": 1, "b": UNSET, "c": None}, {"d": 2, "a": 3}) == {
        "a": 3,
        "c": None,
        "d": 2,
    }


def test_upload_or_fields() -> None:
    """An upload takes the image or the named defaults: one of them."""
    arg.upload_or_fields("image", b"x", theme=UNSET)
    arg.upload_or_fields("image", UNSET, theme="default")
    with pytest.raises(InvalidArgumentError, match="either image or theme, not both"):
        arg.upload_or_fields("image", b"x", theme="default")
    with pytest.raises(InvalidArgumentError, match="give image, or one of palette, theme"):
        arg.upload_or_fields("image", UNSET, palette=UNSET, theme=UNSET)


async def test_image_sources(tmp_path: Path) -> None:
    """An image is its path, its bytes, or a binary file; its type is told by its first bytes."""
    png = b"\x89PNG\r\n\x1a\nrest"
    path = tmp_path / 'my "logo"\r\n.png'
    path.write_bytes(png)
    assert await arg.image("image", png) == ("image.png", png, "image/png")
    assert await arg.image("image", path) == ("mylogo.png", png, "image/png")
    assert await arg.image("image", str(path)) == ("mylogo.png", png, "image/png")
    with path.open("rb") as file:
        assert await arg.image("image", file) == ("mylogo.png", png, "image/png")
    assert (await arg.image("image", io.BytesIO(b"\xff\xd8\xff!")))[2] == "image/jpeg"
    assert (await arg.image("image", b"RIFF....WEBPxx"))[2] == "image/webp"
    assert (await arg.image("image", b"unknown"))[2] == "application/octet-stream"


@pytest.mark.parametrize("bad", [b"", io.StringIO("text"), 5, "no/such/file.png", "nul\0byte"])
async def test_image_refused(bad: Any) -> None:
    """What is no image is refused by the argument's name."""
    with pytest.raises(InvalidArgumentError, match=r"^image: "):
        await arg.image("image", bad)
