"""Values of an enum end in a comma.

All 33 values of `liveTranscription.language` do (`"en,"`): a list that was split at blanks.
"""

from __future__ import annotations

from overrides.openapi.document import schemas, text
from overrides.openapi.pointers import join
from overrides.patch import Patch
from overrides.spec._order import FIELD_MAKERS

DEFECT = "enum values end in a comma"
EVIDENCE = "docs/api-facts.md#language-codes"
SEEN_AT = ("/paths/~1meetings/post",)
AFTER = FIELD_MAKERS


def apply(patch: Patch) -> None:
    """Remove the commas."""
    for schema in schemas(patch.document):
        values = schema.data.get("enum")
        if not isinstance(values, list):
            continue
        if not any(text(value).rstrip().endswith(",") for value in values):
            continue
        fixed = [value if value is None else text(value).rstrip(" ,") for value in values]
        path = join(schema.pointer, "enum")
        odd = [value for value in fixed if value is not None and ("," in value or not value)]
        if odd:
            patch.drifted(path, expected="one value before each comma", actual=repr(odd[0]))
        else:
            patch.replace(path, list(dict.fromkeys(fixed)))
