"""Is a delivery trusted exactly when it should be? The vectors were signed by openssl."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from whereby_api_client import InvalidArgumentError, WherebyError
from whereby_api_client.webhooks import PayloadError, SignatureError, Webhooks, sign, verify
from whereby_api_client.webhooks.signature import Secrets

VECTORS = Path(__file__).parent / "vectors"
SECRET = "made-up-secret-of-an-endpoint"
NOW = 1606227791
BODY = (VECTORS / "non-ascii.body").read_bytes()
HEADER = sign(BODY, SECRET, NOW)


def clock() -> float:
    """Stand still at the time of the vectors."""
    return float(NOW)


def vectors() -> list[tuple[str, str, int, str]]:
    """Read what openssl has made: body, secret, time, signature."""
    lines = (VECTORS / "signatures.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [(name, secret, int(moment), digest) for name, secret, moment, digest in rows]


def body_of(name: str) -> bytes:
    """Return the body of a vector."""
    if name == "ten-million-zeros":
        return bytes(10_000_000)
    return (VECTORS / name).read_bytes()


@pytest.mark.parametrize(("name", "secret", "moment", "digest"), vectors())
def test_openssl_vectors(name: str, secret: str, moment: int, digest: str) -> None:
    """Accept what openssl has signed, and sign the same way."""
    body = body_of(name)
    signed = verify(body, f"t={moment},v1={digest}", secret, clock=lambda: moment)
    assert signed == datetime.fromtimestamp(moment, UTC)
    assert sign(body, secret, moment) == f"t={moment},v1={digest}"


@pytest.mark.parametrize(("name", "secret", "moment", "digest"), vectors())
def test_altered_vectors(name: str, secret: str, moment: int, digest: str) -> None:
    """Refuse a vector with another body, time, secret or signature."""
    body = body_of(name)
    changed = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    attempts = [
        (body + b" ", moment, secret, digest),
        (body, moment + 1, secret, digest),
        (body, moment, secret + "x", digest),
        (body, moment, secret, changed),
    ]
    for bytes_, time_, key, hexadecimal in attempts:
        with pytest.raises(SignatureError) as caught:
            verify(bytes_, f"t={time_},v1={hexadecimal}", key, clock=lambda: moment)
        assert caught.value.problem == "mismatch"


def is_secret(key: bytes) -> bool:
    """Return whether bytes can be a secret."""
    return key.strip() == key != b"" and not set(key) & set(b"\r\n")


@given(st.binary(max_size=200), st.integers(0, 10**10), st.binary(min_size=1).filter(is_secret))
def test_what_is_signed_is_accepted(body: bytes, moment: int, secret: bytes) -> None:
    """Accept any body with any time and secret when it was signed with them."""
    verify(body, sign(body, secret, moment), secret, clock=lambda: moment)


@given(st.binary(max_size=50), st.data())
def test_no_altered_byte_passes(body: bytes, data: st.DataObject) -> None:
    """Refuse a delivery of which one byte was changed anywhere."""
    header = sign(body, SECRET, NOW).encode()
    whole = body + header
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    if bytes([byte]).lower() == whole[at : at + 1].lower():
        return  # hex digits and "v1" mean the same in either case, or are refused below
    altered = whole[:at] + bytes([byte]) + whole[at + 1 :]
    with pytest.raises(SignatureError):
        verify(altered[: len(body)], altered[len(body) :], SECRET, tolerance=math.inf)


def test_reserialised_body() -> None:
    """Refuse the same JSON written in another way: this is why the raw bytes count."""
    import json

    with pytest.raises(SignatureError, match="raw bytes"):
        verify(json.dumps(json.loads(BODY)).encode(), HEADER, SECRET, clock=clock)


@pytest.mark.parametrize(
    "kind", [bytes, bytearray, memoryview], ids=["bytes", "bytearray", "memoryview"]
)
def test_kinds_of_bodies(kind: type) -> None:
    """Take anything that holds bytes."""
    verify(kind(BODY), HEADER, SECRET, clock=clock)


def test_text_as_body() -> None:
    """Refuse text, and say that the raw bytes are needed."""
    with pytest.raises(InvalidArgumentError, match="raw bytes"):
        verify(BODY.decode(), HEADER, SECRET, clock=clock)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (None, "missing"),
        ("", "missing"),
        ("  ", "missing"),
        (b"", "missing"),
        ("nonsense", "malformed"),
        (HEADER.split(",")[0], "malformed"),
        (HEADER.split(",")[1], "malformed"),
        ("t=,v1=" + "0" * 64, "malformed"),
        ("t=12.5,v1=" + "0" * 64, "malformed"),
        ("t=-5,v1=" + "0" * 64, "malformed"),
        ("t=\u0661\u0662,v1=" + "0" * 64, "malformed"),
        ("t=1e9,v1=" + "0" * 64, "malformed"),
        ("t=" + "9" * 5000 + ",v1=" + "0" * 64, "malformed"),
        (f"t={NOW},v1=", "malformed"),
        (f"t={NOW},v1=" + "0" * 63, "malformed"),
        (f"t={NOW},v1=" + "g" * 64, "malformed"),
        (f"t={NOW},v1=" + "ø" * 64, "malformed"),
        (f"t={NOW},v0=" + "0" * 64, "malformed"),
        (f"t={NOW}," + HEADER, "malformed"),
        (f"t={NOW};v1=" + "0" * 64, "malformed"),
        (b"\xff\xfe", "malformed"),
        (f"t={NOW},v1=" + "0" * 64, "mismatch"),
    ],
)
def test_headers_that_prove_nothing(header: str | bytes | None, problem: str) -> None:
    """Refuse a header without what it needs, and tell what that is."""
    with pytest.raises(SignatureError) as caught:
        verify(BODY, header, SECRET, clock=clock)
    assert caught.value.problem == problem


def test_lenient_header() -> None:
    """Accept bytes, spaces after commas, capital digits, and schemes that are not known."""
    moment, signature = HEADER.split(",")
    for header in (
        HEADER.encode(),
        f" {signature} ,  {moment} ",
        f"{moment},v1={signature[3:].upper()}",
        f"{moment},v2=whatever,{signature},x",
        f"{moment},v1={'0' * 64},{signature}",
    ):
        verify(BODY, header, SECRET, clock=clock)


def test_rotation() -> None:
    """Accept a signature of any of several secrets, and no other."""
    several: list[Iterable[str | bytes]] = [
        [SECRET, "new"],
        ("new", SECRET),
        ["new", SECRET.encode()],
    ]
    for secrets in several:
        verify(BODY, HEADER, secrets, clock=clock)
    with pytest.raises(SignatureError):
        verify(BODY, HEADER, ["new", "newer"], clock=clock)


@pytest.mark.parametrize(
    ("age", "tolerance", "problem"),
    [
        (0, 0, None),
        (300, 300, None),
        (301, 300, "expired"),
        (-300, 300, None),
        (-301, 300, "future"),
        (61, 60, "expired"),
        (60, timedelta(minutes=1), None),
        (61, timedelta(minutes=1), "expired"),
        (10**9, math.inf, None),
        (1, 0, "expired"),
        (-1, 0, "future"),
    ],
)
def test_window(age: float, tolerance: float | timedelta, problem: str | None) -> None:
    """Accept a delivery only within the tolerance of the time at which it was signed."""

    def now() -> float:
        return NOW + age

    if problem is None:
        verify(BODY, HEADER, SECRET, tolerance=tolerance, clock=now)
        return
    with pytest.raises(SignatureError) as caught:
        verify(BODY, HEADER, SECRET, tolerance=tolerance, clock=now)
    assert caught.value.problem == problem


def test_default_window_and_clock() -> None:
    """Use this machine's clock and five minutes by default."""
    now = time.time()
    verify(BODY, sign(BODY, SECRET), SECRET)
    verify(BODY, sign(BODY, SECRET, now - 290), SECRET)
    for moment in (now - 310, now + 310):
        with pytest.raises(SignatureError):
            verify(BODY, sign(BODY, SECRET, moment), SECRET)


def test_a_forged_old_delivery_is_called_forged() -> None:
    """Check the signature first: the time of a forged delivery says nothing."""
    with pytest.raises(SignatureError) as caught:
        verify(BODY, HEADER, "other", clock=lambda: NOW + 10**6)
    assert caught.value.problem == "mismatch"


@pytest.mark.parametrize("tolerance", [-1, math.nan, "60", None])
def test_tolerance_that_makes_no_sense(tolerance: float) -> None:
    """Refuse a tolerance that would accept everything or nothing by accident."""
    with pytest.raises(InvalidArgumentError, match="tolerance"):
        verify(BODY, HEADER, SECRET, tolerance=tolerance, clock=clock)


def test_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fall back to WHEREBY_WEBHOOK_SECRET; without it, say so."""
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", SECRET)
    verify(BODY, HEADER, clock=clock)
    monkeypatch.delenv("WHEREBY_WEBHOOK_SECRET")
    with pytest.raises(InvalidArgumentError, match="WHEREBY_WEBHOOK_SECRET"):
        verify(BODY, HEADER, clock=clock)


@pytest.mark.parametrize("secret", ["", "  ", b"", [], [SECRET, ""], [None], 5, [5]])
def test_secret_that_protects_nothing(secret: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse an empty secret: anybody can sign with it."""
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", SECRET)
    with pytest.raises(InvalidArgumentError):
        verify(BODY, HEADER, secret, clock=clock)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "secret", ["sec\n", "sec\r\n", "\nsec", " sec", "sec\t", "se\nc", b"sec\n", ["sec", "sec\n"]]
)
def test_secret_with_a_line_break(secret: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse a secret that was read with the end of its line, wherever it comes from."""
    with pytest.raises(InvalidArgumentError, match="line break"):
        verify(BODY, HEADER, secret, clock=clock)
    with pytest.raises(InvalidArgumentError, match="line break"):
        Webhooks(secret)
    if isinstance(secret, str):
        with pytest.raises(InvalidArgumentError, match="line break"):
            sign(BODY, secret)
        monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", secret)
        with pytest.raises(InvalidArgumentError, match="line break") as caught:
            verify(BODY, HEADER, clock=clock)
        assert repr(secret) not in str(caught.value)


def test_one_clock() -> None:
    """Sign and verify with the clock of the moment, also where a test has replaced it."""
    hooks = Webhooks(SECRET)
    with freeze_time("2024-01-01"):
        header = sign(BODY, SECRET)
        assert header.startswith("t=1704067200,")
        assert verify(BODY, header, SECRET) == datetime(2024, 1, 1, tzinfo=UTC)
        with pytest.raises(PayloadError):  # and not for its time
            hooks.receive(b"{}", sign(b"{}", SECRET)).send(None)
    with pytest.raises(SignatureError) as caught:
        verify(BODY, header, SECRET)
    assert caught.value.problem == "expired"


def test_far_dates() -> None:
    """Refuse a time that no datetime can hold, whatever the tolerance."""
    last = 253_402_300_799
    assert verify(BODY, sign(BODY, SECRET, last), SECRET, tolerance=math.inf).year == 9999
    for moment in (last + 1, 999_999_999_999):
        with pytest.raises(InvalidArgumentError, match="moment"):
            sign(BODY, SECRET, moment)
        (digest,) = Secrets(SECRET).signatures(f"{moment}", BODY)
        with pytest.raises(SignatureError) as caught:
            verify(BODY, f"t={moment},v1={digest}", SECRET, tolerance=math.inf)
        assert caught.value.problem == "malformed"


def test_arguments_of_other_types() -> None:
    """Refuse what is no header, no body and no time, and say which argument it is."""
    for header in (5, ["t=1"], {"t": 1}):
        with pytest.raises(InvalidArgumentError, match="signature_header"):
            verify(BODY, header, SECRET)  # type: ignore[arg-type]
    for body in (None, "text", {"id": 1}):
        with pytest.raises(InvalidArgumentError, match="body"):
            sign(body, SECRET)  # type: ignore[arg-type]
    for moment in (math.nan, math.inf, -1, "now"):
        with pytest.raises(InvalidArgumentError, match="moment"):
            sign(BODY, SECRET, moment)  # type: ignore[arg-type]
    verify(BODY, HEADER, SECRET, tolerance=10**400, clock=clock)


def test_empty_secret_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse an environment variable that is set to nothing."""
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", "")
    with pytest.raises(InvalidArgumentError):
        verify(BODY, sign(BODY, "x"))


def test_errors_keep_secrets() -> None:
    """Show neither the secret nor the signature that would have been right."""
    with pytest.raises(SignatureError) as caught:
        verify(BODY, f"t={NOW},v1={'0' * 64}", SECRET, clock=clock)
    shown = f"{caught.value!r} {caught.value} {caught.value.__dict__}"
    assert SECRET not in shown
    assert HEADER[-64:] not in shown
    assert isinstance(caught.value, WherebyError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.problem) == (str(caught.value), "mismatch")


def test_secrets_do_not_show_themselves() -> None:
    """Keep the secrets out of repr and pickle."""
    secrets = Secrets(SECRET)
    assert SECRET not in repr(secrets)
    with pytest.raises(TypeError):
        pickle.dumps(secrets)
    verify(BODY, HEADER, secrets, clock=clock)
