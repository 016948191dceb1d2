"""Raw access: a result together with the status and headers that it came with."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from whereby_api_client import APIResponse, InvalidArgumentError, NotFoundError, WherebyClient
from whereby_api_client.models import Meeting, MeetingPage
from whereby_api_client.testing import FakeWhereby

from .helpers.servers import reply, serve

pytestmark = pytest.mark.anyio
END = datetime(2035, 1, 1, tzinfo=UTC)


async def test_result_and_response() -> None:
    """Result, status, headers and rate limit come together, typed as the method's own result."""
    fake = FakeWhereby(limit=500)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        response = await whereby.with_response(whereby.meetings.create, end_date=END)
        meeting: Meeting = response.parsed
        assert (response.status_code, response.request.method) == (201, "POST")
        assert response.rate_limit.limit == 500
        assert response.rate_limit.remaining == 497
        assert response.headers["Content-Type"].startswith("application/json")
        assert response.request_id is None
        page: APIResponse[MeetingPage] = await whereby.with_response(whereby.meetings.list, limit=1)
        assert page.parsed.results[0].meeting_id == meeting.meeting_id
        gone = await whereby.with_response(whereby.meetings.delete, meeting.meeting_id)
        assert (gone.parsed, gone.status_code) == (None, 204)
        raw = await whereby.with_response(whereby.request, "GET", "/meetings")
        assert (raw.parsed["results"], raw.status_code) == ([], 200)
        with pytest.raises(NotFoundError):
            await whereby.with_response(whereby.meetings.get, meeting.meeting_id)


async def test_views_keep_their_options() -> None:
    """A method of a view is called with the view's options."""
    fake = FakeWhereby()
    fake.fail("meetings.list", status=503, times=1)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        careful = whereby.with_options(max_retries=0)
        with pytest.raises(Exception, match="503"):
            await whereby.with_response(careful.meetings.list)
        assert len(fake.requests) == 1


async def test_request_ids() -> None:
    """A request id is found under the names in common use; secrets stay out of the repr."""
    page = reply(200, {"results": [], "cursor": None}, X_Request_Id="r-1", Set_Cookie="canary=1")
    async with serve(page) as server, WherebyClient("token", base_url=server.url) as whereby:
        response = await whereby.with_response(whereby.meetings.list)
    assert response.request_id == "r-1"
    assert "canary" not in repr(response)
    assert pickle.loads(pickle.dumps(response)).request_id == "r-1"


@pytest.mark.parametrize("method", [len, "text", None, str.upper])
async def test_foreign_methods_are_refused(method: Any) -> None:
    """What is no method of a client is refused by name."""
    async with WherebyClient("token") as whereby:
        with pytest.raises(InvalidArgumentError, match=r"whereby\.meetings\.get"):
            await whereby.with_response(method)
