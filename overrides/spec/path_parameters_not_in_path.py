"""A path parameter is declared that the path lacks.

POST /transcriptions and POST /summaries declare `recordingId` and `transcriptionId` in the path;
they are sent in the body.
"""

from __future__ import annotations

import re

from overrides.openapi.document import operations, parameters_of, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "an operation declares a path parameter that its path lacks"
EVIDENCE = "the path templates; the same names are required in the request bodies"
SEEN_AT = ("/paths/~1transcriptions/post", "/paths/~1summaries/post")


def apply(patch: Patch) -> None:
    """Remove the parameter, unless the path has another one that nobody declares."""
    for operation in operations(patch.document):
        in_path = set(re.findall(r"{([^{}]*)}", operation.path))
        declared = {
            pointer: text(data.get("name"))
            for pointer, data in parameters_of(patch.document, operation)
            if data.get("in") == "path"
        }
        extra = [pointer for pointer, name in declared.items() if name not in in_path]
        undeclared = in_path - set(declared.values())
        if not extra:
            continue
        if undeclared:
            expected = f"the parameter {', '.join(sorted(undeclared))} that the path has"
            patch.drifted(extra[0], expected=expected, actual=declared[extra[0]])
        elif len(extra) == len(operation.data["parameters"]):
            patch.remove(join(operation.pointer, "parameters"))
        else:
            for pointer in reversed(extra):
                patch.remove(pointer)
