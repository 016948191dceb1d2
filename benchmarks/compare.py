"""How other SDKs behave where ours makes a promise: `make compare` installs them and runs this.

Each is asked for one thing and to create one thing, with its own methods and settings, at a local
server that misbehaves. An SDK that cannot be imported is listed with the reason.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-0123456789-secret"
WHEN = "2030-01-01T00:00:00.000Z"
MEETING = {
    "meetingId": "1",
    "roomName": "/a",
    "roomUrl": "https://x.whereby.com/a",
    "startDate": WHEN,
    "endDate": WHEN,
}

Call = Callable[[], Awaitable[object]]
Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Calls(NamedTuple):
    """A client of one SDK, and two calls of it."""

    client: object
    read: Call
    create: Call


class Peer(NamedTuple):
    """An SDK: the package of its errors, a proper response, and how a client is made."""

    package: str
    distribution: str
    sample: dict[str, Any]
    make: Callable[[str, float], Calls]


# ------------------------------------------------------------------------------------ the SDKs


def ours(url: str, timeout: float) -> Calls:
    """Return calls of whereby-api-client."""
    from whereby_api_client import WherebyClient

    client = WherebyClient(KEY, base_url=url, timeout=timeout)
    end = datetime.now(UTC) + timedelta(hours=1)
    return Calls(
        client,
        lambda: client.meetings.get("1"),
        lambda: client.meetings.create(end_date=end),
    )


def stock(url: str, timeout: float) -> Calls:
    """Return calls of what openapi-python-client makes of Whereby's document as it is."""
    folder = Path(tempfile.gettempdir()) / "stock_whereby"
    if not folder.exists():
        subprocess.run(
            [
                *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
                *("--path", ROOT / "openapi" / "whereby.json", "--output-path", folder),
            ],
            check=True,
            capture_output=True,
        )
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    httpx = importlib.import_module("httpx")
    get = importlib.import_module("stock_whereby.api.default.get_meetings_meeting_id")
    post = importlib.import_module("stock_whereby.api.default.post_meetings")
    body = importlib.import_module("stock_whereby.models").PostMeetingsBody
    client = importlib.import_module("stock_whereby").AuthenticatedClient(
        base_url=url, token=KEY, timeout=httpx.Timeout(timeout)
    )
    end = datetime.now(UTC) + timedelta(hours=1)
    return Calls(
        client,
        lambda: get.asyncio(client=client, meeting_id="1"),
        lambda: post.asyncio(client=client, body=body(end_date=end)),
    )


def openai(url: str, timeout: float) -> Calls:
    """Return calls of openai."""
    client = importlib.import_module("openai").AsyncOpenAI(
        api_key=KEY, base_url=url, timeout=timeout
    )
    return Calls(
        client,
        lambda: client.models.retrieve("1"),
        lambda: client.embeddings.create(model="m", input="x"),
    )


def anthropic(url: str, timeout: float) -> Calls:
    """Return calls of anthropic."""
    client = importlib.import_module("anthropic").AsyncAnthropic(
        api_key=KEY, base_url=url, timeout=timeout
    )
    message = {"role": "user", "content": "x"}
    return Calls(
        client,
        lambda: client.models.retrieve("1"),
        lambda: client.messages.create(model="m", max_tokens=1, messages=[message]),
    )


def stripe(url: str, timeout: float) -> Calls:
    """Return calls of stripe."""
    module = importlib.import_module("stripe")
    client = module.StripeClient(
        KEY, base_addresses={"api": url}, http_client=module.HTTPXClient(timeout=timeout)
    )
    return Calls(
        client,
        lambda: client.v1.customers.retrieve_async("1"),
        lambda: client.v1.customers.create_async({"name": "x"}),
    )


def githubkit(url: str, timeout: float) -> Calls:
    """Return calls of githubkit."""
    client = importlib.import_module("githubkit").GitHub(KEY, base_url=url, timeout=timeout)
    return Calls(
        client,
        lambda: client.rest.users.async_get_authenticated(),
        lambda: client.rest.issues.async_create("o", "r", title="x"),
    )


MODEL = {"id": "1", "object": "model", "created": 1, "owned_by": "x"}
CLAUDE = {"id": "1", "type": "model", "display_name": "x", "created_at": WHEN}
PEERS = {
    "ours": Peer("whereby_api_client", "whereby-api-client", MEETING, ours),
    "stock generator": Peer("stock_whereby", "openapi-python-client", MEETING, stock),
    "openai": Peer("openai", "openai", MODEL, openai),
    "anthropic": Peer("anthropic", "anthropic", CLAUDE, anthropic),
    "stripe": Peer("stripe", "stripe", {"id": "1", "object": "customer"}, stripe),
    "githubkit": Peer("githubkit", "githubkit", {"login": "x"}, githubkit),
}


# ---------------------------------------------------------------------------------- the server


class Server:
    """Replies to each request in one way, and counts the requests."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.requests = 0
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                await reader.readexactly(length)
                self.requests += 1
                await self.reply(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serve(reply: Reply) -> AsyncIterator[Server]:
    """Run a server on a free port."""
    server = Server(reply)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()


def body(content: bytes, status: int = 200, kind: str = "application/json") -> Reply:
    """Reply with this."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n"
        writer.write(head.encode() + b"\r\n" + content)

    return reply


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, for ever: no single read is slow."""
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n"
    )
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def lose(writer: asyncio.StreamWriter) -> None:
    """Close the connection where the response should come."""
    writer.transport.abort()


def limited(limit: int, period: float, sample: bytes) -> tuple[Reply, list[int]]:
    """Allow so many points a period, a write costs 3; the list counts the refusals."""
    opened = [0.0, 0.0]
    refused: list[int] = []

    async def reply(writer: asyncio.StreamWriter) -> None:
        now = time.monotonic()
        if now - opened[0] >= period:
            opened[:] = [now, 0]
        opened[1] += 1
        left = period - (now - opened[0])
        head = (
            f"content-type: application/json\r\nx-ratelimit-limit: {limit}\r\n"
            f"x-ratelimit-remaining: {max(0, limit - int(opened[1]))}\r\n"
            f"x-ratelimit-reset: {int((time.time() + left) * 1000)}\r\n"
        )
        if opened[1] > limit:
            refused.append(429)
            head = f"HTTP/1.1 429 X\r\nretry-after: {left:.3f}\r\n{head}content-length: 2\r\n\r\n"
            writer.write(head.encode() + b"{}")
        else:
            head = f"HTTP/1.1 200 OK\r\n{head}content-length: {len(sample)}\r\n\r\n"
            writer.write(head.encode() + sample)

    return reply, refused


# ---------------------------------------------------------------------------------- the tables


PROPER: dict[str, str] = {}
"""The class of the result that each SDK gives for a proper response, which comes first."""


async def outcome(peer: Peer, call: Call) -> str:
    """Return the outcome of a call: an error of the SDK, of another library, or a result.

    Names the kind of a result that is not that of a proper response.
    """
    try:
        result = await call()
    except Exception as error:
        name = type(error).__name__
        own = type(error).__module__.partition(".")[0] == peer.package
        return name if own else f"**{type(error).__module__.partition('.')[0]}.{name}**"
    kind = type(result).__name__
    if kind == PROPER.setdefault(peer.package, kind):
        return "a result"
    return f"**{kind} returned**"


async def odd_responses(peers: dict[str, Peer]) -> list[list[str]]:
    """A read whose response is not what the document says."""
    rows = []
    cases: dict[str, Callable[[dict[str, Any]], Reply]] = {
        "as documented": lambda sample: body(json.dumps(sample).encode()),
        "200, a web page": lambda _: body(b"<html>busy</html>", kind="text/html"),
        "200, nothing": lambda _: body(b""),
        "200, cut JSON": lambda sample: body(json.dumps(sample).encode()[:-5]),
        "200, a list": lambda _: body(b"[]"),
        "200, an object without its fields": lambda _: body(b"{}"),
        "404, a web page": lambda _: body(b"<html>", 404, "text/html"),
    }
    for title, case in cases.items():
        row = [title]
        for peer in peers.values():
            async with serve(case(peer.sample)) as server:
                row.append(await outcome(peer, peer.make(server.url, 5).read))
        rows.append(row)
    return rows


async def lost_and_slow(peers: dict[str, Peer]) -> list[list[str]]:
    """A response that never ends, and one that is lost after a POST; settings as they come."""
    slow = ["seconds until a read with `timeout=1` ends, when bytes drip in"]
    posts = ["times that a POST is sent whose response is lost"]
    for peer in peers.values():
        async with serve(drip) as server:
            began = time.monotonic()
            try:
                await asyncio.wait_for(outcome(peer, peer.make(server.url, 1).read), 8)
                slow.append(f"{time.monotonic() - began:.1f}")
            except TimeoutError:
                slow.append("**not within 8**")
        async with serve(lose) as server:
            await outcome(peer, peer.make(server.url, 5).create)
            posts.append(str(server.requests) if server.requests == 1 else f"**{server.requests}**")
    return [slow, posts]


async def secrets(peers: dict[str, Peer]) -> list[list[str]]:
    """Where the key shows: the client's repr, an error, the logs at level DEBUG."""
    rows: list[list[str]] = [["repr of the client"], ["an error"], ["logs"], ["errors pickle"]]
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(f"{record.getMessage()} {vars(record)}")  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    for peer in peers.values():
        records.clear()
        async with serve(body(b"{}", 401)) as server:
            calls = peer.make(server.url, 5)
            error: Exception | None = None
            try:
                await calls.read()
            except Exception as raised:
                error = raised
        texts = (repr(calls.client), f"{error!r} {error}", "\n".join(records))
        for row, text in zip(rows, texts, strict=False):
            row.append("**shown**" if KEY in text else "hidden")
        try:
            pickle.loads(pickle.dumps(error))
            rows[3].append("yes" if error is not None else "no error at 401")
        except Exception as why:
            rows[3].append(f"**{type(why).__name__}**")
    logging.getLogger().removeHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)
    return rows


async def limits(peers: dict[str, Peer]) -> list[list[str]]:
    """60 reads at once where 20 a second are allowed; settings as they come."""
    rows: list[list[str]] = [["refused with 429"], ["calls that failed"], ["seconds"]]
    for name, peer in peers.items():
        reply, refused = limited(20, 1.0, json.dumps(peer.sample).encode())
        async with serve(reply) as server:
            calls = peer.make(server.url, 30)
            if name == "ours":
                from whereby_api_client import PointBudget, WherebyClient

                budget = PointBudget(period=1.0)
                whereby = WherebyClient(KEY, base_url=server.url, budget=budget)
                calls = calls._replace(read=partial(whereby.meetings.get, "1"))
            began = time.monotonic()
            results = await asyncio.gather(*(outcome(peer, calls.read) for _ in range(60)))
            took = time.monotonic() - began
        rows[0].append(str(len(refused)))
        rows[1].append(str(sum(result != "a result" for result in results)))
        rows[2].append(f"{took:.1f}")
    return rows


def imports(peers: dict[str, Peer]) -> list[list[str]]:
    """Seconds that importing takes, less the bare interpreter; the median of five."""

    def measure(code: str) -> float:
        times = []
        for _ in range(6):
            began = time.monotonic()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.monotonic() - began)
        return statistics.median(times[1:])

    bare = measure("pass")
    packages = {"stock_whereby": "httpx, attrs"}
    row = ["seconds to import"]
    for peer in peers.values():
        package = packages.get(peer.package, peer.package)
        row.append(f"{measure(f'import {package}') - bare:.2f}")
    return [row]


def show(title: str, peers: dict[str, Peer], rows: list[list[str]]) -> None:
    """Print a table as Markdown."""
    print(f"\n**{title}**\n\n| | {' | '.join(peers)} |\n|---|{'---|' * len(peers)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def main() -> None:
    """Print all tables; what is bold is worse than what ours promises."""
    peers = {}
    for name, peer in PEERS.items():
        try:
            peer.make("http://127.0.0.1:9", 1)
        except Exception as error:
            print(f"{name} {version(peer.distribution)}: {type(error).__name__}: {error}\n")
        else:
            peers[name] = peer
    print(", ".join(f"{peer.distribution} {version(peer.distribution)}" for peer in peers.values()))
    show("Odd responses to a read", peers, asyncio.run(odd_responses(peers)))
    show("Slow and lost responses", peers, asyncio.run(lost_and_slow(peers)))
    show("The key", peers, asyncio.run(secrets(peers)))
    show("60 reads at once, 20 a second allowed", peers, asyncio.run(limits(peers)))
    show("Import", peers, imports(peers))


if __name__ == "__main__":
    main()
