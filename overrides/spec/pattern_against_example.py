"""A pattern contradicts its own example.

`roomNamePrefix` has the pattern `[a-z0-9]{0,39}` and the example `example-prefix`. Read as it must
be read for the `{0,39}` to mean anything, over the whole text, the pattern refuses the hyphen.
"""

from __future__ import annotations

import re

from overrides.errors import shorten
from overrides.openapi.document import Json, schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._matching import explodes, matches
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a pattern refuses its own example"
EVIDENCE = "the example; docs/api-facts.md#hyphens-in-prefixes"
SEEN_AT = ("/paths/~1meetings/post",)
AFTER = FIELD_MAKERS


def apply(patch: Patch) -> None:
    """Remove the pattern: the server knows its own rules."""
    for schema in schemas(patch.document):
        pattern = schema.data.get("pattern")
        if isinstance(pattern, str):
            _check(patch, join(schema.pointer, "pattern"), pattern, schema.data)


def _check(patch: Patch, path: str, pattern: str, schema: Json) -> None:
    whole = not (pattern.startswith("^") or pattern.endswith("$"))
    example = schema.get("example")
    # the validator tries the pattern on the default, too
    values = dict.fromkeys(
        value for value in (example, schema.get("default")) if isinstance(value, str)
    )
    try:
        fits = {value: matches(pattern, value, whole=whole) for value in values}
    except re.error as error:
        patch.drifted(path, expected="a regular expression", actual=f"{pattern!r}: {error}")
        return
    for value in values:
        if fits[value] is None:
            expected = f"a pattern that can be tried within a second on {shorten(value, 60)!r}"
            patch.drifted(path, expected=expected, actual=pattern)
            return
    if isinstance(example, str) and not fits[example]:
        patch.remove(path)
    elif explodes(pattern):  # the fake tries it on what callers send
        expected = "a pattern that can be tried within a second on any short text"
        patch.drifted(path, expected=expected, actual=pattern)
