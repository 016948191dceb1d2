"""A path does not begin with a slash, which every path of OpenAPI does."""

from __future__ import annotations

from overrides.openapi.document import items, mapping, same
from overrides.openapi.pointers import MISSING, join
from overrides.patch import Patch

DEFECT = "a path does not begin with a slash"
EVIDENCE = "OpenAPI 3.0.0, Paths Object: the field name MUST begin with a forward slash (/)"
SEEN_AT = ("/paths",)
BEFORE = ("*",)


def apply(patch: Patch) -> None:
    """Write the slash."""
    for path, item in items(mapping(patch.document.get("paths"))):
        if path.startswith(("/", "x-")):
            continue
        known = patch.get(join("/paths", f"/{path}"))
        if known is not MISSING and not same(known, item):
            patch.drifted(join("/paths", path), expected=f"no other path /{path}", actual=item)
            continue
        patch.remove(join("/paths", path))
        patch.put(join("/paths", f"/{path}"), item)
