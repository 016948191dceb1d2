"""A tour of the client: what a service does with Whereby, in one script.

Without WHEREBY_API_KEY it runs against an embedded local Whereby. With it, it runs against the real
service, and then only reads unless `--write` is given.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio

from whereby_api_client import PointBudget, WherebyClient

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MEETINGS = 250


async def write(whereby: WherebyClient) -> None:
    """Create meetings, page through them, delete one; style a room; transcribe and summarise."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    async def create(number: int) -> None:
        await whereby.meetings.create(
            end_date=tomorrow, room_name_prefix=f"demo-{number}-", fields=["hostRoomUrl"]
        )

    # 750 points at once: the budget makes the calls wait their turn, the server never says 429
    async with anyio.create_task_group() as tasks:
        for number in range(MEETINGS):
            tasks.start_soon(create, number)
    print(f"created    {MEETINGS} meetings with host URLs, all started at once")

    meetings = [m async for m in whereby.meetings.list(limit=100, fields=["hostRoomUrl"])]
    print(f"listed     {len(meetings)} meetings, page by page")

    meeting = await whereby.meetings.get(meetings[0].meeting_id, fields=["hostRoomUrl"])
    print(f"got        {meeting.room_url}, for hosts: {'yes' if meeting.host_room_url else 'no'}")
    room = str(meeting.room_name)
    await whereby.rooms.set_colors(room, tokens={"colors": {"primary": "#3355ff"}})
    await whereby.rooms.set_logo(room, image=PNG)
    print(f"styled     {room} with colours and a logo")
    await whereby.meetings.delete(meetings[-1].meeting_id)
    print(f"deleted    {meetings[-1].room_url}")

    async for recording in whereby.recordings.list(limit=1):
        created = await whereby.transcriptions.create(recording_id=recording.recording_id)
        transcription = await whereby.transcriptions.wait(created.transcription_id, timeout=600)
        summary = await whereby.summaries.create(
            transcription_id=created.transcription_id, template="General Narrative"
        )
        text = await whereby.summaries.wait(summary.summary_id, timeout=600)
        print(f"transcript {transcription.filename}: {transcription.state}")
        print(f"summary    {text.template}: {text.state}")
        break


async def read(whereby: WherebyClient) -> None:
    """List what is there: meetings, recordings, insights."""
    page = await whereby.meetings.list(limit=5)
    print(f"meetings   {len(page.results)} on the first page{', and more' if page.cursor else ''}")
    recordings = await whereby.recordings.list(limit=5)
    for recording in recordings.results[:1]:
        link = await whereby.recordings.get_access_link(
            recording.recording_id, valid_for_seconds=60
        )
        expires = datetime.fromtimestamp(link.expires / 1000, UTC)
        size = recording.size_in_mega_bytes
        print(f"recording  {recording.filename}, {size} MB, link until {expires:%H:%M:%S}")
    rooms = await whereby.insights.list_rooms(sort_by="totalSessions:desc", limit=3)
    for insight in rooms.results:
        print(
            f"insights   {insight.room_name}: {insight.total_sessions} sessions, "
            f"{insight.total_participant_minutes} participant minutes"
        )


@asynccontextmanager
async def embedded() -> AsyncIterator[WherebyClient]:
    """Give a client of a local Whereby that allows 500 points every 2 seconds."""
    from whereby_api_client.testing import FakeWhereby

    fake = FakeWhereby(limit=500, period=2, job_time=0.2)
    fake.seed_demo()
    async with (
        fake.serve() as url,
        WherebyClient(fake.token, base_url=url, budget=PointBudget(period=2)) as whereby,
    ):
        yield whereby
        refused = sum(1 for request in fake.requests if request.status == 429)
        print(f"\nthe server saw {len(fake.requests)} requests and refused {refused} with 429")


async def main() -> None:
    """Run the tour."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="change data of the real service too")
    arguments = parser.parse_args()
    real = bool(os.environ.get("WHEREBY_API_KEY"))
    async with WherebyClient() if real else embedded() as whereby:
        print(f"talking to {'the real Whereby' if real else 'an embedded local Whereby'}\n")
        if arguments.write or not real:
            await write(whereby)
        await read(whereby)
        points = whereby.budget.snapshot()
        print(
            f"\nbudget     {points.available} of {points.limit} points free, "
            f"{points.returning} come back within {points.next_points_in or 0:.1f} s"
        )


if __name__ == "__main__":
    sys.exit(anyio.run(main))
