"""Is the patched document valid OpenAPI, of the version that it says it is?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from ..engine import shorten
from .document import Json, is_openapi_30, join

_MOST = 20  # a reader does not need the rest


def problems(document: Json) -> list[str]:
    """Say what is not valid, each with its place; nothing when all is."""
    validator = OpenAPIV30SpecValidator if is_openapi_30(document) else OpenAPIV31SpecValidator
    found: dict[str, None] = {}
    try:
        for error in validator(document).iter_errors():
            for deepest in _deepest(error):
                place = join("", *deepest.absolute_path) or "the document"
                found[f"at {place}: {shorten(str(deepest.message))}"] = None
    except Exception as error:  # the validator looks into what it has not validated yet
        found[f"the validator gave up: {type(error).__name__}: {shorten(str(error))}"] = None
    told = sorted(found)
    if len(told) > _MOST:
        return [*told[:_MOST], f"and {len(told) - _MOST} more"]
    return told


def _deepest(error: Any) -> Iterator[Any]:
    """Find what is wrong inside "is not valid under any of the given schemas"."""
    # a reference would do everywhere, too: that it is none tells nobody anything
    inner = [one for one in error.context or () if "'$ref'" not in one.message]
    if not inner:
        yield error
        return
    longest = max(len(one.absolute_path) for one in inner)
    for one in inner:
        if len(one.absolute_path) == longest:
            yield from _deepest(one)
