"""Request bodies that cannot be left out are not marked as required."""

from __future__ import annotations

from overrides.openapi.document import Json, follow, items, mapping, operations
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "a request body that cannot be left out is not marked as required"
EVIDENCE = "the bodies' own required fields; a PUT without a body puts nothing"
SEEN_AT = (
    "/paths/~1meetings/post",
    "/paths/~1recordings~1bulk-delete/post",
    "/paths/~1rooms~1{roomName}~1theme~1logo/put",
    "/paths/~1rooms~1{roomName}~1theme~1room-background/put",
    "/paths/~1rooms~1{roomName}~1theme~1room-knock-page-background/put",
    "/paths/~1rooms~1{roomName}~1theme~1tokens/put",
    "/paths/~1summaries/post",
    "/paths/~1transcriptions/post",
    "/paths/~1transcriptions~1bulk-delete/post",
)


def apply(patch: Patch) -> None:
    """Mark the body of every PUT, and every body that has required fields."""
    for operation in operations(patch.document):
        body, pointer = follow(
            patch.document,
            operation.data.get("requestBody"),
            join(operation.pointer, "requestBody"),
        )
        if not isinstance(body, dict) or body.get("required") is True:
            continue
        demands = _has_required_fields(patch, body)
        if demands and "required" in body:
            path = join(pointer, "required")
            patch.drifted(path, expected="true, or nothing", actual=body["required"])
        elif demands or operation.method == "put":
            patch.put(join(pointer, "required"), True)


def _has_required_fields(patch: Patch, body: Json) -> bool:
    for _, media in items(body.get("content")):
        schema, _ = follow(patch.document, mapping(media).get("schema"))
        if mapping(schema).get("required"):
            return True
    return False
