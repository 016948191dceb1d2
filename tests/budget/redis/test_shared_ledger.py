"""What many processes do to the ledger that they share, step by step in a time of the test's own.

No server: the text that Redis would keep stays in a variable, and is written and read with each
step.
"""

from __future__ import annotations

import json
import math
import random
from typing import Any, NamedTuple

import pytest

from whereby_api_client.budget.shared_ledger import (
    ADOPTED,
    FORMAT,
    Ending,
    Granted,
    Join,
    OtherFormat,
    Request,
    SharedLedger,
    Title,
    UnreadableLedger,
)

PERIOD = 60.0
#: Four missed heartbeats.
LEASE = 4.0
#: A period, and what clocks may differ in it; and the second that a lost request may travel.
HOLD = PERIOD * 1.0005 + 0.0021
PATIENCE = 1.0


class Reply(NamedTuple):
    """What a process sees after its request."""

    is_folded: bool
    grants: list[Granted]
    ledger: SharedLedger

    @property
    def state(self) -> tuple[int, int]:
        """Return the points in flight and those that return by themselves."""
        return self.ledger.ledger.in_flight, self.ledger.ledger.returning

    @property
    def available(self) -> int:
        """Return the points that are free."""
        return self.ledger.ledger.available


class Organization:
    """Processes that share a ledger, and the time."""

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.now = 1000.0
        self.processes: dict[str, Process] = {}
        self.text = SharedLedger.begin("e1", limit, period=PERIOD).to_text()

    def process(self, name: str, *, join: Join | None = None) -> Process:
        """Let a process come."""
        process = self.processes[name] = Process(self, name)
        assert process.ask(join=join or Join()).is_folded
        return process

    def open(self) -> None:
        """Make a first call and let its point return: the ledger knows the server."""
        process = self.process("opener")
        process.want(1)
        process.end("settle", limit=self.limit, remaining=self.limit - 1)
        process.ask(goodbye=True)
        self.now += 3 * HOLD

    def check(self) -> SharedLedger:
        """Check that the ledger balances, and return it."""
        shared = SharedLedger.from_text(self.text)
        ledger = shared.ledger
        out = ledger.in_flight + ledger.counted + ledger.lost + ledger.foreign
        assert ledger._spent_total - ledger._returned_total == out
        for spent, points in ((ledger._counted, ledger.counted), (ledger._lost, ledger.lost)):
            assert sum(part.points for part in spent) == points
            assert [part.due for part in spent] == sorted(part.due for part in spent)
        held = sum(
            member.in_flight + sum(grant[2] for grant in member.grants)
            for member in shared.members.values()
        )
        assert held == ledger.in_flight
        assert shared.queue == sorted(shared.queue)
        assert {want.member for want in shared.queue} <= set(shared.members)
        return shared


class Process:
    """One process's side of the protocol."""

    def __init__(self, organization: Organization, name: str) -> None:
        self.organization = organization
        self.name = name
        self.seq = 0
        self.numbers = 0
        self.open: list[Granted] = []

    def request(self, **words: Any) -> Request:
        """Return the next request."""
        self.seq += 1
        request = Request(
            member=self.name,
            seq=self.seq,
            epoch=SharedLedger.from_text(self.organization.text).epoch,
            period=PERIOD,
            limit=self.organization.limit,
            reserve=0.1,
        )
        return Request.from_text(request._replace(**words).to_text())

    def ask(self, **words: Any) -> Reply:
        """Write a request into the ledger."""
        shared = SharedLedger.from_text(self.organization.text)
        shared.advance(self.organization.now)
        is_folded = shared.fold(self.request(**words))
        shared.expire()
        shared.serve(self.name)
        grants = shared.fetch(self.name)
        shared.revision += 1
        self.organization.text = shared.to_text()
        self.open += grants
        self.organization.check()
        return Reply(is_folded, grants, shared)

    def want(self, *costs: int, rank: int = 1, waited: float = 0.0, **words: Any) -> list[int]:
        """Let calls come, and return the numbers of all that may go now."""
        wants = []
        for cost in costs:
            self.numbers += 1
            wants.append((self.numbers, rank, self.organization.now - waited, cost, ""))
        return [grant[1] for grant in self.ask(wants=wants, **words).grants]

    def end(self, kind: str, index: int = 0, **reported: Any) -> Reply:
        """End a call."""
        _, _, points, ticket = self.open.pop(index)
        ending: Ending = (kind, points, ticket, self.organization.now, reported)
        return self.ask(endings=[ending])

    def numbers_of(self, reply: Reply) -> list[int]:
        """Return the numbers of the calls that may go."""
        return [grant[1] for grant in reply.grants]


@pytest.fixture
def crowd() -> Organization:
    """Return an organization whose ledger knows the server."""
    organization = Organization()
    organization.open()
    return organization


def points_of(grants: list[Granted]) -> list[int]:
    """Return the points of grants."""
    return [grant[2] for grant in grants]


def test_one_pool(crowd: Organization) -> None:
    """Take the points of all processes from one pool."""
    first, second = crowd.process("first"), crowd.process("second")
    assert first.want(40, 40) == [1, 2]
    assert second.want(30) == []
    assert first.end("refund").available == 30
    assert points_of(second.ask().grants) == [30]
    assert first.ask().state[0] == 70


def test_first_come_first_served_among_all(crowd: Organization) -> None:
    """Never let one process's later reads overtake another's write."""
    first, second = crowd.process("first"), crowd.process("second")
    assert first.want(1, 97) == [1, 2]
    crowd.now += 1
    assert second.want(3) == []
    crowd.now += 1
    assert first.want(1, 1) == []
    assert first.end("refund").grants == []  # the three points are the second's
    assert first.numbers_of(second.ask()) == [1]
    assert first.numbers_of(first.end("refund")) == [3, 4]


def test_those_who_waited_before_they_came(crowd: Organization) -> None:
    """Place a call by when it came, not by when its process told of it."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(100)
    assert first.want(5, waited=1.0) == []
    assert second.want(7, waited=2.0) == []
    assert [want.member for want in crowd.check().queue] == ["second", "first"]


def test_put_back_comes_first(crowd: Organization) -> None:
    """Let a refused call go before all others, of all processes."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(100)
    second.want(60)
    first.want(50, rank=0)
    assert first.numbers_of(first.end("refund")) == [2]
    assert second.ask().grants == []


def test_others_are_notified(crowd: Organization) -> None:
    """Notify a process when another one's response lets its calls go."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(100)
    second.want(60)
    assert first.end("refund").ledger.notices == {"second"}
    assert points_of(crowd.check().members["second"].grants) == [60]
    assert points_of(second.ask().grants) == [60]


def test_who_asks_urgently_is_notified(crowd: Organization) -> None:
    """Notify a process that its request was folded in, if it wants to know that."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(100)
    assert second.ask(is_urgent=True).ledger.notices == {"second"}
    assert second.ask().ledger.notices == set()


def test_when_points_return(crowd: Organization) -> None:
    """Say when there may be points for the call that is next, if one waits."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(100)
    first.end("settle")
    assert crowd.check().next_change() is None
    assert second.want(60) == []
    assert crowd.check().next_change() == pytest.approx(crowd.now + HOLD, abs=0.01)


def test_the_title(crowd: Organization) -> None:
    """Say in the first line what everybody needs to know."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(100)
    first.end("settle")
    second.want(60, 3, rank=3)
    title = Title.from_line(crowd.text.partition("\n")[0])
    assert title == crowd.check().title
    assert (title.limit, title.in_flight, title.returning) == (100, 0, 100)
    assert title.returns_at == pytest.approx(crowd.now + HOLD, abs=0.01)
    assert (title.members, title.head_rank, title.periods) == (2, 3, [PERIOD])


def test_a_response_that_shows_a_price(crowd: Organization) -> None:
    """Hope for responses while calls wait that hold more than they may cost."""
    first = crowd.process("first")
    first.want(50)
    first.end("settle", limit=100, remaining=50)
    first.want(60)
    assert not crowd.check().title.hopes
    first.ask(wants=[(3, 1, crowd.now, 1, "meetings.list")])
    assert crowd.check().title.hopes  # its price is not known


@pytest.mark.parametrize(
    "changes",
    [
        {"latest": 1e18},
        {"paused_until": math.nan},
        {"returns_at": "soon"},
        {"limit": 0},
        {"in_flight": -1},
        {"members": None},
        {"periods": [0]},
        {"shift": math.inf},
    ],
)
def test_invalid_titles(crowd: Organization, changes: dict[str, Any]) -> None:
    """Refuse a first line with numbers that no ledger can have."""
    line = crowd.check().title._replace(**changes).to_line()
    with pytest.raises(UnreadableLedger):
        Title.from_line(line)


def test_the_silent_expire(crowd: Organization) -> None:
    """Let a silent process's points return one period after it can have sent its last call."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(40)
    last_seen = crowd.now
    crowd.now += LEASE - 0.1
    assert second.ask().state == (40, 0)
    crowd.now += 0.2
    reply = second.ask()
    assert reply.state == (0, 40)
    assert list(reply.ledger.members) == ["second"]
    assert reply.ledger.expired == ["first"]
    for _ in range(18):
        crowd.now += 3
        second.ask()
    crowd.now = last_seen + LEASE + HOLD - 0.1
    assert second.ask().available == 60
    crowd.now = last_seen + LEASE + HOLD + 0.1
    assert second.ask().available == 100


def test_what_the_silent_never_fetched(crowd: Organization) -> None:
    """Count points as lost that a silent process was granted: it may have heard of them."""
    first, second = crowd.process("first"), crowd.process("second")
    second.want(100)
    first.want(30, 40, 50)
    second.end("refund")  # grants two of the first's
    assert second.ask().state[0] == 70
    crowd.now += LEASE + 0.1
    reply = second.ask()
    assert (*reply.state, len(reply.ledger.queue)) == (0, 70, 0)


def test_what_was_fetched(crowd: Organization) -> None:
    """Count points as lost that a process has fetched before it fell silent."""
    first, second = crowd.process("first"), crowd.process("second")
    second.want(100)
    first.want(30, 40)
    second.end("refund")
    grant, _ = crowd.check().members["first"].grants
    first.ask(fetched=[grant[0]], wants=[])
    crowd.now += LEASE + 0.1
    assert second.ask().state == (0, 70)


def test_the_waiting_silent_block_nobody(crowd: Organization) -> None:
    """Let the calls of a silent process leave the queue."""
    first, second = crowd.process("first"), crowd.process("second")
    second.want(50)
    first.want(90)
    assert second.want(30) == []
    crowd.now += LEASE - 1
    assert second.ask().grants == []
    crowd.now += 2
    assert second.numbers_of(second.ask()) == [2]


def test_a_process_that_expired(crowd: Organization) -> None:
    """Let a process that has expired come back with what it has in flight."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(40)
    crowd.now += 2 * LEASE
    assert second.ask().state == (0, 40)
    assert not first.ask().is_folded
    again = crowd.process("first again", join=Join(replaces=["first"], in_flight=[40]))
    # The 40 count as lost as well for a while: careful, not balanced to the point.
    assert again.ask().state == (40, 40)


def test_no_request_twice(crowd: Organization) -> None:
    """Carry out no request that was carried out before, and none after a gap."""
    first = crowd.process("first")
    first.want(3)
    first.seq -= 1
    assert not first.ask().is_folded
    first.seq += 1
    assert not first.ask().is_folded
    assert crowd.check().ledger.in_flight == 3
    assert not first.ask(join=Join()).is_folded
    first.seq = 2
    assert first.ask().is_folded


def test_join_again(crowd: Organization) -> None:
    """Take over what a process did alone, and forget what it was before."""
    first = crowd.process("first")
    first.want(10, 20)
    first.end("settle")  # 10 are counted
    soon = crowd.now + HOLD - 1
    past = [
        (10, soon, False, "first", first.seq),
        (7, soon, False, "", 0),
        (5, soon + PATIENCE, True, "first", first.seq + 1),
        (3, crowd.now - 1, False, "", 0),
    ]
    second = crowd.process("second", join=Join(["first"], [20, 2], list(past)))
    # 20 again and 2 in flight; the 10 are known, 7 and 5 are not, 3 have returned.
    assert second.ask().state == (22, 22)
    reply = second.ask(
        endings=[("settle", 20, adopted(20), crowd.now, {"limit": 100, "remaining": 55})]
    )
    assert reply.state == (2, 42)
    crowd.now += HOLD - 0.5
    assert crowd.process("three").ask().state == (0, 37)  # the silent second's 2, and the last
    crowd.now += 1.5 + LEASE
    assert crowd.process("four").ask().available == 100


def adopted(points: int) -> list[Any]:
    """Return the ticket of a call that the shared ledger has not let through."""
    return [ADOPTED, points, 0.0, 0, 0]


def test_join_in_a_pause(crowd: Organization) -> None:
    """Take over the pause that a process was told while it was alone."""
    first = crowd.process("first", join=Join(paused_for=3.0))
    assert first.want(1) == []
    assert crowd.check().next_change() == pytest.approx(crowd.now + 3.0)
    crowd.now += 3.0
    assert first.numbers_of(first.ask()) == [1]
    crowd.process("second", join=Join(paused_for=1e9))
    assert first.ask().ledger.ledger.paused_until == pytest.approx(crowd.now + PERIOD)


def test_an_end_of_an_unknown_call(crowd: Organization) -> None:
    """Count a call that was let through while its process was alone and ended when it was not."""
    first = crowd.process("first")
    reported = {"limit": 100, "remaining": 97}
    assert first.ask(endings=[("settle", 3, None, crowd.now, reported)]).state == (0, 3)
    assert first.ask(endings=[("refund", 3, None, crowd.now, {})]).available == 97
    assert first.ask(endings=[("lose", 3, None, crowd.now, {})]).state == (0, 6)


def test_an_end_counts_from_its_own_time(crowd: Organization) -> None:
    """Return points one period after the response, however late that was told."""
    first = crowd.process("first")
    first.want(10)
    ended = crowd.now
    crowd.now += 2
    _, _, points, ticket = first.open.pop()
    first.ask(endings=[("settle", points, ticket, ended, {})])
    for when, available in ((HOLD - 0.1, 90), (HOLD + 0.1, 100)):
        crowd.now = ended + when
        assert crowd.process(f"at {when}").ask().available == available


def test_goodbye(crowd: Organization) -> None:
    """Count what a process leaves behind in flight as lost, and serve the others."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(60)
    first.want(50)
    second.want(40)
    first.ask(goodbye=True)
    reply = second.ask()
    assert points_of(second.open) == [40]
    assert (*reply.state, list(reply.ledger.members)) == (40, 60, ["second"])


def test_leaving_the_queue(crowd: Organization) -> None:
    """Forget a call that was cancelled; if it was served meanwhile, its points are given back."""
    first, second = crowd.process("first"), crowd.process("second")
    second.want(100)
    first.want(60, 50)
    _, _, points, ticket = second.open.pop()
    second.ask(endings=[("refund", points, ticket, crowd.now, {})])
    reply = first.ask(leaves=[1, 2])
    assert first.numbers_of(reply) == [1]
    assert reply.ledger.queue == []
    assert first.end("refund").available == 100


def test_too_dear(crowd: Organization) -> None:
    """Refuse a call that costs more than the limit."""
    first = crowd.process("first")
    grants = first.ask(wants=[(1, 1, crowd.now, 101, ""), (2, 1, crowd.now, 100, "")]).grants
    assert [(number, points, bool(ticket)) for _, number, points, ticket in grants] == [
        (1, 0, False),
        (2, 100, True),
    ]


def test_the_background_leaves_a_reserve(crowd: Organization) -> None:
    """Keep a tenth of the common limit for the foreground of all."""
    first, second = crowd.process("first"), crowd.process("second")
    assert first.want(90, rank=3) == [1]
    assert first.want(1, rank=3) == []
    assert second.want(10) == [1]


def test_the_background_is_not_starved(crowd: Organization) -> None:
    """Give every tenth turn to a background call that has waited for a period."""
    first, second = crowd.process("first"), crowd.process("second")
    second.want(95)
    first.want(10, rank=3)
    since, turns = crowd.now, 0
    while not first.open:
        second.want(95)
        assert len(second.open) == 1
        if crowd.now - since > PERIOD:
            turns += 1
        second.end("refund")
        crowd.now += 1.5
        first.ask()
    assert turns == 10


def test_calls_not_shown_come_first_all_the_same(crowd: Organization) -> None:
    """Do not let others pass the calls that a process has not told of yet."""
    first, second = crowd.process("first"), crowd.process("second")
    second.want(100)
    first.want(10, waited=2.0, more=[(1, crowd.now - 2.0)])
    second.want(5, waited=1.0)
    assert second.end("refund").grants == []  # one has more, and it came before
    assert points_of(first.ask().grants) == [10]
    assert points_of(second.ask().grants) == [5]


def test_two_that_have_more_do_not_block_each_other(crowd: Organization) -> None:
    """Serve the first of all calls, however long their processes say that they have waited."""
    first, second = crowd.process("first"), crowd.process("second")
    second.want(100)
    early = [(1, crowd.now - 5.0)]
    first.want(10, waited=1.0, more=early)  # told late: it cannot come before the one shown
    second.want(10, waited=1.0, more=early)
    assert points_of(second.end("refund").grants) == [10]
    assert points_of(first.ask().grants) == [10]


def test_the_order_of_one_process_stays(crowd: Organization) -> None:
    """Keep the order in which a process tells its calls, whatever their times seem to be."""
    first = crowd.process("first")
    first.want(100)
    first.want(1, waited=1.0)
    first.want(2, 3, waited=1.5)
    assert [want.points for want in crowd.check().queue] == [1, 2, 3]


def test_how_long_a_call_waits(crowd: Organization) -> None:
    """Count the calls of all processes that come first."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(100)
    first.end("settle")
    second.want(60, waited=3.0)
    first.want(20, waited=1.0)
    shared = crowd.check()
    # A call of the second's own that is shown does not count twice: it brings its own figures.
    forecasts = [
        shared.forecast("second", rank, crowd.now - waited, 3, 1, 60)
        for rank, waited in ((1, 0.0), (1, 2.0), (3, 0.0))
    ]
    assert [ahead for ahead, _ in forecasts] == [2, 1, 2]
    assert forecasts[0][1] == pytest.approx(HOLD, abs=0.01)
    assert shared.forecast("first", 1, crowd.now, 50, 1, 20)[1] > PERIOD * 1.9


def test_a_clock_that_steps_back(crowd: Organization) -> None:
    """Go on from the latest time when the clock steps back, and let it run on."""
    first = crowd.process("first")
    first.want(100)
    first.end("settle")

    def left() -> float:
        shared = first.ask().ledger
        back = shared.ledger.next_return(shared.latest)
        assert back is not None
        return back - shared.latest

    crowd.now -= 500
    assert left() == pytest.approx(HOLD, abs=0.01)
    crowd.now += 10
    assert left() == pytest.approx(HOLD - 10, abs=0.01)


# -- copies that are older, and worse --------------------------------------------------------------


def test_an_older_copy(crowd: Organization) -> None:
    """Begin a new epoch when a member finds a copy too old, and lose nothing that anybody knows."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(30)
    first.end("settle")
    second.want(20)
    copy = crowd.text
    first.want(10)
    second.end("lose")
    crowd.text = copy
    epoch = crowd.check().epoch
    due = crowd.now + HOLD
    back = Process(crowd, "first again")
    join = Join(["first"], [10], [(30, due, False, "first", 3)], renews=epoch)
    reply = back.ask(join=join, epoch="e2")
    assert (reply.is_folded, reply.ledger.epoch) == (True, "e2")
    # What the copy had out, 50, is the least; 40 of them are told now.
    assert reply.state == (10, 40)
    assert not second.ask().is_folded
    # A second one that has noticed the same does not begin anew once more.
    again = Process(crowd, "second again")
    join = Join(["second"], [], [(20, due + PATIENCE, True, "second", 3)], renews=epoch)
    reply = again.ask(join=join, epoch="e3")
    assert (reply.ledger.epoch, reply.state) == ("e2", (10, 50))
    crowd.now += HOLD + LEASE + 0.1
    assert crowd.process("last").ask().available == 100


def test_what_the_server_has_forgotten_is_not_explained_twice(crowd: Organization) -> None:
    """Keep what has yet to be reported of an older copy when points that returned are reported."""
    first, second = crowd.process("first"), crowd.process("second")
    first.want(30)
    first.end("settle")
    second.want(20)
    second.end("settle")
    epoch = crowd.check().epoch
    third = crowd.process("third", join=Join(renews=epoch))
    assert third.ask().state == (0, 50)
    # The server still counts the 20 of the second, which has not reported them yet.
    (number,) = third.want(1)
    assert number == 1
    assert third.end("settle", limit=100, remaining=79).state == (0, 21)
    join = Join(["first"], [], [(30, crowd.now + HOLD, False, "first", 3)])
    crowd.process("first again", join=join)
    assert third.ask().ledger.ledger.foreign == 20
    join = Join(["second"], [], [(20, crowd.now + HOLD, False, "second", 3)])
    crowd.process("second again", join=join)
    assert third.ask().ledger.ledger.foreign == 0


def test_all_is_lost(crowd: Organization) -> None:
    """Let every process tell what it has out when the ledger is new."""
    first = crowd.process("first")
    first.want(10)
    crowd.text = SharedLedger.begin("e9", 100, period=PERIOD).to_text()
    assert not first.ask().is_folded
    past = [(30, crowd.now + HOLD - 3, False, "first", 1), (5, crowd.now - 1, False, "", 0)]
    second = crowd.process("second", join=Join(["first"], [10], list(past)))
    assert second.ask().state == (10, 30)
    # The server is unknown again: one call at a time.
    assert second.want(3) == []
    crowd.now += PATIENCE
    assert second.numbers_of(second.ask()) == [1]
    assert second.want(3) == []
    crowd.now += HOLD - 3
    assert crowd.process("three").ask().state[1] == 13  # only what the silent two had in flight


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("latest", 1e18),
        ("latest", math.nan),
        ("shift", math.inf),
        ("turns", "many"),
        ("ledger", None),
        ("ledger.paused_until", 1e18),
        ("ledger.paused_until", 1500.0),
        ("ledger.limit", -5),
        ("ledger.limit", 10**9),
        ("ledger.in_flight", -1),
        ("ledger.counted", 50),
        ("ledger.foreign", 10**12),
        ("period", 0),
        ("ledger._foreign_due", 1e12),
        ("ledger._window_end", "x"),
        ("ledger._counted", [[5, 0.0, 1e15]]),
        ("ledger._counted", [[5]]),
        ("members.first", [1, 0, [[1, -3]], [], [], 60.0, 1000.0]),
        ("members.first", []),
        ("members", []),
        ("queue", [[1, 0.0, 1, "nobody", 1, 1, ""]]),
        ("queue", 5),
        ("left", [["x", 1, 1e9]]),
    ],
)
def test_nonsense_is_lost_state(crowd: Organization, path: str, value: Any) -> None:
    """Refuse a text with numbers that no ledger can have."""
    crowd.process("first").want(3)
    title, _, rest = crowd.text.partition("\n")
    content = json.loads(rest)
    parent = content
    *names, last = path.split(".")
    for name in names:
        parent = parent[name]
    assert last in parent
    parent[last] = value
    with pytest.raises(UnreadableLedger):
        SharedLedger.from_text(f"{title}\n{json.dumps(content)}")


@pytest.mark.parametrize("text", ["", "x", "a b\n{}", "a 1\n[]", "a 1\n" + "[" * 100_000, "\0\n"])
def test_no_ledger_at_all(text: str) -> None:
    """Refuse a text that is no ledger."""
    with pytest.raises(UnreadableLedger):
        SharedLedger.from_text(text)


def test_another_release(crowd: Organization) -> None:
    """Tell a ledger of another format from nonsense."""
    line, _, rest = crowd.text.partition("\n")
    other = rest.replace(f'"format":{FORMAT}', '"format":77')
    with pytest.raises(OtherFormat, match="77"):
        SharedLedger.from_text(f"{line}\n{other}")
    title = crowd.check().title._replace(format=78)
    with pytest.raises(OtherFormat, match="78"):
        Title.from_line(title.to_line())


@pytest.mark.parametrize(
    "words",
    [
        {"endings": [("settle", -5, None, 0.0, {})]},
        {"endings": [("settle",)]},
        {"wants": [(1, 1, 0.0, 1e18, "")]},
        {"limit": -5},
        {"epoch": "e 1"},
        {"join": Join(in_flight=[-1])},
        {"join": Join(spent=[(-1, 0.0, False, "", 0)])},
        {"unknown": 5},
    ],
)
def test_invalid_requests(words: dict[str, Any]) -> None:
    """Refuse a request with numbers that no process can mean."""
    request = Request("first", 1, "e1", PERIOD, 100, 0.1)._asdict() | words
    if isinstance(request["join"], Join):
        request["join"] = request["join"]._asdict()
    with pytest.raises(UnreadableLedger):
        Request.from_text(json.dumps(request))


@pytest.mark.parametrize("seed", range(6))
def test_any_history_balances(seed: int) -> None:
    """Keep the ledger balanced through any history of many processes, deaths and returns."""
    rng = random.Random(seed)
    crowd = Organization(limit=30)
    crowd.open()
    alive: list[Process] = []
    copies: list[str] = []
    names = iter(range(1000))
    for _ in range(250):
        crowd.now += rng.choice((0.01, 0.1, 0.5, 3.0)) * rng.random()
        copies.append(crowd.text)
        if rng.random() < 0.02:  # a replica that lagged has taken over
            crowd.text = copies[-min(len(copies), rng.randrange(1, 20))]
        if len(alive) < 4 and rng.random() < 0.2:
            alive.append(crowd.process(f"process {next(names)}"))
            continue
        if not alive:
            continue
        process = rng.choice(alive)
        if rng.random() < 0.02:  # killed
            alive.remove(process)
            continue
        endings: list[Ending] = []
        for grant in list(process.open):
            _, _, points, ticket = grant
            if not ticket:
                process.open.remove(grant)
            elif rng.random() < 0.5:
                process.open.remove(grant)
                kind = rng.choice(("settle", "settle", "settle", "lose", "refund", "reject"))
                reported: dict[str, Any] = {"limit": 30, "remaining": rng.randrange(31)}
                endings.append(
                    (kind, points, ticket, crowd.now, reported if kind == "settle" else {})
                )
        wants = []
        for _ in range(rng.choice((0, 0, 1, 3))):
            process.numbers += 1
            since = crowd.now - rng.random()
            cost = rng.choice((1, 2, 3, 31))
            wants.append((process.numbers, rng.randrange(4), since, cost, ""))
        leaves = rng.sample(range(process.numbers + 1), k=rng.choice((0, 0, 1)))
        reply = process.ask(
            endings=endings, wants=wants, leaves=leaves, goodbye=rng.random() < 0.01
        )
        if not reply.is_folded:
            alive.remove(process)
            back = Process(crowd, f"process {next(names)}")
            costs = [points for _, _, points, ticket in process.open if ticket]
            due = crowd.now + rng.random() * HOLD
            spent = [(rng.choice((1, 2, 3)), due, rng.random() < 0.3, process.name, 5)]
            renews = crowd.check().epoch if rng.random() < 0.5 else ""
            join = Join([process.name], costs, spent, rng.choice((0.0, 2.0)), renews)
            back.ask(join=join, epoch=f"e{next(names)}")
            back.open += [("", 0, points, adopted(points)) for points in costs]
            alive.append(back)
        elif process.name not in crowd.check().members:
            alive.remove(process)  # it said goodbye
    crowd.now += 3 * HOLD + LEASE
    crowd.process("last")
    crowd.now += 2 * HOLD
    reply = crowd.process("really last").ask()
    assert (*reply.state, len(reply.ledger.queue)) == (0, 0, 0)
