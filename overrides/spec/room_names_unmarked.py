"""Nothing tells a room's name from any other text.

Whereby wants it with a leading slash in bodies and filters and without one in paths, and callers
may give it either way. `x-room-name: true` tells the SDK where to add and where to strip it.
"""

from __future__ import annotations

from overrides.openapi.document import follow, has_type, is_object, mapping, parameters
from overrides.openapi.pointers import MISSING, join
from overrides.patch import Patch

DEFECT = "parameters that hold a room's name are not marked"
EVIDENCE = "docs/api-facts.md#room-names; the examples `/room-prefix-…`"
SEEN_AT = (
    "/components/parameters/roomName",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1rooms/get",
    "/paths/~1recordings/get",
    "/paths/~1transcriptions/get",
)
AFTER = ("parameters_without_schema",)

# `contains` is a part of a name: a slash in front would be wrong
WHOLE = ("exact", "startsWith")


def apply(patch: Patch) -> None:
    """Mark parameters called roomName; of a filter, the members that start a name."""
    for parameter in parameters(patch.document):
        if parameter.data.get("name") != "roomName" or "x-room-name" in parameter.data:
            continue
        written = parameter.data.get("schema")
        schema, pointer = follow(patch.document, written, join(parameter.pointer, "schema"))
        properties = mapping(mapping(schema).get("properties"))
        members = [name for name in WHOLE if has_type(properties.get(name), "string")]
        if has_type(schema, "string"):
            patch.add(join(parameter.pointer, "x-room-name"), True)
        elif is_object(schema) and members:
            for name in members:
                path = join(pointer, "properties", name, "x-room-name")
                if patch.get(path) is MISSING:
                    patch.add(path, True)
        else:
            expected = "a string, or a filter with `exact` or `startsWith`"
            patch.drifted(parameter.pointer, expected=expected, actual=written)
