"""The published document, and ways to change it that know nothing of the rules under test."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData

from overrides.engine import Result, apply_overrides

Json = dict[str, Any]

# the document that the tests of the machinery work on; the live one may change at any time
FROZEN = Path(__file__).parents[1] / "overrides/documents/whereby.json"


def published() -> Json:
    """Return a fresh copy of the published document."""
    document: Json = json.loads(FROZEN.read_bytes())
    return document


@cache
def result() -> Result:
    """Return what all overrides make of the published document; not to be changed."""
    return apply_overrides(published())


def patched() -> Json:
    """Return a fresh copy of the patched document."""
    document: Json = pickle.loads(_pickled())
    return document


@cache
def _pickled() -> bytes:
    return pickle.dumps(result().document)  # read again in a fifth of the time of a deepcopy


def at(document: Any, pointer: str) -> Any:
    """Return what stands at a JSON pointer."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        document = document[int(token)] if isinstance(document, list) else document[token]
    return document


def delete(document: Json, pointer: str) -> None:
    """Delete what stands at a JSON pointer."""
    above, _, last = pointer.rpartition("/")
    del at(document, above)[last.replace("~1", "/").replace("~0", "~")]


def objects(document: Any, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Go through every JSON object of the document, wherever it stands."""
    if isinstance(document, dict):
        yield pointer, document
        for name, value in list(document.items()):
            yield from objects(value, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from objects(value, f"{pointer}/{index}")


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Go through the operations: path, method, operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def operation(document: Json, call: str) -> Json:
    """Return an operation: `GET /meetings`."""
    method, path = call.split()
    data: Json = document["paths"][path][method.lower()]
    return data


def request_schema(document: Json, call: str) -> Json:
    """Return the schema of an operation's JSON request body."""
    schema: Json = operation(document, call)["requestBody"]["content"]["application/json"]["schema"]
    return schema


def response_schema(document: Json, call: str) -> Json:
    """Return the schema of an operation's JSON response of success."""
    responses = operation(document, call)["responses"]
    response = responses["201"] if "201" in responses else responses["200"]
    schema: Json = response["content"]["application/json"]["schema"]
    return schema


def parameter(document: Json, call: str, name: str) -> Json:
    """Return an operation's own parameter."""
    listed = operation(document, call)["parameters"]
    data: Json = next(entry for entry in listed if entry.get("name") == name)
    return data


def deref(document: Json, value: Any) -> Any:
    """Follow local references."""
    while isinstance(value, dict) and "$ref" in value:
        value = at(document, value["$ref"][1:])
    return value


def parse(document: Json) -> GeneratorData:
    """Let openapi-python-client read a document, as the generation does."""
    config = Config.from_sources(ConfigFile(), MetaType.NONE, Path("x"), "utf-8", True, None)
    data = GeneratorData.from_dict(copy.deepcopy(document), config=config)
    assert isinstance(data, GeneratorData), data
    return data


def generator_errors(data: GeneratorData) -> list[str]:
    """Return what the generator reports about a document."""
    errors = [str(error) for error in data.errors]
    for collection in data.endpoint_collections_by_tag.values():
        errors += [str(error) for error in collection.parse_errors]
    return errors


def class_names(data: GeneratorData) -> set[str]:
    """Return the names of the classes that the generator would write."""
    return {str(prop.class_info.name) for prop in (*data.models, *data.enums)}
