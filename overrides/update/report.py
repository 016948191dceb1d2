"""The report of an update: what changed, what to do about it, and what to release.

The same sections are written for a terminal and as Markdown.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..engine import Outcome, Result
from ..openapi.diff import Difference, key_of
from ..openapi.document import Json, mapping, operations, sequence, split, text
from .api_diff import ApiChange


@dataclass(frozen=True)
class Section:
    """A heading, and lines below it."""

    title: str
    lines: tuple[str, ...]
    urgent: bool = False


@dataclass(frozen=True)
class Report:
    """A headline and sections."""

    headline: str
    sections: tuple[Section, ...]

    def markdown(self) -> str:
        """Write the report as Markdown."""
        parts = [f"# {self.headline}"]
        for section in self.sections:
            lines = [f"- {line}" if not line.startswith("```") else line for line in section.lines]
            parts.append("\n".join([f"## {section.title}", "", *lines]))
        return "\n\n".join(parts) + "\n"

    def terminal(self, *, width: int = 100, colour: bool = False) -> str:
        """Write the report for a terminal."""
        bold, red, plain = ("\x1b[1m", "\x1b[31m", "\x1b[0m") if colour else ("", "", "")
        parts = [f"{bold}{self.headline}{plain}"]
        for section in self.sections:
            start = red if section.urgent else bold
            wrapped = [
                textwrap.fill(
                    line.replace("`", ""),
                    width,
                    initial_indent="  ",
                    subsequent_indent="      ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                for raw in section.lines
                for line in (raw.splitlines()[1:-1] if raw.startswith("```") else [raw])
            ]
            parts.append("\n".join([f"{start}{section.title}{plain}", *wrapped]))
        return "\n\n".join(parts) + "\n"


@dataclass(frozen=True)
class Facts:
    """What an update found out, for the report to tell."""

    origin: str
    notes: tuple[str, ...]
    differences: list[Difference]
    result: Result
    old_ledger: Json
    api: list[ApiChange]
    version: str


def report(facts: Facts) -> Report:
    """Tell what an update found out, what somebody has to act on first."""
    api, result = facts.api, facts.result
    step, reason = suggestion(facts)
    said = [difference for difference in facts.differences if not difference.is_text]
    limits = [difference for difference in facts.differences if difference.is_limit]
    texts = [d for d in facts.differences if d.is_text and not d.is_limit]
    sections = [
        Section("To do", tuple(_to_do(facts)), urgent=True),
        Section("Limits", tuple(map(str, limits)), urgent=True),
        Section("What changed in the document", tuple(map(str, said))),
        Section("Other texts", tuple(map(str, texts))),
        Section("Breaks callers", tuple(c.told for c in api if c.breaking), urgent=True),
        Section("New or changed in the Python API", tuple(c.told for c in api if not c.breaking)),
        Section("Overrides", tuple(_overrides(result, facts.old_ledger))),
        Section("Notes", facts.notes),
        Section("Suggested version", (f"{step}: {reason}",)),
        Section("Suggested CHANGELOG entry", tuple(_changelog(facts, step))),
    ]
    changed = len(said) + len(limits)
    breaking = sum(change.breaking for change in api)
    headline = (
        f"{facts.origin}: {_count(changed, 'change')}, {_count(len(texts), 'other text')}, "
        f"{breaking or 'none'} of the API's changes breaking"
        if facts.differences or api
        else f"{facts.origin}: nothing changed"
    )
    return Report(headline, tuple(section for section in sections if section.lines))


def suggestion(facts: Facts) -> tuple[str, str]:
    """Suggest a version, and say why. Below 1.0 a minor step is what breaks."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", facts.version)
    major, minor, patch = map(int, found.groups()) if found else (0, 0, 0)
    if not (facts.api or facts.differences):
        return facts.version, "nothing changed, nothing to release"
    if any(change.breaking for change in facts.api):
        new = f"{major + 1}.0.0" if major else f"0.{minor + 1}.0"
        return new, f"{'major' if major else 'minor'} step from {facts.version}: it breaks callers"
    if facts.api and major:
        return f"{major}.{minor + 1}.0", f"minor step from {facts.version}: it adds to the API"
    why = "it adds to the API" if facts.api else "the Python API is the same"
    return f"{major}.{minor}.{patch + 1}", f"patch step from {facts.version}: {why}"


def _to_do(facts: Facts) -> Iterator[str]:
    for stale in facts.result.with_outcome(Outcome.OBSOLETE):
        yield (
            f"fixed upstream: delete `overrides/spec/{stale.name}.py` ({stale.override.defect}) "
            "and its tests; `make generate` and `make check` stop until then"
        )
    for stale in facts.result.with_outcome(Outcome.DRIFTED):
        yield f"judge again: `overrides/spec/{stale.name}.py` ({stale.override.defect})"
        yield from (
            f"at {spoken(d.pointer)}: expected {d.expected}, found {d.found}" for d in stale.drifts
        )


def _overrides(result: Result, old_ledger: Json) -> Iterator[str]:
    """Tell each override's outcome, and where it does more or less than the last time."""
    for one in result.reports:
        if one.outcome is Outcome.OBSOLETE:
            yield f"`{one.name}`: obsolete: no place has the defect any more"
        elif one.outcome is Outcome.DRIFTED:
            yield f"`{one.name}`: drifted at {_listed(spoken(d.pointer) for d in one.drifts)}"
    for one in result.with_outcome(Outcome.APPLIED):
        before = _places(mapping(old_ledger.get(one.name)))
        after = Counter(place_of(change.pointer) for change in one.changes)
        fixed = [place_of(place) for place in one.fixed]
        less = [place for place in before if place not in after and place in fixed]
        more = [place for place in after if after[place] > before[place]] if old_ledger else []
        line = f"`{one.name}`: applied at {_count(len(after), 'place')}"
        line += f"; fixed upstream at {_listed(map(spoken, less))}" if less else ""
        line += f"; newly cured at {_listed(map(spoken, more))}" if more else ""
        yield line
    for one in result.with_outcome(Outcome.ABSENT):
        yield f"`{one.name}`: absent: this document has none of its places"


def _places(entry: Json) -> Counter[str]:
    pointers = [text(mapping(place).get("pointer")) for place in sequence(entry.get("places"))]
    return Counter(place_of(pointer) for pointer in pointers)


def place_of(pointer: str) -> str:
    """Shorten a pointer to the operation or the component that it is in."""
    tokens = pointer.split("/")
    return "/".join(tokens[:4])


def spoken(pointer: str) -> str:
    """Write a pointer for a person: `POST /meetings, requestBody/content/…`."""
    tokens = split(pointer)
    if len(tokens) > 2 and tokens[0] == "paths":
        rest = "/".join(tokens[3:])
        return f"{tokens[2].upper()} {tokens[1]}" + (f", {rest}" if rest else "")
    if len(tokens) > 2 and tokens[0] == "components":
        rest = "/".join(tokens[3:])
        return f"{tokens[1]}/{tokens[2]}" + (f", {rest}" if rest else "")
    return pointer or "the document"


def _listed(names: Iterable[str], most: int = 8) -> str:
    known = list(dict.fromkeys(names))
    rest = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + rest


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _changelog(facts: Facts, version: str) -> Iterator[str]:
    if not (facts.api or facts.differences):
        return
    lines = [f"## {version} (unreleased)", ""]
    for change in facts.api:
        lines.append(f"- {'Breaking: ' if change.breaking else ''}{_sentence(change.told)}")
    if not facts.api:
        lines.append("- Texts and details of the API's document are up to date.")
    limits = [d for d in facts.differences if d.is_limit]
    lines += [f"- {_sentence(str(limit))}" for limit in limits]
    yield "\n".join(["```markdown", *lines, "```"])


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:].rstrip(".") + "."


def renamed(old: Json, new: Json) -> list[str]:
    """Name the methods that would be called something else, each with the way to keep its name."""
    names = {key_of(o): text(o.data.get("operationId")) for o in operations(old)}
    found = []
    for operation in operations(new):
        key = key_of(operation)
        now, was = text(operation.data.get("operationId")), names.get(key)
        if was and was != now:
            method = was.partition(".")[2]
            found.append(
                f"whereby.{was} ({key}) would become whereby.{now}. To keep its name, write "
                f'"{key}": "{method}" into METHOD_NAMES in overrides/naming/operations.py'
            )
    return found
