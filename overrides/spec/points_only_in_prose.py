"""What a call costs stands only in the prose of the description.

"A read request consumes 1 point, a delete consumes 2 points and a write request consumes 3
points." The costs are written onto each operation as `x-points`. When the wording changes somebody
has to read it: the budget's promise hangs on these numbers.

A POST that deletes (`bulk-delete`) counts as a write: to be sure, and because the prose counts by
method ("500 DELETE requests", "333 POST requests").
"""

from __future__ import annotations

import re

from overrides.naming.known_operations import KNOWN_OPERATIONS
from overrides.openapi.document import mapping, operations, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "the points that an operation costs stand only in the prose"
EVIDENCE = "the document's description, Rate limiting; docs/api-facts.md#prices-of-operations"
SEEN_AT = KNOWN_OPERATIONS

PRICES = re.compile(
    r"A read request consumes (\d+) points?, a delete consumes (\d+) points? "
    r"and a write request consumes (\d+) points?"
)
READS = ("get", "head", "options", "trace")


def apply(patch: Patch) -> None:
    """Write the price onto every operation."""
    unpriced = [o for o in operations(patch.document) if "x-points" not in o.data]
    if not unpriced:
        return
    prose = text(mapping(patch.document.get("info")).get("description"))
    prices = PRICES.findall(" ".join(prose.split()))
    if len(prices) != 1:
        about = [line for line in re.split(r"(?<=\.)\s", prose) if re.search(r"\bpoints?\b", line)]
        expected = "'A read request consumes 1 point, a delete … 2 points and a write … 3 points'"
        actual = " ".join(about) or "nothing about points"
        patch.drifted("/info/description", expected=expected, actual=actual)
        return
    read, delete, write = map(int, prices[0])
    for operation in unpriced:
        price = delete if operation.method == "delete" else write
        price = read if operation.method in READS else price
        patch.add(join(operation.pointer, "x-points"), price)
