"""Downloads one recording and writes how many bytes have arrived: a process to be killed.

Started by test_killed.py with event loop, base URL, recording id and destination.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial

import anyio

from whereby_api_client import WherebyClient
from whereby_api_client.progress import Progress


def report(progress: Progress) -> None:
    """Write a line at once, and take long enough for the killer to hit any moment."""
    os.write(1, f"{progress.received}\n".encode())
    time.sleep(0.0005)


async def main(url: str, recording_id: str, destination: str) -> None:
    """Download the file."""
    async with WherebyClient("fake-whereby-token", base_url=url) as whereby:
        await whereby.recordings.download(recording_id, destination, progress=report)


if __name__ == "__main__":
    anyio.run(partial(main, *sys.argv[2:]), backend=sys.argv[1])
