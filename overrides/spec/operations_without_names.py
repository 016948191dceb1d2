"""Operations have no `operationId` and no tags.

They get `<tag>.<method>`, which is how callers write them: `whereby.meetings.list()`. The rules are
in `overrides/naming/operations.py`. Names that Whereby may give one day are replaced by ours, and
kept in the ledger: what callers write must not change with them.
"""

from __future__ import annotations

from overrides.engine import Patch
from overrides.naming.operations import method_names
from overrides.openapi.document import join, operations, text
from overrides.spec._places import EVERY_OPERATION

DEFECT = "operations have no names and no tags"
EVIDENCE = "design.md, What callers may rely on"
SEEN_AT = EVERY_OPERATION
AFTER = ("misplaced_properties", "unwrapped_properties")  # the rules look for pages


def cure(patch: Patch) -> None:
    """Name every operation by its path, method and summary."""
    found = operations(patch.document)
    named = method_names(patch.document, found)
    for operation in found:
        tag, method = named[operation.pointer]
        published = operation.data.get("operationId")
        if published is not None and not text(published):
            place = join(operation.pointer, "operationId")
            patch.drifted(place, expected="a text, or nothing", found=published)
            continue
        patch.put(join(operation.pointer, "operationId"), f"{tag}.{method}")
        patch.put(join(operation.pointer, "tags"), [tag])
