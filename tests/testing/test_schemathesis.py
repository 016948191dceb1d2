"""An oracle that is not ours: schemathesis tries the fake with what it makes of the document.

All operations, all phases (examples, coverage, fuzzing, stateful), all checks: no server error, no
response that the document does not allow, no documented request refused, none accepted that the
document forbids.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from whereby_api_client.testing import FakeWhereby

from ..helpers.documents import DOCUMENT
from ..helpers.fake_clients import OPERATIONS, resolve

Json = dict[str, Any]
REJECTION = "negative_data_rejection"

# The exceptions: places where the document says less than its own prose, or than anyone can do
# without. What is missing is written into it before schemathesis reads it.


def document_400(document: Json) -> None:
    """Let every operation respond with 400: the document has it for a few only."""
    for operation in _operations(document):
        operation["responses"].setdefault("400", {"description": "The request is not valid"})


def know_what_pages_know(document: Json) -> None:
    """Send cursors only that a page gave out (test_pages.py), and sort as the prose says."""
    for operation in _operations(document):
        parameters = [p for p in operation.get("parameters", []) if p.get("name") != "cursor"]
        for parameter in parameters:
            if parameter.get("name") == "sortBy":
                parameter["schema"] = {"type": "string", "enum": [parameter["example"]]}
        operation["parameters"] = [p for p in parameters if p["name"] != "sortBy" or "example" in p]


def require_what_the_prose_requires(document: Json) -> None:
    """Require an image in a form and the session of participants; anchor the patterns."""
    for schema in _schemas(document):
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = f"^({schema['pattern']})$"
        image = schema.get("properties", {}).get("image")
        if isinstance(image, dict):
            schema["required"] = ["image"]
            image["minLength"] = 1
    for operation in _operations(document):
        if operation["operationId"] == "insights.list_participants":
            for parameter in operation["parameters"]:
                if parameter["name"] == "roomSessionId":
                    parameter["schema"] = {**parameter["schema"], "minLength": 1}
                    parameter["required"] = True


def meetings_in_the_future(document: Json) -> None:
    """End meetings in the future, store nothing in S3 by halves, count the slash of a prefix."""
    schemas = document["components"]["schemas"]
    properties = schemas["MeetingCreateRequest"]["properties"]
    properties["endDate"]["enum"] = ["2099-01-01T00:00:00Z", "2099-01-01T00:00:00.5+02:00"]
    properties["roomNamePrefix"]["maxLength"] = 39  # 40 with the slash, which is not in every one
    for name, schema in schemas.items():
        if name.endswith("DestinationProvider"):
            schema["enum"] = [value for value in schema["enum"] if value != "s3"]


PROSE: list[Callable[[Json], None]] = [
    document_400,
    require_what_the_prose_requires,
]


def _operations(document: Json) -> Iterator[Json]:
    for item in document["paths"].values():
        yield from (operation for key, operation in item.items() if key != "parameters")


def _schemas(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _schemas(inner)


def run(fake: FakeWhereby, exceptions: list[Callable[[Json], None]], *options: str) -> None:
    """Let schemathesis try all operations in all phases; fail with its report."""
    document = copy.deepcopy(DOCUMENT)
    # references are followed, so that an exception touches one place and not another
    for operation in _operations(document):
        operation["parameters"] = [dict(resolve(p)) for p in operation.get("parameters", [])]
    for exception in exceptions:
        exception(document)
    fake.seed_demo()
    program = Path(sys.executable).with_name("schemathesis")
    with fake.serve() as url, TemporaryDirectory() as folder:
        Path(folder, "document.json").write_text(json.dumps(document), "utf-8")
        command = [str(program), "run", "document.json", "--url", url, "--seed", "7", *options]
        command += ["--header", f"Authorization: Bearer {fake.token}", "--continue-on-failure"]
        command += ["--max-examples", "15", "--warnings", "off", "--suppress-health-check", "all"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert f"Tested: {len(OPERATIONS)}" in output, output
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in output, output
    assert {recorded.operation for recorded in fake.requests} >= set(OPERATIONS)
    assert all(recorded.status != 500 for recorded in fake.requests)


@pytest.mark.slow
def test_documented_requests_and_all_responses() -> None:
    """Accept every documented request, and send nothing but documented responses to any."""
    fake = FakeWhereby(limit=None, seed=1)
    exceptions = [*PROSE, know_what_pages_know, meetings_in_the_future]
    run(fake, exceptions, "--checks", "all", "--exclude-checks", REJECTION)


@pytest.mark.slow
def test_forbidden_requests() -> None:
    """Refuse, when strict, every request that the document forbids."""
    run(FakeWhereby(limit=None, seed=1, strict=True), PROSE, "--checks", REJECTION)
