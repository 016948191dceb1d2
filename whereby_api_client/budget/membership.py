"""One process's place in a shared ledger: what it knows, what it says, what it finds wrong.

No I/O and no thread: `Membership.step` yields what is to be written and is sent what came of it.
It decides when to talk, and writes the shared ledger unless another process does that for all. What
there is to say, and what the ledger's state means for the calls that wait, is the budget's business
(`redis_budget.py`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import queue
import uuid
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from .._backoff import backoff
from .redis_store import ConnectionCut, Result, Write
from .shared_ledger import (
    FORMAT,
    MISSED,
    REMEMBERED,
    Granted,
    Join,
    OtherFormat,
    Request,
    SharedLedger,
    Title,
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

# Who writes, does so for two heartbeats at least, if it goes on talking to Redis.
_WRITES: Final = 2

# What lets nobody else go is collected for so long before it is sent, and before it is written.
_COLLECT: Final = 0.05

# Requests in the inbox that say nothing but that a member is alive wait until there are so many.
_LONGEST_INBOX: Final = 32

# Who finds that nobody writes begins after up to so long (seconds, for each member), and who was
# not the fastest tries again after up to twice that, and so on.
_RETRY: Final = 0.0005
_LONGEST_RETRY: Final = 0.05

# Who has left something urgent waits so long, and so many round trips, for the one that writes.
_PATIENCE: Final = 0.25
_PATIENT_TRIPS: Final = 4

# Who joins again and again in vain goes on without Redis after so often; pauses grow from this.
_MOST_TROUBLES: Final = 6
_FIRST_RETRY: Final = 0.01

# A grant that is older than so many heartbeats is not believed: the member may have expired.
_YOUNG: Final = 2

# Ids of so many grants are remembered.
_MOST_DELIVERED: Final = 2000

# Redis forgets the ledger of an organization that has made no call for so many periods.
_KEPT: Final = 5

# Who leaves tries so often to be the fastest.
_GOODBYES: Final = 3

# Clocks run at slightly different speed (NTP corrects by at most 0.05 %); a clock that differs by
# more than a quarter of a second from what was expected was set, or is another server's.
_DRIFT: Final = 0.0005
_STEP: Final = 0.25

# One request reaches Redis a little sooner than another, and clocks drift while nothing is sent. A
# ledger is written for so many seconds less than the fastest one showed.
_SLACK: Final = 0.002


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

    limit: int = 1
    join: Join | None = None
    holds: int = 0
    shown: frozenset[int] = frozenset()
    endings: list[Any] = []  # noqa: RUF012 - never changed
    wants: list[Any] = []  # noqa: RUF012
    leaves: list[int] = []  # noqa: RUF012
    more: list[tuple[int, float]] = []  # noqa: RUF012
    waits: bool = False
    is_wanted: bool = False

    @property
    def has_news(self) -> bool:
        """Return whether there is anything that others should know."""
        return bool(self.endings or self.wants or self.leaves or self.join is not None)

    @property
    def is_active(self) -> bool:
        """Return whether calls wait or are in flight."""
        return self.waits or self.holds > 0

    def after(self, earlier: Outgoing) -> Outgoing:
        """Return this and what was there to say before it, and was not sent."""
        gone = set(self.leaves)  # before anybody heard of them
        unheard = {want[0] for want in earlier.wants}
        return self._replace(
            join=self.join or earlier.join,
            endings=earlier.endings + self.endings,
            wants=[want for want in earlier.wants if want[0] not in gone] + self.wants,
            leaves=earlier.leaves + [number for number in self.leaves if number not in unheard],
        )


class View(NamedTuple):
    """The shared ledger as one process has seen it.

    Attributes:
        title: its first line, None if nothing was read.
        ledger: its state, None if that was not read.
        grants: points for calls of this process.
        is_current: everything that the process has said is in it.
        offset: add it to a time of the budget's clock to have the ledger's.
    """

    title: Title | None
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
    exchange bounds the offset from both sides.
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

    @property
    def trip(self) -> float:
        """Seconds that an exchange takes at least."""
        return self._high - self._low if self.is_known else 0.0

    def observe(self, sent: float, received: float, moment: float) -> None:
        """Learn from an exchange."""
        low, high = moment - received, moment - sent
        drift = _DRIFT * (received - self._at)
        if self.is_known and (high < self._low - _STEP or low > self._high + _STEP):
            self.stepped += high - self._high
        elif self.is_known:
            low, high = max(low, self._low - drift), min(high, self._high + drift)
        self._low, self._high, self._at = low, max(low, high), received

    def latest(self, local: float) -> float:
        """Return what it shows at most when this machine's clock shows `local`."""
        return local + self._high

    def to_write(self, local: float) -> float:
        """Return what it will show, as far as can be known, when it handles what is sent now.

        Wrong only if no request has been so fast before; then the script does not write.
        """
        return self.latest(local) - _SLACK


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
        said_at: when it last sent a request that has arrived.
        silent_until: when it did so after a silence longer than `lease`.
        lease: seconds of silence after which it uses no grant: others take it for dead soon.
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
        self.lease: float = (MISSED - 1) * self._heartbeat
        self.address: str = uuid.uuid4().hex[:8]
        self.hears: bool = False
        self.waited_at: float = -math.inf
        self.talking_since: float | None = None
        self._messages: queue.SimpleQueue[str] = queue.SimpleQueue()  # not read yet
        self.member: str = ""
        # The names that it has had since it was last seen in the ledger.
        self._names: list[str] = []
        self._joins = 0
        self._renews = ""
        self._is_joined = False  # seen in the ledger
        self._seen_at = -math.inf  # ... when that was written
        self._seq = 0  # of its latest request
        self._folded_seq = 0  # ... that was seen in the ledger
        self._waits_for = 0  # ... that somebody has to write soon
        self._unsent = Outgoing()
        self._has_more = False  # calls that the ledger does not know
        # What Redis had last: the first line, and the text; None where only that line is known.
        self._title: Title | None = None
        self._text: str | None = None
        self._ledger: SharedLedger | None = None  # made of it; None if it has yet to be read
        self._inbox: list[tuple[str, Request | None]] = []
        self._written_at = -math.inf  # the ledger's time
        self._epoch = ""
        self._revision = 0
        self._shift = 0.0
        self._clock = RedisClock()
        self._granted: list[Granted] = []  # heard of, and not delivered yet
        self._unfetched: list[str] = []  # ids of those that nobody has been told to be fetched
        self._fetched_seq = 0  # the request that has told the latest
        self._delivered: dict[str, None] = {}  # ids
        self._losses = 0
        self._troubles = 0  # joined so often in vain
        self._failures = 0
        self._reads = False  # the text is wanted
        # When to talk: because points come back then, there is something to write or to send, ...
        self._ask_at = math.inf
        self._write_at = math.inf
        self._send_at = math.inf
        self._retry_at = math.inf  # ... or what was sent was not written; then even if
        self._take_over_at = math.inf  # another process should write.
        self._talked_at = -math.inf
        self.said_at: float = -math.inf
        self.silent_until: float = -math.inf
        self._try_at = -math.inf
        self._warned: set[str] = set()

    def step(self, budget: Budget) -> Exchanges:
        """Say what there is to say; return after how many seconds to look again."""
        was_connected = self._title is not None
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
            self._forget()
            self._title = None
            self.talking_since = None
            budget._go_on_alone(_describe(error))
            pause = backoff(self._failures, base=_FIRST_PAUSE, cap=_LONGEST_PAUSE)
            self._failures += 1
            self._try_at = self._now() + pause
            return pause

    def _sync(self, budget: Budget) -> Exchanges:
        now = self._now()
        if now < self._try_at:
            return self._try_at - now
        if not self._clock.is_known:
            # Learn the time of Redis and what it has.
            self._take((yield from self._send(self._write(None, None))))
        self._read_messages(now)
        # First, so that the places of these calls are taken by others in what is said now.
        if self._granted and not self._deliver(budget):
            self._part()
        joining = not self.member
        if joining:
            self._joins += 1
            self.member = f"{self.address}.{self._joins}"
            self._names.append(self.member)
            self._seq = self._folded_seq = 0
            self._epoch = ""
        outgoing = budget._collect(self.member, self._seq + 1, joining=joining)
        outgoing = self._unsent = outgoing.after(self._unsent)
        self._limit = outgoing.limit
        if outgoing.waits:
            self.waited_at = now
        is_urgent = self._lets_others_go(outgoing)
        if is_urgent:
            self._send_at = now
        elif outgoing.has_news:
            self._send_at = min(self._send_at, now + self._collecting)
        elif outgoing.is_wanted:
            self._waits_for = self._seq
            is_awaited = min(self._retry_at, self._take_over_at) < math.inf
            self._reads = self._reads or self._is_folded or not is_awaited
        if self._reads or now >= self._next_talk(outgoing):
            yield from self._exchange(budget, outgoing, is_urgent=is_urgent)
        return self._delay(outgoing)

    def _lets_others_go(self, outgoing: Outgoing) -> bool:
        """Return whether somebody may go, or know more, as soon as this is in the ledger."""
        if outgoing.join is not None or outgoing.leaves:
            return True
        if not outgoing.has_news:
            return False
        title = self._title
        head_rank = _LAST_RANK if title is None or title.head_rank is None else title.head_rank
        if outgoing.is_wanted or any(rank < head_rank for _, rank, *_ in outgoing.wants):
            return True
        if outgoing.wants and self._has_more:
            return True
        hopes = title is None or title.hopes
        return any(kind != "settle" or hopes for kind, *_ in outgoing.endings)

    @property
    def _ttl(self) -> float:
        return _KEPT * self._period

    @property
    def _collecting(self) -> float:
        return min(_COLLECT, self._heartbeat / 4)

    @property
    def _is_folded(self) -> bool:
        """Return whether everything that was sent is in the ledger."""
        return self._is_joined and self._folded_seq == self._seq

    def _is_led(self) -> bool:
        """Return whether another process writes for all."""
        title = self._title
        return (
            title is not None
            and title.writer not in ("-", self.address)
            and 1000 * self._clock.latest(self._now()) < title.until
        )

    def _is_fresh(self) -> bool:
        """Return whether what was read is not old: members may have expired since."""
        return self._is_led() or self._shared(self._now()) < self._written_at + self._heartbeat

    def _send(self, write: Write) -> Generator[Write, Result, Result]:
        sent = self.talking_since = self._talked_at = self._now()
        result = yield write
        self.talking_since = None
        self._clock.observe(sent, self._now(), result.time)
        return result

    def _exchange(
        self, budget: Budget, outgoing: Outgoing, *, is_urgent: bool
    ) -> Generator[Write, Result, None]:
        now = self._now()
        takes_over = now >= self._take_over_at
        reads, self._reads = self._reads, False
        # Who only asks, or writes what lies in the inbox, need not say each time that it is alive.
        request: Request | None = None
        is_due = not reads and now >= self.said_at + self._heartbeat
        if outgoing.has_news or self._unfetched or is_due:
            request = self._request(outgoing, is_urgent=is_urgent)
        ledger: SharedLedger | None = None
        own: list[Granted] = []
        is_writer = takes_over or not self._is_led()
        if self._text is not None and is_writer:
            ledger = self._fold(request, is_active=outgoing.is_active)
            own = ledger.fetch(self.member)
        wants_text = reads or takes_over or (outgoing.waits and not self.hears)
        write = self._write(ledger, request, wants_text=wants_text)
        self._retry_at = math.inf
        result = yield from self._send(write)
        if request is not None:
            self._seq = request.seq
            if request.fetched:
                self._fetched_seq = request.seq
            if self._talked_at > self.said_at + self.lease:
                self.silent_until = self._talked_at
            self.said_at = self._talked_at
            self._unsent, self._unfetched = Outgoing(), []
            self._has_more = bool(outgoing.more)
            self._send_at = math.inf
            if is_urgent or outgoing.is_wanted:
                self._waits_for = request.seq
        if result.is_written:
            assert ledger is not None
            self._text, self._ledger, self._written_at = write.text, ledger, ledger.latest
            self._inbox, self._write_at = [], math.inf
            for raw in result.inbox:
                self._add_to_inbox(raw)
            self._losses = 0
            self._note(ledger)
            if self._folded_seq < self._seq:
                self._part()  # our request was not accepted
        else:
            own = []
            self._losses += bool(write.text)
            if result.title is None:
                ledger = self._take(result)
            else:
                ledger = None
                self._take_title(result.title, result.seq, result.grants)
        if not self.member or self._title is None:
            self._join_again_soon()
            return
        is_current = self._is_folded and not self._unsent.has_news and self._is_fresh()
        if is_current and ledger is not None and not self._is_right(ledger, outgoing, own):
            self._part()
            self._join_again_soon()
            return
        self._troubles = 0
        if not self._deliver(budget, ledger, own, is_current=is_current):
            self._part()  # too late: the budget did not wait for it
            self._join_again_soon()
            return
        self._failures = 0
        if result.is_written:
            assert ledger is not None
            change = ledger.next_change()
            self._ask_at = math.inf if change is None else self._local(change) + _SLACK
        else:
            self._wait_for_writer(outgoing, takes_over=takes_over)

    def _wait_for_writer(self, outgoing: Outgoing, *, takes_over: bool) -> None:
        """Decide when to write, should nobody else have done it by then."""
        now = self._now()
        is_left = self._folded_seq < self._waits_for
        longest = _RETRY * (1 if self._title is None else self._title.members + 1)
        soon = now + backoff(self._losses, base=longest, cap=_LONGEST_RETRY)
        if takes_over:
            self._take_over_at = math.inf
        if not self._is_led():
            # Nobody does it for us.
            if outgoing.is_active or outgoing.is_wanted or not self._is_folded:
                self._retry_at = soon
        elif is_left and takes_over:
            self._take_over_at = soon
        else:
            self._forget()  # it will be another text soon
            if is_left and self._take_over_at == math.inf:
                patience = _PATIENCE + backoff(0, base=_PATIENCE)
                self._take_over_at = now + patience + _PATIENT_TRIPS * self._clock.trip

    def _deliver(
        self,
        budget: Budget,
        ledger: SharedLedger | None = None,
        own: list[Granted] | None = None,
        *,
        is_current: bool = False,
    ) -> bool:
        """Hand over what is known. False: it comes too late."""
        granted, self._granted = self._granted, []
        if ledger is not None and (me := ledger.members.get(self.member)) is not None:
            granted += me.grants
        granted = list(
            {grant[0]: grant for grant in granted if grant[0] not in self._delivered}.values()
        )
        self._unfetched += [grant[0] for grant in granted]
        grants = [*(own or ()), *granted]
        self._delivered.update(dict.fromkeys(grant[0] for grant in grants))
        while len(self._delivered) > _MOST_DELIVERED:
            del self._delivered[next(iter(self._delivered))]
        return budget._deliver(View(self._title, ledger, grants, is_current, self._shared(0.0)))

    def _join_again_soon(self) -> None:
        if self._troubles == _MOST_TROUBLES:
            self._troubles = 0
            raise RuntimeError("what is in Redis cannot be used, nor replaced")
        self._retry_at = self._now() + backoff(self._troubles, base=_FIRST_RETRY)
        self._troubles += 1

    # -- what Redis has ---------------------------------------------------------------------------

    def _read(self, text: str) -> SharedLedger:
        return SharedLedger.from_text(text, ceiling=self._ceiling, prices=self._prices)

    def _forget(self) -> None:
        """Take it that the text is another one now."""
        self._text, self._ledger, self._inbox = None, None, []
        self._ask_at = self._write_at = math.inf

    def _fold(self, request: Request | None, *, is_active: bool) -> SharedLedger:
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
        clock = self._clock.to_write(self._now())
        ledger.advance(clock)
        for raw, left in self._inbox:
            with contextlib.suppress(UnreadableLedger):
                ledger.fold(left or Request.from_text(raw))
        if request is not None:
            ledger.fold(request)
        ledger.expire()
        ledger.serve(self.member)
        ledger.revision += 1
        me = ledger.members.get(self.member)
        ledger.writer, ledger.until = "-", 0
        if self.hears and me is not None and (is_active or me.grants):
            ledger.writer = self.address
            seconds = _WRITES * self._heartbeat + _PATIENT_TRIPS * self._clock.trip
            ledger.until = int(1000 * (clock + seconds))
        return ledger

    def _take(self, result: Result) -> SharedLedger | None:
        """Take what Redis has, and see whether this process is rightly in it."""
        if result.text is not None:
            self._text, self._ledger = result.text, None
        elif self._text is None:
            self._text = ""
        self._inbox = [(raw, None) for raw in result.inbox]
        if not self._text:
            self._title = None
            if self._is_joined:
                self._part()
            return None
        try:
            ledger = self._ledger or self._read(self._text)
        except UnreadableLedger as error:
            self._warn("the ledger in Redis cannot be read, and is begun anew: %s", error)
            self._part()
            self._title = None
            return None
        self._ledger = ledger
        if self._is_joined and ledger.epoch != self._epoch:
            self._part()
        elif self._is_joined and ledger.revision < self._revision:
            self._part(renews=ledger.epoch)  # an older copy
        elif self.member:
            self._find_myself(ledger)
        self._written_at = ledger.latest
        # No further: points that return now are gone for the process that writes this.
        clock = result.time
        ledger.advance(clock - self._clock.stepped if ledger.shift == self._shift else clock)
        self._note(ledger)
        return ledger

    def _find_myself(self, ledger: SharedLedger) -> None:
        me = ledger.members.get(self.member)
        if me is None:
            if self._is_joined:
                seq, _ = ledger.left.get(self.member, (-1, 0.0))
                # It has expired, perhaps before all that is remembered; or this is an older copy.
                is_old = ledger.latest >= self._seen_at + REMEMBERED * ledger.ledger.period
                has_expired = is_old or seq >= self._folded_seq
                self._part(renews="" if has_expired else ledger.epoch)
            elif self._seq and not self._is_in_inbox(1):
                self._part()
        elif me.seq < self._folded_seq:
            self._part(renews=ledger.epoch)
        elif me.seq < self._seq and not self._is_in_inbox(me.seq + 1):
            self._part()

    def _is_in_inbox(self, seq: int) -> bool:
        start = f'{{"member":"{self.member}","seq":{seq},'
        return any(raw.startswith(start) for raw, _ in self._inbox)

    def _take_title(self, line: str, seq: int, grants: int) -> None:
        """Take the first line of what Redis has, our latest request there, and our grants."""
        self._forget()
        try:
            title = Title.from_line(line)
        except UnreadableLedger:
            self._reads = True
            return
        if self._is_joined and title.epoch != self._epoch:
            self._part()
        elif self._is_joined and title.revision < self._revision:
            self._part(renews=title.epoch)
        elif self._is_joined and seq < self._folded_seq:
            self._reads = True  # to find out why
        elif grants and seq >= self._fetched_seq and not self._unfetched:
            self._reads = True  # a notice was lost
        self._note_title(title, seq)
        self._note_shift(title.shift)

    def _note(self, ledger: SharedLedger) -> None:
        """Remember which ledger this process is in."""
        me = ledger.members.get(self.member)
        self._note_title(ledger.title, 0 if me is None else me.seq)
        self._note_shift(ledger.shift)

    def _note_shift(self, shift: float) -> None:
        # Only with an exchange, which shows the clock of Redis as well: both change together.
        if shift != self._shift:
            self._shift = shift
            self._clock.stepped = 0.0

    def _note_title(self, title: Title, seq: int) -> None:
        self._title = title
        if self.member and seq:
            self._is_joined = True
            self._seen_at = max(self._seen_at, title.latest)
            self._names = [self.member]
            self._folded_seq = max(self._folded_seq, seq)
            self._epoch = title.epoch
            self._revision = max(self._revision, title.revision)
            if self._renews != title.epoch:
                self._renews = ""
            if self._folded_seq >= self._waits_for:
                self._retry_at = self._take_over_at = math.inf
        if title.periods != [self._period]:
            self._warn(
                "period must be the same in all processes of an organization; this one has %g s, "
                "others have %s; the shared ledger has %g s",
                self._period,
                ", ".join(f"{period:g} s" for period in title.periods if period != self._period),
                title.periods[0],
            )

    def _is_right(self, ledger: SharedLedger, outgoing: Outgoing, own: list[Granted]) -> bool:
        """Return whether the ledger agrees with this process about its calls."""
        me = ledger.members.get(self.member)
        if me is None:
            return False
        known = me.in_flight + sum(g[2] for g in me.grants if g[0] in self._delivered)
        queued = {want.number for want in ledger.queue if want.member == self.member}
        # A grant can be on its way for a call that stands in no queue.
        queued |= {grant[1] for grant in (*me.grants, *own)}
        return known == outgoing.holds + sum(grant[2] for grant in own) and outgoing.shown <= queued

    def _part(self, renews: str = "") -> None:
        """Take it that the ledger does not know this process any more, or not rightly."""
        self.member = ""
        self._is_joined = False
        self._seen_at = -math.inf
        self._renews = renews or self._renews
        self._revision = self._waits_for = self._fetched_seq = 0
        self._unsent = Outgoing()
        self._has_more = False
        self._granted.clear()
        self._unfetched = []
        self._delivered.clear()
        self._ask_at = self._send_at = self._retry_at = self._take_over_at = math.inf

    # -- what there is to say ---------------------------------------------------------------------

    def _request(
        self, outgoing: Outgoing, *, is_urgent: bool = False, goodbye: bool = False
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
            fetched=self._unfetched,
            endings=[(k, p, t, self._shared(w), s) for k, p, t, w, s in outgoing.endings],
            wants=[(n, r, self._shared(w), p, o) for n, r, w, p, o in outgoing.wants],
            leaves=outgoing.leaves,
            more=[(rank, self._shared(w)) for rank, w in outgoing.more],
            goodbye=goodbye,
            is_urgent=is_urgent,
        )

    def _shared(self, local: float) -> float:
        """Return the shared ledger's time."""
        return self._clock.latest(local) - self._clock.stepped + self._shift

    def _local(self, shared: float) -> float:
        return shared - self._shared(0.0)

    def _write(
        self, ledger: SharedLedger | None, request: Request | None, *, wants_text: bool = False
    ) -> Write:
        """Return how to write a ledger; without one, the request is left in the inbox."""
        text = "" if ledger is None else ledger.to_text()
        return Write(
            title=(self._text or "").partition("\n")[0],
            text=text,
            clock=0.0 if ledger is None else ledger.clock,
            folded=len(self._inbox),
            last=self._inbox[-1][0] if self._inbox else "",
            expired=[] if ledger is None else list(ledger.expired),
            request="" if request is None else request.to_text(),
            ttl=self._ttl,
            member=self.member or self.address,
            wants_text=wants_text,
            notices=[] if ledger is None else self._notices(ledger, text.partition("\n")[0]),
        )

    def _notices(self, ledger: SharedLedger, line: str) -> list[tuple[str, str]]:
        return [
            (
                name.partition(".")[0],
                f"{line}\n" + json.dumps([name, member.seq, member.grants], separators=(",", ":")),
            )
            for name, member in ledger.members.items()
            if name in ledger.notices and name != self.member
        ]

    def _warn(self, text: str, *arguments: object) -> None:
        """Log a warning, the first time."""
        if text not in self._warned:
            self._warned.add(text)
            logger.warning(text, *arguments)

    # -- when to talk -----------------------------------------------------------------------------

    def _next_talk(self, outgoing: Outgoing) -> float:
        heartbeat_at = math.inf
        if outgoing.waits and not self.hears:
            heartbeat_at = self._talked_at + min(_POLL, self._heartbeat)
        elif outgoing.is_active:
            heartbeat_at = self._talked_at + self._heartbeat
        retry_at = min(self._retry_at, self._take_over_at)
        return min(self._ask_at, self._write_at, self._send_at, retry_at, heartbeat_at)

    def _delay(self, outgoing: Outgoing) -> float | None:
        when = -math.inf if self._reads else self._next_talk(outgoing)
        return None if when == math.inf else max(0.0, when - self._now())

    def leave(self, budget: Budget | None) -> Exchanges:
        """Say what is left to say, and goodbye."""
        if not self._is_joined:
            return None
        outgoing = Outgoing()
        if budget is not None:
            outgoing = budget._collect(self.member, self._seq + 1, joining=False)
        request: Request | None = self._request(outgoing.after(self._unsent), goodbye=True)
        for _ in range(_GOODBYES):
            ledger = None
            if self._text is not None and not self._is_led():
                ledger = self._fold(request, is_active=False)
            result = yield from self._send(self._write(ledger, request))
            if result.is_written or result.title is not None:
                break
            # It lies in the inbox now. Better that somebody hears of it.
            request = None
            self._take(result)
        self._part()
        return None

    # -- what others say --------------------------------------------------------------------------

    def hear(self, message: str) -> None:
        """Take a message, or "" when it begins to listen; from any thread."""
        self._messages.put(message)

    def _read_messages(self, now: float) -> None:
        """Take in the messages that the other thread has received."""
        while not self._messages.empty():
            message = self._messages.get()
            if not message:
                self._reads = bool(self.member)  # something may have been missed before
            elif message.startswith("{"):
                if self._ledger is not None:
                    self._add_to_inbox(message)
                elif self._title is not None and self._title.writer == self.address:
                    self._reads = True
            else:
                with contextlib.suppress(ValueError, TypeError, LookupError, OtherFormat):
                    self._take_notice(message, now)

    def _add_to_inbox(self, raw: str) -> None:
        """Note a request that lies in the inbox, to be written soon or not so soon."""
        try:
            request = Request.from_text(raw)
        except UnreadableLedger:
            request = None
        if request is not None:
            assert self._ledger is not None
            if self._ledger.has_seen(request) or any(other == raw for other, _ in self._inbox):
                return  # heard of late
        self._inbox.append((raw, request))
        now = self._now()
        if (request is not None and request.is_urgent) or len(self._inbox) >= _LONGEST_INBOX:
            self._write_at = now
        elif request is not None and request.is_news:
            self._write_at = min(self._write_at, now + self._collecting)

    def _take_notice(self, message: str, now: float) -> None:
        """Take what a writer has written about this process's calls."""
        line, _, rest = message.partition("\n")
        title = Title.from_line(line)
        member, seq, grants = json.loads(rest)
        if member != self.member or title.epoch != (self._epoch or title.epoch):
            return
        if title.revision > self._revision:
            if title.writer != self.address:
                self._forget()
            self._note_title(title, min(seq, self._seq))
        is_young = self._shared(now) - title.latest < _YOUNG * self._heartbeat
        if is_young and all(points for _, _, points, _ in grants):
            self._granted += [tuple(grant) for grant in grants]
        else:
            self._reads = True  # to see whether they are still ours, and why others have none


def _describe(error: Exception) -> str:
    if isinstance(error, OtherFormat):
        return (
            f"another release of this library keeps its ledger there in format {error}, this one "
            f"in format {FORMAT}: use one release in all processes"
        )
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
