"""What is not valid OpenAPI is named with its place."""

from __future__ import annotations

from overrides.openapi.validate import validate

from ...helpers.override_runs import at, patched


def test_a_valid_document() -> None:
    """Find nothing wrong."""
    assert validate(patched()) == []


def test_a_default_that_does_not_fit() -> None:
    """Name the place of a default beyond its bounds, of which the validator only has the schema."""
    document = patched()
    pointer = "/paths/~1recordings/get/parameters/2/schema"
    at(document, pointer)["maximum"] = 20
    assert validate(document) == [f"at {pointer}: 50 is greater than the maximum of 20"]
