"""`security` stands among the components, where OpenAPI has no such member.

It is meant for the whole document. Validators refuse the document for it.
"""

from __future__ import annotations

from overrides.openapi.document import same
from overrides.openapi.pointers import MISSING
from overrides.patch import Patch

DEFECT = "`security` stands among the components"
EVIDENCE = "OpenAPI 3.0.0, Components Object; 34 of 54 published revisions have it"
SEEN_AT = ("/components",)
BEFORE = ("*",)


def apply(patch: Patch) -> None:
    """Move it to the top of the document."""
    security = patch.get("/components/security")
    if security is MISSING:
        return
    if not isinstance(security, list) or not all(isinstance(entry, dict) for entry in security):
        expected = "a list of security requirements"
        patch.drifted("/components/security", expected=expected, actual=security)
        return
    known = patch.get("/security")
    if known is not MISSING and not same(known, security):
        expected = f"the same as /security: {known}"
        patch.drifted("/components/security", expected=expected, actual=security)
        return
    patch.remove("/components/security")
    patch.put("/security", security)
