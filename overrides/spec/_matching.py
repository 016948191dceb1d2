"""Regular expressions of a document, which may take for ever."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from itertools import permutations

_TRY = """
import json, re, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
pattern, values, method = json.loads(sys.argv[1])
match = getattr(re.compile(pattern), method)
sys.exit(not all([match(value) for value in values]))
"""
# only a group that is repeated can take more than a moment
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_SYNTAX = frozenset(r"\()[]{}*+?.|^$:=!<,")
_PREFIX = re.compile(r"\^?([^\\()\[\]{}*+?.|^$]*)(?![*+?{])")


@cache
def matches(pattern: str, value: str, *, whole: bool) -> bool | None:
    """Return whether a pattern matches a value, all of it or any part; None if it takes too long.

    Too long is more than a second of processor time, for each pattern that could.

    Raises:
        re.error: it is no regular expression.
    """
    compiled = re.compile(pattern)
    method = "fullmatch" if whole else "search"
    if not _REPEATED_GROUP.search(pattern) and len(value) < 1000:
        return getattr(compiled, method)(value) is not None
    return _try(pattern, (value,), method)


@cache
def explodes(pattern: str) -> bool:
    """Return whether a short value can be found on which a pattern takes more than a second.

    Tried are repetitions of the letters that are in the pattern, with an end that does not fit: on
    these, patterns with many ways to the same match try all of them.
    """
    if not _REPEATED_GROUP.search(pattern):
        return False
    start = _PREFIX.match(pattern)
    letters = list(dict.fromkeys(c for c in pattern if c not in _SYNTAX))
    parts = [*"a0A ", *letters[:12], *map("".join, permutations(letters[:5], 2))]
    values = tuple(f"{start[1] if start else ''}{(part * 60)[:60]}\1" for part in parts)
    return _try(pattern, values, "fullmatch") is None or _try(pattern, values, "search") is None


def _try(pattern: str, values: tuple[str, ...], method: str) -> bool | None:
    """Return whether all values match; None if they take more than a second."""
    argument = json.dumps([pattern, values, method])
    command = [sys.executable, "-I", "-c", _TRY, argument]
    status = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
    return status == 0 if status >= 0 else None  # killed by a signal
