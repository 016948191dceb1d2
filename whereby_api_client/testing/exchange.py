"""A request on its way through the fake, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import attrs

from .faults import Drop, Fault
from .messages import Request, Response

__all__ = ["Exchange", "Receiver", "RecordedRequest"]


@attrs.define(eq=False, repr=False)
class RecordedRequest(Request):
    """A request that reached the fake, for assertions, and what came of it."""

    operation: str = attrs.field(kw_only=True)
    """`meetings.create`, `storage.download`, or `unknown` for what the API does not have."""
    time: float = attrs.field(kw_only=True)
    """Epoch seconds on the fake's clock."""
    cost: int = 0
    """The points that it was charged with."""
    status: int | None = None
    """The response's status; None while there is none (under way, or dropped before executing)."""
    error: str | None = None
    """Why it was refused, also when `fail(…, execute=True)` sent another response."""
    doubts: list[str] = attrs.field(factory=list)
    """What the real API may or may not accept; `strict=True` refuses such requests."""

    @classmethod
    def of(cls, request: Request, operation: str, time: float) -> RecordedRequest:
        """Return a request whose head has arrived at that time."""
        return cls(**attrs.asdict(request, recurse=False), operation=operation, time=time)

    def __repr__(self) -> str:
        return f"<RecordedRequest {self.method} {self.target} {self.operation} {self.status}>"


class Exchange:
    """One request on its way through the fake; an adapter brings it to its end.

    The adapter hands over the body with `take`, sleeps `delay_before`, calls `respond`, sleeps
    `delay_after`, and sends the response; where `drop` says, it closes the connection instead.
    """

    __slots__ = ("_fault", "_respond", "delay_after", "delay_before", "recorded", "settle")

    def __init__(
        self,
        recorded: RecordedRequest,
        fault: Fault | None,
        delays: tuple[float, float],
        respond: Callable[[RecordedRequest, Fault | None], Response],
        settle: Callable[[Response], Awaitable[Response]] | None = None,
    ) -> None:
        self.recorded: Final = recorded
        self.delay_before: float = delays[0]
        self.delay_after: float = delays[1] + (fault.delay if fault else 0.0)
        self._fault = fault
        self._respond = respond
        self.settle: Final = settle
        """What to await between `respond` and sending, and its response; None for nothing."""

    @property
    def drop(self) -> Drop | None:
        """Return where the connection is to be closed."""
        return self._fault.drop if self._fault else None

    @property
    def garbage(self) -> bytes | None:
        """Return what is to be sent in place of an HTTP response."""
        return self._fault.garbage if self._fault else None

    def cut(self, response: Response) -> int:
        """Return how many bytes of the response's body arrive when `drop` is `mid`."""
        cut = self._fault.cut if self._fault else None
        return response.length // 2 if cut is None else min(cut, response.length)

    def take(self, body: bytes) -> None:
        """Take the request's body."""
        self.recorded.body = body

    def respond(self) -> Response:
        """Execute the request, unless a fault forbids it, and return the response."""
        return self._respond(self.recorded, self._fault)


class Receiver(Protocol):
    """What an adapter needs of the fake."""

    def receive(self, request: Request) -> Exchange:
        """Take a request whose head has arrived; its body may follow with `take`."""
        ...
