"""The one exception of the commands, and how long a value may be in its message."""

from __future__ import annotations


class OverridesError(Exception):
    """A command cannot go on and has changed nothing; the text names the reason and the place."""


def shorten(text: str, limit: int = 200) -> str:
    """Cut a long text in its middle, where a reader misses least."""
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
