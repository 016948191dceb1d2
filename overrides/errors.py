"""The one exception of the commands: whoever runs them gets its text, never a traceback."""

from __future__ import annotations


class Stopped(Exception):
    """A command cannot go on, and has changed nothing; the text names the reason and the place."""
