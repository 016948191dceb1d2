"""The books inside Redis, as one process sees them: one script call per exchange.

No thread, no queue, no clock: that is `redis_budget.py`. What the script does with a request is
written in `redis_ledger.lua`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ..errors import InvalidArgumentError

if TYPE_CHECKING:
    import redis

# A later release that keeps its books differently takes another number: two releases side by side
# then know of each other what any two strangers know, and do each other no harm.
_FORMAT: Final = 1

#: How a call ended: kind ("settle", "reject", "refund", "lose"), points, the books' ticket ("" if
#: they do not know of it), what the response said.
Ending: TypeAlias = tuple[str, int, str, dict[str, Any]]
#: A waiting call: number, class (0 put back after a 429, 1 foreground, 2 background), seconds that
#: it has waited, points.
Want: TypeAlias = tuple[int, int, float, int]
#: A waiting call that asks how long: as `Want`, then the points and the calls of the same process
#: that come first.
Question: TypeAlias = tuple[int, int, float, int, int, int]
#: Points that were spent: how many, how many seconds ago the call ended, whether its fate is
#: unknown, whether the books have been told.
Past: TypeAlias = tuple[int, float, bool, bool]


class ConnectionCut(Exception):
    """There is no connection to Redis, or it was cut."""


class Join(NamedTuple):
    """What a process brings along when it comes, or comes back."""

    replaces: str = ""
    in_flight: list[int] = []  # noqa: RUF012 - never changed
    spent: list[Past] = []  # noqa: RUF012
    paused_for: float = 0.0


class Request(NamedTuple):
    """One process's side of an exchange.

    Attributes:
        process: its name; another one with every `join`.
        address: where it listens.
        seq: the number of the exchange, so that none is carried out twice.
        books: the id of the books that it knows, "" if none.
        period: the length of the server's window.
        limit: the points per period that new books start with.
        ceiling: a limit that the server cannot raise.
        reserve: the part of the limit that background calls leave to the foreground.
        lease: seconds of silence after which the process is taken for dead.
        holds: points of its calls that the books have in flight, and its calls that wait there:
            if not 0, the books have to know the process.
        more: class and waiting time of the first calls of each class that the books lack.
        goodbye: it leaves.
        now: the time; None takes that of Redis. Only for tests.
    """

    process: str
    address: str
    seq: int
    books: str
    period: float
    limit: int
    ceiling: int | None
    reserve: float
    lease: float
    holds: int = 0
    join: Join | None = None
    endings: list[Ending] = []  # noqa: RUF012 - never changed
    wants: list[Want] = []  # noqa: RUF012
    leaves: list[int] = []  # noqa: RUF012
    quotes: list[Question] = []  # noqa: RUF012
    more: list[tuple[int, float]] = []  # noqa: RUF012
    goodbye: bool = False
    now: float | None = None

    def to_json(self) -> str:
        """Write it for the script, which knows no null."""
        content = {k: v for k, v in self._asdict().items() if v is not None}
        if self.join is not None:
            content["join"] = self.join._asdict()
        return json.dumps(content, allow_nan=False, separators=(",", ":"))


class Reply(NamedTuple):
    """The books' side of an exchange; nothing but the status unless that is "ok".

    Attributes:
        status: "ok"; "unknown": the books do not know this process, or they are others than it
            thinks, so it has to join; "repeated": this exchange was carried out before.
        books: their id.
        grants: (number, points, ticket) of the waiting calls that may go; no ticket: that call
            costs more than the limit.
        waits: (number, calls ahead, seconds to wait at least) for each question.
        adopted: the tickets for `Join.in_flight`.
        ask_in: when to ask again for the waiting calls; None: somebody else does.
        processes: how many share the books.
    """

    status: str
    books: str = ""
    grants: list[tuple[int, int, str]] = []  # noqa: RUF012 - never changed
    waits: list[tuple[int, int, float]] = []  # noqa: RUF012
    adopted: list[str] = []  # noqa: RUF012
    ask_in: float | None = None
    limit: int = 0
    available: int = 0
    in_flight: int = 0
    returning: int = 0
    waiting: int = 0
    processes: int = 0
    next_points_in: float | None = None
    paused_for: float = 0.0
    others_present: bool = False


class RedisBooks:
    """Books that live in Redis. All methods wait for Redis, and raise what redis-py raises.

    Args:
        redis: a URL, or a `redis.Redis` that has timeouts.
        name: of the organization; its processes use the same one.
        timeout: seconds that Redis may take to answer, if `redis` is a URL.
    """

    def __init__(self, redis: str | redis.Redis, name: str, timeout: float) -> None:
        self._client = _connect(redis, timeout)
        self._is_own = isinstance(redis, str)
        # The braces keep key and channels together in a cluster.
        self.key = f"whereby-points:{_FORMAT}:{{{name}}}"
        text = resources.files(f"{__package__}").joinpath("redis_ledger.lua").read_text("utf-8")
        self._script = self._client.register_script(text)

    def exchange(self, request: Request) -> Reply:
        """Tell and ask, in one round trip.

        Raises:
            ConnectionCut: there is no connection; another one may work.
            redis.RedisError: all else.
        """
        from redis.exceptions import ConnectionError as RedisConnectionError

        try:
            answer: Any = self._script(keys=[self.key], args=[request.to_json()])
        except RedisConnectionError as error:
            raise ConnectionCut(error) from error
        content = json.loads(answer)
        # Lua has one kind of table: an empty list comes as an empty object.
        for name in ("grants", "waits", "adopted"):
            content[name] = [
                tuple(item) if isinstance(item, list) else item for item in content.get(name) or ()
            ]
        return Reply(**content)

    def listen(
        self, address: str, hear: Callable[[float], object], going: Callable[[], bool]
    ) -> None:
        """Tell `hear` in how many seconds to ask, whenever that is said; first 0, when connected.

        Comes back when `going` says no, looked at once a second.
        """
        with self._client.pubsub() as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(f"{self.key}:{address}")
            while going():
                message = channel.get_message(timeout=1.0)
                if message is None:
                    continue
                hear(float(message["data"]) if message["type"] == "message" else 0.0)

    def disconnect(self) -> None:
        """Drop idle connections: the next exchange makes a new one, perhaps to another server."""
        self._client.connection_pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        """Close the connections, unless the client was given."""
        if self._is_own:
            self._client.connection_pool.disconnect()


def _connect(server: str | redis.Redis, timeout: float) -> redis.Redis:
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as error:
        message = "a shared budget needs redis: pip install 'whereby-api-client[redis]'"
        raise ModuleNotFoundError(message, name="redis") from error
    if isinstance(server, redis.Redis):
        if server.get_connection_kwargs().get("socket_timeout") is None:
            raise InvalidArgumentError(
                "the redis client needs a socket_timeout: a stalled Redis would stall every call"
            )
        return server
    if not isinstance(server, str):
        kind = type(server).__name__
        raise InvalidArgumentError(f"redis: expected a URL or a redis.Redis, not {kind}")
    try:
        return redis.Redis.from_url(
            server,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            # Whoever waits here can go on without Redis: better at once than after three retries.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        pass
    # Out here and without details, because those can hold the password.
    raise InvalidArgumentError(
        "redis: expected a URL like redis://host:6379/0, rediss:// or unix://"
    )
