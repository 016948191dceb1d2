"""Processes that share a budget through a Redis that is only memory, in virtual time.

The budgets are the real ones, each with its `Membership`; only the threads and Redis are not. An
exchange takes a round trip of virtual time, so others are faster now and then. Needs a running
`VirtualLoop` (virtual.py).
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from whereby_api_client.budget.ledger import Ledger
from whereby_api_client.budget.observer import Observer
from whereby_api_client.budget.queue import CallQueue, Waiter
from whereby_api_client.budget.redis_budget import RedisPointBudget
from whereby_api_client.budget.redis_store import Result, Write

#: Seconds of history that can be gone back to.
_HISTORY = 10.0


class MemoryRedis:
    """What the script in redis_store.py does, and a history to fail over to.

    Args:
        rtt: seconds for a round trip.
        jitter: how much longer it may take.

    Attributes:
        interrupt: called with a point and a process that reaches it: "sending" (its request is on
            the way), "handled" (Redis has done what it says, the reply is on the way), "delivered"
            (its calls have their points, and have not run yet).
    """

    def __init__(self, rtt: float = 0.001, jitter: float = 0.5, seed: int = 0) -> None:
        self.rtt = rtt
        self.text = ""
        self.inbox: list[str] = []
        self.error: Exception | None = None  # that every exchange raises
        self.clock_offset = 1_000_000.0
        self.compute = 0.0
        self.writes = 0
        self.conflicts = 0
        self.lost_messages = 0.0  # the part of all messages that does not arrive
        self.exchanges = 0
        self.largest = 0
        self.interrupt: Callable[[str, VirtualBudget, Write], object] = lambda *arguments: None
        self._jitter = jitter
        self._dice = random.Random(seed)
        self._history: deque[tuple[float, str, list[str]]] = deque()
        self._workers: dict[str, VirtualWorker] = {}
        self._arrivals: dict[str, float] = {}

    def delay(self) -> float:
        """Return how long one way takes."""
        return self.rtt / 2 * (1 + self._jitter * self._dice.random())

    def computing(self) -> float:
        """Return how long a process takes to write the ledger down."""
        return self.compute * self._dice.uniform(0.5, 2)

    def exchange(self, write: Write) -> Result:
        """Do what the script does."""
        loop = asyncio.get_running_loop()
        if self.error is not None:
            raise self.error
        self.exchanges += 1
        moment = loop.time() + self.clock_offset
        since = "".join(self.inbox[write.folded :])
        is_alive = any(name in since for name in write.expired)
        line = self.text.partition("\n")[0]
        is_known = not write.last or self.inbox[write.folded - 1 : write.folded] == [write.last]
        is_time = moment >= write.clock
        if write.text and line == write.title and is_known and is_time and not is_alive:
            self.writes += 1
            self.text, self.inbox = write.text, self.inbox[write.folded :]
            self.largest = max(self.largest, len(self.text))
            self._remember(loop.time())
            for address, notice in write.notices:
                self._publish(address, notice)
            return Result(True, moment, inbox=self.inbox)
        self.conflicts += bool(write.text)
        if write.request:
            self.inbox = [*self.inbox, write.request]
            self._remember(loop.time())
        title = re.match(r"\S+ \S+ (\S+) (\d+) ", line)
        if title and not write.member.startswith(title[1]):
            is_writing = 1000 * moment < int(title[2]) and title[1] in self._workers
            if is_writing and write.request:
                self._publish(title[1], write.request)
            if is_writing and not write.wants_text:
                member = re.search(re.escape(f'"{write.member}":[') + r"(\d+),(\d+)", self.text)
                seq, grants = member.groups() if member else (0, 0)
                return Result(False, moment, title=line, seq=int(seq), grants=int(grants))
        return Result(False, moment, None if line == write.title else self.text, self.inbox)

    def _publish(self, address: str, message: str) -> None:
        worker = self._workers.get(address)
        if worker is not None and self._dice.random() >= self.lost_messages:
            loop = asyncio.get_running_loop()
            # in their order, as through a connection
            self._arrivals[address] = max(
                self._arrivals.get(address, 0.0), loop.time() + self.delay()
            )
            loop.call_at(self._arrivals[address], worker.hear, message)

    def _remember(self, now: float) -> None:
        self._history.append((now, self.text, self.inbox))
        while self._history[0][0] < now - _HISTORY:
            self._history.popleft()

    def fail_over(self, age: float) -> None:
        """Let a copy take over that is so many seconds old."""
        then = asyncio.get_running_loop().time() - age
        self.text, self.inbox = "", []
        for when, text, inbox in self._history:
            if when <= then:
                self.text, self.inbox = text, inbox
        self._history.clear()

    def join(self, worker: VirtualWorker) -> None:
        """Let a worker hear notices."""
        self._workers[worker.membership.address] = worker
        worker.hear("")


class VirtualWorker:
    """The sync worker's thread as a task.

    Attributes:
        connecting: seconds that its next request takes longer than others.
    """

    patience = 2.5

    def __init__(self, budget: VirtualBudget, redis: MemoryRedis) -> None:
        self.connecting = 0.0
        self.membership = budget._membership
        self._budget = budget
        self._redis = redis
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Let it look what there is to say."""
        self._bell.set()

    def start(self) -> None:
        """Start the task, the first time."""
        if self._task is None:
            self._redis.join(self)
            self._task = asyncio.get_running_loop().create_task(self._run())

    def hear(self, notice: str) -> None:
        """Take a notice."""
        self.membership.hears = True
        self.membership.hear(notice)
        self.wake()

    def is_stuck(self) -> bool:
        """Return False: there is no thread."""
        return False

    def close(self) -> None:
        """Kill it."""
        self._redis._workers.pop(self.membership.address, None)
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        delay: float | None = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._bell.wait()
            await self._budget.run_on()
            self._bell.clear()
            exchanges = self.membership.step(self._budget)
            try:
                write = next(exchanges)
                while True:
                    connecting, self.connecting = self.connecting, 0.0
                    self._redis.interrupt("sending", self._budget, write)
                    await self._pass(self._redis.delay() + self._redis.computing() + connecting)
                    result: Result | Exception
                    try:
                        result = self._redis.exchange(write)
                    except Exception as error:
                        result = error
                    self._redis.interrupt("handled", self._budget, write)
                    await self._pass(self._redis.delay())
                    before = write
                    try:
                        if isinstance(result, Exception):
                            write = exchanges.throw(result)
                        else:
                            write = exchanges.send(result)
                    finally:
                        self._redis.interrupt("delivered", self._budget, before)
            except StopIteration as end:
                delay = end.value

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._budget.run_on()


class VirtualQueue(CallQueue):
    """The queue of a process that may stand still when a call wakes up."""

    __slots__ = ("_budget",)

    def __init__(self, budget: VirtualBudget) -> None:
        super().__init__(budget._clock, budget._serve)
        self._budget = budget

    async def wait(self, waiter: Waiter, ledger: Ledger, max_wait: float | None) -> None:
        """Sleep, and then until the process runs."""
        await super().wait(waiter, ledger, max_wait)
        await self._budget.run_on()


class VirtualBudget(RedisPointBudget):
    """A budget of a process that is only a few tasks."""

    __slots__ = ("_memory", "_stopped_until")

    _worker: Any

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    def __init__(self, redis: MemoryRedis, **options: Any) -> None:
        self._memory = redis
        self._stopped_until = 0.0
        super().__init__("", **options)

    def _begin(self, limit: int, observers: tuple[Observer, ...] = ()) -> None:
        super()._begin(limit, observers)
        self._queue = VirtualQueue(self)

    def connect_slowly(self, seconds: float) -> None:
        """Let the next request take so many seconds longer."""
        self._worker.connecting = seconds

    def stop(self, seconds: float) -> None:
        """Let the process stand still: what it does next, it does later."""
        self._stopped_until = max(self._stopped_until, self._clock() + seconds)

    async def run_on(self) -> None:
        """Wait while the process stands still: a test's tasks of this process call it."""
        while (seconds := self._stopped_until - self._clock()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(seconds)

    def _make_worker(self) -> Any:
        return VirtualWorker(self, self._memory)
