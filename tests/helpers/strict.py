"""Programs in a process of their own, where every warning is an error."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def run_strictly(program: str, *arguments: str, ignore: str = "") -> None:
    """Run a program in Python's development mode: it has to end well, and to say nothing.

    `ignore` names a category of warnings that does not matter.
    """
    options = ["-X", "dev", "-W", "error", *(["-W", f"ignore::{ignore}"] if ignore else [])]
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # asyncio's debug mode also reports what took long: on a busy machine, anything
    remarks = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.returncode, done.stdout, remarks) == (0, "", [])
