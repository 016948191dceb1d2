"""`fields` takes more than the two documented values.

`dialIn` is in Whereby's documentation for people. Models take any other value anyway.
"""

from __future__ import annotations

from overrides.openapi.document import mapping
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
        path = join(component, "items", "enum")
        listed = mapping(mapping(schema).get("items")).get("enum")
        if isinstance(listed, list):
            patch.replace(path, [*listed, *(value for value in values if value not in listed)])
        else:
            patch.drifted(component, expected="an array of enum values", actual=schema)
