"""One of two parameters is required, and OpenAPI cannot say so.

GET /insights/participants marks `roomSessionId` as required; its text says "Either roomSessionId
or externalId is required". The pair is written onto the operation as `x-either-of`, so that the
generated method can check it.
"""

from __future__ import annotations

import re

from overrides.openapi.document import operations, parameters_of, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "one of two parameters is required, the document says that of the first only"
EVIDENCE = "the parameters' descriptions; docs/api-facts.md#session-or-external-id"
SEEN_AT = ("/paths/~1insights~1participants/get",)

EITHER = re.compile(r"\beither `?(\w+)`? or `?(\w+)`? (is|must be|has to be) ", re.IGNORECASE)


def apply(patch: Patch) -> None:
    """Make both optional, and mark the operation."""
    for operation in operations(patch.document):
        listed = parameters_of(patch.document, operation)
        known = {text(data.get("name")): (pointer, data) for pointer, data in listed}
        pairs: list[list[str]] = []
        for pointer, data in listed:
            if (match := EITHER.search(text(data.get("description")))) is None:
                continue
            pair = [match[1], match[2]]
            if unknown := [name for name in pair if name not in known]:
                expected = f"a parameter `{unknown[0]}`, of which the text speaks"
                patch.drifted(pointer, expected=expected, actual=", ".join(known))
            elif pair not in pairs:
                pairs.append(pair)
        for name in (name for pair in pairs for name in pair):
            pointer, data = known[name]
            if data.get("required") and isinstance(patch.get(join(pointer, "required")), bool):
                patch.replace(join(pointer, "required"), False)
        if pairs:
            patch.put(join(operation.pointer, "x-either-of"), pairs)
