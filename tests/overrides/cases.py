"""What the tests need to know of an override, told without its rule.

The finders and doctors are written by hand and share no code with the rules that they test.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.overrides.support import Json

Places = Iterator[str]


class Case:
    """The defect, in a sentence."""

    name: str
    places: int  # how many the published document has
    drifts_at: str  # the place that the report of `drift` has to name
    fixed_one_by_one = True  # False: upstream fixes it for the whole document, or not at all

    @property
    def defect(self) -> str:
        """The defect in a sentence, for whoever deleted the module that cures it."""
        return (type(self).__doc__ or "").strip()

    def find(self, document: Json) -> Places:
        """Find the places that have the defect."""
        raise NotImplementedError

    def fix(self, document: Json) -> None:
        """Do what Whereby would do to fix it."""
        raise NotImplementedError

    def drift(self, document: Json) -> None:
        """Put something there that the rule cannot judge."""
        raise NotImplementedError
