"""Enums are written inline and have no names.

They become components and are called after what they belong to: `TranscriptionState`. The
description stays at the property, too (in an `allOf`, because in 3.0 nothing may stand beside a
`$ref`). A `title` would not do: the generator puts the parent's class name in front of it.
"""

from __future__ import annotations

from overrides.naming.schemas import name_schema, unnamed_schemas
from overrides.openapi.document import sequence
from overrides.patch import Patch

DEFECT = "enums have no names"
EVIDENCE = "the generator's own name: `PutRoomsRoomNameThemeRoomBackgroundJsonBodyPalette`"
SEEN_AT = (
    "/components/schemas/Fields",
    "/components/schemas/Transcription",
    "/paths/~1meetings/post",
    "/paths/~1rooms~1{roomName}~1theme~1logo/put",
    "/paths/~1rooms~1{roomName}~1theme~1room-background/put",
    "/paths/~1rooms~1{roomName}~1theme~1room-knock-page-background/put",
    "/paths/~1rooms~1{roomName}~1theme~1tokens/put",
    "/paths/~1summaries/post",
)
AFTER = ("*",)


def apply(patch: Patch) -> None:
    """Name every enum whose values are all strings, or all numbers."""
    for unnamed in unnamed_schemas(patch.document):
        if not unnamed.is_enum:
            continue
        values = [value for value in sequence(unnamed.schema["enum"]) if value is not None]
        kinds = {type(value) for value in values}
        if kinds in ({str}, {int}):
            name_schema(patch, unnamed)
        else:
            expected = "values that are all strings or all whole numbers"
            patch.drifted(unnamed.pointer, expected=expected, actual=unnamed.schema["enum"])
