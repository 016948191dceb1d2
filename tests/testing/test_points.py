"""The three ways to count points, and how the responses report them. Time is injected."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whereby_api_client.testing import Clock, FakeWhereby
from whereby_api_client.testing.messages import Headers, Request, Response
from whereby_api_client.testing.points import (
    AlgorithmName,
    FixedWindow,
    SlidingLog,
    TokenBucket,
    make_algorithm,
)

ALGORITHMS: list[AlgorithmName] = ["fixed", "sliding", "token-bucket"]
START = 1_795_368_585.25  # Sun Nov 22 2026 17:29:45.25 UTC


def ask(fake: FakeWhereby, method: str = "GET", target: str = "/v1/meetings") -> Response:
    """Send a request into the core, without any I/O."""
    headers = Headers([("Authorization", f"Bearer {fake.token}")])
    return fake.handle(Request(method, target, headers))


def stopped(**options: Any) -> FakeWhereby:
    """Make a fake whose clock stands at START."""
    return FakeWhereby(clock=lambda: START, **options)


# -------------------------------------------------------------------------------------- algorithms


def test_fixed_window_opens_with_its_first_request() -> None:
    """Count from the first request for one period, then start anew with the next request."""
    window = FixedWindow(limit=5, period=60)
    assert window.take(1000, 3).reset == 1060
    assert window.take(1059, 2).remaining == 0
    refused = window.take(1059.5, 1)
    assert (refused.allowed, refused.retry_after) == (False, 0.5)
    reopened = window.take(1090, 1)
    assert (reopened.allowed, reopened.remaining, reopened.reset) == (True, 4, 1150)


def test_fixed_window_counts_rejected_requests() -> None:
    """Add before checking: a rejected write blocks a read that would have fitted."""
    window = FixedWindow(limit=4, period=60)
    assert window.take(0, 3).allowed
    assert not window.take(1, 3).allowed
    blocked = window.take(2, 1)
    assert (blocked.allowed, blocked.remaining) == (False, 0)
    assert window.take(60, 1).allowed


def test_sliding_log_forgets_each_request_after_a_period() -> None:
    """Give back the points of each request one period after it came; rejected ones cost nothing."""
    log = SlidingLog(limit=4, period=60)
    assert log.take(0, 3).allowed
    assert log.take(30, 1).remaining == 0
    refused = log.take(40, 3)
    assert (refused.allowed, refused.retry_after, refused.reset) == (False, 20, 60)
    assert not log.take(59.9, 1).allowed
    assert log.take(60, 3).allowed
    assert log.take(61, 1).retry_after == 29
    assert log.take(90, 1).allowed


def test_token_bucket_refills_evenly() -> None:
    """Refill by the rate, up to the limit; report when the missing tokens will be there."""
    bucket = TokenBucket(limit=60, period=60)
    assert bucket.take(0, 60).remaining == 0
    refused = bucket.take(1, 3)
    assert (refused.allowed, refused.retry_after, refused.reset) == (False, 2, 3)
    assert bucket.take(3, 3).allowed
    assert bucket.take(1000, 1).remaining == 59


@pytest.mark.parametrize("name", ALGORITHMS)
def test_more_than_the_limit_never_passes(name: AlgorithmName) -> None:
    """Refuse a request that costs more than there ever is, with a finite wait."""
    decision = make_algorithm(name, 2, 60).take(0, 3)
    assert not decision.allowed
    assert 0 < decision.retry_after <= 90


@given(
    st.sampled_from(ALGORITHMS),
    st.integers(3, 30),
    st.lists(st.tuples(st.floats(0, 50), st.sampled_from([1, 2, 3])), max_size=60),
)
def test_who_waits_as_long_as_reported_passes(
    name: AlgorithmName, limit: int, steps: list[tuple[float, int]]
) -> None:
    """Let a client through that waits for Retry-After, and never give out more than promised."""
    algorithm, now = make_algorithm(name, limit, 60), 0.0
    passed: list[tuple[float, int]] = []
    for step, cost in steps:
        now += step
        decision = algorithm.take(now, cost)
        assert 0 <= decision.remaining <= limit
        if not decision.allowed:
            now += decision.retry_after + 1e-6  # floats: now + (end - now) can be less than end
            decision = algorithm.take(now, cost)
            assert decision.allowed
        assert decision.retry_after == 0
        assert decision.reset >= now
        passed.append((now, cost))
    # a fixed window and a full bucket let through up to twice the limit in a sliding period
    allowed = limit if name == "sliding" else 2 * limit
    for at, _ in passed:
        assert sum(cost for when, cost in passed if at - 60 < when <= at) <= allowed


def test_nonsense_is_refused() -> None:
    """Refuse limits, periods and algorithms that make no sense."""
    with pytest.raises(ValueError, match="must be positive"):
        FakeWhereby(limit=0)
    with pytest.raises(ValueError, match="must be positive"):
        FakeWhereby(period=0)
    with pytest.raises(
        ValueError, match="must be one of fixed, sliding, token-bucket; got 'leaky'"
    ):
        FakeWhereby(algorithm="leaky")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------- the headers


@pytest.mark.parametrize(
    ("method", "cost"), [("GET", 1), ("DELETE", 2), ("POST", 3), ("PUT", 3), ("PATCH", 3)]
)
def test_costs_by_method(method: str, cost: int) -> None:
    """Charge reads 1, deletes 2 and all others 3, also what does not exist."""
    fake = stopped(limit=100)
    headers = dict(ask(fake, method, "/v1/nothing").headers)
    assert headers["X-RateLimit-Remaining"] == str(100 - cost)
    assert fake.requests[0].cost == cost


def test_real_costs_can_differ() -> None:
    """Charge what `costs` says where that differs from the document."""
    fake = stopped(limit=100, prices={"insights.list_rooms": 10})
    assert dict(ask(fake, target="/v1/insights/rooms").headers)["X-RateLimit-Remaining"] == "90"


def test_prices_by_pattern() -> None:
    """Charge by pattern, but by the exact name where there is one, whatever their order."""
    fake = stopped(limit=100, prices={"insights.*": 10, "insights.list_rooms": 2})
    ask(fake, target="/v1/insights/rooms")
    ask(fake, target="/v1/insights/participants?externalId=x")
    ask(fake)
    assert [recorded.cost for recorded in fake.requests] == [2, 10, 1]


def test_others_spend_too() -> None:
    """Take points that another process of the organization spends."""
    fake = stopped(limit=100)
    fake.spend(99)
    assert dict(ask(fake).headers)["X-RateLimit-Remaining"] == "0"
    assert ask(fake).status == 429


def test_429() -> None:
    """Respond over the limit with the documented body and headers, and carry nothing out."""
    fake = stopped(limit=3, algorithm="fixed")
    fake.clock.freeze()
    assert [ask(fake).status for _ in range(3)] == [200] * 3
    fake.clock.advance(21.311)
    response = ask(fake)
    assert response.status == 429
    assert response.body == (
        b'{"error":"Rate limit active for throttle key: organization:1","data":{"msLeft":38689}}'
    )
    headers = dict(response.headers)
    assert headers["X-RateLimit-Limit"] == "3"
    assert headers["X-RateLimit-Remaining"] == "0"
    assert headers["X-RateLimit-Reset"] == (
        "Sun Nov 22 2026 17:30:45 GMT+0000 (Coordinated Universal Time)"
    )
    assert headers["Retry-After"] == "38.689"
    assert fake.executed["meetings.list"] == 3
    assert fake.requests[-1].status == 429


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("js", "Sun Nov 22 2026 17:30:45 GMT+0000 (Coordinated Universal Time)"),
        ("iso", "2026-11-22T17:30:45.250Z"),
        ("http", "Sun, 22 Nov 2026 17:30:45 GMT"),
        ("epoch", "1795368646"),
        ("epoch-ms", "1795368645250"),
    ],
)
def test_forms_of_reset(form: Any, text: str) -> None:
    """Write X-RateLimit-Reset in each form that has been seen."""
    assert dict(ask(stopped(reset=form)).headers)["X-RateLimit-Reset"] == text


@pytest.mark.parametrize(
    ("form", "text"),
    [("integer", "39"), ("fraction", "38.689"), ("http", "Sun, 22 Nov 2026 17:30:46 GMT")],
)
def test_forms_of_retry_after(form: Any, text: str) -> None:
    """Write Retry-After in each form that has been seen, never too early."""
    fake = stopped(limit=1, retry_after=form)
    fake.clock.freeze()
    ask(fake)
    fake.clock.advance(21.311)
    assert dict(ask(fake).headers)["Retry-After"] == text


@pytest.mark.parametrize(
    ("headers", "on_success", "on_429"),
    [("always", True, True), ("limited", False, True), ("never", False, False)],
)
def test_which_responses_report(headers: Any, on_success: bool, on_429: bool) -> None:
    """Report the points always, only in a 429, or never; errors count as successes here."""
    fake = stopped(limit=2, headers=headers)
    responses = [ask(fake), ask(fake, target="/v1/meetings/none"), ask(fake)]
    assert [response.status for response in responses] == [200, 404, 429]
    reported = ["X-RateLimit-Limit" in dict(response.headers) for response in responses]
    assert reported == [on_success, on_success, on_429]
    assert ("Retry-After" in dict(responses[2].headers)) == on_429


def test_no_limit() -> None:
    """Never limit, and report nothing, when there is no limit."""
    fake = stopped(limit=None)
    responses = [ask(fake) for _ in range(1000)]
    assert {response.status for response in responses} == {200}
    assert "X-RateLimit-Limit" not in dict(responses[0].headers)


def test_every_response_is_dated_by_the_fakes_clock() -> None:
    """Send a Date, so that a client can compare X-RateLimit-Reset with it."""
    clock = Clock(lambda: START)
    clock.advance(-3600)
    date = dict(ask(FakeWhereby(clock=clock)).headers)["Date"]
    assert parsedate_to_datetime(date).timestamp() == int(START - 3600)
