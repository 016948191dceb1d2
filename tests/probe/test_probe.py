"""The probe finds every planted deviation, raises no false alarm, leaks and overspends nothing."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from overrides.openapi.document import operations
from whereby_api_client.probe.__main__ import main
from whereby_api_client.probe._calls import ABSENT, READ_POINTS, WRITE_POINTS, Probe
from whereby_api_client.probe._forms import form_of, name_of, read_json
from whereby_api_client.probe._report import as_json, as_markdown
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.document import published

from ..helpers.override_runs import patched
from .deviations import DEVIATIONS, Deviating, Deviation, header

pytestmark = pytest.mark.anyio


async def furnished(**options: Any) -> FakeWhereby:
    """Make a fake with something of everything."""
    fake = FakeWhereby(seed=5, **options)
    # rooms of other names than the meeting's come first
    await fake.play(fake.add_meeting(), participants=3, recorded=True)
    recording = fake.recordings.all()[0]
    transcription = fake.add_transcription(recording=recording)
    fake.add_summary(transcription=transcription)
    return fake


KNOWN = {operation.data["operationId"] for operation in operations(patched())}


async def ask(
    transport: httpx.AsyncBaseTransport, token: str, *, points: int = 100, write: bool = True
) -> Probe:
    """Run the probe over a transport."""
    # a failure names what an update took away, see tests/helpers/lost_names.py
    print(f"gone: {KNOWN - {operation.name for operation in published().operations}}")
    base_url = "https://api.whereby.test/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        probe = Probe(client, token, published(), points)
        await probe.run(write=write)
    return probe


async def test_no_false_alarms() -> None:
    """Find nothing at the plain fake, call every operation that it can, and leave nothing there."""
    fake = await furnished()
    meetings = len(fake.meetings)
    probe = await ask(fake.transport(), fake.token)
    assert probe.findings == []
    assert not probe.skipped or any(reason.endswith(ABSENT) for reason in probe.skipped)
    assert len(fake.meetings) == meetings
    called = {recorded.operation for recorded in fake.requests}
    # operations of tomorrow are not asked until somebody writes the call
    reads = {n for n in KNOWN & set(fake.operations) if ".list" in n or ".get" in n}
    assert not reads - called
    assert called - reads <= {"meetings.create", "meetings.delete"}, called - reads


async def test_no_false_alarms_at_an_empty_organization() -> None:
    """Say what could not be asked when there is nothing to read."""
    fake = FakeWhereby()
    probe = await ask(fake.transport(), fake.token, write=False)
    assert probe.findings == []
    assert "a meeting: there is none" in probe.skipped


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda d: f"{d.kind} {d.where}")
async def test_planted_deviations(deviation: Deviation) -> None:
    """Find each deviation, by its kind, operation and place, and nothing that is not planted."""
    fake = await furnished(**(deviation.options or {}))
    needed = {"*": set[str]()}.get(deviation.operation, {deviation.operation})
    if deviation.write:
        needed |= {"meetings.create", "meetings.delete"}
    if needed - set(fake.operations):
        pytest.skip("the document does not have the operation any more")
    transport: httpx.AsyncBaseTransport = fake.transport()
    if deviation.change is not None:
        changed = deviation.changes or deviation.operation
        transport = Deviating(fake, changed, deviation.change)
    probe = await ask(transport, fake.token, write=deviation.write)
    reported = {(finding.kind, finding.operation, finding.where) for finding in probe.findings}
    assert (deviation.kind, deviation.operation, deviation.where) in reported, reported
    # a page that always holds something lacks what a real item has, and so on: nothing else
    others = {kind for kind, _, _ in reported} - {deviation.kind}
    assert others <= ALONGSIDE.get(deviation.kind, set()), reported


ALONGSIDE = {
    "delete": {"status"},
    "filter": {"field-missing", "page-size", "fields"},
    "room-name": {"room-url", "filter"},
    "status": {"error-body"},
    "prefix": {"room-url"},
}


def test_kinds_are_covered() -> None:
    """Plant at least 25 deviations, and at least one of each kind that the probe knows."""
    from typing import get_args

    from whereby_api_client.probe._compare import Kind

    assert len(DEVIATIONS) >= 25
    assert {deviation.kind for deviation in DEVIATIONS} == set(get_args(Kind))


# ---------------------------------------------------------------------------------- points


async def test_points_as_announced() -> None:
    """Spend what is announced at the documented prices, and count it as the server does."""
    for write, announced in ((False, READ_POINTS), (True, READ_POINTS + WRITE_POINTS)):
        fake = await furnished()
        probe = await ask(fake.transport(), fake.token, write=write)
        charged = sum(recorded.cost for recorded in fake.requests)
        # the call with a wrong key costs nothing here, and is counted as if it did
        assert charged == probe.spent - 1
        # what an update of the document took away is not asked
        is_whole = set(fake.operations) >= KNOWN
        assert probe.spent == announced if is_whole else probe.spent <= announced


@pytest.mark.parametrize("price", [1, 3, 10])
@pytest.mark.parametrize("points", [10, 25, 60])
async def test_never_more_than_allowed(price: int, points: int) -> None:
    """Stop before the limit, whatever calls really cost, and say what was not asked."""
    fake = await furnished(prices={"*": price})
    probe = await ask(fake.transport(), fake.token, points=points)
    assert sum(recorded.cost for recorded in fake.requests) <= points
    if price * (READ_POINTS + WRITE_POINTS) > points:
        assert any("no points left" in reason for reason in probe.skipped)
    assert len(fake.meetings) == 1


async def test_prices_while_others_spend() -> None:
    """Report no price when another process spends at the same moment."""
    fake = await furnished()

    class Busy(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if len(fake.requests) % 3 == 0:
                fake.spend(2)
            return await fake.transport().handle_async_request(request)

    probe = await ask(Busy(), fake.token, write=False)
    assert not [finding for finding in probe.findings if finding.kind == "price"]


async def test_a_limiter_that_refills() -> None:
    """Report no price where what remains shows none: a bucket that refills all the time."""
    fake = await furnished(algorithm="token-bucket", period=1.0)
    probe = await ask(fake.transport(), fake.token, write=False)
    assert probe.findings == []


async def test_points_that_do_not_move() -> None:
    """Report no price where the header always says the same."""
    fake = await furnished()
    transport = Deviating(fake, "*", header("x-ratelimit-remaining", "500"))
    probe = await ask(transport, fake.token, write=False)
    assert probe.findings == []


@pytest.mark.parametrize("points", range(30, 72, 3))
async def test_points_for_deleting_are_kept(points: int) -> None:
    """Create a meeting only while there are points to delete it."""
    dear = {"meetings.create": 10, "meetings.delete": 10}
    fake = await furnished(prices=dear)
    await ask(fake.transport(), fake.token, points=points)
    assert sum(recorded.cost for recorded in fake.requests) <= points
    assert len(fake.calls("meetings.create")) == len(fake.calls("meetings.delete"))


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # the command's
async def test_endless_bodies_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read no more of a body than the limit."""
    monkeypatch.setattr("whereby_api_client.probe._calls.BODY_LIMIT", 1000)
    pulled = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal pulled
            for _ in range(50):
                pulled += 1
                yield b"x" * 600

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    probe = await ask(httpx.MockTransport(respond), "t", write=False)
    assert pulled == 2 * len(probe.observations)


async def test_it_stops_when_it_is_refused() -> None:
    """Make no more calls after a 429, but delete what was created."""
    fake = await furnished(limit=10)
    probe = await ask(fake.transport(), fake.token)
    assert [recorded.status for recorded in fake.requests].count(429) == 1
    assert any("rate limit" in reason for reason in probe.skipped)

    fake = await furnished()
    fake.fail("meetings.create", status=429, json={"error": "x", "data": {"msLeft": 1}})
    probe = await ask(fake.transport(), fake.token)
    assert not probe.skipped or any(reason.endswith(ABSENT) for reason in probe.skipped)
    fake = await furnished()

    def refuse(response: Any) -> None:
        response.status = 429

    before = len(fake.meetings)
    await ask(Deviating(fake, "meetings.get", refuse), fake.token)
    assert len(fake.meetings) == before


# --------------------------------------------------------------------------------- secrets

SECRETS = [
    "Ada Lovelace",
    "ada@hospital.example",
    "+47 22 33 44 55",
    "https://clinic.whereby.com/ada-1?roomKey=eyJhbGciOiJIUzI1NiJ9",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln",
    "AKIAIOSFODNN7EXAMPLE",
    "793e9ec1-c686-423d-9043-9b7a10c553fd",
    "/patient-lovelace",
    "850092960",
    "20260811",
    "lovelace",
    "SGVsbG8gd29ybGQ",
    "Søren K.",
    "[[redacted by ada]]",
    "<script>alert('ada')</script>",
    "2019-03-04T05:06:07.891Z",
]


def fuzzed(dice: random.Random, deep: int = 4) -> Any:
    """Make a JSON value full of secrets, under documented names and under others."""
    names = [
        "results", "cursor", "meetingId", "roomName", "roomUrl", "startDate", "state", "error",
        "data", "filename", "expires", "accessLink", "recordingId", "joinedAt", "summary", "events",
        "message", "newField",
    ]  # fmt: skip
    # a name that is one plain word could be a field's: those are not planted as names
    odd = [secret for secret in SECRETS if not secret.isalpha()]
    choice = dice.random()
    if deep and choice < 0.45:
        keys = [
            dice.choice(names if dice.random() < 0.8 else odd) for _ in range(dice.randrange(7))
        ]
        return {key: fuzzed(dice, deep - 1) for key in keys}
    if deep and choice < 0.6:
        return [fuzzed(dice, deep - 1) for _ in range(dice.randrange(4))]
    if choice < 0.95:
        return dice.choice(SECRETS)
    return dice.choice([None, True, 1.5, 850092960, 20260811.0])


@pytest.mark.parametrize("number", [100, pytest.param(1000, marks=pytest.mark.slow)])
async def test_fuzzed_responses_leak_nothing(number: int) -> None:
    """Keep every planted value out of the report, wherever it stands in a response."""
    dice = random.Random(13)
    responses = 0

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal responses
        responses += 1
        status = dice.choice([200, 200, 200, 201, 204, 302, 400, 404, 418, 500])
        names = ["x-ratelimit-limit", "x-ratelimit-reset", "retry-after", "x-request-id", "date"]
        headers = {
            name: dice.choice(SECRETS).encode("ascii", "ignore").decode()
            for name in (*names, "x-lovelace", "x-ratelimit-lovelace2")
            if dice.random() < 0.5
        }
        body = json.dumps(fuzzed(dice)).encode()
        if dice.random() < 0.1:
            body = dice.choice(SECRETS).encode()
        if dice.random() < 0.6:
            headers["content-type"] = "application/json"
        else:
            headers["content-type"] = dice.choice(["text/html", "application/vnd.lovelace"])
        return httpx.Response(status, headers=headers, content=b"" if status == 204 else body)

    findings = 0
    while responses < number:
        probe = await ask(httpx.MockTransport(respond), "secret-api-token", points=1000)
        report = as_json(probe, 1000)
        findings += len(report["findings"])
        for text in (json.dumps(report, ensure_ascii=False), as_markdown(report)):
            leaked = [secret for secret in [*SECRETS, "secret-api-token"] if secret in text]
            assert not leaked, text
    assert findings > number


async def test_hostile_responses_are_borne() -> None:
    """Bear what cannot be read: no JSON, deep JSON, endless redirects, broken connections."""
    bodies = [
        b"[" * 100_000,
        b"\xff\xfe",
        b"NaN",
        b'{"results": 5}',
        b"null",
        b"[[]]",
        b'{"a":1e999}',
    ]
    for body in bodies:
        odd = httpx.Response(200, headers={"content-type": "application/json"}, content=body)
        assert (await ask(httpx.MockTransport(lambda _, odd=odd: odd), "t")).findings

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broken")

    probe = await ask(httpx.MockTransport(broken), "t")
    assert {finding.kind for finding in probe.findings} == {"status"}
    assert probe.observations == []


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("null", "null"),
        ("1", "integer"),
        ("1.0", "whole number with a fraction"),
        ("1.5", "number"),
        ('"2025-01-01T00:00:00.000Z"', "date-time, 3 decimals, Z"),
        ('"2025-01-01 00:00:00"', "date-time, whole seconds, no zone, space"),
        ('"2025-01-01T00:00:00+02:00"', "date-time, whole seconds, offset"),
        ('"Sun Nov 22 2026 17:29:45 GMT+0000 (Coordinated Universal Time)"', "JavaScript date"),
        ('"Sun, 22 Nov 2026 17:29:45 GMT"', "HTTP date"),
        ('"1735689600"', "epoch seconds"),
        ('"1735689600000"', "epoch milliseconds"),
        ('"793e9ec1-c686-423d-9043-9b7a10c553fd"', "UUID"),
        ('"https://x"', "URL"),
        ('"/room"', "text with a leading slash"),
        ('""', "empty string"),
    ],
)
async def test_forms(value: str, form: str) -> None:
    """Name the form of a value."""
    assert form_of(read_json(value.encode())) == form


async def test_names() -> None:
    """Show a field's name only if it can be no more than that."""
    assert [name_of(name) for name in ("newField", "a", "K3Y", "Ada", "ada b", "x" * 40)] == [
        "newField", *["[name withheld]"] * 5,
    ]  # fmt: skip


# ------------------------------------------------------------------------------------- command


def test_command(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Announce the points, print the report, and keep it as Markdown and JSON."""
    fake = FakeWhereby()
    fake.seed_demo()
    fake.add_meeting()
    monkeypatch.setenv("WHEREBY_API_KEY", fake.token)
    with fake.serve() as url:
        assert main(["--base-url", url, "--output", str(tmp_path / "report"), "--write"]) == 0
    output = capsys.readouterr()
    assert "About 32 points by the document's prices, and never more than 100." in output.err
    assert "One meeting is created and deleted." in output.err
    assert output.out == (tmp_path / "report.md").read_text("utf-8")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["findings"] == []


@pytest.mark.parametrize(
    ("key", "arguments", "error"),
    [
        ("", [], "no API key: give token=, or set WHEREBY_API_KEY"),
        ("a\nb", [], "token: holds a space, a line break"),
        ("k", ["--points", "5"], "must be between 10 and 1000; got '5'"),
        ("k", ["--base-url", "x"], "--base-url must be http:// or https://; got 'x'"),
    ],
)
def test_wrong_arguments(
    key: str,
    arguments: list[str],
    error: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Explain what is missing or wrong."""
    monkeypatch.setenv("WHEREBY_API_KEY", key)
    with pytest.raises(SystemExit):
        main(arguments)
    assert error in capsys.readouterr().err


def test_unreachable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Report what failed, and fail, when there is nobody to ask."""
    monkeypatch.setenv("WHEREBY_API_KEY", "k")
    assert main(["--base-url", "http://127.0.0.1:9/v1"]) == 1
    assert "a response within 30 s" in capsys.readouterr().out
