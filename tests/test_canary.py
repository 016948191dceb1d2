"""Canaries: planted as token and as secrets, then looked for in all that the package lets out."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

import anyio
import pytest

from whereby_api_client import (
    InvalidArgumentError,
    PointBudget,
    ResponseDecodeError,
    WherebyClient,
    WherebyError,
)
from whereby_api_client.models import (
    AccessLink,
    Meeting,
    MeetingRecordingDestination,
    MeetingStreamingDestination,
)
from whereby_api_client.testing import FakeWhereby

from .helpers.servers import drip, half_a_response, hang_up, reply, reset, send, serve, unused_url

pytestmark = pytest.mark.anyio

TOKEN = "canary-token-9d1f"
SECRET = "canary-secret-77aa"
MEETING = {
    "meetingId": "m",
    "roomUrl": "https://x.whereby.com/r",
    "endDate": "2030-01-01T00:00:00Z",
    "hostRoomUrl": f"https://x.whereby.com/r?roomKey={SECRET}",
    "viewerRoomUrl": f"https://x.whereby.com/r?viewerKey={SECRET}",
}


class Cage:
    """Collects everything that gets out, and looks for canaries in it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.deaf_to: str | None = None

    def add(self, text: object) -> None:
        """Add a text, or bytes."""
        self.texts.append(repr(text) if isinstance(text, bytes) else str(text))

    def add_error(self, error: BaseException) -> None:
        """Add all that a log shipper or an error tracker would get to see of an error."""
        self.add(error)
        self.add(repr(error))
        self.add("".join(traceback.format_exception(error)))
        self.add(pickle.dumps(error))
        seen: set[int] = set()
        pending: list[object] = [error]
        while pending:
            value = pending.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            self.add(repr(value))
            if isinstance(value, BaseException):
                pending += [value.__cause__, value.__context__, *value.args, *vars(value).values()]
            elif hasattr(value, "__dict__"):
                pending += vars(value).values()

    def assert_empty(self) -> None:
        """Fail on the first text that holds a canary."""
        assert len(self.texts) > 10, "nothing was collected"
        for text in self.texts:
            assert TOKEN not in text, text
            assert SECRET not in text, text


@pytest.fixture
def cage(capsys: pytest.CaptureFixture[str]) -> Iterator[Cage]:
    """Collect what is logged at any level by anybody, and what is printed."""
    cage = Cage()

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if cage.deaf_to is None or not record.name.startswith(cage.deaf_to):
                cage.add(f"{record.name} {record.getMessage()} {record.args!r}")

    handler = Collect(0)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield cage
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    printed = capsys.readouterr()
    cage.add(printed.out)
    cage.add(printed.err)
    cage.assert_empty()


async def test_successes(cage: Cage) -> None:
    """Calls that work: token, host URLs, S3 secrets, access links are in no log and no repr."""
    fake = FakeWhereby(token=TOKEN)
    async with fake.serve() as url, WherebyClient(TOKEN, base_url=url) as whereby:
        fake.fail("meetings.create", status=201, body=json.dumps(MEETING).encode())
        meeting = await whereby.meetings.create(
            end_date=datetime(2030, 1, 1, tzinfo=UTC),
            recording={
                "type": "cloud",
                "destination": {"provider": "s3", "accessKeySecret": SECRET},
                "startTrigger": None,
            },
            streaming={"destination": {"url": f"rtmp://x/{SECRET}"}, "startTrigger": None},
        )
        assert fake.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert meeting.host_room_url == MEETING["hostRoomUrl"]
        body = json.dumps({"accessLink": f"https://s3/x?{SECRET}", "expires": 1}).encode()
        fake.fail("recordings.get_access_link", status=200, body=body)
        link = await whereby.recordings.get_access_link("r")
        assert SECRET in link.access_link
        for value in (
            meeting,
            copy.deepcopy(meeting),
            link,
            [link],
            whereby,
            whereby.meetings,
            whereby.with_options(timeout=1),
            whereby.budget,
            whereby.meetings.list(),
            vars(whereby),
        ):
            cage.add(repr(value))
            cage.add(str(value))
        with pytest.raises(TypeError):
            pickle.dumps(whereby)


def test_models_that_callers_make(cage: Cage) -> None:
    """Secrets in request models stay out of their repr."""
    for model in (
        MeetingRecordingDestination(provider="s3", access_key_secret=SECRET),
        MeetingStreamingDestination(url=f"rtmp://x/{SECRET}"),
        AccessLink(access_link=SECRET, expires=1),
        Meeting(meeting_id="m", room_url="r", end_date=None, host_room_url=SECRET),  # type: ignore[arg-type]
    ):
        cage.add(repr(model))
        cage.add(str([model]))
        cage.add(f"{model}")
    for number in range(10):
        cage.add(number)


async def test_errors(cage: Cage) -> None:
    """Every way to fail, with a server that repeats what it was sent: no canary in any error."""
    echo = json.dumps({"error": f"bad token {TOKEN}", "authorization": f"Bearer {TOKEN}"}).encode()
    wrong = json.dumps({**MEETING, "meetingId": 5}).encode()
    headers = {"Set-Cookie": "a=b", "WWW-Authenticate": "Bearer"}
    behaviours = [
        reply(401, echo, **headers),
        reply(500, echo),
        reply(429, echo, Retry_After="0"),
        reply(302, b"", Location="https://elsewhere.invalid/"),
        reply(200, wrong),
        reply(200, b"{" + SECRET.encode()),
        reply(200, SECRET.encode(), Content_Encoding="gzip"),
        half_a_response(),
        hang_up,
        reset,
        drip,
    ]
    for behaviour in behaviours:
        async with (
            serve(behaviour) as server,
            WherebyClient(
                TOKEN,
                base_url=server.url,
                max_retries=0,
                timeout=0.2,
                budget=PointBudget(limit=100),
            ) as whereby,
        ):
            with pytest.raises(WherebyError) as caught:
                await whereby.with_options(max_wait=0).meetings.create(
                    end_date=datetime(2030, 1, 1, tzinfo=UTC),
                    recording={
                        "type": "cloud",
                        "destination": {"provider": "s3", "accessKeySecret": SECRET},
                        "startTrigger": None,
                    },
                )
        cage.add_error(caught.value)
    async with WherebyClient(TOKEN, base_url=unused_url(), max_retries=0) as whereby:
        with pytest.raises(WherebyError) as caught:
            await whereby.meetings.get("m")
        cage.add_error(caught.value)


async def test_garbage_that_repeats_the_token(cage: Cage) -> None:
    """No HTTP at all, but the token in it: our error and our logs do not show it.

    What we cannot steer: at level DEBUG, httpcore's own loggers write what it could not parse, and
    the headers of every response. No request header is ever logged by it.
    """
    cage.deaf_to = "httpcore"
    garbage = send(b"garbage " + TOKEN.encode() + b"\r\n\r\n", keep=False)
    async with (
        serve(garbage) as server,
        WherebyClient(TOKEN, base_url=server.url, max_retries=0) as whereby,
    ):
        with pytest.raises(WherebyError) as caught:
            await whereby.meetings.get("m")
    cage.add_error(caught.value)


async def test_the_raw_body_is_at_hand(cage: Cage) -> None:
    """A decode error keeps the raw body reachable, without showing it anywhere."""
    async with (
        serve(reply(200, {**MEETING, "meetingId": 5})) as server,
        WherebyClient(TOKEN, base_url=server.url) as whereby,
    ):
        with pytest.raises(ResponseDecodeError) as caught:
            await whereby.meetings.get("m")
    assert SECRET.encode() in caught.value.body
    cage.add_error(caught.value)
    for number in range(10):
        cage.add(number)


@pytest.mark.parametrize("bad", ["\n", " ", "\r\nX-Other: 1", "ä", "\x00", "\u2028"])
def test_odd_tokens(cage: Cage, bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that cannot be one is refused at once, without being shown."""
    monkeypatch.setenv("WHEREBY_API_KEY", TOKEN + (bad if bad != "\x00" else "\n"))
    for token in (TOKEN + bad, None):
        with pytest.raises(InvalidArgumentError) as caught:
            WherebyClient(token)
        cage.add_error(caught.value)


async def test_cancelled_and_unfinished(cage: Cage) -> None:
    """A cancelled call and a client that nobody closed leave no canary in a traceback."""
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        async with serve(drip) as server:
            whereby = WherebyClient(TOKEN, base_url=server.url)
            with anyio.move_on_after(0.05):
                await whereby.meetings.get("m")
            try:
                with anyio.fail_after(0.05):
                    await whereby.meetings.get("m")
            except TimeoutError as error:
                cage.add_error(error)
            await whereby.aclose()
        cage.add(sys.stderr.getvalue())
    finally:
        sys.stderr = stderr
    for number in range(10):
        cage.add(number)
