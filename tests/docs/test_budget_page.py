"""The page on the budget, run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from whereby_api_client import PointBudget, WherebyClient
from whereby_api_client.testing import FakeWhereby

from ..helpers.pages import client_of, python_blocks, run_block

PAGE = Path(__file__).parents[2] / "docs" / "budget.md"
# What needs a Redis server is tested with the shared budget.
BLOCKS = [block for block in python_blocks(PAGE) if "RedisPointBudget" not in block]


@pytest.mark.anyio
@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
async def test_blocks(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block runs as it stands, and its client makes a call."""
    fake = FakeWhereby(token="token")
    async with fake.serve() as url:
        monkeypatch.setattr(*client_of(url))
        names: dict[str, Any] = {}
        await run_block(block, names)
        whereby: WherebyClient = names["whereby"]
        await whereby.meetings.list()
        if "dear" in names:
            await names["dear"].meetings.list()
            assert isinstance(whereby.budget, PointBudget)
            assert whereby.budget.snapshot().limit == 1000
        await whereby.aclose()
    assert [request.status for request in fake.requests][:1] == [200]
