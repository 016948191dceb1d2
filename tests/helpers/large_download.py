"""Downloads one recording and prints how it went as JSON: a process whose memory can be measured.

Started by test_large_file.py with event loop, base URL, recording id and destination.
"""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from pathlib import Path

import anyio

from whereby_api_client import WherebyClient


def peak() -> int:
    """Return the most memory that this process has had so far, in bytes."""
    status = Path("/proc/self/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


async def main(url: str, recording_id: str, destination: str) -> None:
    """Download the file, and measure what that adds to a client that was used for nothing else."""
    async with WherebyClient("fake-whereby-token", base_url=url) as whereby:
        before = peak()
        await whereby.recordings.download(recording_id, destination)
        print(json.dumps({"grown": peak() - before}))


if __name__ == "__main__":
    anyio.run(partial(main, *sys.argv[2:]), backend=sys.argv[1])
