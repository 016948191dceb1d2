"""Nothing marks the fields that hold secrets.

`x-secret: true` keeps them out of every `repr`. A host's URL makes anybody who has it the host, an
access link opens the file, an RTMP address carries the stream's key.
"""

from __future__ import annotations

import re

from overrides.openapi.document import has_type, schemas, text
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "fields that hold secrets are not marked"
EVIDENCE = "the descriptions ('be careful with whom you share this URL')"
SEEN_AT = (
    "/components/schemas/Meeting",
    "/paths/~1meetings/post",
    "/paths/~1recordings~1{recordingId}~1access-link/get",
    "/paths/~1transcriptions~1{transcriptionId}~1access-link/get",
)
AFTER = FIELD_MAKERS

BY_NAME = re.compile(
    r"(secret|password|passphrase|privateKey|apiKey|streamKey|^accessLink|^(host|viewer)RoomUrl)$",
    re.IGNORECASE,
)
BY_TEXT = re.compile(r"\bdestination RTMP UR[IL]\b|be\s+careful\s+with\s+whom\s+you\s+share")


def apply(patch: Patch) -> None:
    """Mark every property that is one by its name or by its description."""
    for schema in schemas(patch.document):
        by_text = BY_TEXT.search(text(schema.data.get("description")))
        if not schema.name or not (BY_NAME.search(schema.name) or by_text):
            continue
        if not has_type(schema.data, "string"):
            patch.drifted(schema.pointer, expected="a string", actual=schema.data)
        elif "x-secret" not in schema.data:
            patch.add(join(schema.pointer, "x-secret"), True)
