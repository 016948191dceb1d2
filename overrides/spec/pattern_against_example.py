"""A pattern contradicts its own example.

`roomNamePrefix` has the pattern `[a-z0-9]{0,39}` and the example `example-prefix`. Read as it must
be read for the `{0,39}` to mean anything, over the whole text, the pattern refuses the hyphen.
"""

from __future__ import annotations

import re

from overrides.errors import shorten
from overrides.openapi.document import schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._matching import matches
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a pattern refuses its own example"
EVIDENCE = "the example; docs/api-facts.md#hyphens-in-prefixes"
SEEN_AT = ("/paths/~1meetings/post",)
AFTER = FIELD_MAKERS


def apply(patch: Patch) -> None:
    """Remove the pattern: the server knows its own rules."""
    for schema in schemas(patch.document):
        pattern, example = schema.data.get("pattern"), schema.data.get("example")
        if isinstance(pattern, str) and isinstance(example, str):
            _try(patch, join(schema.pointer, "pattern"), pattern, example)
        default = schema.data.get("default")  # the validator tries it on the pattern, too
        if isinstance(pattern, str) and isinstance(default, str) and default != example:
            _try(patch, join(schema.pointer, "pattern"), pattern, default, is_example=False)


def _try(patch: Patch, path: str, pattern: str, value: str, *, is_example: bool = True) -> None:
    anchored = pattern.startswith("^") or pattern.endswith("$")
    try:
        fits = matches(pattern, value, whole=not anchored)
    except re.error as error:
        patch.drifted(path, expected="a regular expression", actual=f"{pattern!r}: {error}")
        return
    if fits is None:
        expected = f"a pattern that can be tried within a second on {shorten(value, 60)!r}"
        patch.drifted(path, expected=expected, actual=pattern)
    elif is_example and not fits:
        patch.remove(path)
