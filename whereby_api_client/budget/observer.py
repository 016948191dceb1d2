"""What can be observed of calls and of the budget.

Subclass `Observer`, override what you want to know, and give it to a client: `WherebyClient(...,
observer=...)`. Nothing is measured where nobody observes.
"""

from __future__ import annotations

import logging
from typing import Any, Final, Literal, NamedTuple

from .prices import LearnedPrice

logger: Final[logging.Logger] = logging.getLogger("whereby_api_client")


class Attempt(NamedTuple):
    """One attempt of a call.

    Attributes:
        began: seconds from the beginning of the call to that of the attempt.
        waited: seconds that it waited for points.
        seconds: seconds on the wire after that, until the end of the response.
        points: what it has cost; 0 if it was refused or never sent. As long as the price of an
            operation is not known, the documented one.
        status: the status of the response, None if there was none.
        error: the name of the exception, "" if there was none.
    """

    began: float
    waited: float
    seconds: float
    points: int
    status: int | None
    error: str


class CallReport(NamedTuple):
    """A call of a client, from the method's call to its result, over all attempts.

    Attributes:
        operation: such as "meetings.create"; "request" for `WherebyClient.request`.
        method: GET, POST, ...
        points: what all attempts have cost.
        waited: seconds that it waited for points.
        seconds: seconds on the wire; neither waiting for points nor pauses between attempts.
        attempts: the outcome of each.
        started_at: when it began, in seconds since 1970.
        duration: seconds from beginning to end, with everything.
        status: the status of the last response, None if there was none.
        error: the name of the exception that the caller gets, "" if the call succeeded.
        request_id: the server's name for the request, None if it gave none.
    """

    operation: str
    method: str
    points: int
    waited: float
    seconds: float
    attempts: tuple[Attempt, ...]
    started_at: float
    duration: float
    status: int | None
    error: str
    request_id: str | None


class Wait(NamedTuple):
    """A call that has to wait for points.

    Attributes:
        operation: such as "meetings.create", "" if it has none.
        points: what it needs.
        priority: "foreground" or "background".
    """

    operation: str
    points: int
    priority: Literal["foreground", "background"]


class Refusal(NamedTuple):
    """A call that the server refused with a 429.

    Attributes:
        operation: such as "meetings.create", "" if it has none.
        points: what it would have cost.
        pause: seconds that nothing is sent now.
    """

    operation: str
    points: int
    pause: float


class Observer:
    """Base of observers: every method does nothing.

    They are called in the thread and task of the call, and should be quick. An exception from one
    of them is logged and changes nothing.
    """

    def call_ended(self, call: CallReport) -> None:
        """Take notice of a call that has ended, well or not."""

    def wait_began(self, wait: Wait) -> None:
        """Take notice of a call that has to wait for points."""

    def wait_ended(self, wait: Wait, seconds: float) -> None:
        """Take notice of the end of a wait: the points are there, or the call gave up."""

    def call_refused(self, refusal: Refusal) -> None:
        """Take notice of a 429."""

    def paused(self, seconds: float) -> None:
        """Take notice of a pause of all calls after a 429."""

    def price_learned(self, price: LearnedPrice) -> None:
        """Take notice of a price that differs from what was assumed."""


def notify(observers: tuple[Observer, ...], event: str, *args: Any) -> None:
    """Call a method of all observers; none of them can break a call."""
    for observer in observers:
        try:
            getattr(observer, event)(*args)
        except Exception:
            logger.exception("%s.%s failed", type(observer).__name__, event)
