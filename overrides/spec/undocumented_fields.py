"""Whereby sends fields that the document does not know.

Only fields that callers need by name are added. Models keep any other unknown field anyway.
"""

from __future__ import annotations

from overrides.engine import Patch
from overrides.openapi.document import MISSING, Json, has_type, join, mapping

DEFECT = "a field that the API sends is not documented"
EVIDENCE = "api-facts.md, Fields: recordings carry `roomName`"
SEEN_AT = ("/components/schemas/Recording",)
AFTER = ("properties_only_in_example",)

FIELDS: dict[str, dict[str, Json]] = {
    "/components/schemas/Recording": {
        "roomName": {"type": "string", "description": "The name of the room."},
    },
}


def cure(patch: Patch) -> None:
    """Add the fields, as optional ones."""
    for component, fields in FIELDS.items():
        schema = patch.get(component)
        if schema is MISSING:
            continue
        for name, described in fields.items():
            place = join(component, "properties", name)
            known = patch.get(place)
            if not isinstance(mapping(schema).get("properties"), dict):
                patch.drifted(component, expected="an object with properties", found=schema)
            elif known is MISSING:
                patch.add(place, described)
            elif not has_type(known, described["type"]):
                patch.drifted(place, expected=f"a {described['type']}", found=known)
