"""Object-valued query parameters lack `style: deepObject`.

The filters of GET /insights/rooms are sent as `roomName[exact]=…` and `createdAt[from]=…`. Without
a style that is `form`, which would send `exact=…`.
"""

from __future__ import annotations

from overrides.openapi.document import follow, is_object, items, mapping, parameters, text
from overrides.openapi.pointers import join
from overrides.patch import Patch

DEFECT = "an object-valued query parameter lacks `style: deepObject`"
EVIDENCE = "the descriptions of the filters' properties: `Example: roomName[exact]=/room-prefix-…`"
SEEN_AT = ("/paths/~1insights~1rooms/get",)


def apply(patch: Patch) -> None:
    """Add the style to every object in a query that has none."""
    for parameter in parameters(patch.document):
        schema, _ = follow(patch.document, parameter.data.get("schema"))
        if parameter.data.get("in") != "query" or not is_object(schema):
            continue
        style = parameter.data.get("style")
        if style is None:
            patch.add(join(parameter.pointer, "style"), "deepObject")
            patch.put(join(parameter.pointer, "explode"), True)
        elif style != "deepObject":
            brackets = f"{parameter.data.get('name')}["
            members = [mapping(member) for _, member in items(schema.get("properties"))]
            if any(brackets in text(member.get("description")) for member in members):
                path = join(parameter.pointer, "style")
                patch.drifted(path, expected=f"deepObject, as in `{brackets}…]`", actual=style)
