"""A discrete-event simulation of clients, network and server around the pure ledger.

No event loop: hours of traffic run in a second, and the same seed gives the same run.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any, Literal

from whereby_api_client.budget.headers import read_rate_limit
from whereby_api_client.budget.ledger import Ledger, Ticket

from .rate_limit_servers import Response, Server

Delay = Callable[[], float]
#: What the server takes for a call, alone or with the operation and its documented price.
Job = int | tuple[int, str, int]
#: The fate of a call: its response arrives; it never reaches the server and we know it, or do
#: not know it; the response gets lost; the caller gives up while the request is still on its way.
Fate = Literal["answered", "no connection", "request lost", "response lost", "given up"]


class World:
    """Virtual time, and what happens in it."""

    def __init__(self, start: float = 0.0) -> None:
        self.now = start
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = count()

    def at(self, when: float, what: Callable[..., None], *args: Any) -> None:
        """Let something happen."""
        heapq.heappush(self._events, (max(when, self.now), next(self._numbers), what, args))

    def run(self) -> None:
        """Let time pass until nothing is left to happen."""
        while self._events:
            self.now, _, what, args = heapq.heappop(self._events)
            what(*args)


class _Call:
    __slots__ = ("cost", "documented", "done", "fate", "operation", "sent", "since", "ticket")

    def __init__(
        self,
        cost: int,
        operation: str,
        documented: int,
        since: float,
        fate: Fate,
        sent: Callable[[], None],
        done: Callable[[], None],
    ) -> None:
        self.cost = cost  # what the server takes
        self.operation = operation
        self.documented = documented
        self.since = since
        self.fate: Fate = fate
        self.sent = sent
        self.done = done
        self.ticket: Ticket


class Client:
    """Calls, first come, first served, through one ledger over a slow network.

    Attributes:
        waits: how long each call waited for its points.
        refused: how many 429s it met.
        done: how many calls have ended.
        done_at: when the last one did.
        check: called after every step.
    """

    def __init__(
        self, world: World, server: Server, ledger: Ledger, *, upward: Delay, downward: Delay
    ) -> None:
        self.world = world
        self.server = server
        self.ledger = ledger
        self.upward = upward
        self.downward = downward
        self.timeout = 1.0
        self.queue: deque[_Call] = deque()
        self.waits: list[float] = []
        self.refused = 0
        self.done = 0
        self.done_at = 0.0
        self.check: Callable[[], None] = lambda: None
        self._alarm = float("inf")

    def call(
        self,
        cost: int,
        *,
        operation: str = "",
        documented: int = 0,
        fate: Fate = "answered",
        sent: Callable[[], None] = lambda: None,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """Queue a call: the server takes `cost`, whatever is `documented`."""
        call = _Call(cost, operation, documented or cost, self.world.now, fate, sent, done)
        self.queue.append(call)
        self.pump()

    def work(self, jobs: Iterator[Job]) -> None:
        """Be one worker: make the next call as soon as the last one is answered."""
        for job in jobs:
            cost, operation, documented = (job, "", job) if isinstance(job, int) else job
            again = partial(self.work, jobs)
            self.call(cost, operation=operation, documented=documented, done=again)
            return

    def pump(self) -> None:
        """Send what may be sent, and try again when that may change."""
        now = self.world.now
        self.ledger.advance(now)
        while self.queue and self.ledger.admits(self._price(), now):
            cost = self._price()
            self._send(self.queue.popleft(), cost, now)
        self.check()
        if self.queue:
            change = self.ledger.next_change(self._price(), now)
            if change is not None and change < self._alarm:
                self._alarm = change
                self.world.at(change, self._ring)

    def _ring(self) -> None:
        self._alarm = float("inf")
        self.pump()

    def _price(self) -> int:
        call = self.queue[0]
        return self.ledger.price(call.operation, call.documented)

    def _send(self, call: _Call, cost: int, now: float) -> None:
        call.ticket = self.ledger.take(
            cost, now, operation=call.operation, documented=call.documented
        )
        call.sent()
        travel = self.upward()
        if call.fate == "no connection":
            self.world.at(now + travel, self._end, call, self.ledger.refund, call.ticket)
            return
        if call.fate != "request lost":
            self.world.at(now + travel, self._arrive, call)
        if call.fate in ("request lost", "response lost"):
            self.world.at(now + self.timeout + travel, self._lose, call)
        elif call.fate == "given up":
            self.world.at(now + travel / 2, self._lose, call)

    def _arrive(self, call: _Call) -> None:
        response = self.server.handle(call.cost, self.world.now)
        if call.fate == "answered":
            self.world.at(self.world.now + self.downward(), self._receive, call, response)

    def _lose(self, call: _Call) -> None:
        self._end(call, self.ledger.lose, call.ticket, self.world.now)

    def _receive(self, call: _Call, response: Response) -> None:
        now = self.world.now
        reported = read_rate_limit(response.status, response.headers, response.body)
        rejected = response.status == 429
        self.ledger.advance(now)
        self.ledger.settle(call.ticket, now, reported, rejected=rejected)
        if rejected:
            self.refused += 1
            self.queue.appendleft(call)
            self.pump()
        else:
            self.waits.append(call.ticket.sent_at - call.since)
            self._end(call, lambda: None)

    def _end(self, call: _Call, how: Callable[..., None], *args: Any) -> None:
        self.ledger.advance(self.world.now)
        how(*args)
        self.done += 1
        self.done_at = self.world.now
        call.done()
        self.pump()


def mixed(calls: int, rng: random.Random) -> list[int]:
    """Return costs of reads, deletes and writes alike; the first call is a read."""
    return [1] + [rng.choice((1, 2, 3)) for _ in range(calls - 1)]
