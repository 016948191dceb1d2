"""A property stands beside `properties` instead of in it.

The pages of transcriptions and summaries list `cursor` as a sibling of `properties`, where it is
no keyword and means nothing: a reader of the schema sees pages without a cursor.
"""

from __future__ import annotations

from overrides.openapi.document import is_keyword, items, looks_like_schema, schemas
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "a property stands beside `properties` instead of in it"
EVIDENCE = "`required` names it, and the other pages have it among their properties"
SEEN_AT = ("/paths/~1transcriptions/get", "/paths/~1summaries/get")


def apply(patch: Patch) -> None:
    """Move what looks like a schema and has no keyword's name in among the properties."""
    for schema in schemas(patch.document):
        properties = schema.data.get("properties")
        if not isinstance(properties, dict):
            continue
        for name, value in items(schema.data):
            if is_keyword(name) or not looks_like_schema(value):
                continue
            if name in properties and properties[name] != value:
                path = join(schema.pointer, name)
                patch.drifted(path, expected="no property of the same name", actual=value)
                continue
            patch.remove(join(schema.pointer, name))
            patch.put(join(schema.pointer, "properties", name), value)
