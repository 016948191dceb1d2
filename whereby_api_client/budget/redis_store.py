"""What Redis does for a shared budget: it keeps one text, and replaces it if nobody was faster.

The text is a `SharedLedger`; beside it lies the inbox, a list of requests to be folded in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ..errors import InvalidArgumentError

if TYPE_CHECKING:
    import redis
    import redis.cluster

# Written only if the text's first line and the inbox are as the writer knows them, if it is not
# later in the text than here, and if nobody whom it lets expire has said something since. Else the
# request goes into the inbox. If another process writes for all (`Title`) and listens, it gets the
# request, and the reply is only the first line, the number of the member's latest request that is
# in the text, and of its grants there. Else the reply is all that the process does not know.
_SCRIPT: Final = """
local title, new, clock, folded, last, expired, request, ttl, member, wants_text = unpack(ARGV)
local text = redis.call('GET', KEYS[1]) or ''
local current = text:match('^[^\\n]*')
local time = redis.call('TIME')
local is_written = new ~= '' and current == title and time[1] * 1e6 + time[2] >= tonumber(clock)
  and (last == '' or redis.call('LINDEX', KEYS[2], folded - 1) == last)
if is_written and expired ~= '' then
  for _, other in ipairs(redis.call('LRANGE', KEYS[2], folded, -1)) do
    for name in expired:gmatch('%S+') do
      if other:find(name, 1, true) then is_written = false end
    end
  end
end
if is_written then
  redis.call('SET', KEYS[1], new, 'PX', ttl)
  redis.call('LTRIM', KEYS[2], folded, -1)
  for i = 11, #ARGV, 2 do redis.pcall('PUBLISH', KEYS[1] .. ':' .. ARGV[i], ARGV[i + 1]) end
  return {1, time[1], time[2], false, redis.call('LRANGE', KEYS[2], 0, -1)}
end
if request ~= '' then
  redis.call('RPUSH', KEYS[2], request)
  redis.call('PEXPIRE', KEYS[2], ttl)
end
local writer, til = current:match('^%S+ %S+ (%S+) (%d+) ')
if writer and member:find(writer, 1, true) ~= 1
    and time[1] * 1000 + time[2] / 1000 < tonumber(til) then
  local receivers = 1
  if request ~= '' then receivers = redis.pcall('PUBLISH', KEYS[1] .. ':' .. writer, request) end
  if wants_text == '' and type(receivers) == 'number' and receivers > 0 then
    local at = text:find('"' .. member .. '":[', 1, true)
    local seq, grants = 0, 0
    if at then seq, grants = text:match('^(%d+),(%d+)', at + #member + 4) end
    return {2, time[1], time[2], current, tonumber(seq), tonumber(grants)}
  end
end
return {0, time[1], time[2], current ~= title and text, redis.call('LRANGE', KEYS[2], 0, -1)}
"""
# One for exchanges, and one that listens.
_CONNECTIONS: Final = 2

_WRITTEN: Final = 1
_LEFT: Final = 2
_SHA: Final = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


class Write(NamedTuple):
    """One exchange: replace the text, or leave a request.

    Attributes:
        title: the first line of the text that was read, "" if there was none.
        text: the new one; "" leaves the request only.
        clock: what the clock of Redis is taken to show in it; do not write before.
        folded: how many requests of the inbox are in it.
        last: the last one of those.
        expired: members; do not write if one of them has left a request since.
        request: what to leave in the inbox otherwise, "" for nothing.
        ttl: seconds that it all is kept.
        member: who does this.
        wants_text: also if another process writes for all.
        notices: (member, message) for those who have to hear of it.
    """

    title: str
    text: str
    clock: float
    folded: int
    last: str
    expired: list[str]
    request: str
    ttl: float
    member: str
    wants_text: bool
    notices: list[tuple[str, str]]


class Result(NamedTuple):
    """What came of it.

    Attributes:
        is_written: whether the text was written.
        time: that of Redis.
        text: what Redis has, None if that begins as the writer thinks.
        inbox: what lies there.
        title: if another process writes for all, the first line, and no text and no inbox.
        seq: with a title, the number of the member's latest request that is in the text, 0 if the
            member is not in it.
        grants: with a title, how many grants the member has not fetched.
    """

    is_written: bool
    time: float
    text: str | None = None
    inbox: list[str] = []  # noqa: RUF012 - never changed
    title: str | None = None
    seq: int = 0
    grants: int = 0


class ConnectionCut(Exception):
    """There is no connection to Redis, or it was cut."""


class Store(Protocol):
    """Where a shared ledger is kept: Redis, or a test's memory."""

    def exchange(self, write: Write) -> Result:
        """Make one exchange."""
        ...

    def listen(self, member: str, hear: Callable[[str], object], going: Callable[[], bool]) -> None:
        """Call `hear` with each notice; with "" when it begins. Ends when `going` is false."""
        ...

    def disconnect(self) -> None:
        """Drop idle connections."""
        ...

    def close(self) -> None:
        """Close what is its own."""
        ...


class RedisStore:
    """A text in Redis. All methods wait for Redis, and raise what redis-py raises.

    Args:
        redis: a URL, or a client of redis-py that has timeouts.
        name: of the organization; its processes use the same one.
        timeout: seconds that Redis may take to answer, if `redis` is a URL.
    """

    def __init__(
        self, redis: str | redis.Redis | redis.cluster.RedisCluster, name: str, timeout: float
    ) -> None:
        self._client: Any = _connect(redis, timeout)
        self._is_own = isinstance(redis, str)
        # The braces keep keys and channels together in a cluster.
        self.key: str = f"whereby-points:{{{name}}}"
        self.inbox: str = f"{self.key}:inbox"

    def exchange(self, write: Write) -> Result:
        """Make one exchange.

        Raises:
            ConnectionCut: there is no connection; another one may work.
            redis.RedisError: all else.
        """
        from redis.exceptions import ConnectionError as RedisConnectionError
        from redis.exceptions import NoScriptError

        arguments = [
            write.title.encode("utf-8", "surrogateescape"),
            write.text,
            math.ceil(1e6 * write.clock),
            write.folded,
            write.last,
            " ".join(write.expired),
            write.request,
            math.ceil(1000 * write.ttl),
            write.member,
            "1" if write.wants_text else "",
            *(part for notice in write.notices for part in notice),
        ]
        try:
            try:
                reply = self._client.evalsha(_SHA, 2, self.key, self.inbox, *arguments)
            except NoScriptError:
                reply = self._client.eval(_SCRIPT, 2, self.key, self.inbox, *arguments)
        except RedisConnectionError as error:
            raise ConnectionCut(error) from error
        moment = int(reply[1]) + int(reply[2]) / 1e6
        if reply[0] == _LEFT:
            title, seq, grants = reply[3:]
            return Result(False, moment, title=_text(title), seq=int(seq), grants=int(grants))
        text = None if reply[3] is None else _text(reply[3])
        return Result(reply[0] == _WRITTEN, moment, text, [_text(item) for item in reply[4]])

    def listen(self, member: str, hear: Callable[[str], object], going: Callable[[], bool]) -> None:
        """Call `hear` with each notice; with "" when it begins. Ends when `going` is false."""
        with self._client.pubsub() as channel:
            channel.subscribe(f"{self.key}:{member}")
            while going():
                # looked at once a second
                message = channel.get_message(timeout=1.0)
                if message is not None:
                    hear(_text(message["data"]) if message["type"] == "message" else "")

    def disconnect(self) -> None:
        """Drop idle connections: the next exchange makes a new one, perhaps to another server."""
        pool = getattr(self._client, "connection_pool", None)
        if pool is None:  # a cluster
            self._client.disconnect_connection_pools()
        else:
            pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        """Close the connections, unless the client was given."""
        if self._is_own:
            self._client.connection_pool.disconnect()


def _text(value: bytes | str) -> str:
    # A client that was given may decode.
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _connect(server: Any, timeout: float) -> Any:
    try:
        import redis
        import redis.asyncio
        from redis.backoff import NoBackoff
        from redis.cluster import RedisCluster
        from redis.retry import Retry
    except ModuleNotFoundError as error:
        message = "a shared budget needs redis: pip install 'whereby-api-client[redis]'"
        raise ModuleNotFoundError(message, name="redis") from error
    if isinstance(server, redis.Redis | RedisCluster):
        if server.get_connection_kwargs().get("socket_timeout") is None:
            raise InvalidArgumentError(
                "redis: the client needs a socket_timeout, because a stalled Redis would stall "
                "every call: redis.Redis(..., socket_timeout=1)"
            )
        pool = getattr(server, "connection_pool", None)
        if pool is not None and pool.max_connections < _CONNECTIONS:
            raise InvalidArgumentError(
                f"redis: the client's pool must have at least {_CONNECTIONS} connections, because "
                f"one of them listens; got max_connections={pool.max_connections}"
            )
        return server
    if isinstance(server, redis.asyncio.Redis | redis.asyncio.RedisCluster):
        raise InvalidArgumentError(
            "redis: must be a URL or a redis.Redis, because a thread talks to Redis for all event "
            f"loops; got a redis.asyncio.{type(server).__name__}"
        )
    if not isinstance(server, str):
        raise InvalidArgumentError(
            "redis: must be a URL, a redis.Redis (also one of redis.sentinel) or a "
            f"redis.RedisCluster; got {type(server).__name__}"
        )
    try:
        return redis.Redis.from_url(
            server,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            # Calls that wait here can go on without Redis: better at once than after three retries.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        pass
    # Out here and without details, because those can hold the password.
    raise InvalidArgumentError(
        "redis: must be a URL like redis://host:6379/0, rediss:// or unix://"
    )
