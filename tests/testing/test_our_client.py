"""The fake and our own client agree: on all operations, all parameters, all shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.helpers.wire_table import CASES, PNG, Case
from whereby_api_client import BadRequestError, NotFoundError, WherebyClient
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.document import published
from whereby_api_client.testing.handlers import HANDLERS

from ..helpers.fake_clients import GONE
from ..helpers.fake_table import furnished

pytestmark = pytest.mark.anyio

Reach = Callable[[FakeWhereby], AbstractAsyncContextManager[WherebyClient]]


@asynccontextmanager
async def over_a_socket(fake: FakeWhereby) -> AsyncIterator[WherebyClient]:
    """Give a client on a real socket."""
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        yield whereby


@asynccontextmanager
async def in_process(fake: FakeWhereby) -> AsyncIterator[WherebyClient]:
    """Give a client inside the process."""
    async with fake.client() as whereby:
        yield whereby


both = pytest.mark.parametrize("reach", [over_a_socket, in_process])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operation)
async def test_every_call_is_understood(case: Case) -> None:
    """Find nothing wrong with any call of the wire table but ids and cursors that do not exist."""
    fake = furnished()
    async with fake.client() as whereby:
        try:
            await case.call(whereby)
        except NotFoundError:
            pass
        except BadRequestError as error:
            assert "'cursor'" in error.message
    assert {received.operation for received in fake.requests} == {case.operation}


@both
@pytest.mark.skipif(bool(GONE), reason="the document does not have all operations any more")
async def test_tour(reach: Reach) -> None:
    """Carry out all operations of the document, each with its result as a model."""
    fake = FakeWhereby(job_time=0, seed=3)
    fake.seed_demo()
    async with reach(fake) as client:
        whereby: Any = client  # an update can remove an operation
        end = datetime(2099, 1, 1, tzinfo=UTC)
        meeting = await whereby.meetings.create(end_date=end, fields=["hostRoomUrl"])
        assert meeting.end_date == end
        assert [item async for item in whereby.meetings.list()] == [
            await whereby.meetings.get(meeting.meeting_id)
        ]
        await whereby.meetings.delete(meeting.meeting_id)

        recordings = [item async for item in whereby.recordings.list(limit=2)]
        assert len(recordings) == 6
        first = await whereby.recordings.get(recordings[0].recording_id)
        assert first == recordings[0]
        link = await whereby.recordings.get_access_link(first.recording_id)
        assert link.expires > 1_700_000_000_000

        created = await whereby.transcriptions.create(recording_id=first.recording_id)
        transcription = await whereby.transcriptions.get(created.transcription_id)
        assert transcription.state == "ready"
        assert len([item async for item in whereby.transcriptions.list()]) == 7
        await whereby.transcriptions.get_access_link(created.transcription_id)

        job = await whereby.summaries.create(
            transcription_id=created.transcription_id, template="Extended SOAP"
        )
        summary = await whereby.summaries.get(job.summary_id)
        assert summary.state == "completed"
        assert len([item async for item in whereby.summaries.list(limit=3)]) == 7
        await whereby.summaries.delete(job.summary_id)

        await whereby.transcriptions.delete(created.transcription_id)
        await whereby.transcriptions.bulk_delete(transcription_ids=[created.transcription_id])
        await whereby.recordings.delete(first.recording_id)
        await whereby.recordings.bulk_delete(
            recording_ids=[recording.recording_id for recording in recordings]
        )
        assert len(fake.recordings) == 0

        room_name = first.room_name
        assert isinstance(room_name, str)
        await whereby.rooms.set_colors(room_name, tokens={"colors": {"primary": "#112233"}})
        await whereby.rooms.set_logo(room_name, image=PNG)
        await whereby.rooms.set_background(room_name, theme="rocks")
        await whereby.rooms.set_knock_page_background(room_name, image=PNG)
        assert getattr(fake.theme(room_name).logo, "content", None) == PNG

        rooms = [item async for item in whereby.insights.list_rooms(limit=1)]
        assert len(rooms) == 3
        sessions = await whereby.insights.list_room_sessions(room_name=rooms[0].room_name)
        session_id = sessions.results[0].room_session_id
        people = await whereby.insights.list_participants(room_session_id=session_id)
        assert len(people.results) == 2
        details = await whereby.insights.get_participant(
            room_session_id=session_id, participant_id=people.results[0].participant_id
        )
        assert set(details[0].samples) >= {"packetLossSend", "bitrateRecv"}
    handled = {op.name for op in published().operations if f"{op.method} {op.template}" in HANDLERS}
    assert set(fake.executed) == handled
    assert {received.status for received in fake.requests} == {200, 201, 204}


async def test_the_size_of_a_background() -> None:
    """Take an image of the documented 600 kB, and refuse a byte more."""
    fake = FakeWhereby()
    image = PNG.ljust(600_000, b"\0")
    async with fake.client() as whereby:
        await whereby.rooms.set_background("/r", image=image)
        with pytest.raises(BadRequestError, match="at most 600000 bytes; got 600001"):
            await whereby.rooms.set_knock_page_background("/r", image=image + b"\0")
