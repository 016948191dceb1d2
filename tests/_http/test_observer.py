"""What an observer gets to know, and that it agrees with the server to the point."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.helpers.virtual import anyio_backend
from whereby_api_client import (
    BudgetTimeoutError,
    NotFoundError,
    PointBudget,
    WherebyClient,
    WherebyError,
)
from whereby_api_client._http._httpx import httpx
from whereby_api_client.observer import CallReport, LearnedPrice, Observer, Refusal, Wait
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.points import AlgorithmName

pytestmark = pytest.mark.anyio

__all__ = ["anyio_backend"]


class Notes(Observer):
    """Keeps everything."""

    def __init__(self) -> None:
        self.calls: list[CallReport] = []
        self.waits: list[Wait] = []
        self.waited: list[tuple[Wait, float]] = []
        self.refusals: list[Refusal] = []
        self.pauses: list[float] = []
        self.prices: list[LearnedPrice] = []

    def call_ended(self, call: CallReport) -> None:
        self.calls.append(call)

    def wait_began(self, wait: Wait) -> None:
        self.waits.append(wait)

    def wait_ended(self, wait: Wait, seconds: float) -> None:
        self.waited.append((wait, seconds))

    def call_refused(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def paused(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def price_learned(self, price: LearnedPrice) -> None:
        self.prices.append(price)


def client(
    notes: Observer, handler: Callable[[httpx.Request], Any], **options: Any
) -> WherebyClient:
    """Make a client that is observed, on a server in memory."""
    budget = options.pop("budget", None) or PointBudget(100, clock=anyio.current_time)
    transport = httpx.MockTransport(handler)
    return WherebyClient(
        "token-1234567890", budget=budget, transport=transport, observer=notes, **options
    )


def page(**headers: str) -> httpx.Response:
    """Respond with an empty list."""
    return httpx.Response(200, json={"results": [], "cursor": None}, headers=headers)


async def test_a_call_is_reported() -> None:
    """Report operation, points, times, status and request id of a call."""

    async def handler(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(2)
        return page(**{"x-request-id": "r1"})

    notes = Notes()
    await client(notes, handler).meetings.list()
    [call] = notes.calls
    assert (call.operation, call.method, call.points, call.status) == (
        "meetings.list",
        "GET",
        1,
        200,
    )
    assert (call.error, call.request_id, len(call.attempts)) == ("", "r1", 1)
    assert call.seconds == pytest.approx(2)
    assert call.duration == pytest.approx(2)
    assert call.waited == 0
    assert not notes.waits


async def test_attempts_are_reported() -> None:
    """Report one call with each of its attempts; the pauses between them belong to none."""
    responses: list[httpx.Response | Exception] = [
        httpx.Response(503),
        httpx.ReadError("cut"),
        page(),
    ]

    def handler(request: httpx.Request) -> httpx.Response:
        response = responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    notes = Notes()
    await client(notes, handler).meetings.list()
    [call] = notes.calls
    assert [(a.status, a.error) for a in call.attempts] == [
        (503, ""),
        (None, "ReadError"),
        (200, ""),
    ]
    assert call.points == 3
    assert call.seconds == pytest.approx(0, abs=0.01)
    assert call.duration >= call.attempts[-1].began > 0


async def test_waits_are_reported() -> None:
    """Report a wait when it begins and when it ends, however it ends."""
    notes = Notes()
    whereby = client(notes, lambda request: page(), budget=PointBudget(2, clock=anyio.current_time))
    await whereby.meetings.list()
    await whereby.meetings.list()
    with anyio.move_on_after(5):
        await whereby.meetings.list()
    assert [wait.operation for wait in notes.waits] == ["meetings.list"]
    [(wait, seconds)] = notes.waited
    assert wait == notes.waits[0]
    assert seconds == pytest.approx(5)
    await whereby.meetings.list()
    assert notes.calls[-1].waited == pytest.approx(55, abs=0.1)
    assert [call.points for call in notes.calls] == [1, 1, 0, 1]
    assert notes.calls[2].error in ("CancelledError", "Cancelled")
    with pytest.raises(BudgetTimeoutError):
        await whereby.with_options(max_wait=0).meetings.delete("m")
    assert (notes.calls[-1].error, notes.calls[-1].status) == ("BudgetTimeoutError", None)


async def test_refusals_and_errors_are_reported() -> None:
    """Report a 429 with its pause, once for the pause; and the error that the caller gets."""
    responses = [
        httpx.Response(429, headers={"retry-after": "3.5"}),
        httpx.Response(404, headers={"request-id": "r2"}),
    ]
    notes = Notes()
    with pytest.raises(NotFoundError):
        await client(notes, lambda request: responses.pop(0)).meetings.get("m")
    [refusal] = notes.refusals
    assert (refusal.operation, refusal.points) == ("meetings.get", 1)
    assert notes.pauses == [pytest.approx(3.5)]
    [call] = notes.calls
    assert [a.points for a in call.attempts] == [0, 1]
    assert (call.points, call.status, call.error, call.request_id) == (
        1,
        404,
        "NotFoundError",
        "r2",
    )
    assert call.waited == pytest.approx(3.5)


async def test_learned_prices_are_reported() -> None:
    """Report a price when the server's counts have shown it."""
    left = [100]

    async def handler(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(0.01)
        left[0] -= 4
        return page(**{"x-ratelimit-limit": "100", "x-ratelimit-remaining": str(left[0])})

    notes = Notes()
    whereby = client(notes, handler)
    for _ in range(4):
        await whereby.meetings.list()
    assert notes.prices == [LearnedPrice("meetings.list", 4, 1)]


async def test_an_observer_cannot_break_a_call(caplog: pytest.LogCaptureFixture) -> None:
    """Log what an observer raises, and go on."""

    class Broken(Observer):
        def call_ended(self, call: CallReport) -> None:
            raise LookupError

    await client(Broken(), lambda request: page()).meetings.list()
    assert "Broken.call_ended failed" in caplog.text


async def call_at_random(
    whereby: WherebyClient, rng: random.Random, *, calls: int, workers: int
) -> None:
    """Let workers read, delete and write at random; some of it fails."""
    operations: list[Callable[[], Any]] = [
        lambda: whereby.meetings.list(),
        lambda: whereby.meetings.delete("unknown"),
        lambda: whereby.rooms.set_colors("/r", tokens_preset="default"),
    ]
    jobs = iter([rng.choice(operations) for _ in range(calls)])

    async def worker() -> None:
        for job in jobs:
            with contextlib.suppress(WherebyError):
                await job()

    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(worker)


async def test_the_sums_agree_with_the_server() -> None:
    """Add up to the server's own count over 1000 mixed calls with faults and cancellations."""
    rng = random.Random(4)
    counted = [0]
    costs = {"GET": 1, "DELETE": 2, "PUT": 3}

    async def handler(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(rng.random() * 0.05)
        counted[0] += costs[request.method]
        await anyio.sleep(rng.random() * 0.05)
        if rng.random() < 0.05:
            return httpx.Response(503)
        return page() if request.method == "GET" else httpx.Response(204)

    notes = Notes()
    points = PointBudget(1000, clock=anyio.current_time)
    whereby = client(notes, handler, budget=points)
    await call_at_random(whereby, rng, calls=1000, workers=50)
    assert len(notes.calls) == 1000
    assert sum(call.points for call in notes.calls) == counted[0] > 1500
    assert len(notes.waits) == len(notes.waited) > 0


@pytest.mark.parametrize("algorithm", ["fixed", "sliding", "token-bucket"])
async def test_the_sums_agree_with_the_ledger_of_the_fake(algorithm: AlgorithmName) -> None:
    """Report operation by operation what FakeWhereby has counted, also with calls that fail."""
    rng = random.Random(7)
    fake = FakeWhereby(
        limit=60, period=4.0, algorithm=algorithm, clock=anyio.current_time, delay=0.02, seed=7
    )
    notes = Notes()
    whereby = WherebyClient(
        fake.token,
        transport=fake.transport(),
        budget=PointBudget(60, period=4.0, clock=anyio.current_time),
        observer=notes,
    )
    fake.fail("meetings.list", status=503, execute=True, times=3)
    await call_at_random(whereby, rng, calls=120, workers=20)
    reported: Counter[str] = Counter()
    for call in notes.calls:
        reported[call.operation] += call.points
    counted: Counter[str] = Counter()
    for request in fake.requests:
        assert request.status != 429
        counted[str(request.operation)] += request.cost
    assert len(notes.calls) == 120
    assert reported == counted


async def test_the_budget_of_a_tenant_is_observed() -> None:
    """Report the waits in a budget that a view spends from, and each once."""
    notes = Notes()
    whereby = client(notes, lambda request: page())
    budget = PointBudget(1, period=1.0, clock=anyio.current_time)
    for _ in range(3):
        await whereby.with_options(token="token-0987654321", budget=budget).meetings.list()
    assert len(notes.calls) == 3
    assert len(notes.waits) == len(notes.waited) == 2
