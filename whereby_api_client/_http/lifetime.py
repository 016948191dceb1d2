"""Whether the client is open, and the calls that closing it has to end."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Iterator
from typing import Any, Final

import anyio

from ..budget.loops import running_loop
from ..errors import ClientClosedError

CLOSED: Final = "this WherebyClient is closed; make a new one"
CLOSED_DURING_CALL: Final = "the WherebyClient was closed during the call"


class Lifetime:
    """Knows the calls under way, in all event loops, and cancels them when the client is closed.

    It holds neither clients nor connections: what holds it keeps nothing else alive.
    """

    __slots__ = ("__weakref__", "_calls", "is_closed")

    def __init__(self) -> None:
        self.is_closed: bool = False
        self._calls: dict[anyio.CancelScope, object] = {}  # with their loops
        _LIFETIMES.add(self)

    def check_open(self) -> None:
        """Raise ClientClosedError after `close`."""
        if self.is_closed:
            raise ClientClosedError(CLOSED)

    def enter(self, scope: anyio.CancelScope) -> None:
        """Let `close` cancel this scope, which belongs to the running event loop."""
        # First in the dictionary, then the look at the flag; `close` does both the other way
        # round. So one of the two sees the other, and that without a lock.
        self._calls[scope] = running_loop()
        if self.is_closed:
            del self._calls[scope]
            raise ClientClosedError(CLOSED)

    def leave(self, scope: anyio.CancelScope) -> None:
        """Forget a scope that has ended."""
        self._calls.pop(scope, None)

    @contextlib.contextmanager
    def until_closed(self) -> Iterator[None]:
        """Run what is inside until the client is closed.

        Raises:
            ClientClosedError: the client is closed, or was closed before the inside had ended.
        """
        scope = anyio.CancelScope()
        self.enter(scope)
        try:
            with scope:
                yield
        finally:
            self.leave(scope)
        if scope.cancelled_caught:
            raise ClientClosedError(CLOSED_DURING_CALL)

    def close(self) -> None:
        """Cancel the calls under way and let none begin any more."""
        self.is_closed = True
        current_loop = running_loop()
        for scope, loop in self._calls.copy().items():
            if loop is current_loop:
                scope.cancel()
            else:
                run_in_loop(loop, scope.cancel)


def is_closed(loop: object) -> bool:
    """Return whether this is an asyncio loop that was closed; a trio run closes its clients."""
    method = getattr(loop, "is_closed", None)
    return method is not None and bool(method())


def run_in_loop(loop: Any, function: Any) -> bool:
    """Run a function in an event loop of another thread, soon; False if that loop has ended."""
    if hasattr(loop, "call_soon_threadsafe"):
        try:
            loop.call_soon_threadsafe(function)
        except RuntimeError:  # it is closed
            return False
        return True
    import trio

    try:
        loop.run_sync_soon(function)
    except trio.RunFinishedError:
        return False
    return True


# The calls of a parent process are not those of a forked child.
_LIFETIMES: Final[weakref.WeakSet[Lifetime]] = weakref.WeakSet()


def _forget_calls_of_parent() -> None:
    for lifetime in list(_LIFETIMES):
        lifetime._calls.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_calls_of_parent)
