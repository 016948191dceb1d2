"""A nightly export: new recordings, their transcripts, and the insights of all rooms as CSV.

    WHEREBY_API_KEY=… python export.py /backup/whereby

    /backup/whereby/recordings/…mp4     files that are there already are not asked for again
    /backup/whereby/transcripts/…md
    /backup/whereby/insights/2026-03-01/rooms.csv, sessions.csv

Run it as often as you like: what was broken off goes on where it was, with the next run at the
latest. It has background priority, so that it takes no points from your users' calls. The exit
status is 1 if something is missing; what, and why, is printed.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import anyio

from whereby_api_client import DownloadAllError, WherebyClient, WherebyError
from whereby_api_client.models import RoomInsights, RoomSessionInsights
from whereby_api_client.progress import ProgressCallback, progress_bar


async def report(name: str, download: Awaitable[list[Path]]) -> int:
    """Await a download of many files; print the outcome, and return how many are missing."""
    errors: dict[str, WherebyError] = {}
    try:
        paths = await download
    except DownloadAllError as error:
        paths, errors = error.paths, error.errors
    print(f"{name}: {len(paths)} files")
    for identifier, reason in errors.items():
        print(f"{name}: {identifier}: {reason}", file=sys.stderr)
    return len(errors)


def write_csv(items: Sequence[RoomInsights | RoomSessionInsights], file: Path) -> None:
    """Write one row for each item; the file has its name when it is complete."""
    rows = [item.to_dict() for item in items]
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8", newline="") as target:
        columns = dict.fromkeys(name for row in rows for name in row)  # also fields that are new
        writer = csv.DictWriter(target, list(columns))
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(file)
    print(f"{file.name}: {len(rows)} rows")


async def export(client: WherebyClient, folder: Path, progress: ProgressCallback | None) -> int:
    """Export everything; return how many files are missing."""
    whereby = client.with_options(priority="background")
    recordings, transcriptions = whereby.recordings, whereby.transcriptions
    missing = await report(
        "recordings",
        recordings.download_all(recordings.list(), folder / "recordings", progress=progress),
    )
    missing += await report(
        "transcripts",
        transcriptions.download_all(
            transcriptions.list(), folder / "transcripts", progress=progress
        ),
    )
    today = folder / "insights" / f"{datetime.now(UTC):%Y-%m-%d}"
    rooms = [room async for room in whereby.insights.list_rooms(limit=100)]
    sessions = [
        session
        for room in rooms
        async for session in whereby.insights.list_room_sessions(room_name=room.room_name)
    ]
    write_csv(rooms, today / "rooms.csv")
    write_csv(sessions, today / "sessions.csv")
    return missing


async def main() -> int:
    """Run the export; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    base_url = os.environ.get("WHEREBY_BASE_URL", "https://api.whereby.dev/v1")
    bar = progress_bar() if sys.stderr.isatty() else nullcontext(None)
    with bar as progress:
        async with WherebyClient(base_url=base_url) as whereby:
            missing = await export(whereby, arguments.folder, progress)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main))
