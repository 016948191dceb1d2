"""What the fake's operations do, asked over a socket by a client that is not ours."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from whereby_api_client.models import RoomMode
from whereby_api_client.testing import Clock, FakeWhereby, Image

from ..helpers.documents import DOCUMENT, operations
from ..helpers.fake_clients import END, GONE, plain, resolve
from ..helpers.fake_table import PNG, ROWS, Row, furnished
from ..helpers.override_runs import published

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.target} {row.status}")
async def test_row(row: Row) -> None:
    """Respond to each request of the table with its status and the document's shape."""
    fake = furnished()
    target = row.target.replace("{meeting}", fake.add_meeting().meeting_id)
    async with plain(fake) as client:
        body: dict[str, Any] = {} if row.json is None else {"json": row.json}
        if row.image is not None:
            body = {"files": {"image": ("i.png", row.image, "image/png")}}
        # httpx would encode the brackets of a filter: a URL object of the raw path does not
        url = client.base_url.copy_with(raw_path=f"/v1{target}".encode())
        response = await client.request(row.method, url, **body)
    assert response.status_code == row.status, response.text
    (received,) = fake.requests
    assert (received.operation, received.status) == (row.operation, row.status)
    assert received.target == f"/v1{target}"
    assert fake.executed == ({row.operation: 1} if row.status < 300 else {})


def test_table_covers_the_document() -> None:
    """Exercise all documented parameters and fields at least once."""
    missing = []
    for name, path, operation in operations():
        good = [row for row in ROWS if row.operation == name]
        sent = " ".join(
            f"{row.target} {json.dumps(row.json)} {'image' * bool(row.image)}" for row in good
        )
        parameters = map(resolve, operation.get("parameters", []))
        names = {item["name"] for item in parameters if item["in"] == "query"}
        for media in operation.get("requestBody", {}).get("content", {}).values():
            names |= fields_of(media["schema"])
        # what an update brings, its contract test covers
        known = json.dumps(published()["paths"].get(path))
        missing += [
            (name, field)
            for field in names
            if f'"{field}"' in known and not re.search(rf"\b{field}\b", sent)
        ]
    assert missing == []


def fields_of(schema: dict[str, Any]) -> set[str]:
    """Return the names of all properties of a request body, nested ones too."""
    schema = resolve(schema)
    names: set[str] = set()
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ())):
        names |= fields_of(part)
    for name, inner in schema.get("properties", {}).items():
        names |= {name} | fields_of(inner)
    return names


def test_document_is_the_patched_one() -> None:
    """Follow the document that the client was generated from."""
    from whereby_api_client.testing.document import published
    from whereby_api_client.testing.handlers import HANDLERS

    document = published()
    assert document.raw == DOCUMENT
    written = {f"{operation.method} {operation.template}" for operation in document.operations}
    assert set(HANDLERS) - written == set(GONE)


# ----------------------------------------------------------------------------------------- meetings


async def test_meeting_lives_from_create_to_delete() -> None:
    """Create, get, list and delete a meeting; deleting again is no error, getting is."""
    fake = FakeWhereby()
    async with plain(fake) as client:
        created = (await client.post("/meetings", json={"endDate": END})).json()
        assert created["roomName"].startswith("/")
        assert created["roomUrl"] == f"https://subdomain.whereby.com{created['roomName']}"
        assert created["endDate"] == END
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created["startDate"])
        assert not {"hostRoomUrl", "viewerRoomUrl"} & set(created)
        path = f"/meetings/{created['meetingId']}"
        assert (await client.get(path)).json() == created
        assert (await client.get("/meetings")).json() == {"results": [created], "cursor": None}
        assert [(await client.delete(path)).status_code for _ in range(2)] == [204, 204]
        gone = await client.get(path)
        assert (gone.status_code, gone.json()) == (
            404,
            {"error": f"there is no meeting '{created['meetingId']}'"},
        )
    assert len(fake.meetings) == 0


@pytest.mark.parametrize(
    ("body", "pattern"),
    [
        ({}, r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ({"roomNamePattern": "uuid", "roomNamePrefix": "a-b"}, r"/a-b[0-9a-f]{8}-[0-9a-f-]{27}"),
        ({"roomNamePrefix": " /Eigo-\t"}, r"/eigo-[0-9a-f-]{36}"),
        ({"roomNamePrefix": None}, r"/[0-9a-f-]{36}"),
        ({"roomNamePattern": "human-short"}, r"/[a-z2-9]{6}"),
        ({"roomNamePattern": "human-short", "roomNamePrefix": "my room-"}, r"/myroom-[a-z2-9]{6}"),
    ],
)
async def test_room_names(body: dict[str, str], pattern: str) -> None:
    """Make room names of the prefix, without its spaces, and the pattern that was asked for."""
    async with plain(FakeWhereby()) as client:
        created = (await client.post("/meetings", json={"endDate": END, **body})).json()
    assert re.fullmatch(pattern, created["roomName"])


async def test_room_urls_are_ascii() -> None:
    """Percent-encode a room's name in its URL."""
    meeting = FakeWhereby().add_meeting(request={"roomNamePrefix": "støtte"})
    assert meeting.room_name.startswith("/støtte")
    assert meeting.room_url.startswith("https://subdomain.whereby.com/st%C3%B8tte")


async def test_allowed_methods_are_those_of_the_path() -> None:
    """Name the methods of a fixed path, not those of the ids that look like it."""
    async with plain(FakeWhereby()) as client:
        response = await client.request("PATCH", "/recordings/bulk-delete")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_fields_come_when_asked_for() -> None:
    """Add the host's and viewer's URL on request, in body and query; viewer mode asks by itself."""
    fake = FakeWhereby()
    async with plain(fake) as client:
        host = (
            await client.post("/meetings", json={"endDate": END, "fields": ["hostRoomUrl"]})
        ).json()
        assert "hostRoomUrl" in host
        assert "viewerRoomUrl" not in host
        viewer = (
            await client.post("/meetings", json={"endDate": END, "templateType": "viewerMode"})
        ).json()
        assert {"hostRoomUrl", "viewerRoomUrl"} <= set(viewer)
        path = f"/meetings/{host['meetingId']}"
        both = (await client.get(path, params={"fields": "hostRoomUrl,viewerRoomUrl"})).json()
        assert both["hostRoomUrl"] == host["hostRoomUrl"]
        assert both["viewerRoomUrl"] != both["hostRoomUrl"]
        listed = (await client.get("/meetings?fields=viewerRoomUrl")).json()["results"]
        assert all("viewerRoomUrl" in item and "hostRoomUrl" not in item for item in listed)


async def test_what_is_not_in_the_document_is_let_through() -> None:
    """Accept the undocumented dial-in, unlisted languages and unknown fields, as the API does."""
    fake = FakeWhereby()
    body = {
        "endDate": END,
        "isDialInEnabled": True,
        "fields": ["dialIn"],
        "liveTranscription": {"destination": None, "startTrigger": None, "language": "nn"},
        "someNewThing": {"x": 1},
    }
    async with plain(fake) as client:
        response = await client.post("/meetings?someNewParameter=1", json=body)
        assert response.status_code == 201
        assert set(response.json()["dialIn"]) == {"code", "phoneNumbers"}
        plain_one = await client.post("/meetings", json={"endDate": END, "fields": ["dialIn"]})
        assert "dialIn" not in plain_one.json()
    assert fake.meetings.all()[0].request == body


async def test_meetings_end() -> None:
    """Refuse an end in the past; forget a meeting an hour after its end."""
    clock = Clock()
    clock.freeze()
    fake = FakeWhereby(clock=clock)
    async with plain(fake) as client:
        late = await client.post("/meetings", json={"endDate": "2020-01-01T00:00:00Z"})
        assert late.status_code == 400
        assert late.json() == {
            "error": "body.endDate: must not be in the past; got 2020-01-01T00:00:00Z"
        }
        end = (clock.today() + timedelta(minutes=30)).isoformat()
        created = (await client.post("/meetings", json={"endDate": end})).json()
        path = f"/meetings/{created['meetingId']}"
        clock.advance(timedelta(minutes=89))
        assert (await client.get(path)).status_code == 200
        clock.advance(timedelta(minutes=1))
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/meetings")).json()["results"] == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2099-05-07T17:42:49-05:00", "2099-05-07T22:42:49Z"),
        ("2099-05-07T17:42:49.5", "2099-05-07T17:42:49Z"),
        ("2099-05-07T17:42:49.123456Z", "2099-05-07T17:42:49Z"),
    ],
)
async def test_end_dates_become_utc(sent: str, kept: str) -> None:
    """Read a zone when there is one, take UTC when there is none, and respond in UTC."""
    async with plain(FakeWhereby()) as client:
        assert (await client.post("/meetings", json={"endDate": sent})).json()["endDate"] == kept


S3_KEY = {
    "provider": "s3",
    "bucket": "b",
    "region": "r",
    "accessKeyId": "i",
    "accessKeySecret": "s",
}
S3_ROLE = {"provider": "s3", "authenticationType": "roleBased", "bucket": "b", "oidcRoleArn": "a"}


@pytest.mark.parametrize("missing", ["bucket", "accessKeyId", "accessKeySecret"])
async def test_s3_with_a_key_needs_all_of_it(missing: str) -> None:
    """Refuse an S3 destination that lacks a part, and name the part."""
    destination = {key: value for key, value in S3_KEY.items() if key != missing}
    recording = {"type": "cloud", "destination": destination, "startTrigger": "none"}
    async with plain(FakeWhereby()) as client:
        response = await client.post("/meetings", json={"endDate": END, "recording": recording})
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"body.recording.destination.{missing}: is required")


async def test_s3_with_a_role_needs_a_role() -> None:
    """Refuse role-based storage without a role, for transcriptions too; accept it with one."""
    async with plain(FakeWhereby()) as client:
        for destination, status in (({**S3_ROLE, "oidcRoleArn": ""}, 400), (S3_ROLE, 201)):
            options = {"destination": destination, "startTrigger": "none"}
            body = {"endDate": END, "liveTranscription": options}
            assert (await client.post("/meetings", json=body)).status_code == status


# ------------------------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "body.endDate: is required"),
        ({"endDate": None}, "body.endDate: must not be null"),
        ({"endDate": 5}, "body.endDate: must be a string; got 5"),
        ({"endDate": "soon"}, "body.endDate: must be an ISO 8601 date-time; got 'soon'"),
        ({"endDate": END, "isLocked": "yes"}, "body.isLocked: must be a boolean; got 'yes'"),
        (
            {"endDate": END, "roomMode": "big"},
            f"body.roomMode: must be one of {', '.join(RoomMode)}; got 'big'",
        ),
        (
            {"endDate": END, "roomNamePrefix": "x" * 40},
            "body.roomNamePrefix: must have at most 40 characters with its slash; got 41",
        ),
        (
            {"endDate": END, "recording": {"destination": None}},
            "body.recording.type: is required",
        ),
        ({"endDate": END, "fields": "dialIn"}, "body.fields: must be an array; got 'dialIn'"),
        ({"endDate": END, "fields": [1]}, "body.fields[0]: must be a string; got 1"),
        ([], "body: must be an object; got []"),
    ],
)
async def test_wrong_bodies_are_explained(body: Any, error: str) -> None:
    """Refuse a body that the document forbids, and say where and why."""
    fake = FakeWhereby()
    async with plain(fake) as client:
        response = await client.post("/meetings", json=body)
    assert (response.status_code, response.json()) == (400, {"error": error})
    assert not fake.executed


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", "query parameter 'limit': must be at least 1; got 0"),
        ("limit=101", "query parameter 'limit': must be at most 100; got 101"),
        ("limit=ten", "query parameter 'limit': must be an integer; got 'ten'"),
        ("limit=1&limit=2", "query parameter 'limit': must be sent once; got 2 times"),
    ],
)
async def test_wrong_queries_are_explained(query: str, error: str) -> None:
    """Refuse a query that the document forbids, and say where and why."""
    async with plain(FakeWhereby()) as client:
        response = await client.get(f"/meetings?{query}")
    assert (response.status_code, response.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"{", "application/json", "body: must be JSON"),
        (b'{"endDate": NaN}', "application/json", "body: must be JSON"),
        (b"\xff", "application/json", "body: must be JSON"),
        (
            b"endDate=1",
            "application/x-www-form-urlencoded",
            "Content-Type: must be application/json for POST /meetings; got application/x-www-form",
        ),
        (b"{}", None, "Content-Type: must be application/json for POST /meetings; got none"),
        (b"", None, "body: is required for POST /meetings"),
    ],
)
async def test_bodies_of_the_wrong_kind(content: bytes, kind: str | None, error: str) -> None:
    """Refuse what is no JSON, or does not say that it is."""
    headers = {} if kind is None else {"Content-Type": kind}
    async with plain(FakeWhereby()) as client:
        response = await client.post("/meetings", content=content, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"].startswith(error)


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic abc", "Bearer"])
async def test_tokens_are_checked(header: str | None) -> None:
    """Respond with 401 to a missing, wrong or malformed token; it costs no points."""
    fake = FakeWhereby()
    async with fake.serve() as url, httpx.AsyncClient() as client:
        headers = {} if header is None else {"Authorization": header}
        response = await client.get(f"{url}/meetings", headers=headers)
    assert response.status_code == 401
    assert "error" in response.json()
    assert "x-ratelimit-limit" not in response.headers
    assert fake.requests[0].cost == 0


async def test_unknown_paths_and_methods() -> None:
    """Respond with 404 to unknown paths, and to wrong methods with 405 and the right ones."""
    fake = FakeWhereby()
    async with plain(fake) as client:
        for path in (
            "/nothing",
            "/meetings/",
            "/meetings/a/b",
            "/rooms//theme/logo",
            "/meetings/%2E%2E",
        ):
            url = client.base_url.copy_with(raw_path=f"/v1{path}".encode())
            assert (await client.get(url)).status_code in (404, 405), path
        outside = await client.get(client.base_url.copy_with(raw_path=b"/v2/meetings"))
        assert outside.status_code == 404
        wrong = await client.patch("/meetings/1")
        assert wrong.status_code == 405
        assert wrong.headers["allow"] == "DELETE, GET"
    assert {received.operation for received in fake.requests} == {"unknown"}


# ---------------------------------------------------------------------------------- lists and pages


async def test_pages() -> None:
    """Give 50 items by default and the cursor of the next page; null where there is none."""
    fake = FakeWhereby()
    ids = [fake.add_recording().recording_id for _ in range(120)]
    async with plain(fake) as client:
        first = (await client.get("/recordings")).json()
        second = (await client.get("/recordings", params={"cursor": first["cursor"]})).json()
        third = (await client.get("/recordings", params={"cursor": second["cursor"]})).json()
    pages = [[item["recordingId"] for item in page["results"]] for page in (first, second, third)]
    assert pages == [ids[:50], ids[50:100], ids[100:]]
    assert third["cursor"] is None


async def test_insights_give_ten_by_default() -> None:
    """Keep to the insights' own default limit."""
    fake = FakeWhereby()
    for _ in range(10):
        fake.add_room_insights()
    async with plain(fake) as client:
        assert (await client.get("/insights/rooms")).json()["cursor"] is None
        fake.add_room_insights()
        page = (await client.get("/insights/rooms")).json()
    assert len(page["results"]) == 10
    assert page["cursor"] is not None


async def test_deleting_between_pages_skips_nothing() -> None:
    """Let a cursor stand behind an item, not at a number of items."""
    fake = FakeWhereby()
    ids = [fake.add_recording().recording_id for _ in range(6)]
    async with plain(fake) as client:
        first = (await client.get("/recordings?limit=2")).json()
        await client.delete(f"/recordings/{ids[0]}")
        await client.delete(f"/recordings/{ids[1]}")
        cursor = {"cursor": first["cursor"], "limit": 4}
        rest = (await client.get("/recordings", params=cursor)).json()
    assert [item["recordingId"] for item in rest["results"]] == ids[2:]


async def test_a_cursor_belongs_to_its_query() -> None:
    """Refuse a cursor under another filter or order; another limit or other fields are fine."""
    fake = FakeWhereby()
    for _ in range(3):
        fake.add_recording(room_name="/a")
    async with plain(fake) as client:
        cursor = (await client.get("/recordings?limit=1&roomName=/a")).json()["cursor"]
        other = await client.get("/recordings", params={"cursor": cursor, "roomName": "/b"})
        assert other.status_code == 400
        same = await client.get(
            "/recordings", params={"cursor": cursor, "roomName": "/a", "limit": 9}
        )
        assert len(same.json()["results"]) == 2


async def test_sorting() -> None:
    """Sort by each documented field, both ways, across pages."""
    fake = FakeWhereby()
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for name, day, minutes, size in (("/b", 3, 10, 5), ("/a", 1, 30, 7), ("/c", 2, 20, 6)):
        began = start + timedelta(days=day)
        fake.add_recording(
            room_name=name,
            start_date=began,
            end_date=began + timedelta(minutes=minutes),
            size_in_mega_bytes=size,
        )
    async with plain(fake) as client:

        async def names(sort: str) -> str:
            letters, cursor = "", ""
            while True:
                params = {"sortBy": sort, "limit": "1"} | ({"cursor": cursor} if cursor else {})
                page = (await client.get("/recordings", params=params)).json()
                letters += "".join(item["roomName"][1] for item in page["results"])
                if page["cursor"] is None:
                    return letters
                cursor = page["cursor"]

        assert await names("roomName:asc") == "abc"
        assert await names("roomName:desc") == "cba"
        assert await names("startDate:asc") == "acb"
        assert await names("duration:desc") == "acb"
        assert await names("sizeInMegaBytes:asc") == "bca"
        wrong = await client.get("/recordings?sortBy=roomName:up")
        assert wrong.json() == {
            "error": "query parameter 'sortBy': the direction must be one of asc, desc; got 'up'"
        }


async def test_room_name_filters() -> None:
    """Filter recordings and transcriptions by room, with or without the leading slash."""
    fake = FakeWhereby()
    for name in ("/a", "/b b", "/ø?#"):
        fake.add_transcription(recording=fake.add_recording(room_name=name))
    async with plain(fake) as client:
        for path in ("/recordings", "/transcriptions"):
            for wanted in ("/b b", "b b", "/ø?#"):
                rooms = (await client.get(path, params={"roomName": wanted})).json()["results"]
                assert [item["roomName"] for item in rooms] == ["/" + wanted.lstrip("/")]


# --------------------------------------------------------------------------------- jobs and deletes


async def test_transcription_takes_its_time() -> None:
    """Schedule a transcription, find it in progress, and ready when its time has come."""
    clock = Clock()
    clock.freeze()
    fake = FakeWhereby(clock=clock, job_time=30)
    recording = fake.add_recording(room_name="/r")
    async with plain(fake) as client:
        created = await client.post("/transcriptions", json={"recordingId": recording.recording_id})
        assert created.status_code == 201
        assert set(created.json()) == {"transcriptionId"}
        path = f"/transcriptions/{created.json()['transcriptionId']}"
        early = (await client.get(path)).json()
        assert early["state"] == "in_progress"
        assert early["type"] == "RECORDING_TRANSCRIPTION"
        assert "filename" not in early
        link = await client.get(f"{path}/access-link")
        assert link.json() == {"error": "the transcription is in_progress: there is no file"}
        clock.advance(30)
        ready = (await client.get(path)).json()
        assert ready["state"] == "ready"
        assert ready["durationInSeconds"] == 1800
        assert (await client.get(f"{path}/access-link")).status_code == 200


async def test_jobs_fail_on_demand() -> None:
    """Let a transcription fail; the summary that waits for it fails too, without a text."""
    fake = FakeWhereby(job_time=3600)
    recording = fake.add_recording()
    async with plain(fake) as client:
        body = {"recordingId": recording.recording_id}
        transcription_id = (await client.post("/transcriptions", json=body)).json()[
            "transcriptionId"
        ]
        body = {"transcriptionId": transcription_id, "template": "SOAP"}
        summary_id = (await client.post("/summaries", json=body)).json()["summaryId"]
        waiting = (await client.get(f"/summaries/{summary_id}")).json()
        assert (waiting["state"], waiting["summary"]) == ("in_progress", {})
        transcription = fake.transcriptions.get(transcription_id)
        summary = fake.summaries.get(summary_id)
        assert transcription is not None
        assert summary is not None
        transcription.fail()
        summary.finish()
        assert (await client.get(f"/transcriptions/{transcription_id}")).json()["state"] == "failed"
        assert (await client.get(f"/summaries/{summary_id}")).json()["state"] == "failed"


async def test_next_jobs_fail() -> None:
    """Let the next jobs that the API is asked for fail, as many as ordered."""
    fake = FakeWhereby(job_time=0)
    recording = fake.add_recording()
    fake.fail_jobs(times=2)
    async with plain(fake) as client:
        states = []
        for _ in range(3):
            body = {"recordingId": recording.recording_id}
            created = (await client.post("/transcriptions", json=body)).json()
            job = (await client.get(f"/transcriptions/{created['transcriptionId']}")).json()
            states.append(job["state"])
    assert states == ["failed", "failed", "ready"]
    fake.fail_jobs(times=None, reason="why not")
    assert [fake.state.next_failure() for _ in range(2)] == ["why not"] * 2


async def test_summary_is_completed_with_its_template() -> None:
    """Complete a summary after its transcription; a SOAP template has the SOAP part."""
    clock = Clock()
    clock.freeze()
    fake = FakeWhereby(clock=clock, job_time=10)
    transcription = fake.add_transcription(job_time=60)
    async with plain(fake) as client:
        body = {"transcriptionId": transcription.transcription_id, "template": "SOAP"}
        path = f"/summaries/{(await client.post('/summaries', json=body)).json()['summaryId']}"
        clock.advance(30)
        assert (await client.get(path)).json()["state"] == "in_progress"
        clock.advance(30)
        done = (await client.get(path)).json()
    assert (done["state"], done["template"]) == ("completed", "SOAP")
    assert set(done["summary"]) == {"summary", "SOAP"}


async def test_bulk_deletes_are_scheduled() -> None:
    """Respond to a bulk delete at once and carry it out later when `bulk_delete_time` says so."""
    clock = Clock()
    clock.freeze()
    fake = FakeWhereby(clock=clock, bulk_delete_time=5)
    recording, transcription = fake.add_recording(), fake.add_transcription()
    async with plain(fake) as client:
        ids = [recording.recording_id, "unknown"]
        assert (
            await client.post("/recordings/bulk-delete", json={"recordingIds": ids})
        ).status_code == 204
        ids = [transcription.transcription_id]
        await client.post("/transcriptions/bulk-delete", json={"transcriptionIds": ids})
        assert (len(fake.recordings), len(fake.transcriptions)) == (1, 1)
        clock.advance(5)
        assert (await client.get("/recordings")).json()["results"] == []
        assert (await client.get("/transcriptions")).json()["results"] == []


async def test_self_hosted_files_have_no_link() -> None:
    """Respond with 403 to a request for the link of a file that Whereby does not host."""
    fake = FakeWhereby()
    recording, transcription = (
        fake.add_recording(hosted=False),
        fake.add_transcription(hosted=False),
    )
    async with plain(fake) as client:
        path = f"/recordings/{recording.recording_id}/access-link"
        assert (await client.get(path)).status_code == 403
        path = f"/transcriptions/{transcription.transcription_id}/access-link"
        assert (await client.get(path)).status_code == 403


# -------------------------------------------------------------------------------------------- rooms


async def test_themes_are_kept() -> None:
    """Keep colors, names of defaults and images of each room, whatever the bytes of an image."""
    fake = FakeWhereby()
    image = bytes(range(256)) * 3 + b"\r\n--boundary\r\n" + PNG
    files = {"image": ("ø.png", image, "image/png")}
    colors = {"tokens": {"colors": {"primary": "#aabbcc"}}}
    async with plain(fake) as client:
        await client.put("/rooms/r/theme/tokens", json=colors)
        await client.put("/rooms/r/theme/logo", files=files)
        await client.put("/rooms/%2Fr/theme/room-background", json={"theme": "rocks"})
        await client.put("/rooms/r/theme/room-knock-page-background", files=files)
        await client.put("/rooms/other%2Froom%3F/theme/logo", json={"theme": "default"})
    theme = fake.theme("/r")
    assert theme.tokens == colors
    assert theme.logo == theme.knock_page_background == Image(image, "ø.png", "image/png")
    assert theme.background == {"theme": "rocks"}
    assert fake.theme("other/room?").logo == {"theme": "default"}


@pytest.mark.parametrize("content_type", ["text/plain", "image/png", "application/octet-stream"])
@pytest.mark.parametrize("part", ["logo", "room-background", "room-knock-page-background"])
async def test_themes_take_two_content_types(part: str, content_type: str) -> None:
    """Refuse an upload that is neither a form nor JSON, and name the two."""
    async with plain(FakeWhereby()) as client:
        headers = {"Content-Type": content_type}
        response = await client.put(f"/rooms/r/theme/{part}", content=PNG, headers=headers)
    assert response.status_code == 400
    assert "multipart/form-data" in response.json()["error"]
    assert "application/json" in response.json()["error"]


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"logo": PNG}, "body: must have the field 'image'; got 'logo'"),
        ({"image": b""}, "body.image: must not be empty"),
    ],
)
async def test_forms_need_an_image(files: dict[str, bytes], error: str) -> None:
    """Refuse a form without the field `image`, or with nothing in it."""
    async with plain(FakeWhereby()) as client:
        response = await client.put("/rooms/r/theme/logo", files=files)
    assert (response.status_code, response.json()) == (400, {"error": error})


# ----------------------------------------------------------------------------------------- insights


async def test_room_filters() -> None:
    """Filter rooms by exact name, beginning, part and date of creation, brackets raw or not."""
    fake = FakeWhereby()
    for name, day in (("/alpha-one", 1), ("/alpha-two", 2), ("/beta-one", 3)):
        fake.add_room_insights(name, extra={"createdAt": f"2025-01-0{day}T00:00:00.000Z"})
    async with plain(fake) as client:

        async def names(query: str) -> list[str]:
            url = client.base_url.copy_with(raw_path=f"/v1/insights/rooms?{query}".encode())
            page = (await client.get(url)).json()
            return [item["roomName"] for item in page["results"]]

        first, second, third = "/alpha-one", "/alpha-two", "/beta-one"
        assert await names("roomName[exact]=/alpha-one") == [first]
        assert await names("roomName%5Bexact%5D=%2Falpha-one") == [first]
        assert await names("roomName[startsWith]=/alpha") == [first, second]
        assert await names("roomName[contains]=one") == [first, third]
        assert await names("roomName[contains]=one&roomName[startsWith]=beta") == [third]
        assert await names("createdAt[from]=2025-01-02T00:00:00.000Z") == [second, third]
        assert await names("createdAt[to]=2025-01-02T01:00:00%2B01:00") == [first, second]
        assert await names(
            "createdAt[from]=2025-01-02T00:00:00Z&createdAt[to]=2025-01-02T00:00:00Z"
        ) == [second]
        assert await names("sortBy=roomName:desc") == [third, second, first]


async def test_sessions_of_a_room() -> None:
    """List the sessions of the room that is asked for, and one of them by its id."""
    fake = FakeWhereby()
    first = fake.add_room_session("/r")
    fake.add_room_session("/r")
    fake.add_room_session("/other")
    async with plain(fake) as client:
        both = (await client.get("/insights/room-sessions?roomName=/r")).json()["results"]
        assert len(both) == 2
        params = {"roomName": "r", "roomSessionId": first.values["roomSessionId"]}
        sessions = (await client.get("/insights/room-sessions", params=params)).json()["results"]
        assert sessions == [first.json()]
        rooms = (await client.get("/insights/rooms")).json()["results"]
        assert [room["roomName"] for room in rooms] == ["/r", "/other"]


async def test_participants() -> None:
    """List participants by session or external id, with their details one by one."""
    fake = FakeWhereby()
    fake.add_participant("s1", "p1", external_id="ada")
    fake.add_participant("s1", "p2", display_name=None)
    fake.add_participant("s2", "p3", external_id="ada")
    async with plain(fake) as client:

        async def ids(**params: str) -> list[str]:
            rows = (await client.get("/insights/participants", params=params)).json()["results"]
            return [item["participantId"] for item in rows]

        assert await ids(roomSessionId="s1") == ["p1", "p2"]
        assert await ids(externalId="ada") == ["p1", "p3"]
        assert await ids(externalId="ada", roomSessionId="s2") == ["p3"]
        params = {"roomSessionId": "s1", "participantId": "p1"}
        (details,) = (await client.get("/insights/participant", params=params)).json()
        assert details["sampleRateMs"] == 2000


async def test_odd_values_on_demand() -> None:
    """Merge what a test orders into a record: unknown fields, unknown enum values, nulls."""
    fake = FakeWhereby()
    fake.add_recording(extra={"filename": None, "newField": [1]})
    async with plain(fake) as client:
        (item,) = (await client.get("/recordings")).json()["results"]
    assert item["filename"] is None
    assert item["newField"] == [1]


async def test_demo_data() -> None:
    """Fill the fake with data that every list shows and the document allows."""
    fake = FakeWhereby(seed=1)
    fake.seed_demo()
    async with plain(fake) as client:
        for path in ("/recordings", "/transcriptions", "/summaries", "/insights/rooms"):
            assert len((await client.get(path)).json()["results"]) >= 3
        rooms = (await client.get("/insights/rooms")).json()["results"]
        params = {"roomName": rooms[2]["roomName"]}
        sessions = (await client.get("/insights/room-sessions", params=params)).json()["results"]
        assert len(sessions) == rooms[2]["totalSessions"]


def test_a_seed_makes_ids_repeat() -> None:
    """Give the same ids and names for the same seed, others for another."""
    names = [FakeWhereby(seed=seed).add_meeting().json() for seed in (1, 1, 2)]
    assert names[0]["meetingId"] == names[1]["meetingId"] != names[2]["meetingId"]
    assert names[0]["roomName"] == names[1]["roomName"] != names[2]["roomName"]
