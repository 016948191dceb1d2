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
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field

from whereby_api_client.testing import FakeWhereby

from .limiters import LIMITERS, Limiter

PLOT = Path(__file__).parents[1] / "docs" / "budget.png"
# a read of 1 point, a delete of 2, a write of 3, as a service might mix them
MIX = (("GET", 1, 0.5), ("DELETE", 2, 0.2), ("PUT", 3, 0.3))


@define
class Outcome:
    """What became of one limiter's work."""

    name: str
    wall: float = 0.0
    throttled: int = 0
    waits: list[float] = field(factory=list)
    # when the server counted how many points
    counted: list[tuple[float, int]] = field(factory=list)

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


async def drive(name: str, limiter: Limiter, url: str, jobs: list[tuple[str, int]]) -> Outcome:
    """Do the jobs with 50 workers; a 429 waits as long as the server says and goes again."""
    outcome = Outcome(name)
    queue = list(reversed(jobs))
    headers = {"Authorization": "Bearer fake-whereby-token"}
    began = time.monotonic()
    async with httpx.AsyncClient(headers=headers, timeout=None) as client:

        async def worker() -> None:
            while queue:
                method, cost = queue.pop()
                wanted, again = time.monotonic(), False
                while True:
                    grant = await limiter.acquire(cost, again)
                    sent = time.monotonic()
                    body = {"tokensPreset": "default"} if method == "PUT" else None
                    path = "/rooms/r/theme/tokens" if method == "PUT" else "/meetings"
                    path += "/m" if method == "DELETE" else ""
                    response = await client.request(method, f"{url}{path}", json=body)
                    limiter.answered(
                        grant, response.status_code, response.headers, response.content
                    )
                    if response.status_code != 429:
                        outcome.waits.append(sent - wanted)
                        break
                    outcome.throttled += 1
                    again = True
                    if name != "PointBudget":  # ours waits by itself
                        await asyncio.sleep(float(response.headers["retry-after"]))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(50):
                tasks.create_task(worker())
    outcome.wall = time.monotonic() - began
    return outcome


async def one(name: str, algorithm: Any, calls: int, limit: int, period: float) -> Outcome:
    """Let one limiter do the work against a server of its own."""
    fake = FakeWhereby(
        limit=limit, period=period, algorithm=algorithm, delay=(0.005, 0.060), seed=1
    )
    async with fake.serve() as url:
        outcome = await drive(name, LIMITERS[name](limit, period), url, work(calls))
    outcome.counted = [(r.time, r.cost) for r in fake.requests if r.status != 429]
    return outcome


def _one(*arguments: Any) -> Outcome:
    return asyncio.run(one(*arguments))


def saturate(
    algorithm: Any, calls: int, limit: int, period: float, names: list[str]
) -> list[Outcome]:
    """Let all limiters do the same work at the same time, each in a process of its own."""
    with ProcessPoolExecutor(len(names), mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_one, name, algorithm, calls, limit, period) for name in names]
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
        outcomes = saturate(algorithm, 1000, 200, 4.0, list(LIMITERS))
        report(outcomes, 200, 4.0, algorithm)
        if algorithm == "fixed":
            plot(outcomes, 200, 4.0)
    if arguments.long:
        calls = 1760  # a little over three periods and into the fourth
        outcomes = saturate("fixed", calls, 1000, 60.0, ["PointBudget"])
        report(outcomes, 1000, 60.0, "fixed")
