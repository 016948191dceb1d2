"""Processes that share one organization's points through Redis: what they waste and risk.

1000 mixed calls, 200 points per 4 seconds, 5 to 60 ms of network each way, 25 workers in each of
2, 4 and 8 processes. Then the same with one process killed and with Redis killed in the middle.
`python -m benchmarks redis_budget`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from contextlib import ExitStack
from typing import Any

from tests.helpers.processes import Order, Process, Result, start_all
from tests.helpers.redis_server import RedisServer
from tests.helpers.slow_proxy import SlowProxy
from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.testing import FakeWhereby

from .budget import Outcome

LIMIT, PERIOD, CALLS = 200, 4.0, 1000


class Run:
    """One run: what happened, as the server and the processes saw it."""

    def __init__(
        self,
        processes: int,
        algorithm: Any,
        event: str = "",
        *,
        limit: int = LIMIT,
        period: float = PERIOD,
        calls: int = CALLS,
        rtt: float = 0.0,
    ) -> None:
        far = f"{1000 * rtt:g} ms away" if rtt else ""
        self.name = ", ".join(filter(None, (f"{processes} processes", far, event)))
        fake = FakeWhereby(
            limit=limit, period=period, algorithm=algorithm, delay=(0.005, 0.060), seed=1
        )
        self.results: list[Result] = []
        self.notes: list[str] = []
        with ExitStack() as stack:
            redis = stack.enter_context(RedisServer())
            url = stack.enter_context(fake.serve())
            redis_url = redis.url
            if rtt:
                redis_url = stack.enter_context(SlowProxy(redis.port, rtt)).url
            share = calls // processes
            crowd = [
                stack.enter_context(Process(Order(url, redis_url, share, seed, period)))
                for seed in range(processes)
            ]
            start_all(crowd)
            began = time.monotonic()
            if event == "one killed":
                time.sleep(1.5 * PERIOD)
                crowd.pop().kill()
            elif event == "Redis killed":
                time.sleep(1.5 * PERIOD)
                redis.stop()
                time.sleep(PERIOD)
                redis.start()
            self.results = [process.result(6 * calls / limit * period) for process in crowd]
            self.wall = time.monotonic() - began
            commands = redis.calls()
        self.counted = [(r.time, r.cost) for r in fake.requests if r.status != 429]
        self.throttled = sum(r.status == 429 for r in fake.requests)
        self.used = Outcome("", counted=self.counted).used(limit, period)
        self.commands = commands

    def report(self) -> None:
        """Print a line of the table."""
        waits = [wait for result in self.results for wait in result.waits]
        failed = sum(len(result.failed) for result in self.results)
        warnings = sum(len(result.warnings) for result in self.results)
        print(
            f"  {self.name:<28}{len(self.counted):7}{self.wall:8.1f}{self.throttled:6}{failed:8}"
            f"{self.used:8.1f}{statistics.mean(waits):12.2f}{warnings:10}"
            f"{self.commands / len(self.counted):12.1f}"
        )
        sys.stdout.flush()


def death() -> float:
    """Kill a process that has all points in flight; return the seconds until all are back."""
    fake = FakeWhereby(limit=LIMIT, period=PERIOD, delay=100.0)
    with (
        RedisServer() as redis,
        fake.serve() as url,
        RedisPointBudget(redis.url, limit=LIMIT, period=PERIOD) as watcher,
        Process(Order(url, redis.url, LIMIT, 0, PERIOD, LIMIT, LIMIT)) as process,
    ):
        asyncio.run(_open(watcher))
        start_all([process])
        while asyncio.run(watcher.refresh()).available > 3:
            time.sleep(0.01)
        process.kill()
        killed = time.monotonic()
        while asyncio.run(watcher.refresh()).available < LIMIT:
            time.sleep(0.005)
        return time.monotonic() - killed


async def _open(budget: RedisPointBudget) -> None:
    (await budget.acquire(1)).settle(200, {})


def main() -> None:
    """Run the benchmark: `--long` adds the real scale, `--far` a Redis that is far away."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--algorithm", choices=("fixed", "sliding", "token-bucket"))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--far", action="store_true")
    parser.add_argument("--processes", type=int, nargs="+", default=[2, 8, 32])
    parser.add_argument("--rtt", type=float, nargs="+", default=[0.2, 5.0, 50.0, 150.0])
    arguments, _ = parser.parse_known_args()
    algorithm = arguments.algorithm or "fixed"
    print(f"\n{algorithm}: {LIMIT} points per {PERIOD:g} s")
    print(
        f"  {'':<28}{'calls':>7}{'wall s':>8}{'429s':>6}{'failed':>8}{'used %':>8}"
        f"{'mean wait s':>12}{'warnings':>10}{'Redis/call':>12}"
    )
    if arguments.far:
        for rtt in arguments.rtt:
            for processes in arguments.processes:
                # 0.2 ms is what two sockets on one machine need
                Run(processes, algorithm, rtt=rtt / 1000 if rtt > 1 else 0.0).report()
        return
    for processes in (2, 4, 8):
        Run(processes, algorithm).report()
    Run(4, algorithm, "one killed").report()
    Run(4, algorithm, "Redis killed").report()
    if arguments.long:
        Run(4, algorithm, "1000 per 60 s", limit=1000, period=60.0, calls=1760).report()
    print(f"  a killed process's points are back {death():.2f} s after its death")


if __name__ == "__main__":
    main()
