"""What a change of the public API means for those who call it: does their code still run and check?

The rules are finer than "something changed". An argument may take more, a result may be less; a
field of a model counts as both when callers make the model themselves. New enum values break
nobody: unknown values are part of the contract.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .api_snapshot import Facts

_NUMBERS = {"int": {"bool"}, "float": {"bool", "int"}}
# an attribute of the client that only holds methods: these tell what came and went
_RESOURCE = "property"
# `(name)` behind a function is an argument of it
_ARGUMENT = re.compile(r"(.+)\((\*{0,2}\w+)\)")
_ID = re.compile(r"_ids?\)$")


@dataclass(frozen=True)
class ApiChange:
    """One change, in words for callers."""

    name: str
    text: str
    breaking: bool

    def __str__(self) -> str:
        return f"{'BREAKING ' if self.breaking else ''}{self.text}"


def diff_apis(old: Facts, new: Facts) -> list[ApiChange]:
    """List what changed between two snapshots, what breaks callers first."""
    changes = [*_gone(old, new), *_come(old, new), *_changed(old, new)]
    return sorted(changes, key=lambda change: (not change.breaking, change.name, change.text))


def dotted(name: str) -> str:
    """Write a name as callers do: `whereby.meetings.create`."""
    return name.replace("WherebyClient.", "whereby.", 1) if ".__init__" not in name else name


def _gone(old: Facts, new: Facts) -> Iterator[ApiChange]:
    for name, fact in old.items():
        if name in new or fact == _RESOURCE or _above(name, old) - new.keys():
            continue  # it is there; or what it belonged to is gone, and that says it all
        function, argument = _split(name)
        what = (
            f"`{dotted(function)}`: the argument `{argument}`"
            if argument
            else f"{_kind(fact)} `{dotted(name)}`"
        )
        yield ApiChange(name, f"{what} is gone", True)


def _come(old: Facts, new: Facts) -> Iterator[ApiChange]:
    for name, fact in new.items():
        if name in old or fact == _RESOURCE or _above(name, new) - old.keys():
            continue
        function, argument = _split(name)
        if argument:
            demanded = " = " not in fact and not fact.startswith("rest ")
            what = (
                f"`{dotted(function)}`: new {'required ' if demanded else ''}argument `{argument}`"
            )
            yield ApiChange(name, what, demanded)
        elif fact.startswith("field ") and " = " not in fact and _is_sent(name, new):
            yield ApiChange(name, f"new required field `{name}` in a model that callers make", True)
        else:
            yield ApiChange(name, f"new {_kind(fact)} `{dotted(name)}`", False)


def _changed(old: Facts, new: Facts) -> Iterator[ApiChange]:
    for name in old.keys() & new.keys():
        before, after = old[name], new[name]
        if before == after:
            continue
        function, argument = _split(name)
        if argument:
            yield _argument(name, f"`{dotted(function)}`: argument `{argument}`", before, after)
        elif before.startswith("class") and after.startswith("class"):
            lost = _bases(before) - _bases(after)
            text = f"class `{dotted(name)}`: {_arrow(before, after)}"
            yield ApiChange(name, text, bool(lost))
        elif before.startswith("field ") and after.startswith("field "):
            yield _field(name, before, after, sent=_is_sent(name, old) or _is_sent(name, new))
        elif "->" in before and "->" in after:
            kind, _, result = before.partition(" -> ")
            new_kind, _, new_result = after.partition(" -> ")
            fine = kind == new_kind and covers(result, new_result)
            yield ApiChange(name, f"`{dotted(name)}`: {_arrow(before, after)}", not fine)
        else:
            yield ApiChange(name, f"`{dotted(name)}`: {_arrow(before, after)}", True)


def _argument(name: str, what: str, before: str, after: str) -> ApiChange:
    kind, old_type, default = _parts(before)
    new_kind, new_type, new_default = _parts(after)
    if kind != new_kind:
        return ApiChange(name, f"{what}: {_arrow(before, after)}", True)
    if default and not new_default:
        return ApiChange(name, f"{what} is required now", True)
    if new_default and not default:
        return ApiChange(name, f"{what} is optional now", not covers(new_type, old_type))
    if default != new_default:
        text = f"{what}: the default is {new_default} now, it was {default}"
        return ApiChange(name, text, True)
    if covers(new_type, old_type):
        return ApiChange(name, f"{what} takes more: {_arrow(old_type, new_type)}", False)
    return ApiChange(
        name, f"{what} takes less or something else: {_arrow(old_type, new_type)}", True
    )


def _field(name: str, before: str, after: str, *, sent: bool) -> ApiChange:
    _, old_type, default = _parts(before)
    _, new_type, new_default = _parts(after)
    text = f"field `{name}`: {_arrow(before.removeprefix('field '), after.removeprefix('field '))}"
    # reading: what comes must be what came; making: what callers gave must still be accepted
    breaks = not covers(old_type, new_type)
    if sent:
        breaks = bool(default and not new_default) or not covers(new_type, old_type)
    return ApiChange(name, text, breaks)


def _above(name: str, facts: Facts) -> set[str]:
    """The names that a name belongs to: its function, its class."""
    function, argument = _split(name)
    above = {function} if argument else set()
    parts = function.split(".")
    above |= {".".join(parts[:at]) for at in range(1, len(parts))}
    return {owner for owner in above & facts.keys() if facts[owner] != _RESOURCE}


def _split(name: str) -> tuple[str, str]:
    match = _ARGUMENT.fullmatch(name)
    return (match[1], match[2]) if match else (name, "")


def _kind(fact: str) -> str:
    first = fact.split(" ")[0].partition("(")[0]
    if "def" in fact.split(" ")[:2]:
        return "method" if first != "staticmethod" else "function"
    return {"member": "enum member", "value": "name"}.get(first, first)


def _bases(fact: str) -> set[str]:
    return set(filter(None, fact.removeprefix("class").strip("()").split(", ")))


def _parts(fact: str) -> tuple[str, str, str]:
    """Take `keyword str | Unset = UNSET` apart: kind, type, default."""
    fact, _, default = fact.partition(" = ")
    match = re.match(r"(positional(?:-only)? \d+|\S+) ?(.*)", fact)
    return (match[1], match[2], default) if match else ("", fact, default)


def _arrow(before: str, after: str) -> str:
    return f"{before} → {after}"


def _is_sent(name: str, facts: Facts) -> bool:
    """Return whether callers make the model that a field belongs to, to hand it to a method."""
    return name.rpartition(".")[0].rpartition(".")[2] in _sent(tuple(facts.items()))


@cache
def _sent(facts: tuple[tuple[str, str], ...]) -> frozenset[str]:
    arguments = " ".join(
        fact
        for name, fact in facts
        # where an id goes, its model goes: a response that nobody makes
        if name.startswith("WherebyClient.") and "(" in name and not _ID.search(name)
    )
    sent: set[str] = set()
    classes = {name.rpartition(".")[2] for name, fact in facts if fact.startswith("class")}
    fresh = classes & set(re.findall(r"\w+", arguments))
    while fresh:
        sent |= fresh
        inside = " ".join(
            fact
            for name, fact in facts
            if fact.startswith("field ") and name.rpartition(".")[0].rpartition(".")[2] in fresh
        )
        fresh = (classes & set(re.findall(r"\w+", inside))) - sent
    return frozenset(sent)


def covers(wide: str, narrow: str) -> bool:
    """Return whether everything of the one type is of the other, as far as can be seen."""
    if wide == narrow:
        return True
    try:
        return _covers(
            _members(ast.parse(wide, mode="eval").body), ast.parse(narrow, mode="eval").body
        )
    except SyntaxError:
        return False


def _members(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _members(node.left) + _members(node.right)
    return [node]


def _covers(wide: list[ast.expr], narrow: ast.expr) -> bool:
    return all(any(_one_covers(w, n) for w in wide) for n in _members(narrow))


def _one_covers(wide: ast.expr, narrow: ast.expr) -> bool:
    name, other = ast.unparse(wide), ast.unparse(narrow)
    if name in (other, "Any", "object") or other in _NUMBERS.get(name, ()):
        return True
    if not (isinstance(wide, ast.Subscript) and isinstance(narrow, ast.Subscript)):
        return False
    if ast.unparse(wide.value) != ast.unparse(narrow.value):
        return False
    outer, inner = _arguments(wide.slice), _arguments(narrow.slice)
    return len(outer) == len(inner) and all(
        _covers(_members(w), n) for w, n in zip(outer, inner, strict=True)
    )


def _arguments(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]
