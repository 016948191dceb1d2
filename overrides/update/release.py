"""`make release-spec`: the version and the CHANGELOG of an update, ready for one commit."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import OverridesError
from ..paths import CHANGELOG, VERSION, write


def read_version(root: Path) -> str:
    """Return the version of the package."""
    source = (root / VERSION).read_text(encoding="utf-8")
    match = re.search(r'__version__ = "(.*?)"', source)
    return match[1] if match else "0.0.0"


def write_release(version: str, date: str, lines: list[str], old: Path, new: Path) -> None:
    """Write the version and the CHANGELOG entry of a release below the folder `new`.

    Raises:
        OverridesError: the CHANGELOG has no heading, or an entry of this version.
    """
    source = (old / VERSION).read_text(encoding="utf-8")
    write(new / VERSION, re.sub(r'(__version__ = )".*?"', rf'\1"{version}"', source, count=1))
    changelog = (old / CHANGELOG).read_text(encoding="utf-8")
    heading = re.search(r"^# .*\n+", changelog)
    if heading is None or re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE):
        raise OverridesError(f"{CHANGELOG}: has no heading, or an entry of {version} already")
    entry = "\n".join([f"## {version} ({date})", "", *lines])
    start = heading.end()
    write(new / CHANGELOG, f"{changelog[:start]}{entry}\n\n{changelog[start:]}")
