"""A second opinion on the fake's checks: openapi-schema-validator, and the keywords they know."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from openapi_schema_validator import OAS30WriteValidator, oas30_format_checker

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.messages import Headers, HTTPError, Request

from ..helpers.documents import DOCUMENT
from ..helpers.fake_clients import OPERATIONS, resolve
from ..helpers.fake_table import ROWS
from .test_fuzz import mutated

# what `check.py` acts on, beside names of `x-`
CHECKED = {
    "$ref", "additionalProperties", "allOf", "anyOf", "enum", "format", "items", "maxLength",
    "maximum", "minLength", "minimum", "nullable", "oneOf", "pattern", "properties", "required",
    "type",
}  # fmt: skip
EXPLAINING = {"default", "deprecated", "description", "example", "title"}
FORMATS = {"binary", "date-time", "uri"}


def request_schemas() -> Iterator[dict[str, Any]]:
    """Yield the schemas of all parameters and bodies."""
    for operation in OPERATIONS.values():
        for parameter in map(resolve, operation.get("parameters", [])):
            yield parameter["schema"]
        for media in resolve(operation.get("requestBody", {})).get("content", {}).values():
            yield media["schema"]


def inner(schema: dict[str, Any], seen: set[int]) -> Iterator[dict[str, Any]]:
    """Yield a schema and those within it."""
    schema = resolve(schema)
    if id(schema) in seen:
        return
    seen.add(id(schema))
    yield schema
    listed = [*schema.get("properties", {}).values()]
    listed += [schema["items"]] if "items" in schema else []
    for key in ("allOf", "oneOf", "anyOf"):
        listed += schema.get(key, [])
    for other in listed:
        yield from inner(other, seen)


def test_no_keyword_passes_unseen() -> None:
    """Know every keyword and format that the document uses for requests."""
    seen: set[int] = set()
    schemas = [schema for outer in request_schemas() for schema in inner(outer, seen)]
    for schema in schemas:
        keywords = {keyword for keyword in schema if not keyword.startswith("x-")}
        assert keywords <= CHECKED | EXPLAINING, keywords - CHECKED - EXPLAINING
        assert schema.get("format", "uri") in FORMATS
    assert len(seen) > 50


BODIES: dict[str, list[Any]] = {}
for row in ROWS:
    if row.json is not None and row.status < 300 and row.operation in OPERATIONS:
        BODIES.setdefault(row.operation, []).append(row.json)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_validator_agrees(name: str) -> None:
    """Refuse, when strict, what the validator finds invalid, and nothing else documented."""
    (path, method), schema = _request_of(name)
    whole = {**_as_meant(schema), "components": _as_meant(DOCUMENT["components"])}
    validator = OAS30WriteValidator(whole, format_checker=oas30_format_checker)
    fake = FakeWhereby(strict=True)

    def compare(body: Any) -> bool:
        sent = json.dumps(body, allow_nan=False).encode()
        headers = Headers([("Content-Type", "application/json")])
        try:
            fake.check(Request(method.upper(), f"/v1{path}", headers, sent))
            error = None
        except HTTPError as refused:
            error = refused.message
        valid: bool = validator.is_valid(json.loads(sent))
        if not valid and error is None:
            # a date-time without zone is read as UTC: docs/api-facts.md
            problems = [problem.message for problem in validator.iter_errors(body)]
            assert all("date-time" in problem for problem in problems), (body, problems)
        if valid and error is not None:
            assert "is not documented" in error or "ISO 8601" in error, error
        return valid

    @settings(max_examples=60, deadline=None, database=None)
    @given(mutated(BODIES[name]))
    def compare_mutated(body: Any) -> None:
        with contextlib.suppress(ValueError):  # NaN is not JSON
            outcomes.add(compare(body))

    refused = [body for body in BODIES[name] if not compare(body)]
    assert not refused, refused
    outcomes = {True}
    compare_mutated()
    assert outcomes == {True, False}


def _request_of(name: str) -> tuple[tuple[str, str], dict[str, Any]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and operation.get("operationId") == name:
                media = resolve(operation["requestBody"])["content"]["application/json"]
                return (path.replace("{roomName}", "r"), method), media["schema"]
    raise AssertionError(name)


def _as_meant(node: Any) -> Any:
    """Return a copy whose patterns describe the whole value, and whose nullable means null.

    By the letter of OpenAPI 3.0, `nullable` beside `allOf` allows no null; the generator's idiom,
    and the document's prose, mean that it does.
    """
    if isinstance(node, list):
        return [_as_meant(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _as_meant(value) for key, value in node.items()}
    if isinstance(copied.get("pattern"), str):
        copied["pattern"] = f"^({copied['pattern']})$"
    if copied.get("nullable") and "allOf" in copied:
        null = {"type": "string", "nullable": True, "enum": [None]}
        return {"anyOf": [{"allOf": copied["allOf"]}, null]}
    return copied
