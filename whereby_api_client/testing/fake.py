"""FakeWhereby: a Whereby API without a network. Requests go in, answers come out."""

from __future__ import annotations

import json as jsonlib
import logging
import math
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Literal

from .check import check_body, check_query
from .clock import Clock
from .document import Document, Operation, published
from .exchange import Exchange, Received
from .faults import Drop, Fault
from .generic import handle_by_rule
from .handlers import HANDLERS, Call
from .messages import Answer, Refusal, Request
from .pages import Pages
from .points import (
    AlgorithmName,
    ResetForm,
    RetryAfterForm,
    make_algorithm,
    rate_limit_headers,
)
from .remote import REMOTE, obey
from .state import State
from .storage import DOWNLOAD, serve_file

if TYPE_CHECKING:
    from .. import WherebyClient
    from .server import Serving
    from .transport import FakeTransport

__all__ = ["TOKEN", "FakeWhereby"]

log = logging.getLogger("whereby_api_client.testing")

TOKEN = "fake-whereby-token"
"""The token that a FakeWhereby accepts unless it is told another one."""

PREFIX = "/v1"
UNKNOWN = "unknown"


class FakeWhereby(State):
    """A stateful Whereby API for tests: all operations, the point limit, and faults on demand.

    It does no I/O. `transport()` puts it behind an httpx client, `serve()` behind a real socket.
    `requests` tells what came in, `executed` how often each operation was really carried out;
    `meetings`, `recordings`, … hold what is there, and `add_recording`, … put more there.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        limit: int | None = 1000,
        period: float = 60.0,
        algorithm: AlgorithmName = "fixed",
        headers: Literal["always", "limited", "never"] = "always",
        reset: ResetForm = "js",
        retry_after: RetryAfterForm = "fraction",
        costs: Mapping[str, int] | None = None,
        delay: float | tuple[float, float] | None = None,
        job_time: float = 0.5,
        bulk_delete_time: float = 0.0,
        clock: Clock | Callable[[], float] | None = None,
        seed: int | None = None,
        document: Mapping[str, Any] | None = None,
        remote: bool = False,
    ) -> None:
        """Make a fake without data and with full points.

        Args:
            token: The token that is accepted.
            limit: Points per period; None never limits.
            period: The length of the period in seconds.
            algorithm: How points are counted. `fixed`: a window that opens with the first request
                and counts rejected ones too; `sliding`: a log; `token-bucket`.
            headers: Which answers tell of the points: `always`, `limited` (only a 429), `never`.
            reset: The form of `X-RateLimit-Reset`: JavaScript's text, `iso`, an HTTP date, epoch
                seconds or milliseconds.
            retry_after: The form of `Retry-After`: an integer, a fraction, or an HTTP date.
            costs: What operations cost really, where that differs from the document's words.
            delay: Seconds on the way, each way: a number, or the least and the most.
            job_time: Seconds until a transcription or a summary is ready.
            bulk_delete_time: Seconds until a bulk delete is carried out.
            clock: The time: a `Clock`, or a callable that returns epoch seconds.
            seed: Makes ids, room names and delays the same every time.
            document: An OpenAPI document to follow in place of the one of this package.
            remote: Let other processes seed data and order faults, under `/_fake/` (`remote.py`).
        """
        super().__init__(
            clock if isinstance(clock, Clock) else Clock(clock),
            random.Random(seed),
            job_time,
            bulk_delete_time,
        )
        self.token = token
        self.requests: list[Received] = []
        self.executed: Counter[str] = Counter()
        self.costs = dict(costs or {})
        self.delay = delay
        self._remote = remote
        self._document = published() if document is None else Document(document)
        self._points = None if limit is None else make_algorithm(algorithm, limit, period)
        self._headers = headers
        self._reset: ResetForm = reset
        self._retry_after: RetryAfterForm = retry_after
        self._faults: list[Fault] = []
        self._pages = Pages()
        # delays have their own dice, so that they do not change the ids
        self._dice = random.Random(seed)
        # a server in a thread and the test's own thread share the state
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<FakeWhereby {len(self.requests)} requests, {len(self.meetings)} meetings>"

    # ------------------------------------------------------------------------ ways to reach it

    def client(self, **options: Any) -> WherebyClient:
        """Return a client of this fake, inside the process; the options are WherebyClient's."""
        from .. import WherebyClient

        options = {"base_url": f"https://api.whereby.test{PREFIX}", **options}
        return WherebyClient(self.token, transport=self.transport(), **options)

    def transport(self) -> FakeTransport:
        """Return an httpx transport that answers inside the process."""
        from .transport import FakeTransport

        return FakeTransport(self)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Serving:
        """Serve on a real socket: `async with fake.serve() as url`, or `with` for a thread."""
        from .server import Serving

        return Serving(self, host, port)

    # ----------------------------------------------------------------------------- observation

    @property
    def operations(self) -> list[str]:
        """Return the names of all operations of the document."""
        return [operation.name for operation in self._document.operations]

    def calls(self, operation: str) -> list[Received]:
        """Return the requests of one operation, in the order of arrival."""
        return [received for received in self.requests if received.operation == operation]

    # ---------------------------------------------------------------------------------- faults

    def fail(
        self,
        operation: str = "*",
        *,
        status: int | None = None,
        message: str | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        execute: bool = False,
        delay: float = 0.0,
        drop: Drop | None = None,
        cut: int | None = None,
        garbage: bytes | bool = False,
        times: int | None = 1,
    ) -> Fault:
        """Order a fault for the next requests of an operation (`*` is any, `meetings.*` a tag).

        Args:
            operation: `meetings.list`, `storage.download`, or a pattern.
            status: Answer that, at no cost and without executing; `execute=True` does both first.
            message: The `error` of the answer's JSON body.
            json: The whole JSON body.
            body: The body's bytes.
            headers: Headers of the answer, over those that it would have.
            execute: Execute (and charge) although another answer is given.
            delay: Answer that many seconds later.
            drop: Close the connection `early` (the body unread), `before` executing, `after` it,
                or `mid` answer.
            cut: With `drop="mid"`: how many bytes of the body arrive.
            garbage: Send these bytes, or some that are no HTTP, in place of an answer.
            times: How often; None for always.
        """
        known = [*self.operations, DOWNLOAD, UNKNOWN]
        if not any(character in operation for character in "*?[") and operation not in known:
            raise ValueError(f"{operation!r} is none of {', '.join(known)}")
        if drop not in (None, "early", "before", "after", "mid"):
            raise ValueError(f"drop={drop!r} is none of early, before, after, mid")
        answer = None
        if status is not None or body is not None or json is not None:
            if json is not None:
                body = jsonlib.dumps(json).encode()
            answer = _ordered(200 if status is None else status, message, body, headers)
        if garbage is True:
            garbage = b"\x16\x03\x01 this is no HTTP\r\n\r\n"
        fault = Fault(
            operation=operation,
            times=times,
            answer=answer,
            execute=execute,
            delay=delay,
            drop=drop,
            cut=cut,
            garbage=garbage or None,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def recover(self) -> None:
        """Withdraw all faults."""
        with self._lock:
            for fault in self._faults:
                fault.cancel()
            self._faults.clear()

    def spend(self, points: int) -> None:
        """Spend points as another process of the same organization would."""
        with self._lock:
            if self._points is not None:
                self._points.take(self.clock.now(), points)

    # ------------------------------------------------------------------------------------ core

    def receive(self, request: Request) -> Exchange:
        """Take note of a request whose head has arrived; its body may follow with `take`."""
        with self._lock:
            operation = self._name(request)
            received = Received(request, operation, self.clock.now())
            if operation == REMOTE:
                return Exchange(received, None, (0.0, 0.0), self._obey)
            self.requests.append(received)
            fault = next((fault for fault in self._faults if fault.strikes(operation)), None)
            return Exchange(received, fault, (self._lag(), self._lag()), self._answer)

    def handle(self, request: Request) -> Answer:
        """Answer a request at once, without delays and dropped connections."""
        return self.receive(request).answer()

    def _lag(self) -> float:
        if self.delay is None:
            return 0.0
        if isinstance(self.delay, tuple):
            return self._dice.uniform(*self.delay)
        return self.delay

    def _name(self, request: Request) -> str:
        if request.path.startswith("/storage/"):
            return DOWNLOAD
        if self._remote and request.path.startswith(REMOTE):
            return REMOTE
        found = self._find(request)
        return UNKNOWN if found is None else found[0].name

    def _find(self, request: Request) -> tuple[Operation, dict[str, str]] | None:
        segments = _below_prefix(request)
        return None if segments is None else self._document.find(request.method, segments)

    def _answer(self, received: Received, fault: Fault | None) -> Answer:
        with self._lock:
            given = fault.answer if fault else None
            if given is None or (fault and fault.execute):
                answer = self._process(received)
                answer = given or answer
            else:
                answer = given
            if "date" not in (name.lower() for name, _ in answer.headers):
                date = formatdate(self.clock.now(), usegmt=True)
                answer = answer.with_headers([("Date", date)])
            received.status = answer.status
            log.info("%s %s %s", received.method, received.target, answer.status)
            return answer

    def _obey(self, received: Received, fault: Fault | None) -> Answer:
        try:
            with self._lock:
                return obey(self, received.request)
        except Refusal as refusal:
            return refusal.answer()

    def _process(self, received: Received) -> Answer:
        request = received.request
        try:
            if received.operation == DOWNLOAD:
                answer = serve_file(request, self)
                self.executed[DOWNLOAD] += 1
                return answer
            self._authenticate(request)
        except Refusal as refusal:
            return refusal.answer()
        limited, told = self._pay(received)
        if limited is not None:
            return limited.with_headers(told)
        try:
            answer = self._execute(request)
        except Refusal as refusal:
            return refusal.answer().with_headers(told)
        self.executed[received.operation] += 1
        return answer.with_headers(told)

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "the Authorization header must be: Bearer <token>")
        if token != self.token:
            raise Refusal(401, "the token is not known")

    def _pay(self, received: Received) -> tuple[Answer | None, list[tuple[str, str]]]:
        """Charge the request; return the 429 if it is refused, and the headers of its answer."""
        received.cost = self._cost(received)
        if self._points is None:
            return None, []
        now = self.clock.now()
        verdict = self._points.take(now, received.cost)
        told: list[tuple[str, str]] = []
        if self._headers == "always" or (self._headers == "limited" and not verdict.allowed):
            told = rate_limit_headers(verdict, self._reset, self._retry_after, now)
        if verdict.allowed:
            return None, told
        body = {
            "error": "Rate limit active for throttle key: organization:1",
            "data": {"msLeft": math.ceil(round(verdict.retry_after * 1000, 3))},
        }
        return Answer.json(429, body), told

    def _cost(self, received: Received) -> int:
        if received.operation in self.costs:
            return self.costs[received.operation]
        found = self._find(received.request)
        if found is not None and found[0].points is not None:
            return found[0].points
        return {"GET": 1, "HEAD": 1, "OPTIONS": 1, "DELETE": 2}.get(received.method, 3)

    def _execute(self, request: Request) -> Answer:
        found = self._find(request)
        if found is None:
            segments = _below_prefix(request)
            allowed = [] if segments is None else self._document.methods(segments)
            if allowed:
                raise Refusal(
                    405,
                    f"{request.method} is not possible here, only {', '.join(allowed)}",
                    [("Allow", ", ".join(allowed))],
                )
            raise Refusal(404, f"there is nothing at {request.path}")
        operation, path = found
        call = Call(
            request=request,
            operation=operation,
            path=path,
            query=check_query(self._document, operation, request),
            body=check_body(self._document, operation, request),
            state=self,
            pages=self._pages,
        )
        handler = HANDLERS.get(f"{operation.method} {operation.template}")
        return handle_by_rule(self._document, call) if handler is None else handler(call)


def _below_prefix(request: Request) -> tuple[str, ...] | None:
    """Return the path's segments behind `/v1`; None if it does not begin like that."""
    segments = request.segments
    return segments[1:] if segments[:1] == (PREFIX.strip("/"),) else None


def _ordered(
    status: int, message: str | None, body: bytes | None, headers: Mapping[str, str] | None
) -> Answer:
    if body is None and status not in (204, 304):
        text = message or f"ordered by the test: {status}"
        body = jsonlib.dumps({"error": text}).encode()
    fields = dict(headers or {})
    if body and "content-type" not in {name.lower() for name in fields}:
        fields["Content-Type"] = "application/json" if _is_json(body) else "text/html"
    return Answer(status, tuple(fields.items()), body or b"")


def _is_json(body: bytes) -> bool:
    try:
        jsonlib.loads(body)
    except ValueError:
        return False
    return True
