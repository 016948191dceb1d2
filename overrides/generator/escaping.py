"""From the document's words to Python source: literals, docstrings, paths.

The document comes from outside and the code that is made of it runs here: nothing of it may get out
of the quotes it is put in.
"""

from __future__ import annotations

import json
import textwrap
from urllib.parse import quote


def quoted(text: str) -> str:
    """Write a text as a Python literal in double quotes."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def path_literal(text: str) -> str:
    """Write a fixed part of a path for the inside of an f-string: percent-encoded."""
    return quote(text, safe="/:@!$&()*+,;=%")


def docstring(text: str) -> str:
    """Escape a text for a docstring between three double quotes."""
    kept = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    escaped = kept.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return escaped[:-1] + '\\"' if escaped.endswith('"') else escaped


def wrapped(text: str, width: int) -> str:
    """Wrap the document's text, keeping its own line breaks only where they start a list item."""
    lines: list[str] = []
    for raw in text.strip().splitlines():
        line = raw.strip()
        starts = not lines or not line or line.startswith(("-", "*", "#")) or not lines[-1]
        if starts:
            lines.append(line)
        else:
            lines[-1] += " " + line
    out: list[str] = []
    for line in lines:
        hang = "  " if line.startswith(("-", "*")) else ""
        out += textwrap.wrap(
            line, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\n".join(out)


def first_line(text: str) -> str:
    """Make a summary an imperative line that ends with a full stop."""
    return next(iter(text.strip().splitlines()), "").rstrip(".") + "."
