"""Only the examples show how to sort: `roomName:asc`.

`x-sort-order: true` lets the SDK refuse a direction that does not exist.
"""

from __future__ import annotations

import re

from overrides.openapi.document import has_type, mapping, parameters, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "the form of `sortBy` is in its example only"
EVIDENCE = "the examples `<field>:asc`; the descriptions ('Accepted sort values are asc and desc')"
SEEN_AT = (
    "/paths/~1insights~1participants/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1rooms/get",
    "/paths/~1recordings/get",
    "/paths/~1summaries/get",
    "/paths/~1transcriptions/get",
)
AFTER = ("parameters_without_schema",)

ORDER = re.compile(r"\w+:(asc|desc)")


def apply(patch: Patch) -> None:
    """Mark the parameters."""
    for parameter in parameters(patch.document):
        schema = mapping(parameter.data.get("schema"))
        if parameter.data.get("name") != "sortBy" or not has_type(schema, "string"):
            continue
        example = text(parameter.data.get("example"))
        if not ORDER.fullmatch(example):
            patch.drifted(parameter.pointer, expected="an example like `x:asc`", actual=example)
        elif "x-sort-order" not in schema:
            patch.add(join(parameter.pointer, "schema", "x-sort-order"), True)
