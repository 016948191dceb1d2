"""Operations without a handler are checked, charged, and get the documented success."""

# ruff: noqa: E501 - an operation a line reads better

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.document import Document
from whereby_api_client.testing.samples import Sampler

from ..helpers.documents import DOCUMENT

pytestmark = pytest.mark.anyio

TEXT = {"type": "string"}
WIDGET = {
    "type": "object",
    "required": ["widgetId", "name"],
    "properties": {
        "widgetId": {"type": "string", "example": "w-1"},
        "name": TEXT,
        "madeAt": {"type": "string", "format": "date-time"},
        "size": {"type": "integer", "minimum": 3},
        "kind": {"type": "string", "enum": ["round", "flat"]},
    },
}


def responses(status: int, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write the responses of an operation."""
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {str(status): {"description": "ok", **content}}


def tomorrow() -> dict[str, Any]:
    """Return the document with endpoints that Whereby might add."""
    document: dict[str, Any] = copy.deepcopy(DOCUMENT)
    widget_id = {"name": "widgetId", "in": "path", "required": True, "schema": TEXT}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 2}}
    name = {"name": "name", "in": "query", "schema": TEXT}
    cursor = {"name": "cursor", "in": "query", "schema": TEXT}
    page = {
        "type": "object",
        "properties": {"results": {"type": "array", "items": WIDGET}, "cursor": TEXT},
    }
    schema = {"type": "object", "required": ["name"], "properties": {"name": TEXT}}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    created = {"type": "object", "properties": {"widgetId": TEXT}}
    document["paths"] |= {
        "/widgets": {
            "post": {"operationId": "widgets.create", "requestBody": body, "responses": responses(201, created)},
            "get": {"operationId": "widgets.list", "parameters": [limit, name, cursor], "responses": responses(200, page)},
        },
        "/widgets/{widgetId}": {
            "parameters": [widget_id],
            "get": {"operationId": "widgets.get", "responses": responses(200, WIDGET)},
            "patch": {"operationId": "widgets.update", "requestBody": body, "responses": responses(200, WIDGET)},
            "delete": {"operationId": "widgets.delete", "responses": responses(204)},
        },
        "/widgets/{widgetId}/polish": {
            "parameters": [widget_id],
            "put": {"x-points": 7, "responses": responses(202)},
        },
        "/weather": {"get": {"operationId": "weather.get", "responses": responses(200, WIDGET)}},
    }  # fmt: skip
    return document


def client_of(fake: FakeWhereby) -> httpx.AsyncClient:
    """Give a plain client of the fake inside the process."""
    headers = {"Authorization": f"Bearer {fake.token}"}
    return httpx.AsyncClient(
        base_url="https://api.whereby.test/v1", headers=headers, transport=fake.transport()
    )


async def test_requests_are_checked_all_the_same() -> None:
    """Refuse what the document of tomorrow forbids."""
    async with client_of(FakeWhereby(document=tomorrow())) as client:
        response = await client.post("/widgets", json={})
    assert (response.status_code, response.json()) == (400, {"error": "body.name: is required"})


async def test_the_documented_success() -> None:
    """Send the documented success of anything else; name and charge it by the document."""
    fake = FakeWhereby(document=tomorrow())
    async with client_of(fake) as client:
        polished = await client.put("/widgets/mine/polish")
        assert (polished.status_code, polished.content) == (202, b"")
        assert (await client.get("/weather")).json()["widgetId"] == "w-1"
        assert (await client.get("/widgets/mine")).json()["size"] == 3
        page = (await client.get("/widgets")).json()
        assert [item["widgetId"] for item in page["results"]] == ["w-1"]
        assert (await client.delete("/widgets/mine")).status_code == 204
    assert fake.requests[0].operation == "PUT /widgets/{widgetId}/polish"
    assert fake.requests[0].cost == 7
    fake.fail("PUT /widgets/{widgetId}/polish", status=500)


async def test_a_field_of_another_name() -> None:
    """Send what the document calls a field, not what the handlers do; leave what tests add."""
    document: dict[str, Any] = copy.deepcopy(DOCUMENT)
    success = document["paths"]["/recordings/{recordingId}"]["get"]["responses"]["200"]
    reference = success["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    (old, field), *_ = [pair for pair in schema["properties"].items() if pair[0] != "recordingId"]
    schema["properties"] = {**schema["properties"], "nameOfTomorrow": field}
    del schema["properties"][old]
    schema["required"] = [*(name for name in schema["required"] if name != old), "nameOfTomorrow"]
    fake = FakeWhereby(document=document)
    recording = fake.state.add_recording(extra={"more": 1})
    async with client_of(fake) as client:
        renamed = (await client.get(f"/recordings/{recording.recording_id}")).json()
        page = (await client.get("/recordings")).json()
    assert set(renamed) == {*recording.json(), "nameOfTomorrow"} - {old}
    assert (renamed["more"], type(renamed["nameOfTomorrow"])) == (1, type(recording.json()[old]))
    assert page["results"] == [renamed]


@pytest.mark.parametrize(
    ("schema", "most", "least"),
    [
        ({"type": "array", "items": {"type": "integer", "minimum": 3}}, [3, 3], []),
        ({"type": "number", "maximum": 0.5}, 0.5, 0.5),
        ({"type": ["null", "string"]}, "name!", None),
        ({"type": "string", "maxLength": 4}, "text", "text"),
        ({"type": "string", "x-room-name": True}, "/name!", "/name!"),
        ({"type": "string", "format": "date-time"}, "NOW", "NOW"),
        ({"enum": [None, "a"], "nullable": True}, "a", None),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True, None),
        ({"allOf": [WIDGET, {"properties": {"madeAt": TEXT}, "required": ["size"]}], "x": 1},
         {"widgetId": "w-1", "name": "name!", "madeAt": "madeAt!", "size": 3, "kind": "round"},
         {"widgetId": "w-1", "name": "name!", "size": 3}),
    ],
)  # fmt: skip
def test_samples(schema: dict[str, Any], most: Any, least: Any) -> None:
    """Make the largest and the smallest value of a schema."""
    document = Document(DOCUMENT)
    assert Sampler(document, "NOW", "!", items=2).value(schema, "name") == most
    assert Sampler(document, "NOW", "!", least=True).value(schema, "name") == least


def test_every_success_can_be_made_up() -> None:
    """Make a value for each schema of the document that the schema itself accepts."""
    from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker

    document = Document(DOCUMENT)
    for name, schema in DOCUMENT["components"]["schemas"].items():
        value = Sampler(document, "2025-01-01T00:00:00.000Z").value(schema)
        json.dumps(value)
        whole = {**schema, "components": DOCUMENT["components"]}
        validator = OAS30ReadValidator(whole, format_checker=oas30_format_checker)
        assert not list(validator.iter_errors(value)), (name, value)
