"""A security scheme is declared and never applied.

The scheme's own text says that every call needs the token.
"""

from __future__ import annotations

from overrides.engine import Patch
from overrides.openapi.document import items, join, mapping, operations, text
from overrides.spec._places import EVERY_OPERATION

DEFECT = "`BearerAuth` is declared, but no operation asks for it"
EVIDENCE = "the scheme's description: 'Every API call needs to contain this token'"
SEEN_AT = EVERY_OPERATION


def cure(patch: Patch) -> None:
    """Apply the one bearer scheme to every operation that says nothing of security."""
    open_ones = [o for o in operations(patch.document) if "security" not in o.data]
    if "security" in patch.document or not open_ones:
        return
    components = mapping(patch.document.get("components"))
    schemes = mapping(components.get("securitySchemes"))
    bearers = [
        name
        for name, scheme in items(schemes)
        if mapping(scheme).get("type") == "http"
        and text(mapping(scheme).get("scheme")).lower() == "bearer"
    ]
    if len(bearers) != 1:
        place = "/components/securitySchemes"
        patch.drifted(place, expected="one bearer scheme", found=schemes or "nothing")
        return
    for operation in open_ones:
        patch.add(join(operation.pointer, "security"), [{bearers[0]: []}])
