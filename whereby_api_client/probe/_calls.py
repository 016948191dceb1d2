"""The calls that the probe makes, one after the other, and what each of them shows."""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import anyio
import attrs

from .._http._httpx import httpx
from ..testing.document import Document, Operation
from ._compare import (
    HEADER_FORMS,
    Comparison,
    Finding,
    Kind,
    Reply,
    compare_error,
    compare_headers,
)
from ._forms import NotJSONError, form_of, string_form

__all__ = ["READ_POINTS", "WRITE_POINTS", "Observation", "Probe"]

# by the document's prices, when there is something to read of every kind
READ_POINTS: Final = 25
WRITE_POINTS: Final = 7
# the highest price that Whereby's documentation names: docs/api-facts.md#prices-of-operations
HIGHEST_PRICE: Final = 10
TIMEOUT: Final = 30.0
BODY_LIMIT: Final = 8 * 2**20
ABSENT: Final = "the OpenAPI document does not have the operation"
PREFIX: Final = "Api Probe"
_MEETING_MINUTES: Final = 10
_UUID: Final = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


@attrs.frozen
class Observation:
    """What one call showed: names of the document, statuses, points and forms."""

    name: str
    operation: str
    status: int | None
    document_price: int
    price: int | None
    """What the server counted; None where its headers do not show it."""
    headers: dict[str, str]
    """The form of each header of the point limit."""


@attrs.define
class _Window:
    """The points in the headers of the last response."""

    remaining: int | None = None
    reset: str | None = None


class Probe:
    """Asks one API, in at most so many points.

    Args:
        client: reaches the API; its base URL ends with `/v1`.
        token: the API key.
        document: what the API is compared with.
        points: never more than these are spent, also when operations cost more than documented.
    """

    def __init__(
        self, client: httpx.AsyncClient, token: str, document: Document, points: int
    ) -> None:
        self.findings: list[Finding] = []
        self.observations: list[Observation] = []
        self.skipped: list[str] = []
        self.spent: int = 0
        self._client = client
        self._token = token
        self._document = document
        self._points = points
        self._window = _Window()
        self._prices: dict[str, int] = {}
        self._unmeasured: list[Operation] = []
        self._throttled = False
        self._refills = False
        self._operations = {operation.name: operation for operation in document.operations}

    # ------------------------------------------------------------------------------- the calls

    async def run(self, *, write: bool = False) -> None:
        """Make all calls, and with `write` those that create and delete one meeting."""
        # the first response has none before it to compare the points with
        await self._ask("first response", "meetings.list", "/meetings?limit=1")
        await self._meetings()
        await self._files()
        await self._insights()
        await self._errors()
        if write:
            await self._write()
        if self._refills:
            # what came back between two calls makes them look cheaper than they are
            self.findings = [f for f in self.findings if f.kind != "price" or _dearer(f)]
        self.findings = _gathered(self.findings)

    async def _meetings(self) -> None:
        target = "/meetings?limit=2&fields=hostRoomUrl,viewerRoomUrl"
        page = await self._ask("meetings", "meetings.list", target)
        meetings = self._items("meetings.list", page, 2)
        for meeting in meetings:
            for name in ("hostRoomUrl", "viewerRoomUrl"):
                if name not in meeting:
                    self._find("fields", "meetings.list", f"body.results[].{name}", "as asked for")
        key = _text(meetings, "meetingId")
        if key is not None:
            single = await self._ask(
                "a meeting", "meetings.get", f"/meetings/{quote(key, safe='')}"
            )
            if isinstance(single, dict) and "hostRoomUrl" in single:
                self._find("fields", "meetings.get", "body.hostRoomUrl", "only when asked for")
        else:
            self._skip("a meeting", "there is none")
        target = f"/meetings?roomName%5BstartsWith%5D=/{uuid.uuid4()}"
        page = await self._ask("meetings by prefix", "meetings.list", target)
        if self._items("meetings.list", page, 50):
            self._find("filter", "meetings.list", "query roomName[startsWith]", "filters")

    async def _files(self) -> None:
        for tag, name in (
            ("recordings", "recordingId"),
            ("transcriptions", "transcriptionId"),
            ("summaries", "summaryId"),
        ):
            page = await self._ask(tag, f"{tag}.list", f"/{tag}?limit=2")
            items = self._items(f"{tag}.list", page, 2)
            key = _text(items, name)
            if key is None:
                self._skip(f"one of the {tag}", "there is none")
                continue
            target = f"/{tag}/{quote(key, safe='')}"
            await self._ask(f"one of the {tag}", f"{tag}.get", target)
            if f"{tag}.get_access_link" not in self._operations:
                continue
            link = f"access link of the {tag}"
            if items[0].get("storageType", "WHEREBY_HOSTED") != "WHEREBY_HOSTED":
                self._skip(link, "it is not hosted by Whereby")
                continue
            shown = await self._ask(
                link, f"{tag}.get_access_link", f"{target}/access-link?validForSeconds=60", {403}
            )
            self._link(f"{tag}.get_access_link", shown)
        target = f"/recordings?roomName=/{uuid.uuid4()}"
        page = await self._ask("recordings of a room", "recordings.list", target)
        if self._items("recordings.list", page, 50):
            self._find("filter", "recordings.list", "query roomName", "filters")

    def _link(self, operation: str, value: Any) -> None:
        if not isinstance(value, dict):
            return
        expires, link = value.get("expires"), value.get("accessLink")
        if isinstance(expires, int | float) and not isinstance(expires, bool):
            ahead = expires / 1000 - time.time()
            # in another unit it would be off by a thousand
            if not -86400 < ahead < 86400:
                self._find("link-expires", operation, "body.expires", "epoch milliseconds")
        if isinstance(link, str):
            host = re.match(r"https?://([^/?#]*)", link)
            own = self._client.base_url
            # a fake on this machine serves its files itself
            local = own.host in ("127.0.0.1", "localhost", "::1")
            if host is None or (host[1] == own.netloc.decode("ascii") and not local):
                self._find("link-host", operation, "body.accessLink", "a URL of a storage host")

    async def _insights(self) -> None:
        page = await self._ask("rooms", "insights.list_rooms", "/insights/rooms?limit=2")
        name = _text(self._items("insights.list_rooms", page, 2), "roomName")
        for parameter in ("roomName", "roomName%5Bexact%5D"):
            wanted = f"/{uuid.uuid4()}"
            target = f"/insights/rooms?{parameter}={wanted}"
            page = await self._ask("rooms of a name", "insights.list_rooms", target)
            if self._items("insights.list_rooms", page, 10):
                where = f"query {parameter.replace('%5B', '[').replace('%5D', ']')}"
                self._find("filter", "insights.list_rooms", where, "filters")
        target = f"/insights/participants?externalId={uuid.uuid4()}"
        await self._ask("participants by external id", "insights.list_participants", target)
        if name is None:
            self._skip("sessions", "there is no room")
            return
        target = f"/insights/room-sessions?limit=2&roomName={quote(name, safe='')}"
        page = await self._ask("sessions", "insights.list_room_sessions", target)
        session = _text(self._items("insights.list_room_sessions", page, 2), "roomSessionId")
        if session is None:
            self._skip("participants", "there is no session")
            return
        target = f"/insights/participants?limit=2&roomSessionId={quote(session, safe='')}"
        page = await self._ask("participants", "insights.list_participants", target)
        items = self._items("insights.list_participants", page, 2)
        participant = _text(items, "participantId")
        if participant is None:
            self._skip("a participant", "there is none")
            return
        target = (
            f"/insights/participant?roomSessionId={quote(session, safe='')}"
            f"&participantId={quote(participant, safe='')}"
        )
        await self._ask("a participant", "insights.get_participant", target)
        return

    async def _errors(self) -> None:
        missing = f"/meetings/{uuid.uuid4()}"
        await self._refused("a meeting that does not exist", "meetings.get", missing, 404)
        missing = f"/recordings/{uuid.uuid4()}"
        await self._refused("a recording that does not exist", "recordings.get", missing, 404)
        await self._refused("a wrong limit", "meetings.list", "/meetings?limit=0", 400)
        await self._refused("a wrong cursor", "recordings.list", "/recordings?cursor=none", 400)
        await self._refused("a wrong key", "meetings.list", "/meetings?limit=1", 401, token="wrong")

    # ----------------------------------------------------------------------------------- write

    async def _write(self) -> None:
        """Create a meeting that ends soon, and delete it whatever the responses hold."""
        end = datetime.now(UTC) + timedelta(minutes=_MEETING_MINUTES)
        body = {
            "endDate": end.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "roomNamePrefix": PREFIX,
            "fields": ["hostRoomUrl"],
        }
        operation = "meetings.create"
        kept = 2 * HIGHEST_PRICE
        created = await self._ask("create a meeting", operation, "/meetings", json=body, ahead=kept)
        if not isinstance(created, dict):
            return
        key = created.get("meetingId")
        self._prefix(created.get("roomName"))
        if "hostRoomUrl" not in created:
            self._find("fields", operation, "body.hostRoomUrl", "as asked for")
        if not isinstance(key, str | int):
            self._skip("delete the meeting", "its id could not be read; it ends by itself")
            return
        target = f"/meetings/{quote(str(key), safe='')}"
        try:
            await self._ask("the new meeting", "meetings.get", target, ahead=HIGHEST_PRICE)
        finally:
            with anyio.CancelScope(shield=True):
                await self._ask("delete the meeting", "meetings.delete", target, ahead=-1)
        await self._refused("the deleted meeting", "meetings.get", target, 404, kind="delete")
        return

    def _prefix(self, name: Any) -> None:
        """Compare a room's name with what docs/api-facts.md knows of prefixes."""
        if not isinstance(name, str):
            return
        where = "body.roomName"
        bare = PREFIX.replace(" ", "")
        rules = [
            (name.startswith("/"), "begins with a slash"),
            (" " not in name and "%20" not in name, "white space is removed"),
            (name == name.lower(), "is lower-cased"),
            (
                re.fullmatch(rf"/?{bare}[^0-9a-f].*", name.replace(" ", ""), re.I) is None,
                "no separator after the prefix",
            ),
            (re.search(rf"{_UUID}$", name) is not None, "ends with a UUID"),
            (name.lstrip("/").replace(" ", "").lower().startswith(bare.lower()), "has the prefix"),
        ]
        for holds, rule in rules:
            if not holds:
                self._find("prefix", "meetings.create", where, rule)

    # ------------------------------------------------------------------------------- one call

    async def _ask(
        self,
        name: str,
        operation: str,
        target: str,
        also: Iterable[int] = (),
        *,
        json: Any = None,
        ahead: int = 0,
    ) -> Any:
        """Make a call that should succeed, note what it shows, and return its JSON."""
        known = self._operations.get(operation)
        if known is None:
            self._skip(name, ABSENT)
            return None
        reply = await self._call(name, known, target, json=json, ahead=ahead)
        if reply is None:
            return None
        if reply.status in also:
            self.findings += compare_error(operation, reply)
            return None
        self.findings += Comparison(self._document, known).compare(reply)
        if reply.status >= 300:
            self.findings += compare_error(operation, reply)
            return None
        try:
            return reply.json() if reply.body else None
        except NotJSONError:
            return None

    async def _refused(
        self,
        name: str,
        operation: str,
        target: str,
        status: int,
        *,
        token: str | None = None,
        kind: Kind = "status",
    ) -> None:
        """Make a call that should fail with a status."""
        known = self._operations.get(operation)
        if known is None:
            self._skip(name, ABSENT)
            return
        reply = await self._call(name, known, target, token=token)
        if reply is None:
            return
        if reply.status != status:
            self.findings.append(
                Finding(kind, operation, f"status: {name}", str(status), str(reply.status))
            )
        if reply.status >= 400:
            self.findings += compare_error(operation, reply)

    async def _call(
        self,
        name: str,
        operation: Operation,
        target: str,
        *,
        json: Any = None,
        token: str | None = None,
        ahead: int = 0,
    ) -> Reply | None:
        """Make a call; None when it could not be made. `ahead` points are kept for later ones."""
        if self._throttled and ahead >= 0:
            self._skip(name, "the API refused a call for its rate limit")
            return None
        if self._at_most(operation) + ahead > self._points:
            self._skip(name, "no points left of those that were announced")
            return None
        reply = await self._send(operation, target, json, token)
        if reply is None:
            self._find("status", operation.name, f"status: {name}", "a response within 30 s")
            return None
        counted = self._count(operation, reply)
        if token is None:
            documented = operation.points or 0
            if counted is not None and counted != documented and reply.status < 400 and not json:
                # another process may have spent points at the same moment: ask once more
                counted = await self._count_again(operation, target, counted)
            if counted is not None and counted != documented and reply.status < 300:
                self._find("price", operation.name, "points", str(documented), str(counted))
        self._observe(name, operation, reply, counted)
        return reply

    async def _count_again(self, operation: Operation, target: str, counted: int) -> int | None:
        if operation.method != "GET" or self._at_most(operation) > self._points:
            return counted
        reply = await self._send(operation, target, None, None)
        again = None if reply is None else self._count(operation, reply)
        return counted if again is None else min(counted, again)

    async def _send(
        self, operation: Operation, target: str, json: Any, token: str | None
    ) -> Reply | None:
        headers = {"Authorization": f"Bearer {token or self._token}", "Accept-Encoding": "identity"}
        url = self._client.base_url.copy_with(
            raw_path=self._client.base_url.raw_path.rstrip(b"/") + target.encode("ascii")
        )
        try:
            with anyio.fail_after(TIMEOUT):
                async with self._client.stream(
                    operation.method, url, headers=headers, json=json, follow_redirects=False
                ) as response:
                    body = b""
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > BODY_LIMIT:
                            break
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return None
        names = {key.lower(): value for key, value in response.headers.items()}
        return Reply(response.status_code, names, body)

    def _count(self, operation: Operation, reply: Reply) -> int | None:
        """Return the points that the server counted for a call; None where that is not to be seen.

        Within one window what remains goes down by the price. A limiter that refills all the time
        moves its reset with every response, and what remains shows nothing.
        """
        before, reset = self._window, reply.headers.get("x-ratelimit-reset")
        text = reply.headers.get("x-ratelimit-remaining", "")
        remaining = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
        if remaining is not None:
            self._window = _Window(remaining, reset)
        counted = None
        if remaining is not None and before.remaining is not None and reset == before.reset:
            counted = before.remaining - remaining
            if counted <= 0:
                self._refills, counted = True, None
        if counted is not None and reply.status < 300:
            self._prices[operation.name] = counted
        if counted is None:
            self._unmeasured.append(operation)
        self.spent += (operation.points or 1) if counted is None else counted
        if reply.status == 429:
            self._throttled = True
        return counted

    def _at_most(self, operation: Operation) -> int:
        """Return what may have been spent after a call, as long as no price is known."""
        unsure = sum(
            self._prices.get(unmeasured.name, HIGHEST_PRICE) - (unmeasured.points or 1)
            for unmeasured in self._unmeasured
        )
        price = self._prices.get(operation.name, HIGHEST_PRICE)
        return self.spent + max(unsure, 0) + price

    def _observe(self, name: str, operation: Operation, reply: Reply, counted: int | None) -> None:
        # a wrong key costs nothing, and its response need not report points
        if reply.status not in (401, 403):
            self.findings += compare_headers(operation.name, reply)
        forms = {
            header: string_form(value)
            for header, value in sorted(reply.headers.items())
            if header in HEADER_FORMS
        }
        self.observations.append(
            Observation(name, operation.name, reply.status, operation.points or 0, counted, forms)
        )

    # ----------------------------------------------------------------------------------- notes

    def _items(self, operation: str, page: Any, limit: int) -> list[dict[str, Any]]:
        """Return the items of a page."""
        results = page.get("results") if isinstance(page, dict) else None
        if not isinstance(results, list):
            return []
        if len(results) > limit:
            self._find("page-size", operation, "body.results", "as many as limit")
        return [item for item in results if isinstance(item, dict)]

    def _find(
        self, kind: Kind, operation: str, where: str, expected: str, actual: str = "otherwise"
    ) -> None:
        self.findings.append(Finding(kind, operation, where, expected, actual))

    def _skip(self, name: str, reason: str) -> None:
        self.skipped.append(f"{name}: {reason}")


def _dearer(finding: Finding) -> bool:
    return int(finding.actual) > int(finding.expected)


def _gathered(findings: Iterable[Finding]) -> list[Finding]:
    """Return each finding once, and those that most operations share as one of them all."""
    shared: Counter[Finding] = Counter()
    findings = set(findings)
    for finding in findings:
        if finding.kind.startswith(("header-", "error-")):
            shared[attrs.evolve(finding, operation="*")] += 1
    gathered: set[Finding] = set()
    for finding in findings:
        common = attrs.evolve(finding, operation="*")
        gathered.add(common if shared[common] > 2 else finding)
    return sorted(gathered)


def _text(items: list[dict[str, Any]], name: str) -> str | None:
    """Return the first text under a name; numbers are ids too."""
    return next(_texts(items, name), None)


def _texts(items: list[dict[str, Any]], name: str) -> Iterator[str]:
    for item in items:
        value = item.get(name)
        if value and form_of(value) not in ("object", "array", "boolean"):
            yield str(value)
