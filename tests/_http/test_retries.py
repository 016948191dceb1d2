"""Which attempts are repeated, and after which pause."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import anyio
import anyio.lowlevel
import httpx
import pytest

from whereby_api_client import PointBudget
from whereby_api_client._http.budget_transport import BudgetTransport
from whereby_api_client._http.call_context import EXTENSION
from whereby_api_client._http.retries import RetryTransport, pause_before, worth_repeating

from ..helpers.transports import URL, Retries, Script, call

pytestmark = pytest.mark.anyio


# the server has not carried it out
REFUSED = [
    429,
    httpx.ConnectError(""),
    httpx.ConnectTimeout(""),
    httpx.PoolTimeout(""),
    httpx.ProxyError(""),
]
# it may have
LOST = [
    *(500, 502, 503, 504, 520, 599),
    httpx.ReadError(""),
    httpx.ReadTimeout(""),
    httpx.WriteError(""),
    httpx.WriteTimeout(""),
    httpx.RemoteProtocolError(""),
]
FINAL = [
    *(200, 302, 400, 404, 408, 501),
    httpx.UnsupportedProtocol(""),
    httpx.LocalProtocolError(""),
    httpx.DecodingError(""),
    ValueError(),
]


@pytest.mark.parametrize("outcome", [*REFUSED, *LOST, *FINAL], ids=str)
def test_worth_repeating(outcome: int | Exception) -> None:
    """Repeat what was refused or never seen; what may have been executed only if harmless."""
    assert worth_repeating(outcome, repeatable=False) is (outcome in REFUSED)
    assert worth_repeating(outcome, repeatable=True) is (outcome in [*REFUSED, *LOST])


def test_pause() -> None:
    """Double with each retry up to a cap, spread it by chance, and obey the server."""
    assert [pause_before(n, None, 1.0) for n in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert pause_before(3, None, 0.25) == 1.0
    assert pause_before(10_000, None, 1.0) == 8.0
    assert pause_before(0, 3.5, 1.0) == 3.5
    assert pause_before(4, 3.5, 1.0) == 8.0


async def test_it_helps_in_the_end() -> None:
    """Go on until an attempt succeeds, with growing pauses."""
    script = Script(503, httpx.ReadError(""), httpx.ConnectError(""), 200)
    retries = Retries(script)
    response = await retries.transport.handle_async_request(call(repeatable=True, max_retries=5))
    assert response.status_code == 200
    assert retries.pauses == [0.5, 1.0, 2.0]
    assert len({id(request) for request in script.requests}) == 1


async def test_the_last_outcome_stands() -> None:
    """After `max_retries` hand on what there is: a response, or an exception."""
    retries = Retries(Script(500, 502, 503))
    response = await retries.transport.handle_async_request(call(repeatable=True, max_retries=2))
    assert response.status_code == 503
    script = Script(httpx.ConnectError("first"), httpx.ConnectError("last"))
    retries = Retries(script)
    with pytest.raises(httpx.ConnectError, match="last"):
        await retries.transport.handle_async_request(call("POST", max_retries=1))
    assert len(script.requests) == 2


@pytest.mark.parametrize("outcome", [httpx.ReadTimeout(""), httpx.RemoteProtocolError(""), 500])
async def test_a_creating_call_is_sent_once(outcome: int | Exception) -> None:
    """Never repeat what may have created something."""
    script = Script(outcome, 200)
    transport = Retries(script).transport
    if isinstance(outcome, Exception):
        with pytest.raises(type(outcome)):
            await transport.handle_async_request(call("POST", max_retries=9))
    else:
        response = await transport.handle_async_request(call("POST", max_retries=9))
        assert response.status_code == outcome
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [
        ({"Retry-After": "7"}, [7.0]),
        ({"Retry-After": "3.968"}, [3.968]),
        ({"Retry-After": "0"}, [0.5]),
        ({"Retry-After": "-5"}, [0.5]),
        ({"Retry-After": "nonsense"}, [0.5]),
        ({"Retry-After": "61"}, []),
        ({"Retry-After": "1e400"}, [0.5]),
        (
            {
                "Retry-After": "Sun, 22 Nov 2026 17:29:55 GMT",
                "Date": "Sun, 22 Nov 2026 17:29:45 GMT",
            },
            [10.0],
        ),
        ({"X-RateLimit-Reset": "50"}, [0.5]),
    ],
)
async def test_retry_after(headers: Mapping[str, str], pauses: list[float]) -> None:
    """Obey every form of Retry-After; one that asks for too long is not waited for at all."""
    retries = Retries(Script(httpx.Response(503, headers=headers), 200))
    await retries.transport.handle_async_request(call(repeatable=True, max_retries=1))
    assert retries.pauses == pauses


async def test_no_pause_that_outlasts_the_call() -> None:
    """Raise now if the time would be over before the next attempt."""
    request = call(repeatable=True, max_retries=3, timeout=5.0, scope=anyio.CancelScope())
    request.extensions[EXTENSION].start_clock()
    retries = Retries(Script(httpx.Response(503, headers={"Retry-After": "6"})))
    response = await retries.transport.handle_async_request(request)
    assert response.status_code == 503
    assert retries.pauses == []


async def test_a_429_does_not_pause_here() -> None:
    """Leave the waiting to the budget, and ask for the head of its queue."""
    script = Script(429, 200)
    retries = Retries(script)
    request = call("POST", max_retries=1)
    await retries.transport.handle_async_request(request)
    assert retries.pauses == []
    assert request.extensions[EXTENSION].first
    assert len(script.requests) == 2


async def test_the_head_of_the_queue_is_for_a_429_only() -> None:
    """Queue up again like everybody else after any other failure."""
    heads: list[bool] = []

    class Watch(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            heads.append(request.extensions[EXTENSION].first)
            return await super().handle_async_request(request)

    script = Watch(429, httpx.ReadError(""), 429, 503, 200)
    request = call(repeatable=True, max_retries=9)
    await Retries(script).transport.handle_async_request(request)
    assert heads == [False, True, False, True, False]


async def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """Write a debug line for each attempt, without the query."""
    caplog.set_level(logging.DEBUG, "whereby_api_client")
    request = httpx.Request("GET", f"{URL}?key=secret", extensions=call(max_retries=1).extensions)
    await Retries(Script(httpx.ConnectError("secret"), 200)).transport.handle_async_request(request)
    assert [record.getMessage() for record in caplog.records] == [
        "GET /v1/meetings: ConnectError (attempt 1)",
        "GET /v1/meetings: 200 (attempt 2)",
    ]


async def test_closing() -> None:
    """Close what is underneath, all the way down."""
    script = Script(200)
    await RetryTransport(BudgetTransport(script, PointBudget())).aclose()
    assert script.closed
