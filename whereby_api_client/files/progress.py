"""A progress bar for downloads, where `rich` is installed (the extra `progress`).

with progress_bar() as progress:
    await whereby.recordings.download(recording_id, "meeting.mp4", progress=progress)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .downloads import Progress, ProgressCallback

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

__all__ = ["Progress", "ProgressCallback", "progress_bar"]

# Bars of files that are complete make room for others beyond this number.
SHOWN = 8


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
        # the name is the server's: what looks like rich's markup is not
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
            for old in complete[: max(0, len(tasks) - SHOWN)]:
                bars.update(old, visible=False)
        bars.update(tasks[key], completed=progress.received, total=progress.total)

    with bars:
        yield show
