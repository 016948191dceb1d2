"""Redis as users have it: clients, clusters, Sentinel, TLS; and processes that disagree."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import redis.sentinel
import trustme
from redis.backoff import ExponentialBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.budget.redis_store import RedisStore, Write
from whereby_api_client.budget.shared_ledger import FORMAT
from whereby_api_client.errors import InvalidArgumentError

from ...helpers.forwarder import Forwarder
from ...helpers.redis_server import RedisServer

LIMIT = 20


async def spend(budget: RedisPointBudget) -> None:
    """Make a call that is answered, and see that it is in Redis."""
    (await budget.acquire(2)).settle(200, {})
    state = await budget.refresh()
    assert budget.is_shared
    assert (state.in_flight, state.returning) == (0, 2)


@pytest.mark.slow
def test_a_cluster(tmp_path: Path) -> None:
    """Share through a cluster: keys and channels lie in one slot."""
    server = RedisServer()
    nodes = str(tmp_path / "nodes.conf")
    server.start("--cluster-enabled", "yes", "--cluster-config-file", nodes)
    try:
        with server.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while "'cluster_state': 'ok'" not in str(client.execute_command("CLUSTER INFO")):
                time.sleep(0.01)
        cluster = RedisCluster(host="127.0.0.1", port=server.port, socket_timeout=1)
        with RedisPointBudget(cluster, limit=LIMIT) as budget:
            asyncio.run(spend(budget))
        cluster.close()
    finally:
        server.stop()


@pytest.fixture
def replica(server: RedisServer) -> Iterator[RedisServer]:
    """Run a replica of the server."""
    with RedisServer() as replica:
        replica.follow(server)
        yield replica


@pytest.fixture
def sentinel(server: RedisServer, replica: RedisServer, tmp_path: Path) -> Iterator[RedisServer]:
    """Run a Sentinel that watches the server and knows of the replica."""
    watcher = RedisServer()
    configuration = tmp_path / "sentinel.conf"
    configuration.write_text(
        f"sentinel monitor mine 127.0.0.1 {server.port} 1\n"
        "sentinel down-after-milliseconds mine 200\n"
        "sentinel failover-timeout mine 1000\n"
    )
    watcher.start(sentinel=configuration)
    yield watcher
    watcher.stop()


@pytest.mark.slow
def test_sentinel(sentinel: RedisServer, server: RedisServer, replica: RedisServer) -> None:
    """Share through the master that a Sentinel names, and through the one that follows it."""
    make: Any = redis.sentinel.Sentinel  # redis-py leaves it untyped
    watchers = make([("127.0.0.1", sentinel.port)], socket_timeout=1)

    async def fail_over(budget: RedisPointBudget) -> None:
        await spend(budget)
        while not watchers.discover_slaves("mine"):  # noqa: ASYNC110 - asks a server
            await asyncio.sleep(0.05)
        server.stop()
        while not (replica.is_master() and budget.is_shared):
            (await budget.acquire(1)).refund()  # does not fail
            await budget.refresh()
            await asyncio.sleep(0.05)

    try:
        with (
            watchers.master_for("mine", socket_timeout=1) as client,
            RedisPointBudget(client, limit=LIMIT) as budget,
        ):
            asyncio.run(fail_over(budget))
    finally:
        server.start()


def test_a_write_that_is_too_early(server: RedisServer) -> None:
    """Write nothing that is later in it than Redis's clock shows, but keep the request."""
    with closing(RedisStore(server.url, "early", timeout=1)) as store:
        write = Write("", "a 1 - 0 []\n", 0.0, 0, "", [], "", 60.0, "one", False, [])
        now = store.exchange(write._replace(text="")).time
        early = store.exchange(write._replace(clock=now + 30, request="request"))
        assert (early.is_written, early.text, early.inbox) == (False, None, ["request"])
        assert store.exchange(write._replace(clock=now)).is_written


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": 3},
        {"protocol": 3, "decode_responses": True},
        {"retry": Retry(ExponentialBackoff(), 3), "health_check_interval": 1},
        {"single_connection_client": True},
    ],
)
def test_clients_as_they_come(server: RedisServer, options: dict[str, Any]) -> None:
    """Share through a client, however it is configured."""
    with (
        redis.Redis(port=server.port, socket_timeout=1, **options) as client,
        RedisPointBudget(client, limit=LIMIT) as budget,
    ):
        asyncio.run(spend(budget))


@pytest.mark.parametrize("size", [1, 2])
def test_small_pools(server: RedisServer, size: int) -> None:
    """Refuse a pool in which no connection is left beside the one that listens."""
    make: Any = redis.BlockingConnectionPool  # redis-py leaves it untyped
    pool = make(port=server.port, max_connections=size, timeout=1, socket_timeout=1)
    with redis.Redis(connection_pool=pool) as client:
        if size == 1:
            with pytest.raises(InvalidArgumentError, match=r"at least 2 .*max_connections=1"):
                RedisPointBudget(client)
            return
        with RedisPointBudget(client, limit=LIMIT) as budget:
            asyncio.run(spend(budget))
    pool.disconnect()


def test_tls(server: RedisServer, tmp_path: Path) -> None:
    """Share through a TLS URL."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca = str(tmp_path / "ca.pem")
    authority.cert_pem.write_to_path(ca)
    with Forwarder(server.port, context) as proxy:
        url = f"rediss://127.0.0.1:{proxy.port}/0"
        with RedisPointBudget(f"{url}?ssl_ca_certs={ca}", limit=LIMIT) as budget:
            asyncio.run(spend(budget))
        # Whom it cannot trust it does not talk to, and no call fails.
        with RedisPointBudget(url, limit=LIMIT) as budget:
            assert asyncio.run(budget.acquire(1)).cost == 1
            assert not budget.is_shared


@pytest.mark.parametrize(
    ("client", "text"),
    [
        (redis.asyncio.Redis(), r"must be a URL or a redis\.Redis.*got a redis\.asyncio\.Redis"),
        (object(), r"must be a URL, a redis\.Redis.*redis\.RedisCluster; got object"),
        ("memcached://x", r"must be a URL like redis://host:6379/0, rediss:// or unix://"),
    ],
)
def test_what_cannot_be_used(client: Any, text: str) -> None:
    """Say what to give instead."""
    with pytest.raises(InvalidArgumentError, match=text):
        RedisPointBudget(client)


def test_other_period(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Tell both processes that they do not agree on the period, once."""

    async def both() -> None:
        with (
            RedisPointBudget(server.url, limit=LIMIT, period=60.0) as first,
            RedisPointBudget(server.url, limit=LIMIT, period=30.0) as second,
        ):
            for budget in (first, second, first, second, first, second):
                (await budget.acquire(1)).settle(200, {})
                await budget.refresh()
            assert first.is_shared
            assert second.is_shared

    asyncio.run(both())
    texts = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(texts) == 2
    assert "this one has 60 s, others have 30 s; the shared ledger has 60 s" in texts[0] + texts[1]
    assert "this one has 30 s, others have 60 s; the shared ledger has 60 s" in texts[0] + texts[1]


def test_other_release(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Go on alone, and say why, where another release keeps a ledger of another format."""

    async def spend_alone() -> None:
        with RedisPointBudget(server.url, limit=LIMIT) as budget:
            assert (await budget.acquire(1)).cost == 1
            assert not budget.is_shared

    with server.client() as client:
        key = "whereby-points:{whereby}"
        client.set(key, 'abc 5\n{"format":77}')
        asyncio.run(spend_alone())
        assert client.get(key) == b'abc 5\n{"format":77}'
    assert (
        f"in format 77, this one in format {FORMAT}: use one release in all processes"
        in caplog.text
    )


@pytest.mark.parametrize(
    "text", [b"nonsense", f'a 1\n{{"format":{FORMAT}}}'.encode(), b"\xff\x00\n", b"a b c\n{}"]
)
def test_nonsense_in_redis(
    server: RedisServer, caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    """Begin anew where nonsense stands, and say so."""
    with server.client() as client:
        client.set("whereby-points:{whereby}", text)
        client.rpush("whereby-points:{whereby}:inbox", "nonsense", '{"member":5}')
    with RedisPointBudget(server.url, limit=LIMIT) as budget:
        asyncio.run(spend(budget))
    assert "cannot be read, and is begun anew" in caplog.text


def test_paused_for_ever(server: RedisServer) -> None:
    """Do not believe a pause that no server can have asked for."""
    key = "whereby-points:{whereby}"
    with RedisPointBudget(server.url, limit=LIMIT) as budget, server.client() as client:
        asyncio.run(spend(budget))
        text: Any = client.get(key)
        client.set(key, text.replace(b'"paused_until":null', b'"paused_until":1e18'))
        assert client.get(key) != text
        with RedisPointBudget(server.url, limit=LIMIT) as second:
            assert asyncio.run(asyncio.wait_for(second.acquire(1), 20)).cost == 1
            assert second.is_shared
