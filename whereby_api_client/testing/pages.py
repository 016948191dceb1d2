"""Pages of a list: sorting, limits and cursors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from .clock import parse_date_time
from .messages import HTTPError

__all__ = ["Pages", "Row"]

Row = tuple[int, dict[str, Any]]
"""A record's number and its JSON."""
Key = tuple[bool, Any, int]


class Pages:
    """Cuts lists into pages, and remembers the position behind each cursor.

    A cursor stands behind an item, not at an index: what is deleted or added between two requests
    neither skips nor repeats others.
    """

    def __init__(self) -> None:
        self._positions: dict[str, tuple[str, Key]] = {}

    def page(
        self,
        name: str,
        rows: Iterable[Row],
        query: dict[str, Any],
        *,
        limit: int = 50,
        sortable: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Return one page as the API sends it; `sortable=None` takes any field of the items."""
        rows = list(rows)
        size: int = query.get("limit", limit)
        field, descending = _read_sort(query.get("sortBy"), rows, sortable)
        keyed = sorted(
            ((_key(row, field), row) for row in rows), key=lambda pair: pair[0], reverse=descending
        )
        filters = sorted(
            (key, repr(value))
            for key, value in query.items()
            if key not in ("cursor", "limit", "fields")
        )
        listing = f"{name} {filters}"
        cursor = query.get("cursor")
        if cursor is not None:
            after = self._position(cursor, listing)
            keyed = [pair for pair in keyed if (pair[0] < after if descending else pair[0] > after)]
        shown = keyed[:size]
        following = self._remember(listing, shown[-1][0]) if len(keyed) > size else None
        return {"results": [row[1] for _, row in shown], "cursor": following}

    def _remember(self, listing: str, position: Key) -> str:
        cursor = hashlib.sha256(f"{listing} {position}".encode()).hexdigest()[:32]
        self._positions[cursor] = (listing, position)
        return cursor

    def _position(self, cursor: str, listing: str) -> Key:
        if cursor not in self._positions:
            raise HTTPError(400, f"query parameter 'cursor': is not known; got {cursor!r}")
        known, position = self._positions[cursor]
        if known != listing:
            raise HTTPError(400, "query parameter 'cursor': belongs to another query")
        return position


def _key(row: Row, field: str | None) -> Key:
    number, value = row
    sorted_by = None if field is None else _sort_value(value, field)
    return (sorted_by is not None, sorted_by if sorted_by is not None else 0, number)


def _sort_value(value: dict[str, Any], field: str) -> Any:
    if field == "duration" and field not in value:
        # the recordings' list sorts by a length that the items do not show
        return _seconds(value)
    return value.get(field)


def _seconds(value: dict[str, Any]) -> float:
    length = parse_date_time(value["endDate"]) - parse_date_time(value["startDate"])
    return length.total_seconds()


def _read_sort(
    sort: str | None, rows: Sequence[Row], sortable: Sequence[str] | None
) -> tuple[str | None, bool]:
    if sort is None:
        return None, False
    field, colon, direction = sort.partition(":")
    where = "query parameter 'sortBy'"
    if colon and direction not in ("asc", "desc"):
        raise HTTPError(400, f"{where}: the direction must be one of asc, desc; got {direction!r}")
    known = sortable
    if known is None:
        scalars = (str, int, float)
        known = sorted(
            {key for _, row in rows for key, value in row.items() if isinstance(value, scalars)}
        )
    # an empty list has no fields to compare with, and nothing to sort
    if field not in known and (rows or sortable is not None):
        raise HTTPError(400, f"{where}: must be one of {', '.join(known)}; got {field!r}")
    return field, direction == "desc"
