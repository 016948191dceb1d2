"""Defects of shape: things stand in the wrong place, or not at all."""

from __future__ import annotations

import copy

from tests.helpers.override_cases import Case, ObjectCase, Occurrences, OperationCase
from tests.helpers.override_runs import (
    Json,
    deref,
    operation,
    parameter,
    request_schema,
    response_schema,
)


class MisplacedProperties(ObjectCase):
    """The pages of transcriptions and summaries have `cursor` beside `properties`."""

    name = "misplaced_properties"
    occurrences = 2
    drifts_at = "/paths/~1summaries/get/responses/200/content/application~1json/schema/cursor"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        return isinstance(value.get("properties"), dict) and isinstance(value.get("cursor"), dict)

    def repair(self, value: Json) -> None:
        value["properties"]["cursor"] = value.pop("cursor")

    def drift(self, document: Json) -> None:
        response_schema(document, "GET /summaries")["properties"]["cursor"] = {"type": "integer"}


class UnwrappedProperties(ObjectCase):
    """The 201 responses of transcriptions and summaries list properties without `properties`."""

    name = "unwrapped_properties"
    occurrences = 2
    drifts_at = "/paths/~1summaries/post/responses/201/content/application~1json/schema"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        is_answer = "/responses/201/" in pointer and pointer.endswith("/schema")
        return is_answer and not {"type", "$ref", "properties"} & set(value)

    def repair(self, value: Json) -> None:
        listed = dict(value)
        value.clear()
        value.update({"type": "object", "properties": listed})

    def drift(self, document: Json) -> None:
        response_schema(document, "POST /summaries")["type"] = "array"


class PathParametersNotInPath(OperationCase):
    """POST /transcriptions and POST /summaries declare path parameters that their paths lack."""

    name = "path_parameters_not_in_path"
    occurrences = 2
    drifts_at = "/paths/~1summaries~1{id}/post/parameters/0"

    def affected(self, document: Json, path: str, operation: Json) -> bool:
        listed = [deref(document, parameter) for parameter in operation.get("parameters", [])]
        return any(
            parameter["in"] == "path" and f"{{{parameter['name']}}}" not in path
            for parameter in listed
        )

    def fix(self, document: Json) -> None:
        for call in ("POST /transcriptions", "POST /summaries"):
            del operation(document, call)["parameters"]

    def drift(self, document: Json) -> None:
        # the path's own parameter has another name: dropping ours would leave it undeclared
        posted = copy.deepcopy(operation(document, "POST /summaries"))
        document["paths"]["/summaries/{id}"] = {"post": posted}


class PropertiesOnlyInExample(ObjectCase):
    """`Recording` and `Summary` have required names and an example, but no properties."""

    name = "properties_only_in_example"
    occurrences = 2
    drifts_at = "/components/schemas/Summary"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        promising = {"type", "required", "example"} <= set(value) and value["type"] == "object"
        return promising and not value.get("properties")

    def repair(self, value: Json) -> None:
        value["properties"] = {name: {"type": "string"} for name in value["required"]}

    def drift(self, document: Json) -> None:
        del document["components"]["schemas"]["Summary"]["example"]["modifiedAt"]


class UndocumentedFields(Case):
    """Recordings carry `roomName`, and their schema does not know it."""

    name = "undocumented_fields"
    occurrences = 1
    drifts_at = "/components/schemas/Recording/properties/roomName"

    def find(self, document: Json) -> Occurrences:
        schema = document["components"]["schemas"]["Recording"]
        if "roomName" not in schema.get("properties", {}):
            yield "/components/schemas/Recording"

    def fix(self, document: Json) -> None:
        document["components"]["schemas"]["Recording"]["example"]["roomName"] = "/room"

    def drift(self, document: Json) -> None:
        document["components"]["schemas"]["Recording"]["example"]["roomName"] = {"name": "/room"}


class ParametersWithoutSchema(ObjectCase):
    """Fifteen query parameters have no schema."""

    name = "parameters_without_schema"
    occurrences = 15
    drifts_at = "/paths/~1recordings/get/parameters/3"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        return {"in", "name"} <= set(value) and "schema" not in value

    def repair(self, value: Json) -> None:
        value["schema"] = {"type": "string"}

    def drift(self, document: Json) -> None:
        parameter(document, "GET /recordings", "sortBy")["example"] = 7


class FiltersWithoutDeepObject(ObjectCase):
    """The filters of GET /insights/rooms are objects in a query, without `style: deepObject`."""

    name = "filters_without_deep_object"
    occurrences = 2
    drifts_at = "/paths/~1insights~1rooms/get/parameters/0/style"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        schema = deref(document, value.get("schema", {}))
        is_filter = value.get("in") == "query" and schema.get("type") == "object"
        return is_filter and not {"style": "deepObject", "explode": True}.items() <= value.items()

    def repair(self, value: Json) -> None:
        value.update({"style": "deepObject", "explode": True})

    def drift(self, document: Json) -> None:
        parameter(document, "GET /insights/rooms", "roomName")["style"] = "form"


class NullInTypeList(ObjectCase):
    """The ratings of the insights have a 3.1-style type list inside the 3.0 document."""

    name = "null_in_type_list"
    occurrences = 7
    drifts_at = (
        "/paths/~1insights~1rooms/get/responses/200/content/application~1json/schema/properties"
        "/results/items/properties/rating/type"
    )

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        return isinstance(value.get("type"), list)

    def repair(self, value: Json) -> None:
        value.update({"type": value["type"][0], "nullable": True})

    def drift(self, document: Json) -> None:
        room = response_schema(document, "GET /insights/rooms")["properties"]["results"]["items"]
        room["properties"]["rating"]["type"] = ["number", "string", "null"]


class RequiredNamesUnknown(ObjectCase):
    """The sessions and the participant's details require names that are no properties."""

    name = "required_names_unknown"
    occurrences = 2
    drifts_at = ""

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        properties = value.get("properties")
        if not isinstance(properties, dict) or "cursor" in value:  # which is another defect
            return False
        return bool(set(value.get("required", [])) - set(properties))

    def repair(self, value: Json) -> None:
        meant = {"createdAt": "startedAt", "endAt": "endedAt", "events": None}
        names = [meant.get(name, name) for name in value["required"]]
        value["required"] = [name for name in names if name]


class PageFieldsNotRequired(ObjectCase):
    """The pages of the insights do not say that `results` and `cursor` are always there."""

    name = "page_fields_not_required"
    occurrences = 3
    drifts_at = (
        "/paths/~1insights~1rooms/get/responses/200/content/application~1json/schema/properties"
        "/results"
    )

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        both = {"results", "cursor"}
        properties = value.get("properties")
        is_page = isinstance(properties, dict) and both <= set(properties)
        return is_page and not both <= set(value.get("required", []))

    def repair(self, value: Json) -> None:
        value["required"] = ["results", "cursor"]

    def drift(self, document: Json) -> None:
        page = response_schema(document, "GET /insights/rooms")
        page["properties"]["results"] = {"type": "object"}


class OptionalRequestBodies(ObjectCase):
    """Request bodies that cannot be left out are not marked as required."""

    name = "optional_request_bodies"
    occurrences = 9
    drifts_at = "/paths/~1meetings/post/requestBody/required"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        return pointer.endswith("/requestBody") and value.get("required") is not True

    def repair(self, value: Json) -> None:
        value["required"] = True

    def drift(self, document: Json) -> None:
        operation(document, "POST /meetings")["requestBody"]["required"] = False


class UndocumentedParameters(Case):
    """The filter of meetings by the start of the room's name is not documented."""

    name = "undocumented_parameters"
    occurrences = 1
    drifts_at = "/paths/~1meetings/get/parameters"

    def find(self, document: Json) -> Occurrences:
        listed = operation(document, "GET /meetings")["parameters"]
        if not any(parameter.get("name") == "roomName" for parameter in listed):
            yield "/paths/~1meetings/get"

    def fix(self, document: Json) -> None:
        operation(document, "GET /meetings")["parameters"].append(
            {
                "in": "query",
                "name": "roomName",
                "style": "deepObject",
                "schema": {"type": "object", "properties": {"startsWith": {"type": "string"}}},
            }
        )

    def drift(self, document: Json) -> None:
        operation(document, "GET /meetings")["parameters"].append(
            {"in": "query", "name": "roomName", "schema": {"type": "string"}}
        )


class MisplacedSecurity(Case):
    """Earlier documents had `security` among the components."""

    name = "misplaced_security"
    occurrences = 1
    drifts_at = "/components/security"

    def plant(self, document: Json) -> None:
        document["components"]["security"] = [{"BearerAuth": []}]

    def find(self, document: Json) -> Occurrences:
        if "security" in document["components"]:
            yield "/components/security"

    def fix(self, document: Json) -> None:
        document["security"] = document["components"].pop("security")

    def drift(self, document: Json) -> None:
        document["components"]["security"] = {"BearerAuth": []}


class RepeatedEnumValues(ObjectCase):
    """Earlier documents listed values of an enum twice."""

    name = "repeated_enum_values"
    occurrences = 2
    drifts_at = ""

    def plant(self, document: Json) -> None:
        request_schema(document, "POST /meetings")["properties"]["roomMode"]["enum"] *= 2
        document["components"]["schemas"]["Transcription"]["properties"]["state"]["enum"] *= 3

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        values = value.get("enum")
        return isinstance(values, list) and len(values) != len(set(values))

    def repair(self, value: Json) -> None:
        value["enum"] = list(dict.fromkeys(value["enum"]))


class PathsWithoutSlash(Case):
    """Earlier documents had a path without a slash in front."""

    name = "paths_without_slash"
    occurrences = 2
    drifts_at = "/paths/summaries"

    def plant(self, document: Json) -> None:
        for path in ("/summaries", "/recordings/bulk-delete"):
            document["paths"][path[1:]] = document["paths"].pop(path)

    def find(self, document: Json) -> Occurrences:
        yield from (path for path in document["paths"] if not path.startswith("/"))

    def fix(self, document: Json) -> None:
        for path in list(self.find(document)):
            document["paths"][f"/{path}"] = document["paths"].pop(path)

    def drift(self, document: Json) -> None:
        document["paths"]["/summaries"] = {"get": {"responses": {}}}


HISTORIC: list[Case] = [MisplacedSecurity(), RepeatedEnumValues(), PathsWithoutSlash()]
CASES: list[Case] = [
    UndocumentedParameters(),
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
