"""What each operation sends, as a real server receives it."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from whereby_api_client import InvalidArgumentError, WherebyClient
from whereby_api_client.pagination import Paginator
from whereby_api_client.testing import FakeWhereby

from ..helpers.documents import DOCUMENT, operations, success_example
from ..helpers.override_runs import result
from ..helpers.wire_table import CASES, PNG, TABLE, Case

pytestmark = pytest.mark.anyio


async def received(case: Case) -> Any:
    """Make the call against a server that responds with the document's example."""
    fake = FakeWhereby()
    example = success_example(case.operation)
    fake.fail(
        case.operation,
        status=204 if example is None else 200,
        body=b"" if example is None else json.dumps(example).encode(),
    )
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        result = await case.call(whereby)
    assert (result is None) == (example is None)
    (request,) = fake.requests
    return request


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operation)
async def test_request(case: Case) -> None:
    """Method, target, headers and body arrive exactly as the table says."""
    request = await received(case)
    assert request.operation == case.operation
    assert (request.method, request.target) == (case.method, case.target)
    headers = request.headers
    assert headers["authorization"] == "Bearer fake-whereby-token"
    assert headers["accept"] == "application/json"
    assert re.match(r"whereby-api-client/\d", headers["user-agent"])
    if case.json is not None:
        assert headers["content-type"] == "application/json"
        assert request.json == case.json
    elif case.image is not None:
        (part,) = request.parts
        assert (part.name, part.content_type, part.content) == case.image
        assert part.filename == "image.png"
    else:
        assert request.body == b""
        assert "content-type" not in headers


def test_table_covers_the_document() -> None:
    """The table holds the operations of the frozen document, with all parameters and fields.

    What a newer document adds is called by the contract test of the update.
    """
    document = result().document
    live = json.dumps(DOCUMENT)  # what an update renamed has its new name in the table
    frozen = {o["operationId"]: o for item in document["paths"].values() for o in item.values()}
    assert {case.operation for case in TABLE} == frozen.keys()
    for name, operation in frozen.items():
        sent = " ".join(
            f"{case.target} {json.dumps(case.json)} {case.image and case.image[0]}"
            for case in TABLE
            if case.operation == name
        )
        for parameter in operation.get("parameters", []):
            parameter = document["components"]["parameters"].get(
                parameter.get("$ref", "").rpartition("/")[2], parameter
            )
            if parameter["in"] == "query":
                assert re.search(rf"[?&]{parameter['name']}(=|%5B)", sent), (
                    name,
                    parameter["name"],
                )
        for media in operation.get("requestBody", {}).get("content", {}).values():
            schema = media["schema"]
            schema = document["components"]["schemas"].get(
                schema.get("$ref", "").rpartition("/")[2], schema
            )
            for field in (name for name in schema["properties"] if f'"{name}"' in live):
                assert re.search(rf'"?\b{field}\b"?', sent), (name, field)


def test_costs_are_the_documents() -> None:
    """Each operation pays what the document's text says: read 1, delete 2, write 3."""
    points = {name: operation["x-points"] for name, _, operation in operations()}
    assert all(points[case.operation] == case.points for case in CASES)


async def test_boundary_is_random() -> None:
    """Two uploads have different boundaries: no image can hold one by plan."""
    case = next(case for case in CASES if case.image is not None)
    first, second = await received(case), await received(case)
    assert first.headers["content-type"] != second.headers["content-type"]
    assert PNG in first.body


@pytest.mark.parametrize("bad", ["", "..", "."])
async def test_paths_that_lead_elsewhere_are_refused(bad: str) -> None:
    """Empty and dotted path arguments are refused by every operation before anything is sent."""
    fake = FakeWhereby()
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        for name, path, _ in operations():
            if "{" in path:
                tag, _, method = name.partition(".")
                call = getattr(getattr(whereby, tag), method)
                image = {"image": PNG} if "image" in inspect.signature(call).parameters else {}
                with pytest.raises(InvalidArgumentError):
                    await call(*[bad] * path.count("{"), **image)
    assert fake.requests == []


async def test_either_or() -> None:
    """Participants are asked for by session or by external id; neither is refused unsent."""
    fake = FakeWhereby()
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        with pytest.raises(InvalidArgumentError, match="room_session_id or external_id"):
            await whereby.insights.list_participants()
        await whereby.insights.list_participants(external_id="e1")
    assert [request.target for request in fake.requests] == [
        "/v1/insights/participants?externalId=e1"
    ]


def test_lists_return_paginators() -> None:
    """Every operation whose response is a page returns a paginator, without sending anything."""
    whereby = WherebyClient("token")
    for name, _, operation in operations():
        tag, _, method = name.partition(".")
        if method.startswith("list"):
            arguments = {"room_name": "r"} if method == "list_room_sessions" else {}
            arguments |= {"external_id": "e"} if method == "list_participants" else {}
            assert isinstance(getattr(getattr(whereby, tag), method)(**arguments), Paginator), (
                operation
            )
