"""A schema lists its properties without the `properties` and `type` around them.

The 201 responses of POST /transcriptions and POST /summaries are `{"transcriptionId": {...}}` where
`{"type": "object", "properties": {"transcriptionId": {...}}}` is meant: as it stands, it is a
schema that allows anything.
"""

from __future__ import annotations

from overrides.openapi.document import has_type, is_keyword, items, looks_like_schema, schemas
from overrides.patch import Patch

DEFECT = "a schema lists properties without `properties` and `type` around them"
EVIDENCE = "the unknown keywords of these schemas are schemas themselves"
SEEN_AT = ("/paths/~1transcriptions/post", "/paths/~1summaries/post")


def apply(patch: Patch) -> None:
    """Wrap them. They are the whole content of a response, so they are required, too."""
    for schema in schemas(patch.document):
        unknown = {name: value for name, value in items(schema.data) if not is_keyword(name)}
        if "properties" in schema.data or not any(map(looks_like_schema, unknown.values())):
            continue
        if "type" in schema.data and not has_type(schema.data, "object"):
            kind = schema.data["type"]
            patch.drifted(schema.pointer, expected="an object, or no type at all", actual=kind)
            continue
        strange = [name for name, value in unknown.items() if not looks_like_schema(value)]
        if strange:
            actual = f"{strange[0]} = {unknown[strange[0]]!r}"
            patch.drifted(schema.pointer, expected="schemas only", actual=actual)
            continue
        kept = {name: value for name, value in schema.data.items() if name not in unknown}
        wrapped = {"type": "object", "required": sorted(unknown), "properties": unknown}
        patch.replace(schema.pointer, {**wrapped, **kept})
