"""Access links: they serve bytes, with ranges, until they expire, and never with the token."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from whereby_api_client.testing import Clock, FakeWhereby, InMemory, MadeUp
from whereby_api_client.testing.messages import Headers, Request, Response

pytestmark = pytest.mark.anyio

DATA = bytes(range(256)) * 4


def ask(fake: FakeWhereby, target: str, **headers: str) -> Response:
    """Send a request into the core."""
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    return fake.handle(Request("GET", target, fields, origin="http://x"))


def link_of(fake: FakeWhereby, recording_id: str, query: str = "") -> str:
    """Ask for an access link; return it without its host."""
    path = f"/v1/recordings/{recording_id}/access-link{query}"
    response = ask(fake, path, authorization=f"Bearer {fake.token}")
    link: str = httpx.Response(200, content=response.body).json()["accessLink"]
    return link.removeprefix("http://x")


def body(response: Response) -> bytes:
    """Return the whole body of a response."""
    return b"".join(response.chunks(100))


async def test_download_over_a_socket() -> None:
    """Serve the file at no cost, with its length and type, to anybody who has the link."""
    fake = FakeWhereby()
    recording = fake.add_recording(room_name="/å b", content=DATA)
    transcription = fake.add_transcription(text="# Hei, på deg")
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with fake.serve() as url, httpx.AsyncClient(verify=False) as client:
        path = f"{url}/recordings/{recording.recording_id}/access-link"
        link = (await client.get(path, headers=headers)).json()["accessLink"]
        assert link.startswith(url.removesuffix("/v1"))
        video = await client.get(link)
        assert (video.status_code, video.content) == (200, DATA)
        assert video.headers["content-length"] == "1024"
        assert video.headers["content-type"] == "video/mp4"
        path = f"{url}/transcriptions/{transcription.transcription_id}/access-link"
        link = (await client.get(path, headers=headers)).json()["accessLink"]
        text = await client.get(link)
        assert text.headers["content-type"] == "text/markdown; charset=utf-8"
        assert text.text == "# Hei, på deg"
        head = await client.head(link)
        assert (head.headers["content-length"], head.content) == ("14", b"")
    assert [received.cost for received in fake.requests] == [1, 0, 1, 0, 0]
    assert fake.executed["storage.download"] == 3


def part(span: str) -> Response:
    """Ask for a part of a recording of 1024 bytes."""
    fake = FakeWhereby()
    return ask(fake, link_of(fake, fake.add_recording(content=DATA).recording_id), Range=span)


@pytest.mark.parametrize(
    ("span", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=1000-", 1000, 1024),
        ("bytes=1000-9999", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-9999", 0, 1024),
    ],
)
async def test_ranges(span: str, start: int, stop: int) -> None:
    """Serve the part that is asked for."""
    response = part(span)
    headers = dict(response.headers)
    assert (response.status, body(response)) == (206, DATA[start:stop])
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
    assert headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("span", ["bytes=1024-", "bytes=-0"])
async def test_ranges_behind_the_end(span: str) -> None:
    """Refuse them with the file's length."""
    response = part(span)
    assert (response.status, dict(response.headers)["Content-Range"]) == (416, "bytes */1024")


@pytest.mark.parametrize("span", ["bytes=-", "bytes=9-1", "bytes=0-1,5-6", "lines=1-2"])
async def test_no_single_range(span: str) -> None:
    """Serve the whole file."""
    response = part(span)
    assert (response.status, body(response)) == (200, DATA)
    assert "Content-Range" not in dict(response.headers)


async def test_if_range() -> None:
    """Serve the part when the file is still the same, the whole when it is another."""
    fake = FakeWhereby()
    link = link_of(fake, fake.add_recording(content=DATA).recording_id)
    tag = dict(ask(fake, link).headers)["ETag"]
    same = ask(fake, link, Range="bytes=5-", If_Range=tag)
    other = ask(fake, link, Range="bytes=5-", If_Range='"other"')
    assert (same.status, other.status) == (206, 200)


async def test_links_expire() -> None:
    """Refuse a link after the seconds it was valid for; another link works."""
    clock = Clock()
    clock.freeze()
    fake = FakeWhereby(clock=clock)
    recording_id = fake.add_recording(content=DATA).recording_id
    link = link_of(fake, recording_id, "?validForSeconds=60")
    clock.advance(59.9)
    assert ask(fake, link).status == 200
    clock.advance(0.1)
    assert ask(fake, link).status == 403
    assert ask(fake, link_of(fake, recording_id)).status == 200


async def test_what_a_link_is_not_good_for() -> None:
    """Refuse altered links, other methods, deleted files, and any that carry the API's token."""
    fake = FakeWhereby()
    recording_id = fake.add_recording(content=DATA).recording_id
    link = link_of(fake, recording_id)
    assert ask(fake, link[:-1] + "x").status == 403
    assert ask(fake, link.replace("Expires=", "Expires=9")).status == 403
    assert ask(fake, link.partition("?")[0]).status == 403
    assert ask(fake, "/storage/").status == 403
    assert fake.handle(Request("POST", link)).status == 405
    leaked = ask(fake, link, authorization=f"Bearer {fake.token}")
    assert leaked.status == 400
    assert b"only one auth mechanism allowed" in leaked.body
    ask_delete = Request(
        "DELETE",
        f"/v1/recordings/{recording_id}",
        Headers([("Authorization", f"Bearer {fake.token}")]),
    )
    assert fake.handle(ask_delete).status == 204
    assert ask(fake, link).status == 404


def test_made_up_files() -> None:
    """Make the same bytes however they are cut, every block unlike the others."""
    content = MadeUp(300_000, seed=3)
    whole = content.read(0, 300_000)
    assert len(whole) == content.size == 300_000
    assert whole == b"".join(content.read(at, at + 7_777) for at in range(0, 300_000, 7_777))
    assert whole[:65_536] != whole[65_536:131_072]
    assert MadeUp(300_000, seed=4).read(0, 100) != whole[:100]
    assert InMemory(DATA).read(5, 9) == DATA[5:9]


async def test_large_files_stream() -> None:
    """Serve a file that stands nowhere in memory, in pieces, and the same at any place."""
    fake = FakeWhereby()
    size = 20_000_000
    recording = fake.add_recording(content=MadeUp(size))
    assert recording.size_in_mega_bytes == 20
    headers = {"Authorization": f"Bearer {fake.token}"}
    digest = hashlib.sha256()
    async with fake.serve() as url, httpx.AsyncClient(verify=False) as client:
        path = f"{url}/recordings/{recording.recording_id}/access-link"
        link = (await client.get(path, headers=headers)).json()["accessLink"]
        async with client.stream("GET", link) as response:
            async for chunk in response.aiter_raw():
                digest.update(chunk)
        middle = await client.get(link, headers={"Range": "bytes=10000000-10000009"})
    assert digest.hexdigest() == hashlib.sha256(recording.content.read(0, size)).hexdigest()
    assert middle.content == recording.content.read(10_000_000, 10_000_010)
