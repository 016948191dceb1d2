"""`fields` takes more than the two documented values.

`dialIn` is in Whereby's documentation for people. Models take any other value anyway.
"""

from __future__ import annotations

from overrides.openapi.document import follow, mapping
from overrides.openapi.pointers import MISSING, join
from overrides.patch import Patch

DEFECT = "a value that the API takes is not documented"
EVIDENCE = "docs/api-facts.md#more-fields-than-documented"
SEEN_AT = ("/components/schemas/Fields",)

VALUES = {"/components/schemas/Fields": ("dialIn",)}


def apply(patch: Patch) -> None:
    """Add the values to the items of the arrays."""
    for component, values in VALUES.items():
        schema = patch.get(component)
        if schema is MISSING:
            continue
        items, path = mapping(schema).get("items"), join(component, "items")
        items, path = follow(patch.document, items, path)
        listed = mapping(items).get("enum")
        if isinstance(listed, list):
            more = [value for value in values if value not in listed]
            patch.replace(join(path, "enum"), [*listed, *more])
        else:
            patch.drifted(component, expected="an array of enum values", actual=schema)
