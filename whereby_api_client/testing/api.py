"""The API as a request meets it: recorded, authenticated, charged, checked, carried out.

It does no I/O: an adapter (`transport.py`, `server.py`) hands requests over and sends responses.
"""

from __future__ import annotations

import json as jsonlib
import logging
import math
import random
import threading
from collections import Counter
from collections.abc import Mapping
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any, Final

import attrs

from .check import CheckedRequest, check_request
from .document import Document, Operation
from .exchange import Exchange, RecordedRequest
from .faults import Drop, Fault
from .handlers import HANDLERS, Call
from .messages import HTTPError, Request, Response
from .pages import Pages
from .points import Algorithm, PointHeaders
from .samples import documented_success
from .state import State
from .storage import DOWNLOAD, serve_file

__all__ = ["API", "PREFIX", "Settings"]

log: Final = logging.getLogger("whereby_api_client.testing")

PREFIX = "/v1"
UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class Settings:
    """How the API behaves; `FakeWhereby` documents each of them."""

    token: str
    algorithm: Algorithm | None
    point_headers: PointHeaders
    strict: bool
    stateless: bool
    seed: int | None


class API:
    """Whereby's API over a state."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        document: Document,
        prices: Mapping[str, int],
        delay: float | tuple[float, float] | None,
    ) -> None:
        self.settings = settings
        self.state = state
        self.document = document
        self.prices: dict[str, int] = dict(prices)
        self.delay = delay
        self.requests: list[RecordedRequest] = []
        self.executed: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._pages = Pages()
        # delays have their own dice, so that they do not change the ids
        self._dice = random.Random(settings.seed)
        # a server in a thread and the test's own thread share the state
        self.lock: Final = threading.RLock()

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
            status: Respond with it, at no cost and without executing; `execute=True` does both.
            message: The `error` of the response's JSON body.
            json: The whole JSON body.
            body: The body's bytes.
            headers: Headers of the response, over those that it would have.
            execute: Execute (and charge) although another response is sent.
            delay: Respond that many seconds later.
            drop: Close the connection `early` (the body unread), `before` executing, `after` it,
                or `mid` response.
            cut: With `drop="mid"`: how many bytes of the body arrive.
            garbage: Send these bytes, or some that are no HTTP, in place of a response.
            times: How often; None for always.

        Raises:
            ValueError: the operation or the place to drop does not exist.
        """
        known = [*(operation.name for operation in self.document.operations), DOWNLOAD, UNKNOWN]
        if not any(character in operation for character in "*?[") and operation not in known:
            raise ValueError(
                f"operation must be a pattern or one of {', '.join(known)}; got {operation!r}"
            )
        if drop not in (None, "early", "before", "after", "mid"):
            raise ValueError(f"drop must be one of early, before, after, mid; got {drop!r}")
        response = None
        if status is not None or body is not None or json is not None:
            if json is not None:
                body = jsonlib.dumps(json).encode()
            response = _ordered(200 if status is None else status, message, body, headers)
        if garbage is True:
            garbage = b"\x16\x03\x01 this is no HTTP\r\n\r\n"
        fault = Fault(
            operation=operation,
            times=times,
            response=response,
            execute=execute,
            delay=delay,
            drop=drop,
            cut=cut,
            garbage=garbage or None,
        )
        with self.lock:
            self._faults.append(fault)
        return fault

    def recover(self) -> None:
        """Withdraw all faults."""
        with self.lock:
            for fault in self._faults:
                fault.cancel()
            self._faults.clear()

    def spend(self, points: int) -> None:
        """Spend points as another process of the same organization would."""
        with self.lock:
            if self.settings.algorithm is not None:
                self.settings.algorithm.take(self.state.clock.now(), points)

    # -------------------------------------------------------------------------------- requests

    def receive(self, request: Request) -> Exchange:
        """Record a request whose head has arrived; its body may follow with `take`."""
        with self.lock:
            operation = self._name(request)
            recorded = RecordedRequest.of(request, operation, self.state.clock.now())
            self.requests.append(recorded)
            fault = next((fault for fault in self._faults if fault.strikes(operation)), None)
            return Exchange(recorded, fault, (self._lag(), self._lag()), self._respond)

    def check(self, request: Request) -> CheckedRequest:
        """Return a request's values as the document reads them.

        Raises:
            HTTPError: the document forbids the request, or does not have the operation.
        """
        operation, path = self._route(request)
        return check_request(self.document, operation, path, request, strict=self.settings.strict)

    def _lag(self) -> float:
        return self._dice.uniform(*self.delay) if isinstance(self.delay, tuple) else self.delay or 0

    def _name(self, request: Request) -> str:
        if request.path.startswith("/storage/"):
            return DOWNLOAD
        match = self._find(request)
        return UNKNOWN if match is None else match[0].name

    def _find(self, request: Request) -> tuple[Operation, dict[str, str]] | None:
        segments = _below_prefix(request)
        return None if segments is None else self.document.find(request.method, segments)

    def _respond(self, recorded: RecordedRequest, fault: Fault | None) -> Response:
        with self.lock:
            response = fault.response if fault else None
            if response is None or (fault and fault.execute):
                processed = self._process(recorded)
                response = processed if response is None else response
            if "date" not in (name.lower() for name, _ in response.headers):
                date = formatdate(self.state.clock.now(), usegmt=True)
                response = response.with_headers([("Date", date)])
            recorded.status = response.status
            log.info("%s %s %s", recorded.method, recorded.target, response.status)
            return response

    def _process(self, recorded: RecordedRequest) -> Response:
        headers: list[tuple[str, str]] = []
        try:
            if recorded.operation == DOWNLOAD:
                response = serve_file(recorded, self.state)
            else:
                self._authenticate(recorded)
                headers = self._charge(recorded)
                response = self._execute(recorded)
        except HTTPError as error:
            recorded.error = error.message
            return error.response().with_headers(headers)
        self.executed[recorded.operation] += 1
        return response.with_headers(headers)

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise HTTPError(401, "the Authorization header must be: Bearer <token>")
        if token != self.settings.token:
            raise HTTPError(401, "the token is not known")

    def _charge(self, recorded: RecordedRequest) -> list[tuple[str, str]]:
        """Charge the request, and return the headers for its response; over the limit: a 429."""
        recorded.cost = self._price(recorded)
        if self.settings.algorithm is None:
            return []
        now = self.state.clock.now()
        decision = self.settings.algorithm.take(now, recorded.cost)
        headers = self.settings.point_headers.write(decision, now)
        if decision.allowed:
            return headers
        raise HTTPError(
            429,
            "Rate limit active for throttle key: organization:1",
            headers,
            data={"msLeft": math.ceil(round(decision.retry_after * 1000, 3))},
        )

    def _price(self, recorded: RecordedRequest) -> int:
        # the exact name wins over a pattern, and the first pattern over later ones
        patterns = [recorded.operation, *self.prices]
        for pattern in patterns:
            if pattern in self.prices and fnmatchcase(recorded.operation, pattern):
                return self.prices[pattern]
        match = self._find(recorded)
        if match is not None and match[0].points is not None:
            return match[0].points
        return {"GET": 1, "HEAD": 1, "OPTIONS": 1, "DELETE": 2}.get(recorded.method, 3)

    def _route(self, request: Request) -> tuple[Operation, dict[str, str]]:
        match = self._find(request)
        if match is not None:
            return match
        segments = _below_prefix(request)
        allowed = [] if segments is None else self.document.methods(segments)
        if not allowed:
            raise HTTPError(404, f"there is nothing at {request.path}")
        raise HTTPError(
            405,
            f"{request.method} is not possible here, only {', '.join(allowed)}",
            [("Allow", ", ".join(allowed))],
        )

    def _execute(self, recorded: RecordedRequest) -> Response:
        operation, path = self._route(recorded)
        strict = self.settings.strict
        checked = check_request(self.document, operation, path, recorded, strict=strict)
        recorded.doubts = checked.doubts
        call = Call(recorded, checked, self.state, self._pages, self.document)
        handler = HANDLERS.get(f"{operation.method} {operation.template}")
        if handler is None or self.settings.stateless:
            return documented_success(self.document, operation, self.state.clock.now())
        return handler(call)


def _below_prefix(request: Request) -> tuple[str, ...] | None:
    """Return the path's segments behind `/v1`; None if it does not begin like that."""
    segments = request.segments
    return segments[1:] if segments[:1] == (PREFIX.strip("/"),) else None


def _ordered(
    status: int, message: str | None, body: bytes | None, headers: Mapping[str, str] | None
) -> Response:
    if body is None and status not in (204, 304):
        text = message or f"ordered by the test: {status}"
        body = jsonlib.dumps({"error": text}).encode()
    fields = dict(headers or {})
    if body and "content-type" not in {name.lower() for name in fields}:
        fields["Content-Type"] = "application/json" if _is_json(body) else "text/html"
    return Response(status, tuple(fields.items()), body or b"")


def _is_json(body: bytes) -> bool:
    try:
        jsonlib.loads(body)
    except ValueError:
        return False
    return True
