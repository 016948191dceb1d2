"""Does each event reach its handlers once, however often and in whatever order it is delivered?"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from whereby_api_client import InvalidArgumentError
from whereby_api_client.webhooks import (
    Event,
    PayloadError,
    RecentEvents,
    RecordingFinished,
    RoomSessionEnded,
    RoomSessionStarted,
    SignatureError,
    UnknownEvent,
    Webhooks,
    sign,
)

pytestmark = pytest.mark.anyio

SECRET = "made-up-secret-of-an-endpoint"


def delivery(
    event_id: str = "e-1", kind: str = "recording.finished", **data: Any
) -> tuple[bytes, str]:
    """Write and sign an event as Whereby does."""
    values = {"recordingId": "r-1", "roomName": "/støtte"} | data
    body = json.dumps({"id": event_id, "type": kind, "data": values}, ensure_ascii=False).encode()
    return body, sign(body, SECRET)


class EventIds(list[str]):
    """A handler that notes the ids of the events it gets."""

    async def __call__(self, event: Event[Any]) -> None:
        await anyio.lowlevel.checkpoint()
        self.append(event.id)


async def test_handlers_by_kind() -> None:
    """Call the handlers of the event's class, its type, its base and of several kinds."""
    hooks = Webhooks(SECRET)
    by_class, by_type, by_base, of_two, unknown = (
        EventIds(),
        EventIds(),
        EventIds(),
        EventIds(),
        EventIds(),
    )
    hooks.on(RecordingFinished)(by_class)
    hooks.on("recording.finished", "room.client.waved")(by_type)
    hooks.on(Event)(by_base)
    hooks.on(RoomSessionStarted, RoomSessionEnded)(of_two)
    hooks.on(UnknownEvent)(unknown)
    kinds = ["recording.finished", "room.session.ended", "room.client.waved", "transcription.new"]
    for number, kind in enumerate(kinds):
        received = await hooks.receive(*delivery(f"{number}", kind))
        assert received.event.id == f"{number}"
        assert not received.is_repeated
    assert by_class == ["0"]
    assert by_type == ["0", "2"]
    assert by_base == ["0", "1", "2", "3"]
    assert of_two == ["1"]
    assert unknown == ["2", "3"]


async def test_a_handler_is_called_once_per_event() -> None:
    """Call a handler once although two of its kinds fit."""
    hooks = Webhooks(SECRET)
    event_ids = EventIds()
    hooks.on(RecordingFinished, Event)(event_ids)
    await hooks.receive(*delivery())
    assert event_ids == ["e-1"]


async def test_order_of_registration() -> None:
    """Call the handlers one after the other, as they were registered."""
    hooks = Webhooks(SECRET)
    called: list[str] = []

    @hooks.on(RecordingFinished)
    async def first(event: RecordingFinished) -> None:
        called.append("first begins")
        await anyio.lowlevel.checkpoint()
        called.append("first ends")

    @hooks.on(Event)
    async def second(event: Event[Any]) -> None:
        called.append("second")

    await hooks.receive(*delivery())
    assert called == ["first begins", "first ends", "second"]


async def test_repeated_deliveries() -> None:
    """Call nobody for an event that was handled, signed anew or not."""
    hooks = Webhooks(SECRET)
    event_ids = EventIds()
    hooks.on(Event)(event_ids)
    body, header = delivery()
    assert not (await hooks.receive(body, header)).is_repeated
    assert (await hooks.receive(body, header)).is_repeated
    import time

    assert (await hooks.receive(body, sign(body, SECRET, time.time() + 1))).is_repeated
    assert event_ids == ["e-1"]


async def test_forged_deliveries() -> None:
    """Call nobody for what is not signed, and do not remember its id either."""
    hooks = Webhooks(SECRET)
    event_ids = EventIds()
    hooks.on(Event)(event_ids)
    body, header = delivery()
    for forged in (None, sign(body, "guess"), header.replace("t=", "t=1"), sign(body, SECRET, 1)):
        with pytest.raises(SignatureError):
            await hooks.receive(body, forged)
    assert event_ids == []
    assert not (await hooks.receive(body, header)).is_repeated


async def test_signed_nonsense() -> None:
    """Refuse a signed body that is no event."""
    with pytest.raises(PayloadError):
        await Webhooks(SECRET).receive(b"{}", sign(b"{}", SECRET))


async def test_failed_handlers_get_another_chance() -> None:
    """Handle an event again whose handler has failed, when it is delivered again."""
    hooks = Webhooks(SECRET)
    attempts: list[str] = []

    @hooks.on(RecordingFinished)
    async def fails_once(event: RecordingFinished) -> None:
        attempts.append(event.id)
        if len(attempts) == 1:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk"):
        await hooks.receive(*delivery())
    assert not (await hooks.receive(*delivery())).is_repeated
    assert (await hooks.receive(*delivery())).is_repeated
    assert attempts == ["e-1", "e-1"]


async def test_repetition_during_handling() -> None:
    """Let a repetition that arrives during the handling wait for how it ends."""
    hooks = Webhooks(SECRET)
    entered, go_on = anyio.Event(), anyio.Event()
    calls: list[str] = []
    repeated: list[bool] = []

    @hooks.on(RecordingFinished)
    async def slow(event: RecordingFinished) -> None:
        calls.append(event.id)
        entered.set()
        await go_on.wait()
        if len(calls) == 1:
            raise RuntimeError("too late")

    async def again() -> None:
        repeated.append((await hooks.receive(*delivery())).is_repeated)

    async def first() -> None:
        with pytest.raises(RuntimeError):
            await hooks.receive(*delivery())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await entered.wait()
        tasks.start_soon(again)
        tasks.start_soon(again)
        await anyio.wait_all_tasks_blocked()
        assert calls == ["e-1"]
        go_on.set()
    # the first failed, so one of the two repetitions did the work, and the other had none
    assert calls == ["e-1", "e-1"]
    assert sorted(repeated) == [False, True]


async def test_cancelled_handling() -> None:
    """Leave an event open whose handling was cancelled."""
    hooks = Webhooks(SECRET)
    event_ids: list[str] = []

    @hooks.on(RecordingFinished)
    async def stuck_once(event: RecordingFinished) -> None:
        event_ids.append(event.id)
        if len(event_ids) == 1:
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hooks.receive, *delivery())
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert not (await hooks.receive(*delivery())).is_repeated
    assert event_ids == ["e-1", "e-1"]


async def test_memory_is_bounded() -> None:
    """Forget the oldest events first, and only beyond the size."""
    memory = RecentEvents(size=2)
    for event_id in ("a", "b", "c"):
        assert await memory.begin(event_id)
        await memory.end(event_id, handled=True)
    assert not await memory.begin("b")
    assert not await memory.begin("c")
    assert await memory.begin("a")
    assert repr(memory) == "<RecentEvents 2 of 2, 1 at work>"
    with pytest.raises(InvalidArgumentError):
        RecentEvents(size=0)


async def test_memory_of_ones_own() -> None:
    """Ask a memory that is shared with others, for example over a database."""

    class Shared:
        def __init__(self) -> None:
            self.handled = {"e-1"}

        async def begin(self, event_id: str) -> bool:
            return event_id not in self.handled

        async def end(self, event_id: str, *, handled: bool) -> None:
            if handled:
                self.handled.add(event_id)

    shared = Shared()
    hooks = Webhooks(SECRET, seen=shared)
    assert (await hooks.receive(*delivery("e-1"))).is_repeated
    assert not (await hooks.receive(*delivery("e-2"))).is_repeated
    assert shared.handled == {"e-1", "e-2"}


async def test_memory_over_a_network() -> None:
    """Tell a slow memory how the handling ended, also when it was cancelled."""
    ended: list[tuple[str, bool]] = []

    class Slow:
        async def begin(self, event_id: str) -> bool:
            await anyio.lowlevel.checkpoint()
            return True

        async def end(self, event_id: str, *, handled: bool) -> None:
            await anyio.lowlevel.checkpoint()
            ended.append((event_id, handled))

    hooks = Webhooks(SECRET, seen=Slow())

    @hooks.on(RecordingFinished)
    async def stuck(event: RecordingFinished) -> None:
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hooks.receive, *delivery())
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert ended == [("e-1", False)]


async def test_several_secrets_and_tolerance() -> None:
    """Take several secrets while one is being changed, and a window of one's own."""
    body, header = delivery()
    await Webhooks(["new", SECRET]).receive(body, header)
    moment = float(header[2:].split(",")[0])
    hooks = Webhooks(SECRET, tolerance=5, clock=lambda: moment + 6)
    with pytest.raises(SignatureError):
        await hooks.receive(body, header)


@pytest.mark.parametrize(
    "options",
    [{"tolerance": -1}, {"tolerance": "60"}, {"max_body": 0}, {"max_body": "1 MB"}],
    ids=["negative", "text", "zero", "size in words"],
)
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    """Refuse them when the receiver is made, and not with each delivery."""
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        Webhooks(SECRET, **options)


async def test_bodies_of_every_kind() -> None:
    """Receive bytes in whatever holds them."""
    body, header = delivery()
    for number, kind in enumerate((bytes, bytearray, memoryview)):
        received = await Webhooks(SECRET).receive(kind(body), header)
        assert received.event.id == "e-1", number


async def test_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the secret from the environment, once; fail at once when there is none."""
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", SECRET)
    hooks = Webhooks()
    monkeypatch.delenv("WHEREBY_WEBHOOK_SECRET")
    await hooks.receive(*delivery())
    assert SECRET not in repr(hooks)
    with pytest.raises(InvalidArgumentError):
        Webhooks()


async def test_watch() -> None:
    """Wake those who wait for an id when an event mentions it, before the handlers run."""
    hooks = Webhooks(SECRET)
    with hooks.watch("r-1") as watch, hooks.watch("r-1") as other:
        await hooks.receive(*delivery("e-0", recordingId="r-0"))
        assert watch.events == []
        await hooks.receive(*delivery("e-1"))
        await watch.next()
        await other.next()
        with anyio.move_on_after(0) as scope:
            await watch.next()
        assert scope.cancelled_caught
        await hooks.receive(*delivery("e-2", "recording.new"))
        await watch.next()
    await hooks.receive(*delivery("e-3"))
    assert [event.id for event in watch.events] == ["e-1", "e-2"]


def test_handlers_that_cannot_work() -> None:
    """Refuse plain functions and invalid kinds when they are registered."""
    hooks = Webhooks(SECRET)

    def plain(event: Event[Any]) -> None:
        raise AssertionError

    with pytest.raises(InvalidArgumentError, match="async def"):
        hooks.on(Event)(plain)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="at least one"):
        hooks.on()
    for kind in (int, 5, None):
        with pytest.raises(InvalidArgumentError, match="must be classes of events"):
            hooks.on(kind)  # type: ignore[type-var, arg-type]

    async def with_context(context: str, event: Event[Any]) -> None:
        raise AssertionError

    hooks.on(Event)(functools.partial(with_context, "context"))


# ------------------------------------------------------------------------------------------ ASGI

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def post(
    hooks: Webhooks,
    body: bytes,
    header: str | None,
    *,
    method: str = "POST",
    more_headers: list[tuple[bytes, bytes]] | None = None,
    leave: bool = False,
) -> tuple[int, str] | None:
    """Send a delivery as an ASGI server would, in pieces; return status and text."""
    headers = [(b"host", b"x"), *(more_headers or [])]
    if header is not None:
        headers.append((b"whereby-signature", header.encode("latin-1")))
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)] or [b""]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if leave:
        messages.append({"type": "http.disconnect"})
    else:
        messages.append({"type": "http.request"})
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "headers": headers}
    await hooks(scope, receive, send)
    if not sent:
        return None
    start, content = sent
    assert dict(start["headers"])[b"content-length"] == str(len(content["body"])).encode()
    return start["status"], content["body"].decode()


async def test_asgi() -> None:
    """Respond to deliveries by ASGI: good ones, repeated ones, forged ones, broken ones."""
    hooks = Webhooks(SECRET)
    event_ids = EventIds()
    hooks.on(Event)(event_ids)
    body, header = delivery()
    assert await post(hooks, body, header) == (200, "")
    assert await post(hooks, body, header) == (200, "")
    assert await post(hooks, body, None) == (401, "the signature was not accepted")
    assert await post(hooks, body, sign(body, "guess")) == (401, "the signature was not accepted")
    twice = [(b"Whereby-Signature", header.encode())]
    assert (await post(hooks, body, header, more_headers=twice) or [0])[0] == 401
    assert (await post(hooks, b"{}", sign(b"{}", SECRET)) or [0])[0] == 400
    assert (await post(hooks, body, header, method="GET") or [0])[0] == 405
    assert event_ids == ["e-1"]


async def test_asgi_large_and_broken_off() -> None:
    """Read no more than `max_body`, and forget a delivery whose sender goes away."""
    hooks = Webhooks(SECRET, max_body=1000)
    body, header = delivery(metadata="x" * 2000)
    assert (await post(hooks, body, header) or [0])[0] == 413
    body, header = delivery()
    assert await post(hooks, body, header, leave=True) is None


async def test_asgi_leaves_handlers_errors_to_the_framework() -> None:
    """Let the error of a handler through: the framework reports it and responds with 500."""
    hooks = Webhooks(SECRET)

    @hooks.on(Event)
    async def fails(event: Event[Any]) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        await post(hooks, *delivery())


async def test_asgi_other_protocols() -> None:
    """Refuse web sockets and lifespans in the way that ASGI servers understand."""
    hooks = Webhooks(SECRET)

    async def never(*arguments: Any) -> Any:
        raise AssertionError

    with pytest.raises(NotImplementedError):
        await hooks({"type": "lifespan"}, never, never)


async def test_refusals_are_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """Tell the operator why a delivery was refused, and nothing that helps to forge one."""
    body, header = delivery()
    with caplog.at_level(logging.DEBUG):
        await post(Webhooks("other-secret"), body, header)
    assert "does not match" in caplog.text
    assert "other-secret" not in caplog.text
    assert header[-64:] not in caplog.text
