"""JSON Patch (RFC 6902) as far as the change list uses it, written from the RFC alone."""

from __future__ import annotations

import copy
from typing import Any


def json_patch(document: Any, operations: list[dict[str, Any]]) -> Any:
    """Return the document with add, replace and remove carried out, in order."""
    document = copy.deepcopy(document)
    for operation in operations:
        *above, last = [
            token.replace("~1", "/").replace("~0", "~")
            for token in operation["path"].split("/")[1:]
        ]
        holder = document
        for token in above:
            holder = holder[int(token)] if isinstance(holder, list) else holder[token]
        key: Any = int(last) if isinstance(holder, list) else last
        if operation["op"] != "add":
            _ = holder[key]  # must exist
        if operation["op"] == "remove":
            del holder[key]
        elif operation["op"] == "add" and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(operation["value"]))
        elif operation["op"] in ("add", "replace"):
            holder[key] = copy.deepcopy(operation["value"])
        else:
            raise ValueError(operation["op"])
    return document
