"""FakeWhereby: a Whereby without a network: a state, an API over it, and ways to reach it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from .api import API, PREFIX, Settings
from .clock import Clock
from .control import Control
from .document import Document, published
from .events import Webhook
from .exchange import Receiver, RecordedRequest
from .messages import Request, Response
from .play import play
from .points import (
    AlgorithmName,
    HeadersSent,
    PointHeaders,
    ResetForm,
    RetryAfterForm,
    make_algorithm,
)
from .records import Meeting
from .state import State

if TYPE_CHECKING:
    from .. import WherebyClient
    from .server import Serving
    from .transport import FakeTransport
    from .webhooks import WebhookSender

__all__ = ["TOKEN", "FakeWhereby"]

TOKEN = "fake-whereby-token"
"""The token that a FakeWhereby accepts by default."""


class FakeWhereby:
    """A stateful Whereby API for tests: all operations, the point limit, and faults on demand.

    `transport()` puts it behind an httpx client, `serve()` behind a real socket. `requests` holds
    what came in, `executed` how often each operation was carried out; `meetings`, `recordings`, …
    hold what is there, and `add_recording`, … put more there. `fail`, `recover`, `spend` and
    `check` are methods of its `API`; `add_…`, `fail_jobs` and `seed_demo` are those of its `State`.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        limit: int | None = 1000,
        period: float = 60.0,
        algorithm: AlgorithmName = "fixed",
        headers: HeadersSent = "always",
        reset: ResetForm = "js",
        retry_after: RetryAfterForm = "fraction",
        prices: Mapping[str, int] | None = None,
        delay: float | tuple[float, float] | None = None,
        job_time: float = 0.5,
        bulk_delete_time: float = 0.0,
        clock: Clock | Callable[[], float] | None = None,
        seed: int | None = None,
        document: Mapping[str, Any] | None = None,
        strict: bool = False,
        stateless: bool = False,
        webhooks: WebhookSender | None = None,
        remote: bool = False,
    ) -> None:
        """Make a fake without data and with all points left.

        Args:
            token: The token that is accepted.
            limit: Points per period; None never limits.
            period: The length of the period in seconds.
            algorithm: How points are counted. `fixed`: a window that opens with the first request
                and counts rejected ones too; `sliding`: a log; `token-bucket`.
            headers: Which responses report the points: `always`, `limited` (only a 429), `never`.
            reset: The form of `X-RateLimit-Reset`: JavaScript's text, `iso`, an HTTP date, epoch
                seconds or milliseconds.
            retry_after: The form of `Retry-After`: an integer, a fraction, or an HTTP date.
            prices: What operations really cost, by name or pattern, where that differs from the
                document's words: `{"insights.*": 10}`.
            delay: Seconds on the way, each way: a number, or the least and the most.
            job_time: Seconds until a transcription or a summary is ready.
            bulk_delete_time: Seconds until a bulk delete is carried out.
            clock: The time: a `Clock`, or a callable that returns epoch seconds.
            seed: Makes ids, room names and delays the same every time.
            document: An OpenAPI document to follow in place of the one of this package.
            strict: Refuse whatever the document forbids or does not have, also what the real API is
                known to accept, or may accept. Without it such requests pass, and
                `requests[…].doubts` notes what the real API may or may not accept.
            stateless: Check requests, but respond to each with a sample of its documented success.
            webhooks: Sends the webhooks of `play` and of the control API.
            remote: Let other processes control the fake, under `/_fake/` (see docs/testing.md).
        """
        self.token = token
        self.state: Final = State(
            clock if isinstance(clock, Clock) else Clock(clock),
            random.Random(seed),
            job_time,
            bulk_delete_time,
        )
        settings = Settings(
            token=token,
            algorithm=None if limit is None else make_algorithm(algorithm, limit, period),
            point_headers=PointHeaders(headers, reset, retry_after),
            strict=strict,
            stateless=stateless,
            seed=seed,
        )
        specification = published() if document is None else Document(document)
        self.api: Final = API(settings, self.state, specification, prices or {}, delay)
        self.webhooks: WebhookSender | None = webhooks
        self._receiver: Receiver = Control(self.api, webhooks) if remote else self.api

        # what tests use most is reached without a detour
        self.clock: Final = self.state.clock
        self.meetings: Final = self.state.meetings
        self.recordings: Final = self.state.recordings
        self.transcriptions: Final = self.state.transcriptions
        self.summaries: Final = self.state.summaries
        self.rooms: Final = self.state.rooms
        self.sessions: Final = self.state.sessions
        self.participants: Final = self.state.participants
        self.theme: Final = self.state.theme
        self.add_meeting: Final = self.state.add_meeting
        self.add_recording: Final = self.state.add_recording
        self.add_transcription: Final = self.state.add_transcription
        self.add_summary: Final = self.state.add_summary
        self.add_room_insights: Final = self.state.add_room_insights
        self.add_room_session: Final = self.state.add_room_session
        self.add_participant: Final = self.state.add_participant
        self.fail_jobs: Final = self.state.fail_jobs
        self.seed_demo: Final = self.state.seed_demo
        self.requests: Final = self.api.requests
        self.executed: Final = self.api.executed
        self.fail: Final = self.api.fail
        self.recover: Final = self.api.recover
        self.spend: Final = self.api.spend
        self.check: Final = self.api.check

    def __repr__(self) -> str:
        return f"<FakeWhereby {len(self.requests)} requests, {len(self.meetings)} meetings>"

    # ------------------------------------------------------------------------ ways to reach it

    def client(self, **options: Any) -> WherebyClient:
        """Return a client of this fake, inside the process; the options are WherebyClient's."""
        from .. import WherebyClient

        options = {"base_url": f"https://api.whereby.test{PREFIX}", **options}
        return WherebyClient(self.token, transport=self.transport(), **options)

    def transport(self) -> FakeTransport:
        """Return an httpx transport that responds inside the process."""
        from .transport import FakeTransport

        return FakeTransport(self._receiver)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Serving:
        """Serve on a real socket: `async with fake.serve() as url`, or `with` for a thread."""
        from .server import Serving

        return Serving(self._receiver, host, port)

    def handle(self, request: Request) -> Response:
        """Return the response to a request at once, without delays and dropped connections."""
        return self._receiver.receive(request).respond()

    async def play(
        self,
        meeting: Meeting,
        *,
        participants: int = 2,
        recorded: bool = False,
        transcribed: bool = False,
        duration: float = 1800.0,
    ) -> list[Webhook]:
        """Let a meeting have happened: its recording, its insights, and its webhooks, in order.

        It ends now and began `duration` seconds ago. The first participant is the host; the others
        knock before they join when the meeting is locked. A session begins with the second one.

        Args:
            meeting: From `add_meeting`, or `meetings.get(id)`.
            participants: How many came.
            recorded: Add a recording of the session.
            transcribed: Add a transcription of the session.
            duration: Seconds from the first join to the last leave.

        Returns:
            The webhooks that it caused. They were sent if the fake has `webhooks`.

        Raises:
            ValueError: there are too few participants, or the duration is not positive.
        """
        with self.api.lock:
            played = play(
                self.state,
                meeting,
                participants=participants,
                recorded=recorded,
                transcribed=transcribed,
                duration=duration,
            )
        if self.webhooks is not None:
            for webhook in played:
                await self.webhooks.send(webhook)
        return played

    # ----------------------------------------------------------------------------- observation

    @property
    def operations(self) -> list[str]:
        """Return the names of all operations of the document."""
        return [operation.name for operation in self.api.document.operations]

    def calls(self, operation: str) -> list[RecordedRequest]:
        """Return the requests of one operation, in the order of arrival."""
        return [recorded for recorded in self.requests if recorded.operation == operation]

    # ---------------------------------------------------------------- what a test may change

    @property
    def delay(self) -> float | tuple[float, float] | None:
        """Seconds on the way, each way."""
        return self.api.delay

    @delay.setter
    def delay(self, delay: float | tuple[float, float] | None) -> None:
        self.api.delay = delay

    @property
    def prices(self) -> dict[str, int]:
        """What operations really cost, by name or pattern."""
        return self.api.prices

    @property
    def job_time(self) -> float:
        """Seconds until a transcription or a summary is ready."""
        return self.state.job_time

    @job_time.setter
    def job_time(self, seconds: float) -> None:
        self.state.job_time = seconds
