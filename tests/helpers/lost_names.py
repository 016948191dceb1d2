"""Tests that use what the last updates took from the API are expected to fail.

Tests, pages and examples are written for an API. When an update takes an operation, a field or an
enum value away, those that use it fail until somebody has rewritten them. The update lists what is
in use in tests/lost.txt, and the files in its report. All other failures count.
"""

from __future__ import annotations

import inspect
import re
import traceback
from functools import cache
from pathlib import Path
from typing import Any

import pytest


def expected_failure(item: pytest.Item, error: BaseException, output: str) -> str:
    """Return the name of the API that a failed test used and that is lost; else nothing."""
    names = lost_names()
    # those of the overrides work on a frozen document: nothing of it is lost
    if not names or item.path.is_relative_to(Path(__file__).parents[1] / "overrides"):
        return ""
    from overrides.update.usage import mentioned

    function: Any = getattr(item, "function", None)
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    texts = [*traceback.format_exception(error), output, repr(parameters)]
    if function is not None:
        # its decorators have the parameters of all its cases
        source = inspect.getsource(inspect.unwrap(function))
        texts += re.split(r"^\s*(?=async def |def )", source, maxsplit=1, flags=re.MULTILINE)[1:]
    return next(iter(mentioned("\n".join(texts), names)), "")


@cache
def lost_names() -> dict[str, Any]:
    """Return the names of tests/lost.txt, each with the pattern of its uses."""
    from overrides.paths import LOST, ROOT, SNAPSHOT
    from overrides.update.api_snapshot import load
    from overrides.update.usage import patterns

    return dict(patterns(load(ROOT / LOST), load(ROOT / SNAPSHOT)))
