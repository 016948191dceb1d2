"""Names of operations, made by rule from path, method and summary.

A new endpoint gets its name by the same rule. The small tables hold names for what the rules would
name badly.
"""

from __future__ import annotations

import functools
import keyword
import re
from collections.abc import Iterable
from typing import Any

from overrides.naming.known_operations import KNOWN_OPERATIONS
from overrides.openapi.document import Operation, follow, is_page, items, mapping, text

# Attributes that WherebyClient has anyway: a tag of that name would hide them.
_TAKEN = "aclose base_url budget execute open_link request with_options with_response"
TAKEN_TAGS = frozenset(_TAKEN.split())

# Methods that the generated classes have beside their operations.
TAKEN_METHODS = frozenset({"create_and_wait", "download", "download_all", "wait"})

# "<METHOD> <path without parameter names>" -> method, where the rule reads badly. (Nothing yet.)
METHOD_NAMES: dict[str, str] = {}

# words of summaries that are no part of a name
_SMALL_WORDS = frozenset(
    ("a", "all", "an", "by", "for", "from", "given", "in", "of", "on", "the", "this", "to", "with")
)
_LONGEST_NAME = 5  # words; a longer summary is a sentence, not a name
_VERBS = {"put": "set", "post": "create", "patch": "update", "delete": "delete"}


def words(name: str) -> list[str]:
    """Split a name or a sentence into lower-case words: `roomName`, `room-name`, `Room name`."""
    name = re.sub(r"'s?\b", "", name)
    humps = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word.lower() for word in re.findall(r"[A-Za-z0-9]+", humps)]


def snake(name: str) -> str:
    """Write a name like_this."""
    return "_".join(words(name))


@functools.cache  # an API repeats its names
def pascal(name: str) -> str:
    """Write a name LikeThis."""
    return "".join(word.capitalize() for word in words(name))


def singular(word: str) -> str:
    """Return an English plural's singular, for the words that APIs are made of."""
    if re.search(r"[^aeiou]ies$", word):
        return word[:-3] + "y"
    if re.search(r"(ss|sh|ch|x|z)es$", word):
        return word[:-2]
    if re.search(r"(ss|us|is)$", word) or not word.endswith("s"):
        return word
    return word[:-1]


@functools.cache
def singular_pascal(name: str) -> str:
    """Write the singular of a name LikeThis: `room-sessions` -> `RoomSession`."""
    parts = words(name)
    return "".join(word.capitalize() for word in [*parts[:-1], *map(singular, parts[-1:])])


def identifier(name: str) -> str:
    """Make a Python identifier of a snake_case name."""
    name = name if name and not name[0].isdigit() else f"call_{name}".rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) else name


def fixed_segments(operation: Operation) -> list[str]:
    """Return the path's segments that are no parameters."""
    return [segment for segment in operation.segments if "{" not in segment]


def tag_of(operation: Operation) -> str:
    """Return the tag: the first segment of the path."""
    tag = identifier(snake(next(iter(fixed_segments(operation)), "root")) or "root")
    return f"{tag}_" if tag in TAKEN_TAGS else tag


def success(document: Any, operation: Operation) -> tuple[Any, str]:
    """Return the schema of the first successful JSON response, and its status."""
    responses = mapping(operation.data.get("responses"))
    for status, response in sorted(items(responses)):
        if re.fullmatch(r"2(\d\d|XX)", status):
            response, _ = follow(document, response)
            for kind, media in items(mapping(response).get("content")):
                if "json" in kind:
                    schema, _ = follow(document, mapping(media).get("schema"))
                    return schema, status
    return None, ""


def known_first(operations: Iterable[Operation]) -> list[Operation]:
    """Put the operations that have their names already before newcomers that could take them."""
    return sorted(operations, key=lambda operation: operation.pointer not in KNOWN_OPERATIONS)


def method_names(document: Any, operations: Iterable[Operation]) -> dict[str, tuple[str, str]]:
    """Return each operation's tag and method name by its pointer, without collisions in a tag."""
    named: dict[str, tuple[str, str]] = {}
    used: set[tuple[str, str]] = set()
    # Short paths first: of two that want one name, the plainer one gets it.
    order = sorted(operations, key=lambda o: (len(o.segments), o.path, o.method))
    for operation in known_first(order):
        tag = tag_of(operation)
        candidates = _candidates(document, operation, tag)
        free = (name for name in candidates if name not in TAKEN_METHODS)
        name = next(name for name in free if (tag, name) not in used)
        used.add((tag, name))
        named[operation.pointer] = (tag, name)
    return named


def _candidates(document: Any, operation: Operation, tag: str) -> Iterable[str]:
    key = f"{operation.method.upper()} {re.sub(r'{.*?}', '{}', operation.path)}"
    if key in METHOD_NAMES:
        yield METHOD_NAMES[key]
    yield identifier(_by_rule(document, operation, tag))
    extra = [snake(segment) for segment in fixed_segments(operation)[1:]]
    schema, _ = success(document, operation)
    verbs = {**_VERBS, "get": "list" if is_page(schema) else "get", "post": ""}
    longer = "_".join(filter(None, [verbs.get(operation.method, operation.method), *extra]))
    yield identifier(longer)
    longer = "_".join(
        [longer or operation.method, "by", *(snake(s) for s in operation.segments if "{" in s)]
    )
    yield identifier(longer)
    number = 2
    while True:
        yield identifier(f"{longer}_{number}")
        number += 1


def _by_rule(document: Any, operation: Operation, tag: str) -> str:
    method, extra = operation.method, fixed_segments(operation)[1:]
    on_item = bool(operation.segments) and "{" in operation.segments[-1]
    if method == "get":
        schema, _ = success(document, operation)
        if extra:
            last = "_".join(words(extra[-1]))
            return f"list_{last}" if is_page(schema) else f"get_{last}"
        if is_page(schema):
            return "list"
        return "get_all" if mapping(schema).get("type") == "array" else "get"
    if not extra and not (method == "post" and on_item):
        if method == "delete":
            return "delete" if on_item else "delete_all"
        if method == "put" and "patch" in mapping(_item(document, operation)):
            return "replace"
        return {"post": "create", "put": "update", "patch": "update"}.get(method, method)
    return _from_summary(operation, tag) or _from_segment(operation, tag)


def _item(document: Any, operation: Operation) -> Any:
    return mapping(mapping(document).get("paths")).get(operation.path)


def _without_tag(parts: list[str], tag: str) -> list[str]:
    known = {singular(word) for word in words(tag)}
    return [word for word in parts if singular(word) not in known]


def _from_summary(operation: Operation, tag: str) -> str:
    summary = words(text(operation.data.get("summary")))
    parts = _without_tag([word for word in summary if word not in _SMALL_WORDS], tag)
    return "_".join(parts) if 1 <= len(parts) <= _LONGEST_NAME else ""


def _from_segment(operation: Operation, tag: str) -> str:
    last = next(iter(fixed_segments(operation)[:0:-1]), "")
    parts = _without_tag(words(last), tag) or words(last)
    if operation.method == "post":  # `bulk-delete`: a POST's last segment is what it does
        return "_".join(parts) or "post"
    return "_".join([_VERBS.get(operation.method, operation.method), *parts])
