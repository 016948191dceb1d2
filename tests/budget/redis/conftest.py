"""A Redis for each module, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ...helpers.redis_server import RedisServer


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    """Run a redis-server."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    """Give an empty redis-server."""
    with running.client() as client:
        client.flushall()
        client.config_resetstat()
    return running
