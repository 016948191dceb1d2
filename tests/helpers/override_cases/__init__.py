"""What the tests need to know of an override, told without its rule.

The finders and fixes are written by hand and share no code with the rules that they test.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.helpers.override_runs import Json, at, objects, operations, published

Occurrences = Iterator[str]


class Case:
    """The defect, in a sentence."""

    name: str
    occurrences: int  # how many the published document has
    drifts_at: str  # empty if it cannot drift; the pointer that the result of `drift` has to name
    fixed_one_by_one = True  # False: upstream fixes it for the whole document, or not at all

    @property
    def defect(self) -> str:
        """The defect in a sentence, for the person who deleted the module that patches it."""
        return (type(self).__doc__ or "").strip()

    def published(self) -> Json:
        """Return the frozen document, which has the defect; an earlier one had it for some."""
        document = published()
        self.plant(document)
        return document

    def plant(self, document: Json) -> None:
        """Put the defect into the document, if only earlier ones had it."""

    def find(self, document: Json) -> Occurrences:
        """Find the places that have the defect."""
        raise NotImplementedError

    def fix(self, document: Json) -> None:
        """Do what Whereby would do to fix it."""
        raise NotImplementedError

    def drift(self, document: Json) -> None:
        """Put something there that the rule cannot handle."""
        raise NotImplementedError


class ObjectCase(Case):
    """A defect of JSON objects, wherever in the document they stand."""

    def affected(self, document: Json, pointer: str, value: Json) -> bool:
        """Return whether an object has the defect."""
        raise NotImplementedError

    def find(self, document: Json) -> Occurrences:
        for pointer, value in objects(document):
            if self.affected(document, pointer, value):
                yield pointer

    def repair(self, value: Json) -> None:
        """Fix one such object."""
        raise NotImplementedError

    def fix(self, document: Json) -> None:
        for pointer in list(self.find(document)):
            self.repair(at(document, pointer))


class OperationCase(Case):
    """A defect of operations."""

    def affected(self, document: Json, path: str, operation: Json) -> bool:
        """Return whether an operation has the defect."""
        raise NotImplementedError

    def find(self, document: Json) -> Occurrences:
        for path, method, operation in operations(document):
            if self.affected(document, path, operation):
                yield f"{method} {path}"


def is_property(pointer: str) -> bool:
    """Return whether a pointer leads to a property of an object."""
    return pointer.split("/")[-2:-1] == ["properties"]


def is_named(pointer: str) -> bool:
    """Return whether a pointer leads to a component schema, which has a name."""
    return pointer.startswith("/components/schemas/") and pointer.count("/") == 3
