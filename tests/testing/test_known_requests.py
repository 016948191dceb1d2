"""Requests that clients send to the real API, and it accepts: the fake does too.

Each stands for a kind. `strict=True` refuses those that the document forbids.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import httpx
import pytest

from whereby_api_client.testing import FakeWhereby

from ..helpers.fake_clients import END
from ..helpers.fake_table import PNG

pytestmark = pytest.mark.anyio


class Known(NamedTuple):
    """A request; `match` is what the response's body must hold."""

    name: str
    method: str
    target: str
    json: Any = None
    image: bool = False
    match: str = ""
    forbidden: bool = True
    """Whether the document forbids it."""
    doubtful: bool = False
    """Whether it is noted as doubtful."""


def create(name: str, match: str = "", **fields: Any) -> Known:
    """Return a request that creates a meeting."""
    return Known(name, "POST", "/meetings", {"endDate": END, **fields}, match=match)


S3 = {"provider": "s3", "bucket": "b", "accessKeyId": "i", "accessKeySecret": "s"}
ROLE = {"provider": "s3", "bucket": "b", "oidcRoleArn": "arn"}
UUID = r"[0-9a-f]{8}-"

KNOWN = [
    create("captions only", liveTranscription={"startTrigger": "none", "liveCaptions": True}),
    create("no destination, no trigger", recording={"type": "none"}),
    create("local recording", recording={"type": "local"}),
    create("prefix null", rf'"/{UUID}', roomNamePrefix=None),
    create("S3 without region", recording={"type": "cloud", "destination": S3}),
    create(
        "role without authenticationType",
        recording={"type": "cloud", "destination": ROLE, "startTrigger": "automatic"},
    )._replace(forbidden=False),
    create("prefix with its slash", rf'"/{"a" * 39}{UUID}', roomNamePrefix="/" + "a" * 39),
    create("no separator", rf'"/eigo{UUID}', roomNamePrefix="eigo")._replace(forbidden=False),
    create("a hyphen is the caller's", rf'"/a-{UUID}', roomNamePrefix="A -")._replace(
        forbidden=False
    ),
    create("dial-in", '"roomPreferences":{"dialIn":true}', isDialInEnabled=True, fields=["dialIn"]),
    create("a language of tomorrow", liveTranscription={"language": "nn"})._replace(doubtful=True),
    create("null where it is not documented", isLocked=None)._replace(doubtful=True),
    create("a field of tomorrow", fieldOfTomorrow=[1])._replace(doubtful=True),
    create("an odd prefix", roomNamePrefix="å_b")._replace(doubtful=True),
    create("cloud without destination", recording={"type": "cloud"})._replace(doubtful=True),
    Known("plain filter", "GET", "/insights/rooms?roomName=%2Fstandup", match="/standup"),
    Known("plain filter, nothing", "GET", "/insights/rooms?roomName=/x", match=r'"results":\[\]'),
    Known("slash in a path", "PUT", "/rooms//standup/theme/logo", image=True),
    Known("slash, encoded", "PUT", "/rooms/%2Fstandup/theme/logo", image=True, forbidden=False),
    Known("prefix filter", "GET", "/meetings?roomName%5BstartsWith%5D=%2Fx", match=r"s\":\[\]"),
    Known("prefix filter, found", "GET", "/meetings?roomName[startsWith]=/known", match="/known"),
    Known("a parameter of tomorrow", "GET", "/meetings?tomorrow=1", doubtful=True),
    Known("brackets beside a plain one", "GET", "/recordings?roomName[exact]=/x", doubtful=True),
    Known("another filter", "GET", "/insights/rooms?roomName[like]=/x", doubtful=True),
    Known("a plain date", "GET", "/insights/rooms?createdAt=2025-01-01", doubtful=True),
]


async def send(fake: FakeWhereby, known: Known) -> httpx.Response:
    """Send the request through plain HTTP, its path as it stands."""
    files = {"image": ("i.png", PNG, "image/png")} if known.image else None
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with httpx.AsyncClient(transport=fake.transport(), headers=headers) as client:
        url = httpx.URL("https://api.whereby.test").copy_with(
            raw_path=f"/v1{known.target}".encode()
        )
        return await client.request(known.method, url, json=known.json, files=files)


def furnished(**options: Any) -> FakeWhereby:
    """Make a fake with a room and a meeting of known names."""
    fake = FakeWhereby(**options)
    fake.add_room_insights("/standup")
    fake.add_meeting(request={"roomNamePrefix": "known"})
    return fake


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
async def test_accepted(known: Known) -> None:
    """Accept it, and note a doubt only where nobody knows."""
    fake = furnished()
    response = await send(fake, known)
    assert response.is_success, response.text
    assert re.search(known.match, response.text), response.text
    assert bool(fake.requests[0].doubts) == known.doubtful, fake.requests[0].doubts


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
async def test_strict(known: Known) -> None:
    """Refuse what the document forbids, and say what it is."""
    fake = furnished(strict=True)
    response = await send(fake, known)
    forbidden = known.forbidden and not _documented(fake, known)
    assert response.status_code == (400 if forbidden else response.status_code), response.text
    assert response.is_success != forbidden, response.text
    assert (fake.requests[0].error is not None) == forbidden


def _documented(fake: FakeWhereby, known: Known) -> bool:
    """Return whether an override has brought the document to allow the request."""
    schemas = fake.api.document.raw["components"]["schemas"]
    create = schemas["MeetingCreateRequest"]["properties"]
    recording = schemas["MeetingRecording"].get("required")
    operations = fake.api.document.operations
    listed = {p.name for op in operations if op.name == "meetings.list" for p in op.parameters}
    allowed = {
        "captions only": "destination"
        not in schemas["MeetingLiveTranscription"].get("required", ()),
        "no destination, no trigger": recording == ["type"],
        "local recording": recording == ["type"],
        "prefix null": bool(create["roomNamePrefix"].get("nullable")),
        "prefix with its slash": create["roomNamePrefix"].get("maxLength") != 39,
        "dial-in": "isDialInEnabled" in create,
        "prefix filter": "roomName" in listed,
        "prefix filter, found": "roomName" in listed,
    }
    return bool(allowed.get(known.name, False))


def test_check_returns_the_values() -> None:
    """Read a request's values as the document's types, without carrying it out."""
    from whereby_api_client.testing.messages import Headers, Request

    fake = FakeWhereby(strict=True)
    request = Request("GET", "/v1/insights/rooms?limit=5&roomName[exact]=/x", Headers())
    checked = fake.check(request)
    assert checked.query == {"limit": 5, "roomName": {"exact": "/x"}}
    assert checked.operation.name == "insights.list_rooms"
    assert not fake.requests
