"""The server's manners: what a real HTTP server has to do on its socket, in a loop or a thread."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx
import pytest

from whereby_api_client.testing import FakeWhereby

from ..helpers.fake_clients import END, plain
from ..helpers.strict import run_strictly


@contextmanager
def wire(fake: FakeWhereby) -> Iterator[socket.socket]:
    """Serve in a thread and connect a bare socket."""
    with fake.serve() as url:
        port = httpx.URL(url).port
        assert port is not None
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            yield connection


def until_closed(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    return data


def head(method: str = "GET", path: str = "/v1/meetings", *fields: str) -> bytes:
    """Write the head of an authorized request."""
    lines = (f"{method} {path} HTTP/1.1", "Host: h:1", "Authorization: Bearer fake-whereby-token")
    return "\r\n".join((*lines, *fields, "", "")).encode()


def test_synchronous_use() -> None:
    """Serve synchronous code from a thread; the data can be looked at from the test's own."""
    fake = FakeWhereby()
    headers = {"Authorization": f"Bearer {fake.token}"}
    with fake.serve() as url, httpx.Client(base_url=url, headers=headers, verify=False) as client:
        assert client.post("/meetings", json={"endDate": END}).status_code == 201
        assert len(fake.meetings) == 1
        fake.add_recording()
        assert len(client.get("/recordings").json()["results"]) == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, verify=False)


def test_serving_again() -> None:
    """Keep the data when the fake is served again, and on a wanted port."""
    fake = FakeWhereby()
    headers = {"Authorization": f"Bearer {fake.token}"}
    with fake.serve() as url:
        httpx.post(f"{url}/meetings", json={"endDate": END}, headers=headers, verify=False)
    port = httpx.URL(url).port
    assert port is not None
    with fake.serve(port=port) as again:
        assert again == url
        page = httpx.get(f"{again}/meetings", headers=headers, verify=False).json()
        assert len(page["results"]) == 1


def test_a_port_in_use_is_an_error() -> None:
    """Raise in the caller's thread when the port is taken."""
    with FakeWhereby().serve() as url:
        port = httpx.URL(url).port
        assert port is not None
        with pytest.raises(OSError), FakeWhereby().serve(port=port):  # noqa: PT011
            pass


@pytest.mark.anyio
async def test_errors_of_the_test_come_through_as_they_are() -> None:
    """Let an exception out of the `async with` without wrapping it into a group."""
    with pytest.raises(ZeroDivisionError):
        async with FakeWhereby().serve():
            raise ZeroDivisionError


@pytest.mark.anyio
async def test_cancelling_the_test_ends_the_server() -> None:
    """End when the surrounding scope is cancelled, with requests under way."""
    fake = FakeWhereby(delay=3600)
    with anyio.move_on_after(0.05):
        async with plain(fake) as client:
            await client.get("/meetings")
    assert len(fake.requests) == 1


@pytest.mark.anyio
async def test_many_at_once() -> None:
    """Respond to a hundred requests at once, each with its own response."""
    fake = FakeWhereby(delay=(0, 0.01))
    ids = [fake.add_recording().recording_id for _ in range(100)]
    received: set[str] = set()

    async with plain(fake) as client:

        async def get(recording_id: str) -> None:
            response = await client.get(f"/recordings/{recording_id}")
            assert response.json()["recordingId"] == recording_id
            received.add(recording_id)

        async with anyio.create_task_group() as group:
            for recording_id in ids:
                group.start_soon(get, recording_id)
    assert received == set(ids)


def test_keep_alive_and_pipelining() -> None:
    """Respond to several requests on one connection in order, also when sent at once."""
    fake = FakeWhereby()
    with wire(fake) as connection:
        connection.sendall(head() + head("GET", "/v1/recordings") + head(path="/v1/x"))
        connection.sendall(head("DELETE", "/v1/meetings/1", "Connection: close"))
        responses = until_closed(connection)
    assert responses.count(b"HTTP/1.1 ") == 4
    assert [received.status for received in fake.requests] == [200, 200, 404, 204]


def test_absolute_targets() -> None:
    """Understand a target with scheme and host, as sent to proxies."""
    fake = FakeWhereby()
    with wire(fake) as connection:
        connection.sendall(head("GET", "http://h:1/v1/meetings?limit=1", "Connection: close"))
        assert until_closed(connection).startswith(b"HTTP/1.1 200 ")
    assert fake.requests[0].target == "/v1/meetings?limit=1"


def test_old_clients() -> None:
    """Respond to HTTP/1.0 and close."""
    with wire(FakeWhereby()) as connection:
        connection.sendall(b"GET /v1/meetings HTTP/1.0\r\n\r\n")
        assert until_closed(connection).startswith(b"HTTP/1.1 401 ")


def test_bodies_in_chunks_after_a_continue() -> None:
    """Ask for the body of a request that waits to be asked, and put its chunks together."""
    fake = FakeWhereby()
    body = f'{{"endDate": "{END}"}}'.encode()
    with wire(fake) as connection:
        fields = ("Expect: 100-continue", "Transfer-Encoding: chunked", "Connection: close")
        connection.sendall(head("POST", "/v1/meetings", "Content-Type: application/json", *fields))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        for byte in body:
            connection.sendall(b"1\r\n" + bytes([byte]) + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert until_closed(connection).startswith(b"HTTP/1.1 201 ")
    assert fake.requests[0].body == body


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00 hello \r\n\r\n",
        b"GET /v1/meetings HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_a_400(sent: bytes) -> None:
    """Respond to what is no HTTP request with 400 and close."""
    fake = FakeWhereby()
    with wire(fake) as connection:
        connection.sendall(sent)
        assert until_closed(connection).startswith(b"HTTP/1.1 400 ")
    assert fake.requests == []


def test_clients_that_leave() -> None:
    """Bear clients that close without a request, amid a head, amid a body, or before it."""
    fake = FakeWhereby(delay=0.05)
    body_missing = head("POST", "/v1/meetings", "Content-Length: 100") + b"{"
    with fake.serve() as url:
        port = httpx.URL(url).port
        for sent in (b"", b"GET /v1/mee", body_missing, head()):
            with socket.create_connection(("127.0.0.1", port or 0)) as connection:
                connection.sendall(sent)
        headers = {"Authorization": f"Bearer {fake.token}"}
        assert httpx.get(f"{url}/meetings", headers=headers, verify=False).status_code == 200
    assert fake.executed["meetings.create"] == 0


def test_importing_the_client_does_not_import_the_fake() -> None:
    """Keep the fake, and what only it needs, out of production."""
    code = (
        "import whereby_api_client, sys;"
        "print([name for name in sys.modules if name.startswith('whereby_api_client.testing')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_nothing_is_left_open(backend: str) -> None:
    """Leave no socket, thread or task behind: a strict interpreter has nothing to warn of."""
    code = f"""
        import anyio, gc, httpx, threading
        from whereby_api_client.testing import FakeWhereby

        async def main():
            fake = FakeWhereby()
            for drop in (None, "before", "after", "mid"):
                fake.fail("meetings.list", drop=drop)
                async with fake.serve() as url, httpx.AsyncClient(verify=False) as client:
                    try:
                        await client.get(f"{{url}}/meetings")
                    except httpx.HTTPError:
                        pass

        anyio.run(main, backend={backend!r})
        with FakeWhereby().serve() as url:
            assert httpx.get(url, verify=False).status_code == 401
        gc.collect()
        assert threading.active_count() == 1, threading.enumerate()
    """
    run_strictly(code)


def test_speed() -> None:
    """Respond quickly enough that the fake is never what a benchmark measures."""
    fake = FakeWhereby(limit=None)
    headers = {"Authorization": f"Bearer {fake.token}"}
    with fake.serve() as url, httpx.Client(base_url=url, headers=headers, verify=False) as client:
        began = time.perf_counter()
        for _ in range(200):
            client.get("/meetings")
        assert time.perf_counter() - began < 10


def test_a_mistake_in_the_fake_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    """Inform the client and the log when the fake itself, or a test's own part of it, is broken."""

    def broken_clock() -> float:
        if fake.requests:
            raise ZeroDivisionError("no time")
        return 0.0

    fake = FakeWhereby(clock=broken_clock)
    with fake.serve() as url:
        headers = {"Authorization": f"Bearer {fake.token}"}
        response = httpx.get(f"{url}/meetings", headers=headers, verify=False)
    assert response.status_code == fake.requests[0].status == 500
    assert "ZeroDivisionError" in response.json()["error"]
    assert "the fake Whereby failed" in caplog.text
