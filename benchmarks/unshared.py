"""Processes that share nothing but the organization's points: does it pay to probe?

When the window of others should have ended, one call may go although no points are free
(`Ledger._may_probe`). With and without it, in virtual time, 2 and 4 processes from the beginning,
and one that joins a window which others have used up. `python -m benchmarks unshared [--seeds=20]`.
"""

from __future__ import annotations

import argparse
import random
import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unittest import mock

from tests.helpers.rate_limit_servers import ALGORITHMS, Server
from tests.helpers.simulation import Client, World, mixed
from whereby_api_client.budget.ledger import Ledger

SCALES = ((200, 4.0), (1000, 60.0))
USUAL = ("fixed", "sliding", "bucket")
WORKERS, WINDOWS = 48, 8


def run(
    algorithm: str, limit: int, period: float, seed: int, processes: int, probes: bool
) -> tuple[int, float]:
    """Return the 429s, and the seconds until all calls were done.

    A single process joins a window that others have opened and used up to a random part.
    """
    rng = random.Random(seed)
    limiter = ALGORITHMS[algorithm](limit, period)
    start = 0.0
    if processes == 1:
        limiter.handle(rng.randint(1, limit), 0.0)
        start = rng.uniform(0.0, period)
    server = Server(limiter, reset="javascript", shift=rng.random())
    world = World(start)
    jobs = iter(mixed((2 if processes == 1 else WINDOWS) * limit // 2, rng))
    clients = []
    with mock.patch.object(Ledger, "_may_probe", Ledger._may_probe if probes else _never):
        for _ in range(processes):
            ledger = Ledger(100, ceiling=None, period=period)

            def way() -> float:
                return rng.uniform(0.0025, 0.030)

            clients.append(Client(world, server, ledger, upward=way, downward=way))
            for _ in range(WORKERS // processes):
                clients[-1].work(jobs)
        world.run()
    return limiter.refused, max(client.done_at for client in clients) - start


def _never(ledger: Ledger, missing: int, now: float) -> bool:
    return False


def main() -> None:
    """Print the means over the seeds, with and without."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    arguments, _ = parser.parse_known_args()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for limit, period in SCALES:
            print(f"\n{limit} points per {period:g} s, {arguments.seeds} seeds, with and without")
            for processes in (2, 4, 1):
                for algorithm in USUAL:
                    means = []
                    for probes in (True, False):
                        jobs = [
                            pool.submit(run, algorithm, limit, period, seed, processes, probes)
                            for seed in range(arguments.seeds)
                        ]
                        refused, took = zip(*(job.result() for job in jobs), strict=True)
                        means.append((statistics.mean(refused), statistics.mean(took)))
                    title = f"{processes} processes" if processes > 1 else "joins others"
                    figures = "   ".join(f"{r:6.1f} 429s {t:7.1f} s" for r, t in means)
                    print(f"  {title:<14}{algorithm:<10}{figures}", flush=True)
