"""The fake inside the process, with our own client and in virtual time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from whereby_api_client import NotFoundError
from whereby_api_client.testing import FakeWhereby

from ..helpers.fake_clients import END

LATER = datetime(2099, 3, 25, 13, 30, tzinfo=UTC)


@pytest.mark.anyio
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


@pytest.mark.anyio
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


def in_virtual_time(function: Any) -> None:
    """Run on trio with a clock that jumps to the next thing to do; fail if real time passes."""
    began = time.monotonic()
    trio.run(function, clock=trio.testing.MockClock(autojump_threshold=0))
    assert time.monotonic() - began < 5


def test_delays_take_no_time_under_a_virtual_clock() -> None:
    """Delay each way within the given bounds, and follow the virtual clock for points."""

    async def main() -> None:
        fake = FakeWhereby(limit=2, delay=(10, 20), seed=1, clock=trio.current_time)
        headers = {"Authorization": f"Bearer {fake.token}"}
        async with httpx.AsyncClient(transport=fake.transport(), headers=headers) as client:
            url = "https://api.whereby.test/v1/meetings"
            for _ in range(2):
                before = trio.current_time()
                assert (await client.get(url, timeout=None)).status_code == 200
                assert 20 <= trio.current_time() - before <= 40
            await trio.sleep(60)
            assert (await client.get(url, timeout=None)).status_code == 200

    in_virtual_time(main)


def test_read_timeouts() -> None:
    """Time out as a connection would; what was sent is carried out nevertheless."""

    async def main() -> None:
        fake = FakeWhereby(delay=3600)
        headers = {"Authorization": f"Bearer {fake.token}"}
        async with httpx.AsyncClient(transport=fake.transport(), headers=headers) as client:
            url = "https://api.whereby.test/v1/meetings"
            with pytest.raises(httpx.ReadTimeout):
                await client.post(url, json={"endDate": END}, timeout=5)
        assert len(fake.meetings) == 1

    in_virtual_time(main)
