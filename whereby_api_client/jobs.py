"""Waiting for jobs: transcriptions and summaries are created first and ready later."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

import anyio

from ._runtime import arguments as arg
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

# Seconds between two polls: the first interval, how it grows, and the longest one.
_FIRST_INTERVAL: Final = 1.0
_INTERVAL_GROWTH: Final = 1.5
_LONGEST_INTERVAL: Final = 30.0

# The OpenAPI document lists `ready`, `failed` and `in_progress` for a transcription and shows
# `completed` for a summary. Any other state means "not yet": better to wait in vain than to return
# something half done.
_DONE: Final = frozenset({"ready", "completed", "complete", "done", "finished", "succeeded"})
_FAILED: Final = frozenset({"failed", "failure", "error", "cancelled", "canceled", "aborted"})

# Fields in which a failed job may say why: undocumented in responses, `error` in the webhook.
_REASON_FIELDS: Final = ("error", "reason", "failureReason", "errorMessage", "message")

# A poll that fails like this says nothing about the job.
_TRANSIENT: Final = (APIConnectionError, ServerError, RateLimitError, BudgetTimeoutError)


class Job(Protocol):
    """What the models of all resources that can be waited for have in common."""

    @property
    def state(self) -> str:
        """The state of the job."""
        ...

    @property
    def additional_properties(self) -> dict[str, Any]:
        """The fields that the OpenAPI document does not know."""
        ...


JobT = TypeVar("JobT", bound=Job)


class Waitable(Resource, ABC, Generic[JobT]):
    """Base of the generated classes whose `get` returns a model with a `state`."""

    __slots__ = ()

    _id_name: ClassVar[str]

    @abstractmethod
    async def get(self, item_id: str, /) -> JobT:
        """Get one item: the generated method."""

    async def wait(
        self,
        job_id: JobT | str,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        webhooks: Webhooks | None = None,
    ) -> JobT:
        """Wait until the job is done, and return it.

        The job is polled at intervals that grow from 1 to 30 seconds, for 1 point each, with
        background priority: other calls go first. A poll that fails because the API cannot be
        reached is repeated as long as there is time.

        Args:
            job_id: what to wait for: its id or its model.
            timeout: seconds to wait, waiting for points included; None: for ever.
            webhooks: where this process receives Whereby's events. An event that mentions the job
                wakes the wait up early.

        Raises:
            JobFailedError: the job has failed; `reason` says why, if Whereby does.
            JobTimeoutError: the job was not done within `timeout`.
            ClientClosedError: the client was closed meanwhile.
            APIStatusError: the API refuses the poll, for example because there is no such job.
        """
        checks.seconds("timeout", timeout)
        identifier = arg.item_id(self._id_name, job_id, self._id_name)
        if webhooks is not None and not hasattr(webhooks, "watch"):
            raise InvalidArgumentError(
                f"webhooks: must be a Webhooks; got {type(webhooks).__name__}"
            )
        background = type(self)(self._caller.with_options(priority="background"))
        poller = _Poller[JobT](identifier, self._id_name.removesuffix("_id"))
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._caller._until_closed())
            watch = (
                stack.enter_context(webhooks.watch(identifier)) if webhooks is not None else None
            )
            with anyio.move_on_after(timeout):
                while not await poller.poll(background):
                    await poller.pause(watch)
                return poller.result(watch)
        raise poller.timeout_error(timeout)


class _Poller(Generic[JobT]):
    """The latest state of a job, and the interval to the next poll."""

    def __init__(self, job_id: str, name: str) -> None:
        self._job_id = job_id
        self._name = name
        self._job: JobT | None = None
        self._last_error: WherebyError | None = None
        self._interval = _FIRST_INTERVAL

    @property
    def _state(self) -> str:
        # The models let null through even where the OpenAPI document does not mention it.
        return getattr(self._job, "state", None) or ""

    async def poll(self, resource: Waitable[JobT]) -> bool:
        """Get the job; return whether it has ended."""
        try:
            self._job = await resource.get(self._job_id)
        except _TRANSIENT as error:
            self._last_error = error
            return False
        self._last_error = None
        return self._state in _DONE or self._state in _FAILED

    async def pause(self, watch: Watch | None) -> None:
        """Wait until the next poll is due, or an event mentions the job."""
        with anyio.move_on_after(self._interval):
            if watch is None:
                await anyio.sleep_forever()
            else:
                await watch.next()
                # The API may be a moment behind the event.
                self._interval = _FIRST_INTERVAL
                return
        self._interval = min(self._interval * _INTERVAL_GROWTH, _LONGEST_INTERVAL)

    def result(self, watch: Watch | None) -> JobT:
        """Return the job that has ended, or raise the error of one that has failed."""
        assert self._job is not None
        if self._state in _DONE:
            return self._job
        reason = _reason(self._job, watch.events if watch is not None else ())
        raise JobFailedError(
            f"{self._name} {self._job_id} is {self._state}: {reason or 'the API does not say why'}",
            job_id=self._job_id,
            job=self._job,
            state=self._state,
            reason=reason,
        )

    def timeout_error(self, timeout: float | None) -> JobTimeoutError:
        """Return the error for a job that was not done in time."""
        assert timeout is not None  # without one the wait does not end
        state = f"still {self._state or 'without a state'}" if self._job is not None else "not seen"
        error = JobTimeoutError(
            f"{self._name} {self._job_id} is {state} after {timeout:g} s",
            job_id=self._job_id,
            job=self._job,
            state=self._state,
        )
        if self._last_error is not None:
            error.add_note(f"the last poll failed: {self._last_error}")
        return error


def _reason(job: Job, events: Iterable[Event[Any]]) -> str:
    """Return why a job has failed, from its own fields or those of an event; empty if unknown."""
    event_fields = [{"error": getattr(event.data, "error", None)} for event in events]
    for fields in (job.additional_properties, *event_fields):
        for name in _REASON_FIELDS:
            value = fields.get(name)
            reason = value.get("message") if isinstance(value, Mapping) else value
            if isinstance(reason, str) and reason.strip():
                return " ".join(reason.split())[:500]
    return ""
