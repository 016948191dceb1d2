"""The schema of `roomNamePrefix` refuses what the API takes.

Null is sent in production. The slash in front, which callers may send themselves, does not count as
one of the 39 characters.
"""

from __future__ import annotations

from overrides.openapi.document import has_type, is_nullable, schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "a prefix of null, or of a slash and 39 characters, is refused"
EVIDENCE = "docs/api-facts.md#prefixes; docs/api-facts.md#a-prefix-of-null"
SEEN_AT = ("/paths/~1meetings/post",)
AFTER = ("null_in_type_list",)

LONGEST = 40


def apply(patch: Patch) -> None:
    """Allow null and one more character."""
    for schema in schemas(patch.document):
        if schema.name != "roomNamePrefix" or not schema.is_request:
            continue
        if not has_type(schema.data, "string"):
            patch.drifted(schema.pointer, expected="a string", actual=schema.data)
            continue
        if not is_nullable(schema.data):
            patch.allow_null(schema.pointer)
        longest = schema.data.get("maxLength", LONGEST)
        if isinstance(longest, int) and longest < LONGEST:
            patch.replace(join(schema.pointer, "maxLength"), LONGEST)
