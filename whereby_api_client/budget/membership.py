"""One process's place in a shared ledger: what it knows, what it says, what it finds wrong.

No I/O and no thread: `Membership.step` yields what is to be written and is sent what came of it.
It decides when to talk, and writes the shared ledger if nobody was faster. What there is to say,
and what the ledger's state means for the calls that wait, is the budget's business
(`redis_budget.py`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import queue
import random
import uuid
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from .redis_store import ConnectionCut, Result, Write
from .shared_ledger import (
    FORMAT,
    Granted,
    Join,
    OtherFormat,
    Request,
    SharedLedger,
    UnreadableLedger,
    heartbeat,
)

logger: Final = logging.getLogger("whereby_api_client.budget")

#: Writes, and what came of them.
Exchanges: TypeAlias = Generator[Write, Result, float | None]

# A process that waits and cannot hear the others asks so often (seconds).
_POLL: Final = 0.05

# After a failure Redis is tried again soon, then less and less often.
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0

# Greater than the rank of any call.
_LAST_RANK: Final = 99

# Who was not the fastest tries again after up to so long (seconds, for each member), more with each
# time.
_RETRY: Final = 0.0005
_LONGEST_RETRY: Final = 0.05

# Who joins again and again in vain goes on without Redis after so often; pauses grow from this.
_MOST_TROUBLES: Final = 6
_FIRST_RETRY: Final = 0.01

# ... and after so long, if nobody can go because of what it says.
_PATIENT_RETRY: Final = 0.1

# What is not urgent is left in the inbox, until so many requests lie there.
_LONGEST_INBOX: Final = 32

# Ids of so many grants are remembered.
_REMEMBERED: Final = 2000

# Redis forgets the ledger of an organization that has made no call for so many periods.
_KEPT: Final = 5

# Who leaves tries so often to be the fastest.
_GOODBYES: Final = 3

# Clocks run at slightly different speed (NTP corrects by at most 0.05 %); a clock that differs by
# more than a quarter of a second from what was expected was set, or is another server's.
_DRIFT: Final = 0.0005
_STEP: Final = 0.25


class Outgoing(NamedTuple):
    """What a budget has to say, on its own clock.

    Attributes:
        limit: the points per period that it knows of.
        join: what it brings along, if it comes (back); its times are on the budget's clock.
        holds: points of its calls that the shared ledger has in flight.
        shown: its calls that stand in the shared queue.
        waits: calls of it are waiting.
        is_wanted: it wants to know the state, whether or not there is anything to say.
    """

    limit: int
    join: Join | None
    holds: int
    shown: set[int]
    endings: list[Any]
    wants: list[Any]
    leaves: list[int]
    more: list[tuple[int, float]]
    waits: bool
    is_wanted: bool

    @property
    def has_news(self) -> bool:
        """Return whether there is anything that others should know."""
        return bool(self.endings or self.wants or self.leaves or self.join is not None)


class View(NamedTuple):
    """The shared ledger as one process has seen it.

    Attributes:
        ledger: its state, None if that was not looked at.
        grants: points for calls of this process.
        is_current: everything that the process has said is in it.
        offset: add it to a time of the budget's clock to have the ledger's.
    """

    ledger: SharedLedger | None
    grants: list[Granted]
    is_current: bool
    offset: float


class Budget(Protocol):
    """What the sync worker needs of a budget. It holds a weak reference, to end with it."""

    def _collect(self, member: str, seq: int, *, joining: bool) -> Outgoing: ...
    def _deliver(self, view: View) -> bool: ...
    def _go_on_alone(self, reason: str) -> None: ...


class RedisClock:
    """What the clock of Redis shows, as far as one process can know.

    Its time lies between those at which a request was sent and its reply was received, so each
    exchange bounds the offset from both sides. The upper bound at the sending of a request is the
    earliest time at which Redis can handle it, and not before anything that has happened by then:
    this is the time to write with.
    """

    def __init__(self) -> None:
        self._low = -math.inf
        self._high = math.inf
        self._at = 0.0
        self.stepped: float = 0.0  # by how much it was set, since this was last looked at

    @property
    def is_known(self) -> bool:
        """Return whether there was an exchange."""
        return self._high < math.inf

    def observe(self, sent: float, received: float, moment: float) -> None:
        """Learn from an exchange."""
        low, high = moment - received, moment - sent
        drift = _DRIFT * (received - self._at)
        if self.is_known and (high < self._low - _STEP or low > self._high + _STEP):
            self.stepped += high - self._high
        elif self.is_known:
            low, high = max(low, self._low - drift), min(high, self._high + drift)
        self._low, self._high, self._at = low, max(low, high), received

    def time(self, local: float) -> float:
        """Return the time of Redis when this machine's is `local`."""
        return local + self._high


class Membership:
    """A process's place in a shared ledger. Used by one thread at a time.

    Args:
        period, ceiling, reserve: as in `Request`.
        prices: as in `PointBudget`.
        clock: seconds, the one of the budget.

    Attributes:
        member: its name, "" if it has to join.
        hears: notices of others reach it.
        waited_at: when calls of the process last waited.
        talking_since: None if no exchange is under way.
        address: where notices are sent to.
    """

    def __init__(
        self,
        *,
        period: float,
        ceiling: int | None,
        reserve: float,
        prices: Mapping[str, int] | None,
        clock: Callable[[], float],
    ) -> None:
        self._period = period
        self._ceiling = ceiling
        self._reserve = reserve
        self._prices = prices
        self._limit = 1  # as the budget knows it
        self._now = clock
        self._heartbeat = heartbeat(period)
        self.address: str = uuid.uuid4().hex[:8]
        self.hears: bool = False
        self.waited_at: float = -math.inf
        self.talking_since: float | None = None
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()  # notices, not looked at yet
        self.member: str = ""
        # The names that it has had since it was last seen in the ledger.
        self._names: list[str] = []
        self._joins = 0
        self._renews = ""
        self._is_joined = False  # seen in the ledger
        self._seq = 0  # of its latest request
        self._folded_seq = 0  # ... that was seen in the ledger
        # What Redis had last.
        self._text = ""
        self._ledger: SharedLedger | None = None  # made of it; None if it has yet to be read
        self._inbox: list[str] = []
        self._epoch = ""
        self._revision = 0
        self._shift = 0.0
        self._clock = RedisClock()
        self._granted: list[Granted] = []  # known, and not fetched yet
        self._fetched: dict[str, None] = {}  # ids of those that were
        self._is_crowded = False  # others write, too
        self._members = 1
        self._hopes_for_response = True
        self._head_rank = _LAST_RANK  # of the call that is next
        self._losses = 0
        self._troubles = 0  # joined so often in vain
        self._retry_at = math.inf
        self._ask_at = math.inf  # because a call of ours is next, and points come back then
        self._heard_at = math.inf  # because another process said so
        self._talked_at = -math.inf
        self._said_at = -math.inf
        self._read_at = -math.inf
        self._try_at = -math.inf
        self._pause = _FIRST_PAUSE
        self._warned: set[str] = set()

    def step(self, budget: Budget) -> Exchanges:
        """Say what there is to say; return after how many seconds to look again."""
        was_connected = bool(self._text)
        try:
            try:
                return (yield from self._sync(budget))
            except ConnectionCut:
                if not was_connected:
                    raise
                self._part()  # perhaps only this connection was cut, while it was idle
                return (yield from self._sync(budget))
        except Exception as error:
            # Whatever it is: no call fails because of it, and no call waits for it.
            self._part()
            self._text, self._ledger, self._inbox = "", None, []
            self.talking_since = None
            budget._go_on_alone(_describe(error))
            pause = self._pause * random.uniform(0.5, 1.0)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._try_at = self._now() + pause
            return pause

    def _sync(self, budget: Budget) -> Exchanges:
        now = self._now()
        if now < self._try_at:
            return self._try_at - now
        self._hear_notices(now)
        # First, so that what is said from now on is not missed.
        is_retry = now >= self._retry_at
        is_due = now >= min(self._ask_at, self._heard_at)
        if now >= self._ask_at:
            self._ask_at = math.inf
        if now >= self._heard_at:
            self._heard_at = math.inf
        if not self._clock.is_known:
            # Learn the time of Redis and what it has.
            self._take((yield from self._send(Write("", "", 0, [], "", self._ttl, []))))
        joining = not self.member
        if joining:
            self._joins += 1
            self.member = f"{self.address}.{self._joins}"
            self._names.append(self.member)
            self._seq = self._folded_seq = 0
            self._epoch = ""
            self._is_joined = False
        outgoing = budget._collect(self.member, self._seq + 1, joining=joining)
        self._limit = outgoing.limit
        if outgoing.waits:
            self.waited_at = now
        is_urgent = (
            outgoing.is_wanted
            or is_retry
            or (is_due and not self._granted)
            or self._lets_others_go(outgoing)
        )
        is_news = outgoing.has_news or bool(self._granted)
        if is_urgent or is_news or now >= self._next_heartbeat(outgoing):
            yield from self._exchange(budget, outgoing, is_urgent=is_urgent)
        return self._delay(outgoing)

    def _lets_others_go(self, outgoing: Outgoing) -> bool:
        """Return whether somebody may go as soon as this is in the ledger."""
        if outgoing.join is not None or outgoing.leaves:
            return True
        if any(rank < self._head_rank for _, rank, *_ in outgoing.wants):
            return True
        return any(kind != "settle" or self._hopes_for_response for kind, *_ in outgoing.endings)

    @property
    def _ttl(self) -> float:
        return _KEPT * self._period

    def _send(self, write: Write) -> Generator[Write, Result, Result]:
        sent = self.talking_since = self._talked_at = self._now()
        result = yield write
        self.talking_since = None
        self._clock.observe(sent, self._now(), result.time)
        return result

    def _exchange(
        self, budget: Budget, outgoing: Outgoing, *, is_urgent: bool
    ) -> Generator[Write, Result, None]:
        is_retry = self._now() >= self._retry_at
        self._retry_at = math.inf
        granted, self._granted = self._granted, []
        is_news = outgoing.has_news or bool(granted)
        request = None
        if not is_news and is_retry and self._seq > self._folded_seq:
            pass  # our request lies in the inbox already
        elif is_news or is_urgent or self._now() >= self._said_at + self._heartbeat:
            # Who only looks need not say each time that it is alive.
            request = self._request(outgoing, granted)
        ledger: SharedLedger | None = None
        own: list[Granted] = []
        # Who is not alone had better look first what the others have written.
        is_hopeful = is_retry or request is None or not self._is_crowded
        # One of those who find it full is enough to empty the inbox.
        is_full = len(self._inbox) >= _LONGEST_INBOX and random.random() * self._members < 2
        if (is_hopeful and (is_urgent or outgoing.has_news)) or is_full:
            ledger = self._fold(request)
            own = ledger.fetch(self.member)
        write = self._write(ledger, request)
        result = yield from self._send(write)
        if request is not None:
            self._seq = request.seq
            self._said_at = self._talked_at
            self._remember(granted)
        if result.is_written:
            assert ledger is not None
            self._text, self._ledger, self._inbox = write.text, ledger, []
            self._losses = 0
            self._note(ledger)
            self._remember(own)
            granted = [*granted, *own]
            if self._folded_seq < self._seq:
                self._part()  # our request was not accepted
        else:
            # Who can never go is told why.
            is_refused = not all(points for _, _, points, _ in granted)
            ledger = self._take(result, is_urgent=is_urgent or outgoing.has_news or is_refused)
            if write.text:
                self._losses += 1
            if not all(f'"{grant[0]}"' in self._text for grant in granted):
                self._part()  # we have expired meanwhile, and they were given back
        if not self.member or not self._text:
            self._join_again_soon()
            return
        is_current = False
        if ledger is not None and self._folded_seq == self._seq and not self._granted:
            is_current = True
            if not self._is_right(ledger, outgoing, granted):
                self._part()
                self._join_again_soon()
                return
        self._troubles = 0
        if self._granted:
            self._retry_at = self._now()
        elif self._folded_seq < self._seq and (is_urgent or outgoing.has_news):
            # The first of those who were not fast enough does it for all, and tells them.
            longest = min(_RETRY * self._members * 2**self._losses, _LONGEST_RETRY)
            if not is_urgent:
                longest = min(_PATIENT_RETRY, self._heartbeat)
            self._retry_at = self._now() + random.uniform(0.5 * (not is_urgent), 1) * longest
        view = View(ledger, granted, is_current, self._shared(0.0))
        if not budget._deliver(view):
            self._part()  # too late: the budget did not wait for it
            return
        self._pause = _FIRST_PAUSE
        me = None if ledger is None else ledger.members.get(self.member)
        if me is not None:
            self._ask_at = math.inf if me.ask_at is None else self._local(me.ask_at)

    def _join_again_soon(self) -> None:
        if self._troubles == _MOST_TROUBLES:
            self._troubles = 0
            raise RuntimeError("what is in Redis cannot be used, nor replaced")
        self._retry_at = self._now() + _FIRST_RETRY * (2**self._troubles - 1)
        self._troubles += 1

    # -- what Redis has ---------------------------------------------------------------------------

    def _read(self, text: str) -> SharedLedger:
        return SharedLedger.from_text(text, ceiling=self._ceiling, prices=self._prices)

    def _fold(self, request: Request | None) -> SharedLedger:
        """Return what is to be written: all that Redis had, and the request."""
        ledger, self._ledger = self._ledger, None
        if ledger is None and self._text:
            with contextlib.suppress(UnreadableLedger):
                ledger = self._read(self._text)
        if ledger is None:
            ledger = SharedLedger.begin(
                uuid.uuid4().hex[:12],
                self._limit,
                ceiling=self._ceiling,
                period=self._period,
                prices=self._prices,
            )
        if self._clock.stepped and ledger.shift == self._shift:
            # The ledger's time goes on as it did. The first process that notices sets it right.
            ledger.shift -= self._clock.stepped
        ledger.advance(self._clock.time(self._now()))
        for raw in self._inbox:
            with contextlib.suppress(UnreadableLedger):
                ledger.fold(Request.from_text(raw))
        if request is not None:
            ledger.fold(request)
        ledger.expire()
        ledger.serve(self.member)
        ledger.revision += 1
        return ledger

    def _take(self, result: Result, *, is_urgent: bool = True) -> SharedLedger | None:
        """Take what Redis has, and see whether this process is rightly in it."""
        self._is_crowded = result.text is not None
        self._inbox = result.inbox
        if result.text is not None:
            self._text, self._ledger = result.text, None
        if not self._text:
            if self._is_joined:
                self._part()
            return None
        if not is_urgent and self._now() < self._read_at + self._heartbeat:
            return None  # once in a while is enough
        self._read_at = self._now()
        try:
            ledger = self._ledger or self._read(self._text)
        except UnreadableLedger as error:
            self._warn("the ledger in Redis cannot be read, and is begun anew: %s", error)
            self._part()
            return None
        self._ledger = ledger
        if self.member and self._is_joined and ledger.epoch != self._epoch:
            self._part()
        elif self.member and self._is_joined and ledger.revision < self._revision:
            self._part(renews=ledger.epoch)  # an older copy
        elif self.member:
            self._find_myself(ledger)
        ledger.advance(self._clock.time(self._now()))
        if self.member:
            self._note(ledger)
            me = ledger.members.get(self.member)
            known = {grant[0] for grant in self._granted} | self._fetched.keys()
            if me is not None:
                self._granted += [grant for grant in me.grants if grant[0] not in known]
        elif ledger.shift != self._shift:
            self._clock.stepped = 0.0
            self._shift = ledger.shift
        return ledger

    def _find_myself(self, ledger: SharedLedger) -> None:
        me = ledger.members.get(self.member)
        if me is None:
            if self._is_joined:
                seq, _ = ledger.left.get(self.member, (-1, 0.0))
                # It has expired; or this is an older copy.
                self._part(renews="" if seq >= self._folded_seq else ledger.epoch)
            elif self._seq and not self._is_in_inbox(1):
                self._part()
        elif me.seq < self._folded_seq:
            self._part(renews=ledger.epoch)
        elif me.seq < self._seq and not self._is_in_inbox(me.seq + 1):
            self._part()

    def _is_in_inbox(self, seq: int) -> bool:
        start = f'{{"member":"{self.member}","seq":{seq},'
        return any(raw.startswith(start) for raw in self._inbox)

    def _note(self, ledger: SharedLedger) -> None:
        """Remember which ledger this process is in."""
        me = ledger.members.get(self.member)
        if me is not None:
            self._is_joined = True
            self._members = len(ledger.members)
            self._hopes_for_response = ledger.ledger.hopes_for_response
            self._head_rank = ledger.queue[0].rank if ledger.queue else _LAST_RANK
            self._names = [self.member]
            self._folded_seq = me.seq
            self._epoch = ledger.epoch
            self._revision = max(self._revision, ledger.revision)
            if self._renews != ledger.epoch:
                self._renews = ""
        if ledger.shift != self._shift:
            self._shift = ledger.shift
            self._clock.stepped = 0.0
        periods = {ledger.ledger.period, *(member.period for member in ledger.members.values())}
        if periods != {self._period}:
            self._warn(
                "period must be the same in all processes of an organization; this one has %g s, "
                "others have %s; the shared ledger has %g s",
                self._period,
                ", ".join(f"{period:g} s" for period in sorted(periods - {self._period})),
                ledger.ledger.period,
            )

    def _remember(self, grants: list[Granted]) -> None:
        """Note which grants were taken: a notice of them may come late."""
        self._fetched.update(dict.fromkeys(grant[0] for grant in grants))
        while len(self._fetched) > _REMEMBERED:
            del self._fetched[next(iter(self._fetched))]

    def _is_right(self, ledger: SharedLedger, outgoing: Outgoing, granted: list[Granted]) -> bool:
        """Return whether the ledger agrees with this process about its calls."""
        me = ledger.members.get(self.member)
        if me is None:
            return False
        holds = outgoing.holds + sum(grant[2] for grant in granted)
        queued = {want.number for want in ledger.queue if want.member == self.member}
        shown = outgoing.shown - {grant[1] for grant in granted}
        # A grant can be on its way for a call that stands in no queue.
        return me.in_flight == holds and shown <= queued | {grant[1] for grant in me.grants}

    def _part(self, renews: str = "") -> None:
        """Take it that the ledger does not know this process any more, or not rightly."""
        self.member = ""
        self._is_joined = False
        self._renews = renews or self._renews
        self._revision = 0
        self._granted.clear()
        self._fetched.clear()
        self._ask_at = self._retry_at = math.inf

    # -- what there is to say ---------------------------------------------------------------------

    def _request(
        self, outgoing: Outgoing, granted: list[Granted], *, goodbye: bool = False
    ) -> Request:
        join = outgoing.join
        if join is not None:
            join = join._replace(
                replaces=self._names[:-1],
                spent=[(p, self._shared(due), lost, t, s) for p, due, lost, t, s in join.spent],
                renews=self._renews,
            )
        return Request(
            member=self.member,
            seq=self._seq + 1,
            epoch=self._epoch if join is None else uuid.uuid4().hex[:12],
            period=self._period,
            limit=outgoing.limit,
            ceiling=self._ceiling,
            reserve=self._reserve,
            join=join,
            fetched=[grant[0] for grant in granted],
            endings=[(k, p, t, self._shared(w), s) for k, p, t, w, s in outgoing.endings],
            wants=[(n, r, self._shared(w), p, o) for n, r, w, p, o in outgoing.wants],
            leaves=outgoing.leaves,
            more=[(rank, self._shared(w)) for rank, w in outgoing.more],
            goodbye=goodbye,
        )

    def _shared(self, local: float) -> float:
        """Return the shared ledger's time."""
        return self._clock.time(local) - self._clock.stepped + self._shift

    def _local(self, shared: float) -> float:
        return shared - self._shared(0.0)

    def _write(self, ledger: SharedLedger | None, request: Request | None) -> Write:
        """Return how to write a ledger; without one, the request is left in the inbox."""
        return Write(
            title=self._text.partition("\n")[0],
            text="" if ledger is None else ledger.to_text(),
            folded=len(self._inbox),
            expired=[] if ledger is None else list(ledger.expired),
            request="" if request is None else request.to_text(),
            ttl=self._ttl,
            notices=[] if ledger is None else self._notices(ledger),
        )

    def _notices(self, ledger: SharedLedger) -> list[tuple[str, str]]:
        return [
            (
                name.partition(".")[0],
                json.dumps(
                    {
                        "epoch": ledger.epoch,
                        "seq": ledger.members[name].seq,
                        "in": None if seconds == math.inf else seconds,
                        "grants": ledger.members[name].grants,
                    },
                    separators=(",", ":"),
                ),
            )
            for name, seconds in ledger.notices.items()
            if name in ledger.members and name != self.member
        ]

    def _warn(self, text: str, *arguments: object) -> None:
        """Log a warning, the first time."""
        if text not in self._warned:
            self._warned.add(text)
            logger.warning(text, *arguments)

    # -- when to talk -----------------------------------------------------------------------------

    def _next_heartbeat(self, outgoing: Outgoing) -> float:
        if outgoing.waits and not self.hears:
            return self._talked_at + min(_POLL, self._heartbeat)
        if outgoing.waits or outgoing.holds:
            return self._talked_at + self._heartbeat
        return math.inf

    def _delay(self, outgoing: Outgoing) -> float | None:
        when = min(self._ask_at, self._heard_at, self._retry_at, self._next_heartbeat(outgoing))
        return None if when == math.inf else max(0.0, when - self._now())

    def leave(self, budget: Budget | None) -> Exchanges:
        """Say what is left to say, and goodbye."""
        if not self._is_joined:
            return None
        outgoing = Outgoing(1, None, 0, set(), [], [], [], [], waits=False, is_wanted=False)
        if budget is not None:
            outgoing = budget._collect(self.member, self._seq + 1, joining=False)
        request: Request | None = self._request(outgoing, [], goodbye=True)
        for _ in range(_GOODBYES):
            ledger = self._fold(request)
            result = yield from self._send(self._write(ledger, request))
            if result.is_written:
                break
            # It lies in the inbox now. Better that somebody hears of it.
            request = None
            self._take(result)
        self._part()
        return None

    # -- what others say --------------------------------------------------------------------------

    def hear(self, notice: str) -> None:
        """Take a notice, or "" when it begins to listen; from any thread."""
        self._heard.put(notice)

    def _hear_notices(self, now: float) -> None:
        """Take in what the other thread has heard."""
        while not self._heard.empty():
            seconds: float | None = 0.0
            with contextlib.suppress(ValueError, TypeError, LookupError, AttributeError):
                notice = json.loads(self._heard.get() or "{}")
                seconds = notice.get("in", 0.0)
                if notice.get("epoch") == self._epoch and self._is_joined:
                    known = {grant[0] for grant in self._granted} | self._fetched.keys()
                    self._granted += [g for g in notice["grants"] if g[0] not in known]
                    if self._folded_seq < notice["seq"] <= self._seq:
                        self._folded_seq = notice["seq"]
            self._is_crowded = True  # somebody else has written
            if seconds is not None:
                self._heard_at = min(self._heard_at, now + seconds)
        if self._is_joined and self._folded_seq == self._seq:
            self._retry_at = math.inf


def _describe(error: Exception) -> str:
    if isinstance(error, OtherFormat):
        return (
            f"another release of this library keeps its ledger there in format {error}, this one "
            f"in format {FORMAT}: use one release in all processes"
        )
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
