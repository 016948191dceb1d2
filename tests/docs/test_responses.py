"""What the page on responses and arguments shows, run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from whereby_api_client import WherebyClient
from whereby_api_client.testing import FakeWhereby

from ..helpers.pages import python_blocks, run_block

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs/responses.md"


async def test_the_page() -> None:
    """All blocks run one after the other, and the FastAPI service shows no secret."""
    fake = FakeWhereby()
    end = datetime(2099, 1, 1, tzinfo=UTC)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        created = await whereby.meetings.create(end_date=end)
        names: dict[str, Any] = {
            "__name__": "page",
            "whereby": whereby,
            "meeting_id": created.meeting_id,
            "end": end,
        }
        for block in python_blocks(PAGE):
            await run_block(block, names)
        transport = httpx.ASGITransport(names["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            meeting = (await http.get(f"/meetings/{created.meeting_id}")).json()
            assert meeting["meetingId"] == created.meeting_id
            assert "hostRoomUrl" not in meeting
            assert (await http.post("/meetings", json=meeting)).json() == created.meeting_id
    sent = [r.json["recording"] for r in fake.requests if r.json and "recording" in r.json]
    assert sent == [{"type": "cloud", "startTrigger": "automatic"}] * 2
