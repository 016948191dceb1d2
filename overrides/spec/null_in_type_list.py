"""A type is a list with "null" in it, as in OpenAPI 3.1, inside a 3.0 document.

The ratings of the insights answers are written so. In 3.0 `type` is one word, and null is said
with `nullable: true`.
"""

from __future__ import annotations

from overrides.engine import Patch
from overrides.openapi.document import is_openapi_30, join, schemas
from overrides.spec._places import FIELD_MAKERS

DEFECT = "a 3.1-style type list in a 3.0 document"
EVIDENCE = "OpenAPI 3.0.0, Schema Object: `type` must be a string"
SEEN_AT = (
    "/paths/~1insights~1rooms/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1participants/get",
)
AFTER = FIELD_MAKERS


def cure(patch: Patch) -> None:
    """Write the one type, and `nullable: true` if null was listed."""
    if not is_openapi_30(patch.document):
        patch.not_concerned()
        return
    for schema in schemas(patch.document):
        listed = schema.data.get("type")
        if not isinstance(listed, list):
            continue
        kinds = [kind for kind in listed if kind != "null"]
        if len(kinds) != 1:
            place = join(schema.pointer, "type")
            patch.drifted(place, expected="one type, and null", found=listed)
            continue
        patch.replace(join(schema.pointer, "type"), kinds[0])
        if "null" in listed:
            patch.put(join(schema.pointer, "nullable"), True)
