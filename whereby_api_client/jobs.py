"""Waiting for jobs: transcriptions and summaries are asked for first and ready later."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

import anyio

from ._runtime import checks
from ._runtime.resource import Resource
from .errors import (
    APIConnectionError,
    BudgetTimeoutError,
    InvalidArgumentError,
    JobFailedError,
    JobTimeoutError,
    RateLimitError,
    ServerError,
    WherebyError,
)

if TYPE_CHECKING:
    from .webhooks import Event, Webhooks
    from .webhooks.dispatch import Watch

DEFAULT_TIMEOUT: Final = 3600.0

# Seconds between two looks at a job: the first pause, how it grows, and the longest one.
FIRST_PAUSE: Final = 1.0
GROWTH: Final = 1.5
LONGEST_PAUSE: Final = 30.0

# The document lists `ready`, `failed` and `in_progress` for a transcription and shows `completed`
# for a summary. Whatever else a job may say one day is taken for "not yet": better to wait in vain
# than to hand out something half done.
DONE: Final = frozenset({"ready", "completed", "complete", "done", "finished", "succeeded"})
FAILED: Final = frozenset({"failed", "failure", "error", "cancelled", "canceled", "aborted"})

# Where a failed job may say why; no answer documents it, only the webhook does (`error`).
_REASONS: Final = ("error", "reason", "failureReason", "errorMessage", "message")

# A look that fails like this says nothing about the job.
_PASSING: Final = (APIConnectionError, ServerError, RateLimitError, BudgetTimeoutError)


class Job(Protocol):
    """What the items of a resource that can be waited for have in common."""

    @property
    def state(self) -> str:
        """How far the job is."""
        ...

    @property
    def additional_properties(self) -> dict[str, Any]:
        """The fields that the document does not know."""
        ...


JobT = TypeVar("JobT", bound=Job)


class Waitable(Resource, ABC, Generic[JobT]):
    """Base of the generated classes whose `get` answers something with a `state`."""

    __slots__ = ()

    _id_name: ClassVar[str]

    @abstractmethod
    async def get(self, item_id: str, /) -> JobT:
        """Get one item: the generated method."""

    async def wait(
        self,
        job_id: str,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        webhooks: Webhooks | None = None,
    ) -> JobT:
        """Wait until the job is done, and return it.

        It is looked at in intervals that grow from 1 to 30 seconds, at 1 point each, with
        background priority: other calls go first. Looks that fail because the API cannot be reached
        are repeated as long as there is time.

        Args:
            job_id: what to wait for.
            timeout: seconds to wait, waiting for points included; None: for ever.
            webhooks: where this process receives Whereby's events: one that mentions the job ends
                the pause at once. Without it, and when no event comes, it takes a little longer.

        Raises:
            JobFailedError: the job has failed; the text and `reason` say why.
            JobTimeoutError: the time is over.
            APIStatusError: the API refuses to tell, for example because there is no such job.
        """
        checks.seconds("timeout", timeout)
        if not isinstance(job_id, str):
            raise InvalidArgumentError("job_id: expected a str")
        patient = type(self)(self._caller.with_options(priority="background"))
        look = _Look[JobT](job_id, self._id_name.removesuffix("_id"))
        with contextlib.ExitStack() as stack:
            watch = stack.enter_context(webhooks.watch(job_id)) if webhooks is not None else None
            with anyio.move_on_after(timeout):
                while not await look.at(patient):
                    await look.pause(watch)
                return look.result(watch)
        raise look.too_late(timeout)


class _Look(Generic[JobT]):
    """What is known of a job, and when to look again."""

    def __init__(self, job_id: str, name: str) -> None:
        self._job_id = job_id
        self._name = name
        self._job: JobT | None = None
        self._trouble: WherebyError | None = None
        self._pause = FIRST_PAUSE

    @property
    def _state(self) -> str:
        # null is let through by the models even where the document does not mention it
        return getattr(self._job, "state", None) or ""

    async def at(self, resource: Waitable[JobT]) -> bool:
        """Look at the job; return whether it has come to an end."""
        try:
            self._job = await resource.get(self._job_id)
        except _PASSING as error:
            self._trouble = error
            return False
        self._trouble = None
        return self._state in DONE or self._state in FAILED

    async def pause(self, watch: Watch | None) -> None:
        """Wait for the next look: an event that mentions the job ends the pause."""
        with anyio.move_on_after(self._pause):
            if watch is None:
                await anyio.sleep_forever()
            else:
                await watch.next()
                # The API may take a moment to know what the event has told.
                self._pause = FIRST_PAUSE
                return
        self._pause = min(self._pause * GROWTH, LONGEST_PAUSE)

    def result(self, watch: Watch | None) -> JobT:
        """Return the job that has come to an end, or raise what it has failed with."""
        assert self._job is not None
        if self._state in DONE:
            return self._job
        reason = _reason(self._job, watch.events if watch is not None else ())
        raise JobFailedError(
            f"{self._name} {self._job_id} is {self._state}: {reason or 'the API does not say why'}",
            job_id=self._job_id,
            job=self._job,
            state=self._state,
            reason=reason,
        )

    def too_late(self, timeout: float | None) -> JobTimeoutError:
        """Say how far the job was when the time was over."""
        assert timeout is not None  # it would not have been over
        seen = f"still {self._state or 'without a state'}" if self._job is not None else "not seen"
        error = JobTimeoutError(
            f"{self._name} {self._job_id} is {seen} after {timeout:g} s",
            job_id=self._job_id,
            job=self._job,
            state=self._state,
        )
        if self._trouble is not None:
            error.add_note(f"the last look at it failed: {self._trouble}")
        return error


def _reason(job: Job, events: Iterable[Event[Any]]) -> str:
    """Find out why a job has failed: from its own fields, or from the event that told of it."""
    told = [{"error": getattr(event.data, "error", None)} for event in events]
    for source in (job.additional_properties, *told):
        for name in _REASONS:
            said = source.get(name)
            said = said.get("message") if isinstance(said, Mapping) else said
            if isinstance(said, str) and said.strip():
                return " ".join(said.split())[:500]
    return ""
