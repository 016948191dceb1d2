"""The report of an update: what changed, what to do about it, and what to release.

The same sections are written for a terminal and as Markdown.
"""

from __future__ import annotations

import datetime
import re
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine import Outcome, OverrideResult, Result, changed_pointers
from ..openapi.diff import DocumentChange, diff_published, key_of
from ..openapi.document import Json, mapping, operations, sequence, text
from ..openapi.pointers import MISSING, resolve, split
from .api_diff import ApiChange, dotted
from .revisions import Revision

# days after which the report suggests to delete an override that sleeps
LONG_SLEEP = 365


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
    changes: list[DocumentChange]  # of the patched document
    result: Result
    published: Json
    old_published: Json
    old_change_list: dict[str, Json]
    api: list[ApiChange] | None  # None: the update stopped before the package was there
    version: str
    today: str  # ISO 8601
    earlier: Revision | None = None  # the revision that the document is again
    adapted: tuple[str, ...] = ()  # hand-written files in which renamed fields were renamed
    users: Mapping[str, list[str]] = field(default_factory=dict)  # lost name -> files that use it
    needed: Collection[str] = ()  # those of these names that are not gone, but required from now on


def make_report(findings: Findings) -> Report:
    """Return the report, what a person has to act on first."""
    api, changes = findings.api or [], findings.changes
    urgent = [change for change in changes if change.urgent and not change.breaking]
    breaking = [str(change) for change in changes if change.breaking]
    breaking += [change.text for change in api if change.breaking]
    others = [c for c in changes if not (c.urgent or c.breaking or c.is_text)]
    texts = [change for change in changes if change.is_text and not change.urgent]
    published = _hidden_changes(findings)
    step, reason = suggestion(findings)
    sections = [
        Section("An earlier document", tuple(_earlier(findings))),
        Section("To do", tuple(_to_do(findings))),
        Section("Not compared", tuple(_not_compared(findings))),
        Section("Urgent", tuple(map(str, urgent))),
        Section("Breaks callers", tuple(breaking)),
        Section("What changed in the document", tuple(map(str, [*others, *published]))),
        Section("Other texts", tuple(map(str, texts))),
        Section("New or changed in the Python API", tuple(c.text for c in api if not c.breaking)),
        Section("Overrides", tuple(_overrides(findings))),
        Section("Hand-written files", tuple(_adapted(findings))),
        Section("Notes", findings.notes),
        Section("Suggested version", (f"{step}: {reason}",)),
        Section("Suggested CHANGELOG entry", tuple(_changelog(findings, step))),
    ]
    count = len(changes) + len(published) + len(api)
    if findings.api is None:
        outcome = f"{_count(count, 'change')}; stopped, not everything was compared"
    elif not count:
        outcome = "nothing changed"
    else:
        outcome = f"{_count(count, 'change')}, {len(breaking) or 'none'} of them breaking"
        outcome += f", {_count(len(urgent), 'urgent one')}" if urgent else ""
    headline = f"{findings.origin}: {outcome}"
    return Report(headline, tuple(section for section in sections if section.lines))


def _hidden_changes(findings: Findings) -> list[DocumentChange]:
    """Return what changed as published where an override makes both the same."""
    old_paths = [
        text(change.get("path"))
        for entry in findings.old_change_list.values()
        for change in map(mapping, sequence(entry.get("changes")))
        if not _is_extraction(change.get("old"), change.get("value"))
    ]
    new_paths = [
        change.path
        for override in findings.result.overrides
        for change in override.changes
        if not _is_extraction(change.old, change.value)
    ]
    changes = diff_published(findings.old_published, findings.published, old_paths, new_paths)
    return [change for change in changes if not _is_known(change, findings.changes)]


def _is_known(published: DocumentChange, changes: list[DocumentChange]) -> bool:
    """Return whether a change is one of the patched document as well: no override hides it."""
    pointer, _, values = published.text.partition(": ")
    ending = f" {pointer.rpartition('/')[2]}: {values}"
    start = published.where.removeprefix("schemas/")
    return any(start in change.where and change.text.endswith(ending) for change in changes)


def _is_extraction(old: Any, value: Any) -> bool:
    """Return whether a schema was replaced by a reference to a component with its content."""
    parts = [value, *sequence(mapping(value).get("allOf")), *sequence(mapping(value).get("anyOf"))]
    is_reference = any("$ref" in mapping(part) for part in parts)
    return isinstance(old, dict) and "$ref" not in old and is_reference


def suggestion(findings: Findings) -> tuple[str, str]:
    """Return the version to release, and why. Below 1.0 a minor step is what breaks."""
    version, api = findings.version, findings.api
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    major, minor, patch = map(int, match.groups()) if match else (0, 0, 0)
    if api is None:
        return version, "not known, the update stopped"
    if not (api or findings.changes):
        return version, "nothing changed, nothing to release"
    if any(c.breaking for c in api) or any(c.breaking for c in findings.changes):
        new = f"{major + 1}.0.0" if major else f"0.{minor + 1}.0"
        return new, f"{'major' if major else 'minor'} step from {version}: it breaks callers"
    if api and major:
        return f"{major}.{minor + 1}.0", f"minor step from {version}: it adds to the API"
    why = "it adds to the API" if api else "the Python API is the same"
    return f"{major}.{minor}.{patch + 1}", f"patch step from {version}: {why}"


def _earlier(findings: Findings) -> Iterator[str]:
    if findings.earlier is not None:
        yield (
            f"This is the document of {findings.earlier.date} again: Whereby went back to it, or "
            "the source is old. Make sure which before it is released."
        )


def _not_compared(findings: Findings) -> Iterator[str]:
    if findings.api is None:
        yield "the Python API, its types and the contract test: the update stopped before them"


def _days(since: str, until: str) -> int:
    return (datetime.date.fromisoformat(until) - datetime.date.fromisoformat(since)).days


def _to_do(findings: Findings) -> Iterator[str]:
    for asleep in findings.result.with_outcome(Outcome.SLEEPING):
        since = text(findings.old_change_list.get(asleep.name, {}).get("since"))
        if since and _days(since, findings.today) >= LONG_SLEEP:
            yield (
                f"consider deleting `{asleep.override.path}`, which has been sleeping since "
                f"{since}; but published documents have gone back to what they were"
            )
    for name, files in findings.users.items():
        listed = _listed(files, most=99)
        if name in findings.needed:
            yield f"give `{dotted(name)}`, which is required now: {listed}"
        else:
            yield f"rewrite what uses `{dotted(name)}`, which is gone: {listed}"
    for drifted in findings.result.with_outcome(Outcome.DRIFTED):
        override = drifted.override
        yield f"check `{override.path}` ({override.defect}; evidence: {override.evidence})"
        yield from (
            f"at {spoken(drift.path)}: expected {drift.expected}, got {drift.actual}"
            for drift in drifted.drifts
        )


def _adapted(findings: Findings) -> Iterator[str]:
    if findings.adapted:
        yield f"renamed fields have their new names in {_listed(findings.adapted, most=99)}"


def _overrides(findings: Findings) -> Iterator[str]:
    """Report the overrides that do something else than the last time, and sum up the others."""
    unchanged: dict[Outcome, list[str]] = {}
    for override in findings.result.overrides:
        old = findings.old_change_list.get(override.name, {})
        same_outcome = old.get("outcome") == override.outcome
        details = _details(findings, override, old)
        if same_outcome and not details:
            unchanged.setdefault(override.outcome, []).append(override.name)
        else:
            yield f"`{override.name}`: {override.outcome}{details}"
    for outcome, names in sorted(unchanged.items()):
        yield f"{outcome} as before: {len(names)}" + (
            f" ({', '.join(names)})" if outcome is not Outcome.APPLIED else ""
        )


def _details(findings: Findings, override: OverrideResult, old: Json) -> str:
    """Return what is different from the last time; empty when nothing is."""
    if override.outcome is Outcome.DRIFTED:
        return f" at {_listed(spoken(drift.path) for drift in override.drifts)}"
    if override.outcome is Outcome.SLEEPING:
        if old.get("outcome") == Outcome.SLEEPING:
            return ""
        return f"; {_why_sleeping(findings, override, old)}"
    if override.outcome is Outcome.ABSENT:
        return "" if old.get("outcome") == Outcome.ABSENT else ", its endpoints are gone"
    before = _elements(old)
    changed = dict.fromkeys(change.extracted_from or change.path for change in override.changes)
    after = Counter(map(element_of, changed))
    repaired = [element_of(element) for element in override.repaired]
    less = [element for element in before if element not in after and element in repaired]
    gone = [element for element in before if resolve(findings.published, element) is MISSING]
    more = [element for element in after if after[element] > before[element]]
    if not findings.old_change_list:
        return f" at {_count(len(after), 'place')}"
    details = f"; repaired by Whereby at {_listed(map(spoken, less))}" if less else ""
    details += f"; gone: {_listed(map(spoken, gone))}" if gone else ""
    return details + (f"; new at {_listed(map(spoken, more))}" if more else "")


def _why_sleeping(findings: Findings, override: OverrideResult, old: Json) -> str:
    """Return where the defect was repaired, and where what had it is gone."""
    paths = changed_pointers(old) or list(override.override.seen_at)
    gone = [path for path in paths if _is_gone(findings, path)]
    repaired = dict.fromkeys(element_of(path) for path in paths if path not in gone)
    parts = [f"repaired by Whereby at {_listed(map(spoken, repaired))}"] if repaired else []
    parts += [f"its place is gone: {_listed(map(spoken, gone))}"] if gone else []
    return "; ".join(parts)


def _is_gone(findings: Findings, path: str) -> bool:
    """Return whether a place that had the defect is not in the published document any more."""
    if resolve(findings.published, element_of(path)) is MISSING:
        return True
    holder = path.rpartition("/")[0]
    was_there = resolve(findings.old_published, holder) is not MISSING
    return was_there and resolve(findings.published, holder) is MISSING


def _elements(entry: Json) -> Counter[str]:
    """Return the operations and components that an override changed, and at how many places."""
    return Counter(element_of(pointer) for pointer in changed_pointers(entry))


def element_of(pointer: str) -> str:
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


def changelog(findings: Findings) -> list[str]:
    """Return the lines of the CHANGELOG entry; none when there is nothing to release."""
    api = findings.api
    if api is None or not (api or findings.changes):
        return []
    breaking = [str(change) for change in findings.changes if change.breaking]
    breaking += [change.text for change in api if change.breaking]
    urgent = [change for change in findings.changes if change.urgent and not change.breaking]
    lines = [f"- Breaking: {_sentence(line)}" for line in breaking]
    lines += [f"- {_sentence(change.text)}" for change in api if not change.breaking]
    lines += [f"- {_sentence(str(change))}" for change in urgent]
    return lines or ["- Texts and details of the API's document are up to date."]


def _changelog(findings: Findings, version: str) -> Iterator[str]:
    if lines := changelog(findings):
        yield "\n".join(["```markdown", f"## {version} ({findings.today})", "", *lines, "```"])


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def renamed(old: Json, new: Json) -> list[str]:
    """Name the methods that would be called something else, each with the way to keep its name."""
    names = {key_of(o): text(o.data.get("operationId")) for o in operations(old)}
    lines = []
    for operation in operations(new):
        key = key_of(operation)
        now, was = text(operation.data.get("operationId")), names.get(key)
        if was and was != now:
            method = was.partition(".")[2]
            lines.append(
                f"whereby.{was} ({key}) would become whereby.{now}. To keep its name, write "
                f'"{key}": "{method}" into METHOD_NAMES in overrides/naming/operations.py'
            )
    return lines
