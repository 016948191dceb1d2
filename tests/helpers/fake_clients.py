"""A plain HTTP client that holds the fake to the document."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.handlers import HANDLERS

from .documents import DOCUMENT, operations

OPERATIONS = {name: operation for name, _, operation in operations()}
GONE = {
    operation: re.compile("/v1" + re.sub(r"{\w+}", "[^/]+", operation.partition(" ")[2]))
    for operation in HANDLERS
    if operation.partition(" ")[0].lower()
    not in DOCUMENT["paths"].get(operation.partition(" ")[2], {})
}
"""What the fake has a handler for, and the document has no more: its tests are skipped."""
END = "2099-03-25T13:30:00Z"


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference into the document."""
    while "$ref" in node:
        target: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def check_response(operation: str, response: httpx.Response) -> None:
    """Fail unless the status is documented for the operation and the body fits its schema."""
    if operation not in OPERATIONS:
        return
    documented = OPERATIONS[operation]["responses"]
    if not response.is_success:
        assert isinstance(response.json()["error"], str)
        return
    assert str(response.status_code) in documented, (operation, response.status_code)
    content = resolve(documented[str(response.status_code)]).get("content")
    if content is None:
        assert response.content == b""
        return
    assert response.headers["content-type"].startswith("application/json")
    schema = {**content["application/json"]["schema"], "components": DOCUMENT["components"]}
    validator = OAS30ReadValidator(schema, format_checker=oas30_format_checker)
    errors = [
        f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())
    ]
    assert not errors, (operation, errors, response.text)


@asynccontextmanager
async def plain(fake: FakeWhereby, *, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the fake on a socket and give a client whose every response is checked."""

    async def check(response: httpx.Response) -> None:
        await response.aread()
        request = response.request
        for operation, path in GONE.items():
            if operation.startswith(f"{request.method} ") and path.fullmatch(request.url.path):
                pytest.skip(f"the document does not have {operation} any more")
        check_response(fake.requests[-1].operation, response)

    async with (
        fake.serve() as url,
        httpx.AsyncClient(
            base_url=url,
            verify=False,  # no TLS here: loading the certificates would cost 20 ms a test
            headers={"Authorization": f"Bearer {token or fake.token}"},
            event_hooks={"response": [check]},
        ) as client,
    ):
        yield client
