"""A Redis for each module, emptied for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ...helpers.redis_server import MISSING, RedisServer, find_binary


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    """Run a server; without one these tests are skipped, but never in CI."""
    if find_binary() is None and os.environ.get("CI") != "true":
        pytest.skip(MISSING)
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    """Return an empty server."""
    with running.client() as client:
        client.flushall()
        client.config_resetstat()
    return running
