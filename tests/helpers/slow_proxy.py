"""A TCP proxy that takes its time: what lies between a process and a Redis far away.

`python -m tests.helpers.slow_proxy PORT RTT` prints the port that it listens on.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

HERE = Path(__file__).parents[2]


class SlowProxy:
    """A proxy in a process of its own, so that it is not late because the test is busy.

    Args:
        port: of the server, on this machine.
        rtt: seconds for a round trip.
    """

    def __init__(self, port: int, rtt: float) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", __name__, str(port), str(rtt)],
            stdout=subprocess.PIPE,
            cwd=HERE,
            text=True,
        )
        assert self._popen.stdout is not None
        self.port = int(self._popen.stdout.readline())
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        with self._popen:
            self._popen.kill()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what comes, each piece `delay` seconds later."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await reader.read(65536):
            loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


async def _serve(port: int, rtt: float) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer, rtt / 2), _copy(far_reader, writer, rtt / 2))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
