"""A pattern contradicts its own example.

`roomNamePrefix` has the pattern `[a-z0-9]{0,39}` and the example `example-prefix`. Read as it must
be read for the `{0,39}` to mean anything, over the whole text, the pattern refuses the hyphen.
"""

from __future__ import annotations

import re

from overrides.openapi.document import schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a pattern refuses its own example"
EVIDENCE = "the example; docs/api-facts.md#hyphens-in-prefixes"
SEEN_AT = ("/paths/~1meetings/post",)
AFTER = FIELD_MAKERS


def apply(patch: Patch) -> None:
    """Remove the pattern: the server knows its own rules."""
    for schema in schemas(patch.document):
        pattern, example = schema.data.get("pattern"), schema.data.get("example")
        if not isinstance(pattern, str) or not isinstance(example, str):
            continue
        path = join(schema.pointer, "pattern")
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            patch.drifted(path, expected="a regular expression", actual=f"{pattern!r}: {error}")
            continue
        anchored = pattern.startswith("^") or pattern.endswith("$")
        if not (compiled.search(example) if anchored else compiled.fullmatch(example)):
            patch.remove(path)
