"""Whereby sends fields that the document does not know.

Only fields that callers need by name are added. Models keep any other unknown field anyway.
"""

from __future__ import annotations

from overrides.openapi.document import Json, has_type, mapping
from overrides.openapi.pointers import MISSING, join
from overrides.patch import Patch

DEFECT = "a field that the API sends is not documented"
EVIDENCE = "docs/api-facts.md#room-names-of-recordings"
SEEN_AT = ("/components/schemas/Recording",)
AFTER = ("properties_only_in_example",)

FIELDS: dict[str, dict[str, Json]] = {
    "/components/schemas/Recording": {
        "roomName": {
            "type": "string",
            "description": "The name of the room.",
            "x-narrowed": True,  # only we say that it is a string
        },
    },
}


def apply(patch: Patch) -> None:
    """Add the fields, as optional ones."""
    for component, fields in FIELDS.items():
        schema = patch.get(component)
        if schema is MISSING:
            continue
        for name, described in fields.items():
            path = join(component, "properties", name)
            known = patch.get(path)
            if not isinstance(mapping(schema).get("properties"), dict):
                patch.drifted(component, expected="an object with properties", actual=schema)
            elif known is MISSING:
                patch.add(path, described)
            elif not has_type(known, described["type"]):
                patch.drifted(path, expected=f"a {described['type']}", actual=known)
