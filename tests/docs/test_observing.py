"""What the page on observing shows, run."""

from __future__ import annotations

from pathlib import Path

import pytest

from whereby_api_client.testing import FakeWhereby

from ..helpers.pages import python_blocks, run_block, served

PAGE = Path(__file__).parents[2] / "docs" / "observing.md"


@pytest.mark.anyio
async def test_page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The blocks run against the fake, and print what they observe."""
    pytest.importorskip("opentelemetry")
    fake = FakeWhereby(limit=100)
    async with served(fake, monkeypatch) as whereby:
        for block in python_blocks(PAGE):
            await run_block(block, {"whereby": whereby})
    snapshot, call = capsys.readouterr().out.splitlines()
    assert snapshot == "100 of 100 free, 0 calls wait"
    assert call.startswith("meetings.list 200: 1 points, waited 0.0")
    assert [request.operation for request in fake.requests] == ["meetings.list"] * 2
