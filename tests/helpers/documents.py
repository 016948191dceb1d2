"""The patched document, for tests that go through it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENT = json.loads(
    Path(__file__).parents[2].joinpath("openapi/whereby.patched.json").read_text()
)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Go through the operations: name, path, operation."""
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            yield operation["operationId"], path, operation


def example_of(schema: dict[str, Any]) -> Any:
    """Build a value from the document's examples: the whole schema's, or its properties'."""
    if "$ref" in schema:
        return example_of(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "example" in schema:
        return schema["example"]
    if schema.get("type") == "array":
        return [example_of(schema["items"])]
    if "properties" in schema:
        return {name: example_of(inner) for name, inner in schema["properties"].items()}
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return "2025-01-01T00:00:00.000Z"
    if "allOf" in schema:
        return example_of(schema["allOf"][0])
    kinds = {"object": {}, "integer": 1, "number": 0.5, "boolean": True}
    return kinds.get(schema.get("type", ""), "text")


def success_example(name: str) -> Any:
    """Give the example of an operation's success; None when it has no body."""
    for found, _, operation in operations():
        if found == name:
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    content = response.get("content", {}).get("application/json")
                    return example_of(content["schema"]) if content else None
    raise LookupError(name)
