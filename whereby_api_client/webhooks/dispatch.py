"""From deliveries to handlers: each event once, in any ASGI framework or none."""

from __future__ import annotations

import inspect
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, overload

import anyio
from attrs import frozen

from .._runtime import checks
from ..errors import InvalidArgumentError
from .errors import PayloadError, SignatureError
from .events import Event, parse
from .signature import HEADER, TOLERANCE, Secrets, checked_tolerance, verify

_logger: logging.Logger = logging.getLogger("whereby_api_client")

EventT = TypeVar("EventT", bound=Event[Any])
HandlerT = TypeVar("HandlerT", bound=Callable[[Any], Awaitable[object]])
Handler = Callable[[EventT], Awaitable[object]]

# https://asgi.readthedocs.io/en/latest/specs/www.html
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# The longest documented event has well under 1 kB; `metadata` is the caller's own.
_MAX_BODY: Final = 1_048_576


class SeenEvents(Protocol):
    """Remembers which events were handled. Implement it over a database to share it.

    Between `begin` and `end` an event is being handled. A `begin` for the same event in the
    meantime waits for that `end`: only then is it known whether there is something left to do.
    """

    async def begin(self, event_id: str) -> bool:
        """Return whether the event is to be handled now; False if it has been."""
        ...

    async def end(self, event_id: str, *, handled: bool) -> None:
        """Note how the handling ended; what failed may be tried again."""
        ...


class RecentEvents:
    """Remembers the latest `size` events of this process."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = checks.whole_number("size", size, 1)
        self._handled: OrderedDict[str, None] = OrderedDict()
        self._busy: dict[str, anyio.Event] = {}

    async def begin(self, event_id: str) -> bool:
        """Return whether the event is to be handled now; False if it has been."""
        while busy := self._busy.get(event_id):
            await busy.wait()
        if event_id in self._handled:
            return False
        self._busy[event_id] = anyio.Event()
        return True

    async def end(self, event_id: str, *, handled: bool) -> None:
        """Note how the handling ended; what failed may be tried again."""
        if handled:
            self._handled[event_id] = None
            if len(self._handled) > self._size:
                self._handled.popitem(last=False)
        self._busy.pop(event_id).set()

    def __repr__(self) -> str:
        return f"<RecentEvents {len(self._handled)} of {self._size}, {len(self._busy)} at work>"


@frozen
class Delivery:
    """The outcome of a delivery."""

    event: Event[Any]
    is_repeated: bool
    """The event had been handled before; no handler was called."""


class Watch:
    """Wakes up a waiting task when an event mentions a value."""

    def __init__(self) -> None:
        self.events: list[Event[Any]] = []
        """The events that have mentioned it, in the order of their arrival."""
        self._changed = anyio.Event()

    def notify(self, event: Event[Any]) -> None:
        """Add an event that mentions the value."""
        self.events.append(event)
        self._changed.set()

    async def next(self) -> None:
        """Wait for an event since the last call."""
        await self._changed.wait()
        self._changed = anyio.Event()


class Webhooks:
    """Receives deliveries, checks them, and calls the handlers of each event once.

        hooks = Webhooks()

        @hooks.on(RecordingFinished)
        async def file(event: RecordingFinished) -> None: ...

    It is an ASGI application: in Starlette and FastAPI, `Route("/webhooks", hooks)`. (Not `mount`:
    it responds to a delivery at `/webhooks` with a redirect to `/webhooks/`.) Elsewhere hand the
    raw body and the header to `receive`.

    The handlers of an event run one after the other, in the order of registration. An error of one
    ends it, and Whereby, which then gets a 500, delivers again: handlers that had run by then run
    again. Whereby waits 5 s for the response, and tries 3 times in all: leave work that takes
    longer to a task of your own. Deliveries come in any order.

    All of it belongs to one event loop.

    Args:
        secret: the endpoint's secret, or several of them while it is being changed; by default
            that of the environment variable WHEREBY_WEBHOOK_SECRET.
        tolerance: how far the time of signing may be from now, in seconds, to either side.
        seen: remembers which events were handled; by default the latest 10,000 of this process.
        max_body: how many bytes a delivery may have when it comes by ASGI.
        clock: returns the time in epoch seconds; by default `time.time`.
    """

    def __init__(
        self,
        secret: str | bytes | Iterable[str | bytes] | None = None,
        *,
        tolerance: float | timedelta = TOLERANCE,
        seen: SeenEvents | None = None,
        max_body: int = _MAX_BODY,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._secrets = Secrets(secret)
        self._tolerance = checked_tolerance(tolerance)
        self._seen = RecentEvents() if seen is None else seen
        self._max_body = checks.whole_number("max_body", max_body, 1)
        self._clock = clock
        self._handlers: list[tuple[tuple[type[Event[Any]] | str, ...], Handler[Any]]] = []
        self._watches: dict[str, list[Watch]] = {}

    def __repr__(self) -> str:
        return f"Webhooks(secret=[secure], {len(self._handlers)} handlers)"

    # -------------------------------------------------------------------------------- handlers

    @overload
    def on(self, *kinds: type[EventT]) -> Callable[[Handler[EventT]], Handler[EventT]]: ...

    @overload
    def on(self, *kinds: str) -> Callable[[Handler[Event[Any]]], Handler[Event[Any]]]: ...

    def on(self, *kinds: type[Event[Any]] | str) -> Callable[[HandlerT], HandlerT]:
        """Call the decorated coroutine function for these events.

        Args:
            kinds: classes (`Event` for all, `UnknownEvent` for those without a class), or types as
                Whereby spells them, also such as have no class yet.
        """
        if not kinds:
            raise InvalidArgumentError("on: needs at least one kind of event; Event for all")
        for kind in kinds:
            _check_kind(kind)

        def register(handler: HandlerT) -> HandlerT:
            call = getattr(handler, "__call__", None)  # noqa: B004 - an object with async __call__
            if not inspect.iscoroutinefunction(handler) and not inspect.iscoroutinefunction(call):
                raise InvalidArgumentError(
                    "on: the handler must be a coroutine function (async def)"
                )
            self._handlers.append((kinds, handler))
            return handler

        return register

    @contextmanager
    def watch(self, value: str) -> Iterator[Watch]:
        """Watch for events that mention this value: what `wait(…, webhooks=…)` uses."""
        watch = Watch()
        self._watches.setdefault(value, []).append(watch)
        try:
            yield watch
        finally:
            self._watches[value].remove(watch)
            if not self._watches[value]:
                del self._watches[value]

    # ------------------------------------------------------------------------------ deliveries

    async def receive(
        self, body: bytes | bytearray | memoryview, signature_header: str | bytes | None
    ) -> Delivery:
        """Verify a delivery and call the handlers of its event, unless it was handled before.

        Args:
            body: the raw bytes of the request's body.
            signature_header: the value of the `Whereby-Signature` header.

        Raises:
            SignatureError: it is not to be trusted. Respond with 401.
            PayloadError: it cannot be understood. Respond with 400.
            Exception: what a handler raised. Respond with 500, and Whereby delivers again.
        """
        verify(body, signature_header, self._secrets, tolerance=self._tolerance, clock=self._clock)
        event = parse(body)
        return Delivery(event, is_repeated=not await self.dispatch(event))

    async def dispatch(self, event: Event[Any]) -> bool:
        """Call the handlers of a trusted event; return whether they were called just now."""
        for value, watches in list(self._watches.items()):
            if event.mentions(value):
                for watch in watches:
                    watch.notify(event)
        if not await self._seen.begin(event.id):
            return False
        handled = False
        try:
            for handler in self._handlers_of(event):
                await handler(event)
            handled = True
        finally:
            # Also when the request is cancelled: the next delivery must not wait for ever.
            with anyio.CancelScope(shield=True):
                await self._seen.end(event.id, handled=handled)
        return True

    def _handlers_of(self, event: Event[Any]) -> list[Handler[Any]]:
        return [
            handler
            for kinds, handler in self._handlers
            if any(
                event.type == kind if isinstance(kind, str) else isinstance(event, kind)
                for kind in kinds
            )
        ]

    # ------------------------------------------------------------------------------------ ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a delivery as an ASGI application."""
        if scope["type"] != "http":
            raise NotImplementedError(f"webhooks come by http, not by {scope['type']}")
        if scope["method"] != "POST":
            await _respond(send, 405, "webhooks are POSTed", [(b"allow", b"POST")])
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the sender has gone away
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_body:
                await _respond(send, 413, "the delivery is too large")
                return
        # A header that is there twice is read as one, and refused for its two times.
        name = HEADER.lower().encode("ascii")
        signature = b",".join(value for key, value in scope["headers"] if key.lower() == name)
        try:
            await self.receive(bytes(body), signature)
        except SignatureError as error:
            _logger.warning("webhook refused: %s", error)
            await _respond(send, 401, "the signature was not accepted")
        except PayloadError as error:
            _logger.warning("webhook refused: %s", error)
            await _respond(send, 400, "the delivery cannot be understood")
        else:
            await _respond(send, 200, "")


def _check_kind(kind: object) -> None:
    if isinstance(kind, str) or (isinstance(kind, type) and issubclass(kind, Event)):
        return
    raise InvalidArgumentError(f"on: must be classes of events or their types; got {kind!r}")


async def _respond(
    send: Send, status: int, text: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    body = text.encode()
    fields = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode("ascii")),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
