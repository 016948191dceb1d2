"""Values of an enum end in a comma.

All 33 values of `liveTranscription.language` do (`"en,"`): a list that was split at blanks.
"""

from __future__ import annotations

from overrides.engine import Patch
from overrides.openapi.document import join, schemas, text
from overrides.spec._places import FIELD_MAKERS

DEFECT = "enum values end in a comma"
EVIDENCE = "api-facts.md, Fields: language codes are sent without a comma"
SEEN_AT = ("/paths/~1meetings/post",)
AFTER = FIELD_MAKERS


def cure(patch: Patch) -> None:
    """Take the commas off."""
    for schema in schemas(patch.document):
        values = schema.data.get("enum")
        if not isinstance(values, list):
            continue
        if not any(text(value).rstrip().endswith(",") for value in values):
            continue
        cured = [value if value is None else text(value).rstrip(" ,") for value in values]
        place = join(schema.pointer, "enum")
        odd = [value for value in cured if value is not None and ("," in value or not value)]
        if odd:
            patch.drifted(place, expected="one text before each comma", found=repr(odd[0]))
        else:
            patch.replace(place, list(dict.fromkeys(cured)))
