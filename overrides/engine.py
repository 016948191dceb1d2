"""Run the overrides: find them, order them, apply them, and say what became of each.

An override is a module in `overrides/spec` with

- a docstring: what is wrong;
- `DEFECT`: the same in one line;
- `EVIDENCE`: how we know;
- `SEEN_AT`: JSON pointers of the operations and components where it was seen;
- `AFTER` (optional): names of overrides that have to run before it, `"*"` for all that do not
  say the same;
- `cure(patch)`: finds the places by rule and changes them through the `Patch`.
"""

from __future__ import annotations

import copy
import enum
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from overrides import spec
from overrides.openapi.document import (
    MISSING,
    Json,
    is_openapi_30,
    join,
    mapping,
    reference,
    resolve,
    split,
)

EVERY = "*"


class Outcome(enum.StrEnum):
    """What became of an override (the table in design.md tells what follows from it)."""

    APPLIED = "applied"
    OBSOLETE = "obsolete"
    DRIFTED = "drifted"
    ABSENT = "absent"


@dataclass(frozen=True)
class Override:
    """An override module, checked."""

    name: str
    defect: str
    evidence: str
    seen_at: tuple[str, ...]
    after: tuple[str, ...]
    cure: Callable[[Patch], None]


@dataclass(frozen=True)
class Change:
    """A place that an override changed, and what stood there before."""

    pointer: str
    op: str  # replace, add, remove, or name: moved to the components
    old: Any = MISSING
    new: Any = MISSING


@dataclass(frozen=True)
class Drift:
    """A place that holds something else than the override knows how to judge."""

    pointer: str
    expected: str
    found: str


@dataclass
class Patch:
    """What an override works with: the document, and the ways to change it and to complain."""

    document: Json
    changes: list[Change] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    legal: bool = False

    def get(self, pointer: str) -> Any:
        """Return what stands at the pointer now, or MISSING."""
        return resolve(self.document, pointer)

    def replace(self, pointer: str, new: Any) -> None:
        """Put something else at a place that exists; the same again is no change."""
        old = self.get(pointer)
        if old is MISSING:
            raise LookupError(f"nothing to replace at {pointer}")
        if old != new:
            self._set(pointer, new)
            self.changes.append(Change(pointer, "replace", copy.deepcopy(old), copy.deepcopy(new)))

    def add(self, pointer: str, new: Any) -> None:
        """Add a member to an object."""
        if self.get(pointer) is not MISSING:
            raise LookupError(f"something stands at {pointer} already")
        self._set(pointer, new)
        self.changes.append(Change(pointer, "add", new=copy.deepcopy(new)))

    def put(self, pointer: str, new: Any) -> None:
        """Add or replace, whichever it takes."""
        if self.get(pointer) is MISSING:
            self.add(pointer, new)
        else:
            self.replace(pointer, new)

    def remove(self, pointer: str) -> None:
        """Take a member out of an object or an array."""
        old = self.get(pointer)
        if old is MISSING:
            raise LookupError(f"nothing to remove at {pointer}")
        holder, last = self._holder(pointer)
        del holder[int(last) if isinstance(holder, list) else last]
        self.changes.append(Change(pointer, "remove", copy.deepcopy(old)))

    def name(self, pointer: str, name: str, schema: Json, reference: Json) -> None:
        """Move a schema to the components, if it is not there yet, and leave a reference to it."""
        components = self.document.setdefault("components", {})
        home = mapping(components).setdefault("schemas", {})
        if not isinstance(components, dict) or not isinstance(home, dict):
            raise LookupError("no room for schemas among the components")
        home.setdefault(name, copy.deepcopy(schema))
        old = copy.deepcopy(self.get(pointer))
        self._set(pointer, reference)
        self.changes.append(Change(pointer, "name", old, copy.deepcopy(reference)))

    def allow_null(self, pointer: str) -> None:
        """Make a schema accept null, in the way of the document's OpenAPI version."""
        schema = mapping(self.get(pointer))
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            self.replace(join(pointer, "enum"), [*schema["enum"], None])
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            self.replace(pointer, reference(self.document, schema["$ref"], rest, nullable=True))
        elif is_openapi_30(self.document):
            self.put(join(pointer, "nullable"), True)
        elif isinstance(schema.get("type"), str):
            self.replace(join(pointer, "type"), [schema["type"], "null"])
        else:  # something composed
            self.replace(pointer, {"anyOf": [schema, {"type": "null"}]})

    def drifted(self, pointer: str, *, expected: str, found: Any) -> None:
        """Report a place that somebody has to judge again."""
        said = found if isinstance(found, str) else repr(found)
        self.drifts.append(Drift(pointer, expected, shorten(said)))

    def not_concerned(self) -> None:
        """Say that in such a document the thing is legal: neither a defect nor a cured one."""
        self.legal = True

    def _holder(self, pointer: str) -> tuple[Any, str]:
        *above, last = split(pointer)
        return resolve(self.document, join("", *above)), last

    def _set(self, pointer: str, new: Any) -> None:
        holder, last = self._holder(pointer)
        if isinstance(holder, dict):
            holder[last] = copy.deepcopy(new)
        elif isinstance(holder, list):
            holder[int(last)] = copy.deepcopy(new)
        else:
            raise LookupError(f"nothing that could hold {pointer}")


@dataclass(frozen=True)
class Report:
    """What one override did to one document."""

    override: Override
    outcome: Outcome
    changes: tuple[Change, ...]
    drifts: tuple[Drift, ...]
    # the places of SEEN_AT, judged one by one
    cured: tuple[str, ...]  # still had the defect
    fixed: tuple[str, ...]  # there, without the defect
    gone: tuple[str, ...]  # not in the document
    new_places: tuple[str, ...]  # cured by the rule, and not in SEEN_AT

    @property
    def name(self) -> str:
        """The override's name, which is its module's."""
        return self.override.name

    @property
    def messages(self) -> list[str]:
        """The report as lines for a person."""
        source = f"overrides/spec/{self.name}.py"
        said = {
            Outcome.APPLIED: f"applied, {len(self.changes)} changes",
            Outcome.OBSOLETE: "obsolete: no place has the defect any more (upstream fixed it): "
            f"delete {source}",
            Outcome.DRIFTED: f"drifted: judge it again in {source} ({self.override.defect})",
            Outcome.ABSENT: "absent: this document has none of its places",
        }[self.outcome]
        lines = [f"{self.name}: {said}"]
        for drift in self.drifts:
            place = drift.pointer or "the document"
            lines.append(f"  at {place}: expected {drift.expected}, found {drift.found}")
        if self.outcome is Outcome.APPLIED:
            lines += [f"  fixed upstream at {place}" for place in self.fixed]
            lines += [f"  also cured at {place}" for place in self.new_places]
        return lines


@dataclass(frozen=True)
class Result:
    """A patched document and the report of every override, in the order they ran."""

    document: Json
    reports: tuple[Report, ...]

    def with_outcome(self, outcome: Outcome) -> list[Report]:
        """Return the reports that came out like this."""
        return [report for report in self.reports if report.outcome is outcome]

    @property
    def stale(self) -> list[Report]:
        """What stops `generate`: obsolete and drifted overrides."""
        return self.with_outcome(Outcome.OBSOLETE) + self.with_outcome(Outcome.DRIFTED)


def load_overrides() -> list[Override]:
    """Find every module in overrides/spec and put them in the order in which they run."""
    found = [
        _checked(name, importlib.import_module(f"{spec.__name__}.{name}"))
        for _, name, _ in pkgutil.iter_modules(spec.__path__)
        if not name.startswith("_")
    ]
    return in_order(found)


def _checked(name: str, module: Any) -> Override:
    for needed in ("DEFECT", "EVIDENCE", "SEEN_AT", "cure"):
        if not hasattr(module, needed):
            raise TypeError(f"overrides/spec/{name}.py does not define {needed}")
    return Override(
        name=name,
        defect=module.DEFECT,
        evidence=module.EVIDENCE,
        seen_at=tuple(module.SEEN_AT),
        after=tuple(getattr(module, "AFTER", ())),
        cure=module.cure,
    )


def in_order(overrides: Iterable[Override]) -> list[Override]:
    """Sort by AFTER, then by name. Names of overrides that were deleted meanwhile do not matter."""
    named = {override.name: override for override in overrides}
    early = {name for name, override in named.items() if EVERY not in override.after}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, override in named.items():
        before = set(override.after) & set(named)
        if EVERY in override.after:
            before |= early
        sorter.add(name, *sorted(before))
    sorter.prepare()
    order: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()])
        order.append(ready.pop(0))
        sorter.done(order[-1])
    return [named[name] for name in order]


def apply_overrides(document: Json, overrides: Sequence[Override] | None = None) -> Result:
    """Apply all overrides to a copy of the document."""
    patched = _unshared(document)
    if overrides is None:
        overrides = load_overrides()
    reports = tuple(_apply(override, patched, document) for override in overrides)
    return Result(patched, reports)


def _unshared(value: Any) -> Any:
    """Copy deeply, and twice what stands twice: YAML's aliases would be cured together."""
    if isinstance(value, dict):
        return {name: _unshared(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_unshared(member) for member in value]
    return copy.copy(value)


def _apply(override: Override, patched: Json, published: Json) -> Report:
    patch = Patch(patched)
    try:
        override.cure(patch)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # A document can be odd in ways that no rule foresees. That has to stop a generation
        # with the override's name, not with a traceback.
        said = f"{type(error).__name__}: {error}"
        patch.drifted("", expected="a document that the rule can read", found=said)
    there = [place for place in override.seen_at if resolve(published, place) is not MISSING]
    if patch.drifts:
        outcome = Outcome.DRIFTED
    elif patch.changes:
        outcome = Outcome.APPLIED
    elif there and not patch.legal:
        outcome = Outcome.OBSOLETE
    else:
        outcome = Outcome.ABSENT
    changed = [change.pointer for change in patch.changes]
    cured = [place for place in there if any(_within(pointer, place) for pointer in changed)]
    new_places = [
        pointer
        for pointer in changed
        if not any(_within(pointer, place) for place in override.seen_at)
    ]
    return Report(
        override=override,
        outcome=outcome,
        changes=tuple(patch.changes),
        drifts=tuple(patch.drifts),
        cured=tuple(cured),
        fixed=tuple(place for place in there if place not in cured),
        gone=tuple(place for place in override.seen_at if place not in there),
        new_places=tuple(new_places),
    )


def _within(pointer: str, place: str) -> bool:
    return pointer == place or pointer.startswith(place + "/")


def ledger(result: Result) -> Json:
    """Return what is written to openapi/overrides.json: every change, and what stood there."""
    entries: Json = {}
    for report in sorted(result.reports, key=lambda report: report.name):
        entry: Json = {"defect": report.override.defect, "outcome": report.outcome.value}
        if report.changes:
            entry["places"] = [_entry(change) for change in report.changes]
        if report.drifts:
            entry["drifted"] = [
                {"pointer": drift.pointer, "expected": drift.expected, "found": drift.found}
                for drift in report.drifts
            ]
        entries[report.name] = entry
    return entries


def _entry(change: Change) -> Json:
    entry: Json = {"pointer": change.pointer, "op": change.op}
    if change.old is not MISSING:
        entry["old"] = change.old
    if change.new is not MISSING:
        entry["new"] = change.new
    return entry


def messages(result: Result) -> list[str]:
    """Return the whole report as lines, what needs a person first."""
    order = (Outcome.OBSOLETE, Outcome.DRIFTED, Outcome.ABSENT, Outcome.APPLIED)
    return [
        line
        for outcome in order
        for report in result.with_outcome(outcome)
        for line in report.messages
    ]


def shorten(said: str, limit: int = 200) -> str:
    """Cut a long text in its middle, where a reader misses least."""
    if len(said) <= limit:
        return said
    half = (limit - 5) // 2
    return f"{said[:half]} ... {said[-half:]}"
