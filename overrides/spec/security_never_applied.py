"""A security scheme is declared and never applied.

The scheme's own text says that every call needs the token.
"""

from __future__ import annotations

from overrides.naming.known_operations import KNOWN_OPERATIONS
from overrides.openapi.document import items, mapping, operations, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "`BearerAuth` is declared, but no operation asks for it"
EVIDENCE = "the scheme's description: 'Every API call needs to contain this token'"
SEEN_AT = KNOWN_OPERATIONS


def apply(patch: Patch) -> None:
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
        path = "/components/securitySchemes"
        patch.drifted(path, expected="one bearer scheme", actual=schemes or "nothing")
        return
    for operation in open_ones:
        patch.add(join(operation.pointer, "security"), [{bearers[0]: []}])
