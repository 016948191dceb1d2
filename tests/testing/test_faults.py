"""Faults on demand, over a real socket and inside the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from whereby_api_client.testing import FakeWhereby

from ..helpers.fake_clients import END

pytestmark = pytest.mark.anyio

Reach = Callable[[FakeWhereby], AbstractAsyncContextManager[httpx.AsyncClient]]


@asynccontextmanager
async def over_a_socket(fake: FakeWhereby) -> AsyncIterator[httpx.AsyncClient]:
    """Reach the fake over a socket."""
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with (
        fake.serve() as url,
        httpx.AsyncClient(base_url=url, headers=headers, verify=False) as client,
    ):
        yield client


@asynccontextmanager
async def in_process(fake: FakeWhereby) -> AsyncIterator[httpx.AsyncClient]:
    """Reach the fake inside the process."""
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with httpx.AsyncClient(
        base_url="https://api.whereby.dev/v1", headers=headers, transport=fake.transport()
    ) as client:
        yield client


both = pytest.mark.parametrize("reach", [over_a_socket, in_process])


@both
async def test_status_once(reach: Reach) -> None:
    """Respond with a status once, free of charge and without executing, then behave again."""
    fake = FakeWhereby()
    fault = fake.fail("meetings.create", status=503, headers={"Retry-After": "1"})
    async with reach(fake) as client:
        first = await client.post("/meetings", json={"endDate": END})
        assert (first.status_code, first.headers["retry-after"]) == (503, "1")
        assert first.json() == {"error": "ordered by the test: 503"}
        second = await client.post("/meetings", json={"endDate": END})
    assert second.status_code == 201
    assert fake.executed["meetings.create"] == fault.hits == 1
    assert [received.cost for received in fake.requests] == [0, 3]


@both
async def test_n_times_by_operation(reach: Reach) -> None:
    """Strike n requests of one operation, or of a tag, and leave the others alone."""
    fake = FakeWhereby()
    fake.fail("recordings.*", status=500, times=2, message="broken")
    async with reach(fake) as client:
        paths = ("/recordings", "/meetings", "/recordings/x", "/recordings")
        responses = [await client.get(path) for path in paths]
    assert [response.status_code for response in responses] == [500, 200, 500, 200]
    assert responses[0].json() == {"error": "broken"}


@both
async def test_always_until_cancelled(reach: Reach) -> None:
    """Strike every request until the fault is withdrawn."""
    fake = FakeWhereby()
    fault = fake.fail(status=502, body=b"<html>bad gateway</html>", times=None)
    async with reach(fake) as client:
        for _ in range(3):
            response = await client.get("/meetings")
            assert (response.status_code, response.text) == (502, "<html>bad gateway</html>")
            assert response.headers["content-type"] == "text/html"
        fault.cancel()
        assert (await client.get("/meetings")).status_code == 200
    assert fault.hits == 3


@both
async def test_executed_but_another_response(reach: Reach) -> None:
    """Execute and charge a request, and respond as a gateway that lost the response would."""
    fake = FakeWhereby()
    fake.fail("meetings.create", status=504, execute=True)
    async with reach(fake) as client:
        assert (await client.post("/meetings", json={"endDate": END})).status_code == 504
    assert (len(fake.meetings), fake.executed["meetings.create"]) == (1, 1)
    assert (fake.requests[0].cost, fake.requests[0].status) == (3, 504)


@both
async def test_other_bodies(reach: Reach) -> None:
    """Respond with any bytes or JSON with any status, and nothing with 204."""
    fake = FakeWhereby()
    fake.fail(body=b"not json")
    fake.fail(json={"results": [], "cursor": "again"})
    fake.fail(status=204)
    async with reach(fake) as client:
        text = await client.get("/meetings")
        assert (text.status_code, text.text) == (200, "not json")
        page = await client.get("/meetings")
        assert page.json() == {"results": [], "cursor": "again"}
        assert page.headers["content-type"] == "application/json"
        empty = await client.get("/meetings")
        assert (empty.status_code, empty.content) == (204, b"")


@both
@pytest.mark.parametrize(("drop", "executed"), [("before", 0), ("after", 1), ("mid", 1)])
async def test_lost_connections(reach: Reach, drop: str, executed: int) -> None:
    """Lose the connection before executing, after it, or amid the response; then go on."""
    fake = FakeWhereby()
    fake.fail("meetings.create", drop=drop)  # type: ignore[arg-type]
    async with reach(fake) as client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await client.post("/meetings", json={"endDate": END})
        assert len(fake.meetings) == fake.executed["meetings.create"] == executed
        assert (fake.requests[0].status is None) == (drop == "before")
        assert fake.requests[0].json == {"endDate": END}
        assert (await client.get("/meetings")).status_code == 200


async def test_lost_before_the_body() -> None:
    """Lose the connection when only the request's head has arrived."""
    fake = FakeWhereby()
    fake.fail("meetings.*", drop="early", times=2)
    async with over_a_socket(fake) as client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await client.get("/meetings")
    async with in_process(fake) as client:
        with pytest.raises(httpx.WriteError):
            await client.post("/meetings", json={"endDate": END})
    assert [(received.status, received.body) for received in fake.requests] == [(None, b"")] * 2
    assert not fake.executed


@both
async def test_half_a_response(reach: Reach) -> None:
    """Send as many bytes of the body as ordered, then close; half a head where there is no body."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=b"0123456789" * 100_000)
    fake.fail("storage.download", drop="mid", cut=700_001)
    fake.fail("recordings.delete", drop="mid")
    async with reach(fake) as client:
        path = f"/recordings/{recording.recording_id}"
        link = (await client.get(f"{path}/access-link")).json()["accessLink"]
        request = client.build_request("GET", link)
        del request.headers["Authorization"]
        response = await client.send(request, stream=True)
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()
        assert response.num_bytes_downloaded == 700_001
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await client.delete(path)


@both
async def test_garbage(reach: Reach) -> None:
    """Send bytes that are no HTTP."""
    fake = FakeWhereby()
    fake.fail(garbage=True)
    fake.fail(garbage=b"HTTP/9 hello")
    async with reach(fake) as client:
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/meetings")


@both
async def test_slow_responses_time_out(reach: Reach) -> None:
    """Let the client's read timeout strike; the request is carried out all the same."""
    fake = FakeWhereby()
    fake.fail("meetings.create", delay=30)
    async with reach(fake) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/meetings", json={"endDate": END}, timeout=0.05)
        # a second request gets its response after the first was carried out
        assert len((await client.get("/meetings")).json()["results"]) == 1


def test_typing_errors_are_caught() -> None:
    """Refuse faults for operations that do not exist and invalid drops."""
    fake = FakeWhereby()
    with pytest.raises(ValueError, match=r"one of .*meetings.create.*; got 'meetings.craete'"):
        fake.fail("meetings.craete", status=500)
    with pytest.raises(
        ValueError, match="drop must be one of early, before, after, mid; got 'never'"
    ):
        fake.fail(drop="never")  # type: ignore[arg-type]
