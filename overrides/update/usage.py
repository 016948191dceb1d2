"""Which hand-written files use what an update takes from the API, and which it can adapt itself?

The pages, the examples, the tests and parts of the package name operations, fields and enum values.
A field that was renamed is renamed in them by the update. Of everything else that is gone, or has
to be given from now on, the report lists the files that use it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ..openapi.diff import DocumentChange, key_of
from ..openapi.document import Json, operations, text
from ..paths import GENERATED, PACKAGE, ROOT, write
from .api_diff import diff_apis
from .api_snapshot import Facts

Patterns = Mapping[str, re.Pattern[str]]
Where = Literal["failure", "file", "package"]
Texts = Mapping[str, str]  # path from the root -> content

_SOURCES = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs",
    "examples",
    "benchmarks",
    "tests",
    "whereby_api_client",
)
_SUFFIXES = (".md", ".py")
# generated, history, or of a document of their own
_OTHERS = (
    GENERATED.as_posix(),
    "docs/changelog.md",
    "docs/regeneration.md",
    "tests/overrides/",
    "tests/helpers/override_",
    "tests/helpers/planted_changes.py",
)
# what Whereby sends to webhooks is not in the document, nor are its names
_WEBHOOKS = "whereby_api_client/webhooks/"


def sources(root: Path) -> dict[str, str]:
    """Read the hand-written files that can use the API."""
    paths = [file for name in _SOURCES for file in _files(root / name)]
    texts = {file.relative_to(root).as_posix(): file for file in paths}
    return {
        path: file.read_text(encoding="utf-8")
        for path, file in texts.items()
        if not path.startswith(_OTHERS)
    }


def is_rewritten_by_hand(path: str) -> bool:
    """Return whether a file is one that may use the API, and is no part of what ships."""
    return path.startswith(_SOURCES[:-1]) and not path.startswith(_OTHERS)


def _files(path: Path) -> Iterable[Path]:
    every = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in every if file.suffix in _SUFFIXES]


# --------------------------------------------------------------------------------- renamed fields


def renamed_words(changes: Iterable[DocumentChange], old: Json, new: Json) -> dict[str, str]:
    """Return the words to replace for the fields that were renamed, in JSON and in Python.

    Only for a name that nothing in the new document has any more, and of more than one word:
    `state` can mean anything, `roomUrl` cannot.
    """
    pairs = {change.renamed for change in changes if change.renamed is not None}
    before, after = set(_names(old)), set(_names(new))
    words: dict[str, str] = {}
    for was, now in sorted(pairs):
        is_known = [first for first, _ in pairs].count(was) == 1
        if is_known and was not in after and now not in before and _snake(was) != was:
            words |= {was: now, _snake(was): _snake(now)}
    return words


def rewritten(texts: Texts, words: Mapping[str, str]) -> dict[str, str]:
    """Return the files in which words are replaced, as they are then."""
    of_webhooks = "\n".join(text for path, text in texts.items() if path.startswith(_WEBHOOKS))
    words = {old: new for old, new in words.items() if not re.search(rf"\b{old}\b", of_webhooks)}
    if not words:
        return {}
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
    new = {path: pattern.sub(lambda m: words[m[0]], text) for path, text in texts.items()}
    return {path: text for path, text in new.items() if text != texts[path]}


def write_formatted(texts: Texts, into: Path) -> None:
    """Write files below a folder, their code with the line breaks that its new words need."""
    for path, content in texts.items():
        write(into / path, content)
    code = [str(into / path) for path in texts if path.endswith(".py")]
    if code:
        ruff = [sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache"]
        settings = ["--config", str(ROOT / "pyproject.toml")]
        subprocess.run([*ruff, *settings, *code], check=True)


def _names(value: Any) -> Iterator[str]:
    """Return the names of all properties and parameters of a document."""
    if isinstance(value, dict):
        properties = value.get("properties")
        yield from properties if isinstance(properties, dict) else ()
        yield text(value.get("name"))
        for member in value.values():
            yield from _names(member)
    elif isinstance(value, list):
        for member in value:
            yield from _names(member)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", name)


# ------------------------------------------------------------------------------------- lost names


def lost_names(before: Facts, after: Facts) -> Facts:
    """Return the facts of what is gone, and of arguments that have to be given from now on.

    What only has another type is not among them: it can still be used.
    """
    breaking = [change.name for change in diff_apis(before, after) if change.breaking]
    gone = {name: before[name] for name in breaking if name not in after}
    return gone | {
        name: after[name]
        for name in breaking
        if name.endswith(")") and " = " not in after.get(name, " = ")
        if " = " in before.get(name, " = ")
    }


def required_fields(before: Facts, after: Facts) -> Facts:
    """Return the new fields without which a response cannot be read, one that a test made up."""
    return {
        name: fact
        for name, fact in after.items()
        if name not in before
        and name.rpartition(".")[0] in before
        and fact.startswith("field ")
        and " = " not in fact
    }


def gone_operations(old: Json, new: Json) -> Facts:
    """Return the operations that a document has no more: what uses them may do so by HTTP."""
    before, after = ({key_of(o): o for o in operations(document)} for document in (old, new))
    return {
        f"{before[key].method.upper()} {before[key].path}": "operation"
        for key in sorted(before.keys() - after.keys())
    }


def patterns(facts: Facts, api: Facts, *, where: Where = "failure") -> Patterns:
    """Return how to find the uses of names, beside what the API has.

    Args:
        facts: The names to find, and what they are.
        api: All that the API has.
        where: A failure and the test that failed may use a name where a file alone would not; in
            the package, a quoted word is a use of a field only when it cannot mean anything else.
    """
    return {
        name: re.compile("|".join(_spellings(name, fact, api, where)))
        for name, fact in facts.items()
    }


def mentioned(text: str, names: Patterns) -> list[str]:
    """Return those of the names that a text mentions."""
    return [name for name, pattern in names.items() if pattern.search(text)]


def users(texts: Texts, lost: Facts, api: Facts) -> dict[str, list[str]]:
    """Return the files that use each of the lost names; a name that none uses is left out.

    What the API has, and that has to be given from now on, is used by what calls or makes its
    owner.
    """
    owners = {name: re.compile(_call(name)) for name in lost if name in api}
    names = {**patterns(lost, api, where="file"), **owners}
    names_in_package = {**patterns(lost, api, where="package"), **owners}
    using: dict[str, list[str]] = {}
    for path, content in texts.items():
        is_package = path.startswith(f"{PACKAGE.name}/")
        for name in mentioned(content, names_in_package if is_package else names):
            using.setdefault(name, []).append(path)
    return using


def _call(name: str) -> str:
    """Write the pattern of calls that lack an argument, or make a model without a field."""
    owner, _, last = name.removesuffix(")").rpartition("(" if "(" in name else ".")
    owner = owner.removeprefix("WherebyClient.").removeprefix("models.")
    return rf"\b{re.escape(owner)}\((?!{_ENCLOSED}*\b{last}\b)"


# the arguments of a call, with calls among them
_ENCLOSED = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))"


def _spellings(name: str, fact: str, api: Facts, where: Where) -> Iterator[str]:
    """Write the patterns that find a name: in Python, in JSON, in a message."""
    if fact == "operation":
        # the fake keeps its handlers: an operation may come back
        yield from _of_operation(name, where) if where != "package" else ("(?!)",)
        return
    function, _, argument = name.removesuffix(")").partition("(")
    owner, _, last = (function, "", argument) if argument else function.rpartition(".")
    owner = owner.removeprefix("WherebyClient.").rpartition("models.")[2]
    if fact.startswith("member "):
        value = ast.literal_eval(fact.removeprefix("member "))
        yield rf"\b{owner}\.{last}\b"
        if fact not in api.values():
            yield rf"""['"`]{re.escape(str(value))}['"`]"""
    elif fact.startswith(("field ", "keyword ", "positional ")):
        yield from _of_field(owner, last, is_argument=bool(argument))
        others = (known for known in api if known != name)
        is_only_one = not any(re.search(rf"\b{last}\)?$", known) for known in others)
        if is_only_one and last != _camel(last):
            yield rf"\b(?:{last}|{_camel(last)})\b"
        elif is_only_one:  # any text can have it
            yield rf"\.{last}\b(?!\()|\b{last}="
            if where != "package":
                yield rf"""['"`]{last}['"`]"""
    elif name.startswith("WherebyClient."):
        yield rf"\b{re.escape(f'{owner}.{last}')}\b"
        yield _together(_resource(owner), last)
    else:  # other classes may be called so
        yield rf"\bmodels(?:\.| import [^\n]*| import \([^)]*)\b{last}\b|['\"]{last}['\"]"
        yield rf"\bmodels/{_snake(last[:1].lower() + last[1:])}\.py\b"
        if where == "failure":
            yield rf"\b{last}[:.(]"


def _of_operation(name: str, where: Where) -> Iterator[str]:
    """Write the patterns of calls by HTTP: `POST /meetings`, `client.post("/meetings")`."""
    method, _, path = name.partition(" ")
    parts = [re.escape(part) for part in re.split(r"{\w+}", path)]
    target = r"[^/\s\"'?]+".join(parts) + r"(?![\w/%-])"
    yield rf"(?i:\b{method}\b)[\"'`(,\s]*f?[\"']?[^\s\"']*?{target}"
    if where == "failure":  # the address may be in another line
        yield rf"(?is:\b{method}\b.{{,400}}{target}|{target}.{{,400}}\b{method}\b)"


def _of_field(owner: str, last: str, *, is_argument: bool) -> Iterator[str]:
    """Write the patterns of a name beside its owner: all that can be where others have it, too."""
    words = rf"\b(?:{last}|{_camel(last)})\b"
    beside = rf"(?i:\b{re.escape(owner)})\b"
    yield rf"{beside}.*{words}|{words}.*{beside}"
    if is_argument:
        holder, _, method = owner.rpartition(".")
        yield rf"{beside}\({_ENCLOSED}*{words}"
        # Unexpected keyword argument "limit" for "list" of "Meetings"
        yield rf"{words}.*\"{method}\" of \"{_resource(holder)}\""


def _together(owner: str, attribute: str) -> str:
    """Write the pattern of messages: "Meetings" has no attribute "delete"."""
    quoted = [rf"""['"]{word}['"]""" for word in (owner, attribute)]
    return ".*".join(quoted) + "|" + ".*".join(reversed(quoted))


def _resource(tag: str) -> str:
    return "".join(part.capitalize() for part in tag.split("_"))


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
