"""A request has to send fields that may be null.

By their texts, null in `destination` and `startTrigger` means what leaving them out means: not
needed, or inherited from the organization. Whereby's own examples leave them out.
"""

from __future__ import annotations

from overrides.openapi.document import is_nullable, is_object, mapping, schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a field of a request that may be null is required"
EVIDENCE = "docs/api-facts.md#live-captions-without-a-destination; the descriptions of the fields"
SEEN_AT = ("/paths/~1meetings/post",)
AFTER = ("null_in_type_list", "null_only_in_text", "required_names_unknown", *FIELD_MAKERS)


def apply(patch: Patch) -> None:
    """Make them optional."""
    for schema in schemas(patch.document):
        required = schema.data.get("required")
        if not schema.is_request or not is_object(schema.data) or required is None:
            continue
        path = join(schema.pointer, "required")
        if not isinstance(required, list):
            patch.drifted(path, expected="a list of names", actual=required)
            continue
        properties = mapping(schema.data.get("properties"))
        kept = [name for name in required if not is_nullable(properties.get(name))]
        if kept:
            patch.replace(path, kept)
        elif required:  # an empty list is not allowed in 3.0
            patch.remove(path)
