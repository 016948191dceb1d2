"""What the document does not say at all: names, secrets, room names, prices, security."""

from __future__ import annotations

from tests.helpers.override_cases import (
    Case,
    ObjectCase,
    Occurrences,
    OperationCase,
    is_named,
    is_property,
)
from tests.helpers.override_runs import (
    Json,
    at,
    deref,
    objects,
    operation,
    operations,
    parameter,
    patched,
)

SECRETS = {"accessKeySecret", "hostRoomUrl", "viewerRoomUrl", "accessLink", "url"}


class OperationsWithoutNames(OperationCase):
    """Operations have no `operationId` and no tags."""

    name = "operations_without_names"
    occurrences = 27
    drifts_at = "/paths/~1meetings/get/operationId"

    def affected(self, document: Json, path: str, operation: Json) -> bool:
        return not operation.get("operationId") or not operation.get("tags")

    def fix(self, document: Json) -> None:
        for path, method, data in operations(patched()):
            names = {"operationId": data["operationId"], "tags": data["tags"]}
            document["paths"][path][method].update(names)

    def drift(self, document: Json) -> None:
        operation(document, "GET /meetings")["operationId"] = 7


class SecurityNeverApplied(OperationCase):
    """`BearerAuth` is declared, and no operation asks for it."""

    name = "security_never_applied"
    occurrences = 27
    fixed_one_by_one = False
    drifts_at = "/components/securitySchemes"

    def affected(self, document: Json, path: str, operation: Json) -> bool:
        return operation.get("security") != [{"BearerAuth": []}] and "security" not in document

    def fix(self, document: Json) -> None:
        document["security"] = [{"BearerAuth": []}]

    def drift(self, document: Json) -> None:
        schemes = document["components"]["securitySchemes"]
        schemes["BearerAuth"] = {"type": "apiKey", "in": "header", "name": "X-Key"}


class SecretsUnmarked(ObjectCase):
    """Nothing marks the fields that hold secrets."""

    name = "secrets_unmarked"
    occurrences = 7
    drifts_at = "/components/schemas/Meeting/properties/hostRoomUrl"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        secret = is_property(pointer) and pointer.rpartition("/")[2] in SECRETS
        return secret and not value.get("x-secret")

    def repair(self, value: Json) -> None:
        value["x-secret"] = True

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["type"] = "object"


class RoomNamesUnmarked(Case):
    """Nothing tells a room's name from any other text."""

    name = "room_names_unmarked"
    occurrences = 6
    drifts_at = "/paths/~1recordings/get/parameters/0"

    def find(self, document: Json) -> Occurrences:
        for pointer, value in objects(document):
            if value.get("name") == "roomName":
                schema = deref(document, value.get("schema", {}))
                members = schema.get("properties", {})
                if not members and not value.get("x-room-name"):
                    yield pointer
                for name in {"exact", "startsWith"} & set(members):
                    if not members[name].get("x-room-name"):
                        yield f"{pointer} {name}"

    def fix(self, document: Json) -> None:
        for _, value in objects(document):
            if value.get("name") == "roomName":
                value["x-room-name"] = True

    def drift(self, document: Json) -> None:
        parameter(document, "GET /recordings", "roomName")["schema"] = {"type": "integer"}


class PointsOnlyInProse(OperationCase):
    """What a call costs stands only in the prose."""

    name = "points_only_in_prose"
    occurrences = 27
    drifts_at = "/info/description"

    def affected(self, document: Json, path: str, operation: Json) -> bool:
        return "x-points" not in operation

    def fix(self, document: Json) -> None:
        for _, method, data in operations(document):
            data["x-points"] = {"get": 1, "delete": 2}.get(method, 3)

    def drift(self, document: Json) -> None:
        description = document["info"]["description"]
        assert "a delete consumes 2 points" in description
        description = description.replace(
            "a delete consumes 2 points", "a delete costs up to 10 points"
        )
        document["info"]["description"] = description


class EnumsWithoutNames(ObjectCase):
    """Enums are written inline and have no names."""

    name = "enums_without_names"
    occurrences = 24
    drifts_at = "/components/schemas/Transcription/properties/state"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        return isinstance(value.get("enum"), list) and not is_named(pointer)

    def fix(self, document: Json) -> None:
        document.update(patched())

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["enum"] = ["ready", 1]


class ObjectsWithoutNames(ObjectCase):
    """Objects are written inline and have no names."""

    name = "objects_without_names"
    occurrences = 38
    drifts_at = "/components/responses/ThrottleError/content/application~1json/schema"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        return value.get("type") == "object" and not is_named(pointer)

    def fix(self, document: Json) -> None:
        document.update(patched())

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["properties"] = [{"error": {"type": "string"}}]


CASES: list[Case] = [
    OperationsWithoutNames(),
    SecurityNeverApplied(),
    SecretsUnmarked(),
    RoomNamesUnmarked(),
    PointsOnlyInProse(),
    EnumsWithoutNames(),
    ObjectsWithoutNames(),
]
