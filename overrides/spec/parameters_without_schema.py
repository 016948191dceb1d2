"""Parameters have no schema.

Thirteen query parameters (`sortBy`, `cursor`, `roomName`, `roomSessionId`, `externalId`,
`participantId`) have a description and mostly an example, but no type. The generator leaves such
parameters out.
"""

from __future__ import annotations

from overrides.openapi.document import parameters
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "a parameter has no schema"
EVIDENCE = "the parameters' own examples, which are all strings"
SEEN_AT = (
    "/paths/~1recordings/get",
    "/paths/~1transcriptions/get",
    "/paths/~1summaries/get",
    "/paths/~1insights~1rooms/get",
    "/paths/~1insights~1room-sessions/get",
    "/paths/~1insights~1participants/get",
    "/paths/~1insights~1participant/get",
)


def apply(patch: Patch) -> None:
    """Make them strings: what is written into a URL is one anyway."""
    for parameter in parameters(patch.document):
        if "schema" in parameter.data or "content" in parameter.data:
            continue
        example = parameter.data.get("example", "")
        if isinstance(example, str):
            patch.add(join(parameter.pointer, "schema"), {"type": "string"})
        else:
            patch.drifted(parameter.pointer, expected="a string as the example", actual=example)
