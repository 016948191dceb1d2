"""Operations have no `operationId` and no tags.

They get `<tag>.<method>`, which is how callers write them: `whereby.meetings.list()`. The rules are
in `overrides/naming`. Names that Whereby may give one day are replaced by ours, and kept in the
change list: what callers write must not change with them.
"""

from __future__ import annotations

from overrides.naming.known_operations import KNOWN_OPERATIONS
from overrides.naming.operations import method_names
from overrides.openapi.document import operations, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "operations have no names and no tags"
EVIDENCE = "callers write `whereby.meetings.list()`; the generator would call it `get_meetings`"
SEEN_AT = KNOWN_OPERATIONS
AFTER = ("misplaced_properties", "unwrapped_properties")  # the rules look for pages


def apply(patch: Patch) -> None:
    """Name every operation by its path, method and summary."""
    listed = operations(patch.document)
    named = method_names(patch.document, listed)
    for operation in listed:
        tag, method = named[operation.pointer]
        published = operation.data.get("operationId")
        if published is not None and not text(published):
            path = join(operation.pointer, "operationId")
            patch.drifted(path, expected="a string, or nothing", actual=published)
            continue
        patch.put(join(operation.pointer, "operationId"), f"{tag}.{method}")
        patch.put(join(operation.pointer, "tags"), [tag])
