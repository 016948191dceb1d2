"""Pages do not say that `results` and `cursor` are always there.

The pages of the insights have no `required`; all others require both.
"""

from __future__ import annotations

from overrides.openapi.document import has_type, mapping, schemas, sequence
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a page does not require its `results` and `cursor`"
EVIDENCE = "the other pages of the same document"
SEEN_AT = (
    "/paths/~1insights~1participants/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1rooms/get",
)
AFTER = FIELD_MAKERS

ALWAYS = ("results", "cursor")


def apply(patch: Patch) -> None:
    """Require both on everything that has both."""
    for schema in schemas(patch.document):
        properties = mapping(schema.data.get("properties"))
        if not set(ALWAYS) <= set(properties):
            continue
        if not has_type(properties["results"], "array"):
            path = join(schema.pointer, "properties", "results")
            patch.drifted(path, expected="an array", actual=properties["results"])
            continue
        required = sequence(schema.data.get("required"))
        missing = [name for name in ALWAYS if name not in required]
        if missing:
            patch.put(join(schema.pointer, "required"), [*required, *missing])
