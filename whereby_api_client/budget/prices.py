"""What each operation costs, learned from what the server counts.

The document prices an operation at 1, 2 or 3 points. What the server really takes is 1 to 10, and
is not published (docs/api-facts.md#prices-of-operations). A response reports how much the server
has counted when it handled the call, that call included. So two calls that it handled one right
after the other differ in that figure by exactly what the second one cost, less what the server has
forgotten in between.

**Which one came right before?** In a fixed window the one with the next lower figure, once all
calls that could lie between are answered. Where the server may have forgotten something in the
meantime, the order of the figures is not the order of the calls: then a pair says something only if
nothing else was under way, or if so many calls lie close together that hardly any time passed
between two of them. The differences of other pairs are kept as supposed prices until a call that
goes alone, long enough after all others, has shown that the server forgets nothing in between.

Pure state: no clock, no I/O.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from ..errors import InvalidArgumentError

#: The most that an operation is documented to cost.
MOST: Final = 10

# Figures that are kept for comparing. More calls than this are hardly ever in flight at once.
_KEPT: Final = 128

# The order of the figures is the order of the calls if a token bucket can have refilled no more
# points than this between the first and the last of them.
_IN_ORDER: Final = 1.0

# A difference is taken for the price if a bucket has hardly refilled a point between the two: with
# the probability `_NOTHING` at most, and shown twice; or once, if a price that is a point too low
# would cost `_ONCE` points at most with a whole limit of calls. 40 seeds of prices from 1 to 10:
# with 10 in place of 2, a bucket of 50 points per 10 s refuses a call in two of them.
_NOTHING: Final = 0.15
_ONCE: Final = 2.0


class LearnedPrice(NamedTuple):
    """A price that the server's figures have shown.

    Attributes:
        operation: such as "meetings.create".
        points: what a call of it costs.
        assumed: what it was taken to cost before: the document's price, or an earlier one.
    """

    operation: str
    points: int
    assumed: int


class _Price:
    """An operation's price lies from `low` to `high`."""

    __slots__ = ("documented", "high", "known", "low")

    def __init__(self, documented: int, low: int, high: int, known: int) -> None:
        self.documented = documented
        self.low = low
        self.high = high
        self.known = known  # the latest price that was reported as learned, or the documented one

    def narrow(self, low: int, high: int) -> None:
        """Take in that a call has cost at least `low` and at most `high`."""
        # A figure that contradicts what is believed can be somebody else's call in between, or a
        # lie, or a new price. So it only widens what is possible; the next one decides. Meanwhile
        # calls hold the greater of the two.
        if low > self.high:
            self.high = high
        elif high < self.low:
            self.low = low
        else:
            self.low, self.high = max(low, self.low), min(high, self.high)


class PriceList:
    """The prices of operations: configured by the caller, documented, or learned.

    Args:
        configured: points by operation or by a pattern such as "insights.*"; an operation's own
            name comes before patterns, and the first pattern that fits counts.
    """

    def __init__(self, configured: Mapping[str, int] | None = None) -> None:
        self.configured: dict[str, int] = dict(configured or {})
        for pattern, points in self.configured.items():
            if type(points) is not int or points < 1:
                raise InvalidArgumentError(
                    f"prices: points must be a whole number of at least 1; got {points!r} "
                    f"for {pattern!r}"
                )
        self._prices: dict[str, _Price] = {}
        #: Learned since somebody looked last.
        self.learned: list[LearnedPrice] = []

    def _of(self, operation: str, documented: int) -> _Price:
        price = self._prices.get(operation)
        if price is None:
            configured = self._configured_for(operation)
            if configured is None:
                price = _Price(documented, 1, max(MOST, documented), documented)
            else:
                price = _Price(configured, configured, configured, configured)
            self._prices[operation] = price
        return price

    def _configured_for(self, operation: str) -> int | None:
        if operation in self.configured:
            return self.configured[operation]
        for pattern, points in self.configured.items():
            if fnmatchcase(operation, pattern):
                return points
        return None

    def most(self, operation: str, documented: int) -> int:
        """Return the most that a call can cost, as far as is known."""
        return self._of(operation, documented).high

    def least(self, operation: str, documented: int) -> int:
        """Return the least that a call can cost, as far as is known."""
        return self._of(operation, documented).low

    def likely(self, operation: str, documented: int) -> int:
        """Return the documented (or configured) price, or the nearest that the figures allow."""
        price = self._of(operation, documented)
        return min(max(price.documented, price.low), price.high)

    def narrow(self, operation: str, documented: int, low: int, high: int) -> None:
        """Take in that a call of an operation has cost at least `low` and at most `high`."""
        price = self._of(operation, documented)
        price.narrow(low, high)
        if price.low == price.high != price.known:
            self.learned.append(LearnedPrice(operation, price.low, price.known))
            price.known = price.low

    def has_unknown(self) -> bool:
        """Return whether an operation has been seen whose price is not known."""
        return any(price.low < price.high for price in self._prices.values())

    def doubt(self) -> None:
        """Take every price for a lower bound: one of them may have risen."""
        for price in self._prices.values():
            price.high = max(MOST, price.high)

    def __len__(self) -> int:
        """Return how many operations have been seen."""
        return len(self._prices)

    def to_dict(self) -> dict[str, int]:
        """Return what each operation that has been seen is taken to cost."""
        return {name: self.likely(name, p.documented) for name, p in sorted(self._prices.items())}

    def to_state(self) -> list[list[Any]]:
        """Return it as JSON can hold it; what the caller has configured is not in it."""
        return [[name, p.documented, p.low, p.high, p.known] for name, p in self._prices.items()]

    def load(self, state: list[list[Any]]) -> None:
        """Take over what `to_state` returned.

        Raises:
            ValueError: it is no such state.
        """
        prices: dict[str, _Price] = {}
        for name, *points in state:
            if not isinstance(name, str) or not all(type(n) is int and n >= 1 for n in points):
                raise ValueError("not the state of a price list")
            prices[name] = _Price(*points)
        self._prices = prices


class Figure(NamedTuple):
    """What the server had counted when it handled a call, that call included."""

    counted: int
    sent_at: float
    answered_at: float
    operation: str
    documented: int
    # Since then the server cannot have forgotten anything of ours until this response.
    quiet_since: float


def _counted(figure: Figure) -> int:
    return figure.counted


def _can_come_before(other: Figure, figure: Figure) -> bool:
    # In tests a call may take no time at all.
    return other.sent_at < figure.answered_at or other.answered_at <= figure.sent_at


class Figures:
    """The latest figures, to be compared with each other."""

    def __init__(self) -> None:
        self._compared: list[Figure] = []
        self._waiting: list[Figure] = []
        # Proven: the server refills as a token bucket does; it does not; its window does not slide.
        self.refills: bool = False
        self.never_refills: bool = False
        self.never_slides: bool = False
        # What operations have cost if the server does not refill, 0 where figures disagree.
        self._supposed: dict[str, tuple[int, int]] = {}
        self._latest: dict[str, int] = {}  # what each operation seemed to cost
        # Calls whose fate is unknown may have been counted between these times.
        self._unsure_from = math.inf
        self._unsure_until = -math.inf

    def lose(self, sent_at: float, until: float) -> None:
        """Take in that a call may be counted at any time between these."""
        if sent_at > self._unsure_until:
            self._unsure_from = sent_at
        self._unsure_from = min(self._unsure_from, sent_at)
        self._unsure_until = max(self._unsure_until, until)

    def add(self, figure: Figure) -> None:
        """Take in a response."""
        self._waiting.append(figure)

    def doubt(self) -> None:
        """Take nothing for proven: the figures have misled us."""
        self.refills = self.never_refills = self.never_slides = False
        self._supposed.clear()

    def compare(
        self,
        prices: PriceList,
        oldest_in_flight: float,
        limit: int,
        period: float,
        *,
        late_since: float = math.inf,
        is_alone: bool,
    ) -> None:
        """Learn from those whose neighbours are all here.

        Args:
            prices: what is learned goes here.
            oldest_in_flight: when the oldest call was sent that may still be counted in between.
            limit: points per period.
            period: in seconds. A token bucket would refill the limit meanwhile.
            late_since: when a call was sent that is not waited for any more: it may be counted at
                any time from then on.
            is_alone: nobody else seems to spend.
        """
        ready = [f for f in self._waiting if f.answered_at <= oldest_in_flight]
        if not ready:
            return
        self._waiting = [f for f in self._waiting if f.answered_at > oldest_in_flight]
        self._compared += ready
        for figure in ready:
            if figure.answered_at > late_since:
                continue
            self._compare(figure, prices, limit, period, is_alone)
        if self.refills or not is_alone:
            self._supposed.clear()
        elif self.never_refills:
            for operation, (documented, cost) in self._supposed.items():
                if cost:
                    prices.narrow(operation, documented, cost, cost)
            self._supposed.clear()
        # A call that another one has surely followed is nobody's neighbour any more.
        first = min([oldest_in_flight, *(f.sent_at for f in self._waiting)])
        followed = max(
            (f.sent_at for f in self._compared if f.answered_at <= first), default=-math.inf
        )
        self._compared = [f for f in self._compared if f.answered_at >= followed][-_KEPT:]

    def _compare(
        self, figure: Figure, prices: PriceList, limit: int, period: float, is_alone: bool
    ) -> None:
        others = [
            f
            for f in (*self._compared, *self._waiting)
            if f is not figure and _can_come_before(f, figure)
        ]
        followed = max(
            (f.sent_at for f in others if f.answered_at <= figure.sent_at), default=-math.inf
        )
        near = [f for f in others if f.answered_at >= followed]
        self._look_for_a_refill(figure, near)
        before = max((f for f in near if f.counted < figure.counted), key=_counted, default=None)
        if before is None:
            # Nothing that we know of was counted before it in this window.
            if figure.operation and figure.counted <= MOST:
                prices.narrow(figure.operation, figure.documented, 1, figure.counted)
            return
        higher = (f.answered_at for f in near if f.counted >= figure.counted)
        reset = max((at for at in higher if at <= figure.sent_at), default=-math.inf)
        fallen = (f.sent_at > before.answered_at and f.counted < before.counted for f in near)
        if before.sent_at < reset or any(fallen):
            return  # it may have been counted in the window before
        if before.sent_at < self._unsure_until and figure.answered_at > self._unsure_from:
            return
        cost = figure.counted - before.counted
        # Nothing else was under way: all others came before it, the greatest figure is the last.
        gap = figure.sent_at - max(f.answered_at for f in near)
        follows = gap >= 0 and reset == -math.inf
        if follows and cost + limit / period * gap > MOST + 1 and figure.counted > MOST + 1:
            self.never_refills = True  # more than any call costs, if a bucket had been refilled
        if cost > MOST or not figure.operation:
            return  # others have spent in between, or the price is configured
        is_quiet = self.never_slides or min(before.sent_at, figure.sent_at) >= figure.quiet_since
        high = (
            self._most(figure, before, near, limit, period, follows=follows) if is_quiet else None
        )
        if is_quiet and high != cost:
            self._suppose(figure, cost)
        if high is None and not follows:
            return
        if high is not None or is_alone:
            prices.narrow(figure.operation, figure.documented, cost, high or MOST)

    def _most(
        self,
        figure: Figure,
        before: Figure,
        near: list[Figure],
        limit: int,
        period: float,
        *,
        follows: bool,
    ) -> int | None:
        """Return the most that a call can have cost which came right after another one.

        None if it may not have come right after it, because the server refills meanwhile.
        """
        cost = figure.counted - before.counted
        if self.never_refills:
            return cost
        beside = [before, figure, *(f for f in near if f.answered_at > figure.sent_at)]
        first, last = min(f.sent_at for f in beside), max(f.answered_at for f in beside)
        rate = limit / period
        refill = rate * (last - first)
        # On average a request takes as long as its response.
        likely = (
            rate * (figure.sent_at + figure.answered_at - before.sent_at - before.answered_at) / 2
        )
        is_repeated = self._latest.get(figure.operation) == cost
        self._latest[figure.operation] = cost
        if not follows:
            if refill > _IN_ORDER:
                return None
            likely = refill / (len(beside) - 1)
        is_exact = likely * limit <= _ONCE or (is_repeated and likely <= _NOTHING)
        return cost if is_exact else min(MOST, cost + math.ceil(refill))

    def _suppose(self, figure: Figure, cost: int) -> None:
        """Keep what a call has cost if the server does not refill."""
        _, supposed = self._supposed.get(figure.operation, (0, cost))
        self._supposed[figure.operation] = (figure.documented, cost if supposed == cost else 0)

    def _look_for_a_refill(self, figure: Figure, near: list[Figure]) -> None:
        """Look for proof that the server refills: it counts less after one call more."""
        last = max(near, key=_counted, default=None)
        if last is None or last.sent_at < max(self._unsure_until, figure.quiet_since):
            return
        # Another window would begin with this call, and count nothing else.
        is_alone = all(f.answered_at <= figure.sent_at for f in near)
        if is_alone and MOST < figure.counted <= last.counted and not self.never_refills:
            self.refills = True

    def latest(self) -> int | None:
        """Return the greatest figure of those that can be the last, when nothing is in flight.

        None if there is none, or a call may have been counted after it that has none.
        """
        last = max(self._compared, key=_counted, default=None)
        return None if last is None or last.sent_at < self._unsure_until else last.counted

    def to_state(self) -> list[Any]:
        """Return it as JSON can hold it."""
        return [
            self.refills,
            self.never_refills,
            self.never_slides,
            {name: list(supposed) for name, supposed in self._supposed.items()},
            self._latest,
            *(None if math.isinf(t) else t for t in (self._unsure_from, self._unsure_until)),
            [list(f) for f in self._compared],
            [list(f) for f in self._waiting],
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Figures:
        """Make it of what `to_state` returned."""
        figures = cls()
        refills, never_refills, never_slides, supposed, *state = state
        latest, start, end, compared, waiting = state
        figures.refills = bool(refills)
        figures.never_refills = bool(never_refills)
        figures.never_slides = bool(never_slides)
        figures._supposed = {
            name: (int(points), int(cost)) for name, (points, cost) in supposed.items()
        }
        figures._latest = dict(latest)
        figures._unsure_from = math.inf if start is None else float(start)
        figures._unsure_until = -math.inf if end is None else float(end)
        figures._compared, figures._waiting = (
            [Figure(*f) for f in fs] for fs in (compared, waiting)
        )
        return figures
