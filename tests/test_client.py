"""`WherebyClient`: options, errors, secrets, and its lifetime."""

from __future__ import annotations

import contextlib
import copy
import gc
import gzip
import importlib.metadata
import json
import logging
import pickle
import re
import sys
import textwrap
import threading
import traceback
import types
import weakref
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

import whereby_api_client
from whereby_api_client import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BudgetTimeoutError,
    ClientClosedError,
    InvalidArgumentError,
    NotFoundError,
    PointBudget,
    RateLimitError,
    ResponseDecodeError,
    ServerError,
    WherebyClient,
    WherebyError,
)
from whereby_api_client._generated.resources import Resources
from whereby_api_client.testing import FakeWhereby

from .helpers.servers import (
    Behaviour,
    drip,
    half_a_response,
    hang,
    hang_up,
    reply,
    reset,
    send,
    serve,
    unused_url,
)
from .helpers.strict import run_strictly

pytestmark = pytest.mark.anyio

TOKEN = "canary-token-5d1f"


@pytest.fixture(autouse=True)
def _no_token_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHEREBY_API_KEY", raising=False)


def client(url: str, **options: Any) -> WherebyClient:
    """Make a client of a local server that does not repeat anything."""
    return WherebyClient(TOKEN, **{"base_url": url, "max_retries": 0, **options})


# -- construction -------------------------------------------------------------------------------


def test_public_names() -> None:
    """Let `__all__` be true, and classes have the package itself as their module."""
    for name in whereby_api_client.__all__:
        value = getattr(whereby_api_client, name)
        if isinstance(value, type):
            assert value.__module__ == "whereby_api_client"
    public = {
        name
        for name, value in vars(whereby_api_client).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public - {"annotations"} == set(whereby_api_client.__all__) - {"__version__"}


def test_version() -> None:
    """The distribution has the package's version."""
    assert importlib.metadata.version("whereby-api-client") == whereby_api_client.__version__


def test_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fall back to WHEREBY_API_KEY, and say so when there is none."""
    with pytest.raises(InvalidArgumentError, match="WHEREBY_API_KEY"):
        WherebyClient()
    monkeypatch.setenv("WHEREBY_API_KEY", TOKEN)
    assert WherebyClient().base_url == "https://api.whereby.dev/v1"


def name_of(value: object) -> str | None:
    """Name a behaviour or a class in a test's id: not by its address, which differs every time."""
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(
    "bad", ["", "canary x", "canary\n", "\tcanary", "canary\x00", "canaryé", 7]
)
def test_a_bad_token_is_not_shown(bad: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse what no key holds, whether given or from the environment, without showing it."""
    with pytest.raises(InvalidArgumentError) as caught:
        WherebyClient(bad)
    assert "canary" not in str(caught.value)
    if isinstance(bad, str) and bad and "\x00" not in bad:
        monkeypatch.setenv("WHEREBY_API_KEY", bad)
        with pytest.raises(InvalidArgumentError):
            WherebyClient()


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example/v1",
        "https://api.example:8443",
        "http://localhost:8000/v1/",
        "http://127.0.0.1:8000",
        "http://127.9.9.9",
        "http://[::1]:8000/v1",
    ],
)
def test_base_url(url: str) -> None:
    """Accept https anywhere and http on this machine."""
    assert WherebyClient(TOKEN, base_url=url).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example/v1",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://0.0.0.0",
        "ftp://api.example",
        "api.example/v1",
        "/v1",
        "",
        "https://",
        "https://user:canary@api.example",
        "https://api.example?a=canary",
        "https://api.example#canary",
        "https://api.example:port",
        None,
    ],
)
def test_a_bad_base_url(url: Any) -> None:
    """Refuse to send the token in the clear, or to nowhere."""
    with pytest.raises(InvalidArgumentError) as caught:
        WherebyClient(TOKEN, base_url=url)
    assert "canary" not in str(caught.value)


def test_plain_http_by_explicit_choice() -> None:
    """Let the caller insist."""
    whereby = WherebyClient(TOKEN, base_url="http://api.example", allow_insecure=True)
    assert whereby.base_url == "http://api.example"


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1.0},
        {"timeout": float("nan")},
        {"timeout": "30"},
        {"timeout": True},
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"max_retries": None},
        {"max_wait": -1},
        {"max_wait": float("inf")},
        {"priority": "urgent"},
    ],
)
def test_bad_options(options: dict[str, Any]) -> None:
    """Refuse options that make no sense, in the constructor and in `with_options`."""
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        WherebyClient(TOKEN).with_options(**options)
    if "priority" not in options:
        with pytest.raises(InvalidArgumentError):
            WherebyClient(TOKEN, **options)


def test_a_transport_is_a_transport() -> None:
    """Refuse a synchronous one before it fails in the middle of a call."""
    with pytest.raises(InvalidArgumentError, match="transport"):
        WherebyClient(TOKEN, transport=httpx.HTTPTransport())  # type: ignore[arg-type]


# -- calls ---------------------------------------------------------------------------------------


async def test_what_is_sent() -> None:
    """Send token, agent and what is wanted, and no cookie that the server once set."""
    async with (
        serve(reply(200, {"a": 1}, set_cookie="session=1")) as server,
        client(server.url + "/v1") as whereby,
    ):
        assert await whereby.request("GET", "/things") == {"a": 1}
        assert await whereby.request("post", "/things", json={"ü": None}) == {"a": 1}
    get, post = server.requests
    assert (get.method, get.target) == ("GET", "/v1/things")
    assert get.headers.pop("user-agent") == (
        f"whereby-api-client/{whereby_api_client.__version__} "
        f"(python {sys.version_info[0]}.{sys.version_info[1]}; httpx {httpx.__version__})"
    )
    assert get.headers == {
        "host": server.url.removeprefix("http://"),
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "authorization": f"Bearer {TOKEN}",
    }
    assert get.body == b""
    assert (post.method, post.headers["content-type"]) == ("POST", "application/json")
    assert post.body == '{"ü":null}'.encode()
    assert "cookie" not in post.headers


async def test_request() -> None:
    """Write parameters, headers, bodies and costs as the caller says."""
    moment = datetime(2026, 11, 22, 17, 29, 45, tzinfo=UTC)
    async with serve(reply(204), reply(200, [1])) as server, client(server.url) as whereby:
        nothing = await whereby.request(
            "PATCH",
            "/a%20b?x=1",
            params={"y": ["a b", True], "z[from]": moment},
            json={"when": moment},
            headers={"X-Trace": "7"},
            cost=10,
        )
        assert nothing is None
        assert whereby.budget.snapshot().available == 90
        assert await whereby.request(
            "POST", server.url + "/upload", files={"image": ("a.png", b"PNG", "image/png")}
        ) == [1]
        assert whereby.budget.snapshot().available == 87
    patch, post = server.requests
    assert patch.target == "/a%20b?x=1&y=a%20b&y=true&z%5Bfrom%5D=2026-11-22T17%3A29%3A45Z"
    assert json.loads(patch.body) == {"when": "2026-11-22T17:29:45Z"}
    assert patch.headers["x-trace"] == "7"
    boundary = re.fullmatch(r"multipart/form-data; boundary=(\w{32})", post.headers["content-type"])
    assert boundary is not None
    assert b'name="image"; filename="a.png"' in post.body
    assert b"\r\n\r\nPNG\r\n" in post.body


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "https://evil.example/v1/meetings"},
        {"path": "https://api.example.evil.example/v1"},
        {"path": "https://api.example@evil.example/"},
        {"path": "//evil.example/"},
        {"path": "@evil.example/"},
        {"path": "meetings"},
        {"path": ""},
        {"path": "/../admin"},
        {"path": "/a/%2E%2e/b"},
        {"path": "/a\\b"},
        {"path": "/a b"},
        {"path": "/a\nb"},
        {"path": "/a#b"},
        {"path": 7},
        {"method": "GET /x"},
        {"method": ""},
        {"method": None},
        {"headers": {"Authorization": "Bearer other"}},
        {"headers": {"host": "evil.example"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X A": "a"}},
        {"headers": {"X-A": "é"}},
        {"headers": {"X-A": 7}},
        {"cost": 0},
        {"cost": True},
        {"json": float("nan")},
        {"json": {"a": object()}},
        {"json": "\ud800"},
        {"json": {}, "files": {}},
        {"params": {"a": object()}},
    ],
)
async def test_a_bad_request(arguments: dict[str, Any]) -> None:
    """Refuse before sending what would go elsewhere, break the framing or be no JSON."""
    async with (
        serve(reply(200)) as server,
        client(server.url) as whereby,
    ):
        with pytest.raises(InvalidArgumentError):
            await whereby.request(**{"method": "POST", "path": "/", **arguments})
        assert whereby.budget.snapshot().available == 100
    assert server.requests == []


@pytest.mark.parametrize(
    ("behaviour", "kind", "text"),
    [
        (
            reply(401, {"error": "unknown key"}),
            AuthenticationError,
            "401 Unauthorized: unknown key",
        ),
        (reply(404, b"<h1>gone</h1>"), NotFoundError, "404 Not Found: <h1>gone</h1>"),
        (reply(429, b"<html>", retry_after="3"), RateLimitError, "429"),
        (reply(502), ServerError, "502 Bad Gateway"),
        (reply(302, location="/elsewhere"), APIStatusError, "302 Found"),
        (reply(302, location="http://[bad"), WherebyError, ""),
        (reply(418), APIStatusError, "418"),
        (reply(599), ServerError, "599"),
        (send(gzip.compress(b"x")[:9], keep=False), APIConnectionError, "the response was lost"),
        (hang_up, APIConnectionError, "the response was lost"),
        (reset, APIConnectionError, "the response was lost"),
        (half_a_response(), APIConnectionError, "the response was lost"),
        (hang, APITimeoutError, "no response within 0.3 s"),
        (drip, APITimeoutError, "no response within 0.3 s"),
        (reply(200, b""), ResponseDecodeError, "it is empty"),
        (reply(200, b"<html>"), ResponseDecodeError, "not JSON (Expecting value at character 0)"),
        (reply(200, b"\xff"), ResponseDecodeError, "cannot be read as JSON"),
        (reply(200, b"[" * 100_000), ResponseDecodeError, "cannot be read as JSON"),
        (reply(200, b"1" * 5_000), ResponseDecodeError, "cannot be read as JSON"),
        (reply(200, []), ResponseDecodeError, "Meeting: expected an object, got an array"),
        (reply(200, {"meetingId": "1"}), ResponseDecodeError, "Meeting"),
        (reply(200, b"xx", content_encoding="gzip"), ResponseDecodeError, "content encoding"),
        (reply(500, b"xx", content_encoding="gzip"), ServerError, "500 Internal Server Error: xx"),
    ],
    ids=name_of,
)
async def test_everything_that_goes_wrong(
    behaviour: Behaviour, kind: type[WherebyError], text: str
) -> None:
    """Turn every kind of failure into its error, which says what was asked and what came back."""
    timeout = 0.3 if kind is APITimeoutError else 30
    async with serve(behaviour) as server, client(server.url + "/v1", timeout=timeout) as whereby:
        with pytest.raises(kind) as caught:
            await whereby.meetings.create(end_date=datetime.now(UTC))
        state = whereby.budget.snapshot()
    assert text in str(caught.value)
    assert str(caught.value).startswith("POST /v1/meetings: ")
    assert (state.in_flight, len(server.requests)) == (0, 1)
    assert caught.value.__cause__ is caught.value.__context__ is None


async def test_a_decode_error_names_the_field() -> None:
    """Name model, field and place, and keep the response at hand."""
    meetings = [{"meetingId": "1", "roomUrl": 7}]
    async with (
        serve(reply(200, {"results": meetings, "cursor": None}, x_request_id="r7")) as server,
        client(server.url) as whereby,
    ):
        with pytest.raises(ResponseDecodeError) as caught:
            await whereby.meetings.list()
    error = caught.value
    assert error.model == "Meeting"
    assert error.field
    assert error.path == f"MeetingPage.results[0].{error.field}"
    assert json.loads(error.body) == {"results": meetings, "cursor": None}
    assert (error.status_code, error.headers["X-Request-Id"]) == (200, "r7")
    assert error.request is not None
    assert error.request.url == server.url + "/meetings"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("unused", "Connection refused$"),
        ("https://127.0.0.1:1/", "Connection refused$"),
        ("http://nowhere.localhost", "."),
    ],
)
async def test_no_connection(url: str, reason: str) -> None:
    """Say that there is no connection and why, and pay nothing for it."""
    url = unused_url() if url == "unused" else url
    async with client(url, allow_insecure=True) as whereby:
        with pytest.raises(APIConnectionError, match=rf"^GET .*: no connection: {reason}"):
            await whereby.meetings.get("1")
        assert whereby.budget.snapshot().available == 100


@pytest.mark.parametrize(
    ("greeting", "text"),
    [(b"this is no TLS", "no connection: .*SSL"), (b"", "the request did not reach the server")],
)
async def test_no_tls(greeting: bytes, text: str) -> None:
    """Send nothing when the handshake fails or hangs, and pay nothing."""
    async with (
        serve(reply(200), greeting=greeting) as server,
        client(server.url.replace("http:", "https:"), timeout=0.3) as whereby,
    ):
        with pytest.raises(APIConnectionError, match=text):
            await whereby.meetings.get("1")
        assert whereby.budget.snapshot().available == 100


async def test_a_mistake_in_a_transport_is_seen() -> None:
    """Hand on an exception that has nothing to do with HTTP."""

    def respond(request: httpx.Request) -> httpx.Response:
        raise AssertionError("in the test's own code")

    async with WherebyClient(TOKEN, transport=httpx.MockTransport(respond)) as whereby:
        with pytest.raises(AssertionError, match="own code"):
            await whereby.meetings.get("1")


async def test_the_timeout_does_not_reach_the_server() -> None:
    """Say it when a call that was too slow has not even been sent."""
    async with serve(hang) as server, client(server.url, timeout=0.2) as whereby:
        with pytest.raises(APITimeoutError, match="the server may have executed it all the same"):
            await whereby.request("POST", "/")
        with pytest.raises(APITimeoutError, match=r"no response within 0\.2 s$"):
            await whereby.request("GET", "/")


async def test_max_wait() -> None:
    """Refuse at once a call that would wait too long, and say which."""
    budget = PointBudget(10)
    async with serve(reply(200, {})) as server, client(server.url, budget=budget) as whereby:
        await whereby.request("GET", "/", cost=10)
        with pytest.raises(BudgetTimeoutError) as caught:
            await whereby.with_options(max_wait=1).request("GET", "/more")
    assert caught.value.__notes__ == ["GET /more was not sent"]
    assert len(server.requests) == 1


async def test_retries_are_on_by_default() -> None:
    """Repeat a read whose response was lost, but not a creating call."""
    fake = FakeWhereby()
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        fake.fail("meetings.list", drop="after")
        assert (await whereby.meetings.list()).results == []
        fake.fail("meetings.create", drop="after")
        with pytest.raises(APIConnectionError, match="the server may have executed it"):
            await whereby.meetings.create(end_date=datetime.now(UTC))
    assert fake.executed == {"meetings.list": 2, "meetings.create": 1}


# -- redirects -----------------------------------------------------------------------------------


async def test_a_read_follows_redirects() -> None:
    """Follow on the same host with the token, and pay for each step."""
    async with (
        serve(reply(307, location="/v2/x"), reply(200, {"a": 1})) as server,
        client(server.url) as whereby,
    ):
        assert await whereby.request("GET", "/x") == {"a": 1}
        assert whereby.budget.snapshot().available == 98
    assert [request.target for request in server.requests] == ["/x", "/v2/x"]
    assert server.requests[1].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_write_follows_no_redirect(status: int, method: str) -> None:
    """Never turn a write into something else."""
    async with serve(reply(status, location="/y")) as server, client(server.url) as whereby:
        with pytest.raises(APIStatusError, match="only reads follow redirects") as caught:
            await whereby.request(method, "/x", json={})
    assert caught.value.status_code == status
    assert len(server.requests) == 1


async def test_the_token_stays_at_home() -> None:
    """Follow a read to another port, which is another origin, without the token."""
    async with serve(reply(200, {"stranger": True}, x_ratelimit_limit="10")) as stranger:
        away = reply(302, location=stranger.url.replace("127.0.0.1", "localhost") + "/x")
        async with serve(away) as server, client(server.url) as whereby:
            assert await whereby.request("GET", "/") == {"stranger": True}
            assert whereby.budget.snapshot().limit == 100
    (request,) = stranger.requests
    assert "authorization" not in request.headers
    assert TOKEN not in str(request)


async def test_the_token_does_not_travel_in_the_clear() -> None:
    """Follow no redirect from https to http, not even on the same host."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": "http://api.example/x"})
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(respond)
    async with client("https://api.example", transport=transport) as whereby:
        with pytest.raises(APIStatusError, match="302"):
            await whereby.request("GET", "/")
    assert [request.url.scheme for request in requests] == ["https"]


async def test_redirects_without_end() -> None:
    """Give up on a circle."""
    async with serve(reply(302, location="/")) as server, client(server.url) as whereby:
        with pytest.raises(APIConnectionError, match="redirects"):
            await whereby.request("GET", "/")


# -- views ---------------------------------------------------------------------------------------


async def test_views() -> None:
    """Share connections, budget and token; change nothing in the original."""
    async with serve(reply(503)) as server:
        whereby = client(server.url, max_retries=0)
        view = whereby.with_options(timeout=5, max_retries=1, priority="background")
        deeper = view.with_options(max_retries=0)
        assert view.budget is whereby.budget
        assert view.base_url == whereby.base_url
        for each, attempts in ((whereby, 1), (view, 2), (deeper, 1)):
            before = len(server.requests)
            with pytest.raises(ServerError):
                await each.meetings.get("1")
            assert len(server.requests) - before == attempts
        assert server.connections == 1
        async with view:
            pass
        with pytest.raises(ServerError):
            await view.meetings.get("1")
        await whereby.aclose()
        for each in (whereby, view, deeper):
            with pytest.raises(ClientClosedError):
                await each.meetings.get("1")


async def test_a_view_makes_no_resources_of_its_own_before_they_are_used() -> None:
    """Send a view's calls with the view's options, also after the original was used."""
    async with client("https://api.example") as whereby:
        meetings = whereby.meetings
        assert whereby.meetings is meetings
        assert whereby.with_options(timeout=1).meetings is not meetings


async def test_background_calls_leave_a_reserve() -> None:
    """Hand the priority to the budget."""
    budget = PointBudget(10, reserve=0.5)
    async with serve(reply(200, {})) as server, client(server.url, budget=budget) as whereby:
        background = whereby.with_options(priority="background", max_wait=0)
        for _ in range(5):
            await background.request("GET", "/")
        with pytest.raises(BudgetTimeoutError):
            await background.request("GET", "/")
        await whereby.request("GET", "/")


async def test_tenants() -> None:
    """Serve many organizations over one pool, each with its token and its points."""
    budgets = {name: PointBudget(10) for name in ("acme", "initech")}
    async with serve(reply(200, {})) as server, client(server.url) as whereby:
        for name, budget in budgets.items():
            tenant = whereby.with_options(token=f"token-{name}", budget=budget)
            assert tenant.budget is budget
            await tenant.request("GET", "/")
            await tenant.with_options(timeout=5).meetings.delete("1")
            assert budget.snapshot().available == 7
        await whereby.with_options(budget=budgets["acme"]).request("GET", "/")
        await whereby.with_options(token="token-other").request("GET", "/")
        await whereby.request("GET", "/")
        assert budgets["acme"].snapshot().available == 6
        assert whereby.budget.snapshot().available == 98
        assert server.connections == 1
        assert [request.headers["authorization"][7:] for request in server.requests] == [
            *["token-acme"] * 2, *["token-initech"] * 2, TOKEN, "token-other", TOKEN,
        ]  # fmt: skip
        with pytest.raises(InvalidArgumentError, match="token"):
            whereby.with_options(token="canary\n")
        with pytest.raises(InvalidArgumentError, match="token"):
            whereby.with_options(token="")
        tenant = whereby.with_options(token="token-acme")
    with pytest.raises(ClientClosedError):
        await tenant.request("GET", "/")


async def test_no_error_of_a_tenant_holds_its_token() -> None:
    """Hide the token that was sent, not the one of the client that the view was made from."""
    body = {"error": "unknown key: token-acme"}
    async with serve(reply(401, body)) as server, client(server.url) as whereby:
        tenant = whereby.with_options(token="token-acme")
        with pytest.raises(AuthenticationError) as caught:
            await tenant.meetings.get("1")
    assert "token-acme" not in "".join(everything_about(caught.value))


class Tenant(WherebyClient):
    """A subclass as people write them: attributes of its own, in a dictionary and in a slot."""

    __slots__ = ("region",)

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(TOKEN, **options)
        self.name = name
        self.region = "eu"
        self.calls: list[str] = []

    async def execute(self, call: Any) -> Any:
        """Note the call with the attributes."""
        self.calls.append(f"{self.name}-{self.region}: {call.operation}")
        return await super().execute(call)


async def test_subclasses() -> None:
    """Keep class and attributes in every view that the client makes of itself."""
    job = {"transcriptionId": "1", "state": "ready"}
    async with (
        serve(reply(200, job)) as server,
        Tenant("acme", base_url=server.url, max_retries=0) as whereby,
    ):
        view = whereby.with_options(timeout=5).with_options(token="other")
        assert type(view) is Tenant
        assert (view.name, view.region) == ("acme", "eu")
        for attempt in (
            lambda: view.rooms.set_colors("/a"),
            lambda: whereby.with_response(whereby.rooms.set_colors, "/a"),
            lambda: view.with_options(priority="background").rooms.set_colors("/a"),
        ):
            with contextlib.suppress(WherebyError):
                await attempt()
        # what a view shares it shares, what it changes it keeps to itself
        view.name = "initech"
        assert whereby.name == "acme"
    assert len(whereby.calls) == 3
    assert {line.partition(":")[0] for line in whereby.calls} == {"acme-eu"}


# -- secrets -------------------------------------------------------------------------------------


def everything_about(error: BaseException) -> Iterator[str]:
    """Give all that an error report could show, along its whole chain."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield repr(current) + str(current) + repr(vars(current)) + repr(current.args)
        yield "".join(traceback.format_exception(current))
        for frame, _ in traceback.walk_tb(current.__traceback__):
            if "/whereby_api_client/" in frame.f_code.co_filename:
                yield repr(frame.f_locals)
        todo += [current.__cause__, current.__context__]
        yield repr(pickle.dumps(current))


def echo() -> Behaviour:
    """Respond as some proxies do: with the headers that they were sent."""
    body = {"error": f"cannot proxy: Authorization: Bearer {TOKEN}"}
    return reply(502, body, x_debug=f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    "behaviour", [echo(), hang_up, hang, half_a_response(), reply(200, b"x")], ids=name_of
)
async def test_no_error_holds_the_token(
    behaviour: Behaviour, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Search errors, their chains, locals, pickles and all debug logs for the token."""
    caplog.set_level(logging.DEBUG)
    timeout = 0.2 if behaviour is hang else 30
    async with serve(behaviour) as server, client(server.url, timeout=timeout) as whereby:
        with pytest.raises(WherebyError) as caught:
            await whereby.request("POST", "/x", json={"a": 1})
        leaks = [text for text in everything_about(caught.value) if TOKEN in text]
    assert leaks == []
    logs = "".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
    assert re.search(r"httpcore2?\.http11", logs)  # also where httpx2 takes the place of httpx
    assert TOKEN not in logs
    assert TOKEN not in "".join(capsys.readouterr())


def test_the_client_shows_no_token() -> None:
    """Show what is useful in the repr, and no token there or in `vars`."""
    whereby = WherebyClient(TOKEN)
    text = repr(whereby)
    assert text.startswith("WherebyClient(base_url='https://api.whereby.dev/v1', token=[secure], ")
    assert "100/100 points" in text
    slots = {name: getattr(whereby._sender, name) for name in whereby._sender.__slots__}
    assert TOKEN not in text + repr(vars(whereby)) + repr(slots) + str(slots["_token"])


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_pickled(take: Callable[[object], object]) -> None:
    """Refuse, and say what to do instead."""
    whereby = WherebyClient(TOKEN)
    for client in (whereby, whereby.with_options(timeout=1)):
        with pytest.raises(TypeError, match="make one in each process"):
            take(client)
    with pytest.raises(TypeError):
        take(whereby._sender._token)


# -- life ----------------------------------------------------------------------------------------


async def test_closed() -> None:
    """Close twice without harm; refuse calls and `async with` afterwards."""
    whereby = client("https://api.example")
    await whereby.aclose()
    await whereby.aclose()
    with pytest.raises(ClientClosedError, match="make a new one"):
        await whereby.meetings.get("1")
    with pytest.raises(ClientClosedError):
        async with whereby:
            pass


async def test_closed_during_calls() -> None:
    """End the calls that are under way with an error that says why, and balance the ledger."""
    errors: list[WherebyError] = []
    budget = PointBudget(100)

    async def call(whereby: WherebyClient) -> None:
        try:
            await whereby.request("GET", "/")
        except WherebyError as error:
            errors.append(error)

    async with serve(reply(200, {}), hang) as server:
        whereby = client(server.url, budget=budget, max_retries=5)
        await whereby.request("GET", "/")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, whereby)
            tasks.start_soon(call, whereby)
            while len(server.requests) < 3:
                await anyio.lowlevel.checkpoint()
            await whereby.aclose()
    assert [type(error) for error in errors] == [ClientClosedError] * 2
    assert budget.snapshot().in_flight == 0


async def test_closed_while_waiting_for_points() -> None:
    """Let no call out that waited for points when the client was closed."""
    budget = PointBudget(10, period=0.1)
    async with serve(reply(200, {})) as server, anyio.create_task_group() as tasks:
        whereby = client(server.url, budget=budget)
        await whereby.request("GET", "/", cost=10)

        async def late() -> None:
            with pytest.raises(ClientClosedError):
                await whereby.request("GET", "/late")

        tasks.start_soon(late)
        await anyio.wait_all_tasks_blocked()
        await whereby.aclose()
    assert len(server.requests) == 1
    assert budget.snapshot().in_flight == 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_client_in_two_loops(backend: str) -> None:
    """Use one client in one event loop after the other, without closing it between."""
    fake = FakeWhereby()
    with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url)

        async def main() -> None:
            await whereby.meetings.list()

        for _ in range(3):
            anyio.run(main, backend=backend)
        assert len(whereby._sender.connections.api) == 1
        anyio.run(whereby.aclose, backend=backend)
    assert fake.executed["meetings.list"] == 3


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_client_in_many_threads(backend: str) -> None:
    """Use one client in several threads' loops at once."""
    fake = FakeWhereby(limit=None)
    errors: list[BaseException] = []
    with fake.serve() as url:
        whereby = WherebyClient(fake.token, base_url=url)

        async def main() -> None:
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(partial(whereby.meetings.get, "1"))

        def run() -> None:
            try:
                anyio.run(main, backend=backend)
            except BaseExceptionGroup as group:
                errors.extend(group.exceptions)

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # there is no such meeting: each thread's first failure ends its task group
    assert {type(error) for error in errors} == {NotFoundError}


async def test_a_failing_nursery_takes_the_call_along() -> None:
    """Be cancelled by a sibling without a trace."""
    budget = PointBudget(100)

    async def fail(server: Any) -> None:
        while not server.requests:
            await anyio.lowlevel.checkpoint()
        raise LookupError("sibling")

    async def both(whereby: WherebyClient, server: Any) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(whereby.request, "GET", "/")
            tasks.start_soon(fail, server)

    async with serve(hang) as server, client(server.url, budget=budget) as whereby:
        with pytest.raises(ExceptionGroup) as caught:
            await both(whereby, server)
        assert caught.group_contains(LookupError)
    assert budget.snapshot().in_flight == 0


SCRIPTS: dict[str, str] = {
    "two runs of asyncio, never closed": """
        whereby = WherebyClient(TOKEN, base_url=URL)
        for _ in range(2):
            asyncio.run(call(whereby))
    """,
    "two runs of trio, never closed": """
        whereby = WherebyClient(TOKEN, base_url=URL)
        for _ in range(2):
            trio.run(call, whereby)
    """,
    "asyncio, then trio, then closed in a third loop": """
        whereby = WherebyClient(TOKEN, base_url=URL)
        asyncio.run(call(whereby))
        trio.run(call, whereby)
        asyncio.run(whereby.aclose())
    """,
    **{
        f"collected open while {library} runs": f"""
            async def main():
                for _ in range(3):
                    await call(WherebyClient(TOKEN, base_url=URL))
                    gc.collect()
                    await {library}.sleep(0.01)
            {library}.run({main})
        """
        for library, main in (("asyncio", "main()"), ("trio", "main"))
    },
    "closed from another thread's loop": """
        whereby = WherebyClient(TOKEN, base_url=URL)
        async def main():
            await call(whereby)
            await asyncio.to_thread(asyncio.run, whereby.aclose())
            await asyncio.sleep(0.01)
        asyncio.run(main())
    """,
    "closed from another thread's trio": """
        whereby = WherebyClient(TOKEN, base_url=URL)
        async def main():
            await call(whereby)
            await trio.to_thread.run_sync(trio.run, whereby.aclose)
            await trio.sleep(0.01)
        trio.run(main)
    """,
    "a loop that is closed without ceremony": """
        whereby = WherebyClient(TOKEN, base_url=URL)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(call(whereby))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio.run(call(whereby))
    """,
    "never used": """
        WherebyClient(TOKEN, base_url=URL)
    """,
    "a task that is cancelled at the end": """
        async def main():
            whereby = WherebyClient(TOKEN, base_url=URL)
            await call(whereby)
            asyncio.create_task(call(whereby))
            await asyncio.sleep(0)
        asyncio.run(main())
    """,
}


# `make test` runs those of which the others are variations
_QUICK = (
    "asyncio, then trio",
    "collected open while asyncio",
    "closed from another thread's trio",
)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(script, id=name, marks=() if name.startswith(_QUICK) else pytest.mark.slow)
        for name, script in SCRIPTS.items()
    ],
)
def test_a_whole_life(script: str) -> None:
    """Run it in a process where every warning is an error: not a word may come out."""
    fake = FakeWhereby()
    preamble = """
        import asyncio, gc, sys
        import trio
        from whereby_api_client import WherebyClient
        TOKEN, URL = sys.argv[1:]
        async def call(whereby):
            assert (await whereby.meetings.list()).results == []
    """
    with fake.serve() as url:
        run_strictly(textwrap.dedent(preamble) + textwrap.dedent(script), fake.token, url)


@pytest.mark.parametrize("close", [True, False])
async def test_nothing_is_left_after_collection(close: bool) -> None:
    """Keep nothing alive of a client that is forgotten, closed or not: no object, no socket."""
    async with serve(reply(200, {})) as server:
        whereby = client(server.url)
        await whereby.request("GET", "/")
        assert whereby.meetings is whereby.meetings  # which know the client
        gone = weakref.ref(whereby._sender)
        if close:
            await whereby.aclose()
        del whereby
        gc.collect()
        assert gone() is None
        with anyio.fail_after(5):
            while server.open_connections:
                await anyio.lowlevel.checkpoint()


async def test_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send requests through the proxy of the environment, points and all."""
    async with serve(reply(200, {"proxied": True})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        async with client("http://api.example/v1", allow_insecure=True) as whereby:
            assert await whereby.request("GET", "/x") == {"proxied": True}
            assert whereby.budget.snapshot().available == 99
    (request,) = proxy.requests
    assert request.target == "http://api.example/v1/x"


async def test_a_bad_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that it is the environment's proxy that cannot be used, without its password."""
    monkeypatch.setenv("http_proxy", "foo://user:canary@proxy")
    async with client("http://127.0.0.1:1/v1") as whereby:
        with pytest.raises(WherebyError, match="proxy") as caught:
            await whereby.request("GET", "/x")
    assert "canary" not in str(caught.value)


async def test_execute_is_all_that_resources_need() -> None:
    """Give every resource attribute, on the client and on its views."""
    async with client("https://api.example") as whereby:
        for each in (whereby, whereby.with_options(timeout=1)):
            for tag in (name for name in vars(Resources) if not name.startswith("_")):
                execute: Callable[..., Awaitable[Any]] = getattr(each, tag)._caller.execute
                assert execute == each.execute
