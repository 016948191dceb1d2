"""Whatever is sent, the fake responds: with a documented success or an explained error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.messages import Headers, Request

from ..helpers.documents import DOCUMENT
from ..helpers.fake_clients import OPERATIONS, resolve
from ..helpers.fake_table import ROWS, furnished

TARGETS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=8),
    st.sampled_from(
        ["2099-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9Z", "rec", "s3"]
    ),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=4)
GOOD_BODIES = [row.json for row in ROWS if row.json is not None]


def send(fake: FakeWhereby, method: str, target: str, body: bytes, kind: str) -> int:
    """Send a request into the core; check the response."""
    headers = [("Authorization", f"Bearer {fake.token}"), ("Content-Type", kind)]
    response = fake.handle(Request(method, target, Headers(headers), body))
    sent = b"".join(response.chunks())
    if response.status >= 400:
        assert isinstance(json.loads(sent)["error"], str)
    return response.status


@st.composite
def mutated(draw: st.DrawFn, bodies: Sequence[Any] = GOOD_BODIES) -> Any:
    """Draw a good body with one value, somewhere in it, replaced."""
    body = json.loads(json.dumps(draw(st.sampled_from(bodies))))
    inner = body
    while isinstance(inner, dict) and inner:
        key = draw(st.sampled_from(sorted(inner)))
        if not isinstance(inner[key], dict) or draw(st.booleans()):
            inner[key] = draw(VALUES)
            break
        inner = inner[key]
    return body


@settings(deadline=None)
@given(st.sampled_from(TARGETS), st.data())
def test_any_values(target: tuple[str, str, dict[str, Any]], data: st.DataObject) -> None:
    """Bear any value in any documented place."""
    method, path, operation = target
    query = []
    for parameter in map(resolve, operation.get("parameters", [])):
        name = parameter["name"]
        if parameter["in"] == "path":
            text = data.draw(st.one_of(st.sampled_from(["rec", "tra", "sum"]), st.text(max_size=5)))
            path = path.replace(f"{{{name}}}", quote(text, safe="", errors="replace"))
        elif data.draw(st.booleans()):
            key = data.draw(st.sampled_from([name, f"{name}[exact]", f"{name}[from]"]))
            value = str(
                data.draw(st.one_of(SCALARS, st.sampled_from(["roomName:asc", "1", "ses"])))
            )
            query.append(f"{key}={quote(value, errors='replace')}")
    body = json.dumps(data.draw(mutated())).encode()
    fake = furnished()
    status = send(fake, method, f"/v1{path}?{'&'.join(query)}", body, "application/json")
    documented = {int(code) for code in operation["responses"] if code.startswith("2")}
    assert status in documented | {400, 403, 404, 405}
    # what was let in must not break what comes after it
    for listing in ("/v1/meetings?fields=dialIn", "/v1/transcriptions", "/v1/summaries"):
        assert send(fake, "GET", listing, b"", "") == 200


@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "OPTIONS", "BREW"]),
    st.text(max_size=20),
    st.binary(max_size=50),
    st.sampled_from(["", "application/json", "multipart/form-data; boundary=x", "é", ";"]),
)
def test_any_bytes(method: str, target: str, body: bytes, kind: str) -> None:
    """Bear any target, any bytes, any content type."""
    fake = furnished()
    send(fake, method, target, body, kind)
    send(fake, method, f"/v1/{target}", body, kind)
    send(fake, method, f"/storage/{target}", body, kind)
    for name in ("tokens", "logo", "room-background"):
        assert send(fake, "PUT", f"/v1/rooms/r/theme/{name}", body, kind) in (204, 400)


def test_deep_json() -> None:
    """Refuse JSON that is nested without end."""
    assert send(furnished(), "POST", "/v1/meetings", b"[" * 200_000, "application/json") == 400


def test_every_operation_has_a_target() -> None:
    """Leave no operation out."""
    assert len(TARGETS) == len(OPERATIONS)
