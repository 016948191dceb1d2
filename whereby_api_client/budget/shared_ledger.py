"""The ledger of many processes: who they are, what they have in flight, whose call is next.

No I/O and no clock. The whole of it is one text. A process takes the text, its own request and
those that others have left (the inbox), folds them in, and puts the new text in the place of the
old one, unless somebody was faster (`redis_store.py`). Then its request is in the inbox, and the
next writer folds it in too: nothing is carried out twice or not at all, because a member's requests
are numbered.

**One writes for all.** Who has written goes on writing for a while, if it has calls that wait or
are in flight: it knows the text, and the others' requests are sent to it. So the others need
neither read nor write the text. Its first line, the `Title`, tells them what they need.

**What is read is not trusted.** It may be an older copy (a replica that lagged has taken over), or
nonsense. `SharedLedger.from_text` refuses what no ledger can be; a member that finds itself missing
or behind starts a new *epoch* (`Join.renews`): everybody joins again and tells all that is out.
"""

from __future__ import annotations

import json
import math
import uuid
from bisect import insort
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from .headers import RateLimit
from .ledger import Ledger, Spent, Ticket
from .queue import impossible, reserved

# A release that keeps the ledger differently takes another number, and says so to whom it meets.
FORMAT: Final = 3

_FOREGROUND_TURNS: Final = 9
_BACKGROUND: Final = 2  # ranks from here on: see queue.py

# What lies outside is nonsense.
_GREATEST_LIMIT: Final = 1_000_000
_GREATEST_TIME: Final = 1e11
_GREATEST_PERIOD: Final = 1e6
_LONGEST_FUTURE: Final = 12  # periods: a doubt lasts ten

# A clock that falls back by more than this (seconds) was set; by less, members differ.
_CLOCK_SLACK: Final = 1.0

# A member that waits or has calls in flight shows itself every sixteenth of a period, at least once
# a second; after four times that in silence it expires.
_HEARTBEATS: Final = 16
_LONGEST_HEARTBEAT: Final = 1.0
MISSED: Final = 4

# Members that left or went silent are remembered for so many periods.
REMEMBERED: Final = 2

#: A waiting call: number, rank, when it came, its documented points, its operation.
Want: TypeAlias = tuple[int, int, float, int, str]
#: How a call ended: "settle", "reject", "refund" or "lose", its points, the ticket (None: the
#: shared ledger has never heard of it), when, and what the response said.
Ending: TypeAlias = tuple[str, int, list[Any] | None, float, dict[str, Any]]
#: Points that were spent: how many, when they return, whether the call's fate is unknown, and which
#: request of which member has told that ("", 0: none).
Past: TypeAlias = tuple[int, float, bool, str, int]
#: The number of tickets of calls that another ledger has let through.
ADOPTED: Final = 0
#: Points for a waiting call: id, the call's number, points (0: it can never be made), ticket.
Granted: TypeAlias = tuple[str, int, int, list[Any]]


class UnreadableLedger(ValueError):
    """A text that no ledger can be."""


class OtherFormat(Exception):
    """The ledger was written by another release."""


class Title(NamedTuple):
    """The first line of the text: what everybody needs to know of a ledger. Times are the ledger's.

    Attributes:
        epoch: the ledger's name; one that was lost is followed by one with another name.
        revision: how often it was written.
        writer: the address of the process that writes for all; "-" for nobody.
        until: when its time is over, in milliseconds of Redis's clock.
        latest: when the text was written.
        shift: how far the ledger's time is ahead of Redis's clock.
        returns_at: when the next points return, None if none will.
        knows_limit: the server has reported a limit.
        members: how many processes share it.
        head_rank: the rank of the call that is next, None if no call waits.
        hopes: the next response may let others go at once.
        periods: those that the processes have, the ledger's first.
    """

    epoch: str
    revision: int
    writer: str
    until: int
    format: int
    latest: float
    shift: float
    limit: int
    in_flight: int
    returning: int
    returns_at: float | None
    paused_until: float
    others_present: bool
    knows_limit: bool
    members: int
    head_rank: int | None
    hopes: bool
    periods: list[float]

    def to_line(self) -> str:
        """Write it down."""
        epoch, revision, writer, until, *rest = self
        return f"{epoch} {revision} {writer} {until} {json.dumps(rest, separators=(',', ':'))}"

    @classmethod
    def from_line(cls, line: str) -> Title:
        """Read it.

        Raises:
            OtherFormat: another release has written it.
            UnreadableLedger: it is none.
        """
        try:
            epoch, revision, writer, until, rest = line.split(" ", 4)
            fields = json.loads(rest)
            if fields[0] != FORMAT:
                raise OtherFormat(fields[0])
            title = cls(epoch, int(revision), writer, int(until), *fields)
            for time in (title.latest, title.returns_at or 0.0, title.paused_until):
                _check(time, 0, _GREATEST_TIME)
            for period in title.periods:
                _check(period, 1e-3, _GREATEST_PERIOD)
            _check(title.shift, -_GREATEST_TIME, _GREATEST_TIME)
            _check(title.limit, 1, _GREATEST_LIMIT)
            _check(title.in_flight, 0, 4 * _GREATEST_LIMIT)
            _check(title.returning, 0, 4 * _GREATEST_LIMIT)
            _check(title.members, 0, math.inf)
        except (ValueError, TypeError, LookupError) as error:
            raise UnreadableLedger(f"{type(error).__name__}: {error}") from error
        return title


class Join(NamedTuple):
    """What a process brings along when it comes, or comes back.

    Attributes:
        replaces: members that it was before.
        in_flight: points of its open calls.
        spent: what it has spent in the last period.
        paused_for: seconds left of a pause that it knows of.
        renews: this epoch is to be given up, because something is missing in it.
    """

    replaces: list[str] = []  # noqa: RUF012 - never changed
    in_flight: list[int] = []  # noqa: RUF012
    spent: list[Past] = []  # noqa: RUF012
    paused_for: float = 0.0
    renews: str = ""


class Request(NamedTuple):
    """What one member says. All times are those of the shared ledger.

    Attributes:
        member: its name; another one with every `join`.
        seq: the number of the request.
        epoch: the epoch that it knows, "" if none yet; with `join`, the name of the next one should
            it be needed.
        limit: points per period that a new ledger starts with.
        ceiling: a limit that the server cannot raise.
        reserve: the part of the limit that background calls leave to the foreground.
        fetched: ids of the grants that it has taken.
        more: rank and time of the first calls of each priority that are not in the queue.
        is_urgent: somebody may go as soon as it is folded in, or wants to know when it is.
    """

    member: str
    seq: int
    epoch: str
    period: float
    limit: int
    reserve: float
    ceiling: int | None = None
    join: Join | None = None
    fetched: list[str] = []  # noqa: RUF012 - never changed
    endings: list[Ending] = []  # noqa: RUF012
    wants: list[Want] = []  # noqa: RUF012
    leaves: list[int] = []  # noqa: RUF012
    more: list[tuple[int, float]] = []  # noqa: RUF012
    goodbye: bool = False
    is_urgent: bool = False

    @property
    def is_news(self) -> bool:
        """Return whether it says more than that the member is alive."""
        return bool(self.endings or self.wants or self.leaves or self.join is not None)

    def to_text(self) -> str:
        """Write it down, without what is as it mostly is."""
        usual = self._field_defaults
        content = {
            key: value
            for key, value in self._asdict().items()
            if key not in usual or value != usual[key]
        }
        if self.join is not None:
            content["join"] = self.join._asdict()
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Request:
        """Read it.

        Raises:
            UnreadableLedger: it is none.
        """
        try:
            content = json.loads(text)
            if join := content.get("join"):
                content["join"] = Join(**join)
            request = cls(**content)
            for points in (
                *(ending[1] for ending in request.endings),
                *(_read_ticket(ending[2]).cost for ending in request.endings if ending[2]),
                *(want[3] for want in request.wants),
                *(request.join.in_flight if request.join else ()),
                *(spent[0] for spent in (request.join.spent if request.join else ())),
            ):
                _check(points, 0, _GREATEST_LIMIT)
            _check(request.limit, 1, _GREATEST_LIMIT)
            if request.epoch and not request.epoch.isalnum():
                raise ValueError(f"epoch must be alphanumeric; got {request.epoch!r}")
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise UnreadableLedger(f"a request that cannot be read: {error}") from error
        return request


class JointLedger(Ledger):
    """A ledger that can take over what other ledgers have let through."""

    # the base class's, which `+=` alone would make ambiguous for type checkers
    in_flight: int
    counted: int
    lost: int
    foreign: int

    @property
    def ceiling(self) -> int | None:
        """A limit that the server cannot raise."""
        return self._ceiling

    @property
    def patience(self) -> float:
        """Seconds that a request may travel."""
        return self._patience

    def set_ceiling(self, ceiling: int | None) -> None:
        """Use another limit that the server cannot raise."""
        self._ceiling = ceiling
        if ceiling is not None:
            self.limit: int = min(self.limit, ceiling)

    def adopt(self, points: int, now: float) -> Ticket:
        """Take over a call that is in flight."""
        self.in_flight += points
        self._spent_total += points
        self._last_sent = max(self._last_sent, now)  # its response may be near
        return self.adopted(points, now)

    def adopted(self, points: int, now: float) -> Ticket:
        """Return the ticket of a call that was taken over."""
        # When it was sent is not known here. So its response proves nothing, and that is safe.
        return Ticket(ADOPTED, points, now - 2 * self.period, 0, 0)

    def adopt_spent(self, points: int, due: float, *, is_lost: bool) -> None:
        """Take over points that return at `due`."""
        self._spent_total += points
        spent = Spent(points, 0, due - 2 * self.period, due)
        if is_lost:
            self.lost += points
            insort(self._lost, spent, key=_due)
        else:
            self.counted += points
            self._entered_total += points
            insort(self._counted, spent, key=_due)

    @property
    def hopes_for_response(self) -> bool:
        """Whether the next response may let others go at once."""
        return self._cautious or (self.knows_counts and self._window_end is None)

    def suspect(self, points: int, now: float) -> None:
        """Take it that others have spent these points just now."""
        if points > 0:
            self.foreign += points
            self._spent_total += points
            self._foreign_since = now
            self._foreign_due = now + self._hold

    def explain(self, points: int) -> None:
        """Take back what `suspect` has assumed."""
        self._return_foreign(min(points, self.foreign))


class Member:
    """A process, as the ledger knows it."""

    __slots__ = ("calls", "grants", "more", "period", "seen", "seq")

    def __init__(self, seen: float, period: float) -> None:
        self.seen: float = seen
        self.seq: int = 0
        # Points of its calls in flight by their tickets' numbers: those that it has fetched,
        self.calls: dict[int, int] = {}
        self.grants: list[Granted] = []  # ... and those that it has not.
        self.more: list[tuple[int, float]] = []
        self.period: float = period

    @property
    def in_flight(self) -> int:
        """Points of the calls that it has fetched."""
        return sum(self.calls.values())

    def fetch(self, grant: Granted) -> None:
        """Take a grant."""
        _, _, points, ticket = grant
        if points:
            self.calls[ticket[0]] = points


class Queued(NamedTuple):
    """A waiting call; what it is sorted by comes first."""

    rank: int
    since: float
    order: int
    member: str
    number: int
    points: int
    operation: str

    @property
    def is_background(self) -> bool:
        """Return whether it leaves a reserve to others."""
        return self.rank >= _BACKGROUND


class SharedLedger:
    """One organization's ledger, members and queue.

    Attributes:
        epoch, revision, writer, until: see `Title`.
        clock: what the clock showed when it was last advanced.
        notices: members that have to hear of this.
        expired: members that `expire` has taken out.
    """

    def __init__(self, epoch: str, ledger: JointLedger) -> None:
        self.epoch: str = epoch
        self.revision: int = 0
        self.writer: str = "-"
        self.until: int = 0
        self.ledger: JointLedger = ledger
        self.latest: float = 0.0
        self.clock: float = 0.0
        self.shift: float = 0.0
        self.members: dict[str, Member] = {}
        self.left: dict[str, tuple[int, float]] = {}  # request and time of members' ends
        self.queue: list[Queued] = []
        self.orders: int = 0
        self.turns: int = 0
        self.reserve: float = 0.0
        self.ended: float = 0.0  # when the latest call did
        self.unexplained: int = (
            0  # points of an epoch that was given up, and that no member has told
        )
        self._sinces: dict[tuple[str, int], float] = {}  # of the latest in the queue
        self.notices: set[str] = set()
        self.expired: list[str] = []

    @classmethod
    def begin(
        cls,
        epoch: str,
        limit: int,
        *,
        ceiling: int | None = None,
        period: float,
        prices: Mapping[str, int] | None = None,
    ) -> SharedLedger:
        """Return the ledger of an organization that has none."""
        return cls(epoch, JointLedger(limit, ceiling=ceiling, period=period, prices=prices))

    # -- time -------------------------------------------------------------------------------------

    def advance(self, clock: float) -> float:
        """Let time pass until the clock's time, and return that of the ledger.

        If the clock was set back, or another server with another clock has taken over, it goes on
        from where it was.
        """
        if clock + self.shift < self.latest - _CLOCK_SLACK:
            self.shift = self.latest - clock
        self.clock = clock
        self.latest = max(self.latest, clock + self.shift)
        self.notices.clear()
        self.expired.clear()
        self.ledger.advance(self.latest)
        return self.latest

    # -- members ----------------------------------------------------------------------------------

    def fold(self, request: Request) -> bool:
        """Carry out a request. False: it was carried out before, or it comes from nobody known."""
        member = self.members.get(request.member)
        if request.join is not None:
            if member is not None or request.member in self.left:
                return False
            member = self._join(request, request.join)
        elif (
            member is None or request.epoch not in ("", self.epoch) or request.seq != member.seq + 1
        ):
            return False
        ledger, now = self.ledger, self.latest
        member.seen, member.seq = now, request.seq
        self.reserve = request.reserve
        ledger.set_ceiling(request.ceiling)
        self._fetch(member, request.fetched)
        for ending in request.endings:
            self._end(member, *ending)
        if request.leaves:
            leaves = set(request.leaves)
            self.queue = [
                want
                for want in self.queue
                if want.member != request.member or want.number not in leaves
            ]
        for want in request.wants:
            self._enqueue(request.member, *want)
        member.more = [
            (rank, self._since(request.member, rank, since)) for rank, since in request.more
        ]
        if request.is_urgent:
            self.notices.add(request.member)  # that it was folded in
        if request.goodbye:
            self._remove(request.member, self._lose)
        return True

    def has_seen(self, request: Request) -> bool:
        """Return whether a request, or a later one of the same member, was folded in."""
        member = self.members.get(request.member)
        seq = self.left.get(request.member, (0, 0.0))[0] if member is None else member.seq
        return request.seq <= seq

    def _join(self, request: Request, join: Join) -> Member:
        if join.renews == self.epoch:
            self._renew(request.epoch)
        for name in join.replaces:
            if name in self.members:
                self._remove(name, self._refund)
        ledger, now = self.ledger, self.latest
        member = self.members[request.member] = Member(now, request.period)
        reported = 0
        for points in join.in_flight:
            member.calls[ADOPTED] = member.calls.get(ADOPTED, 0) + points
            reported += points
            ledger.adopt(points, now)
        for points, due, is_lost, teller, seq in join.spent:
            known, _ = self.left.get(teller, (0, 0.0))
            if now < due and not 0 < seq <= known:
                reported += points
                ledger.adopt_spent(points, min(due, now + 2 * ledger.period), is_lost=is_lost)
        # They were in the copy that was given up, too. What the server had forgotten of that by now
        # may have been these points: of the others', no more may be missing than is left to tell.
        reported = min(reported, self.unexplained)
        self.unexplained -= reported
        ledger.explain(min(reported, max(0, ledger.foreign - self.unexplained)))
        if join.paused_for > 0:
            pause = min(join.paused_for, ledger.period)
            ledger.paused_until = max(ledger.paused_until, now + pause)
        return member

    def _renew(self, epoch: str) -> None:
        """Begin a new epoch: this copy of the ledger lacks what was done lately."""
        old = self.ledger
        self.ledger = JointLedger(
            old.limit, ceiling=old.ceiling, period=old.period, prices=old.prices.configured
        )
        self.ledger.prices.load(old.prices.to_state())
        # What was out, members will tell; but not those that have left. It is the least.
        self.unexplained = min(old.limit, old.in_flight + old.returning)
        self.ledger.suspect(self.unexplained, self.latest)
        self.ledger.paused_until = min(old.paused_until, self.latest + old.period)
        self.epoch = epoch
        self.members.clear()
        self.left.clear()
        self.queue.clear()
        self.turns = 0

    def _remove(self, name: str, what: Callable[[Ticket, float], None]) -> None:
        """Take a member out."""
        member = self.members.pop(name)
        self.queue = [want for want in self.queue if want.member != name]
        for _, _, points, ticket in member.grants:
            if not points:
                continue
            if what == self._expire:  # it may have heard of them, and sent the calls
                self.ledger.lose(Ticket(*ticket), self.latest)
            else:
                self.ledger.refund(Ticket(*ticket))
        for number, points in member.calls.items():
            what(Ticket(number, points, member.seen, 0, 0), member.seen)
        self.left[name] = (member.seq, self.latest)

    def _refund(self, ticket: Ticket, seen: float) -> None:
        self.ledger.refund(ticket)

    def _lose(self, ticket: Ticket, seen: float) -> None:
        self.ledger.lose(ticket, self.latest)

    def _expire(self, ticket: Ticket, seen: float) -> None:
        # It may have sent its calls shortly before that, and so long they travel. `_append` never
        # puts a return before one that is there: a little late, not early.
        lease = MISSED * heartbeat(self.ledger.period)
        self.ledger.lose(ticket, seen + lease - self.ledger.patience)

    def expire(self) -> None:
        """Take out members that were silent too long; what they had in flight is lost."""
        for name, member in list(self.members.items()):
            if self.latest > member.seen + MISSED * heartbeat(member.period):
                self._remove(name, self._expire)
                self.expired.append(name)
        oldest = self.latest - REMEMBERED * self.ledger.period
        self.left = {name: end for name, end in self.left.items() if end[1] > oldest}
        self.ledger.advance(self.latest)

    def fetch(self, name: str) -> list[Granted]:
        """Hand over what was granted to a member."""
        member = self.members.get(name)
        if member is None:
            return []
        grants, member.grants = member.grants, []
        for grant in grants:
            member.fetch(grant)
        return grants

    def _fetch(self, member: Member, ids: list[str]) -> None:
        for grant in list(member.grants) if ids else ():
            if grant[0] in ids:
                member.grants.remove(grant)
                member.fetch(grant)

    def _end(
        self,
        member: Member,
        kind: str,
        points: int,
        ticket: list[Any] | None,
        when: float,
        rate_limit: dict[str, Any],
    ) -> None:
        ledger, now = self.ledger, self.latest
        # It ended before it was told here; and no longer ago than that matters.
        when = min(max(when, now - 2 * ledger.period, self.ended), now + _CLOCK_SLACK)
        self.ended = when  # the ledger's time must not run backwards
        if ticket is None:
            restored = ledger.adopt(points, now)
        else:
            restored = _read_ticket(ticket)
            left = member.calls.pop(restored.number, 0) - restored.cost
            if left > 0:
                member.calls[restored.number] = left
            elif left < 0:
                ledger.adopt(-left, now)
        if kind == "refund":
            ledger.refund(restored)
        elif kind == "lose":
            ledger.lose(restored, when)
        else:
            ledger.settle(restored, when, RateLimit(**rate_limit), rejected=kind == "reject")

    # -- the queue --------------------------------------------------------------------------------

    def _since(self, name: str, rank: int, since: float) -> float:
        # What a process tells comes a little late, now more, now less: that must not change the
        # order of its own calls.
        if not self._sinces:
            for want in self.queue:
                key = want.member, want.rank
                self._sinces[key] = max(self._sinces.get(key, 0.0), want.since)
        return max(since, self._sinces.get((name, rank), 0.0))

    def _enqueue(
        self, name: str, number: int, rank: int, since: float, points: int, operation: str
    ) -> None:
        self.orders += 1
        since = self._since(name, rank, since)
        insort(self.queue, Queued(rank, since, self.orders, name, number, points, operation))
        self._sinces[name, rank] = since

    def _next(self) -> Queued | None:
        if self.turns >= _FOREGROUND_TURNS:
            for want in self.queue:
                if want.is_background:
                    return want
        return self.queue[0] if self.queue else None

    def _count_turn(self, want: Queued) -> None:
        if want.is_background:
            self.turns = 0
            return
        oldest = next((other for other in self.queue if other.is_background), None)
        if oldest is not None and self.latest - oldest.since > self.ledger.period:
            self.turns += 1

    def _is_waited_for(self, want: Queued) -> bool:
        """Return whether somebody has calls that come first and are not in the queue yet."""
        is_its_turn = want.is_background and self.turns >= _FOREGROUND_TURNS
        return any(
            (rank, since, math.inf) < want and not (is_its_turn and rank < _BACKGROUND)
            for name, member in self.members.items()
            if name != want.member
            for rank, since in member.more
        )

    def serve(self, reader: str) -> None:
        """Grant free points to those whose turn it is, and note whom to tell: not `reader`."""
        ledger, now = self.ledger, self.latest
        while (want := self._next()) is not None and not self._is_waited_for(want):
            operation, documented = want.operation, want.points
            points = 0
            ticket: list[Any] = []
            if impossible(ledger, operation, documented, now) is None:
                points = ledger.price(operation, documented)
                leaves = 0
                if want.is_background and self.turns < _FOREGROUND_TURNS:
                    leaves = reserved(ledger, self.reserve, points)
                if not ledger.admits(points, now, reserve=leaves):
                    break
                taken = ledger.take(points, now, operation=operation, documented=documented)
                ticket = taken.to_state()
                self._count_turn(want)
            self.queue.remove(want)
            grant = (uuid.uuid4().hex[:12], want.number, points, ticket)
            self.members[want.member].grants.append(grant)
            if want.member != reader:
                self.notices.add(want.member)

    def next_change(self) -> float | None:
        """Return when, if nothing else happens, `serve` may have points for the next call."""
        want = self._next()
        if want is None:
            return None
        points = self.ledger.price(want.operation, want.points)
        return self.ledger.next_change(points, self.latest)

    def forecast(
        self, name: str, rank: int, since: float, points: int, calls_ahead: int, points_ahead: int
    ) -> tuple[int, float]:
        """Return how many calls come before one, and how long it has to wait at least.

        Args:
            name, calls_ahead, points_ahead: its member, and what of that comes first.
            rank, since, points: of the call.
        """
        for want in self.queue:
            if want.member != name and want < (rank, since, 0):
                points_ahead += self.ledger.price(want.operation, want.points)
                calls_ahead += 1
        need = points_ahead + points
        if rank >= _BACKGROUND:
            need += reserved(self.ledger, self.reserve, points)
        return calls_ahead, max(0.0, self.ledger.earliest(need, self.latest) - self.latest)

    # -- as a text --------------------------------------------------------------------------------

    @property
    def title(self) -> Title:
        """What stands in the first line."""
        ledger = self.ledger
        periods = {ledger.period, *(member.period for member in self.members.values())}
        return Title(
            epoch=self.epoch,
            revision=self.revision,
            writer=self.writer,
            until=self.until,
            format=FORMAT,
            latest=self.latest,
            shift=self.shift,
            limit=ledger.limit,
            in_flight=ledger.in_flight,
            returning=ledger.returning,
            returns_at=ledger.next_return(self.latest),
            paused_until=max(0.0, ledger.paused_until),
            others_present=ledger.others_present,
            knows_limit=ledger.knows_limit,
            members=len(self.members),
            head_rank=self.queue[0].rank if self.queue else None,
            hopes=ledger.hopes_for_response or self._holds_too_much(),
            periods=sorted(periods, key=lambda period: (period != ledger.period, period)),
        )

    def _holds_too_much(self) -> bool:
        """Return whether calls wait while others like them hold more than they may cost."""
        operations = {(want.operation, want.points) for want in self.queue}
        ledger = self.ledger
        return any(ledger.price(*operation) > ledger.least(*operation) for operation in operations)

    def to_text(self) -> str:
        """Write it down: the title in one line, then all else as JSON."""
        content = {
            "format": FORMAT,
            "latest": self.latest,
            "shift": self.shift,
            "period": self.ledger.period,
            "ledger": self.ledger.to_state(),
            "members": {
                # the script in redis_store.py finds the two numbers that follow `"name":[`
                name: [
                    member.seq,
                    len(member.grants),
                    list(member.calls.items()),
                    member.grants,
                    member.more,
                    member.period,
                    member.seen,
                ]
                for name, member in self.members.items()
            },
            "left": [[name, *end] for name, end in self.left.items()],
            "queue": self.queue,
            "orders": self.orders,
            "turns": self.turns,
            "reserve": self.reserve,
            "ended": self.ended,
            "unexplained": self.unexplained,
        }
        return f"{self.title.to_line()}\n{json.dumps(content, separators=(',', ':'))}"

    @classmethod
    def from_text(
        cls, text: str, *, ceiling: int | None = None, prices: Mapping[str, int] | None = None
    ) -> SharedLedger:
        """Read it; what the caller has set is not in it.

        Raises:
            OtherFormat: another release has written it.
            UnreadableLedger: no ledger can be like that.
        """
        try:
            line, _, rest = text.partition("\n")
            content = json.loads(rest)
            if content["format"] != FORMAT:
                raise OtherFormat(content["format"])
            title = Title.from_line(line)
            latest = _check(content["latest"], 0, _GREATEST_TIME)
            period = _check(content["period"], 1e-3, _GREATEST_PERIOD)
            ledger = JointLedger.from_state(
                content["ledger"], latest, ceiling=ceiling, period=period, prices=prices
            )
            _check(max(ledger.in_flight, ledger.returning), 0, 4 * _GREATEST_LIMIT)
            future = latest + _LONGEST_FUTURE * period
            if any(isinstance(v, float) and future < v < math.inf for v in vars(ledger).values()):
                raise ValueError("a time too far away")
            self = cls(title.epoch, ledger)
            self.revision = _check(title.revision, 0, math.inf)
            self.writer, self.until = title.writer, title.until
            self.latest = latest
            self.shift = _check(content["shift"], -_GREATEST_TIME, _GREATEST_TIME)
            self.reserve = _check(content["reserve"], 0, 1)
            self.unexplained = _check(content["unexplained"], 0, _GREATEST_LIMIT)
            self.turns = _check(content["turns"], 0, math.inf)
            self.ended = _check(content["ended"], 0, latest + _CLOCK_SLACK)
            self.orders = _check(content["orders"], 0, math.inf)
            for name, fields in content["members"].items():
                self.members[name] = self._read_member(fields)
            for name, seq, when in content["left"]:
                self.left[name] = (_check(seq, 0, math.inf), _check(when, 0, latest))
            for fields in content["queue"]:
                self.queue.append(self._read_queued(fields))
            in_flight = sum(
                member.in_flight + sum(grant[2] for grant in member.grants)
                for member in self.members.values()
            )
            if in_flight != self.ledger.in_flight:
                raise ValueError(f"{in_flight} points in flight, not {self.ledger.in_flight}")
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            raise UnreadableLedger(f"{type(error).__name__}: {error}") from error
        return self

    # There can be hundreds of these two: their fields are compared where they stand. A comparison
    # with a NaN is false, and one with a text raises.

    def _read_member(self, fields: list[Any]) -> Member:
        member = Member(0.0, 0.0)
        member.seq, _, calls, grants, more, member.period, member.seen = fields
        if not (
            0 <= member.seen <= self.latest
            and member.seq >= 0
            and 0 < member.period <= _GREATEST_PERIOD
        ):
            raise ValueError(f"not a member: {fields!r}")
        member.calls = {int(n): _check(points, 1, _GREATEST_LIMIT) for n, points in calls}
        for name, number, points, ticket in grants:
            _check(points, 0, _GREATEST_LIMIT)
            if points and _read_ticket(ticket).cost != points:
                raise ValueError(f"not a grant: {ticket!r}")
            member.grants.append((str(name), int(number), points, ticket))
        for rank, since in more:
            member.more.append((_check(rank, 0, 9), _check(since, 0, _GREATEST_TIME)))
        return member

    def _read_queued(self, fields: list[Any]) -> Queued:
        want = Queued._make(fields)
        if not (
            0 <= want.rank <= 9
            and 0 <= want.since <= _GREATEST_TIME
            and want.order >= 0
            and 0 < want.points <= _GREATEST_LIMIT
            and want.member in self.members
        ):
            raise ValueError(f"not a waiting call: {fields!r}")
        return want


def heartbeat(period: float) -> float:
    """Return how often (seconds) a member that waits or has calls in flight shows itself."""
    return min(_LONGEST_HEARTBEAT, period / _HEARTBEATS)


def _check(value: Any, least: float, greatest: float) -> Any:
    """Return a number if it is one, and within bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{str(value)[:50]!r} is not a number")
    if not least <= value <= greatest:
        raise ValueError(f"{value!r} is not within {least:g} to {greatest:g}")
    return value


def _read_ticket(state: list[Any]) -> Ticket:
    ticket = Ticket(*state)
    _check(ticket.number, 0, math.inf)
    _check(ticket.cost, 1, _GREATEST_LIMIT)
    _check(ticket.sent_at, -_GREATEST_TIME, _GREATEST_TIME)
    _check(ticket.entered_before, 0, math.inf)
    _check(ticket.returned_before, 0, math.inf)
    _check(ticket.documented, 0, _GREATEST_LIMIT)
    if not isinstance(ticket.operation, str):
        raise ValueError("an operation is a text")
    return ticket


def _due(spent: Spent) -> float:
    return spent.due
