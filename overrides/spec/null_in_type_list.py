"""A type is a list with "null" in it, as in OpenAPI 3.1, inside a 3.0 document.

The ratings of the insights responses are written so. In 3.0 `type` is one word, and null is said
with `nullable: true`.
"""

from __future__ import annotations

from overrides.openapi.document import is_openapi_30, schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a 3.1-style type list in a 3.0 document"
EVIDENCE = "OpenAPI 3.0.0, Schema Object: `type` must be a string"
SEEN_AT = (
    "/paths/~1insights~1rooms/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1participants/get",
)
AFTER = FIELD_MAKERS


def apply(patch: Patch) -> None:
    """Write the one type, and `nullable: true` if null was listed."""
    if not is_openapi_30(patch.document):
        patch.not_applicable()
        return
    for schema in schemas(patch.document):
        listed = schema.data.get("type")
        if not isinstance(listed, list):
            continue
        kinds = [kind for kind in listed if kind != "null"]
        if len(kinds) != 1:
            path = join(schema.pointer, "type")
            patch.drifted(path, expected="one type, and null", actual=listed)
            continue
        patch.replace(join(schema.pointer, "type"), kinds[0])
        if "null" in listed:
            patch.put(join(schema.pointer, "nullable"), True)
