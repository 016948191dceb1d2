"""An enum lists a value twice, which JSON Schema does not allow."""

from __future__ import annotations

from overrides.openapi.document import same, schemas, sequence
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "an enum lists a value twice"
EVIDENCE = "JSON Schema, enum: elements in the array SHOULD be unique; OpenAPI 3.0 says must"
SEEN_AT = ("/components", "/paths")
BEFORE = ("*",)


def apply(patch: Patch) -> None:
    """Keep the first of each."""
    for schema in schemas(patch.document):
        values = sequence(schema.data.get("enum"))
        unique: list[object] = []
        for value in values:
            if not any(same(value, other) for other in unique):
                unique.append(value)
        if len(unique) < len(values):
            patch.replace(join(schema.pointer, "enum"), unique)
