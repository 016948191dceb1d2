"""Lists that come page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from .errors import WherebyError
from .types import UNSET, Unset


class Page(Protocol):
    """What all pages have: some items, and where the next page begins."""

    @property
    def results(self) -> Sequence[Any]:
        """The items of this page."""
        ...

    @property
    def cursor(self) -> str | None:
        """Where the next page begins; None on the last one."""
        ...


PageT = TypeVar("PageT", bound=Page)
ItemT = TypeVar("ItemT")


class Paginator(Generic[PageT, ItemT]):
    """The result of every `list…` method. Nothing is fetched before it is needed.

    - `await paginator`: the first page, with `.results` and `.cursor`
    - `async for item in paginator`: every item of every page
    - `async for page in paginator.pages()`: page by page

    Each of these starts again from the beginning.
    """

    def __init__(
        self, fetch: Callable[[str | Unset], Awaitable[PageT]], cursor: str | Unset = UNSET
    ) -> None:
        self._fetch = fetch
        self._cursor = cursor

    def __await__(self) -> Generator[Any, Any, PageT]:
        return self._fetch(self._cursor).__await__()

    def __aiter__(self) -> AsyncIterator[ItemT]:
        return _Items(self.pages())

    def pages(self) -> AsyncIterator[PageT]:
        """Iterate page by page."""
        return _Pages(self._fetch, self._cursor)

    def __repr__(self) -> str:
        return "<Paginator: await it for the first page, or iterate with async for>"


# Classes and not async generators: breaking out of a loop over a generator leaves it unfinished,
# and trio warns of that.


class _Pages(AsyncIterator[PageT]):
    def __init__(
        self, fetch: Callable[[str | Unset], Awaitable[PageT]], cursor: str | Unset
    ) -> None:
        self._fetch = fetch
        self._next: str | Unset | None = cursor
        self._seen: set[str | Unset] = set()

    async def __anext__(self) -> PageT:
        # The first page is fetched even without a cursor; later an empty one is the end.
        if self._next is None or (not self._next and self._seen):
            raise StopAsyncIteration
        if self._next in self._seen:
            raise WherebyError(
                "the server sent the same cursor twice; stopped, because the list would never end"
            )
        page = await self._fetch(self._next)
        self._seen.add(self._next)
        self._next = page.cursor
        return page


class _Items(AsyncIterator[ItemT]):
    def __init__(self, pages: AsyncIterator[Page]) -> None:
        self._pages = pages
        self._items: Sequence[ItemT] = ()
        self._at = 0

    async def __anext__(self) -> ItemT:
        while self._at == len(self._items):
            self._items = (await self._pages.__anext__()).results
            self._at = 0
        self._at += 1
        return self._items[self._at - 1]
