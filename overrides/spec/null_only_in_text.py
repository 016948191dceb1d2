"""A property can be null by its description, but not by its schema.

The last page's `cursor`, the `destination`s, `startTrigger`s and the `language` of a new meeting.
"""

from __future__ import annotations

import re

from overrides.openapi.document import is_nullable, schemas, text
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "the description says that null is allowed, the schema does not"
EVIDENCE = "the descriptions: '`null`' in code quotes, 'should be set to null'"
SEEN_AT = (
    "/paths/~1insights~1participants/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1rooms/get",
    "/paths/~1meetings/get",
    "/paths/~1meetings/post",
    "/paths/~1recordings/get",
    "/paths/~1summaries/get",
    "/paths/~1transcriptions/get",
)
AFTER = ("enum_trailing_comma", "null_in_type_list", *FIELD_MAKERS)

ALLOWED = re.compile(r"`\"?null\"?`|\bset to null\b")
REFUSED = re.compile(
    r"\b(cannot|can't|must not|may not|should not|never) be (set to )?`?null\b|`null` is not\b",
    re.IGNORECASE,
)


def apply(patch: Patch) -> None:
    """Make every property nullable whose description speaks of null."""
    for schema in schemas(patch.document):
        description = text(schema.data.get("description"))
        if not schema.name or not ALLOWED.search(description) or is_nullable(schema.data):
            continue
        if refusal := REFUSED.search(description):
            patch.drifted(schema.pointer, expected="a text that allows null", actual=refusal[0])
        else:
            patch.allow_null(schema.pointer)
