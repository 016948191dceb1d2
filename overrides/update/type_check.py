"""`make check`: mypy and pyright. What uses that which updates took from the API may fail.

Tests and examples are written for an API. Where they use what is gone (tests/lost.txt), an error is
expected until somebody has rewritten them, as it is of the tests: its message names what is gone,
or the function or class around it uses that. Every other error counts, and all in the package and
the overrides do.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import OverridesError
from ..paths import LOST, ROOT, SNAPSHOT
from . import api_snapshot
from .usage import Patterns, is_rewritten_by_hand, mentioned, patterns

_MYPY = re.compile(r"(?P<path>.+?):(?P<line>\d+): error: (?P<message>.*)")


@dataclass(frozen=True)
class TypeCheckError:
    """What a type checker says of a line."""

    checker: str
    path: str  # from the root
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} ({self.checker})"


def check_types(root: Path = ROOT) -> tuple[list[TypeCheckError], dict[str, list[TypeCheckError]]]:
    """Return the errors that count, and those that are expected, by the name that is gone.

    Raises:
        OverridesError: a type checker does not work.
    """
    lost = patterns(api_snapshot.load(root / LOST), api_snapshot.load(root / SNAPSHOT))
    errors: list[TypeCheckError] = []
    expected: dict[str, list[TypeCheckError]] = {}
    for error in [*_mypy(root), *_pyright(root)]:
        if name := expected_error(error, root, lost):
            expected.setdefault(name, []).append(error)
        else:
            errors.append(error)
    return errors, expected


def expected_error(error: TypeCheckError, root: Path, lost: Patterns) -> str:
    """Return the lost name that an error comes from; else nothing."""
    if not lost or not is_rewritten_by_hand(error.path):
        return ""
    source = (root / error.path).read_text(encoding="utf-8")
    return next(iter(mentioned("\n".join([error.message, *_around(source, error.line)]), lost)), "")


def _around(source: str, line: int) -> Iterator[str]:
    """Return the statement of the module that a line is in, and the imports of the module."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if is_import or first <= line <= (node.end_lineno or first):
            yield "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def _mypy(root: Path) -> Iterator[TypeCheckError]:
    options = ("--no-pretty", "--no-error-summary", "--hide-error-context", "--num-workers", "2")
    output = _run(root, "mypy", *options)
    for line in output.splitlines():
        if match := _MYPY.fullmatch(line):
            yield TypeCheckError("mypy", match["path"], int(match["line"]), match["message"])
        elif ": note: " not in line:
            raise OverridesError(f"mypy: {line}")


def _pyright(root: Path) -> Iterator[TypeCheckError]:
    output = _run(root, "pyright", "--outputjson")
    try:
        diagnostics = json.loads(output)["generalDiagnostics"]
    except (ValueError, KeyError):
        raise OverridesError(f"pyright: {output}") from None
    for diagnostic in diagnostics:
        if diagnostic["severity"] == "error":
            path = Path(diagnostic["file"]).relative_to(root).as_posix()
            line = diagnostic["range"]["start"]["line"] + 1
            message = " ".join(diagnostic["message"].split())
            yield TypeCheckError("pyright", path, line, message)


def _run(root: Path, *command: str) -> str:
    """Run a type checker; return what it says.

    Raises:
        OverridesError: it ended without a result.
    """
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in (0, 1):  # 1: there are errors
        raise OverridesError(f"{command[0]}: {done.stderr or done.stdout}")
    return done.stdout
