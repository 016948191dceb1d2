"""Deliveries of all eleven events pass the check that Whereby documents, and a meeting's life."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest

from whereby_api_client.testing import FakeWhereby, events
from whereby_api_client.testing.events import Webhook
from whereby_api_client.testing.webhooks import WebhookSender, send_job_events
from whereby_api_client.webhooks.events import EVENT_TYPES, parse

from ..helpers.fake_clients import plain

pytestmark = pytest.mark.anyio

NODE = shutil.which("node")
SECRET = "made-up"
# what Whereby documents, in our words: parse the body, write it again, sign time and body, compare
VALIDATOR = """
const crypto = require("crypto");
for (const {header, body, secret} of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
  const parts = Object.fromEntries(header.split(",").map((part) => part.split("=")));
  const signed = parts.t + "." + JSON.stringify(JSON.parse(body));
  const digest = crypto.createHmac("sha256", secret).update(signed).digest("hex");
  console.log(crypto.timingSafeEqual(Buffer.from(digest), Buffer.from(parts.v1)) ? "valid" : body);
}
"""


def one_of_each(fake: FakeWhereby) -> list[Webhook]:
    """Make an event of each type, with names that are not plain ASCII."""
    meeting = fake.add_meeting(request={"roomNamePrefix": "støtte"})
    recording = fake.add_recording(room_name="/støtte")
    transcription = fake.add_transcription(recording=recording)
    failed = fake.add_transcription(job_time=10)
    failed.fail("too quiet")
    return [
        events.client_knocked(meeting, displayName="李雷"),
        events.client_knock_cancelled(meeting),
        events.client_joined(meeting, metadata='{"a": 1.0}'),
        events.session_started(meeting),
        events.client_left(meeting),
        events.session_ended(meeting),
        events.assistant_requested(meeting),
        events.recording_finished(recording, sizeInMegaBytes=5.0, ratio=1e-7),
        events.transcription_started(transcription),
        events.transcription_finished(transcription, odd={"10": 1, "9": 2}),
        events.transcription_failed(failed),
    ]


def inbox(received: list[tuple[str, bytes]]) -> Any:
    """Make an ASGI application that keeps signatures and bodies."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        received.append((dict(scope["headers"])[b"whereby-signature"].decode(), body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def delivered(webhooks: list[Webhook]) -> list[tuple[str, bytes]]:
    """Send webhooks to an application inside the process, and return headers and bodies."""
    received: list[tuple[str, bytes]] = []
    await WebhookSender("https://service.test/", SECRET, app=inbox(received)).send_all(webhooks)
    return received


async def test_every_event_has_a_builder() -> None:
    """Build every documented type, with every documented field and no other."""
    webhooks = one_of_each(FakeWhereby())
    assert {webhook.type for webhook in webhooks} == set(EVENT_TYPES)
    for webhook in webhooks:
        event = parse(webhook.body)
        assert type(event) is EVENT_TYPES[webhook.type]
        assert not event.additional_properties
        assert set(event.data.additional_properties) <= {"sizeInMegaBytes", "ratio", "odd"}


async def test_documented_check_in_python() -> None:
    """Sign bytes that survive being parsed and written again, for integers and fractions."""
    for header, body in await delivered(one_of_each(FakeWhereby())):
        fields = dict(part.split("=") for part in header.split(","))
        digest = hmac.new(SECRET.encode(), fields["t"].encode() + b"." + body, hashlib.sha256)
        assert digest.hexdigest() == fields["v1"]
        assert re.search(rb":-?[0-9]+\.0[,}]", body) is None, body
    (finished,) = [w for w in one_of_each(FakeWhereby()) if w.type == "transcription.finished"]
    assert b'"durationInSeconds":1800,' in finished.body


@pytest.mark.skipif(NODE is None, reason="node is not installed")
async def test_documented_check_in_node() -> None:
    """Pass the documented check as JavaScript carries it out."""
    assert NODE is not None
    cases = [
        {"header": header, "body": body.decode(), "secret": SECRET}
        for header, body in await delivered(one_of_each(FakeWhereby()))
    ]
    sent = json.dumps(cases).encode()
    done = await anyio.run_process([NODE, "-e", VALIDATOR], input=sent)
    assert done.stdout.decode().split() == ["valid"] * len(EVENT_TYPES)


async def test_one_subdomain_and_the_session() -> None:
    """Name the subdomain of the room's URL; have a session's id where a session is."""
    fake = FakeWhereby()
    meeting = fake.add_meeting()
    before, during = events.client_knocked(meeting), events.session_started(meeting)
    after = events.client_left(meeting)
    assert before.data["subdomain"] == httpx.URL(meeting.room_url).host.partition(".")[0]
    assert before.data["roomSessionId"] is None
    assert after.data["roomSessionId"] == during.data["roomSessionId"] is not None


# ---------------------------------------------------------------------------- a meeting's life


async def test_play() -> None:
    """Play a meeting: events in order, a recording, a transcript, insights that agree with them."""
    deliveries: list[tuple[str, bytes]] = []
    app = inbox(deliveries)
    fake = FakeWhereby(webhooks=WebhookSender("https://service.test/", SECRET, app=app), seed=3)
    fake.clock.freeze()
    meeting = fake.add_meeting(request={"isLocked": True})
    played = await fake.play(meeting, participants=3, recorded=True, transcribed=True)
    received = [json.loads(body) for _, body in deliveries]

    assert [event["id"] for event in received] == [webhook.id for webhook in played]
    assert [event["type"] for event in received] == [
        "room.client.joined",
        "room.client.knocked",
        "room.session.started",
        "transcription.started",
        "room.client.joined",
        "room.client.knocked",
        "room.client.joined",
        "room.client.left",
        "room.client.left",
        "room.client.left",
        "room.session.ended",
        "recording.finished",
        "transcription.finished",
    ]
    moments = [event["createdAt"] for event in received]
    assert moments == sorted(moments)
    assert [e["data"]["numClients"] for e in received if "numClients" in e["data"]] == [
        1, 2, 3, 2, 1, 0,
    ]  # fmt: skip
    assert received[4]["data"]["numClientsByRoleName"] == {"host": 1, "visitor": 1}
    assert received[9]["data"]["numClientsByRoleName"] == {}
    session = received[2]["data"]["roomSessionId"]
    assert [event["data"].get("roomSessionId") for event in received] == [
        None, None, *[session] * 9, None, session,
    ]  # fmt: skip

    async with plain(fake) as client:
        (recording,) = (await client.get("/recordings")).json()["results"]
        assert recording["recordingId"] == received[11]["data"]["recordingId"]
        assert recording["roomSessionId"] == session
        assert recording["filename"].endswith("Z.mp4")
        (transcription,) = (await client.get("/transcriptions")).json()["results"]
        assert transcription["state"] == "ready"
        (room,) = (await client.get("/insights/rooms")).json()["results"]
        query = {"roomName": meeting.room_name}
        (insights,) = (await client.get("/insights/room-sessions", params=query)).json()["results"]
        people = await client.get("/insights/participants", params={"roomSessionId": session})
    assert room["totalSessions"] == 1
    assert insights["roomSessionId"] == session
    assert insights["totalUniqueParticipants"] == len(people.json()["results"]) == 3
    assert insights["totalParticipantMinutes"] == room["totalParticipantMinutes"] == 81
    joined = {e["data"]["participantId"] for e in received if e["type"] == "room.client.joined"}
    assert joined == {person["participantId"] for person in people.json()["results"]}


async def test_play_again() -> None:
    """Count a second session of the same room on top of the first."""
    fake = FakeWhereby()
    meeting = fake.add_meeting()
    opened = await fake.play(meeting, duration=60)
    first = meeting.room_session_id
    # nobody knocks at an open door
    assert "room.client.knocked" not in {webhook.type for webhook in opened}
    fake.clock.advance(timedelta(minutes=5))
    await fake.play(meeting, duration=60)
    (room,) = fake.rooms.all()
    assert room.json()["totalSessions"] == len(fake.sessions) == 2
    assert room.json()["firstSessionStartedAt"] < room.json()["lastSessionStartedAt"]
    assert meeting.room_session_id != first


async def test_play_alone() -> None:
    """Begin no session with one participant: there is nothing to record."""
    fake = FakeWhereby()
    meeting = fake.add_meeting()
    played = await fake.play(meeting, participants=1)
    assert [webhook.type for webhook in played] == ["room.client.joined", "room.client.left"]
    assert not fake.sessions


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"participants": 0}, "participants must be at least 1; got 0"),
        ({"participants": 1, "recorded": True}, "participants must be at least 2 for a session"),
        ({"duration": 0}, "duration must be a positive number of seconds; got 0"),
    ],
)
async def test_play_what_cannot_be(options: dict[str, Any], error: str) -> None:
    """Refuse a meeting without participants, without a session to record, without length."""
    fake = FakeWhereby()
    with pytest.raises(ValueError, match=error):
        await fake.play(fake.add_meeting(), **options)


async def test_events_of_jobs() -> None:
    """Report transcriptions as they begin and end, but not those that were added as finished."""
    received: list[tuple[str, bytes]] = []
    fake = FakeWhereby()
    fake.clock.freeze()
    sender = WebhookSender("https://service.test/", SECRET, app=inbox(received))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send_job_events, fake.state, sender, 0.001)
        await anyio.wait_all_tasks_blocked()
        fake.add_transcription()
        fake.add_transcription(transcription_id="running", job_time=60)
        while len(received) < 1:  # noqa: ASYNC110 - the application is not ours
            await anyio.sleep(0.001)
        fake.clock.advance(60)
        while len(received) < 2:  # noqa: ASYNC110
            await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()
    events_received = [parse(body) for _, body in received]
    assert [event.type for event in events_received] == [
        "transcription.started",
        "transcription.finished",
    ]
    assert {event.data.transcription_id for event in events_received} == {"running"}
