"""Prices that nobody knows beforehand, over real sockets: are they learned, and at what cost?

Operations cost 1 to 10 points at random, 50 workers call them through `WherebyClient` as fast as
they may, at 300 points per 3 seconds, 5 to 60 ms of network each way.
`python -m benchmarks prices [--seeds=20]`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from attrs import define, field

from whereby_api_client import PointBudget, WherebyClient, WherebyError
from whereby_api_client.testing import FakeWhereby

PLOT = Path(__file__).parents[1] / "docs" / "prices.png"
LIMIT, PERIOD, WINDOWS = 300, 3.0, 9
ALGORITHMS = ("fixed", "sliding", "token-bucket")
LATER = datetime.now(UTC) + timedelta(days=1)
Call = Callable[[WherebyClient], Awaitable[object]]
CALLS: dict[str, Call] = {
    "meetings.list": lambda w: w.meetings.list(),
    "meetings.create": lambda w: w.meetings.create(end_date=LATER),
    "recordings.list": lambda w: w.recordings.list(),
    "transcriptions.list": lambda w: w.transcriptions.list(),
    "summaries.list": lambda w: w.summaries.list(),
    "insights.list_rooms": lambda w: w.insights.list_rooms(),
    "insights.list_room_sessions": lambda w: w.insights.list_room_sessions(room_name="/r"),
    "rooms.set_colors": lambda w: w.rooms.set_colors("/r", tokens_preset="default"),
}


@define
class Outcome:
    """What one run has shown."""

    prices: dict[str, int]
    failed: int = 0
    # when the server counted how many points; when it refused
    counted: list[tuple[float, int]] = field(factory=list)
    refused: list[float] = field(factory=list)
    # when, and what the operations were taken to cost
    believed: list[tuple[float, dict[str, int]]] = field(factory=list)

    def after_two_windows(self) -> tuple[int, float]:
        """Return the 429s, and the part of the limit used, after the first two windows."""
        starts = [self.counted[0][0]]
        for when, _ in self.counted:
            if when >= starts[-1] + PERIOD:
                starts.append(when)
        used = sum(cost for when, cost in self.counted if starts[2] <= when < starts[-1])
        late = sum(when >= starts[2] for when in self.refused)
        return late, used * PERIOD / LIMIT / (starts[-1] - starts[2])


async def run(
    algorithm: Any, seed: int, *, headers: bool = True, has_prices: bool = False
) -> Outcome:
    """Let fifty workers call operations at random."""
    dice = random.Random(seed)
    prices = {name: dice.randint(1, 10) for name in CALLS}
    outcome = Outcome(prices)
    fake = FakeWhereby(
        limit=LIMIT,
        period=PERIOD,
        algorithm=algorithm,
        prices=prices,
        delay=(0.005, 0.060),
        seed=seed,
        headers="always" if headers else "never",
    )
    budget = PointBudget(
        None if headers else LIMIT, period=PERIOD, prices=prices if has_prices else None
    )
    left = WINDOWS * LIMIT

    async def worker() -> None:
        nonlocal left
        while left > 0:
            name = dice.choice(list(CALLS))
            left -= prices[name]
            try:
                await CALLS[name](whereby)
            except WherebyError:
                outcome.failed += 1
            outcome.believed.append((time.time(), dict(budget.snapshot().prices)))

    async with (
        fake.serve() as url,
        WherebyClient(fake.token, base_url=url, budget=budget) as whereby,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(50):
            tasks.create_task(worker())
    outcome.counted = [(r.time, r.cost) for r in fake.requests if r.status != 429]
    outcome.refused = [r.time for r in fake.requests if r.status == 429]
    return outcome


def plot(outcome: Outcome) -> None:
    """Draw how the prices were learned, and what the points were used for."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 6), dpi=110, sharex=True, height_ratios=(3, 2)
    )
    began = outcome.counted[0][0]
    offset = outcome.believed[0][0] - began  # the fake has a clock of its own
    offset = 0.0 if abs(offset) < 60 else offset
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for color, (name, real) in zip(colors, outcome.prices.items(), strict=False):
        points = [(t - began - offset, b[name]) for t, b in outcome.believed if name in b]
        above.step(*zip(*points, strict=True), where="post", color=color, label=name)
        above.axhline(real, color=color, linewidth=0.6, linestyle=":")
    above.set_xscale("symlog", linthresh=0.1)
    above.set_ylabel("points per call")
    above.set_title("what each operation is taken to cost (dotted: what it costs)")
    above.legend(fontsize=7, ncols=2, loc="upper right")
    times, total, totals = [], 0, []
    for at, cost in outcome.counted:
        total += cost
        times.append(at - began)
        totals.append(total)
    below.plot(times, totals, label=f"points used; {len(outcome.refused)} x 429")
    below.set_xlabel("seconds")
    below.set_ylabel("points used")
    below.legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    figure.savefig(PLOT)
    print(f"\nplot: {PLOT.relative_to(Path.cwd()) if PLOT.is_relative_to(Path.cwd()) else PLOT}")


def _run(algorithm: Any, seed: int, is_learned: bool) -> Outcome:
    return asyncio.run(run(algorithm, seed, headers=is_learned, has_prices=not is_learned))


def main() -> None:
    """Run all, each seed in a process of its own, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--algorithm", choices=ALGORITHMS)
    parser.add_argument("--learned", action="store_true", help="leave out the configured prices")
    arguments, _ = parser.parse_known_args()
    print(f"prices of 1 to 10 points, {LIMIT} per {PERIOD:g} s, after the first two windows")
    algorithms = [arguments.algorithm] if arguments.algorithm else ALGORITHMS
    # One for each processor, to wait for the network and not for each other.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for algorithm in algorithms:
            for is_learned in (True,) if arguments.learned else (True, False):
                jobs = [
                    pool.submit(_run, algorithm, seed, is_learned)
                    for seed in range(arguments.seeds)
                ]
                outcomes = [job.result() for job in jobs]
                late, shares = zip(*(o.after_two_windows() for o in outcomes), strict=True)
                title = "learned" if is_learned else "configured, no headers"
                refused = sum(len(outcome.refused) for outcome in outcomes)
                failed = sum(outcome.failed for outcome in outcomes)
                print(
                    f"  {algorithm:<14}{title:<24}{sum(late):4} 429s ({refused} with the first "
                    f"two), {failed} failed calls, {100 * statistics.mean(shares):.1f} % of the "
                    f"limit (least {100 * min(shares):.1f})",
                    flush=True,
                )
                if algorithm == "fixed" and is_learned:
                    plot(outcomes[0])
