"""What an override works on: a document and the changes made to it, as in JSON Patch (RFC 6902).

The overrides themselves, one for each kind of defect, are the modules of `overrides/spec`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from .errors import shorten
from .openapi.document import Json, is_openapi_30, mapping, reference, same
from .openapi.pointers import MISSING, join, resolve, split


@dataclass(frozen=True)
class Change:
    """One operation of a JSON Patch, and the value that it overwrote or removed."""

    op: str  # add, replace or remove
    path: str
    value: Any = MISSING
    old: Any = MISSING
    extracted_from: str = ""  # of an added component: where its schema was written inline

    def to_json(self) -> Json:
        """Return the operation as RFC 6902 writes it; `old` is an addition of ours."""
        data: Json = {"op": self.op, "path": self.path}
        if self.extracted_from:
            data["from"] = self.extracted_from
        if self.value is not MISSING:
            data["value"] = self.value
        if self.old is not MISSING:
            data["old"] = self.old
        return data


@dataclass(frozen=True)
class Drift:
    """A place that holds something else than an override can handle."""

    path: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"at {self.path or 'the document'}: expected {self.expected}, got {self.actual}"


@dataclass
class Patch:
    """What an override works with: the document, and the ways to change it or to report a drift."""

    document: Json
    changes: list[Change] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    applicable: bool = True

    def get(self, path: str) -> Any:
        """Return the value at the pointer, or MISSING."""
        return resolve(self.document, path)

    def replace(self, path: str, value: Any) -> None:
        """Replace a value that exists; an equal value is no change.

        Raises:
            LookupError: nothing is there.
        """
        old = self.get(path)
        if old is MISSING:
            raise LookupError(f"nothing to replace at {path}")
        if not same(old, value):
            self._set(path, value)
            self.changes.append(
                Change("replace", path, copy.deepcopy(value), old=copy.deepcopy(old))
            )

    def add(self, path: str, value: Any) -> None:
        """Add a member to an object.

        Raises:
            LookupError: there is one already, or no object that could hold it.
        """
        self._add(path, value)

    def put(self, path: str, value: Any) -> None:
        """Add or replace a member of an object."""
        if self.get(path) is MISSING:
            self.add(path, value)
        else:
            self.replace(path, value)

    def remove(self, path: str) -> None:
        """Remove a member of an object or an item of an array.

        Raises:
            LookupError: nothing is there.
        """
        old = self.get(path)
        if old is MISSING:
            raise LookupError(f"nothing to remove at {path}")
        holder, last = self._holder(path)
        del holder[int(last) if isinstance(holder, list) else last]
        self.changes.append(Change("remove", path, old=copy.deepcopy(old)))

    def extract(self, path: str, name: str, schema: Json, reference: Json) -> None:
        """Add a schema to the components, if it is not there yet, and replace it by a reference."""
        if self.get("/components") is MISSING:
            self.add("/components", {})
        if self.get("/components/schemas") is MISSING:
            self.add("/components/schemas", {})
        component = join("/components/schemas", name)
        if self.get(component) is MISSING:
            self._add(component, schema, extracted_from=path)
        self.replace(path, reference)

    def allow_null(self, path: str) -> None:
        """Make a schema accept null, in the way of the document's OpenAPI version."""
        schema = mapping(self.get(path))
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            self.replace(join(path, "enum"), [*schema["enum"], None])
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            self.replace(path, reference(self.document, schema["$ref"], rest, nullable=True))
        elif is_openapi_30(self.document):
            self.put(join(path, "nullable"), True)
        elif isinstance(schema.get("type"), str):
            self.replace(join(path, "type"), [schema["type"], "null"])
        else:  # something composed
            self.replace(path, {"anyOf": [schema, {"type": "null"}]})

    def drifted(self, path: str, *, expected: str, actual: Any) -> None:
        """Report a place that a person has to look at again."""
        text = actual if isinstance(actual, str) else repr(actual)
        self.drifts.append(Drift(path, expected, shorten(text)))

    def not_applicable(self) -> None:
        """Report that the thing is legal in this document: no defect, and no repaired one."""
        self.applicable = False

    def _add(self, path: str, value: Any, extracted_from: str = "") -> None:
        if self.get(path) is not MISSING:
            raise LookupError(f"there is a value at {path} already")
        self._set(path, value)
        self.changes.append(
            Change("add", path, copy.deepcopy(value), extracted_from=extracted_from)
        )

    def _holder(self, path: str) -> tuple[Any, str]:
        *above, last = split(path)
        return resolve(self.document, join("", *above)), last

    def _set(self, path: str, value: Any) -> None:
        holder, last = self._holder(path)
        if isinstance(holder, dict):
            holder[last] = copy.deepcopy(value)
        elif isinstance(holder, list):
            holder[int(last)] = copy.deepcopy(value)
        else:
            raise LookupError(f"no object or array at the parent of {path}")
