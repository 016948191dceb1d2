"""Webhooks as Whereby sends them: signed, retried, and on demand repeated, reordered or forged.

    sender = WebhookSender("https://testserver/webhooks", "secret", app=app)
    recording = fake.add_recording()
    await sender.send(recording_finished(recording))

The events are made from what the fake keeps. `app` is the ASGI application that receives them
inside the process; without it they go to the URL over the network.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

import anyio

from .._http._httpx import httpx
from ..webhooks.signature import HEADER, sign
from .clock import Clock
from .events import (
    Webhook,
    assistant_requested,
    client_joined,
    client_knock_cancelled,
    client_knocked,
    client_left,
    recording_finished,
    session_ended,
    session_started,
    transcription_failed,
    transcription_finished,
    transcription_started,
)
from .records import Transcription
from .state import State

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
    "assistant_requested",
    "client_joined",
    "client_knock_cancelled",
    "client_knocked",
    "client_left",
    "recording_finished",
    "send_job_events",
    "session_ended",
    "session_started",
    "transcription_failed",
    "transcription_finished",
    "transcription_started",
]

# "a total of 2 retries", "a short exponential backoff", "a 5 seconds timeout":
# https://docs.whereby.com/monitoring-usage/webhooks#failed-delivery
RETRIES = 2
BACKOFF = 1.0
TIMEOUT = 5.0


class WebhookSender:
    """Delivers webhooks the way Whereby does.

    A delivery that gets a 5xx, or no response within 5 s, is tried twice more, after 1 and 2 s;
    each attempt is signed anew. Pauses are slept with anyio: under a virtual clock they take no
    time.

    Args:
        url: where the receiver is.
        secret: the endpoint's secret, which the signature is made with.
        app: an ASGI application to call in place of the network.
        clock: what time the signatures carry; real time by default.
        seed: makes the orders of `send_all` the same every time.

    Raises:
        ValueError: the URL is not http:// or https://.
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
        if httpx.URL(url).scheme not in ("http", "https"):
            raise ValueError(f"the webhook URL must be http:// or https://; got {url!r}")
        self.url: Final = url
        self.secret: Final = secret
        self.statuses: list[int | None] = []
        """The status of each attempt's response, in order; None when there was none."""
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
        """Deliver a webhook, and return the status of the last response; None when there was none.

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
            at_once: send all of them without waiting for responses.
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


async def send_job_events(state: State, sender: WebhookSender, poll: float = 0.1) -> None:
    """Send the events of transcriptions as they begin and end, until cancelled.

    Those that are there already, and those of sessions in S3, cause none.
    """
    running: dict[str, Transcription] = {}
    known = {transcription.transcription_id for transcription in state.transcriptions.all()}
    while True:
        for transcription in state.transcriptions.all():
            key = transcription.transcription_id
            if key in known or not transcription.hosted:
                continue
            known.add(key)
            # what was added as finished has its events from who added it
            if transcription.ready_at > transcription.created_at:
                running[key] = transcription
                await sender.send(transcription_started(transcription))
        for key, transcription in list(running.items()):
            if transcription.done(state.clock.today()):
                del running[key]
                failed = transcription.failure is not None
                event = transcription_failed if failed else transcription_finished
                await sender.send(event(transcription))
        await anyio.sleep(poll)
