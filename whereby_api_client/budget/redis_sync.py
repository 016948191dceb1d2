"""The thread that carries news between one process's budget and the books in Redis.

It decides when to talk, and what to do when Redis does not answer. What there is to say, and what
an answer means for the calls that wait, is the budget's business (`redis_budget.py`).
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import random
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from .redis_ledger import (
    ConnectionCut,
    Ending,
    Join,
    Question,
    RedisBooks,
    Reply,
    Request,
    Want,
)

logger: Final = logging.getLogger("whereby_api_client.budget")

# A process that waits or has calls in flight shows itself every sixteenth of a period, at least
# once a second; after four times that it is taken for dead.
_BEATS: Final = 16
_LONGEST_BEAT: Final = 1.0
_MISSED: Final = 4

# A process that waits and cannot hear the others asks so often.
_POLL: Final = 0.05

# It stops listening when no call has had to wait for so long: an idle process is silent.
_LISTENS: Final = 60.0

# ... and tries so often (seconds) to listen.
_LISTENER_PAUSE: Final = 1.0

# After a failure Redis is tried again soon, then less and less often.
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0

# The clocks of Redis and of this machine run at slightly different speed: ask a little later.
_LATER: Final = 0.0005


class News(NamedTuple):
    """What a budget has to say.

    Attributes:
        limit: the points per period that it knows of.
        join: what it brings along, if it comes (back).
        holds: points of its calls that Redis has in flight, and its calls that wait there.
        waits: calls of it are waiting.
        is_wanted: it wants an answer, whether or not there is anything to say.
    """

    limit: int
    join: Join | None
    holds: int
    endings: list[Ending]
    wants: list[Want]
    leaves: list[int]
    quotes: list[Question]
    more: list[tuple[int, float]]
    waits: bool
    is_wanted: bool

    @property
    def is_urgent(self) -> bool:
        """Tell whether it should be sent now."""
        return bool(
            self.endings
            or self.wants
            or self.leaves
            or self.quotes
            or self.join is not None
            or self.is_wanted
        )


class Budget(Protocol):
    """What the courier needs of a budget. It holds a weak reference, to end with it."""

    def _collect(self, joining: bool) -> News: ...
    def _deliver(self, reply: Reply) -> bool: ...
    def _go_on_alone(self, reason: str) -> None: ...


class Courier:
    """Carries news. `wake` may be called from anywhere, even by the garbage collector.

    Args:
        budget: for whom.
        books: where to.
        period, ceiling, reserve: as in `Request`.
        timeout: seconds that Redis may take to answer.
    """

    def __init__(
        self,
        budget: Budget,
        books: RedisBooks,
        *,
        period: float,
        ceiling: int | None,
        reserve: float,
        timeout: float,
    ) -> None:
        self._budget: Callable[[], Budget | None] = weakref.ref(budget)
        self._books = books
        self._period = period
        self._ceiling = ceiling
        self._reserve = reserve
        self._timeout = timeout
        self._beat = min(_LONGEST_BEAT, period / _BEATS)
        self._address = uuid.uuid4().hex[:12]
        # A SimpleQueue, because its `put` is safe wherever the garbage collector strikes.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_rung = False
        self._thread: threading.Thread | None = None
        self._listener: threading.Thread | None = None
        self._hears = False
        self._closing = threading.Event()
        # Joined under this name, else None.
        self._process: str | None = None
        self._last_process = ""
        self._joins = 0
        self._seq = 0
        self._known_books = ""
        self._ask_at = math.inf  # because Redis said so
        self._heard_at = math.inf  # because another process said so
        self._talked_at = -math.inf
        self._waited_at = -math.inf
        self._talking_since: float | None = None
        self._try_at = -math.inf
        self._pause = _FIRST_PAUSE

    def wake(self) -> None:
        """Let it look what there is to say."""
        if not self._is_rung:
            self._is_rung = True
            self._bell.put(None)

    def start(self) -> None:
        """Start the thread, the first time."""
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._run, name="whereby-points", daemon=True)
            self._thread.start()

    def is_stuck(self) -> bool:
        """Tell whether Redis takes longer than its sockets should allow: a name to look up, say."""
        if self._thread is not None and not self._thread.is_alive():
            return True
        since = self._talking_since
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
        while not self._closing.is_set():
            with contextlib.suppress(queue.Empty):
                self._bell.get(timeout=delay)
            self._is_rung = False
            budget = self._budget()
            if budget is None:
                break
            try:
                delay = self._turn(budget)
            except Exception:
                # A mistake of ours. This thread must not end: calls wait for it.
                logger.exception("the thread that talks to Redis failed")
                delay = _LONGEST_PAUSE
            del budget
        self._leave()

    def _turn(self, budget: Budget) -> float | None:
        """Say what there is to say; return after how many seconds to look again."""
        try:
            if self._process is not None:
                try:
                    news = self._talk(budget, joining=False)
                except ConnectionCut:
                    self._part()  # perhaps only this connection was cut, while it was idle
                    self._books.disconnect()
                else:
                    if self._process is not None:
                        return self._delay(news)
            left = self._try_at - time.monotonic()
            if left > 0:
                return left
            news = self._talk(budget, joining=True)
            # The answer can have come too late for a budget that has given us up.
            return _FIRST_PAUSE if self._process is None else self._delay(news)
        except Exception as error:
            # Whatever it is: no call fails because of it, and no call waits for it.
            self._part()
            self._books.disconnect()
            self._talking_since = None
            budget._go_on_alone(" ".join(f"{type(error).__name__}: {error}".split())[:200])
            pause = self._pause * random.uniform(0.5, 1.0)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._try_at = time.monotonic() + pause
            return pause

    def _talk(self, budget: Budget, *, joining: bool) -> News:
        """Make one exchange. Afterwards `_process` is None if it has to join (again)."""
        now = time.monotonic()
        # First, so that what is said from now on is not missed.
        is_due = now >= min(self._ask_at, self._heard_at)
        if is_due:
            self._ask_at = self._heard_at = math.inf
        news = budget._collect(joining)
        if news.waits:
            self._waited_at = now
        if not (news.is_urgent or is_due or now >= self._next_beat(news)):
            return news
        if joining:
            self._joins += 1
            self._process = f"{self._address}.{self._joins}"
            self._seq = 0
        self._seq += 1
        self._talking_since = self._talked_at = now
        reply = self._books.exchange(self._request(news))
        self._talking_since = None
        if reply.status != "ok":
            if joining:
                raise RuntimeError(f"the books say {reply.status!r} to who wants to join")
            self._part()
        elif not budget._deliver(reply):
            self._part()  # too late: the budget did not wait for it
        else:
            self._known_books = reply.books
            if not joining:
                self._pause = _FIRST_PAUSE
            later = math.inf if reply.ask_in is None else reply.ask_in + _LATER
            self._ask_at = time.monotonic() + later
            if news.waits and self._listener is None:
                self._listener = threading.Thread(
                    target=self._listen, name="whereby-points-news", daemon=True
                )
                self._listener.start()
        return news

    def _request(self, news: News, *, goodbye: bool = False) -> Request:
        assert self._process is not None
        return Request(
            process=self._process,
            address=self._address,
            seq=self._seq,
            books=self._known_books,
            period=self._period,
            limit=news.limit,
            ceiling=self._ceiling,
            reserve=self._reserve,
            lease=_MISSED * self._beat,
            holds=news.holds,
            join=None if news.join is None else news.join._replace(replaces=self._last_process),
            endings=news.endings,
            wants=news.wants,
            leaves=news.leaves,
            quotes=news.quotes,
            more=news.more,
            goodbye=goodbye,
        )

    def _part(self) -> None:
        """Take it that the books do not know this process any more, or not rightly."""
        if self._process is not None:
            self._last_process = self._process
            self._process = None
        self._ask_at = math.inf

    def _next_beat(self, news: News) -> float:
        if news.waits and not self._hears:
            return self._talked_at + min(_POLL, self._beat)
        if news.waits or news.holds:
            return self._talked_at + self._beat
        return math.inf

    def _delay(self, news: News) -> float | None:
        when = min(self._ask_at, self._heard_at, self._next_beat(news))
        return None if when == math.inf else max(0.0, when - time.monotonic())

    def _leave(self) -> None:
        budget = self._budget()
        try:
            if self._process is not None:
                empty = News(1, None, 0, [], [], [], [], [], waits=False, is_wanted=False)
                news = empty if budget is None else budget._collect(False)
                self._seq += 1
                self._books.exchange(self._request(news, goodbye=True))
        except Exception:
            pass  # the books will find out by themselves
        finally:
            self._part()
            self._closing.set()
            self._books.close()
        if budget is not None:
            budget._go_on_alone("")

    # -- the other thread -------------------------------------------------------------------------

    def _listen(self) -> None:
        while self._is_listening():
            try:
                self._books.listen(self._address, self._hear, self._is_listening)
            except Exception:
                # Calls that wait ask more often meanwhile.
                self._hears = False
                self._closing.wait(_LISTENER_PAUSE)
        self._hears = False
        self._listener = None

    def _is_listening(self) -> bool:
        return (
            not self._closing.is_set()
            and self._budget() is not None
            and time.monotonic() < self._waited_at + _LISTENS
        )

    def _hear(self, seconds: float) -> None:
        self._hears = True
        self._heard_at = min(self._heard_at, time.monotonic() + seconds)
        self.wake()
