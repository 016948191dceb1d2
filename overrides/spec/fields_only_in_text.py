"""A text demands a field that the schema does not have.

The text of `recording.destination.provider` says that `region` is required with S3 access keys;
the properties lack it. The destination of live transcriptions, with the same text, has it.
"""

from __future__ import annotations

import re

from overrides.openapi.document import Json, items, mapping, schemas, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "the text demands a field that the schema lacks"
EVIDENCE = "the description of `provider`; the same field of the sibling object"
SEEN_AT = ("/paths/~1meetings/post",)

DEMANDS = re.compile(r"The ((?:`\w+`(?:, | and |, and )?)+) fields? (?:is|are) required")


def apply(patch: Patch) -> None:
    """Copy the field from another object whose text demands it, too."""
    demanding = [
        (schema, demanded)
        for schema in schemas(patch.document)
        if (demanded := _demanded(schema.data))
    ]
    for schema, demanded in demanding:
        for name in demanded:
            path = join(schema.pointer, "properties", name)
            if name in schema.data["properties"]:
                continue
            siblings = [s.data["properties"] for s, names in demanding if name in names]
            described = [properties[name] for properties in siblings if name in properties]
            if described:
                patch.add(path, described[0])
            else:
                patch.drifted(path, expected="a sibling object that has it", actual="none")


def _demanded(schema: Json) -> list[str]:
    """List the fields that the descriptions of an object's properties demand."""
    names: dict[str, None] = {}
    for _, prop in items(schema.get("properties")):
        for match in DEMANDS.finditer(text(mapping(prop).get("description"))):
            names.update(dict.fromkeys(re.findall(r"`(\w+)`", match[1])))
    return list(names)
