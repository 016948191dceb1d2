"""Whatever comes back, to whichever call: a result or a `WherebyError`, nothing else.

`FUZZ_EXAMPLES=20000 make test-all` is the long run; the default is a short one.
"""

from __future__ import annotations

import gzip
import json
import os
import pickle
from typing import Any

import httpx
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whereby_api_client import PointBudget, WherebyClient, WherebyError, models
from whereby_api_client._runtime.codec import DecodeError

from .helpers.documents import SCHEMAS, example_of, success_example
from .helpers.wire_table import CASES, Case

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "400"))
WRONG: list[Any] = [
    None,
    True,
    5,
    -0.5,
    10**400,
    "",
    "text",
    "2025-13-45",
    [],
    [None],
    {},
    {"a": []},
]

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WRONG)
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """Change an example somewhere: another value, a missing or an unknown name."""
    if draw(st.booleans()) and isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value)))
        change = draw(st.sampled_from(["inside", "inside", "inside", "gone", "new"]))
        if change == "gone":
            return {k: v for k, v in value.items() if k != key}
        if change == "new":
            return {**value, draw(st.text()): draw(json_values)}
        return {**value, key: draw(mutated(value[key]))}
    if draw(st.booleans()) and isinstance(value, list) and value:
        return [*value, draw(mutated(value[0]))]
    return draw(json_values)


def as_json(value: Any) -> bytes:
    """Write JSON as loosely as servers do: NaN, huge numbers, lone surrogates."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def bodies(draw: st.DrawFn, example: Any) -> tuple[bytes, dict[str, str]]:
    """Make a body and the headers that belong to it."""
    kind = draw(st.sampled_from(["mutated", "mutated", "json", "bytes", "cut", "odd", "gzip"]))
    headers = {"content-type": "application/json"}
    if kind == "json":
        return as_json(draw(json_values)), headers
    if kind == "bytes":
        return draw(st.binary(max_size=200)), headers
    if kind == "odd":
        odd = [
            b"",
            b"<html><body>Bad gateway</body></html>",
            b"[" * 100_000,
            b'{"results":' * 5_000,
            b"1" * 10_000,
            b'{"cursor": 1e999999, "results": [NaN, -Infinity]}',
            b"\xff\xfe{}",
            b'"\\ud800"',
            b"null",
        ]
        return draw(st.sampled_from(odd)), headers
    whole = as_json(draw(mutated(example)))
    if kind == "cut":
        return whole[: draw(st.integers(0, len(whole)))], headers
    if kind == "gzip":
        packed = gzip.compress(whole, mtime=0)
        packed = packed[: draw(st.integers(0, len(packed)))] + draw(st.binary(max_size=5))
        return packed, {
            **headers,
            "content-encoding": draw(st.sampled_from(["gzip", "deflate", "x"])),
        }
    return whole, headers


header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
HEADERS = [
    *("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date"),
    *("location", "set-cookie", "content-type", "x-request-id", "transfer-encoding"),
]
extra_headers = st.dictionaries(
    st.sampled_from(HEADERS),
    header_values | st.integers().map(str) | st.floats().map(str),
    max_size=4,
)


class FixedResponse(httpx.AsyncBaseTransport):
    """A transport that gives the same raw response to everything."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.response = (status, headers, body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Respond; the body is decoded on the way out, as one from a socket."""
        status, headers, body = self.response
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


async def call(case: Case, transport: httpx.AsyncBaseTransport) -> Any:
    """Make the call and return its result or its error."""
    budget = PointBudget(limit=100)
    async with WherebyClient("t", transport=transport, budget=budget, max_retries=1) as whereby:
        try:
            result = await case.call(whereby)
        except WherebyError as error:
            assert str(error)
            pickle.loads(pickle.dumps(error))
            result = error
        assert whereby.budget.snapshot().in_flight == 0
        return result


def respond_to_a_call(data: st.DataObject) -> None:
    """Respond to some call somehow: the result is a value or a WherebyError, and points balance."""
    case = data.draw(st.sampled_from(CASES), label="call")
    status = data.draw(
        st.sampled_from([200, 200, 200, 204]) | st.integers(200, 599), label="status"
    )
    body, headers = data.draw(bodies(success_example(case.operation) or {}), label="body")
    headers |= data.draw(extra_headers, label="headers")
    result = trio.run(
        call,
        case,
        FixedResponse(status, headers, body),
        clock=trio.testing.MockClock(autojump_threshold=0),
    )
    if not isinstance(result, WherebyError):
        repr(result)


few = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@few
@given(data=st.data())
def test_any_response_to_any_call(data: st.DataObject) -> None:
    """Any status, headers and body give a result or a WherebyError."""
    respond_to_a_call(data)


@pytest.mark.slow
@settings(few, max_examples=EXAMPLES)
@given(data=st.data())
def test_many_responses_to_any_call(data: st.DataObject) -> None:
    """The same with many more responses."""
    respond_to_a_call(data)


@pytest.mark.parametrize("name", models.__all__)
def test_every_wrong_type_at_every_field(name: str) -> None:
    """A wrong value at any field of any model is tolerated or told with model and field."""
    model: Any = getattr(models, name)
    if not hasattr(model, "from_dict"):
        assert model("never heard of") == "never heard of"
        return
    example = example_of(SCHEMAS[name])
    for field in example:
        for wrong in WRONG:
            try:
                read = model.from_dict({**example, field: wrong})
            except DecodeError as error:
                assert error.path.startswith(f"{name}.{field}"), (field, wrong, str(error))
            else:
                repr(read)
                assert set(read.to_dict()) == set(example)
        try:
            model.from_dict({k: v for k, v in example.items() if k != field})
        except DecodeError as error:
            assert str(error) == f"{name}.{field}: expected a value, got nothing"
