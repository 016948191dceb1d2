"""Progress of downloads, and a bar that shows it where `rich` is installed (extra `progress`).

with progress_bar() as progress:
    await whereby.recordings.download(recording_id, "meeting.mp4", progress=progress)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

__all__ = ["Progress", "ProgressCallback", "progress_bar"]

# Beyond this number the bars of complete files are hidden.
_MAX_BARS: Final = 8


class Progress(NamedTuple):
    """How far a download is.

    Attributes:
        id: the recording, transcription, …
        path: the destination of the file.
        received: bytes received so far.
        total: the file's length in bytes; None until the storage host has sent it.
    """

    id: str
    path: Path
    received: int
    total: int | None


ProgressCallback = Callable[[Progress], object]


@contextmanager
def progress_bar(*, console: Console | None = None) -> Iterator[ProgressCallback]:
    """Show a bar for each file that is being downloaded.

    Args:
        console: where to show them; rich's own by default.

    Raises:
        ModuleNotFoundError: rich is not installed.
    """
    try:
        from rich import progress as rich
    except ModuleNotFoundError as error:
        message = "progress_bar() needs rich: pip install 'whereby-api-client[progress]'"
        raise ModuleNotFoundError(message, name="rich") from error
    bars = rich.Progress(
        # The name is the server's: what looks like rich's markup is not.
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
        console=console,
    )
    tasks: dict[tuple[str, str], TaskID] = {}

    def show(progress: Progress) -> None:
        key = (progress.id, str(progress.path))
        if key not in tasks:
            tasks[key] = bars.add_task(progress.path.name, total=progress.total)
            complete = [task.id for task in bars.tasks if task.finished]
            for old in complete[: max(0, len(tasks) - _MAX_BARS)]:
                bars.update(old, visible=False)
        bars.update(tasks[key], completed=progress.received, total=progress.total)

    with bars:
        yield show
