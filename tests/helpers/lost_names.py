"""Tests that use what the last updates took from the API are expected to fail.

Tests, pages and examples are written for an API. When an update takes an operation, a field or an
enum value away, those that use it fail until somebody has rewritten them. The update lists what is
in use in tests/lost.txt, and the files in its report. All other failures count.
"""

from __future__ import annotations

import ast
import inspect
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_TESTS = Path(__file__).parents[1]


def expected_failure(item: pytest.Item, error: BaseException, output: str) -> str:
    """Return the name of the API that a failed test used and that is lost; else nothing."""
    function: Any = getattr(item, "function", None)
    texts = [*traceback.format_exception(error), output, *_around(error)]
    with suppress(RecursionError):  # a parameter may be nested as deep as it can be
        texts.append(repr(getattr(getattr(item, "callspec", None), "params", {})))
    if function is not None and lost_names():
        # its decorators have the parameters of all its cases
        source = inspect.getsource(inspect.unwrap(function))
        texts += re.split(r"^\s*(?=async def |def )", source, maxsplit=1, flags=re.MULTILINE)[1:]
        texts += _examples(item.path, source)
    return mentioned_in(item.path, "\n".join(texts))


def _around(error: BaseException) -> Iterator[str]:
    """Return what is not in an error's text: output of a process, local variables, requests."""
    from whereby_api_client.testing import FakeWhereby

    yield from (str(getattr(error, name, "")) for name in ("stdout", "stderr"))
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if Path(frame.f_code.co_filename).is_relative_to(_TESTS):
            for value in frame.f_locals.values():
                with suppress(Exception):
                    yield repr(value)
                if isinstance(value, FakeWhereby):
                    yield from (f"{r.method} {r.target} {r.body!r}" for r in value.requests)


def _examples(path: Path, source: str) -> Iterator[str]:
    """Return the code of the examples whose folder a test or a constant of its module names."""
    if path.parent != _TESTS / "examples":
        return
    constants = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    named = "\n".join([source, *map(ast.unparse, constants)])
    for example in sorted((_TESTS.parent / "examples").glob("*/*.py")):
        if re.search(rf"[\"'/]{example.parent.name}[\"'/]", named):
            yield example.read_text(encoding="utf-8")


def mentioned_in(path: Path, text: str) -> str:
    """Return a lost name that a text of a test module mentions; else nothing."""
    names = lost_names()
    # those of the overrides work on a frozen document: nothing of it is lost
    if not names or path.is_relative_to(_TESTS / "overrides"):
        return ""
    from overrides.update.usage import mentioned

    return next(iter(mentioned(text, names)), "")


@cache
def lost_names() -> dict[str, Any]:
    """Return the names of tests/lost.txt, each with the pattern of its uses."""
    from overrides.paths import LOST, ROOT, SNAPSHOT
    from overrides.update.api_snapshot import load
    from overrides.update.usage import patterns

    return dict(patterns(load(ROOT / LOST), load(ROOT / SNAPSHOT)))
