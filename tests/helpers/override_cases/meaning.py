"""Defects of meaning: what the schemas say is not so, or the texts say more than they do."""

from __future__ import annotations

import re

from tests.helpers.override_cases import Case, ObjectCase, Occurrences, is_property
from tests.helpers.override_runs import (
    Json,
    at,
    objects,
    parameter,
    request_schema,
    response_schema,
)

LANGUAGE = (
    "/paths/~1meetings/post/requestBody/content/application~1json/schema/properties"
    "/liveTranscription/properties/language"
)
RECORDING = LANGUAGE.removesuffix("/liveTranscription/properties/language") + "/recording"
INSIGHTS = "/paths/~1insights~1{}/get/responses/200/content/application~1json/schema"


class EnumTrailingComma(Case):
    """All values of `liveTranscription.language` end in a comma."""

    name = "enum_trailing_comma"
    occurrences = 33
    drifts_at = LANGUAGE + "/enum"

    def find(self, document: Json) -> Occurrences:
        for pointer, value in objects(document):
            for member in value.get("enum", []):
                if member is not None and member.endswith(","):
                    yield f"{pointer} {member}"

    def fix(self, document: Json) -> None:
        schema = at(document, LANGUAGE)
        schema["enum"] = [value[:-1] for value in schema["enum"]]

    def drift(self, document: Json) -> None:
        at(document, LANGUAGE)["enum"][:2] = ["ca,zh,"]


class NullOnlyInText(ObjectCase):
    """Cursors, destinations, triggers and the language can be null by their texts only."""

    name = "null_only_in_text"
    occurrences = 13
    drifts_at = LANGUAGE

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        text = str(value.get("description", ""))
        misplaced = pointer.endswith("/schema/cursor")
        if not re.search("`null`|set to null", text) or not (is_property(pointer) or misplaced):
            return False
        return value.get("nullable") is not True or None not in value.get("enum", [None])

    def repair(self, value: Json) -> None:
        value["nullable"] = True
        if "enum" in value:
            value["enum"].append(None)

    def drift(self, document: Json) -> None:
        at(document, LANGUAGE)["description"] = "The language. It cannot be `null`."


class NullInPractice(Case):
    """Fields of responses that can be null or missing are declared as always there."""

    name = "null_in_practice"
    occurrences = 12
    drifts_at = INSIGHTS.format("participants") + "/properties/results/items/properties/displayName"

    FIELDS = (
        ("GET /insights/rooms", "endAt firstSessionStartedAt lastSessionStartedAt"),
        ("GET /insights/rooms", "rating totalRatings"),
        ("GET /insights/room-sessions", "endedAt rating totalRatings"),
        ("GET /insights/participants", "deviceId userId displayName leftAt externalId rating"),
        ("GET /insights/participant", "displayName"),
        ("Recording", "filename"),
        ("Transcription", "filename"),
    )

    def _object(self, document: Json, where: str) -> Json:
        if " " not in where:
            component: Json = document["components"]["schemas"][where]
            return component
        schema = response_schema(document, where)
        while "properties" not in schema or "results" in schema["properties"]:
            if "$ref" in schema:
                schema = at(document, schema["$ref"][1:])
            else:
                schema = schema.get("items") or schema["properties"]["results"]
        return schema

    def find(self, document: Json) -> Occurrences:
        for where, names in self.FIELDS:
            owner = self._object(document, where)
            for name in names.split():
                schema = owner.get("properties", {}).get(name, {})
                nullable = schema.get("nullable") is True or "null" in schema.get("type", "")
                if name in owner.get("required", []) or not nullable:
                    yield f"{where} {name}"

    def fix(self, document: Json) -> None:
        recording = document["components"]["schemas"]["Recording"]
        recording["properties"] = {"filename": {"type": "string"}}
        for where, names in self.FIELDS:
            owner = self._object(document, where)
            dropped = [*names.split(), "endAt"]  # a session's `endAt` is its `endedAt`
            owner["required"] = [name for name in owner["required"] if name not in dropped]
            for name in names.split():
                schema = owner["properties"][name]
                if not isinstance(schema["type"], list):
                    schema["nullable"] = True

    def drift(self, document: Json) -> None:
        self._object(document, "GET /insights/participants")["properties"]["displayName"] = {
            "type": "object"
        }


class EitherOrParameters(ObjectCase):
    """GET /insights/participants requires `roomSessionId`, although `externalId` would do."""

    name = "either_or_parameters"
    occurrences = 1
    drifts_at = "/paths/~1insights~1participants/get/parameters/0"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        return "Either" in str(value.get("description", "")) and value.get("required") is True

    def fix(self, document: Json) -> None:
        for name in ("roomSessionId", "externalId"):
            entry = parameter(document, "GET /insights/participants", name)
            entry["description"] = f"Filter by {name}."
            entry["required"] = False

    def drift(self, document: Json) -> None:
        listed = document["paths"]["/insights/participants"]["get"]["parameters"]
        assert listed[1]["name"] == "externalId"
        del listed[1]


class FieldsOnlyInText(ObjectCase):
    """The text of a recording's destination demands `region`, and there is no such property."""

    name = "fields_only_in_text"
    occurrences = 1
    drifts_at = (
        "/paths/~1meetings/post/requestBody/content/application~1json/schema/properties/recording"
        "/properties/destination/properties/region"
    )

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        provider = value.get("provider")
        demanded = isinstance(provider, dict) and "region" in provider.get("description", "")
        return demanded and "region" not in value

    def repair(self, value: Json) -> None:
        value["region"] = {"type": "string"}

    def drift(self, document: Json) -> None:
        meeting = request_schema(document, "POST /meetings")["properties"]
        del meeting["liveTranscription"]["properties"]["destination"]["properties"]["region"]


class PatternAgainstExample(ObjectCase):
    """The pattern of `roomNamePrefix` refuses the example beside it."""

    name = "pattern_against_example"
    occurrences = 1
    drifts_at = (
        "/paths/~1meetings/post/requestBody/content/application~1json/schema/properties"
        "/roomNamePrefix/pattern"
    )

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        pattern, example = value.get("pattern"), value.get("example")
        return bool(pattern and example) and not re.fullmatch(str(pattern), str(example))

    def repair(self, value: Json) -> None:
        value["pattern"] = "[a-z0-9-]{0,39}"

    def drift(self, document: Json) -> None:
        request_schema(document, "POST /meetings")["properties"]["roomNamePrefix"]["pattern"] = (
            "[a-z0-9"
        )


class DatetimesWithoutFormat(ObjectCase):
    """The date-times of the insights are plain texts."""

    name = "datetimes_without_format"
    occurrences = 9
    drifts_at = INSIGHTS.format("rooms") + "/properties/results/items/properties/endAt"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        example = str(value.get("example", ""))
        dated = value.get("type") == "string" and bool(re.fullmatch(r"\d{4}-.*T.*Z", example))
        return (dated or pointer.endswith("/properties/timeStamp")) and "format" not in value

    def repair(self, value: Json) -> None:
        value["format"] = "date-time"

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["example"] = "May 12th, 2025"


class NullableFieldsRequired(ObjectCase):
    """Destinations and triggers that may be null have to be sent."""

    name = "nullable_fields_required"
    occurrences = 3
    drifts_at = RECORDING + "/required"

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        properties, required = value.get("properties", {}), value.get("required")
        if not isinstance(required, list) or "results" in properties:
            return False
        texts = [str(properties.get(name, {}).get("description", "")) for name in required]
        return any(re.search("`null`|set to null", text) for text in texts)

    def repair(self, value: Json) -> None:
        # a stream's `destination` cannot be null: it stays required
        texts = {name: str(field.get("description")) for name, field in value["properties"].items()}
        required = value.pop("required")
        if kept := [name for name in required if not re.search("`null`|set to null", texts[name])]:
            value["required"] = kept

    def drift(self, document: Json) -> None:
        at(document, RECORDING)["required"] = "type"


class RoomNamePrefixesRefused(ObjectCase):
    """A prefix cannot be null, nor a slash and 39 characters."""

    name = "room_name_prefixes_refused"
    occurrences = 1
    drifts_at = RECORDING.replace("recording", "roomNamePrefix")

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        is_prefix = pointer.endswith("/properties/roomNamePrefix")
        return is_prefix and (value.get("nullable") is not True or value["maxLength"] < 40)

    def repair(self, value: Json) -> None:
        value.update(nullable=True, maxLength=40)

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["type"] = "integer"


class UndocumentedEnumValues(Case):
    """`fields` takes `dialIn`, and its enum does not know it."""

    name = "undocumented_enum_values"
    occurrences = 1
    drifts_at = "/components/schemas/Fields"

    def find(self, document: Json) -> Occurrences:
        for pointer, value in objects(document["components"]["schemas"]):
            if "hostRoomUrl" in value.get("enum", ()) and "dialIn" not in value["enum"]:
                yield pointer

    def fix(self, document: Json) -> None:
        at(document, "/components/schemas/Fields/items/enum").append("dialIn")

    def drift(self, document: Json) -> None:
        document["components"]["schemas"]["Fields"]["items"] = {"type": "string"}


class SortOrdersOnlyInExample(Case):
    """What a sort order looks like stands in examples only."""

    name = "sort_orders_only_in_example"
    occurrences = 6
    drifts_at = "/paths/~1recordings/get/parameters/3"

    def find(self, document: Json) -> Occurrences:
        for pointer, value in objects(document):
            if value.get("name") == "sortBy" and "x-sort-order" not in value.get("schema", {}):
                yield pointer

    def fix(self, document: Json) -> None:
        for pointer in list(self.find(document)):
            at(document, pointer)["schema"] = {"type": "string", "x-sort-order": True}

    def drift(self, document: Json) -> None:
        at(document, self.drifts_at)["example"] = "roomName"


CASES: list[Case] = [
    NullableFieldsRequired(),
    RoomNamePrefixesRefused(),
    UndocumentedEnumValues(),
    SortOrdersOnlyInExample(),
    EnumTrailingComma(),
    NullOnlyInText(),
    NullInPractice(),
    EitherOrParameters(),
    FieldsOnlyInText(),
    PatternAgainstExample(),
    DatetimesWithoutFormat(),
]
