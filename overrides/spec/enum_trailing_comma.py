"""Values of an enum end in a comma.

All 33 values of `liveTranscription.language` do (`"en,"`): a list that was split at blanks.
"""

from __future__ import annotations

from overrides.engine import Patch
from overrides.spec._places import FIELD_MAKERS
from overrides.walk import join, schemas

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
        if not any(isinstance(value, str) and value.rstrip().endswith(",") for value in values):
            continue
        cured = [value.rstrip(" ,") if isinstance(value, str) else value for value in values]
        place = join(schema.pointer, "enum")
        joined = [
            value for value in cured if isinstance(value, str) and ("," in value or not value)
        ]
        if joined:
            patch.drifted(place, expected="one value before each comma", found=repr(joined[0]))
        else:
            patch.replace(place, list(dict.fromkeys(cured)))
