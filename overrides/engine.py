"""Run the overrides: load them, order them, apply them, and report the outcome of each.

An override is a module in `overrides/spec` with

- a docstring: what is wrong;
- `DEFECT`: the same in one line;
- `EVIDENCE`: how we know;
- `SEEN_AT`: JSON pointers of the operations and components where it was seen;
- `AFTER` (optional): names of overrides that have to run before it, `"*"` for all that do not
  say the same;
- `BEFORE` (optional): `("*",)` for one that runs before all that do not say the same;
- `apply(patch)`: finds the places by rule and changes them through the `Patch`.
"""

from __future__ import annotations

import copy
import enum
import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from overrides import spec

from .openapi.document import METHODS, Json
from .openapi.pointers import MISSING, join, resolve, split
from .patch import Change, Drift, Patch

EVERY = "*"

# the entry of the change list that holds the operations of `update --without`
LEFT_OUT = "left_out"


class Outcome(enum.StrEnum):
    """The outcome of an override."""

    APPLIED = "applied"  # the defect was there and is gone
    SLEEPING = "sleeping"  # no place has the defect in this document; it may come back
    DRIFTED = "drifted"  # a place holds something else than expected: a person has to look
    ABSENT = "absent"  # the endpoints that it is about are not in this document


@dataclass(frozen=True)
class Override:
    """An override module, checked."""

    name: str
    defect: str
    evidence: str
    seen_at: tuple[str, ...]
    after: tuple[str, ...]
    apply: Callable[[Patch], None]
    first: bool = False  # before all that are not

    @property
    def path(self) -> str:
        """The path of its module in the repository."""
        return f"overrides/spec/{self.name}.py"


@dataclass(frozen=True)
class OverrideResult:
    """What one override did to one document."""

    override: Override
    outcome: Outcome
    changes: tuple[Change, ...]
    drifts: tuple[Drift, ...]
    # the places of SEEN_AT
    affected: tuple[str, ...]  # still have the defect
    repaired: tuple[str, ...]  # there, without the defect
    gone: tuple[str, ...]  # not in the document
    # places that the rule changed and that are not in SEEN_AT
    new: tuple[str, ...]

    @property
    def name(self) -> str:
        """The override's name, which is its module's."""
        return self.override.name

    @property
    def messages(self) -> list[str]:
        """The result as lines for a person."""
        override = self.override
        text = {
            Outcome.APPLIED: f"applied, {len(self.changes)} changes",
            Outcome.SLEEPING: "sleeping, no place has the defect in this document",
            Outcome.DRIFTED: f"drifted, check {override.path} against the document: "
            f"{override.defect} (evidence: {override.evidence})",
            Outcome.ABSENT: "absent, this document has none of its endpoints",
        }[self.outcome]
        lines = [f"{self.name}: {text}", *(f"  {drift}" for drift in self.drifts)]
        if self.outcome in (Outcome.APPLIED, Outcome.SLEEPING):
            lines += [f"  repaired by Whereby at {pointer}" for pointer in self.repaired]
            lines += [f"  not in this document: {pointer}" for pointer in self.gone]
        if self.outcome is Outcome.APPLIED:
            lines += [f"  also applied at {pointer}" for pointer in self.new]
        return lines


@dataclass(frozen=True)
class Result:
    """A patched document and the result of every override, in the order in which they ran."""

    document: Json
    overrides: tuple[OverrideResult, ...]

    def with_outcome(self, outcome: Outcome) -> list[OverrideResult]:
        """Return the results with this outcome."""
        return [result for result in self.overrides if result.outcome is outcome]


def load_overrides() -> list[Override]:
    """Import every module in overrides/spec, in the order in which they run."""
    return in_order(
        _checked(name, importlib.import_module(f"{spec.__name__}.{name}"))
        for _, name, _ in pkgutil.iter_modules(spec.__path__)
        if not name.startswith("_")
    )


def _checked(name: str, module: Any) -> Override:
    for needed in ("DEFECT", "EVIDENCE", "SEEN_AT", "apply"):
        if not hasattr(module, needed):
            raise TypeError(f"overrides/spec/{name}.py does not define {needed}")
    return Override(
        name=name,
        defect=module.DEFECT,
        evidence=module.EVIDENCE,
        seen_at=tuple(module.SEEN_AT),
        after=tuple(getattr(module, "AFTER", ())),
        apply=module.apply,
        first=EVERY in getattr(module, "BEFORE", ()),
    )


def in_order(overrides: Iterable[Override]) -> list[Override]:
    """Sort by AFTER, then by name; names of overrides that do not exist are ignored."""
    named = {override.name: override for override in overrides}
    first = {name for name, override in named.items() if override.first}
    early = {name for name, override in named.items() if EVERY not in override.after}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, override in named.items():
        before = set(override.after) & set(named)
        if EVERY in override.after:
            before |= early
        if not override.first:
            before |= first
        sorter.add(name, *sorted(before))
    sorter.prepare()
    order: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()])
        order.append(ready.pop(0))
        sorter.done(order[-1])
    return [named[name] for name in order]


def apply_overrides(
    document: Json, overrides: Sequence[Override] | None = None, *, without: Collection[str] = ()
) -> Result:
    """Apply the overrides, by default all of overrides/spec, to a copy of the document.

    The operations in `without` (`POST /rooms`) are removed before that.
    """
    patched = copy.deepcopy(document)
    if overrides is None:
        overrides = load_overrides()
    left_out = _leave_out(without, patched)
    ran = [left_out, *overrides] if left_out is not None else overrides
    return Result(patched, tuple(_apply(override, patched, document) for override in ran))


def _leave_out(calls: Collection[str], document: Json) -> Override | None:
    """Return an override that removes operations; None when the document has none of them."""
    pointers = [pointer_of(call) for call in calls]
    pointers = [pointer for pointer in pointers if resolve(document, pointer) is not MISSING]
    if not pointers:
        return None

    def apply(patch: Patch) -> None:
        for pointer in pointers:
            patch.remove(pointer)
            path = pointer.rpartition("/")[0]
            if not set(METHODS) & set(patch.get(path)):
                patch.remove(path)

    defect, evidence = "operations that the SDK cannot express yet", "`update --without`"
    return Override(LEFT_OUT, defect, evidence, tuple(pointers), (), apply)


def pointer_of(call: str) -> str:
    """Return the pointer of an operation that is written `POST /rooms`."""
    method, _, path = call.partition(" ")
    return join("/paths", path.strip(), method.lower())


def left_out(change_list: Mapping[str, Json]) -> list[str]:
    """Return the operations that a change list says were left out: `POST /rooms`."""
    changes = change_list.get(LEFT_OUT, {}).get("changes", [])
    tokens = [split(change["path"]) for change in changes]
    return [f"{method.upper()} {path}" for _, path, method in filter(lambda t: len(t) == 3, tokens)]


def _apply(override: Override, patched: Json, published: Json) -> OverrideResult:
    patch = Patch(patched)
    try:
        override.apply(patch)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # A document can be odd in ways that no rule foresees. That has to stop a generation
        # with the override's name, not with a traceback.
        actual = f"{type(error).__name__}: {error}"
        patch.drifted("", expected="a document that the rule can read", actual=actual)
    present = [
        pointer for pointer in override.seen_at if resolve(published, pointer) is not MISSING
    ]
    if patch.drifts:
        outcome = Outcome.DRIFTED
    elif patch.changes:
        outcome = Outcome.APPLIED
    elif present and patch.applicable:
        outcome = Outcome.SLEEPING
    else:
        outcome = Outcome.ABSENT
    changed = [change.extracted_from or change.path for change in patch.changes]
    affected = [pointer for pointer in present if any(_within(path, pointer) for path in changed)]
    new = [path for path in changed if not any(_within(path, p) for p in override.seen_at)]
    return OverrideResult(
        override=override,
        outcome=outcome,
        changes=tuple(patch.changes),
        drifts=tuple(patch.drifts),
        affected=tuple(affected),
        repaired=tuple(pointer for pointer in present if pointer not in affected),
        gone=tuple(pointer for pointer in override.seen_at if pointer not in present),
        new=tuple(dict.fromkeys(new)),
    )


def _within(path: str, pointer: str) -> bool:
    return path == pointer or path.startswith(pointer + "/")


def change_list(
    result: Result, old: Mapping[str, Json] | None = None, date: str = ""
) -> list[Json]:
    """Return the content of openapi/overrides.json: what each override did, in order, and why.

    The operations of all entries, one after the other, are a JSON Patch (RFC 6902) that turns the
    published document into the patched one. An override that sleeps keeps what the `old` change
    list knows of it: since when, and which places it changed the last time. One that fell asleep
    now gets the `date`.
    """
    old = old or {}
    return [_entry(override, old.get(override.name, {}), date) for override in result.overrides]


def _entry(result: OverrideResult, old: Json, date: str) -> Json:
    entry: Json = {
        "override": result.name,
        "defect": result.override.defect,
        "evidence": result.override.evidence,
        "outcome": result.outcome.value,
    }
    if result.changes:
        entry["changes"] = [change.to_json() for change in result.changes]
    elif result.outcome in (Outcome.SLEEPING, Outcome.ABSENT):
        last = old.get("last_changed") or changed_pointers(old)
        since = old.get("since") or date
        entry |= {"since": since} if since else {}
        entry |= {"last_changed": last} if last else {}
    return entry


def changed_pointers(entry: Json) -> list[str]:
    """Return the pointers that an override changed, by its entry in a change list, each once."""
    changes = entry.get("changes", [])
    return list(dict.fromkeys(str(change.get("from") or change["path"]) for change in changes))


def messages(result: Result) -> list[str]:
    """Return all results as lines, what needs a person first."""
    order = (Outcome.DRIFTED, Outcome.SLEEPING, Outcome.ABSENT, Outcome.APPLIED)
    return [
        line
        for outcome in order
        for override in result.with_outcome(outcome)
        for line in override.messages
    ]
