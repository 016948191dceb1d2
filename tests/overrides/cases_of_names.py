"""What the document does not say at all: names, secrets, room names, prices, security."""

from __future__ import annotations

from tests.overrides.cases import Case, Places
from tests.overrides.support import (
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


def _replace(document: Json, other: Json) -> None:
    document.clear()
    document.update(other)


class OperationsWithoutNames(Case):
    """Operations have no `operationId` and no tags."""

    name = "operations_without_names"
    places = 27
    drifts_at = "/paths/~1meetings/get/operationId"

    def find(self, document: Json) -> Places:
        for path, method, found in operations(document):
            if not found.get("operationId") or not found.get("tags"):
                yield f"{method} {path}"

    def fix(self, document: Json) -> None:
        for path, method, found in operations(patched()):
            names = {"operationId": found["operationId"], "tags": found["tags"]}
            document["paths"][path][method].update(names)

    def drift(self, document: Json) -> None:
        operation(document, "GET /meetings")["operationId"] = 7


class SecurityNeverApplied(Case):
    """`BearerAuth` is declared, and no operation asks for it."""

    name = "security_never_applied"
    places = 27
    fixed_one_by_one = False
    drifts_at = "/components/securitySchemes"

    def find(self, document: Json) -> Places:
        for path, method, found in operations(document):
            if found.get("security") != [{"BearerAuth": []}] and "security" not in document:
                yield f"{method} {path}"

    def fix(self, document: Json) -> None:
        document["security"] = [{"BearerAuth": []}]

    def drift(self, document: Json) -> None:
        schemes = document["components"]["securitySchemes"]
        schemes["BearerAuth"] = {"type": "apiKey", "in": "header", "name": "X-Key"}


class SecretsUnmarked(Case):
    """Nothing marks the fields that hold secrets."""

    name = "secrets_unmarked"
    places = 7
    drifts_at = "/components/schemas/Meeting/properties/hostRoomUrl"

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            is_property = pointer.split("/")[-2:-1] == ["properties"]
            if is_property and pointer.rpartition("/")[2] in SECRETS and not value.get("x-secret"):
                yield pointer

    def fix(self, document: Json) -> None:
        for pointer in list(self.find(document)):
            at(document, pointer)["x-secret"] = True

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["type"] = "object"


class RoomNamesUnmarked(Case):
    """Nothing tells a room's name from any other text."""

    name = "room_names_unmarked"
    places = 6
    drifts_at = "/paths/~1recordings/get/parameters/0"

    def find(self, document: Json) -> Places:
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


class PointsOnlyInProse(Case):
    """What a call costs stands only in the prose."""

    name = "points_only_in_prose"
    places = 27
    drifts_at = "/info/description"

    def find(self, document: Json) -> Places:
        for path, method, found in operations(document):
            if "x-points" not in found:
                yield f"{method} {path}"

    def fix(self, document: Json) -> None:
        for _, method, found in operations(document):
            found["x-points"] = {"get": 1, "delete": 2}.get(method, 3)

    def drift(self, document: Json) -> None:
        said = document["info"]["description"]
        assert "a delete consumes 2 points" in said
        said = said.replace("a delete consumes 2 points", "a delete costs up to 10 points")
        document["info"]["description"] = said


class EnumsWithoutNames(Case):
    """Enums are written inline and have no names."""

    name = "enums_without_names"
    places = 24
    drifts_at = "/components/schemas/Transcription/properties/state"

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            named = pointer.startswith("/components/schemas/") and pointer.count("/") == 3
            if isinstance(value.get("enum"), list) and not named:
                yield pointer

    def fix(self, document: Json) -> None:
        _replace(document, patched())

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["enum"] = ["ready", 1]


class ObjectsWithoutNames(Case):
    """Objects are written inline and have no names."""

    name = "objects_without_names"
    places = 38
    drifts_at = "/components/responses/ThrottleError/content/application~1json/schema"

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            named = pointer.startswith("/components/schemas/") and pointer.count("/") == 3
            if value.get("type") == "object" and not named:
                yield pointer

    def fix(self, document: Json) -> None:
        _replace(document, patched())

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
