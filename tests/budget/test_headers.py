"""Rate-limit headers and the body of a 429, in every form that is known, and in none."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whereby_api_client.budget.headers import NOTHING, RateLimit, read_rate_limit

DATE = "Sun, 22 Nov 2026 17:29:40 GMT"

#: The same moment, 17:29:45, five seconds after DATE.
FORMS = {
    "JavaScript": "Sun Nov 22 2026 17:29:45 GMT+0000 (Coordinated Universal Time)",
    "JavaScript in another zone": "Sun Nov 22 2026 19:29:45 GMT+0200 (Eastern European Time)",
    "JavaScript without a zone's name": "Sun Nov 22 2026 17:29:45 GMT+0000",
    "ISO": "2026-11-22T17:29:45Z",
    "ISO in another zone": "2026-11-22T12:29:45-05:00",
    "ISO without a zone": "2026-11-22T17:29:45",
    "HTTP date": "Sun, 22 Nov 2026 17:29:45 GMT",
    "epoch seconds": "1795368585",
}
EXACT_FORMS = {
    "ISO with milliseconds": "2026-11-22T17:29:45.500Z",
    "epoch milliseconds": "1795368585500",
    "epoch seconds with a fraction": "1795368585.5",
}


def read(status: int = 200, body: bytes | None = None, **headers: str) -> RateLimit:
    """Read headers that are given as keyword arguments."""
    return read_rate_limit(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


def test_counts() -> None:
    """Read limit and remaining, also from headers that were sent twice alike."""
    reported = read(x_ratelimit_limit="1000", x_ratelimit_remaining="0")
    assert (reported.limit, reported.remaining) == (1000, 0)
    assert read(x_ratelimit_limit="100, 100").limit == 100
    assert read(x_ratelimit_limit="100;w=60").limit == 100


def test_names_as_written() -> None:
    """Find the headers in a plain dict with the usual capitals as well."""
    reported = read_rate_limit(200, {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "7"})
    assert (reported.limit, reported.remaining) == (100, 7)


def test_nothing() -> None:
    """Say nothing when the response says nothing."""
    assert read(content_type="application/json", date=DATE) is NOTHING


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_reset_in_whole_seconds(text: str) -> None:
    """Count a moment in whole seconds to the end of its second."""
    assert read(x_ratelimit_reset=text, date=DATE).window_left == pytest.approx(6.0)


@pytest.mark.parametrize("text", EXACT_FORMS.values(), ids=EXACT_FORMS.keys())
def test_reset_with_fractions(text: str) -> None:
    """Take a moment with fractions as it is."""
    assert read(x_ratelimit_reset=text, date=DATE).window_left == pytest.approx(5.5)


def test_reset_as_a_duration() -> None:
    """Understand a small number as a duration."""
    assert read(x_ratelimit_reset="5").window_left == pytest.approx(6.0)
    assert read(x_ratelimit_reset="5.25").window_left == pytest.approx(5.25)


def test_the_local_clock_is_not_asked() -> None:
    """Do without a Reset that cannot be compared with a Date of the same response."""
    assert read(x_ratelimit_reset=FORMS["ISO"]).window_left is None
    assert read(x_ratelimit_reset=FORMS["ISO"], date="yesterday").window_left is None


@pytest.mark.parametrize("value", ["", "  ", "-1", "1.5", "NaN", "inf", "1e9", "١٢", "0x10", "1_0"])
def test_odd_counts_are_not_there(value: str) -> None:
    """Ignore what is no count."""
    reported = read(x_ratelimit_limit=value, x_ratelimit_remaining=value)
    assert (reported.limit, reported.remaining) == (None, None)


def test_different_repetitions_are_not_there() -> None:
    """Ignore a header that was sent twice with different values."""
    assert read(x_ratelimit_remaining="3, 4").remaining is None
    assert read(x_ratelimit_remaining="9" * 5000).remaining is None


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-5", "NaN", "Thu, 01 Jan 1970 00:00:00 GMT", "0001-01-01T00:00:00Z", "9" * 400],
)
def test_odd_resets_are_not_there(value: str) -> None:
    """Ignore what is no moment in the future."""
    assert read(x_ratelimit_reset=value, date=DATE).window_left is None


def test_a_far_reset_is_only_far() -> None:
    """Read a date in the year 9999; the ledger caps it."""
    reported = read(x_ratelimit_reset="Fri Dec 31 9999 23:59:59 GMT+0000 (UTC)", date=DATE)
    assert reported.window_left is not None
    assert reported.window_left > 1e9


@pytest.mark.parametrize(
    ("value", "wait", "is_exact"),
    [
        ("3", 3.0, False),
        ("3.968", 3.968, True),
        ("Sun, 22 Nov 2026 17:29:45 GMT", 5.0, False),
    ],
)
def test_retry_after(value: str, wait: float, is_exact: bool) -> None:
    """Read Retry-After in each of its forms."""
    reported = read(429, retry_after=value, date=DATE)
    assert reported.retry_in == pytest.approx(wait)
    assert reported.retry_is_exact == is_exact


@pytest.mark.parametrize("name", ["msLeft", "ms_left"])
def test_milliseconds_left(name: str) -> None:
    """Prefer the body's milliseconds to everything else."""
    body = json.dumps({"error": "Rate limit active", "data": {name: 38689}}).encode()
    reported = read(429, body, retry_after="60", date=DATE)
    assert reported.retry_in == pytest.approx(38.689)
    assert reported.retry_is_exact


def test_reset_of_a_refusal() -> None:
    """Fall back to the Reset when a 429 has no Retry-After."""
    assert read(429, x_ratelimit_reset=FORMS["ISO"], date=DATE).retry_in == pytest.approx(5.0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"data": 3}',
        b'{"data": {"msLeft": "x"}}',
        b'{"data": {"msLeft": -1}}',
        b'{"data": {"msLeft": true}}',
        b'{"data": {"msLeft": NaN}}',
        b'{"data": {"msLeft": Infinity}}',
        b'{"data": {"msLeft": ' + b"9" * 4000 + b"}}",
        b"[" * 60_000,
        b" " * 100_000,
    ],
    ids=range(14),
)
def test_odd_bodies_say_nothing(body: bytes) -> None:
    """Take a body that tells no time for one that tells no time."""
    assert read(429, body).retry_in is None


def test_a_retry_that_is_over_says_nothing() -> None:
    """Ignore a Retry-After in the past."""
    reported = read(429, retry_after="Thu, 01 Jan 1970 00:00:00 GMT", date=DATE)
    assert reported.retry_in is None


_VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from([*FORMS.values(), *EXACT_FORMS.values(), DATE]),
    st.floats().map(str),
    st.integers().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda when: when.isoformat() + "+14:00"),
    st.integers(0, 10**14).map(lambda n: f"{n}, {n}"),
)


@given(
    status=st.sampled_from([200, 404, 429, 503]),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "x-ratelimit-limit",
                "x-ratelimit-remaining",
                "x-ratelimit-reset",
                "retry-after",
                "date",
            ]
        ),
        _VALUES,
    ),
    body=st.none() | st.binary(max_size=60),
)
def test_nothing_raises(status: int, headers: dict[str, str], body: bytes | None) -> None:
    """Give counts and durations that can be used, or none, whatever the headers hold."""
    reported = read_rate_limit(status, headers, body)
    assert reported.limit is None or reported.limit >= 0
    assert reported.remaining is None or reported.remaining >= 0
    assert reported.window_left is None or 0 < reported.window_left < math.inf
    assert reported.retry_in is None or 0 <= reported.retry_in < math.inf
