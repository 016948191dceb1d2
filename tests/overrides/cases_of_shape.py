"""Defects of shape: things stand in the wrong place, or not at all."""

from __future__ import annotations

from tests.overrides.cases import Case, Places
from tests.overrides.support import (
    Json,
    answer,
    body,
    deref,
    objects,
    operation,
    operations,
    parameter,
)


class MisplacedProperties(Case):
    """The pages of transcriptions and summaries have `cursor` beside `properties`."""

    name = "misplaced_properties"
    places = 2
    drifts_at = "/paths/~1summaries/get/responses/200/content/application~1json/schema/cursor"

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            if isinstance(value.get("properties"), dict) and isinstance(value.get("cursor"), dict):
                yield pointer

    def fix(self, document: Json) -> None:
        for call in ("GET /transcriptions", "GET /summaries"):
            schema = answer(document, call)
            schema["properties"]["cursor"] = schema.pop("cursor")

    def drift(self, document: Json) -> None:
        answer(document, "GET /summaries")["properties"]["cursor"] = {"type": "integer"}


class UnwrappedProperties(Case):
    """The 201 answers of transcriptions and summaries list properties without `properties`."""

    name = "unwrapped_properties"
    places = 2
    drifts_at = "/paths/~1summaries/post/responses/201/content/application~1json/schema"

    def find(self, document: Json) -> Places:
        for path, method, found in operations(document):
            for status, response in found["responses"].items():
                for media in response.get("content", {}).values():
                    schema = media["schema"]
                    if not {"type", "$ref", "properties"} & set(schema):
                        yield f"{method} {path} {status}"

    def fix(self, document: Json) -> None:
        for call in ("POST /transcriptions", "POST /summaries"):
            schema = answer(document, call)
            listed = dict(schema)
            schema.clear()
            schema.update({"type": "object", "properties": listed})

    def drift(self, document: Json) -> None:
        answer(document, "POST /summaries")["type"] = "array"


class PathParametersNotInPath(Case):
    """POST /transcriptions and POST /summaries declare path parameters that their paths lack."""

    name = "path_parameters_not_in_path"
    places = 2
    drifts_at = "/paths/~1summaries~1{id}/post/parameters/0"

    def find(self, document: Json) -> Places:
        for path, method, found in operations(document):
            for listed in found.get("parameters", []):
                one = deref(document, listed)
                if one["in"] == "path" and f"{{{one['name']}}}" not in path:
                    yield f"{method} {path} {one['name']}"

    def fix(self, document: Json) -> None:
        for call in ("POST /transcriptions", "POST /summaries"):
            del operation(document, call)["parameters"]

    def drift(self, document: Json) -> None:
        # the path's own parameter has another name: dropping ours would leave it undeclared
        document["paths"]["/summaries/{id}"] = {"post": document["paths"]["/summaries"]["post"]}


class PropertiesOnlyInExample(Case):
    """`Recording` and `Summary` have required names and an example, but no properties."""

    name = "properties_only_in_example"
    places = 2
    drifts_at = "/components/schemas/Summary"

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            promising = {"type", "required", "example"} <= set(value)
            if promising and value["type"] == "object" and not value.get("properties"):
                yield pointer

    def fix(self, document: Json) -> None:
        for name in ("Recording", "Summary"):
            schema = document["components"]["schemas"][name]
            schema["properties"] = {field: {"type": "string"} for field in schema["required"]}

    def drift(self, document: Json) -> None:
        del document["components"]["schemas"]["Summary"]["example"]["modifiedAt"]


class UndocumentedFields(Case):
    """Recordings carry `roomName`, and their schema does not know it."""

    name = "undocumented_fields"
    places = 1
    drifts_at = "/components/schemas/Recording/properties/roomName"

    def find(self, document: Json) -> Places:
        schema = document["components"]["schemas"]["Recording"]
        if "roomName" not in schema.get("properties", {}):
            yield "/components/schemas/Recording"

    def fix(self, document: Json) -> None:
        document["components"]["schemas"]["Recording"]["example"]["roomName"] = "/room"

    def drift(self, document: Json) -> None:
        document["components"]["schemas"]["Recording"]["example"]["roomName"] = {"name": "/room"}


class ParametersWithoutSchema(Case):
    """Fifteen query parameters have no schema."""

    name = "parameters_without_schema"
    places = 15
    drifts_at = "/paths/~1recordings/get/parameters/3"

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            if {"in", "name"} <= set(value) and "schema" not in value:
                yield pointer

    def fix(self, document: Json) -> None:
        for _, value in objects(document):
            if {"in", "name"} <= set(value):
                value.setdefault("schema", {"type": "string"})

    def drift(self, document: Json) -> None:
        parameter(document, "GET /recordings", "sortBy")["example"] = 7


class FiltersWithoutDeepObject(Case):
    """The filters of GET /insights/rooms are objects in a query, without `style: deepObject`."""

    name = "filters_without_deep_object"
    places = 2
    drifts_at = "/paths/~1insights~1rooms/get/parameters/0/style"

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            if value.get("in") == "query":
                schema = deref(document, value.get("schema", {}))
                wanted = {"style": "deepObject", "explode": True}
                if schema.get("type") == "object" and not wanted.items() <= value.items():
                    yield pointer

    def fix(self, document: Json) -> None:
        for name in ("roomName", "createdAt"):
            found = parameter(document, "GET /insights/rooms", name)
            found.update({"style": "deepObject", "explode": True})

    def drift(self, document: Json) -> None:
        parameter(document, "GET /insights/rooms", "roomName")["style"] = "form"


class NullInTypeList(Case):
    """The ratings of the insights have a 3.1-style type list inside the 3.0 document."""

    name = "null_in_type_list"
    places = 7
    drifts_at = (
        "/paths/~1insights~1rooms/get/responses/200/content/application~1json/schema/properties"
        "/results/items/properties/rating/type"
    )

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            if isinstance(value.get("type"), list):
                yield pointer

    def fix(self, document: Json) -> None:
        for _, value in objects(document):
            if isinstance(value.get("type"), list):
                value.update({"type": value["type"][0], "nullable": True})

    def drift(self, document: Json) -> None:
        room = answer(document, "GET /insights/rooms")["properties"]["results"]["items"]
        room["properties"]["rating"]["type"] = ["number", "string", "null"]


class RequiredNamesUnknown(Case):
    """The sessions and the participant's details require names that are no properties."""

    name = "required_names_unknown"
    places = 2
    drifts_at = (
        "/paths/~1insights~1room-sessions/get/responses/200/content/application~1json/schema"
        "/properties/results/items"
    )

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            properties = value.get("properties")
            if not isinstance(properties, dict) or "cursor" in value:
                continue
            if set(value.get("required", [])) - set(properties):
                yield pointer

    def fix(self, document: Json) -> None:
        sessions = answer(document, "GET /insights/room-sessions")["properties"]["results"]["items"]
        sessions["required"][2:4] = ["startedAt", "endedAt"]
        answer(document, "GET /insights/participant")["items"]["required"].remove("events")

    def drift(self, document: Json) -> None:
        sessions = answer(document, "GET /insights/room-sessions")["properties"]["results"]["items"]
        sessions["properties"]["beganAt"] = sessions["properties"].pop("startedAt")


class PageFieldsNotRequired(Case):
    """The pages of the insights do not say that `results` and `cursor` are always there."""

    name = "page_fields_not_required"
    places = 3
    drifts_at = (
        "/paths/~1insights~1rooms/get/responses/200/content/application~1json/schema/properties"
        "/results"
    )

    def find(self, document: Json) -> Places:
        for pointer, value in objects(document):
            properties = value.get("properties")
            is_page = isinstance(properties, dict) and {"results", "cursor"} <= set(properties)
            if is_page and not {"results", "cursor"} <= set(value.get("required", [])):
                yield pointer

    def fix(self, document: Json) -> None:
        for name in ("rooms", "room-sessions", "participants"):
            answer(document, f"GET /insights/{name}")["required"] = ["results", "cursor"]

    def drift(self, document: Json) -> None:
        page = answer(document, "GET /insights/rooms")
        page["properties"]["results"] = {"type": "object"}


class OptionalRequestBodies(Case):
    """Request bodies that cannot be left out are not marked as required."""

    name = "optional_request_bodies"
    places = 9
    drifts_at = "/paths/~1meetings/post/requestBody/required"

    def find(self, document: Json) -> Places:
        for path, method, found in operations(document):
            if "requestBody" in found and found["requestBody"].get("required") is not True:
                yield f"{method} {path}"

    def fix(self, document: Json) -> None:
        for _, _, found in operations(document):
            if "requestBody" in found:
                found["requestBody"]["required"] = True

    def drift(self, document: Json) -> None:
        assert body(document, "POST /meetings")["required"]
        operation(document, "POST /meetings")["requestBody"]["required"] = False


CASES: list[Case] = [
    MisplacedProperties(),
    UnwrappedProperties(),
    PathParametersNotInPath(),
    PropertiesOnlyInExample(),
    UndocumentedFields(),
    ParametersWithoutSchema(),
    FiltersWithoutDeepObject(),
    NullInTypeList(),
    RequiredNamesUnknown(),
    PageFieldsNotRequired(),
    OptionalRequestBodies(),
]
