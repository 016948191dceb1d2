"""The revisions of the document that Whereby has published: openapi/published.tsv.

Documents go back and forth: of 54 revisions in three years ten are an earlier one again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..paths import REVISIONS, write

_HEADER = "published\tsha256\tsame as that of\n"


@dataclass(frozen=True)
class Revision:
    """A published document: the day, and the SHA-256 of its bytes."""

    date: str
    sha256: str


def read_revisions(root: Path) -> list[Revision]:
    """Return the revisions so far, the oldest first."""
    path = root / REVISIONS
    lines = path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []
    return [Revision(*line.split("\t")[:2]) for line in lines if line.strip()]


def earlier(content: bytes, revisions: list[Revision]) -> Revision | None:
    """Return the earlier revision that a document is again; None if it is the newest, or new."""
    digest = hashlib.sha256(content).hexdigest()
    if not revisions or revisions[-1].sha256 == digest:
        return None
    return next((revision for revision in revisions if revision.sha256 == digest), None)


def write_revisions(content: bytes, date: str, old: Path, new: Path) -> None:
    """Write the revisions below the folder `old` and this document below the folder `new`."""
    revisions = read_revisions(old)
    digest = hashlib.sha256(content).hexdigest()
    text = (old / REVISIONS).read_text(encoding="utf-8") if (old / REVISIONS).exists() else _HEADER
    if not revisions or revisions[-1].sha256 != digest:
        same = earlier(content, revisions)
        text += f"{date}\t{digest}\t{same.date if same else ''}\n"
    write(new / REVISIONS, text)
