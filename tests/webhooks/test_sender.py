"""Does the fake send webhooks as Whereby does: signed, retried, repeated, out of order?"""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from tests.helpers.virtual import anyio_backend  # noqa: F401 - a fixture
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing import webhooks as fakes
from whereby_api_client.testing.webhooks import Webhook, WebhookSender
from whereby_api_client.webhooks import (
    Event,
    RecordingFinished,
    RoomClientJoined,
    RoomClientLeft,
    RoomSessionEnded,
    RoomSessionStarted,
    TranscriptionFailed,
    TranscriptionFinished,
    TranscriptionStarted,
    Webhooks,
    parse,
    verify,
)

pytestmark = pytest.mark.anyio

SECRET = "made-up-secret-of-an-endpoint"
URL = "https://service.test/webhooks"


def receiver(**options: Any) -> tuple[Webhooks, list[str]]:
    """Make a receiver that notes the ids of events."""
    hooks = Webhooks(SECRET, **options)
    event_ids: list[str] = []

    @hooks.on(Event)
    async def note(event: Event[Any]) -> None:
        event_ids.append(event.id)

    return hooks, event_ids


async def test_events_of_records() -> None:
    """Make every kind of event from what the fake keeps, so that our own parser knows it."""
    fake = FakeWhereby()
    meeting = fake.add_meeting()
    recording = fake.add_recording(room_name="/støtte")
    transcription = fake.add_transcription(recording=recording)
    live = fake.add_transcription()
    failed = fake.add_transcription(job_time=10)
    failed.fail("too quiet")
    events: list[tuple[Webhook, type[Event[Any]]]] = [
        (fakes.client_joined(meeting), RoomClientJoined),
        (fakes.client_left(meeting), RoomClientLeft),
        (fakes.session_started(meeting), RoomSessionStarted),
        (fakes.session_ended(meeting), RoomSessionEnded),
        (fakes.recording_finished(recording), RecordingFinished),
        (fakes.transcription_started(transcription), TranscriptionStarted),
        (fakes.transcription_finished(transcription), TranscriptionFinished),
        (fakes.transcription_finished(live), TranscriptionFinished),
        (fakes.transcription_failed(failed), TranscriptionFailed),
    ]
    for webhook, expected in events:
        event = parse(webhook.body)
        assert type(event) is expected
        assert not event.additional_properties
        assert not event.data.additional_properties
    assert parse(events[4][0].body).data.room_name == "/støtte"
    assert parse(events[6][0].body).data.recording_id == recording.recording_id
    assert parse(events[8][0].body).data.error == "too quiet"
    changed = fakes.recording_finished(recording, status="odd", codec="av1")
    assert parse(changed.body).data.status == "odd"
    assert len({webhook.id for webhook, _ in events}) == len(events)


async def test_signed() -> None:
    """Sign with the receiver's secret, at the time of the clock."""
    hooks, event_ids = receiver()
    sender = WebhookSender(URL, SECRET, app=hooks)
    webhook = Webhook(type="new", data={"name": "Zoë"}, extra={"region": "eu"})
    assert await sender.send(webhook) == 200
    assert event_ids == [webhook.id]
    assert json.loads(webhook.body)["region"] == "eu"
    assert repr(sender) == f"<WebhookSender to {URL}, 1 attempts>"


async def test_forged() -> None:
    """Forge on demand: secret, age, header, body; none of it reaches a handler, none is retried."""
    hooks, event_ids = receiver()
    sender = WebhookSender(URL, SECRET, app=hooks)
    webhook = Webhook(type="new", data={})
    assert await sender.send(webhook, secret="guess") == 401
    assert await sender.send(webhook, age=301) == 401
    assert await sender.send(webhook, age=-310) == 401
    assert await sender.send(webhook, signature="") == 401
    assert await sender.send(webhook, signature="t=1,v1=00") == 401
    assert await sender.send(webhook, body=webhook.body.replace(b"new", b"old")) == 401
    assert event_ids == []
    assert sender.statuses == [401] * 6


async def test_retries() -> None:
    """Try twice more, after 1 and 2 s, when the receiver fails; each attempt is signed anew."""
    hooks = Webhooks(SECRET, tolerance=1, clock=anyio.current_time)
    calls: list[float] = []
    start = anyio.current_time()

    @hooks.on(Event)
    async def fails_twice(event: Event[Any]) -> None:
        calls.append(anyio.current_time() - start)
        if len(calls) < 3:
            raise RuntimeError("not now")

    fake = FakeWhereby(clock=anyio.current_time)
    sender = WebhookSender(URL, SECRET, app=hooks, clock=fake.clock)
    assert await sender.send(Webhook(type="new", data={})) == 200
    assert calls == pytest.approx([0, 1, 3])
    assert sender.statuses == [500, 500, 200]


async def test_slow_receivers() -> None:
    """Give up an attempt after 5 s, and try again; our receiver does the work once all the same."""
    hooks = Webhooks(SECRET)
    done: list[str] = []

    @hooks.on(Event)
    async def slow(event: Event[Any]) -> None:
        with anyio.CancelScope(shield=True):  # a server lets the handler run on
            await anyio.sleep(12)
            done.append(event.id)

    webhook = Webhook(type="new", data={})
    sender = WebhookSender(URL, SECRET, app=hooks)
    assert await sender.send(webhook, retries=1) == 200
    assert done == [webhook.id]


async def test_orders() -> None:
    """Send in any order, repeated, one by one or at once; each event is handled once."""
    webhooks = [Webhook(type="new", data={}, id=f"{number}") for number in range(10)]
    hooks, event_ids = receiver()
    await WebhookSender(URL, SECRET, app=hooks).send_all(webhooks, times=2)
    assert event_ids == [f"{number}" for number in range(10)]
    hooks, event_ids = receiver()
    await WebhookSender(URL, SECRET, app=hooks).send_all(webhooks, order="reversed")
    assert event_ids == [f"{number}" for number in reversed(range(10))]
    orders = []
    for at_once in (False, True):
        hooks, event_ids = receiver()
        sender = WebhookSender(URL, SECRET, app=hooks, seed=1)
        await sender.send_all(webhooks, times=3, order="shuffled", at_once=at_once)
        assert sorted(event_ids) == sorted(webhook.id for webhook in webhooks)
        assert sender.statuses == [200] * 30
        orders.append(event_ids)
    assert orders[0] != [webhook.id for webhook in webhooks]


async def test_no_receiver() -> None:
    """Report a receiver that is not there as no response."""
    sender = WebhookSender("http://127.0.0.1:1/webhooks", SECRET)
    assert await sender.send(Webhook(type="new", data={}), retries=0) is None
    assert sender.statuses == [None]


async def test_anybody_can_check_them() -> None:
    """Sign so that `verify` alone accepts it."""
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        seen.append((body, dict(scope["headers"])[b"whereby-signature"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    assert await WebhookSender(URL, SECRET, app=app).send(Webhook(type="new", data={})) == 204
    verify(*seen[0], SECRET)
