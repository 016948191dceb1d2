"""A component has required names and an example, and no properties.

`Recording` and `Summary` are such: their models would have no fields at all. A new property beside
them makes the others no less unknown.
"""

from __future__ import annotations

from typing import Any

from overrides.openapi.document import DATE_TIME, Json, mapping, schemas, sequence
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "an object has required names and an example, but no properties"
EVIDENCE = "the schema's own example; docs/api-facts.md#content-of-a-summary"
SEEN_AT = ("/components/schemas/Recording", "/components/schemas/Summary")


def apply(patch: Patch) -> None:
    """Derive the properties from the example's values."""
    for schema in schemas(patch.document):
        names = [name for name in sequence(schema.data.get("required")) if isinstance(name, str)]
        composed = {"allOf", "anyOf", "oneOf", "$ref"} & set(schema.data)
        if not names or composed or schema.data.get("type", "object") != "object":
            continue
        example = mapping(schema.data.get("example"))
        if known := mapping(schema.data.get("properties")):
            for name in (n for n in names if n in example and n not in known):
                if (derived := describe(example[name])) is not None:
                    patch.add(join(schema.pointer, "properties", name), _believed(derived))
            continue
        properties: Json = {}
        for name in [*names, *(name for name in example if name not in names)]:
            derived = describe(example.get(name))
            if derived is not None:
                properties[name] = _believed(derived)
            elif name in names:
                expected = f"an example value for the required `{name}`"
                patch.drifted(schema.pointer, expected=expected, actual=example.get(name))
        if set(names) <= set(properties):
            patch.add(join(schema.pointer, "properties"), properties)


def _believed(derived: Json) -> Json:
    """Mark what only the example says: another value must not cost the rest of the response.

    Ids and names are strings everywhere, and an item without them is of no use.
    """
    return derived if derived == {"type": "string"} else {**derived, "x-narrowed": True}


def describe(value: Any) -> Json | None:
    """Return the schema that an example's value suggests; None when it suggests nothing."""
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "number"}  # one whole example does not promise whole numbers
    if isinstance(value, str):
        date_time = {"type": "string", "format": "date-time"}
        return date_time if DATE_TIME.fullmatch(value) else {"type": "string"}
    if isinstance(value, dict):
        return {"type": "object", "additionalProperties": True}
    if isinstance(value, list) and value:
        inner = describe(value[0])
        return {"type": "array", "items": inner} if inner else None
    return None
