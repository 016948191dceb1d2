"""Is the patched document valid OpenAPI, of the version that it says it is?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from ..errors import shorten
from .document import Json, is_openapi_30, schemas
from .pointers import join

_MAX = 20  # a reader does not need the rest


def validate(document: Json) -> list[str]:
    """Return what is not valid, each with its pointer; empty when all is."""
    validator = OpenAPIV30SpecValidator if is_openapi_30(document) else OpenAPIV31SpecValidator
    errors: dict[str, None] = {}
    try:
        for error in validator(document).iter_errors():
            for deepest in _deepest(error):
                for pointer in _pointers(document, deepest):
                    errors[f"at {pointer}: {shorten(str(deepest.message))}"] = None
    except Exception as error:  # the validator looks into what it has not validated yet
        errors[f"the validator gave up: {type(error).__name__}: {shorten(str(error))}"] = None
    lines = sorted(errors)
    if len(lines) > _MAX:
        return [*lines[:_MAX], f"and {len(lines) - _MAX} more"]
    return lines


def _pointers(document: Json, error: Any) -> list[str]:
    """Return where an error is. That of a default has no path, but the schema."""
    if error.absolute_path:
        return [join("", *error.absolute_path)]
    pointers = [schema.pointer for schema in schemas(document) if schema.data == error.schema]
    return pointers or ["the document"]


def _deepest(error: Any) -> Iterator[Any]:
    """Find what is wrong inside "is not valid under any of the given schemas"."""
    # a reference would do everywhere, too: that it is none tells nobody anything
    causes = [cause for cause in error.context or () if "'$ref'" not in cause.message]
    if not causes:
        yield error
        return
    longest = max(len(cause.absolute_path) for cause in causes)
    for cause in causes:
        if len(cause.absolute_path) == longest:
            yield from _deepest(cause)
