"""Regular expressions of a document, which may take for ever."""

from __future__ import annotations

import re
import subprocess
import sys

_SECONDS = 5.0
_MATCH = "import re, sys; sys.exit(not getattr(re.compile(sys.argv[1]), sys.argv[3])(sys.argv[2]))"


def matches(pattern: str, value: str, *, whole: bool) -> bool | None:
    """Return whether a pattern matches a value, all of it or any part; None if it takes too long.

    Raises:
        re.error: it is no regular expression.
    """
    compiled = re.compile(pattern)
    method = "fullmatch" if whole else "search"
    # only a group that is repeated can take more than a moment
    if not re.search(r"\)[*+{]", pattern) and len(value) < 1000:
        return getattr(compiled, method)(value) is not None
    if "\0" in pattern + value:
        return None
    try:
        command = [sys.executable, "-I", "-c", _MATCH, pattern, value, method]
        return subprocess.run(command, timeout=_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return None
