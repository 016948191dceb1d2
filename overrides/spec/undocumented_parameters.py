"""Whereby's documentation for people has parameters that the OpenAPI document lacks.

The list of meetings can be filtered by the start of the room's name.
"""

from __future__ import annotations

from overrides.openapi.document import Json, follow, mapping, operations, sequence
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "a parameter that the API takes is not documented"
EVIDENCE = "docs/api-facts.md#filter-by-the-start-of-a-room-name"
SEEN_AT = ("/paths/~1meetings/get",)

PARAMETERS: dict[tuple[str, str], Json] = {
    ("get", "/meetings"): {
        "in": "query",
        "name": "roomName",
        "style": "deepObject",
        "explode": True,
        "description": "Filter by the room's name. Example: `roomName[startsWith]=/customer`",
        "schema": {
            "type": "object",
            "properties": {
                "startsWith": {
                    "type": "string",
                    "description": "The start of the room's name.",
                    "x-room-name": True,
                }
            },
        },
    },
}


def apply(patch: Patch) -> None:
    """Add the parameters."""
    for operation in operations(patch.document):
        parameter = PARAMETERS.get((operation.method, operation.path))
        if parameter is None:
            continue
        path = join(operation.pointer, "parameters")
        listed = sequence(operation.data.get("parameters"))
        known = [mapping(follow(patch.document, entry)[0]) for entry in listed]
        same = next((entry for entry in known if entry.get("name") == parameter["name"]), None)
        if same is None:
            patch.put(path, [*listed, parameter])
            continue
        schema = mapping(follow(patch.document, same.get("schema"))[0])
        if "startsWith" not in mapping(schema.get("properties")):
            patch.drifted(path, expected="roomName with a filter `startsWith`", actual=same)
