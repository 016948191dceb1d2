"""A TCP proxy that can speak TLS to its clients, and can be pointed to another server."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
import warnings
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, Self


class Forwarder:
    """A proxy, in a thread.

    Args:
        port: of the server, on this machine.
        context: to speak TLS to the clients.

    Attributes:
        port: where it listens.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._target = port
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def point_to(self, port: int) -> None:
        """Cut all connections; new ones go to another server."""
        self._target = port
        self._run(self._cut())

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_writer: asyncio.StreamWriter | None = None
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, far_writer))
                group.create_task(_copy(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass  # nobody there, or cut
        finally:
            writer.transport.abort()
            if far_writer is not None:
                far_writer.transport.abort()
            self._tasks.discard(task)

    async def _cut(self) -> None:
        await _cancel(self._tasks)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for _ in range(5):  # turns of the loop until a connection that has just come is a task
            await asyncio.sleep(0)
        # also handshakes that have not come to an end
        await _cancel(asyncio.all_tasks() - {asyncio.current_task()})

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *details: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        # asyncio loses a connection that comes just now, and would warn in a later test
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


async def _cancel(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    ending = [task for task in tasks if task is not None]
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until one side is closed, then close the other one."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()
