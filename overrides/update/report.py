"""The report of an update: what changed, what to do about it, and what to release.

The same sections are written for a terminal and as Markdown.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..engine import Outcome, OverrideResult, Result
from ..openapi.diff import DocumentChange, key_of
from ..openapi.document import Json, mapping, operations, sequence, text
from ..openapi.pointers import MISSING, resolve, split
from .api_diff import ApiChange


@dataclass(frozen=True)
class Section:
    """A heading, and lines below it."""

    title: str
    lines: tuple[str, ...]


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

    def terminal(self, *, width: int = 100) -> str:
        """Write the report for a terminal."""
        parts = [self.headline]
        for section in self.sections:
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
            parts.append("\n".join([section.title, *wrapped]))
        return "\n\n".join(parts) + "\n"


@dataclass(frozen=True)
class Findings:
    """What the report of an update is made of."""

    origin: str
    notes: tuple[str, ...]
    changes: list[DocumentChange]
    result: Result
    published: Json
    old_published: Json
    old_change_list: Json
    api: list[ApiChange]
    version: str


def report(findings: Findings) -> Report:
    """Tell what an update found out, what somebody has to act on first."""
    api = findings.api
    step, reason = suggestion(findings)
    said = [change for change in findings.changes if not change.is_text]
    limits = [change for change in findings.changes if change.is_limit]
    texts = [d for d in findings.changes if d.is_text and not d.is_limit]
    sections = [
        Section("To do", tuple(_to_do(findings))),
        Section("Limits", tuple(map(str, limits))),
        Section("What changed in the document", tuple(map(str, said))),
        Section("Other texts", tuple(map(str, texts))),
        Section("Breaks callers", tuple(c.text for c in api if c.breaking)),
        Section("New or changed in the Python API", tuple(c.text for c in api if not c.breaking)),
        Section("Overrides", tuple(_overrides(findings))),
        Section("Notes", findings.notes),
        Section("Suggested version", (f"{step}: {reason}",)),
        Section("Suggested CHANGELOG entry", tuple(_changelog(findings, step))),
    ]
    changed = len(said) + len(limits)
    breaking = sum(change.breaking for change in api)
    headline = (
        f"{findings.origin}: {_count(changed, 'change')}, {_count(len(texts), 'other text')}, "
        f"{breaking or 'none'} of the API's changes breaking"
        if findings.changes or api
        else f"{findings.origin}: nothing changed"
    )
    return Report(headline, tuple(section for section in sections if section.lines))


def suggestion(findings: Findings) -> tuple[str, str]:
    """Suggest a version, and say why. Below 1.0 a minor step is what breaks."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", findings.version)
    major, minor, patch = map(int, found.groups()) if found else (0, 0, 0)
    if not (findings.api or findings.changes):
        return findings.version, "nothing changed, nothing to release"
    if any(change.breaking for change in findings.api):
        new = f"{major + 1}.0.0" if major else f"0.{minor + 1}.0"
        return (
            new,
            f"{'major' if major else 'minor'} step from {findings.version}: it breaks callers",
        )
    if findings.api and major:
        return f"{major}.{minor + 1}.0", f"minor step from {findings.version}: it adds to the API"
    why = "it adds to the API" if findings.api else "the Python API is the same"
    return f"{major}.{minor}.{patch + 1}", f"patch step from {findings.version}: {why}"


def _to_do(findings: Findings) -> Iterator[str]:
    for drifted in findings.result.with_outcome(Outcome.DRIFTED):
        override = drifted.override
        yield f"check `{override.path}` ({override.defect}; evidence: {override.evidence})"
        yield from (
            f"at {spoken(drift.path)}: expected {drift.expected}, got {drift.actual}"
            for drift in drifted.drifts
        )


def _overrides(findings: Findings) -> Iterator[str]:
    """Report each override's outcome, and where it does more or less than the last time."""
    for override in findings.result.overrides:
        old = mapping(findings.old_change_list.get(override.name))
        if override.outcome is Outcome.DRIFTED:
            places = _listed(spoken(drift.path) for drift in override.drifts)
            yield f"`{override.name}`: drifted at {places}"
        elif override.outcome is Outcome.SLEEPING:
            yield f"`{override.name}`: sleeping; {_why_sleeping(findings, override, old)}"
        elif override.outcome is Outcome.ABSENT:
            yield f"`{override.name}`: absent, this document has none of its endpoints"
        else:
            before = _places(old)
            after = Counter(
                place_of(change.extracted_from or change.path) for change in override.changes
            )
            repaired = [place_of(place) for place in override.repaired]
            less = [place for place in before if place not in after and place in repaired]
            more = [p for p in after if after[p] > before[p]] if findings.old_change_list else []
            line = f"`{override.name}`: applied at {_count(len(after), 'place')}"
            line += f"; repaired by Whereby at {_listed(map(spoken, less))}" if less else ""
            line += f"; new at {_listed(map(spoken, more))}" if more else ""
            yield line


def _why_sleeping(findings: Findings, override: OverrideResult, old: Json) -> str:
    """Return where the defect was repaired, and where what had it is gone."""
    changed = [text(mapping(change).get("path")) for change in sequence(old.get("changes"))]
    paths = changed or list(override.override.seen_at)
    gone = [path for path in paths if _is_gone(findings, path)]
    repaired = dict.fromkeys(place_of(path) for path in paths if path not in gone)
    parts = [f"repaired by Whereby at {_listed(map(spoken, repaired))}"] if repaired else []
    parts += [f"its place is gone: {_listed(map(spoken, gone))}"] if gone else []
    return "; ".join(parts)


def _is_gone(findings: Findings, path: str) -> bool:
    """Return whether a place that had the defect is not in the published document any more."""
    if resolve(findings.published, place_of(path)) is MISSING:
        return True
    holder = path.rpartition("/")[0]
    was_there = resolve(findings.old_published, holder) is not MISSING
    return was_there and resolve(findings.published, holder) is MISSING


def _places(entry: Json) -> Counter[str]:
    pointers = [text(mapping(change).get("path")) for change in sequence(entry.get("changes"))]
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


def _changelog(findings: Findings, version: str) -> Iterator[str]:
    if not (findings.api or findings.changes):
        return
    lines = [f"## {version} (unreleased)", ""]
    for change in findings.api:
        lines.append(f"- {'Breaking: ' if change.breaking else ''}{_sentence(change.text)}")
    if not findings.api:
        lines.append("- Texts and details of the API's document are up to date.")
    limits = [d for d in findings.changes if d.is_limit]
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
