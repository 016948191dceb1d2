"""The `Whereby-Signature` header: `t=<unix seconds>,v1=<hex>`.

v1 is the HMAC-SHA256 of `<t>.<raw body>` with the endpoint's secret. The raw bytes count: a body
that was parsed and written again differs as soon as somebody's name is not plain ASCII.
https://docs.whereby.com/monitoring-usage/webhooks#validating-events
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Never

from ..errors import InvalidArgumentError
from .errors import SignatureError

HEADER: Final = "Whereby-Signature"
SECRET_VARIABLE: Final = "WHEREBY_WEBHOOK_SECRET"

# Both 60 s and 300 s are in use. A delivery may be retried twice, each after up to 5 s and a pause.
TOLERANCE: Final = 300.0

_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999, the last one that a datetime can hold
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")


class Secrets:
    """The secrets that a delivery may be signed with, none of which shows itself.

    More than one while a secret is being changed: both are valid until the old one is removed.
    """

    __slots__ = ("_keys",)

    def __init__(self, secret: str | bytes | Iterable[str | bytes] | None) -> None:
        if secret is None:
            secret = os.environ.get(SECRET_VARIABLE)
        if secret is None:
            raise InvalidArgumentError(f"no webhook secret: give secret=, or set {SECRET_VARIABLE}")
        is_single = isinstance(secret, (str, bytes)) or not isinstance(secret, Iterable)
        self._keys = tuple(_key(key) for key in ([secret] if is_single else secret))
        if not self._keys:
            raise InvalidArgumentError("secret: must be at least one")

    def signatures(self, moment: str, body: bytes | bytearray | memoryview) -> list[str]:
        """Return the signature that each secret gives."""
        signatures = []
        for key in self._keys:
            digest = hmac.new(key, f"{moment}.".encode("ascii"), hashlib.sha256)
            digest.update(body)  # not joined before: a body can be large
            signatures.append(digest.hexdigest())
        return signatures

    def __repr__(self) -> str:
        return "[secure]"

    def __reduce__(self) -> Never:
        raise TypeError("webhook secrets cannot be pickled or copied")


def verify(
    body: bytes | bytearray | memoryview,
    signature_header: str | bytes | None,
    secret: str | bytes | Iterable[str | bytes] | Secrets | None = None,
    *,
    tolerance: float | timedelta = TOLERANCE,
    clock: Callable[[], float] | None = None,
) -> datetime:
    """Check that a delivery comes from Whereby, unaltered, and just now.

    Args:
        body: the raw bytes of the request's body, before anything has parsed them.
        signature_header: the value of the `Whereby-Signature` header.
        secret: the endpoint's secret, or several of them while it is being changed; by default
            that of the environment variable WHEREBY_WEBHOOK_SECRET.
        tolerance: how far the time of signing may be from now, in seconds, to either side.
            `math.inf` for deliveries that were stored.
        clock: returns the time in epoch seconds; by default `time.time`.

    Returns:
        When the delivery was signed.

    Raises:
        SignatureError: the delivery is not to be trusted; `problem` says why.
        InvalidArgumentError: there is no secret, or an argument cannot be used.
    """
    _check_body(body)
    allowed = checked_tolerance(tolerance)
    now = time.time if clock is None else clock  # not a default argument: tests replace time.time
    secrets = secret if isinstance(secret, Secrets) else Secrets(secret)
    moment, signatures = _read(signature_header)
    # Every secret is tried with every signature: how long it takes tells nothing about the match.
    matches = [
        hmac.compare_digest(expected, signature)
        for expected in secrets.signatures(moment, body)
        for signature in signatures
    ]
    if not any(matches):
        raise SignatureError(
            "the signature does not match: another secret, or not the raw bytes of the body",
            "mismatch",
        )
    # Only now: the time in a forged header means nothing.
    age = now() - int(moment)
    if age > allowed:
        raise SignatureError(
            f"the delivery was signed {age:.0f} s ago, more than tolerance={allowed:g} s", "expired"
        )
    if -age > allowed:
        raise SignatureError(
            f"the delivery was signed {-age:.0f} s in the future, "
            f"more than tolerance={allowed:g} s (is the clock of this machine right?)",
            "future",
        )
    return datetime.fromtimestamp(int(moment), UTC)


def sign(
    body: bytes | bytearray | memoryview, secret: str | bytes, moment: float | None = None
) -> str:
    """Return the `Whereby-Signature` header that Whereby would send, for tests of a receiver.

    Args:
        body: the raw bytes of the body.
        secret: the endpoint's secret.
        moment: when it is signed, in epoch seconds; now by default.
    """
    _check_body(body)
    now: object = time.time() if moment is None else moment
    if not isinstance(now, (int, float)) or not 0 <= now <= _LAST_SECOND:
        raise InvalidArgumentError(f"moment: must be a time in epoch seconds; got {moment!r}")
    seconds = str(int(now))
    return f"t={seconds},v1={Secrets(secret).signatures(seconds, body)[0]}"


def _check_body(body: object) -> None:
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise InvalidArgumentError(
            f"body: must be the raw bytes of the request; got a {type(body).__name__}; "
            "what was parsed and written again has another signature"
        )


def _key(secret: object) -> bytes:
    key = secret.encode(errors="surrogatepass") if isinstance(secret, str) else secret
    # An empty key would accept what anybody signs with an empty key.
    if not isinstance(key, bytes) or not key.strip():
        raise InvalidArgumentError("secret: must be text or bytes that are not empty")
    if key != key.strip() or b"\n" in key or b"\r" in key:
        raise InvalidArgumentError(
            "secret: must not begin or end with white space, nor hold a line break "
            "(often one at the end of a file)"
        )
    return key


def checked_tolerance(tolerance: object) -> float:
    """Return a tolerance in seconds."""
    allowed = tolerance.total_seconds() if isinstance(tolerance, timedelta) else tolerance
    if isinstance(allowed, (int, float)) and allowed >= 0:  # which NaN is not
        return allowed
    raise InvalidArgumentError(
        f"tolerance: must be a number of seconds, 0 or more; got {tolerance!r}"
    )


def _read(header: object) -> tuple[str, list[str]]:
    """Return the time of signing, as it was signed, and the signatures."""
    if isinstance(header, bytes):
        header = header.decode("latin-1")
    if header is not None and not isinstance(header, str):
        raise InvalidArgumentError(
            f"signature_header: must be the value of the {HEADER} header; "
            f"got a {type(header).__name__}"
        )
    if header is None or not header.strip():
        raise SignatureError(f"the delivery has no {HEADER} header", "missing")
    moments, signatures = [], []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            moments.append(value)
        elif name == "v1" and _DIGEST.fullmatch(value):
            # another scheme (v2=) may come to stand beside it
            signatures.append(value.lower())
    if len(moments) != 1 or not _SECONDS.fullmatch(moments[0]) or int(moments[0]) > _LAST_SECOND:
        raise SignatureError(f"the {HEADER} header has no time (t=<unix seconds>)", "malformed")
    if not signatures:
        raise SignatureError(
            f"the {HEADER} header has no signature (v1=<64 hex digits>)", "malformed"
        )
    return moments[0], signatures
