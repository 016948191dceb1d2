"""What the script does for many processes, told step by step in a time of the test's own."""

from __future__ import annotations

import random
from typing import Any

import pytest

from whereby_api_client.budget.redis_ledger import Ending, Join, RedisBooks, Reply, Request

from ...helpers.redis_server import RedisServer

PERIOD = 60.0
LEASE = 30.0
#: A period, and what clocks may differ in it; and the second that a lost request may travel.
HOLD = PERIOD * 1.0005 + 0.0021
PATIENCE = 1.0


class Organization:
    """Processes that share books, and the time."""

    def __init__(self, server: RedisServer, limit: int = 100) -> None:
        self.server = server
        self.books = RedisBooks(server.url, "many", 1.0)
        self.limit = limit
        self.now = 1000.0
        self.processes: dict[str, Process] = {}

    def process(self, name: str, *, join: Join | None = None) -> Process:
        """Let a process come."""
        process = self.processes[name] = Process(self, name)
        process.reply = process.ask(join=join or Join())
        assert process.reply.status == "ok"
        return process

    def open(self) -> None:
        """Let a first call be answered and its point return, so that the books know the server."""
        process = self.process("first")
        process.want(1)
        process.end("settle", limit=self.limit, remaining=self.limit - 1)
        process.ask(goodbye=True)
        self.now += 3 * HOLD

    def check(self) -> dict[str, Any]:
        """See that the books balance, and return them."""
        lua = self.server.inspect(self.books.key)
        out = lua["in_flight"] + lua["counted"] + lua["lost"] + lua["foreign"]
        assert lua["spent_total"] - lua["returned_total"] == out
        assert sum(spent[0] for spent in lua["counted_list"]) == lua["counted"]
        assert sum(spent[0] for spent in lua["lost_list"]) == lua["lost"]
        for name in ("counted_list", "lost_list"):
            dues = [spent[2] for spent in lua[name]]
            assert dues == sorted(dues)
        processes = lua["processes"].values() if lua["processes"] else ()
        held = sum(
            process["in_flight"] + sum(letter[1] for letter in process["mail"])
            for process in processes
        )
        assert held == lua["in_flight"]
        ranks = [(want[0], want[1], want[2]) for want in lua["queue"]]
        assert ranks == sorted(ranks)
        assert {want[3] for want in lua["queue"]} <= set(lua["processes"])
        return lua


class Process:
    """One process's side of the protocol."""

    def __init__(self, organization: Organization, name: str) -> None:
        self.of = organization
        self.name = name
        self.seq = 0
        self.numbers = 0
        self.open: list[tuple[int, int, str]] = []  # grants
        self.reply = Reply("unknown")

    def ask(self, **words: Any) -> Reply:
        """Make an exchange."""
        self.seq += 1
        holds = sum(points for _, points, ticket in self.open if ticket)
        holds += sum(ending[1] for ending in words.get("endings", ()) if ending[2])
        request = Request(
            process=self.name,
            address=f"address of {self.name}",
            seq=self.seq,
            books=self.reply.books,
            period=PERIOD,
            limit=self.of.limit,
            ceiling=None,
            reserve=0.1,
            lease=LEASE,
            holds=holds,
            now=self.of.now,
        )
        reply = self.of.books.exchange(request._replace(**words))
        if reply.status == "ok":
            self.reply = reply
            self.open += reply.grants
            out = reply.available + reply.in_flight + reply.returning
            assert out == reply.limit
            self.of.check()
        return reply

    def want(self, *costs: int, rank: int = 1, waited: float = 0.0, **words: Any) -> list[int]:
        """Let calls come, and return the numbers of all that may go now."""
        wants = []
        for cost in costs:
            self.numbers += 1
            wants.append((self.numbers, rank, waited, cost))
        return [number for number, _, _ in self.ask(wants=wants, **words).grants]

    def end(self, kind: str, place: int = 0, **said: Any) -> Reply:
        """End a call."""
        _, points, ticket = self.open.pop(place)
        ending: Ending = (kind, points, ticket, said)
        return self.ask(endings=[ending])


@pytest.fixture
def crowd(server: RedisServer) -> Organization:
    """Give an organization whose books know the server."""
    organization = Organization(server)
    organization.open()
    return organization


def test_one_pool(crowd: Organization) -> None:
    """Take the points of all processes from one pool."""
    one, two = crowd.process("one"), crowd.process("two")
    assert one.want(40, 40) == [1, 2]
    assert two.want(30) == []
    assert one.end("refund").available == 30
    assert [points for _, points, _ in two.ask().grants] == [30]
    assert one.ask().in_flight == 70


def test_first_come_first_served_among_all(crowd: Organization) -> None:
    """Never let one process's later reads overtake another's write."""
    one, two = crowd.process("one"), crowd.process("two")
    assert one.want(1, 97) == [1, 2]
    crowd.now += 1
    assert two.want(3) == []
    crowd.now += 1
    assert one.want(1, 1) == []
    assert one.end("refund").grants == []  # the three points are two's
    assert [number for number, _, _ in two.ask().grants] == [1]
    assert [number for number, _, _ in one.end("refund").grants] == [3, 4]


def test_those_who_waited_before_they_came(crowd: Organization) -> None:
    """Place a call by when it came, not by when its process told of it."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(100)
    assert one.want(5, waited=1.0) == []
    assert two.want(7, waited=2.0) == []
    queue = crowd.check()["queue"]
    assert [want[3] for want in queue] == ["two", "one"]


def test_put_back_comes_first(crowd: Organization) -> None:
    """Let a refused call go before all others, of all processes."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(100)
    two.want(60)
    one.want(50, rank=0)
    assert [number for number, _, _ in one.end("refund").grants] == [2]
    assert two.ask().grants == []


def test_others_are_told(crowd: Organization) -> None:
    """Tell a process when another one's response lets its calls go."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(100)
    two.want(60)
    with crowd.server.client() as client, client.pubsub() as channel:
        channel.subscribe(f"{crowd.books.key}:address of two")
        assert channel.get_message(timeout=1) is not None
        one.end("refund")
        message = channel.get_message(timeout=1)
    assert message is not None
    assert float(message["data"]) == 0.0
    assert two.ask().grants[0][1] == 60


def test_the_head_watches_the_clock(crowd: Organization) -> None:
    """Tell the process whose call is next when points return, and only that one."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(100)
    one.end("settle")
    assert two.want(60) == []
    assert two.reply.ask_in == pytest.approx(HOLD, abs=0.01)
    assert one.want(30) == []
    assert one.reply.ask_in is None
    crowd.now += 10
    with crowd.server.client() as client, client.pubsub() as channel:
        channel.subscribe(f"{crowd.books.key}:address of one")
        assert channel.get_message(timeout=1) is not None
        two.ask(leaves=[1])  # now it is one's turn
        message = channel.get_message(timeout=1)
    assert message is not None
    assert float(message["data"]) == pytest.approx(HOLD - 10, abs=0.01)


def test_the_dead_give_back(crowd: Organization) -> None:
    """Let a dead process's points return one period after it was last seen."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(40)
    seen = crowd.now
    crowd.now += LEASE - 0.1
    assert two.ask().in_flight == 40
    crowd.now += 0.2
    state = two.ask()
    assert (state.in_flight, state.returning, state.processes) == (0, 40, 1)
    crowd.now = seen + HOLD + PATIENCE - 0.1
    assert two.ask().available == 60
    crowd.now = seen + HOLD + PATIENCE + 0.1
    assert two.ask().available == 100


def test_what_the_dead_never_fetched(crowd: Organization) -> None:
    """Give points back at once that were granted to a dead process and never fetched."""
    one, two = crowd.process("one"), crowd.process("two")
    two.want(100)
    one.want(30, 40, 50)
    two.end("refund")  # grants two of one's
    assert two.ask().in_flight == 70
    crowd.now += LEASE + 0.1
    state = two.ask()
    assert (state.available, state.waiting) == (100, 0)


def test_the_waiting_dead_block_nobody(crowd: Organization) -> None:
    """Let the calls of a dead process leave the queue."""
    one, two = crowd.process("one"), crowd.process("two")
    two.want(50)
    one.want(90)
    assert two.want(30) == []
    crowd.now += LEASE - 1
    assert two.ask().grants == []
    crowd.now += 2
    assert [number for number, _, _ in two.ask().grants] == [2]


def test_a_process_taken_for_dead(crowd: Organization) -> None:
    """Let a process that was taken for dead come back with what it has in flight."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(40)
    crowd.now += 2 * LEASE
    assert two.ask().in_flight == 0
    assert one.ask().status == "unknown"
    again = crowd.process("one again", join=Join(replaces="one", in_flight=[40]))
    again.reply = one.reply
    state = again.ask(join=Join(replaces="one", in_flight=[40]), books=one.reply.books)
    # The 40 may be counted as lost as well for a while: careful, not balanced to the point.
    assert state.in_flight == 80
    assert state.limit == state.available + state.in_flight + state.returning


def test_an_idle_process_needs_no_lease(crowd: Organization) -> None:
    """Let a process that holds nothing come back as if it had never been away."""
    one, two = crowd.process("one"), crowd.process("two")
    crowd.now += 2 * LEASE
    assert two.ask().processes == 1
    assert one.want(3) == [1]


def test_no_exchange_twice(crowd: Organization) -> None:
    """Refuse an exchange that was carried out before: somebody's socket has repeated it."""
    one = crowd.process("one")
    one.want(3)
    one.seq -= 1
    assert one.ask().status == "repeated"
    assert crowd.check()["in_flight"] == 3


def test_join_again(crowd: Organization) -> None:
    """Take over what a process did alone, and forget what it was before."""
    one = crowd.process("one")
    one.want(10, 20)
    one.end("settle")  # 10 are counted
    past = [(10, 1.0, False, True), (7, 0.5, False, False), (5, 0.25, True, False)]
    two = Process(crowd, "two")
    two.reply = one.reply
    state = two.ask(join=Join("one", [20, 2], list(past), 0.0))
    assert len(state.adopted) == 2
    # 20 again and 2 in flight; the 10 are known, 7 and 5 are not.
    assert (state.in_flight, state.returning) == (22, 22)
    two.open = [(0, 20, state.adopted[0])]
    state = two.end("settle", limit=100, remaining=55)
    assert (state.in_flight, state.returning) == (2, 42)
    crowd.now += HOLD - 1
    assert crowd.process("three").reply.returning == 44  # the dead two's 2 among them
    crowd.now += 1 + PATIENCE
    assert crowd.process("four").reply.available == 100


def test_join_after_redis_has_lost_everything(crowd: Organization) -> None:
    """Let every process tell what it has out when the books are new."""
    one = crowd.process("one")
    one.want(10)
    with crowd.server.client() as client:
        client.flushall()
    assert one.ask().status == "unknown"
    two = Process(crowd, "two")
    two.reply = one.reply
    state = two.ask(join=Join("one", [10], [(30, 20.0, False, True), (5, 2 * HOLD, False, True)]))
    assert (state.in_flight, state.returning) == (10, 30)
    assert state.books == "two"
    # The server is unknown again: one call at a time.
    assert two.want(3) == []
    crowd.now += LEASE - 1
    assert [number for number, _, _ in two.ask().grants] == [1]
    assert two.want(3) == []
    crowd.now += HOLD - 20 - LEASE + 2
    assert two.ask().returning == 0


def test_join_in_a_pause(crowd: Organization) -> None:
    """Take over the pause that a process was told while it was alone."""
    one = crowd.process("one", join=Join("", [], [], 5.0))
    assert one.want(1) == []
    assert one.reply.ask_in == pytest.approx(5.0)
    crowd.now += 5.0
    assert [number for number, _, _ in one.ask().grants] == [1]
    crowd.process("two", join=Join("", [], [], 1e9))
    assert one.ask().paused_for == pytest.approx(PERIOD)


def test_an_end_of_an_unknown_call(crowd: Organization) -> None:
    """Count a call that was let through while its process was alone and ended when it was not."""
    one = crowd.process("one")
    state = one.ask(endings=[("settle", 3, "", {"limit": 100, "remaining": 97})])
    assert (state.in_flight, state.returning) == (0, 3)
    assert one.ask(endings=[("refund", 3, "", {})]).available == 97
    assert one.ask(endings=[("lose", 3, "", {})]).returning == 6


def test_goodbye(crowd: Organization) -> None:
    """Count what a process leaves behind in flight as lost, and serve the others."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(60)
    one.want(50)
    two.want(40)
    one.ask(goodbye=True)
    state = two.ask()
    assert [points for _, points, _ in two.open] == [40]
    assert (state.in_flight, state.returning, state.processes) == (40, 60, 1)


def test_leaving_the_queue(crowd: Organization) -> None:
    """Forget a call that was cancelled, even if it was served meanwhile."""
    one, two = crowd.process("one"), crowd.process("two")
    two.want(100)
    one.want(60, 50)
    two.ask(endings=[("refund", 100, two.open.pop()[2], {})])
    reply = one.ask(leaves=[1, 2])
    assert [number for number, _, _ in reply.grants] == [1]  # its turn had come: it is given back
    assert reply.waiting == 0
    assert one.end("refund").available == 100


def test_too_dear(crowd: Organization) -> None:
    """Refuse a call that costs more than the limit."""
    one = crowd.process("one")
    reply = one.ask(wants=[(1, 1, 0.0, 101), (2, 1, 0.0, 100)])
    assert [(number, points, bool(ticket)) for number, points, ticket in reply.grants] == [
        (1, 0, False),
        (2, 100, True),
    ]


def test_the_background_leaves_a_reserve(crowd: Organization) -> None:
    """Keep a tenth of the common limit for the foreground of all."""
    one, two = crowd.process("one"), crowd.process("two")
    assert one.want(90, rank=2) == [1]
    assert one.want(1, rank=2) == []
    assert two.want(10) == [1]


def test_the_background_is_not_starved(crowd: Organization) -> None:
    """Give every tenth turn to a background call that has waited for a period."""
    one, two = crowd.process("one"), crowd.process("two")
    two.want(95)
    one.want(10, rank=2)
    since, turns = crowd.now, 0
    while not one.open:
        two.want(95)
        assert len(two.open) == 1
        if crowd.now - since > PERIOD:
            turns += 1
        two.end("refund")
        crowd.now += 1.5
        one.ask()
    assert turns == 10


def test_calls_not_shown_come_first_all_the_same(crowd: Organization) -> None:
    """Do not let others pass the calls that a process has not told of yet."""
    one, two = crowd.process("one"), crowd.process("two")
    two.want(100)
    one.want(10, waited=2.0, more=[(1, 2.0)])
    two.want(5, waited=1.0)
    assert two.end("refund").grants == []  # one has more, and it came before
    assert [points for _, points, _ in one.ask().grants] == [10]
    assert [points for _, points, _ in two.ask().grants] == [5]


def test_two_that_have_more_do_not_block_each_other(crowd: Organization) -> None:
    """Serve the first of all calls, however long their processes say that they have waited."""
    one, two = crowd.process("one"), crowd.process("two")
    two.want(100)
    one.want(10, waited=1.0, more=[(1, 5.0)])  # told late: it cannot come before the one shown
    two.want(10, waited=1.0, more=[(1, 5.0)])
    assert [points for _, points, _ in two.end("refund").grants] == [10]
    assert [points for _, points, _ in one.ask().grants] == [10]


def test_the_order_of_one_process_stays(crowd: Organization) -> None:
    """Keep the order in which a process tells its calls, whatever their times seem to be."""
    one = crowd.process("one")
    one.want(100)
    one.want(1, waited=1.0)
    one.want(2, 3, waited=1.5)
    assert [want[5] for want in crowd.check()["queue"]] == [1, 2, 3]


def test_how_long_a_call_waits(crowd: Organization) -> None:
    """Count the calls of all processes that come first."""
    one, two = crowd.process("one"), crowd.process("two")
    one.want(100)
    one.end("settle")
    two.want(60, waited=5.0)
    one.want(20, waited=1.0)
    # A call of two's own that is shown does not count twice: it brings the figures of its own.
    reply = two.ask(quotes=[(9, 1, 0.0, 3, 60, 1), (8, 1, 3.0, 3, 60, 1), (7, 2, 0.0, 3, 60, 1)])
    assert [ahead for _, ahead, _ in reply.waits] == [2, 1, 2]
    assert reply.waits[0][2] == pytest.approx(HOLD, abs=0.01)
    assert one.ask(quotes=[(9, 1, 0.0, 50, 20, 1)]).waits[0][2] > PERIOD * 1.9


def test_a_clock_that_steps_back(server: RedisServer) -> None:
    """Go on from the latest time when the clock of Redis steps back, and let it run on."""
    crowd = Organization(server)
    crowd.open()
    one = crowd.process("one")
    one.want(100)
    one.end("settle")
    crowd.now -= 5000
    assert one.ask().next_points_in == pytest.approx(HOLD, abs=0.01)
    crowd.now += 10
    assert one.ask().next_points_in == pytest.approx(HOLD - 10, abs=0.01)


def test_keys_expire(crowd: Organization) -> None:
    """Leave nothing behind for ever."""
    crowd.process("one")
    with crowd.server.client() as client:
        keys: Any = client.keys("*")
        assert keys == [crowd.books.key.encode()]
        left: Any = client.ttl(crowd.books.key)
        assert PERIOD < left <= 5 * PERIOD


def test_the_time_is_that_of_redis(server: RedisServer) -> None:
    """Take the time from Redis when none is brought."""
    books = RedisBooks(server.url, "now", 1.0)
    request = Request("p", "p", 1, "", 60.0, 100, None, 0.1, 4.0, join=Join())
    assert books.exchange(request).status == "ok"
    with server.client() as client:
        seconds, micros = client.time()
    assert seconds + micros / 1e6 == pytest.approx(server.inspect(books.key)["latest"], abs=1)


@pytest.mark.parametrize("seed", range(6))
def test_any_history_balances(server: RedisServer, seed: int) -> None:
    """Keep the books balanced through any history of many processes, deaths and returns."""
    rng = random.Random(seed)
    crowd = Organization(server, limit=30)
    crowd.open()
    alive: list[Process] = []
    names = iter(range(1000))
    for _ in range(250):
        crowd.now += rng.choice((0.01, 0.3, 3.0, 20.0)) * rng.random()
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
            if not grant[2]:
                process.open.remove(grant)
            elif rng.random() < 0.5:
                process.open.remove(grant)
                kind = rng.choice(("settle", "settle", "settle", "lose", "refund", "reject"))
                said: dict[str, Any] = {"limit": 30, "remaining": rng.randrange(31)}
                endings.append((kind, grant[1], grant[2], said if kind == "settle" else {}))
        wants = []
        for _ in range(rng.choice((0, 0, 1, 3))):
            process.numbers += 1
            wants.append(
                (process.numbers, rng.randrange(3), rng.random(), rng.choice((1, 2, 3, 31)))
            )
        leaves = rng.sample(range(process.numbers + 1), k=rng.choice((0, 0, 1)))
        reply = process.ask(
            endings=endings, wants=wants, leaves=leaves, goodbye=rng.random() < 0.01
        )
        if reply.status == "unknown":
            alive.remove(process)
            back = Process(crowd, f"process {next(names)}")
            back.reply = process.reply
            costs = [points for _, points, ticket in process.open if ticket]
            spent = [
                (rng.choice((1, 2, 3)), rng.random() * 60, rng.random() < 0.3, rng.random() < 0.5)
            ]
            state = back.ask(join=Join(process.name, costs, spent, rng.choice((0.0, 2.0))))
            back.open += [(0, *held) for held in zip(costs, state.adopted, strict=True)]
            alive.append(back)
        elif process.name not in crowd.check()["processes"]:
            alive.remove(process)  # it said goodbye
    crowd.now += 3 * HOLD + LEASE
    state = crowd.process("last").reply
    assert (state.in_flight, state.returning, state.waiting) == (0, 0, 0)
