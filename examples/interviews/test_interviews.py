"""The service's tests: `pip install 'whereby-api-client[testing]' pytest fastapi`, then `pytest`.

`whereby` is a fixture of whereby-api-client: a client of `fake_whereby`.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import interviews as service
import pytest
from conftest import SECRET

from whereby_api_client import WherebyClient
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.webhooks import WebhookSender, session_ended, session_started

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """FastAPI runs on asyncio."""
    return "asyncio"


@pytest.fixture
def fake_whereby() -> FakeWhereby:
    """Give a Whereby with our plan's points; the fixture that comes with the package has plenty."""
    return FakeWhereby(limit=100)


@pytest.fixture
def browser(whereby: WherebyClient) -> Iterator[httpx.AsyncClient]:
    """Give a client of the service, whose Whereby is the fake."""
    service.interviews.clear()
    impatient = whereby.with_options(max_wait=2)
    service.app.dependency_overrides[service.get_whereby] = lambda: impatient
    transport = httpx.ASGITransport(service.app)
    yield httpx.AsyncClient(transport=transport, base_url="http://test")
    service.app.dependency_overrides.clear()


async def test_booking(browser: httpx.AsyncClient, fake_whereby: FakeWhereby) -> None:
    """A booking is a locked room, with one address for each side."""
    response = await browser.post("/interviews", json={"candidate": "Ada"})
    assert response.status_code == 201
    (meeting,) = fake_whereby.meetings.all()
    assert response.json()["candidate_url"] == meeting.room_url
    assert response.json()["interviewer_url"] != meeting.room_url
    (request,) = fake_whereby.calls("meetings.create")
    assert request.json["isLocked"] is True


@pytest.mark.parametrize("body", [{}, {"candidate": ""}, {"candidate": "Ada", "minutes": 0}])
async def test_odd_bookings(
    browser: httpx.AsyncClient, fake_whereby: FakeWhereby, body: dict[str, object]
) -> None:
    """What cannot be booked asks nothing of Whereby."""
    assert (await browser.post("/interviews", json=body)).status_code == 422
    assert fake_whereby.requests == []


async def test_states(browser: httpx.AsyncClient, fake_whereby: FakeWhereby) -> None:
    """Webhooks move an interview on; one that comes late does not move it back."""
    booked = (await browser.post("/interviews", json={"candidate": "Ada"})).json()
    (meeting,) = fake_whereby.meetings.all()
    sender = WebhookSender("http://test/webhooks", SECRET, app=service.app)
    start, end = session_started(meeting), session_ended(meeting)
    states = []
    for event in (start, end, start):
        assert await sender.send(event) == 200
        states.append((await browser.get(f"/interviews/{booked['id']}")).json()["state"])
    assert states == ["running", "over", "over"]
    assert await sender.send(end, secret="guess") == 401


async def test_calling_off(browser: httpx.AsyncClient, fake_whereby: FakeWhereby) -> None:
    """The room is gone, also when Whereby had deleted it before."""
    for deleted_before in (False, True):
        booked = (await browser.post("/interviews", json={"candidate": "Ada"})).json()
        if deleted_before:
            (meeting,) = fake_whereby.meetings.all()
            meeting.gone_at = fake_whereby.clock.today()
        assert (await browser.delete(f"/interviews/{booked['id']}")).status_code == 204
        assert fake_whereby.meetings.all() == []
        assert (await browser.get(f"/interviews/{booked['id']}")).status_code == 404


async def test_no_points(browser: httpx.AsyncClient, fake_whereby: FakeWhereby) -> None:
    """When others have used the points up, the caller hears of it at once."""
    fake_whereby.spend(10_000)
    response = await browser.post("/interviews", json={"candidate": "Ada"})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
