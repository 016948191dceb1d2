"""Processes that share one organization's points through Redis: what they waste, risk and cost.

1000 mixed calls, 200 points per 4 seconds, 5 to 60 ms of network each way to the server, 25 workers
in each of 2, 8 and 32 processes, through a Redis that is 0.2, 5, 50 and 150 ms away; and 512
processes in virtual time. What is measured begins when all processes are ready.
`python -m benchmarks redis_budget`; `--checkout PATH` alternates with an older checkout's package,
`--accidents` measures what happens when a process or Redis is killed, `--long` the real scale.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.helpers.processes import CHECKOUT, Order, Process, Result, start_all
from tests.helpers.redis_server import RedisServer
from tests.helpers.slow_proxy import SlowProxy
from tests.helpers.virtual_crowd import VirtualCrowd
from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.testing import FakeWhereby

from .budget import Outcome

LIMIT, PERIOD, CALLS = 200, 4.0, 1000
#: Two sockets on one machine need that; beyond, a proxy delays.
LOOPBACK = 0.0002


class Run:
    """One run: what happened, as the server, Redis and the processes saw it."""

    def __init__(
        self,
        processes: int,
        *,
        rtt: float = LOOPBACK,
        event: str = "",
        algorithm: Any = "fixed",
        limit: int = LIMIT,
        period: float = PERIOD,
        calls: int = CALLS,
        checkout: Path = CHECKOUT,
    ) -> None:
        self.name = f"{1000 * rtt:5g} ms {processes:4} processes {event}"
        if checkout != CHECKOUT:
            self.name += f" {checkout.name}"
        fake = FakeWhereby(
            limit=limit, period=period, algorithm=algorithm, delay=(0.005, 0.060), seed=1
        )
        self.results: list[Result] = []
        with ExitStack() as stack:
            redis = stack.enter_context(RedisServer())
            url = stack.enter_context(fake.serve())
            redis_url = redis.url
            if rtt > LOOPBACK:
                redis_url = stack.enter_context(SlowProxy(redis.port, rtt)).url
            orders = [
                Order(url, redis_url, calls // processes, n, period) for n in range(processes)
            ]
            crowd = [stack.enter_context(Process(order, checkout)) for order in orders]
            for process in crowd:
                process.await_ready()
            redis.reset_statistics()
            began = time.monotonic()
            for process in crowd:
                process.go()
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
            self.exchanges, self.sent = redis.statistics()
        counted = [(r.time, r.cost) for r in fake.requests if r.status != 429]
        self.calls = len(counted)
        self.throttled = sum(r.status == 429 for r in fake.requests)
        self.used = Outcome("", counted=counted).used(limit, period)

    def report(self) -> None:
        """Print a line of the table."""
        results = self.results
        waits = [wait for result in results for wait in result.waits]
        print(
            f"  {self.name:<34}{self.calls:6}{self.wall:7.1f}{self.used:8.1f}{self.throttled:6}"
            f"{sum(len(result.failed) for result in results):8}"
            f"{sum(len(result.warnings) for result in results):10}"
            f"{statistics.mean(waits):7.2f}{sum(result.cpu for result in results):8.1f}"
            f"{self.exchanges:11}{sum(result.conflicts for result in results):11}"
            f"{self.sent / 1e6:7.1f}",
            flush=True,
        )


HEADER = (
    f"  {'':<34}{'calls':>6}{'wall s':>7}{'used %':>8}{'429s':>6}{'failed':>8}{'warnings':>10}"
    f"{'wait s':>7}{'CPU s':>8}{'exchanges':>11}{'conflicts':>11}{'MB':>7}"
)


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


def virtual(processes: int, rtt: float) -> None:
    """Print what happens with more processes than this machine can run."""
    began = time.process_time()
    crowd = VirtualCrowd.run(processes, rtt, 2 * processes)
    print(
        f"  {1000 * rtt:5g} ms {processes:4} processes: {100 * crowd.used():.1f} % used, "
        f"{crowd.refused} 429s, {crowd.redis.exchanges} exchanges, {crowd.redis.conflicts} "
        f"conflicts, {crowd.redis.largest / 1e3:.0f} kB; "
        f"{time.process_time() - began:.1f} s of CPU",
        flush=True,
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks redis_budget")
    parser.add_argument(
        "--algorithm", default="fixed", choices=("fixed", "sliding", "token-bucket")
    )
    parser.add_argument("--processes", type=int, nargs="*", default=[2, 8, 32])
    parser.add_argument("--rtt", type=float, nargs="*", default=[0.2, 5.0, 50.0, 150.0])
    parser.add_argument("--virtual", type=int, nargs="*", default=[512])
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--checkout", type=Path, action="append", default=[])
    parser.add_argument("--accidents", action="store_true")
    parser.add_argument("--long", action="store_true")
    arguments, _ = parser.parse_known_args()
    print(f"\n{arguments.algorithm}: {LIMIT} points per {PERIOD:g} s\n{HEADER}")
    options: dict[str, Any] = {"algorithm": arguments.algorithm, "calls": arguments.calls}
    for rtt in arguments.rtt:
        for processes in arguments.processes:
            for checkout in (CHECKOUT, *arguments.checkout):
                Run(processes, rtt=rtt / 1000, checkout=checkout, **options).report()
    if arguments.accidents:
        Run(4, event="one killed", **options).report()
        Run(4, event="Redis killed", **options).report()
        print(f"  a killed process's points are back {death():.2f} s after its death")
    if arguments.long:
        Run(4, event="1000 per 60 s", limit=1000, period=60.0, calls=1760).report()
    if arguments.virtual:
        print("\nin virtual time:")
    for processes in arguments.virtual:
        virtual(processes, LOOPBACK)


if __name__ == "__main__":
    main()
