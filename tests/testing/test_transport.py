"""The fake inside the process, with our own client and in virtual time."""

from __future__ import annotations

from datetime import UTC, datetime

import anyio
import httpx
import pytest

from whereby_api_client import NotFoundError
from whereby_api_client.testing import FakeWhereby

from ..helpers.fake_clients import END
from ..helpers.virtual import anyio_backend  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio

LATER = datetime(2099, 3, 25, 13, 30, tzinfo=UTC)


async def test_our_client() -> None:
    """Respond to our own client without a socket."""
    fake = FakeWhereby()
    async with fake.client() as whereby:
        meeting = await whereby.meetings.create(end_date=LATER, fields=["hostRoomUrl"])
        assert (await whereby.meetings.get(meeting.meeting_id)).room_name == meeting.room_name
        await whereby.meetings.delete(meeting.meeting_id)
        with pytest.raises(NotFoundError, match="there is no meeting"):
            await whereby.meetings.get(meeting.meeting_id)
    assert [received.operation for received in fake.requests] == [
        "meetings.create",
        "meetings.get",
        "meetings.delete",
        "meetings.get",
    ]


async def test_links_point_to_another_host() -> None:
    """Give links to a host that is not the API's and does not exist, served by the transport."""
    fake = FakeWhereby()
    recording = fake.add_recording(content=b"hello")
    async with fake.client() as whereby, httpx.AsyncClient(transport=fake.transport()) as client:
        link = (await whereby.recordings.get_access_link(recording.recording_id)).access_link
        assert link.startswith("https://storage.whereby.test/storage/recordings/")
        assert (await client.get(link)).content == b"hello"
        head = await client.head(link)
        assert (head.headers["content-length"], head.content) == ("5", b"")


async def test_delays_take_no_time_under_a_virtual_clock() -> None:
    """Delay each way within the given bounds, and follow the virtual clock for points."""
    fake = FakeWhereby(limit=2, delay=(10, 20), seed=1, clock=anyio.current_time)
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with httpx.AsyncClient(transport=fake.transport(), headers=headers) as client:
        url = "https://api.whereby.test/v1/meetings"
        for _ in range(2):
            before = anyio.current_time()
            assert (await client.get(url, timeout=None)).status_code == 200
            assert 20 <= anyio.current_time() - before <= 40
        await anyio.sleep(60)
        assert (await client.get(url, timeout=None)).status_code == 200


async def test_read_timeouts() -> None:
    """Time out as a connection would; what was sent is carried out nevertheless."""
    fake = FakeWhereby(delay=3600)
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with httpx.AsyncClient(transport=fake.transport(), headers=headers) as client:
        url = "https://api.whereby.test/v1/meetings"
        before = anyio.current_time()
        with pytest.raises(httpx.ReadTimeout):
            await client.post(url, json={"endDate": END}, timeout=5)
        assert anyio.current_time() - before == pytest.approx(5)
    assert len(fake.meetings) == 1
