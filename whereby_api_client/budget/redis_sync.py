"""The threads that keep one process in step with the ledger in Redis.

What they say and when is decided in `membership.py`.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from .membership import Budget, Exchanges, Membership
from .redis_store import Store

logger: Final = logging.getLogger("whereby_api_client.budget")

# It stops listening when no call has had to wait for so long: an idle process is silent.
_LISTENS: Final = 60.0

# ... and tries so often (seconds) to listen.
_LISTENER_PAUSE: Final = 1.0

# After a mistake of ours it goes on after so long.
_LONGEST_PAUSE: Final = 2.0


class SyncWorker:
    """Keeps a budget in step. `wake` may be called from anywhere, even by the garbage collector.

    Args:
        budget: of this process.
        store: where the shared ledger is.
        membership: what to say there.
        timeout: seconds that Redis may take to respond.
    """

    def __init__(
        self, budget: Budget, store: Store, membership: Membership, *, timeout: float
    ) -> None:
        # A weak reference, to end with it.
        self._budget: Callable[[], Budget | None] = weakref.ref(budget)
        self._store = store
        self._membership = membership
        self._timeout = timeout
        # A SimpleQueue, because its `put` is safe wherever the garbage collector strikes.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_rung = False
        self._thread: threading.Thread | None = None
        self._listener: threading.Thread | None = None
        self._closing = threading.Event()

    def wake(self) -> None:
        """Let it look what there is to say."""
        if not self._is_rung:
            self._is_rung = True
            self._bell.put(None)

    def start(self) -> None:
        """Start the thread, the first time."""
        if self._thread is None and not self._closing.is_set():
            self._membership.waited_at = time.monotonic()  # a call is about to
            self._thread = threading.Thread(target=self._run, name="whereby-points", daemon=True)
            self._thread.start()

    def is_stuck(self) -> bool:
        """Return whether Redis takes longer than its sockets should allow (a name lookup, say)."""
        if self._thread is not None and not self._thread.is_alive():
            return True
        since = self._membership.talking_since
        return since is not None and time.monotonic() - since > self.patience

    @property
    def patience(self) -> float:
        """Seconds within which every question is answered, one way or another."""
        return 2 * self._timeout + 0.5

    def close(self) -> None:
        """Say what is left to say, and end."""
        self._closing.set()
        self._bell.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(self.patience)

    # -- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        delay: float | None = 0.0
        self._listen_if_needed()
        while not self._closing.is_set():
            with contextlib.suppress(queue.Empty):
                self._bell.get(timeout=delay)
            self._is_rung = False
            budget = self._budget()
            if budget is None:
                break
            try:
                delay = self._carry_out(self._membership.step(budget))
                self._listen_if_needed()
            except Exception:
                # A mistake of ours. This thread must not end: calls wait for it.
                logger.exception("the thread that talks to Redis failed")
                delay = _LONGEST_PAUSE
            del budget
        self._leave()

    def _carry_out(self, exchanges: Exchanges) -> float | None:
        try:
            write = next(exchanges)
            while True:
                try:
                    result = self._store.exchange(write)
                except Exception as error:
                    self._store.disconnect()
                    write = exchanges.throw(error)
                else:
                    write = exchanges.send(result)
        except StopIteration as end:
            delay: float | None = end.value
            return delay

    def _leave(self) -> None:
        budget = self._budget()
        # Should it fail, the others will find out by themselves.
        with contextlib.suppress(Exception):
            self._carry_out(self._membership.leave(budget))
        self._closing.set()
        self._store.close()
        if budget is not None:
            budget._go_on_alone("")

    # -- the other thread -------------------------------------------------------------------------

    def _listen_if_needed(self) -> None:
        if self._listener is None and self._is_listening():
            self._listener = threading.Thread(
                target=self._listen, name="whereby-points-notices", daemon=True
            )
            self._listener.start()

    def _listen(self) -> None:
        membership = self._membership
        while self._is_listening():
            try:
                self._store.listen(membership.address, self._hear, self._is_listening)
            except Exception:
                # Calls that wait ask more often meanwhile.
                membership.hears = False
                self._closing.wait(_LISTENER_PAUSE)
        membership.hears = False
        self._listener = None

    def _is_listening(self) -> bool:
        return (
            not self._closing.is_set()
            and self._budget() is not None
            and time.monotonic() < self._membership.waited_at + _LISTENS
        )

    def _hear(self, notice: str) -> None:
        self._membership.hears = True
        self._membership.hear(notice)
        self.wake()
