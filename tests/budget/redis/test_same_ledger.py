"""`redis_ledger.lua` keeps the same books as `ledger.py`: the same history, step by step."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers.rate_limit_servers import ALGORITHMS, Server
from whereby_api_client.budget.headers import RateLimit, read_rate_limit
from whereby_api_client.budget.ledger import Ledger, Ticket
from whereby_api_client.budget.redis_ledger import Ending, Join, RedisBooks, Reply, Request, Want

from ...helpers.redis_server import RedisServer

PERIOD = 4.0
LIMIT = 60


def request(seq: int, now: float, **words: Any) -> Request:
    """Make a request of the only process."""
    return Request(
        process="p",
        address="p",
        seq=seq,
        books="p",
        period=PERIOD,
        limit=LIMIT,
        ceiling=None,
        reserve=0.1,
        lease=1e6,
        now=now,
        **words,
    )


class Books:
    """Both kinds of books, and the calls that are under way in them."""

    def __init__(self, server: RedisServer, *, ceiling: int | None = None) -> None:
        self.server = server
        self.redis = RedisBooks(server.url, "same", 1.0)
        self.ledger = Ledger(ceiling or LIMIT, ceiling=ceiling, period=PERIOD)
        self.ceiling = ceiling
        self.seq = 0
        self.number = 0
        self.queue: deque[tuple[int, int]] = deque()
        self.open: list[tuple[Ticket, str]] = []
        self.holds = 0

    def step(
        self, now: float, wants: list[int], endings: list[tuple[str, int, RateLimit]]
    ) -> Reply:
        """Let both go through the same: calls that end, and costs of calls that come."""
        ledger = self.ledger
        told: list[Ending] = []
        ledger.advance(now)
        for kind, place, said in endings:
            ticket, name = self.open.pop(place)
            words = {k: v for k, v in said._asdict().items() if v is not None}
            told.append((kind, ticket.cost, name, words))
            if kind == "refund":
                ledger.refund(ticket)
            elif kind == "lose":
                ledger.lose(ticket, now)
            else:
                ledger.settle(ticket, now, said, rejected=kind == "reject")
        asked: list[Want] = []
        for cost in wants:
            self.number += 1
            self.queue.append((self.number, cost))
            asked.append((self.number, 1, 0.0, cost))
        taken = []
        while self.queue and ledger.admits(self.queue[0][1], now):
            number, cost = self.queue.popleft()
            taken.append((number, ledger.take(cost, now)))
        self.seq += 1
        question = (self.number + 1, 1, 0.0, 3, sum(cost for _, cost in self.queue), 0)
        ask = request(
            self.seq, now, endings=told, wants=asked, quotes=[question], holds=self.holds
        )._replace(ceiling=self.ceiling)
        reply = self.redis.exchange(ask)
        self.holds += sum(ticket.cost for _, ticket in taken) - sum(end[1] for end in told)
        assert [(number, ticket.cost) for number, ticket in taken] == [
            (number, points) for number, points, _ in reply.grants
        ]
        for (_, ticket), (_, _, name) in zip(taken, reply.grants, strict=True):
            self.open.append((ticket, name))
        self.compare(now, reply)
        return reply

    def compare(self, now: float, reply: Reply) -> None:
        """Check that everything is the same."""
        ledger = self.ledger
        lua = self.server.inspect(self.redis.key)

        def same(ours: float | None, theirs: float | None) -> bool:
            if ours is None or theirs is None:
                return ours is theirs
            return (ours == -math.inf and theirs < -1e17) or math.isclose(
                ours, theirs, rel_tol=1e-12, abs_tol=1e-12
            )

        for name in ("limit", "in_flight", "counted", "lost", "foreign"):
            assert getattr(ledger, name) == lua[name], name
        for name in ("spent_total", "entered_total", "returned_total", "cautious", "is_fixed"):
            assert getattr(ledger, f"_{name}") == lua[name], name
        assert same(ledger.paused_until, lua["paused_until"])
        for name in (
            "last_sent",
            "foreign_due",
            "foreign_since",
            "cautious_since",
            "others_seen",
            "doubt_until",
            "window_end",
            "window_floor",
            "window_from",
        ):
            assert same(getattr(ledger, f"_{name}"), lua.get(name)), name
        for ours, theirs in (
            (ledger._counted, lua["counted_list"]),
            (ledger._lost, lua["lost_list"]),
        ):
            assert len(ours) == len(theirs)
            for spent, (points, sent_at, due) in zip(ours, theirs, strict=True):
                assert spent.points == points
                assert same(spent.sent_at, sent_at)
                assert same(spent.due, due)
        back = ledger.next_return(now)
        assert same(None if back is None else max(0.0, back - now), reply.next_points_in)
        change = ledger.next_change(self.queue[0][1], now) if self.queue else None
        assert same(None if change is None else change - now, reply.ask_in)
        need = sum(cost for _, cost in self.queue) + 3
        assert same(max(0.0, ledger.earliest(need, now) - now), reply.waits[0][2])


def noise(rng: random.Random, said: RateLimit) -> RateLimit:
    """Change one thing in what the server says, as a proxy or a bug might."""
    name = rng.choice(RateLimit._fields)
    values: dict[str, Callable[[], Any]] = {
        "limit": lambda: rng.choice((None, 0, 9, 10, 40, 60, 75, 10**6, 10**12)),
        "remaining": lambda: rng.choice((None, 0, 5, 30, 60, 75, 10**12)),
        "window_left": lambda: rng.choice((None, 0.001, 1.5, 60.0, 1e9)),
        "retry_in": lambda: rng.choice((None, 0.0, 0.25, 2.0, 1e9)),
        "retry_is_exact": lambda: rng.random() < 0.5,
    }
    return said._replace(**{name: values[name]()})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("noisy", [0.0, 0.1])
@pytest.mark.parametrize("headers", ["javascript", "epoch milliseconds", None])
def test_same_history_same_books(
    server: RedisServer, algorithm: str, noisy: float, headers: str | None
) -> None:
    """Compare all figures after every step of a random history, strangers and noise included."""
    rng = random.Random(f"{algorithm} {noisy} {headers}")
    books = Books(server, ceiling=rng.choice((None, 50)))
    world = Server(ALGORITHMS[algorithm](LIMIT, PERIOD), reset=headers)
    books.redis.exchange(request(0, 0.0, join=Join())._replace(ceiling=books.ceiling))
    now = 0.0
    reached: dict[Ticket, RateLimit | None] = {}
    for _ in range(120):
        now += rng.choice((0.0, 0.0003, 0.01, 0.05, 0.3, 1.1, 4.1)) * rng.random()
        if rng.random() < 0.1:  # somebody else
            world.handle(rng.choice((1, 3, 20)), now)
        for ticket, _ in books.open:
            if ticket not in reached and rng.random() < 0.7:
                answer = world.handle(ticket.cost, now)
                said = read_rate_limit(answer.status, answer.headers, answer.body)
                if rng.random() < noisy:
                    said = noise(rng, said)
                reached[ticket] = said if answer.status == 200 else None
        endings: list[tuple[str, int, RateLimit]] = []
        for place in reversed(range(len(books.open))):
            ticket = books.open[place][0]
            dice = rng.random()
            if ticket in reached and dice < 0.6:
                known = reached[ticket]
                if known is None:
                    words = RateLimit(
                        LIMIT,
                        rng.choice((0, 0, 1, 2, 30)),
                        rng.choice((None, 1.0)),
                        rng.choice((None, 0.0, 0.75, 1.0, 3.5, 9.0)),
                        dice < 0.3,
                    )
                    endings.append(("reject", place, words))
                else:
                    endings.append(("settle", place, known))
            elif dice > 0.97:
                endings.append((rng.choice(("lose", "refund")), place, RateLimit()))
        books.step(now, rng.choices((1, 2, 3, 10), k=rng.choice((0, 0, 1, 2, 5))), endings)
    assert books.number > 50
