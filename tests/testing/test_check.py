"""Checks against the document, also by what Whereby's document does not use yet."""

from __future__ import annotations

from typing import Any

import pytest

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.check import check_request, check_value
from whereby_api_client.testing.document import Document
from whereby_api_client.testing.messages import Headers, HTTPError, Request

NOTHING = Document({"paths": {}})


@pytest.mark.parametrize(
    ("schema", "good", "bad", "error"),
    [
        ({"type": "number"}, 1.5, True, "must be a number; got True"),
        ({"type": "integer"}, 2.0, 2.5, "must be an integer; got 2.5"),
        ({"type": "string", "minLength": 2}, "ab", "a", "must have at least 2 characters; got 1"),
        ({"type": ["string", "null"]}, None, 1, "must be a string; got 1"),
        ({"type": "string", "nullable": True}, None, 1, "must be a string; got 1"),
        ({"type": "string"}, "", None, "must not be null"),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, 1, [], "must be a string; got []"),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, 3, 2, "must be at least 3; got 2"),
        (
            {"type": "array", "items": {"type": "integer"}},
            [1],
            [1, "x"],
            "must be an integer; got 'x'",
        ),
        ({"type": "string", "pattern": "#[0-9]"}, "#1", "#12", "must match #[0-9]; got '#12'"),
        (
            {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            None,
            "x",
            "must be an integer; got 'x'",
        ),
        (
            {
                "allOf": [
                    {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"required": ["b"]},
                ]
            },
            {"a": 1, "b": 2},
            {"a": 1},
            "body.x.b: is required",
        ),
        ({"enum": ["a", "b"]}, "a", "c", "must be one of a, b; got 'c'"),
        ({"type": "surprise"}, object(), None, "must not be null"),
        ({"type": "string", "x-secret": True}, "s", 5, "must be a string"),
    ],
)
def test_values(schema: dict[str, Any], good: Any, bad: Any, error: str) -> None:
    """Accept what fits and explain what does not."""
    check_value(NOTHING, schema, good, "body.x", "x")
    with pytest.raises(HTTPError) as caught:
        check_value(NOTHING, schema, bad, "body.x", "x")
    assert caught.value.message.endswith(error)


PARAMETERS = [
    {"name": "n", "in": "query", "schema": {"type": "number"}},
    {"name": "b", "in": "query", "schema": {"type": "boolean"}},
    {"name": "a", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
    {"name": "s", "in": "query", "schema": {"type": "string"}},
    {
        "name": "i",
        "in": "query",
        "explode": False,
        "schema": {"type": "array", "items": {"type": "integer"}},
    },
    {
        "name": "f",
        "in": "query",
        "style": "deepObject",
        "schema": {"properties": {"least": {"type": ["integer", "null"]}}},
    },
    {"name": "page[size]", "in": "query", "schema": {"type": "integer"}},
    {"name": "X-Header", "in": "header", "schema": {"type": "string"}},
]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("n=1.5&b=true&s=", {"n": 1.5, "b": True, "s": ""}),
        ("b=false&a=x,y&a=z", {"b": False, "a": ["x", "y", "z"]}),
        ("a[]=x&a%5B%5D=y", {"a": ["x", "y"]}),
        ("i=1,2&i=3&f[least]=4&page[size]=5", {"i": [1, 2, 3], "f": {"least": 4}, "page[size]": 5}),
        ("f[least]=many", "query parameter 'f', key 'least': must be an integer; got 'many'"),
        ("n=much", "query parameter 'n': must be a number; got 'much'"),
        ("b=1", "query parameter 'b': must be true or false; got '1'"),
    ],
)
def test_queries(query: str, values: Any) -> None:
    """Read values as the document's types, arrays in each of their spellings."""
    document = Document({"paths": {"/x": {"get": {"parameters": PARAMETERS, "responses": {}}}}})
    (operation,) = document.operations
    request = Request("GET", f"/x?{query}")
    if isinstance(values, dict):
        assert check_request(document, operation, {}, request).query == values
        return
    with pytest.raises(HTTPError) as caught:
        check_request(document, operation, {}, request)
    assert caught.value.message == values


def test_spelling_of_arrays() -> None:
    """Take an array in the documented spelling only when strict."""
    document = Document({"paths": {"/x": {"get": {"parameters": PARAMETERS, "responses": {}}}}})
    (operation,) = document.operations
    request = Request("GET", "/x?a=x,y&a=z")
    assert check_request(document, operation, {}, request, strict=True).query == {"a": ["x,y", "z"]}
    with pytest.raises(HTTPError, match="'i': must be sent once, with commas; got 2 times"):
        check_request(document, operation, {}, Request("GET", "/x?i=1&i=2"), strict=True)


def test_paths() -> None:
    """Find parameters that are a part of a segment, and those that the path has for all."""
    both = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("q", "r")]
    own = {"name": "q", "in": "query", "schema": {"type": "integer"}}
    item = {"parameters": both, "get": {"operationId": "x", "parameters": [own], "responses": {}}}
    fake = FakeWhereby(document={"paths": {"/a/{id}.{kind}": item}}, strict=True)
    checked = fake.check(Request("GET", "/v1/a/b%2Fc.png?q=1&r=2"))
    assert (checked.path, checked.query) == ({"id": "b/c", "kind": "png"}, {"q": 1, "r": "2"})
    with pytest.raises(HTTPError, match="there is nothing at /v1/a/b"):
        fake.check(Request("GET", "/v1/a/b"))


def test_a_body_can_be_optional() -> None:
    """Do without a body where the document does not demand one."""
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    post = {"requestBody": body, "responses": {"2XX": {"description": "fine"}}}
    fake = FakeWhereby(document={"paths": {"/x": {"post": post}}})
    headers = Headers([("Authorization", f"Bearer {fake.token}")])
    assert fake.handle(Request("POST", "/v1/x", headers)).status == 200
    assert fake.handle(Request("POST", "/v1/x", headers, b"{}")).status == 400


def test_secrets_do_not_come_back() -> None:
    """Keep a secret of the wrong kind out of the error's text."""
    fake = FakeWhereby()
    headers = [("Authorization", f"Bearer {fake.token}"), ("Content-Type", "application/json")]
    body = (
        b'{"endDate": "2099-01-01T00:00:00Z", "recording": {"type": "cloud", "startTrigger": null,'
        b' "destination": {"provider": "s3", "accessKeySecret": ["hunter2"]}}}'
    )
    response = fake.handle(Request("POST", "/v1/meetings", Headers(headers), body))
    assert response.status == 400
    assert b"accessKeySecret" in response.body
    assert b"hunter2" not in response.body


def test_doubts_of_a_branch_that_fails() -> None:
    """Keep no doubt of an alternative that does not fit."""
    first = {"type": "object", "properties": {"c": {"type": "string"}}}
    second = {"type": "object", "properties": {"b": {}, "c": {"type": "integer"}}}
    body = {"content": {"application/json": {"schema": {"oneOf": [first, second]}}}}
    document = Document({"paths": {"/x": {"post": {"requestBody": body, "responses": {}}}}})
    headers = Headers([("Content-Type", "application/json")])
    request = Request("POST", "/x", headers, b'{"b": 1, "c": 5}')
    assert check_request(document, document.operations[0], {}, request).doubts == []


def test_stateless() -> None:
    """Check requests, and respond to each with a sample of its documented success."""
    fake = FakeWhereby(stateless=True, strict=True)
    headers = Headers([("Authorization", f"Bearer {fake.token}")])
    assert fake.handle(Request("GET", "/v1/meetings/none", headers)).status == 200
    refused = fake.handle(Request("GET", "/v1/meetings/none?tomorow=1", headers))
    assert refused.status == 400
    assert "tomorow" in (fake.requests[1].error or "")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], "header 'X-Count': is required for GET /x"),
        ([("x-count", "a")], "header 'X-Count': must be an integer; got 'a'"),
        ([("x-count", "1"), ("x-other", "")], {"X-Count": 1}),
    ],
)
def test_headers(headers: list[tuple[str, str]], expected: Any) -> None:
    """Hold header parameters to the document, but for those that OpenAPI says are ignored."""
    schema = {"type": "integer"}
    parameters = [
        {"name": name, "in": "header", "required": True, "schema": schema}
        for name in ("X-Count", "Accept")
    ]
    document = Document({"paths": {"/x": {"get": {"parameters": parameters, "responses": {}}}}})
    (operation,) = document.operations
    request = Request("GET", "/x", Headers(headers))
    try:
        assert check_request(document, operation, {}, request).headers == expected
    except HTTPError as error:
        assert error.message == expected
