"""What changed between two documents, in callers' terms.

Both are patched documents: what the overrides cure is the same in both, so a defect that Whereby
repaired is no change to anybody. What differs is said once: a component that ten operations use
is one thing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import shorten
from .document import (
    Json,
    Operation,
    follow,
    is_nullable,
    items,
    mapping,
    operations,
    parameters_for,
    sequence,
    text,
)
from .pointers import split

# what to say of a schema's keyword when it changed
_BOUNDS = (
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
)
_LIMITS = re.compile(
    r"\b(points?|rate.?limit\w*|throttl\w+|429|Retry-After|budget)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class DocumentChange:
    """One change of the document; a text's is separate, for most need no action."""

    place: str
    told: str
    is_text: bool = False
    is_limit: bool = False  # a text that the budget's promise hangs on

    def __str__(self) -> str:
        return f"{self.place}: {self.told}"


def diff_documents(old: Json, new: Json) -> list[DocumentChange]:
    """List what changed from the one patched document to the other."""
    return [*_general(old, new), *_operations(old, new), *_components(old, new)]


def key_of(operation: Operation) -> str:
    """What makes an operation the same one: method and path, whatever its parameters are called."""
    return f"{operation.method.upper()} {re.sub(r'{.*?}', '{}', operation.path)}"


def name_of(operation: Operation) -> str:
    """Write an operation as callers do, and as the API does."""
    return (
        f"`{text(operation.data.get('operationId'))}` ({operation.method.upper()} {operation.path})"
    )


def _general(old: Json, new: Json) -> Iterator[DocumentChange]:
    about, now = mapping(old.get("info")), mapping(new.get("info"))
    for name in ("title", "version"):
        if about.get(name) != now.get(name):
            yield DocumentChange("the document", f"its {name}: {about.get(name)} → {now.get(name)}")
    if old.get("openapi") != new.get("openapi"):
        yield DocumentChange("the document", f"OpenAPI {old.get('openapi')} → {new.get('openapi')}")
    yield from _texts("the document", about.get("description"), now.get("description"))


def _operations(old: Json, new: Json) -> Iterator[DocumentChange]:
    before = {key_of(o): o for o in operations(old)}
    after = {key_of(o): o for o in operations(new)}
    for key in sorted(before.keys() - after.keys()):
        yield DocumentChange(name_of(before[key]), "the operation is gone")
    for key in sorted(after.keys() - before.keys()):
        points = after[key].data.get("x-points")
        said = f"new operation, {points} point{'' if points == 1 else 's'}"
        summary = text(after[key].data.get("summary")) or "without a summary"
        yield DocumentChange(name_of(after[key]), f"{said}: {summary}")
    for key in sorted(before.keys() & after.keys()):
        yield from _operation(old, new, before[key], after[key])


def _operation(
    old: Json, new: Json, before: Operation, after: Operation
) -> Iterator[DocumentChange]:
    place = name_of(after)
    was, now = before.data, after.data
    if was.get("operationId") != now.get("operationId"):
        yield DocumentChange(place, f"called `{was.get('operationId')}` until now")
    if before.path != after.path:
        yield DocumentChange(place, f"its path was {before.path}")
    if was.get("x-points") != now.get("x-points"):
        told = f"costs {now.get('x-points')} points, not {was.get('x-points')}"
        yield DocumentChange(place, told, is_limit=True)
    if bool(was.get("deprecated")) != bool(now.get("deprecated")):
        yield DocumentChange(place, f"{'' if now.get('deprecated') else 'no longer '}deprecated")
    if (pairs := now.get("x-either-of")) != was.get("x-either-of"):
        told = " and ".join(" or ".join(names) for names in pairs or []) or "none"
        yield DocumentChange(place, f"of some parameters one is needed: {told}")
    for name in ("summary", "description"):
        yield from _texts(place, was.get(name), now.get(name))
    yield from _parameters(place, _by_place(old, before), _by_place(new, after))
    yield from _body(
        place, _content(old, was.get("requestBody")), _content(new, now.get("requestBody"))
    )
    yield from _responses(old, new, place, was, now)


def _by_place(document: Json, operation: Operation) -> dict[str, Json]:
    found = parameters_for(document, operation)
    # the order of the path's parameters counts, their names do not
    in_path = re.findall(r"{([^{}]*)}", operation.path)
    return {
        f"path {in_path.index(name)}" if name in in_path else f"{data.get('in')} {name}": data
        for data in found
        if isinstance(name := data.get("name"), str)
    }


def _parameters(place: str, old: dict[str, Json], new: dict[str, Json]) -> Iterator[DocumentChange]:
    came, went = new.keys() - old.keys(), old.keys() - new.keys()
    for key in sorted(went):
        yield DocumentChange(
            place, f"the {old[key].get('in')} parameter `{old[key]['name']}` is gone"
        )
    for key in sorted(came):
        data = new[key]
        needed = "required " if data.get("required") else ""
        what = f"parameter `{data['name']}` ({kind_of(data.get('schema'))})"
        yield DocumentChange(place, f"new {needed}{data.get('in')} {what}")
    for key in sorted(old.keys() & new.keys()):
        was, now = old[key], new[key]
        what = f"parameter `{now['name']}`"
        if was["name"] != now["name"]:
            yield DocumentChange(place, f"{what} was called `{was['name']}`")
        if bool(was.get("required")) != bool(now.get("required")):
            yield DocumentChange(
                place, f"{what} is {'required' if now.get('required') else 'optional'} now"
            )
        for name in ("style", "explode"):
            if was.get(name) != now.get(name):
                yield DocumentChange(place, f"{what}: {name} {was.get(name)} → {now.get(name)}")
        yield from _schema(place, what, was.get("schema"), now.get("schema"))
        yield from _texts(f"{place}, {what}", was.get("description"), now.get("description"))


def _content(document: Json, holder: Any) -> Json:
    """Return the schemas of a body by media type."""
    content = mapping(mapping(follow(document, holder)[0]).get("content"))
    return {kind: mapping(media).get("schema") for kind, media in items(content)}


def _body(place: str, old: Json, new: Json) -> Iterator[DocumentChange]:
    for kind in sorted(old.keys() - new.keys()):
        yield DocumentChange(place, f"no longer takes {kind}")
    for kind in sorted(new.keys() - old.keys()):
        yield DocumentChange(place, f"takes {kind} now ({kind_of(new[kind])})")
    for kind in sorted(old.keys() & new.keys()):
        yield from _schema(place, "the body", old[kind], new[kind])


def _responses(old: Json, new: Json, place: str, was: Json, now: Json) -> Iterator[DocumentChange]:
    before, after = mapping(was.get("responses")), mapping(now.get("responses"))
    for status in sorted(before.keys() - after.keys()):
        yield DocumentChange(place, f"no longer answers {status}")
    for status in sorted(after.keys() - before.keys()):
        yield DocumentChange(place, f"can answer {status} now")
    for status in sorted(before.keys() & after.keys()):
        had, has = _content(old, before[status]), _content(new, after[status])
        for kind in sorted(had.keys() | has.keys()):
            what = f"the answer {status}"
            if kind in had and kind in has:
                yield from _schema(place, what, had[kind], has[kind])
            else:
                yield DocumentChange(
                    place, f"{what} is {'no longer ' if kind in had else ''}{kind}"
                )


def _components(old: Json, new: Json) -> Iterator[DocumentChange]:
    before = mapping(mapping(old.get("components")).get("schemas"))
    after = mapping(mapping(new.get("components")).get("schemas"))
    for name in sorted(before.keys() - after.keys()):
        yield DocumentChange(f"`{name}`", "is gone")
    for name in sorted(after.keys() - before.keys()):
        yield DocumentChange(f"`{name}`", f"new: {kind_of(after[name])}")
    for name in sorted(before.keys() & after.keys()):
        yield from _schema(f"`{name}`", "", before[name], after[name])


def _schema(place: str, what: str, old: Any, new: Any) -> Iterator[DocumentChange]:
    """Compare two schemas down to the components that they refer to."""
    old, new = mapping(old), mapping(new)
    if old == new:
        return
    lead = f"{what} " if what else ""
    was, now = kind_of(old), kind_of(new)
    if was != now:
        yield DocumentChange(place, f"{lead}is {now}, was {was}")
    if is_nullable(old) != is_nullable(new):
        yield DocumentChange(
            place, f"{lead}{'can be null now' if is_nullable(new) else 'is never null now'}"
        )
    if old.get("default") != new.get("default"):
        told = f"{lead}has the default {_default(new)}, had {_default(old)}"
        yield DocumentChange(place, told)
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        yield DocumentChange(
            place, f"{lead}is {'' if new.get('deprecated') else 'no longer '}deprecated"
        )
    for name in _BOUNDS:
        if old.get(name) != new.get(name) and name != "format":
            yield DocumentChange(place, f"{lead}{name}: {old.get(name)} → {new.get(name)}")
    values, wanted = sequence(old.get("enum")), sequence(new.get("enum"))
    for value in values:
        if value not in wanted:
            yield DocumentChange(place, f"{lead}no longer has the value {value!r}")
    for value in wanted:
        if value not in values:
            yield DocumentChange(place, f"{lead}has the new value {value!r}")
    yield from _texts(
        f"{place}, {what}" if what else place, old.get("description"), new.get("description")
    )
    yield from _members(place, what, old, new)


def _members(place: str, what: str, old: Json, new: Json) -> Iterator[DocumentChange]:
    prefix = f"{what}, " if what else ""
    had, has = mapping(old.get("properties")), mapping(new.get("properties"))
    needed, needs = sequence(old.get("required")), sequence(new.get("required"))
    went, came = had.keys() - has.keys(), has.keys() - had.keys()
    for name in sorted(went):
        renamed = [n for n in sorted(came) if _alike(had[name], has[n])]
        hint = f" (renamed to `{renamed[0]}`?)" if len(renamed) == 1 else ""
        yield DocumentChange(place, f"{prefix}field `{name}` is gone{hint}")
    for name in sorted(came):
        demanded = "required " if name in needs else ""
        yield DocumentChange(place, f"{prefix}new {demanded}field `{name}` ({kind_of(has[name])})")
    for name in sorted(had.keys() & has.keys()):
        if (name in needed) != (name in needs):
            state = "required" if name in needs else "optional"
            yield DocumentChange(place, f"{prefix}field `{name}` is {state} now")
        yield from _schema(place, f"{prefix}field `{name}`", had[name], has[name])
    for key in ("items", "additionalProperties"):
        if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
            yield from _schema(place, f"{prefix}its {key}", old[key], new[key])
    for key in ("allOf", "anyOf", "oneOf"):
        pairs = zip(sequence(old.get(key)), sequence(new.get(key)), strict=False)
        for was, now in pairs:
            yield from _schema(place, what, was, now)


def _default(schema: Json) -> str:
    return repr(schema["default"]) if "default" in schema else "none"


def _alike(one: Any, other: Any) -> bool:
    """Tell whether a field that went and one that came could be the same under another name."""
    one, other = mapping(one), mapping(other)
    return kind_of(one) == kind_of(other) and (
        one.get("description") == other.get("description")
        or one.get("example") == other.get("example")
    )


def kind_of(schema: Any) -> str:
    """Say a schema's type in a word or two."""
    schema = mapping(schema)
    for key in ("allOf", "anyOf", "oneOf"):
        parts = [part for part in sequence(schema.get(key)) if mapping(part).get("type") != "null"]
        if parts:
            return " or ".join(dict.fromkeys(kind_of(part) for part in parts))
    if isinstance(ref := schema.get("$ref"), str):
        return split(ref[1:])[-1]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = " or ".join(str(one) for one in kind if one != "null")
    if kind == "array":
        return f"array of {kind_of(schema.get('items'))}"
    if "enum" in schema:
        return "enum"
    if isinstance(schema.get("format"), str) and schema["format"] != "uuid":
        return f"{kind} ({schema['format']})"
    return str(kind or "anything")


def _texts(place: str, old: Any, new: Any) -> Iterator[DocumentChange]:
    """Report a changed text; line by line where it is about the limits."""
    before, after = _sentences(text(old)), _sentences(text(new))
    if before == after:
        return
    lines = [
        line
        for line in difflib.ndiff(before, after)
        if line.startswith(("-", "+")) and _LIMITS.search(line)
    ]
    if lines:
        told = "the text about the limits: " + " ".join(
            f"{'was' if line[0] == '-' else 'is now'}: {shorten(line[2:], 300)!r}" for line in lines
        )
        yield DocumentChange(place, told, is_text=True, is_limit=True)
    else:
        yield DocumentChange(place, "another text", is_text=True)


def _sentences(said: str) -> list[str]:
    """Split a text so that other whitespace is no change."""
    return [
        " ".join(part.split()) for part in re.split(r"(?<=[.:])\s+|\n\s*[*-]", said) if part.split()
    ]
