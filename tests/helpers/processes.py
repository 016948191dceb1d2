"""Processes that spend from one organization, each with a client of its own.

`python -m tests.redis.processes ORDER` is one of them; ORDER is an `Order` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from whereby_api_client import NotFoundError, WherebyClient, WherebyError
from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.testing.fake import TOKEN

HERE = Path(__file__).parents[2]


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
    """What became of it.

    Attributes:
        done: calls that were answered.
        failed: what went wrong with the others.
        waits: seconds from asking to answer, per call.
        warnings: what the budget logged.
    """

    done: int
    failed: list[str]
    waits: list[float]
    warnings: list[str]


class Process:
    """A process that waits for `go`, makes its calls, and tells the result."""

    def __init__(self, order: Order) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", __name__, json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=HERE,
            text=True,
        )

    def await_ready(self) -> None:
        """Wait until it has imported everything."""
        assert self._popen.stdout is not None
        assert self._popen.stdout.readline() == "ready\n"

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


async def _work(order: Order) -> Result:
    dice = random.Random(order.seed)
    jobs = dice.choices((1, 2, 3), (0.5, 0.2, 0.3), k=order.calls)
    result = Result(0, [], [], [])
    failed, waits = result.failed, result.waits

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            result.warnings.append(record.getMessage())

    logging.getLogger("whereby_api_client.budget").addHandler(Handler(logging.WARNING))
    budget = RedisPointBudget(order.redis, limit=order.limit, period=order.period)
    async with WherebyClient(TOKEN, base_url=order.api, budget=budget) as whereby:

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
    return result._replace(done=len(waits) - len(failed))


def main() -> None:
    """Be one of the processes."""
    fields: Any = json.loads(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asyncio.run(_work(Order(*fields)))))


if __name__ == "__main__":
    main()
