"""One client in many event loops and in forked processes: nothing of a loop outlives it."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
import uvloop

from whereby_api_client import PointBudget, WherebyClient
from whereby_api_client.testing import FakeWhereby

from ..helpers.strict import run_strictly

ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")


def descriptors() -> int:
    """Count the open files and sockets of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def run_and_only_close(new_loop: Callable[[], Any], whereby: WherebyClient) -> None:
    """Run a call as Celery and others do: without the steps that `asyncio.run` takes at the end."""
    loop = new_loop()
    try:
        loop.run_until_complete(_call(whereby))
    finally:
        loop.close()


async def _call(whereby: WherebyClient) -> None:
    assert (await whereby.meetings.list()).results == []


@ONLY_LINUX
@pytest.mark.parametrize("jobs", [20, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.filterwarnings("ignore:unclosed resource:ResourceWarning")  # uvloop's own
def test_loops_that_are_only_closed(new_loop: Callable[[], Any], jobs: int) -> None:
    """Keep no socket and no loop of a job, without waiting for the garbage collector."""
    fake = FakeWhereby(limit=None)
    with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url, budget=PointBudget(10**6))
        run_and_only_close(new_loop, whereby)
        gc.disable()
        try:
            before = descriptors()
            for _ in range(jobs):
                run_and_only_close(new_loop, whereby)
            # the fake runs in this process: a connection that it has not yet seen closed counts
            assert descriptors() < before + 10
        finally:
            gc.enable()
        assert len(whereby._sender.connections.api) == 1
        asyncio.run(whereby.aclose())
    gc.collect()


@ONLY_LINUX
def test_a_tls_connection_in_a_loop_that_is_only_closed() -> None:
    """Close the socket under a TLS connection, too."""
    import ssl

    authority = trustme.CA()
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    closed: list[bool] = []

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        closed.append(await reader.read() == b"")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(respond, "localhost", 0, ssl=server_context)
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        whereby = WherebyClient("token", base_url=url, ssl_context=client_context)

        def job() -> None:
            loop = asyncio.new_event_loop()
            loop.run_until_complete(whereby.request("GET", "/"))
            loop.close()

        for _ in range(3):
            await asyncio.to_thread(job)
        async with asyncio.timeout(60):
            while len(closed) < 2:  # the last one is still open
                await asyncio.to_thread(time.sleep, 0.01)
        await whereby.aclose()
        server.close()

    asyncio.run(main())
    gc.collect()


FORK = """
    import asyncio, os, sys
    from whereby_api_client import PointBudget, WherebyClient
    token, url, forks = sys.argv[1], sys.argv[2], int(sys.argv[3])
    whereby = WherebyClient(token, base_url=url, budget=PointBudget(10**6))

    async def call():
        assert (await whereby.meetings.list()).results == []

    def fork_and_call():
        child = os.fork()
        if child == 0:
            status = 1
            try:
                before = len(os.listdir("/proc/self/fd"))
                asyncio.run(call())
                asyncio.run(call())
                status = 0 if len(os.listdir("/proc/self/fd")) <= before else 2
                if len(whereby._sender.connections.api) != 1:  # that of the parent counts no more
                    status = 3
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    async def main():
        await call()
        connections = whereby._sender.connections
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(forks):
            assert fork_and_call() == 0
            await call()  # over the same connection as before
        assert len(os.listdir("/proc/self/fd")) == before
        assert len(connections.api) == 1
        await whereby.aclose()

    asyncio.run(main())
"""


@ONLY_LINUX
@pytest.mark.parametrize("forks", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_forks(forks: int) -> None:
    """A child makes connections of its own and leaves those of its parent alone."""
    fake = FakeWhereby(limit=None)
    with fake.serve() as url:
        # Python 3.12 and later warn of a fork beside threads
        run_strictly(FORK, fake.token, url, str(forks), ignore="DeprecationWarning")
    assert fake.executed["meetings.list"] == 1 + 3 * forks


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_close_in_a_child_leaves_the_parent_alone() -> None:
    """Closing in the child neither closes nor cancels anything of the parent."""
    fake = FakeWhereby(limit=None)
    with fake.serve() as url:
        script = """
            import asyncio, os, sys
            from whereby_api_client import ClientClosedError, WherebyClient
            whereby = WherebyClient(sys.argv[1], base_url=sys.argv[2])

            async def in_child():
                await whereby.aclose()
                try:
                    await whereby.meetings.list()
                except ClientClosedError:
                    os._exit(0)

            async def main():
                await whereby.meetings.list()
                task = asyncio.create_task(whereby.request("GET", "/meetings"))
                await asyncio.sleep(0)
                child = os.fork()
                if child == 0:
                    asyncio.events._set_running_loop(None)
                    try:
                        asyncio.run(in_child())
                    finally:
                        os._exit(1)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                await task
                await whereby.meetings.list()
                await whereby.aclose()

            asyncio.run(main())
        """
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), fake.token, url],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_too_many_open_files_is_reported() -> None:
    """Show the system's reason, which stands deep in the chain of exceptions."""
    resource = pytest.importorskip("resource")
    script = """
        import asyncio, resource, sys
        from whereby_api_client import APIConnectionError, WherebyClient
        async def main():
            whereby = WherebyClient("token", base_url=sys.argv[1], max_retries=0)
            for limit in (None, 0):  # the first time loads all modules
                if limit is not None:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, 100))
                try:
                    await whereby.meetings.get("1")
                except APIConnectionError as error:
                    reason = str(error)
            print(reason)
        asyncio.run(main())
    """
    assert resource
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "GET /meetings/1: no connection: Too many open files\n", done.stderr


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_loops_that_end_properly(backend: str) -> None:
    """Forget the connections of a loop that has ended before the next one opens its own."""
    fake = FakeWhereby(limit=None)
    with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url)
        for _ in range(5):
            anyio.run(_call, whereby, backend=backend)
        assert len(whereby._sender.connections.api) == 1
