"""Date-times are declared as plain strings.

None of the dates in the insights responses has `format: date-time`, which the rest of the document
uses. A response may hold something else one day: `x-narrowed: true` tells the SDK to read that as
None.
"""

from __future__ import annotations

import re

from overrides.openapi.document import DATE_TIME, Schema, has_type, schemas, text
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a date-time has no `format: date-time`"
EVIDENCE = "the examples, and the descriptions ('The date …', 'The timestamp …')"
SEEN_AT = (
    "/paths/~1insights~1participant/get",
    "/paths/~1insights~1participants/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1rooms/get",
)
AFTER = ("null_in_type_list", *FIELD_MAKERS)

BY_NAME = re.compile(r"([a-z]At|[tT]ime[sS]tamp)$")
BY_TEXT = re.compile(r"\b(date|timestamp)\b", re.IGNORECASE)


def apply(patch: Patch) -> None:
    """Add the format where the example or name and description say that it is one."""
    for schema in schemas(patch.document):
        if not has_type(schema.data, "string") or {"format", "enum"} & set(schema.data):
            continue
        example = text(schema.data.get("example"))
        by_name = BY_NAME.search(schema.name)
        if DATE_TIME.fullmatch(example):
            _narrow(patch, schema)
        elif by_name and BY_TEXT.search(text(schema.data.get("description"))):
            if example:
                patch.drifted(schema.pointer, expected="an ISO 8601 example", actual=repr(example))
            else:
                _narrow(patch, schema)


def _narrow(patch: Patch, schema: Schema) -> None:
    patch.add(join(schema.pointer, "format"), "date-time")
    if not schema.is_request:
        # only we say that it is a date: what is none must not cost the rest of the response
        patch.add(join(schema.pointer, "x-narrowed"), True)
