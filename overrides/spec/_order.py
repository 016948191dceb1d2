"""Orders that several overrides share; `overrides/engine.py` sorts by them."""

from __future__ import annotations

# These add properties; an override that goes through properties runs after them.
FIELD_MAKERS = (
    "fields_only_in_text",
    "misplaced_properties",
    "properties_only_in_example",
    "undocumented_fields",
    "unwrapped_properties",
)
