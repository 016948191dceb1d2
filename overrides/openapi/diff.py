"""What changed between two OpenAPI documents, in callers' terms, and what of it breaks callers.

Every key of every object is looked at: what has no rule of its own is reported as `key: old → new`.
What many operations share is reported once. What a change means for the Python API is decided in
`overrides/update/api_diff.py`.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import shorten
from .document import (
    Json,
    Operation,
    follow,
    is_nullable,
    mapping,
    operations,
    parameters_for,
    same,
    sequence,
    text,
)
from .pointers import MISSING, join, split

# keyword -> whether a larger value is stricter
_BOUNDS = {
    "minimum": True,
    "exclusiveMinimum": True,
    "minLength": True,
    "minItems": True,
    "minProperties": True,
    "maximum": False,
    "exclusiveMaximum": False,
    "maxLength": False,
    "maxItems": False,
    "maxProperties": False,
}
_URGENT = re.compile(
    r"\b(deprecat\w*|remov(ed|al)|discontinu\w*|sunset\w*|retire[ds]?|no longer|end of life|plans?|"
    r"pric(e|es|ed|ing)|bill(ed|ing)|costs?|charg(e|es|ed)|points?|rate.?limit\w*|throttl\w+|429|"
    r"Retry-After|budgets?|quotas?|limit(s|ed)?|"
    r"go(es|ing)? away|be gone|phas(ed?|ing) out|obsolete|legacy|superseded)\b",
    re.IGNORECASE,
)
_TEXT_KEYS = ("description", "summary", "title")
_MAX_LISTED = 6


@dataclass(frozen=True)
class DocumentChange:
    """One change of the document."""

    where: str
    text: str
    breaking: bool = False  # requests that were accepted may be refused
    urgent: bool = False  # about deprecation, removal, plans, prices, limits, authentication
    is_text: bool = False  # of a description: most need no action
    renamed: tuple[str, str] | None = None  # the old and the new name of a field

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def diff_documents(old: Json, new: Json) -> list[DocumentChange]:
    """Return what changed from the one document to the other; what is shared, once."""
    if same(old, new):
        return []
    return _grouped(_Diff(old, new).changes())


def key_of(operation: Operation) -> str:
    """Return what identifies an operation: method and path, whatever its parameters are called."""
    return f"{operation.method.upper()} {re.sub(r'{.*?}', '{}', operation.path)}"


def name_of(operation: Operation) -> str:
    """Return an operation as callers write it, and as the API does."""
    call = f"{operation.method.upper()} {operation.path}"
    name = text(operation.data.get("operationId"))
    return f"`{name}` ({call})" if name else call


class _Diff:
    """The comparison of two documents."""

    def __init__(self, old: Json, new: Json) -> None:
        self.old = old
        self.new = new
        self._sent = _sent_components(old) | _sent_components(new)

    def changes(self) -> Iterator[DocumentChange]:
        yield from self._general()
        yield from self._operations()
        yield from self._components()

    # ------------------------------------------------------------------------ the document itself

    def _general(self) -> Iterator[DocumentChange]:
        where = "the document"
        if self.old.get("openapi") != self.new.get("openapi"):
            versions = f"OpenAPI {self.old.get('openapi')} → {self.new.get('openapi')}"
            yield DocumentChange(where, versions)
        old, new = mapping(self.old.get("info")), mapping(self.new.get("info"))
        for name in ("title", "version"):
            if old.get(name) != new.get(name):
                yield DocumentChange(where, f"its {name}: {old.get(name)} → {new.get(name)}")
        yield from _texts(where, old.get("description"), new.get("description"))
        yield from _rest(where, old, new, {"title", "version", "description"})
        yield from self._servers(where, self.old, self.new)
        # what it means for callers, each operation says
        default = self._security(where, self.old.get("security"), self.new.get("security"))
        yield from (dataclasses.replace(change, breaking=False) for change in default)
        done = {"openapi", "info", "servers", "security", "paths", "components"}
        yield from _rest(where, self.old, self.new, done)

    def _servers(self, where: str, old: Json, new: Json) -> Iterator[DocumentChange]:
        before = {text(mapping(s).get("url")): s for s in sequence(old.get("servers"))}
        after = {text(mapping(s).get("url")): s for s in sequence(new.get("servers"))}
        for url in sorted(before.keys() - after.keys()):
            yield DocumentChange(where, f"the server {url} is gone", breaking=True, urgent=True)
        for url in sorted(after.keys() - before.keys()):
            yield DocumentChange(where, f"new server {url}")
        for url in sorted(before.keys() & after.keys()):
            yield from _rest(f"{where}, server {url}", before[url], after[url], {"url"})

    def _security(self, where: str, old: Any, new: Any) -> Iterator[DocumentChange]:
        """Compare the ways to authenticate, of which one is needed; none are needed by default."""
        before, after = sequence(old), sequence(new)
        if not same(before, after):
            loosened = not after or {} in after or all(way in after for way in before or [None])
            description = f"authentication: {_ways(before)} → {_ways(after)}"
            yield DocumentChange(where, description, breaking=not loosened, urgent=True)

    # --------------------------------------------------------------------------------- operations

    def _operations(self) -> Iterator[DocumentChange]:
        before = {key_of(o): o for o in operations(self.old)}
        after = {key_of(o): o for o in operations(self.new)}
        for key in sorted(before.keys() - after.keys()):
            yield DocumentChange(name_of(before[key]), "the operation is gone", breaking=True)
        for key in sorted(after.keys() - before.keys()):
            points = after[key].data.get("x-points")
            price = "" if points is None else f", {points} point{'' if points == 1 else 's'}"
            summary = text(after[key].data.get("summary")) or "without a summary"
            yield DocumentChange(name_of(after[key]), f"new operation{price}: {summary}")
        for key in sorted(before.keys() & after.keys()):
            yield from self._operation(before[key], after[key])
        old_paths, new_paths = mapping(self.old.get("paths")), mapping(self.new.get("paths"))
        for path in sorted(old_paths.keys() & new_paths.keys()):
            known = {"parameters", "get", "put", "post", "delete", "options", "head", "patch"}
            old, new = mapping(old_paths[path]), mapping(new_paths[path])
            yield from _rest(path, old, new, known | {"trace"})

    def _operation(self, before: Operation, after: Operation) -> Iterator[DocumentChange]:
        where, old, new = name_of(after), before.data, after.data
        if old.get("operationId") != new.get("operationId"):
            yield DocumentChange(where, f"called `{old.get('operationId')}` until now")
        if before.path != after.path:
            yield DocumentChange(where, f"its path was {before.path}")
        if old.get("x-points") != new.get("x-points"):
            description = f"costs {new.get('x-points')} points, not {old.get('x-points')}"
            yield DocumentChange(where, description, urgent=True)
        yield from _deprecated(where, "", old, new)
        if (pairs := new.get("x-either-of")) != old.get("x-either-of"):
            description = " and ".join(" or ".join(names) for names in pairs or []) or "none"
            yield DocumentChange(where, f"of some parameters one is needed: {description}")
        for name in ("summary", "description"):
            yield from _texts(where, old.get(name), new.get(name))
        yield from self._security(
            where,
            old.get("security", self.old.get("security")),
            new.get("security", self.new.get("security")),
        )
        yield from self._servers(where, old, new)
        yield from self._parameters(
            where, _by_location(self.old, before), _by_location(self.new, after)
        )
        yield from self._request_body(where, old.get("requestBody"), new.get("requestBody"))
        yield from self._responses(where, old, new)
        yield from self._callbacks(where, old, new)
        done = {"operationId", "x-points", "deprecated", "x-either-of", "summary", "description"}
        done |= {"security", "servers", "parameters", "requestBody", "responses", "callbacks"}
        yield from _rest(where, old, new, done | {"tags"})  # they are in our operationId

    def _parameters(
        self, where: str, old: dict[str, Json], new: dict[str, Json]
    ) -> Iterator[DocumentChange]:
        for key in sorted(old.keys() - new.keys()):
            description = f"the {_parameter_of(old[key])} is gone"
            yield DocumentChange(where, description, breaking=True)
        for key in sorted(new.keys() - old.keys()):
            data = new[key]
            required = bool(data.get("required"))
            what = f"{_parameter_of(data)} ({kind_of(data.get('schema'))})"
            description = f"new {'required ' if required else ''}{what}"
            yield DocumentChange(where, description, breaking=required)
        for key in sorted(old.keys() & new.keys()):
            yield from self._parameter(where, old[key], new[key])

    def _parameter(self, where: str, old: Json, new: Json) -> Iterator[DocumentChange]:
        what = f"parameter `{new['name']}`"
        if old["name"] != new["name"]:
            yield DocumentChange(where, f"{what} was called `{old['name']}`")
        yield from _required(where, what, old, new)
        yield from _deprecated(where, what, old, new)
        yield from self._schema(where, what, old.get("schema"), new.get("schema"), sent=True)
        yield from _texts(f"{where}, {what}", old.get("description"), new.get("description"))
        done = {"name", "in", "required", "deprecated", "schema", "description"}
        yield from _rest(where, old, new, done, f"{what}: ")

    def _request_body(self, where: str, old: Any, new: Any) -> Iterator[DocumentChange]:
        before, after = self._followed(old, new)
        if not before and not after:
            return
        if before and after:
            yield from _required(where, "the body", before, after)
        yield from _texts(f"{where}, the body", before.get("description"), after.get("description"))
        yield from self._content(where, "the body", before, after, sent=True)
        done = {"required", "description", "content"}
        yield from _rest(where, before, after, done, "the body, ")

    def _content(
        self, where: str, what: str, old: Json, new: Json, *, sent: bool
    ) -> Iterator[DocumentChange]:
        before, after = mapping(old.get("content")), mapping(new.get("content"))
        for kind in sorted(before.keys() - after.keys()):
            description = f"no longer takes {kind}" if sent else f"{what} is no longer {kind}"
            yield DocumentChange(where, description, breaking=True)
        for kind in sorted(after.keys() - before.keys()):
            schema = kind_of(mapping(after[kind]).get("schema"))
            description = f"takes {kind} now ({schema})" if sent else f"{what} is {kind}"
            yield DocumentChange(where, description)
        for kind in sorted(before.keys() & after.keys()):
            was, now = mapping(before[kind]), mapping(after[kind])
            yield from self._schema(where, what, was.get("schema"), now.get("schema"), sent=sent)
            yield from _rest(where, was, now, {"schema"}, f"{what}, ")

    def _responses(self, where: str, old: Json, new: Json) -> Iterator[DocumentChange]:
        before, after = mapping(old.get("responses")), mapping(new.get("responses"))
        for status in sorted(before.keys() - after.keys()):
            description = f"no longer responds with {status}"
            yield DocumentChange(where, description, breaking=status.startswith("2"))
        for status in sorted(after.keys() - before.keys()):
            yield DocumentChange(where, f"can respond with {status} now")
        for status in sorted(before.keys() & after.keys()):
            was, now = self._followed(before[status], after[status])
            what = f"the response {status}"
            yield from _texts(f"{where}, {what}", was.get("description"), now.get("description"))
            yield from self._headers(where, what, was, now)
            yield from self._content(where, what, was, now, sent=False)
            yield from _rest(where, was, now, {"description", "headers", "content"}, f"{what}, ")

    def _headers(self, where: str, what: str, old: Json, new: Json) -> Iterator[DocumentChange]:
        before, after = mapping(old.get("headers")), mapping(new.get("headers"))
        for name in sorted(before.keys() - after.keys()):
            yield DocumentChange(where, f"{what} no longer has the header {name}", urgent=True)
        for name in sorted(after.keys() - before.keys()):
            yield DocumentChange(where, f"{what} has the new header {name}")
        for name in sorted(before.keys() & after.keys()):
            was, now = self._followed(before[name], after[name])
            header = f"{what}, header {name}"
            yield from self._schema(where, header, was.get("schema"), now.get("schema"), sent=False)
            yield from _texts(f"{where}, {header}", was.get("description"), now.get("description"))
            yield from _rest(where, was, now, {"schema", "description"}, f"{header}, ")

    def _callbacks(self, where: str, old: Json, new: Json) -> Iterator[DocumentChange]:
        before, after = mapping(old.get("callbacks")), mapping(new.get("callbacks"))
        for name in sorted(before.keys() - after.keys()):
            yield DocumentChange(where, f"the callback `{name}` is gone", breaking=True)
        for name in sorted(after.keys() - before.keys()):
            yield DocumentChange(where, f"new callback `{name}`")
        for name in sorted(before.keys() & after.keys()):
            yield from _leaves(where, f"callback `{name}`", before[name], after[name])

    # --------------------------------------------------------------------------------- components

    def _components(self) -> Iterator[DocumentChange]:
        before, after = mapping(self.old.get("components")), mapping(self.new.get("components"))
        old, new = mapping(before.get("schemas")), mapping(after.get("schemas"))
        for name in sorted(old.keys() - new.keys()):
            yield DocumentChange(f"`{name}`", "is gone")
        for name in sorted(new.keys() - old.keys()):
            yield DocumentChange(f"`{name}`", f"new: {kind_of(new[name])}")
        for name in sorted(old.keys() & new.keys()):
            sent = name in self._sent
            yield from self._schema(f"`{name}`", "", old[name], new[name], sent=sent)
        old, new = mapping(before.get("securitySchemes")), mapping(after.get("securitySchemes"))
        yield from _security_schemes(old, new)
        # what is used is compared where it is used
        used = _used(self.old) | _used(self.new)
        for kind in sorted((before.keys() | after.keys()) - {"schemas", "securitySchemes"}):
            old, new = mapping(before.get(kind)), mapping(after.get(kind))
            unused = {
                name
                for name in old.keys() | new.keys()
                if join("#/components", kind, name) not in used
            }
            yield from _rest(f"components/{kind}", old, new, (old.keys() | new.keys()) - unused)

    # ------------------------------------------------------------------------------------ schemas

    def _schema(
        self, where: str, what: str, old: Any, new: Any, *, sent: bool
    ) -> Iterator[DocumentChange]:
        """Compare two schemas down to the components that they refer to."""
        old, new = mapping(old), mapping(new)
        if same(old, new):
            return
        was_nullable, nullable = is_nullable(old), is_nullable(new)
        old, new = _unwrapped(old), _unwrapped(new)
        lead = f"{what} " if what else ""
        was, now = kind_of(old), kind_of(new)
        if was != now:
            breaking = sent or not {was, now} <= {"string", "enum"}
            yield DocumentChange(where, f"{lead}is {now}, was {was}", breaking=breaking)
        elif _types(old) != _types(new):
            yield DocumentChange(
                where, f"{lead}type: {_value(old, 'type')} → {_value(new, 'type')}"
            )
        if nullable != was_nullable:
            description = f"{lead}{'can be null now' if nullable else 'is never null now'}"
            yield DocumentChange(where, description, breaking=sent is not nullable)
        if not same(old.get("default"), new.get("default")):
            description = f"{lead}default: {_value(old, 'default')} → {_value(new, 'default')}"
            yield DocumentChange(where, description)
        yield from _deprecated(where, what, old, new)
        for name in ("readOnly", "writeOnly"):
            if bool(old.get(name)) != bool(new.get(name)):
                description = f"{lead}is {'' if new.get(name) else 'no longer '}{name}"
                breaking = bool(new.get(name)) and (sent if name == "readOnly" else True)
                yield DocumentChange(where, description, breaking=breaking)
        yield from _bounds(where, lead, old, new, sent=sent)
        yield from _enum(where, lead, old, new, sent=sent)
        below = f"{where}, {what}" if what else where
        for name in _TEXT_KEYS:
            yield from _texts(below, old.get(name), new.get(name))
        yield from self._members(where, what, old, new, sent=sent)
        done = {"type", "nullable", "default", "deprecated", "readOnly", "writeOnly", "$ref"}
        done |= {*_BOUNDS, *_TEXT_KEYS, "pattern", "multipleOf", "uniqueItems", "enum", "format"}
        done |= {"properties", "required", "items", "additionalProperties"}
        done |= {"allOf", "anyOf", "oneOf"}
        yield from _rest(where, old, new, done, lead)

    def _members(
        self, where: str, what: str, old: Json, new: Json, *, sent: bool
    ) -> Iterator[DocumentChange]:
        prefix = f"{what}, " if what else ""
        before, after = mapping(old.get("properties")), mapping(new.get("properties"))
        was_required, required = sequence(old.get("required")), sequence(new.get("required"))
        removed, added = before.keys() - after.keys(), after.keys() - before.keys()
        for name in sorted(removed):
            renamed = [n for n in sorted(added) if _alike(before[name], after[n])]
            names = (name, renamed[0]) if len(renamed) == 1 else None
            hint = f" (renamed to `{renamed[0]}`?)" if names else ""
            description = f"{prefix}field `{name}` is gone{hint}"
            yield DocumentChange(where, description, breaking=True, renamed=names)
        for name in sorted(added):
            needed = name in required
            description = (
                f"new {'required ' if needed else ''}field `{name}` ({kind_of(after[name])})"
            )
            yield DocumentChange(where, f"{prefix}{description}", breaking=sent and needed)
        for name in sorted(before.keys() & after.keys()):
            if (name in was_required) != (name in required):
                state = "required" if name in required else "optional"
                breaking = sent is (name in required)
                description = f"{prefix}field `{name}` is {state} now"
                yield DocumentChange(where, description, breaking=breaking)
            field = f"{prefix}field `{name}`"
            yield from self._schema(where, field, before[name], after[name], sent=sent)
        unknown = [n for n in required if n not in after and n not in was_required]
        for name in unknown:
            yield DocumentChange(where, f"{prefix}required names {name!r}", breaking=sent)
        for key in ("items", "additionalProperties"):
            was, now = old.get(key), new.get(key)
            if isinstance(was, dict) and isinstance(now, dict):
                yield from self._schema(where, f"{prefix}its {key}", was, now, sent=sent)
            elif key == "additionalProperties" and not same(was, now):
                breaking = sent and now is False
                description = f"{prefix}{key}: {_value(old, key)} → {_value(new, key)}"
                yield DocumentChange(where, description, breaking=breaking)
        for key in ("allOf", "anyOf", "oneOf"):
            was, now = sequence(old.get(key)), sequence(new.get(key))
            for old_part, new_part in zip(was, now, strict=False):
                yield from self._schema(where, what, old_part, new_part, sent=sent)
            if len(was) != len(now) and kind_of(old) == kind_of(new):
                yield DocumentChange(where, f"{prefix}{key} has {len(now)} parts, had {len(was)}")

    def _followed(self, old: Any, new: Any) -> tuple[Json, Json]:
        return mapping(follow(self.old, old)[0]), mapping(follow(self.new, new)[0])


# ------------------------------------------------------------------------------- small comparisons


def _required(where: str, what: str, old: Json, new: Json) -> Iterator[DocumentChange]:
    if bool(old.get("required")) != bool(new.get("required")):
        state = "required" if new.get("required") else "optional"
        breaking = bool(new.get("required"))
        yield DocumentChange(where, f"{what} is {state} now", breaking=breaking)


def _deprecated(where: str, what: str, old: Json, new: Json) -> Iterator[DocumentChange]:
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        description = f"{what} is " if what else ""
        description += f"{'' if new.get('deprecated') else 'no longer '}deprecated"
        yield DocumentChange(where, description, urgent=True)


def _bounds(where: str, lead: str, old: Json, new: Json, *, sent: bool) -> Iterator[DocumentChange]:
    for name, larger_is_stricter in _BOUNDS.items():
        was, now = old.get(name), new.get(name)
        if not same(was, now):
            breaking = sent and _is_stricter(was, now, larger_is_stricter)
            yield DocumentChange(where, f"{lead}{name}: {_change(was, now)}", breaking=breaking)
    for name in ("pattern", "multipleOf", "uniqueItems"):
        was, now = old.get(name), new.get(name)
        if not same(was, now):
            breaking = sent and now is not None and now is not False
            yield DocumentChange(where, f"{lead}{name}: {_change(was, now)}", breaking=breaking)
    if old.get("format") != new.get("format") and kind_of(old) == kind_of(new):
        change = _change(old.get("format"), new.get("format"))
        yield DocumentChange(where, f"{lead}format: {change}")


def _parameter_of(data: Json) -> str:
    location = text(data.get("in"))
    return f"{location or 'misplaced'} parameter `{data['name']}`"


def _unwrapped(schema: Json) -> Json:
    """Return the only part of an `allOf`, `anyOf` or `oneOf` that there is beside null.

    OpenAPI 3.0 needs such a wrapper to make a reference nullable, and 3.1 writes it otherwise.
    """
    wrappers = [key for key in ("allOf", "anyOf", "oneOf") if key in schema]
    parts = [mapping(part) for key in wrappers for part in sequence(schema[key])]
    parts = [part for part in parts if part.get("type") != "null"]
    if len(wrappers) != 1 or len(parts) != 1:
        return schema
    beside = {key: value for key, value in schema.items() if key not in (*wrappers, "nullable")}
    return schema if parts[0].keys() & beside.keys() else parts[0] | beside


def _types(schema: Json) -> list[str]:
    kind = schema.get("type")
    return [str(name) for name in (kind if isinstance(kind, list) else [kind]) if name != "null"]


def _is_stricter(old: Any, new: Any, larger_is_stricter: bool) -> bool:
    if new is None or old is None:
        return new is not None
    try:
        return (new > old) is larger_is_stricter
    except TypeError:  # no numbers: who knows
        return True


def _enum(where: str, lead: str, old: Json, new: Json, *, sent: bool) -> Iterator[DocumentChange]:
    if "enum" not in old or "enum" not in new:
        if ("enum" in old) != ("enum" in new) and kind_of(old) == kind_of(new):
            yield DocumentChange(
                where, f"{lead}enum: {_value(old, 'enum')} → {_value(new, 'enum')}"
            )
        return
    values, wanted = sequence(old["enum"]), sequence(new["enum"])
    for value in values:
        if value not in wanted:
            yield DocumentChange(where, f"{lead}no longer has the value {value!r}", breaking=sent)
    for value in wanted:
        if value not in values:
            yield DocumentChange(where, f"{lead}has the new value {value!r}")


def _security_schemes(old: Json, new: Json) -> Iterator[DocumentChange]:
    for name in sorted(old.keys() - new.keys()):
        description = "the security scheme is gone"
        yield DocumentChange(f"`{name}`", description, breaking=True, urgent=True)
    for name in sorted(new.keys() - old.keys()):
        kind = " ".join(text(mapping(new[name]).get(key)) for key in ("type", "scheme")).strip()
        yield DocumentChange(f"`{name}`", f"new security scheme ({kind})", urgent=True)
    for name in sorted(old.keys() & new.keys()):
        was, now = mapping(old[name]), mapping(new[name])
        yield from _texts(
            f"`{name}`, the authentication", was.get("description"), now.get("description")
        )
        for change in _rest(f"`{name}`, the authentication", was, now, {"description"}):
            yield dataclasses.replace(change, breaking=True, urgent=True)


def _rest(
    where: str, old: Any, new: Any, done: Collection[str], lead: str = ""
) -> Iterator[DocumentChange]:
    """Compare the members that have no rule of their own."""
    old, new = mapping(old), mapping(new)
    for key in sorted((old.keys() | new.keys()) - set(done)):
        was, now = old.get(key, MISSING), new.get(key, MISSING)
        if key in ("description", "summary") and not isinstance(was, dict | list):
            yield from _texts(f"{where}, {lead.rstrip(' ,:')}" if lead else where, was, now)
        elif not _equal(was, now):
            yield from _leaves(where, f"{lead}{key}", was, now)


def _leaves(where: str, what: str, old: Any, new: Any) -> Iterator[DocumentChange]:
    """Compare two values of any kind down to where they differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            was, now = old.get(key, MISSING), new.get(key, MISSING)
            yield from _leaves(where, f"{what}/{key}", was, now)
    elif not _equal(old, new):
        yield DocumentChange(where, f"{what}: {_arrow(old, new)}")


def _equal(old: Any, new: Any) -> bool:
    return old is new if MISSING in (old, new) else same(old, new)


def _short(value: Any) -> str:
    return "nothing" if value is MISSING else shorten(json.dumps(value, ensure_ascii=False), 300)


def _arrow(old: Any, new: Any) -> str:
    """Write `old → new`; of two lists only the items that were added and removed."""
    if isinstance(old, list) and isinstance(new, list):
        gone = [item for item in old if not any(same(item, other) for other in new)]
        added = [item for item in new if not any(same(item, other) for other in old)]
        parts = [f"gone: {_short(gone)}"] if gone else []
        parts += [f"new: {_short(added)}"] if added else []
        return ", ".join(parts) or "in another order, or repeated"
    return f"{_short(old)} → {_short(new)}"


def _value(holder: Json, key: str) -> str:
    return _short(holder.get(key, MISSING))


def _change(old: Any, new: Any) -> str:
    """Write `old → new` of two values of a keyword, as they are in the document."""
    return " → ".join("nothing" if value is None else str(value) for value in (old, new))


def _alike(old: Any, new: Any) -> bool:
    """Return whether a field that went and one that came could be the same, renamed."""
    old, new = mapping(old), mapping(new)
    return kind_of(old) == kind_of(new) and (
        old.get("description") == new.get("description") or old.get("example") == new.get("example")
    )


def _ways(alternatives: list[Any]) -> str:
    return " or ".join(" and ".join(mapping(way)) or "none" for way in alternatives) or "none"


def _by_location(document: Json, operation: Operation) -> dict[str, Json]:
    # the order of the path's parameters counts, their names do not
    in_path = re.findall(r"{([^{}]*)}", operation.path)
    return {
        f"path {in_path.index(name)}"
        if data.get("in") == "path" and name in in_path
        else f"{data.get('in')} {name}": data
        for data in parameters_for(document, operation)
        if isinstance(name := data.get("name"), str)
    }


def kind_of(schema: Any) -> str:
    """Return a schema's type in a word or two."""
    schema = mapping(schema)
    for key in ("allOf", "anyOf", "oneOf"):
        parts = [part for part in sequence(schema.get(key)) if mapping(part).get("type") != "null"]
        if parts:
            return " or ".join(dict.fromkeys(kind_of(part) for part in parts))
    if isinstance(ref := schema.get("$ref"), str):
        return split(ref[1:])[-1]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = " or ".join(str(name) for name in kind if name != "null")
    if kind == "array":
        return f"array of {kind_of(schema.get('items'))}"
    if "enum" in schema:
        return "enum"
    if isinstance(schema.get("format"), str) and schema["format"] != "uuid":
        return f"{kind} ({schema['format']})"
    return str(kind or "anything")


# -------------------------------------------------------------------------------- what is used how


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str):
            yield ref
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def _used(document: Json) -> set[str]:
    return set(_references(document))


def _sent_components(document: Json) -> set[str]:
    """Return the names of the component schemas that requests are made of."""
    pending: list[Any] = []
    for operation in operations(document):
        pending.append(follow(document, operation.data.get("requestBody"))[0])
        pending += parameters_for(document, operation)
    schemas = mapping(mapping(document.get("components")).get("schemas"))
    sent: set[str] = set()
    while pending:
        for ref in _references(pending.pop()):
            name = split(ref[1:])[-1]
            if ref.startswith("#/components/schemas/") and name not in sent:
                sent.add(name)
                pending.append(schemas.get(name))
    return sent


# ------------------------------------------------------------------------------------------- texts


def _texts(where: str, old: Any, new: Any) -> Iterator[DocumentChange]:
    """Report each changed sentence: its old words, its new words."""
    before, after = _sentences(text(old)), _sentences(text(new))
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = [(" ".join(before[a:b]), " ".join(after[c:d]))]
        if b - a == d - c:
            pairs = list(zip(before[a:b], after[c:d], strict=True))
        for was, now in pairs:
            urgent = bool(_URGENT.search(f"{was} {now}"))
            yield DocumentChange(where, f"text: {_words(was, now)}", urgent=urgent, is_text=True)


def _sentences(prose: str) -> list[str]:
    """Split a text so that other white space is no change."""
    parts = re.split(r"(?<=[.:!?])\s+|\n\s*[*-]|\n\s*\n", prose)
    return [" ".join(part.split()) for part in parts if part.split()]


def _words(old: str, new: str) -> str:
    """Write `old → new`, of long sentences only the changed words and some around them."""
    if not old or not new:
        return f"new: {shorten(new, 600)!r}" if new else f"gone: {shorten(old, 600)!r}"
    before, after = old.split(), new.split()
    shared = min(len(before), len(after))
    start = next((n for n in range(shared) if before[n] != after[n]), shared)
    rest = range(shared - start)
    end = next((n for n in rest if before[-1 - n] != after[-1 - n]), shared - start)
    around = 6

    def excerpt(words: list[str]) -> str:
        first, last = max(0, start - around), min(len(words), len(words) - end + around)
        lead, tail = "… " if first else "", " …" if last < len(words) else ""
        return repr(shorten(f"{lead}{' '.join(words[first:last])}{tail}", 600))

    return f"{excerpt(before)} → {excerpt(after)}"


def _grouped(changes: Iterator[DocumentChange]) -> list[DocumentChange]:
    """Report once what is the same at several places."""
    grouped: dict[DocumentChange, list[str]] = {}
    for change in changes:
        alike = dataclasses.replace(change, where="")
        listed = grouped.setdefault(alike, [])
        if change.where not in listed:
            listed.append(change.where)
    return [
        dataclasses.replace(change, where=_together(listed)) for change, listed in grouped.items()
    ]


def _together(listed: list[str]) -> str:
    if len(listed) <= _MAX_LISTED:
        return "; ".join(listed)
    return f"{'; '.join(listed[:_MAX_LISTED])} and {len(listed) - _MAX_LISTED} more"


# ------------------------------------------------------------------------- published documents


def diff_published(
    old: Json, new: Json, old_paths: Collection[str], new_paths: Collection[str]
) -> list[DocumentChange]:
    """Return what changed in the published documents at the places that overrides touched.

    There the patched documents can be equal, because an override did before what Whereby does now.
    """

    def touched(path: str, paths: Collection[str]) -> bool:
        return any(path == above or path.startswith(f"{above}/") for above in paths)

    changes = []
    for old_path, new_path, was, now in _published(old, new, "", ""):
        if touched(old_path, old_paths) or touched(new_path, new_paths):
            tokens = split(new_path)
            inside = len(tokens) > 3 and tokens[0] in ("paths", "components")
            where = (
                f"{tokens[2].upper()} {tokens[1]}"
                if tokens[0] == "paths" and inside
                else ("/".join(tokens[1:3]) if inside else "")
            )
            rest = "/".join(tokens[3:]) if inside else new_path
            description = f"published, {rest}: {_arrow(was, now)}"
            changes.append(DocumentChange(where or "the document", description))
    return _grouped(iter(changes))


def _published(
    old: Any, new: Any, old_path: str, new_path: str
) -> Iterator[tuple[str, str, Any, Any]]:
    """Iterate over the values that differ, each with its pointer before and after."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            was, now = old.get(key, MISSING), new.get(key, MISSING)
            yield from _published(was, now, join(old_path, key), join(new_path, key))
    elif _is_named(old) and _is_named(new):
        before = {_identity(item): n for n, item in enumerate(old)}
        after = {_identity(item): n for n, item in enumerate(new)}
        for key in dict.fromkeys([*before, *after]):
            a, b = before.get(key), after.get(key)
            yield from _published(
                MISSING if a is None else old[a],
                MISSING if b is None else new[b],
                join(old_path, len(old) if a is None else a),
                join(new_path, len(new) if b is None else b),
            )
    elif not _equal(old, new):
        yield old_path, new_path, old, new


def _is_named(value: Any) -> bool:
    """Return whether the value is a list of parameters or the like, whose order does not count."""
    return isinstance(value, list) and all(
        isinstance(item, dict) and ("name" in item or "$ref" in item) for item in value
    )


def _identity(value: Json) -> str:
    return text(value.get("$ref")) or f"{value.get('in')} {value.get('name')}"
