"""The patched document, for tests that go through it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from whereby_api_client.testing.document import Document
from whereby_api_client.testing.samples import Sampler

DOCUMENT: dict[str, Any] = json.loads(
    Path(__file__).parents[2].joinpath("openapi/whereby.patched.json").read_text("utf-8")
)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
_PARSED = Document(DOCUMENT)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Go through the operations: name, path, operation."""
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            yield operation["operationId"], path, operation


def example_of(schema: Mapping[str, Any]) -> Any:
    """Make a value from the document's examples, as the fake does."""
    return Sampler(_PARSED, "2025-01-01T00:00:00.000Z").value(schema)


def success_example(name: str) -> Any:
    """Make the JSON of an operation's success; None when it has no body."""
    (operation,) = (operation for operation in _PARSED.operations if operation.name == name)
    return None if operation.result is None else example_of(operation.result)
