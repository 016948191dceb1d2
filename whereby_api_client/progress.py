"""`progress_bar`: a ready bar for downloads. Public name of `files.progress`."""

from .files.progress import progress_bar as progress_bar
