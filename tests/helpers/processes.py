"""Processes that spend from one organization, each with a client of its own.

`python processes.py ORDER` is one of them; ORDER is an `Order` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self
from unittest import mock

from whereby_api_client import NotFoundError, WherebyClient, WherebyError
from whereby_api_client.redis_budget import RedisPointBudget
from whereby_api_client.testing.fake import TOKEN, FakeWhereby

CHECKOUT = Path(__file__).parents[2]


class Order(NamedTuple):
    """What a process has to do.

    Attributes:
        api: the base URL of the fake Whereby.
        redis: the URL of Redis.
        calls: how many calls to make.
        workers: how many at a time.
        limit: None: let the budget learn it.
    """

    api: str
    redis: str
    calls: int
    seed: int
    period: float
    limit: int | None = None
    workers: int = 25


class Result(NamedTuple):
    """The outcome of a process.

    Attributes:
        done: calls that got a response.
        failed: what went wrong with the others.
        waits: seconds from call to response, per call.
        warnings: what the budget logged.
        cpu: seconds of CPU time from `go` to the last response.
        conflicts: how often another process was faster to write.
    """

    done: int
    failed: list[str]
    waits: list[float]
    warnings: list[str]
    cpu: float
    conflicts: int


class Process:
    """A process that waits for `go`, makes its calls, and tells the result.

    Args:
        order: what to do.
        checkout: whose package it uses.

    Attributes:
        address: its name as a writer of the shared ledger, when it is ready.
    """

    def __init__(self, order: Order, checkout: Path = CHECKOUT) -> None:
        self.address = ""
        self._popen = subprocess.Popen(
            [sys.executable, "-P", __file__, json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            text=True,
        )

    def await_ready(self) -> None:
        """Wait until it has imported everything and is connected to Redis."""
        assert self._popen.stdout is not None
        word, self.address = self._popen.stdout.readline().split()
        assert word == "ready"

    def go(self) -> None:
        """Let it begin."""
        assert self._popen.stdin is not None
        self._popen.stdin.write("go\n")
        self._popen.stdin.flush()

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self._popen.kill()
        self._popen.wait()

    def stop(self) -> None:
        """Let it stand still."""
        self._popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run on."""
        self._popen.send_signal(signal.SIGCONT)

    def result(self, timeout: float = 120.0) -> Result:
        """Wait for its end."""
        out, _ = self._popen.communicate(timeout=timeout)
        return Result(*json.loads(out))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        with self._popen:
            self._popen.kill()


def start_all(processes: Iterable[Process]) -> None:
    """Let them begin at the same time."""
    for process in processes:
        process.await_ready()
    for process in processes:
        process.go()


async def _call(whereby: WherebyClient, cost: int) -> None:
    if cost == 1:
        await whereby.meetings.list()
    elif cost == 2:
        with suppress(NotFoundError):
            await whereby.meetings.delete("1")
    else:
        await whereby.request("PUT", "/rooms/r/theme/tokens", json={"tokensPreset": "default"})


async def _warm_up() -> None:
    """Import what the first calls would import."""
    async with WherebyClient(TOKEN, transport=FakeWhereby().transport()) as whereby:
        for cost in (1, 2, 3):
            await _call(whereby, cost)


def _count_conflicts() -> list[object]:
    """Return a list that grows with each write that another process has forestalled."""
    conflicts: list[object] = []
    try:
        from whereby_api_client.budget import redis_store
    except ImportError:  # a checkout from before there was anything to forestall
        return conflicts
    exchange = redis_store.RedisStore.exchange

    def counting(store: redis_store.RedisStore, write: redis_store.Write) -> redis_store.Result:
        result = exchange(store, write)
        if write.text and not result.is_written:
            conflicts.append(write.title)
        return result

    mock.patch.object(redis_store.RedisStore, "exchange", counting).start()
    return conflicts


async def _work(order: Order) -> Result:
    dice = random.Random(order.seed)
    jobs = dice.choices((1, 2, 3), (0.5, 0.2, 0.3), k=order.calls)
    result = Result(0, [], [], [], 0.0, 0)
    failed, waits = result.failed, result.waits

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            result.warnings.append(record.getMessage())

    logging.getLogger("whereby_api_client.budget").addHandler(Handler(logging.WARNING))
    conflicts = _count_conflicts()
    budget = RedisPointBudget(order.redis, limit=order.limit, period=order.period)
    await _warm_up()
    async with WherebyClient(TOKEN, base_url=order.api, budget=budget) as whereby:
        await budget.refresh()
        # "?": a checkout from before any process wrote for all
        membership = getattr(budget, "_membership", None)
        print("ready", getattr(membership, "address", "?"), flush=True)
        sys.stdin.readline()
        began_cpu = time.process_time()
        conflicts.clear()

        async def worker() -> None:
            while jobs:
                cost = jobs.pop()
                began = time.monotonic()
                try:
                    await _call(whereby, cost)
                except WherebyError as error:
                    failed.append(repr(error))
                waits.append(time.monotonic() - began)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(order.workers):
                tasks.create_task(worker())
        cpu = time.process_time() - began_cpu
    return result._replace(done=len(waits) - len(failed), cpu=cpu, conflicts=len(conflicts))


def main() -> None:
    """Be one of the processes."""
    fields: Any = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(_work(Order(*fields)))))


if __name__ == "__main__":
    main()
