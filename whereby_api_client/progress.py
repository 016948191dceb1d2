"""Progress of downloads, and `progress_bar`. Public name of `files.progress`."""

from __future__ import annotations

from .files.progress import Progress, ProgressCallback, progress_bar

__all__ = ["Progress", "ProgressCallback", "progress_bar"]
