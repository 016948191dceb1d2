"""Objects are written inline and have no names.

The throttle error is one component response, but its schema belongs to none: the generator writes
it out for each operation, 54 classes for one error. Pages, request bodies and nested objects get
names like `PostMeetingsBodyRecordingDestination`. Here they become components: `ThrottleError`,
`MeetingPage`, `MeetingRecordingDestination`.
"""

from __future__ import annotations

from overrides.naming.known_operations import KNOWN_OPERATIONS
from overrides.naming.schemas import name_schema, unnamed_schemas
from overrides.patch import Patch

DEFECT = "objects have no names"
EVIDENCE = "the classes that the generator invents: `PostMeetingsBodyRecordingDestination`"
SEEN_AT = (
    "/components/responses/ThrottleError",
    "/components/schemas/Summary",
    *(
        pointer
        for pointer in KNOWN_OPERATIONS
        if not pointer.endswith(("/delete", "Id}/get"))  # these have no objects of their own
    ),
)
AFTER = ("*", "enums_without_names")


def apply(patch: Patch) -> None:
    """Name every object, the inner ones first."""
    for unnamed in unnamed_schemas(patch.document):
        if unnamed.is_enum:
            continue
        properties = unnamed.schema.get("properties", {})
        if isinstance(properties, dict):
            name_schema(patch, unnamed)
        else:
            patch.drifted(unnamed.pointer, expected="properties by name", actual=properties)
