"""Regular expressions of a document, which may take for ever."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

_MATCH = """
import re, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
pattern, value, method = sys.argv[1:]
sys.exit(not getattr(re.compile(pattern), method)(value))
"""


@cache
def matches(pattern: str, value: str, *, whole: bool) -> bool | None:
    """Return whether a pattern matches a value, all of it or any part; None if it takes too long.

    Too long is more than a second of processor time, for each pattern that could.

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
    command = [sys.executable, "-I", "-c", _MATCH, pattern, value, method]
    status = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
    return status == 0 if status >= 0 else None  # killed by a signal
