"""`required` names what is no property.

The room sessions require `createdAt` and `endAt` (copied from the rooms); their properties are
`startedAt` and `endedAt`. The participant's details require `events`, of which nothing is said.
"""

from __future__ import annotations

from overrides.openapi.document import schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "`required` names what is no property"
EVIDENCE = "the properties of the same schemas"
SEEN_AT = ("/paths/~1insights~1room-sessions/get", "/paths/~1insights~1participant/get")
AFTER = FIELD_MAKERS

# what a room's date is called when it is a session's
RENAMED = {"createdAt": "startedAt", "endAt": "endedAt"}


def apply(patch: Patch) -> None:
    """Take the name that is meant; drop a name that means nothing."""
    for schema in schemas(patch.document):
        names, properties = schema.data.get("required"), schema.data.get("properties")
        composed = {"allOf", "anyOf", "oneOf"} & set(schema.data)
        if not isinstance(names, list) or not isinstance(properties, dict) or composed:
            continue
        fixed = []
        for name in names:
            meant = RENAMED.get(name, "") if isinstance(name, str) else ""
            if isinstance(name, str) and name in properties:
                fixed.append(name)
            elif meant in properties:
                fixed.append(meant)
        fixed = list(dict.fromkeys(fixed))
        if fixed:
            patch.replace(join(schema.pointer, "required"), fixed)
        elif names:  # an empty list is not allowed in 3.0
            patch.remove(join(schema.pointer, "required"))
