"""What Whereby may add one day: it comes out well-named, typed and tested, or is refused by name.

Names and texts of the document are chosen to get in the way of the code that is made of them.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from overrides.errors import OverridesError
from overrides.generator.context import IMPORTED
from overrides.generator.fields import RESERVED_FIELDS
from overrides.generator.methods import RESERVED_ARGUMENTS, RESERVED_IN_CREATE
from overrides.naming.operations import TAKEN_METHODS, TAKEN_TAGS
from overrides.paths import GENERATED, PATCHED, ROOT, read_json
from tests.helpers.override_runs import published
from whereby_api_client import WherebyClient
from whereby_api_client._generated.resources import Resources
from whereby_api_client._runtime.model import Model

from ...helpers.update_runs import Json, facts, section, state, take

TEXT = {"type": "string"}


def responses(schema: Json | None = None) -> Json:
    """Describe the responses of an operation."""
    schema = schema or {"type": "object", "properties": {"a": TEXT}}
    return {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}


def request_body(schema: Json) -> Json:
    """Describe a request body."""
    return {"content": {"application/json": {"schema": schema}}}


def an_object(names: list[str], **more: Any) -> Json:
    """Describe an object that has these properties."""
    return {"type": "object", "properties": {name: {**TEXT, **more} for name in names}}


def update(root: Path, path: str, **methods: Json) -> dict[str, str]:
    """Take a document in that has one more path; return the facts of what it added."""
    document = published()
    document["paths"][path] = methods
    before = facts(root)
    take(document, root)
    now = facts(root)
    assert {name: now.get(name) for name in before} == before, "what was there has changed"
    return {name: fact for name, fact in now.items() if name not in before}


# what Python, the generated code and the client's own classes use as names
AWKWARD = sorted(
    {"from", "class", "import", "None", "list", "type", "str", "id", "datetime", "cls", "2fa"}
    | {"x-y", "$top", "_private", "__dunder__", "é", "a b", "Any", "UNSET", "Call", "get", "d"}
    | {"v", "src_dict", "additionalProperties", "error", "operation", "cost", "cursor", "fields"}
    | set(RESERVED_ARGUMENTS | RESERVED_FIELDS | RESERVED_IN_CREATE)
)


def test_awkward_arguments(root: Path) -> None:
    """Give every parameter and every field of a body an argument, whatever it is called."""
    query = [{"name": name, "in": "query", "schema": TEXT} for name in AWKWARD]
    new = update(
        root,
        "/things",
        get={"summary": "Get things", "parameters": query, "responses": responses()},
        post={
            "summary": "Create",
            "requestBody": request_body(an_object(AWKWARD)),
            "responses": responses(),
        },
    )
    assert "WherebyClient.things.get(from_)" in new
    assert "WherebyClient.things.get(arg_)" in new
    assert "WherebyClient.things.create(self_)" in new
    assert "WherebyClient.things.create(timeout_)" in new
    assert new["WherebyClient.things.get(extra_query)"].endswith("= None")


@pytest.mark.slow
def test_awkward_fields(root: Path) -> None:
    """Give a model a field for everything that a response may hold."""
    new = update(
        root, "/things", get={"summary": "Get", "responses": responses(an_object(AWKWARD))}
    )
    assert "models.Thing.to_dict_" in new
    assert "models.Thing.additional_properties_" in new


@pytest.mark.slow
def test_one_name_in_path_query_and_body(root: Path) -> None:
    """Tell apart what has one name at three places, and two spellings of it."""
    parameters = [
        {"name": "id", "in": location, "required": True} for location in ("path", "query")
    ]
    body = request_body(an_object(["id", "ID"]))
    operation = {
        "summary": "Set",
        "parameters": parameters,
        "requestBody": body,
        "responses": responses(),
    }
    new = update(root, "/things/{id}", put=operation)
    assert new["WherebyClient.things.update(id_path)"].startswith("positional 1 str")
    assert {"id_query", "id", "ID"} <= {name.partition("(")[2].rstrip(")") for name in new}


EVIL = [
    *('a"', "b'", "c\\", "d\n", "e{b}", "f}", 'g"""', 'h"; raise SystemExit; "', "i{self}"),
    *("j\x00", "k\u2028", "l%s", "m{{x}}", "n{% raw %}", "ä ö", "p\\N{BULLET}", "q#", "r\r"),
]


@pytest.mark.slow
def test_nothing_gets_out_of_its_quotes(root: Path) -> None:
    """Keep names, texts and values of the document what they are: texts."""
    texts = an_object(EVIL, description='the "end"')
    nested = {name: an_object(["x"]) for name in EVIL}
    lists = {f"l{name}": {"type": "array", "items": an_object(["y"])} for name in EVIL}
    dates = {f"d{name}": {**TEXT, "format": "date-time"} for name in EVIL}
    values = {"e": {**TEXT, "enum": EVIL, "description": '"'}}
    everything = {"type": "object", "properties": {**nested, **lists, **dates, **values}}
    filters = {"name": "filters", "in": "query", "schema": texts}
    update(
        root,
        '/thi"ngs/a b\\é/{id}',
        get={
            "summary": 'Get "things"\\',
            "description": '"""\\',
            "parameters": [
                {"name": "id", "in": "path", "required": True},
                filters,
                *({"name": name, "in": "query", "description": name} for name in EVIL),
            ],
            "responses": responses(everything),
        },
        post={
            "summary": '"""',
            "parameters": [{"name": "id", "in": "path", "required": True}],
            "requestBody": request_body(texts),
            "responses": responses(texts),
        },
    )


TAGS = {
    "/class": "class_",  # a keyword
    "/list": "list",  # a builtin
    "/None": "none",
    "/self": "self",
    "/budget": "budget_",  # an attribute of the client
    "/with-response": "with_response_",
    "/account": "account",  # the class of what it gives has the same name
    "/calls": "calls",  # the model is called as a class of ours
    "/models": "models",
    "/resources": "resources",
    "/unset": "unset",
    "/2fa": "call_2fa",
    "/a.b": "a_b",
    "/__init__": "init",
    "/{id}": "root",
}


@pytest.mark.slow
def test_awkward_tags(root: Path) -> None:
    """Find names for the attribute, the class and the model, whatever the path begins with."""
    document = published()
    for path in TAGS:
        parameters = [{"name": "id", "in": "path", "required": True}] if "{" in path else []
        get = {"summary": "Get it", "parameters": parameters, "responses": responses()}
        document["paths"][path] = {"get": get}
    take(document, root)
    now = facts(root)
    assert [tag for tag in TAGS.values() if f"WherebyClient.{tag}.get" not in now] == []


def test_nothing_of_ours_is_taken() -> None:
    """Know all names that a tag, a method or a field must not have."""
    ours = {name for name in dir(WherebyClient) if not name.startswith("_")}
    assert ours - set(vars(Resources)) == TAKEN_TAGS
    resource = (ROOT / "overrides/templates/resource.py.jinja").read_text()
    for name in TAKEN_METHODS:
        assert f"def {name}(" in resource or any(
            f"def {name}(" in (ROOT / f"whereby_api_client/{module}.py").read_text()
            for module in ("jobs", "files/downloads")
        )
    assert {name for name in dir(Model) if not name.startswith("_")} <= RESERVED_FIELDS
    imported = set()
    for path in (ROOT / GENERATED).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.level >= 3 or node.module == "typing"):
                imported |= {alias.asname or alias.name for alias in node.names}
    assert {name for name in imported if name[:1].isupper()} - {"TYPE_CHECKING"} <= IMPORTED | {
        "DEFAULT_TIMEOUT"
    }


@pytest.mark.slow
def test_methods_that_want_one_name(root: Path) -> None:
    """Give each of two endpoints a name, and leave those that have theirs alone."""
    document = published()
    for path in ("/meetings/{meetingId}/import", "/meetings/import"):
        parameters = [{"$ref": "#/components/parameters/meetingId"}] if "{" in path else []
        document["paths"][path] = {
            "post": {"summary": "Import", "parameters": parameters, "responses": responses()},
        }
    before = facts(root)
    take(document, root)
    now = facts(root)
    new = {n for n in now.keys() - before.keys() if "def " in now[n] and "meetings" in n}
    assert new == {"WherebyClient.meetings.import_", "WherebyClient.meetings.import_by_meeting_id"}


@pytest.mark.slow
def test_a_method_as_the_package_has_one(root: Path) -> None:
    """Call an operation otherwise than the method that every such class has."""
    document = published()
    document["paths"]["/recordings/{recordingId}/download"] = {
        "post": {
            "summary": "Download",
            "parameters": [{"$ref": "#/components/parameters/recordingId"}],
            "responses": responses(),
        }
    }
    before = facts(root)
    take(document, root)
    assert (
        facts(root)["WherebyClient.recordings.download"]
        == before["WherebyClient.recordings.download"]
    )
    assert "WherebyClient.recordings.download_by_recording_id" in facts(root)


def test_a_name_that_would_change(root: Path) -> None:
    """Stop before a method that callers use gets another name; say how to keep it, or take it."""
    document = published()
    document["paths"]["/recordings/bulk-delete"]["post"]["summary"] = "Remove many recordings"
    before = state(root)
    with pytest.raises(OverridesError) as stopped:
        take(document, root)
    message = str(stopped.value)
    assert "whereby.recordings.bulk_delete (POST /recordings/bulk-delete) would become" in message
    assert "whereby.recordings.remove_many" in message
    assert '"POST /recordings/bulk-delete": "bulk_delete"' in message
    assert "--rename" in message
    assert state(root) == before
    report = take(document, root, rename=True)
    assert "WherebyClient.recordings.remove_many" in facts(root)
    assert "method `whereby.recordings.bulk_delete` is gone" in section(report, "Breaks callers")
    assert (
        "`recordings.remove_many` (POST /recordings/bulk-delete): called "
        "`recordings.bulk_delete` until now"
    ) in section(report, "What changed in the document")


@pytest.mark.slow
def test_parameters_of_the_path(root: Path) -> None:
    """Take the parameters that a path declares for all of its operations."""
    document = published()
    document["paths"]["/things/{id}"] = {
        "parameters": [
            {"name": "id", "in": "path", "required": True},
            {"name": "q", "in": "query"},
        ],
        "get": {"summary": "Get", "parameters": [], "responses": responses()},
        "delete": {
            "summary": "Delete",
            "parameters": [{"name": "q", "in": "query", "schema": {"type": "integer"}}],
            "responses": {"204": {"description": ""}},
        },
    }
    take(document, root)
    now = facts(root)
    assert now["WherebyClient.things.get(q)"] == "keyword str | Unset = UNSET"
    assert now["WherebyClient.things.delete(q)"] == "keyword int | Unset = UNSET"


@pytest.mark.slow
def test_other_types_in_the_path(root: Path) -> None:
    """Write numbers, dates and enums into the path."""
    kinds = {
        "whole": {"type": "integer"},
        "number": {"type": "number"},
        "when": {**TEXT, "format": "date-time"},
        "which": {**TEXT, "enum": ["a", "b"]},
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in kinds.items()
    ]
    path = "/things/" + "/".join(f"{{{name}}}" for name in kinds)
    get = {"summary": "Get", "parameters": parameters, "responses": responses()}
    new = update(root, path, get=get)
    signatures = [new[f"WherebyClient.things.get({name})"] for name in kinds]
    assert signatures == [
        "positional 1 int",
        "positional 2 float",
        "positional 3 datetime",
        "positional 4 ThingWhich | ThingWhichValue | str",
    ]


BY_RESULT = {
    "builtins.list[A]": responses({"type": "array", "items": an_object(["a"])}),
    "str": responses(TEXT),
    "Any": responses({"oneOf": [an_object(["a"]), an_object(["b"])]}),
    "dict[str, Any]": responses({"type": "object", "additionalProperties": an_object(["a"])}),
    "E | None": responses({**an_object(["e"]), "nullable": True}),
    "F": {"2XX": responses(an_object(["f"]))["200"]},
    "None": {"204": {"description": ""}},
}


def test_other_responses(root: Path) -> None:
    """Give what the document promises, whatever its shape."""
    document = published()
    for letter, responses in zip("abcdefg", BY_RESULT.values(), strict=True):
        document["paths"][f"/{letter}"] = {"put": {"summary": "Set", "responses": responses}}
    take(document, root)
    now = facts(root)
    signatures = [now[f"WherebyClient.{letter}.update"] for letter in "abcdefg"]
    assert signatures == [f"async def -> {result}" for result in BY_RESULT]


CALLS = """
import asyncio
from whereby_api_client import InvalidArgumentError, WherebyClient
from whereby_api_client.testing import FakeWhereby

async def main():
    fake = FakeWhereby(stateless=True)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        fake.fail("things.create", status=201, body=b"\\x89PNG \\xff")
        body = [{"roomName": "r"}, {"roomName": "s"}]
        image = await whereby.things.create(
            idempotency_key="a b", x_count=3, x_sure=True, body=body
        )
        await whereby.things.create(idempotency_key="k")
        for wrong in ("é", " a", "a\\r\\nb", ""):
            try:
                await whereby.things.create(idempotency_key=wrong)
            except InvalidArgumentError as error:
                print(error)
    print(type(image).__name__, image)
    names = ("idempotency-key", "x-count", "x-sure", "accept", "authorization")
    for request in fake.requests:
        print([request.headers.get(name) for name in names], request.body.decode())

asyncio.run(main())
"""


def test_headers_arrays_and_bytes(root: Path) -> None:
    """Send header parameters and an array as body, and return an image, on a real socket."""
    document = published()
    types = {
        "Idempotency-Key": TEXT,
        "X-Count": {"type": "integer", "maximum": 5},
        "X-Sure": {"type": "boolean"},
        "Authorization": TEXT,  # the client sets it
    }
    document["paths"]["/things"] = {
        "post": {
            "summary": "Create",
            "parameters": [
                {"name": name, "in": "header", "schema": schema, "required": name[0] == "I"}
                for name, schema in types.items()
            ],
            "requestBody": {**request_body({"type": "array", "items": an_object(["roomName"])})},
            "responses": {"201": {"description": "A picture.", "content": {"image/png": {}}}},
        }
    }
    document["paths"]["/things"]["post"]["requestBody"]["required"] = False
    take(document, root)
    now = facts(root)
    assert now["WherebyClient.things.create"] == "async def -> bytes"
    assert now["WherebyClient.things.create(idempotency_key)"] == "keyword str"
    done = subprocess.run(
        [sys.executable, "-c", CALLS],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    *refused, image, first, second = done.stdout.splitlines()
    assert refused == ["Idempotency-Key: must be printable ASCII, to be sent as a header"] * 4
    assert image == r"bytes b'\x89PNG \xff'"
    token = "Bearer fake-whereby-token"
    assert first == (
        f"['a b', '3', 'true', 'image/png', '{token}'] "
        '[{"roomName":"r"},{"roomName":"s"}]'
    )
    assert second == f"['k', None, None, 'image/png', '{token}'] "


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (
            {
                "parameters": [{"name": "X-Y", "in": "cookie", "schema": TEXT}],
                "responses": responses(),
            },
            "POST /things: a cookie parameter; the templates know path, query and header",
        ),
        (
            {
                "parameters": [{"name": "X-Y", "in": "header", "schema": an_object(["a"])}],
                "responses": responses(),
            },
            "XYFilter | Unset is not allowed in header",
        ),
        (
            {"requestBody": request_body(TEXT), "responses": responses()},
            "POST /things: a application/json body of this shape; the templates know JSON objects,",
        ),
        (
            {"responses": {"200": {"description": "", "content": {"text/markdown": {}}}}},
            "POST /things: responds with text/markdown; the templates know JSON and files",
        ),
        (
            {"responses": responses({"properties": {"a": {**TEXT, "enum": ["x-y", "x_y"]}}})},
            "Duplicate key X_Y in enum",
        ),
        ({"responses": {}}, "at /paths/~1things/post/responses: "),
        (
            {
                "parameters": [{"name": "id", "in": "path", "required": True}],
                "responses": responses(),
            },
            "",  # the parameter is not in the path: an old defect, patched
        ),
    ],
)
def test_what_cannot_be_expressed(root: Path, operation: Json, reason: str) -> None:
    """Refuse by operation and reason what the templates do not know, and change nothing."""
    document = published()
    document["paths"]["/things"] = {"post": {"summary": "Create", **operation}}
    if not reason:
        take(document, root)
        return
    before = state(root)
    with pytest.raises(OverridesError) as stopped:
        take(document, root)
    assert reason in str(stopped.value)
    assert "object at 0x" not in str(stopped.value)
    assert state(root) == before


@pytest.mark.slow
def test_points_of_new_operations(root: Path) -> None:
    """Let a new operation pay by its method."""
    document = published()
    document["paths"]["/things"] = {
        method: {"summary": method, "responses": {"204": {"description": ""}}}
        for method in ("get", "put", "post", "patch", "delete", "head")
    }
    take(document, root)
    path_item = read_json(root / PATCHED)["paths"]["/things"]
    assert {method: operation["x-points"] for method, operation in path_item.items()} == {
        "get": 1,
        "put": 3,
        "post": 3,
        "patch": 3,
        "delete": 2,
        "head": 1,
    }
