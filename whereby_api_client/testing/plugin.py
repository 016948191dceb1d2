"""pytest fixtures: a fake Whereby, a client of it, and its address on a real socket.

    async def test_booking(whereby, fake_whereby):
        await book_interview(whereby, "Ada")
        assert fake_whereby.calls("meetings.create")[0].json["roomNamePrefix"] == "ada"

Each test gets a fake of its own. A project that wants another one (fewer points, data) overrides
`fake_whereby` in its conftest.py; the other two follow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from whereby_api_client import WherebyClient

    from . import FakeWhereby

__all__ = ["fake_whereby", "whereby", "whereby_url"]


@pytest.fixture
def fake_whereby() -> FakeWhereby:
    """A FakeWhereby without data, and with so many points that no test waits for some."""
    from . import FakeWhereby

    return FakeWhereby(limit=1_000_000)


@pytest.fixture
def whereby(fake_whereby: FakeWhereby) -> WherebyClient:
    """A WherebyClient of `fake_whereby`, inside the process: it holds nothing to be closed."""
    return fake_whereby.client()


@pytest.fixture
def whereby_url(fake_whereby: FakeWhereby) -> Iterator[str]:
    """The base URL of `fake_whereby` on a real socket, for other clients and processes."""
    with fake_whereby.serve() as url:
        yield url
