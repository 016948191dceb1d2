"""What a call costs stands only in the prose of the description.

"A read request consumes 1 point, a delete consumes 2 points and a write request consumes 3
points." The costs are written onto each operation as `x-points`. When the wording changes somebody
has to read it: the budget's promise hangs on these numbers.

A POST that deletes (`bulk-delete`) counts as a write: to be sure, and because the prose counts by
method ("500 DELETE requests", "333 POST requests").
"""

from __future__ import annotations

import re

from overrides.engine import Patch
from overrides.openapi.document import join, mapping, operations, text
from overrides.spec._places import EVERY_OPERATION

DEFECT = "the points that an operation costs stand only in the prose"
EVIDENCE = "the document's description, Rate limiting; api-facts.md, Rate limit"
SEEN_AT = EVERY_OPERATION

PRICES = re.compile(
    r"A read request consumes (\d+) points?, a delete consumes (\d+) points? "
    r"and a write request consumes (\d+) points?"
)
READS = ("get", "head", "options", "trace")


def cure(patch: Patch) -> None:
    """Write the price onto every operation."""
    unpriced = [o for o in operations(patch.document) if "x-points" not in o.data]
    if not unpriced:
        return
    said = text(mapping(patch.document.get("info")).get("description"))
    prices = PRICES.findall(" ".join(said.split()))
    if len(prices) != 1:
        about = [line for line in re.split(r"(?<=\.)\s", said) if re.search(r"\bpoints?\b", line)]
        expected = "'A read request consumes 1 point, a delete … 2 points and a write … 3 points'"
        found = " ".join(about) or "nothing about points"
        patch.drifted("/info/description", expected=expected, found=found)
        return
    read, delete, write = map(int, prices[0])
    for operation in unpriced:
        price = delete if operation.method == "delete" else write
        price = read if operation.method in READS else price
        patch.add(join(operation.pointer, "x-points"), price)
