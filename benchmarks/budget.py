"""Limiters against a rate-limited server, over real sockets: who draws 429s, who wastes points.

The same 1000 mixed calls from 50 workers, at 200 points per 4 seconds, 5 to 60 ms of network each
way, for each algorithm that a server may run. All limiters run side by side, each in a process and
against a server of its own. `python -m benchmarks budget [--long]`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field

from whereby_api_client import NotFoundError, PointBudget, WherebyClient
from whereby_api_client.observer import CallReport, Observer
from whereby_api_client.testing import FakeWhereby

from .limiters import LIMITERS, Limiter

PLOT = Path(__file__).parents[1] / "docs" / "budget.png"
LIMIT, PERIOD = 200, 4.0
# a read of 1 point, a delete of 2, a write of 3, as a service might mix them
MIX = (("GET", 1, 0.5), ("DELETE", 2, 0.2), ("PUT", 3, 0.3))


@define
class Outcome:
    """The outcome of one limiter's work."""

    name: str
    wall: float = 0.0
    throttled: int = 0
    waits: list[float] = field(factory=list)
    # when the server counted how many points
    counted: list[tuple[float, int]] = field(factory=list)
    began: float = field(factory=time.monotonic)

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def used(self, limit: int, period: float) -> float:
        """How much of the limit per period was used, in percent, until the last one could begin.

        What comes after fills no period, and would only blur the figure. A token bucket gives one
        limit beside, so there it can be more than 100.
        """
        points = sum(cost for _, cost in self.counted)
        periods = (points - 1) // limit
        totals = itertools.accumulate(cost for _, cost in self.counted)
        first = next(i for i, total in enumerate(totals) if total > periods * limit)
        took = self.counted[first][0] - self.counted[0][0]
        return 100 * periods * period / took


def work(calls: int, seed: int = 1) -> list[tuple[str, int]]:
    """Mix the calls: method and cost."""
    dice = random.Random(seed)
    weights = [share for _, _, share in MIX]
    return [(m, c) for m, c, _ in dice.choices(MIX, weights, k=calls)]


@define
class Sender:
    """Sends calls through one limiter; a 429 waits as long as the server says and goes again."""

    limiter: Limiter
    client: httpx.AsyncClient
    url: str
    outcome: Outcome

    async def send(self, method: str, cost: int) -> None:
        """Send one call until it gets through; note how long it waited."""
        asked_at, is_retry = time.monotonic(), False
        while True:
            grant = await self.limiter.acquire(cost, is_retry)
            sent = time.monotonic()
            body = {"tokensPreset": "default"} if method == "PUT" else None
            path = "/rooms/r/theme/tokens" if method == "PUT" else "/meetings"
            path += "/m" if method == "DELETE" else ""
            response = await self.client.request(method, f"{self.url}{path}", json=body)
            self.limiter.answered(grant, response.status_code, response.headers, response.content)
            if response.status_code != 429:
                self.outcome.waits.append(sent - asked_at)
                return
            self.outcome.throttled += 1
            is_retry = True
            if self.outcome.name != "PointBudget":  # ours waits by itself
                await asyncio.sleep(float(response.headers["retry-after"]))


async def fifty_workers(sender: Sender, jobs: list[tuple[str, int]]) -> None:
    """Do the jobs one after the other, by fifty workers."""
    queue = list(reversed(jobs))

    async def worker() -> None:
        while queue:
            await sender.send(*queue.pop())

    async with asyncio.TaskGroup() as tasks:
        for _ in range(50):
            tasks.create_task(worker())


async def in_bursts(sender: Sender, jobs: list[tuple[str, int]]) -> None:
    """Let the jobs arrive in bursts, at 80 % of the limit, even while earlier calls wait."""
    dice = random.Random(len(jobs) + jobs[0][1])
    rate = 0.8 * LIMIT / PERIOD
    queue, due = list(jobs), 0.0
    async with asyncio.TaskGroup() as tasks:
        while queue:
            size = dice.randint(1, 60)
            burst, queue = queue[:size], queue[size:]
            for job in burst:
                tasks.create_task(sender.send(*job))
            due += sum(cost for _, cost in burst) / rate * dice.uniform(0.5, 1.5)
            await asyncio.sleep(max(0.0, due - sender.outcome.elapsed()))


async def run_limiter(
    name: str, algorithm: Any, jobs: list[tuple[str, int]], limit: int, period: float, workload: Any
) -> Outcome:
    """Let one limiter do the work against a server of its own."""
    fake = FakeWhereby(
        limit=limit, period=period, algorithm=algorithm, delay=(0.005, 0.060), seed=1
    )
    outcome = Outcome(name)
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with fake.serve() as url, httpx.AsyncClient(headers=headers, timeout=None) as client:
        await workload(Sender(LIMITERS[name](limit, period), client, url, outcome), jobs)
    outcome.wall = outcome.elapsed()
    outcome.counted = [(r.time, r.cost) for r in fake.requests if r.status != 429]
    return outcome


def _run(*arguments: Any) -> Outcome:
    return asyncio.run(run_limiter(*arguments))


def bursts(seeds: int = 20) -> None:
    """Compare the waits of bursts near 80 % of the limit with pyrate-limiter's."""
    rows: dict[str, list[Outcome]] = {"PointBudget": [], "pyrate-limiter": []}
    with ProcessPoolExecutor(8, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(_run, name, "fixed", work(350, seed), LIMIT, PERIOD, in_bursts)
            for seed in range(seeds)
            for name in rows
        ]
        for job in jobs:
            rows[job.result().name].append(job.result())
    print(f"\nbursts at 80 % of {LIMIT} per {PERIOD:g} s, fixed window, {seeds} seeds")
    for name, outcomes in rows.items():
        waits = [wait for outcome in outcomes for wait in outcome.waits]
        throttled = sum(outcome.throttled for outcome in outcomes)
        print(f"  {name:<24}{throttled:4} 429s, mean wait {statistics.mean(waits):.3f} s")


class Totals(Observer):
    """Adds up what a client reports."""

    def __init__(self) -> None:
        self.calls = 0
        self.points: Counter[str] = Counter()

    def call_ended(self, call: CallReport) -> None:
        """Add a call."""
        self.calls += 1
        self.points[call.operation] += call.points


async def observed(jobs: list[tuple[str, int]]) -> None:
    """Do the work through an observed client, and compare its reports with the server's count."""
    fake = FakeWhereby(limit=LIMIT, period=PERIOD, delay=(0.005, 0.060), seed=1)
    totals, queue = Totals(), list(reversed(jobs))

    async def worker(whereby: WherebyClient) -> None:
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "GET": lambda: whereby.meetings.list(),
            "DELETE": lambda: whereby.meetings.delete("m"),
            "PUT": lambda: whereby.rooms.set_colors("/r", tokens_preset="default"),
        }
        while queue:
            with suppress(NotFoundError):
                await calls[queue.pop()[0]]()

    budget = PointBudget(limit=LIMIT, period=PERIOD)
    async with (
        fake.serve() as url,
        WherebyClient(fake.token, base_url=url, budget=budget, observer=totals) as whereby,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(50):
            tasks.create_task(worker(whereby))
    counted: Counter[str] = Counter()
    for request in fake.requests:
        counted[str(request.operation)] += request.cost if request.status != 429 else 0
    print(
        f"\nobserved: {totals.calls} calls, {totals.points.total()} points; the server has counted "
        f"{counted.total()}, and the same for each operation: {totals.points == counted}"
    )


def saturate(
    algorithm: Any, calls: int, limit: int, period: float, names: list[str]
) -> list[Outcome]:
    """Let all limiters do the same work at the same time, each in a process of its own."""
    with ProcessPoolExecutor(len(names), mp_context=get_context("spawn")) as pool:
        arguments = (algorithm, work(calls), limit, period, fifty_workers)
        jobs = [pool.submit(_run, name, *arguments) for name in names]
        return [job.result() for job in jobs]


def report(outcomes: list[Outcome], limit: int, period: float, algorithm: str) -> None:
    """Print the table."""
    points = sum(cost for _, cost in outcomes[0].counted)
    ideal = (points - 1) // limit * period
    print(
        f"\n{algorithm}: {len(outcomes[0].counted)} calls, {points} points at {limit} per "
        f"{period:g} s; windows allow it in {ideal:.1f} s"
    )
    print(f"  {'':<24}{'wall s':>8}{'429s':>6}{'used %':>8}{'mean wait s':>13}{'p99 wait s':>12}")
    for o in outcomes:
        p99 = statistics.quantiles(o.waits, n=100)[98]
        print(
            f"  {o.name:<24}{o.wall:8.1f}{o.throttled:6}{o.used(limit, period):8.1f}"
            f"{statistics.mean(o.waits):13.2f}{p99:12.2f}"
        )
    sys.stdout.flush()


def plot(outcomes: list[Outcome], limit: int, period: float) -> None:
    """Draw the points that got through over time, for the README."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.2), dpi=110)
    for o in outcomes:
        times, total, totals = [], 0, []
        for at, cost in o.counted:
            total += cost
            times.append(at - o.counted[0][0])
            totals.append(total)
        ours = o.name == "PointBudget"
        label = f"{o.name}: {o.throttled} x 429"
        axes.plot(times, totals, label=label, linewidth=2.4 if ours else 1, zorder=5 if ours else 1)
    axes.set_xlabel("seconds")
    axes.set_ylabel("points used")
    axes.set_title(f"1000 calls, 50 workers, fixed window of {limit} points per {period:g} s")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(PLOT)
    print(f"\nplot: {PLOT.relative_to(Path.cwd()) if PLOT.is_relative_to(Path.cwd()) else PLOT}")


def main() -> None:
    """Run the benchmark; `--long` adds the real scale, 1000 points per 60 s."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--algorithm", choices=("fixed", "sliding", "token-bucket"))
    arguments, _ = parser.parse_known_args()
    algorithms = (
        [arguments.algorithm] if arguments.algorithm else ["fixed", "sliding", "token-bucket"]
    )
    for algorithm in algorithms:
        outcomes = saturate(algorithm, 1000, LIMIT, PERIOD, list(LIMITERS))
        report(outcomes, LIMIT, PERIOD, algorithm)
        if algorithm == "fixed":
            plot(outcomes, LIMIT, PERIOD)
    bursts()
    asyncio.run(observed(work(1000)))
    if arguments.long:
        calls = 1760  # a little over three periods and into the fourth
        outcomes = saturate("fixed", calls, 1000, 60.0, ["PointBudget"])
        report(outcomes, 1000, 60.0, "fixed")
