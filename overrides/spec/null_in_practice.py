"""Fields that can be null or missing in a response are declared as always there.

A session that goes on has no `endedAt`, a participant who never gave a name has no `displayName`,
a room that nobody has entered has no first session. One such value must not make a whole page of
results unreadable.
"""

from __future__ import annotations

from overrides.openapi.document import (
    has_type,
    is_nullable,
    is_object,
    items,
    mapping,
    schemas,
    sequence,
)
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "a field of a response can be null or missing, and the schema does not say so"
EVIDENCE = "docs/api-facts.md#fields-that-can-be-null; the others follow from what they mean"
SEEN_AT = (
    "/components/schemas/Recording",
    "/components/schemas/Transcription",
    "/paths/~1insights~1participant/get",
    "/paths/~1insights~1participants/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1rooms/get",
)
AFTER = ("null_in_type_list", "required_names_unknown", *FIELD_MAKERS)

NAMES = {
    # known
    "displayName": "string",
    "endedAt": "string",
    "externalId": "string",
    "filename": "string",
    "leftAt": "string",
    "rating": "number",
    "totalRatings": "number",
    # a room without an end, without a session; a guest, a caller by telephone
    "deviceId": "string",
    "endAt": "string",
    "firstSessionStartedAt": "string",
    "lastSessionStartedAt": "string",
    "userId": "string",
}


def apply(patch: Patch) -> None:
    """Make them optional and nullable in every response."""
    for schema in schemas(patch.document):
        if schema.is_request or not is_object(schema.data):
            continue
        properties = mapping(schema.data.get("properties"))
        concerned = [name for name, _ in items(properties) if name in NAMES]
        for name in concerned:
            path = join(schema.pointer, "properties", name)
            kinds = (NAMES[name], "integer") if NAMES[name] == "number" else (NAMES[name],)
            if not has_type(properties[name], *kinds):
                patch.drifted(path, expected=f"a {NAMES[name]}", actual=properties[name])
            elif not is_nullable(properties[name]):
                patch.allow_null(path)
        required = sequence(schema.data.get("required"))
        left = [name for name in required if name not in concerned]
        path = join(schema.pointer, "required")
        if left:
            patch.replace(path, left)
        elif required:
            patch.remove(path)
