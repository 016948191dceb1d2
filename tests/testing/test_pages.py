"""Pages: whatever happens between two requests, nothing is skipped and nothing repeated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whereby_api_client.testing.messages import HTTPError
from whereby_api_client.testing.pages import Pages, Row

VALUES = st.one_of(st.none(), st.integers(-3, 3))


@given(
    st.lists(VALUES, max_size=12),
    st.sampled_from([None, "value:asc", "value:desc", "value"]),
    st.integers(1, 5),
    st.sets(st.integers(0, 11)),
)
def test_every_item_once(
    values: list[int | None], sort: str | None, limit: int, deleted: set[int]
) -> None:
    """Show each item that stays exactly once, in order, though others go after the first page."""
    rows: list[Row] = [(n, {"id": n, "value": value}) for n, value in enumerate(values)]
    pages = Pages()
    query: dict[str, Any] = {"limit": limit} | ({"sortBy": sort} if sort else {})
    page = pages.page("list", rows, query, sortable=("value",))
    items = list(page["results"])
    rows = [row for row in rows if row[0] not in deleted]
    while page["cursor"] is not None:
        assert len(page["results"]) == limit
        page = pages.page("list", rows, query | {"cursor": page["cursor"]}, sortable=("value",))
        items += page["results"]
    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids))
    assert set(ids) >= {row[0] for row in rows}
    keys = [
        (item["value"] is not None, item["value"] or 0, item["id"]) if sort else item["id"]
        for item in items
    ]
    assert keys == sorted(keys, reverse=sort == "value:desc")


def test_cursors_repeat() -> None:
    """Give the same cursor for the same place: a repeated request gets the same response."""
    pages, rows = Pages(), [(n, {"id": n}) for n in range(3)]
    first = pages.page("list", rows, {"limit": 1})
    assert first == pages.page("list", rows, {"limit": 1})
    assert first["cursor"] != pages.page("other", rows, {"limit": 1})["cursor"]


def test_any_field_sorts_where_none_is_listed() -> None:
    """Sort by whatever field the items have, where the document lists none; refuse others."""
    pages, rows = Pages(), [(1, {"a": 2, "b": []}), (2, {"a": 1, "b": []})]
    page = pages.page("list", rows, {"sortBy": "a:asc"})
    assert [item["a"] for item in page["results"]] == [1, 2]
    with pytest.raises(HTTPError, match="must be one of a; got 'b'"):
        pages.page("list", rows, {"sortBy": "b:asc"})
    assert pages.page("list", [], {"sortBy": "b:asc"}) == {"results": [], "cursor": None}
