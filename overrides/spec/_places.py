"""Operations and orders that several overrides share."""

from __future__ import annotations

from overrides.naming.known_operations import KNOWN_OPERATIONS

EVERY_OPERATION = KNOWN_OPERATIONS

# These bring fields into sight; whoever looks at fields comes after them.
FIELD_MAKERS = (
    "fields_only_in_text",
    "misplaced_properties",
    "properties_only_in_example",
    "undocumented_fields",
    "unwrapped_properties",
)
