"""Webhooks as Whereby sends them: signed, retried, and on demand repeated, reordered or forged.

    sender = WebhookSender("https://testserver/webhooks", "secret", app=app)
    recording = fake.add_recording()
    await sender.send(recording_finished(recording))

The events are made from what the fake keeps. `app` is the ASGI application that receives them
inside the process; without it they go to the URL over the network.
"""

from __future__ import annotations

import json
import math
import random
import time
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import anyio
import attrs

from .._http._httpx import httpx
from ..webhooks.signature import HEADER, sign
from .clock import Clock, iso
from .records import Meeting, Recording, Transcription

if TYPE_CHECKING:
    from collections.abc import Awaitable, MutableMapping

    # https://asgi.readthedocs.io/en/latest/specs/www.html
    Message = MutableMapping[str, Any]
    ASGIApplication = Callable[
        [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
        Awaitable[None],
    ]

__all__ = [
    "Webhook",
    "WebhookSender",
    "client_joined",
    "client_left",
    "recording_finished",
    "session_ended",
    "session_started",
    "transcription_failed",
    "transcription_finished",
    "transcription_started",
]

# "a total of 2 retries", "a short exponential backoff", "a 5 seconds timeout", say the documents:
# https://docs.whereby.com/monitoring-usage/webhooks#failed-delivery
RETRIES = 2
BACKOFF = 1.0
TIMEOUT = 5.0


@attrs.frozen(kw_only=True)
class Webhook:
    """An event to be sent; a repeated delivery has the same id."""

    type: str
    data: dict[str, Any]
    id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    created_at: str = attrs.field(factory=lambda: iso(time.time()))
    extra: dict[str, Any] = attrs.field(factory=dict)
    """Fields that nobody knows yet, merged into the body."""

    @property
    def body(self) -> bytes:
        """Return the body as it is sent; names stay as they are, not escaped to ASCII."""
        event = {
            "id": self.id,
            "apiVersion": "1.0",
            "createdAt": self.created_at,
            "type": self.type,
            "data": self.data,
        }
        return json.dumps(event | self.extra, ensure_ascii=False, separators=(",", ":")).encode()


def recording_finished(recording: Recording, **data: Any) -> Webhook:
    """Tell that a recording can be fetched; `data` adds and replaces fields."""
    known = {
        "filename": recording.filename,
        "recordingId": recording.recording_id,
        "roomName": recording.room_name,
        "status": "completed",
    }
    return Webhook(type="recording.finished", data=known | data)


def transcription_started(transcription: Transcription, **data: Any) -> Webhook:
    """Tell that a transcription has begun."""
    return _transcription("started", transcription, {"status": "in_progress"} | data)


def transcription_finished(transcription: Transcription, **data: Any) -> Webhook:
    """Tell that a transcript is ready."""
    known = {
        "status": "ready",
        "filename": transcription.filename,
        "storageType": "WHEREBY_HOSTED" if transcription.hosted else "SELF_HOSTED",
        "durationInSeconds": (transcription.end_date - transcription.start_date).total_seconds(),
    }
    if transcription.recording_id is not None:
        known["recordingId"] = transcription.recording_id
    return _transcription("finished", transcription, known | data)


def transcription_failed(transcription: Transcription, **data: Any) -> Webhook:
    """Tell that there will be no transcript, and why."""
    known = {"status": "failed", "error": transcription.failure or "the job failed"}
    return _transcription("failed", transcription, known | data)


def client_joined(meeting: Meeting, **data: Any) -> Webhook:
    """Tell that somebody has come into a meeting's room."""
    return Webhook(type="room.client.joined", data=_room(meeting) | _client(1) | data)


def client_left(meeting: Meeting, **data: Any) -> Webhook:
    """Tell that somebody has left a meeting's room."""
    return Webhook(type="room.client.left", data=_room(meeting) | _client(0) | data)


def session_started(meeting: Meeting, **data: Any) -> Webhook:
    """Tell that a session has begun in a meeting's room."""
    return Webhook(type="room.session.started", data=_room(meeting) | data)


def session_ended(meeting: Meeting, **data: Any) -> Webhook:
    """Tell that the session in a meeting's room is over."""
    return Webhook(type="room.session.ended", data=_room(meeting) | data)


def _transcription(what: str, transcription: Transcription, data: dict[str, Any]) -> Webhook:
    known = {
        "transcriptionId": transcription.transcription_id,
        "roomName": transcription.room_name,
        "roomSessionId": transcription.room_session_id,
        "type": "LIVE_TRANSCRIPTION"
        if transcription.recording_id is None
        else "RECORDING_TRANSCRIPTION",
    }
    return Webhook(type=f"transcription.{what}", data=known | data)


def _room(meeting: Meeting) -> dict[str, Any]:
    return {
        "meetingId": meeting.meeting_id,
        "roomName": meeting.room_name,
        "roomSessionId": None,
        "subdomain": "example",
    }


def _client(number: int) -> dict[str, Any]:
    return {
        "displayName": "Søren K.",
        "participantId": str(uuid.uuid4()),
        "metadata": None,
        "externalId": None,
        "roleName": "visitor",
        "numClients": number,
        "numClientsByRoleName": {"visitor": number} if number else {},
        "isDialIn": False,
    }


class WebhookSender:
    """Delivers webhooks the way Whereby does.

    A delivery that is answered with 5xx or not within 5 s is tried twice more, after 1 and 2 s;
    each attempt is signed anew. Pauses are slept with anyio: under a virtual clock they take no
    time.

    Args:
        url: where the receiver is.
        secret: what the receiver checks the signature with.
        app: an ASGI application to call in place of the network.
        clock: what time the signatures carry; real time by default.
        seed: makes the orders of `send_all` the same every time.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        app: ASGIApplication | None = None,
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        self.url = url
        self.secret = secret
        self.statuses: list[int | None] = []
        """What each attempt was answered with, in their order; None when there was no answer."""
        self._app = app
        self._clock = clock or Clock()
        self._dice = random.Random(seed)

    def __repr__(self) -> str:
        return f"<WebhookSender to {self.url}, {len(self.statuses)} attempts>"

    async def send(
        self,
        webhook: Webhook,
        *,
        secret: str | None = None,
        age: float = 0.0,
        signature: str | None = None,
        body: bytes | None = None,
        retries: int = RETRIES,
    ) -> int | None:
        """Deliver a webhook, and return the status of the last attempt; None without an answer.

        Args:
            webhook: what to send.
            secret: another secret to sign with, as one who forges it would.
            age: how many seconds ago it was signed; negative: in the future.
            signature: the whole header in place of a true one; an empty one sends none.
            body: other bytes than those that are signed.
            retries: how often to try again.
        """
        signed = webhook.body
        async with self._client() as client:
            for attempt in range(retries + 1):
                moment = math.floor(self._clock.now() - age)
                header = sign(signed, secret or self.secret, moment)
                status = await self._post(
                    client,
                    signed if body is None else body,
                    header if signature is None else signature,
                )
                self.statuses.append(status)
                if (status is not None and status < 500) or attempt == retries:
                    return status
                await anyio.sleep(BACKOFF * 2.0**attempt)
        raise AssertionError("there is always a last attempt")

    async def send_all(
        self,
        webhooks: Iterable[Webhook],
        *,
        times: int = 1,
        order: Literal["given", "shuffled", "reversed"] = "given",
        at_once: bool = False,
    ) -> None:
        """Deliver webhooks as badly as is allowed: repeated, out of order, at the same time.

        Args:
            webhooks: what to send.
            times: how often to deliver each of them.
            order: in which order, the repetitions included.
            at_once: send all of them without waiting for answers.
        """
        queue = [webhook for webhook in webhooks for _ in range(times)]
        if order == "shuffled":
            self._dice.shuffle(queue)
        elif order == "reversed":
            queue.reverse()
        if not at_once:
            for webhook in queue:
                await self.send(webhook)
            return
        async with anyio.create_task_group() as tasks:
            for webhook in queue:
                tasks.start_soon(self.send, webhook)

    def _client(self) -> httpx.AsyncClient:
        transport = None
        if self._app is not None:
            # an error of the application is a 500 to the sender, as it would be over the network
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)

    async def _post(self, client: httpx.AsyncClient, body: bytes, signature: str) -> int | None:
        headers = {"Content-Type": "application/json"}
        if signature:
            headers[HEADER] = signature
        with anyio.move_on_after(TIMEOUT):
            try:
                return (await client.post(self.url, content=body, headers=headers)).status_code
            except httpx.TransportError:
                return None
        return None
