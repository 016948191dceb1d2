"""Paginators: lazy, complete, and never endless."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest

from whereby_api_client import UNSET, Paginator, Unset, WherebyError

pytestmark = pytest.mark.anyio


@attrs.frozen
class Numbers:
    """A page of numbers."""

    results: list[int]
    cursor: str | None


class Listing:
    """Pages that are found by their cursor, and a note of each fetch."""

    def __init__(self, pages: Sequence[Numbers], first: str | Unset = UNSET) -> None:
        self.pages = list(pages)
        self.fetched: list[str | Unset] = []
        self.paginator: Paginator[Numbers, int] = Paginator(self.fetch, first)

    async def fetch(self, cursor: str | Unset) -> Numbers:
        """Return the next page."""
        self.fetched.append(cursor)
        return self.pages[len(self.fetched) - 1]


THREE = [Numbers([1, 2], "b"), Numbers([], "c"), Numbers([3], None)]


async def test_await_gives_the_first_page() -> None:
    """Fetch one page and no more, each time anew."""
    listing = Listing(THREE)
    page = await listing.paginator
    assert page == THREE[0]
    assert listing.fetched == [UNSET]
    assert await listing.paginator == THREE[1]


async def test_items() -> None:
    """Give every item of every page, over empty pages."""
    listing = Listing(THREE)
    assert [item async for item in listing.paginator] == [1, 2, 3]
    assert listing.fetched == [UNSET, "b", "c"]


async def test_pages() -> None:
    """Give page by page, from the cursor that the caller gave."""
    listing = Listing(THREE, "a")
    assert [page async for page in listing.paginator.pages()] == THREE
    assert listing.fetched == ["a", "b", "c"]


async def test_lazy() -> None:
    """Fetch no page before its first item is needed; let the caller stop at any time."""
    listing = Listing(THREE)
    assert listing.fetched == []
    async for _ in listing.paginator:
        assert listing.fetched == [UNSET]
        break


@pytest.mark.parametrize("last", [None, ""])
async def test_the_end(last: str | None) -> None:
    """Stop where there is no cursor, whichever way the server says so, and stay there."""
    listing = Listing([Numbers([1], last)])
    items = aiter(listing.paginator)
    assert await anext(items) == 1
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(items)
    assert listing.fetched == [UNSET]


@pytest.mark.parametrize("cursors", [["x", "x"], ["x", "y", "x"]])
async def test_a_repeated_cursor(cursors: list[str]) -> None:
    """Stop at a cursor that comes again, after giving the items that did come."""
    listing = Listing([Numbers([number], cursor) for number, cursor in enumerate(cursors)])
    items = aiter(listing.paginator)
    assert [await anext(items) for _ in cursors] == list(range(len(cursors)))
    with pytest.raises(WherebyError, match="same cursor twice"):
        await anext(items)


async def test_an_error_keeps_the_position() -> None:
    """Go on with the same page after an error, so that the caller can try again."""
    listing = Listing(THREE)
    fetch, failures = listing.fetch, [True]

    async def flaky(cursor: str | Unset) -> Numbers:
        if cursor == "b" and failures:
            failures.clear()
            raise WherebyError("lost")
        return await fetch(cursor)

    items = aiter(Paginator[Numbers, int](flaky))
    assert [await anext(items), await anext(items)] == [1, 2]
    with pytest.raises(WherebyError, match="lost"):
        await anext(items)
    assert [item async for item in items] == [3]


async def test_repr() -> None:
    """Tell those who forgot to await what they hold."""
    assert "await it" in repr(Listing(THREE).paginator)
