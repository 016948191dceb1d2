"""What the point budget needs of an event loop: a sleep, a way to end it, an alarm, the time.

anyio has no way to wake a task of another thread's loop without blocking, which a budget needs that
several loops share. So this talks to asyncio and to trio themselves. Neither is imported
before it runs: asyncio alone would be a third of the package's import time.
"""

from __future__ import annotations

import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio

    import trio


class Sleeper:
    """A task that sleeps in a loop, until `Loop.wake`."""

    __slots__ = ("signal",)

    signal: Any  # what is waited for: an asyncio.Future or a trio.Event


class Loop(Protocol):
    """One event loop. Only `sleep` and `prepare` need to be called from within it.

    `current_loop` is what `running_loop` returns where the method is called.

    Attributes:
        key: the loop itself, or trio's token of it.
        waiting: how many sleep in it; kept by the budget.
    """

    key: Any
    waiting: int

    def prepare(self, sleeper: Sleeper) -> None:
        """Get ready for a sleep, so that even a `wake` before it counts."""

    def sleep(self, sleeper: Sleeper) -> Awaitable[Any]:
        """Return what has to be awaited to sleep until `wake`."""
        ...

    def wake(self, sleeper: Sleeper, current_loop: object) -> bool:
        """End a sleep. False if the loop is closed."""
        ...

    def is_running(self) -> bool:
        """Return whether a sleeper who is woken will notice."""
        ...

    def post(self, what: Callable[[Any], None], argument: object) -> bool:
        """Call something in the loop once it runs on. False if it is closed."""
        ...

    def arm(self, when: float, delay: float, current_loop: object) -> None:
        """Set the alarm to `when`, which is in `delay` seconds, unless it rings before anyway."""

    def disarm(self, current_loop: object) -> None:
        """End the alarm: nobody sleeps in this loop any more."""


class _AlarmedLoop(ABC):
    """What both kinds of loops share: an alarm, set and ended from any thread."""

    __slots__ = ("_alarm", "_alarm_at", "_ring", "key", "waiting")

    key: Any
    _alarm: Any
    _alarm_at: float

    @abstractmethod
    def post(self, what: Callable[[Any], None], argument: object) -> bool:
        """Call something in the loop once it runs on. False if it is closed."""

    @abstractmethod
    def _start(self, delay: float) -> None: ...

    def arm(self, when: float, delay: float, current_loop: object) -> None:
        """Start a timer, through the loop if this is another thread."""
        if when < self._alarm_at:
            self._alarm_at = when
            if current_loop is self.key:
                self._start(delay)
            else:
                self.post(self._start, delay)

    def disarm(self, current_loop: object) -> None:
        """End the timer, through the loop if this is another thread."""
        if self._alarm_at < math.inf:
            self._alarm_at = math.inf
            if current_loop is self.key:
                self._stop(None)
            else:
                self.post(self._stop, None)

    def _stop(self, _: None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


class AsyncioLoop(_AlarmedLoop):
    """An asyncio loop."""

    __slots__ = ()

    def __init__(self, key: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self.key: asyncio.AbstractEventLoop = key
        self.waiting: int = 0
        self._ring = ring
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf

    def prepare(self, sleeper: Sleeper) -> None:
        """Make a future."""
        sleeper.signal = self.key.create_future()

    def sleep(self, sleeper: Sleeper) -> Awaitable[Any]:
        """Return the future; a coroutine around it would take a tenth of a waiting call."""
        future: asyncio.Future[None] = sleeper.signal
        return future

    def wake(self, sleeper: Sleeper, current_loop: object) -> bool:
        """Resolve the future, through the loop if this is another thread."""
        if current_loop is self.key:
            _resolve(sleeper.signal)
            return True
        return self.post(_resolve, sleeper.signal)

    def is_running(self) -> bool:
        """Ask the loop, which may have been stopped."""
        return self.key.is_running()

    def post(self, what: Callable[[Any], None], argument: object) -> bool:
        """Hand it over to the loop."""
        try:
            self.key.call_soon_threadsafe(what, argument)
        except RuntimeError:  # it is closed
            return False
        return True

    def _start(self, delay: float) -> None:
        self._stop(None)
        self._alarm = self.key.call_later(delay, self._sound)

    def _sound(self) -> None:
        self._alarm_at = math.inf
        self._ring()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class TrioLoop(_AlarmedLoop):
    """A trio run."""

    __slots__ = ()

    def __init__(self, key: trio.lowlevel.TrioToken, ring: Callable[[], None]) -> None:
        self.key: trio.lowlevel.TrioToken = key
        self.waiting: int = 0
        self._ring = ring
        self._alarm: trio.CancelScope | None = None
        self._alarm_at = math.inf

    def prepare(self, sleeper: Sleeper) -> None:
        """Make an event."""
        import trio

        sleeper.signal = trio.Event()

    def sleep(self, sleeper: Sleeper) -> Awaitable[Any]:
        """Wait for the event."""
        event: trio.Event = sleeper.signal
        return event.wait()

    def wake(self, sleeper: Sleeper, current_loop: object) -> bool:
        """Set the event, through the run if this is another thread."""
        if current_loop is self.key:
            sleeper.signal.set()
            return True
        return self.post(_set, sleeper.signal)

    def is_running(self) -> bool:
        """Return True: a run that stands still has finished, and `wake` returns False then."""
        return True

    def post(self, what: Callable[[Any], None], argument: object) -> bool:
        """Hand it over to the run."""
        import trio

        try:
            self.key.run_sync_soon(what, argument)
        except trio.RunFinishedError:
            return False
        return True

    def _start(self, delay: float) -> None:
        import trio

        deadline = trio.current_time() + delay
        if self._alarm is None:
            # trio has no timers, only tasks that sleep.
            self._alarm = trio.CancelScope(deadline=deadline)
            try:
                trio.lowlevel.spawn_system_task(self._sound, self._alarm)
            except RuntimeError:  # the run is just ending, and with it those who wait
                self._alarm = None
                self._alarm_at = math.inf
        else:
            self._alarm.deadline = deadline

    async def _sound(self, alarm: trio.CancelScope) -> None:
        import trio

        with alarm:
            await trio.sleep_forever()
        if alarm is self._alarm:  # else it was ended, not reached
            self._alarm = None
            self._alarm_at = math.inf
            self._ring()


def _set(event: trio.Event) -> None:
    event.set()


def make_loop(key: Any, ring: Callable[[], None]) -> Loop:
    """Make the `Loop` of what `running_loop` has returned; `ring` is called by its alarm."""
    if hasattr(key, "call_soon_threadsafe"):
        return AsyncioLoop(key, ring)
    return TrioLoop(key, ring)


def running_loop() -> object:
    """Return the loop that this is called from, None if from none."""
    trio = sys.modules.get("trio")
    asyncio = sys.modules.get("asyncio")
    # trio first: it can be a guest in an asyncio loop. It lacks attributes while another thread is
    # still importing it, as httpcore does with the first connection.
    with suppress(RuntimeError, AttributeError):
        if trio is not None:
            return trio.lowlevel.current_trio_token()
    with suppress(RuntimeError):
        if asyncio is not None:
            return asyncio.get_running_loop()
    return None


class LoopClock:
    """`time.monotonic`, or trio's virtual time where that is in use.

    One clock for all loops: asyncio's own is `time.monotonic` too (but uvloop's only once per turn
    of the loop, which is too late to say when a response arrived), and trio's starts anywhere.
    """

    __slots__ = ("_latest", "_offset", "_virtual")

    def __init__(self) -> None:
        self._virtual: Any = None
        self._offset = 0.0
        self._latest = -math.inf

    def __call__(self) -> float:
        """Return the time in seconds."""
        # A virtual clock needs trio.testing, which no service imports.
        if "trio.testing" in sys.modules:
            return self._time_in_tests()
        return time.monotonic()

    def _time_in_tests(self) -> float:
        import trio
        import trio.testing

        now = time.monotonic()
        clock = None
        with suppress(RuntimeError):  # raised outside of a trio run
            clock = trio.lowlevel.current_clock()
        if isinstance(clock, trio.testing.MockClock):
            if clock is not self._virtual:  # the next run goes on where the last one ended
                self._virtual = clock
                self._offset = max(self._latest, now) - clock.current_time()
            now = clock.current_time() + self._offset
        self._latest = max(self._latest, now)
        return self._latest
