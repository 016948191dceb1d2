"""Which error a response becomes: its class, its message and its body."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from whereby_api_client._http.error_mapping import status_error
from whereby_api_client.errors import APIStatusError, Headers, RateLimitError, RequestInfo

REQUEST = RequestInfo("GET", "https://api.whereby.dev/v1/meetings/1?fields=hostRoomUrl")


def error_of(status: int, content: bytes = b"", **headers: str) -> APIStatusError:
    """Make the error of a response."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return status_error(status, Headers(named), content, REQUEST)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (302, "APIStatusError"),
        (304, "APIStatusError"),
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "APIStatusError"),
        (418, "APIStatusError"),
        (429, "RateLimitError"),
        (499, "APIStatusError"),
        (500, "ServerError"),
        (520, "ServerError"),
        (599, "ServerError"),
        (999, "ServerError"),
    ],
)
def test_status(status: int, name: str) -> None:
    """Give every status its class, and say method, path and status."""
    error = error_of(status, b'{"error": "something is wrong"}')
    assert type(error).__name__ == name
    assert error.status_code == status
    assert str(error).startswith(f"GET /v1/meetings/1: {status}")
    assert "something is wrong" in str(error)


@pytest.mark.parametrize(
    ("content", "message", "body"),
    [
        (b'{"error": "no such room"}', "no such room", {"error": "no such room"}),
        (b'{"message": "no such room"}', "no such room", {"message": "no such room"}),
        (b'{"error": "Bad", "message": "why"}', "Bad: why", {"error": "Bad", "message": "why"}),
        (b'{"error": "Bad", "message": "Bad"}', "Bad", {"error": "Bad", "message": "Bad"}),
        (b'{"error": {"message": "deep"}}', "deep", {"error": {"message": "deep"}}),
        (b'{"error": 7, "message": null}', '{"error": 7, "message": null}', None),
        (b'["a"]', '["a"]', ["a"]),
        (b"<html>Bad Gateway</html>", "<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        (b'{"trunca', '{"trunca', '{"trunca'),
        (b"\xff\xfe", "\ufffd\ufffd", b"\xff\xfe"),
        (b"", "", ""),
        (b"a\r\nFATAL forged\x1b[31m", "a FATAL forged [31m", None),
    ],
)
def test_message(content: bytes, message: str, body: Any) -> None:
    """Find the server's words in every form of body, and keep the body."""
    error = error_of(400, content)
    assert error.message == message
    if body is not None:
        assert error.body == body


def test_a_long_message_is_cut() -> None:
    """Cut what would fill a log, but keep it in the body."""
    error = error_of(500, b"x" * 10_000)
    assert error.message == "x" * 499 + "…"
    assert error.body == "x" * 10_000
    assert error_of(500, b"x" * 500).message == "x" * 500


@pytest.mark.parametrize("depth", [50, 900, 100_000])
def test_a_deeply_nested_body_stays_text(depth: int) -> None:
    """Keep a body as text that could be parsed but neither copied nor pickled."""
    error = error_of(400, b"[" * depth + b"]" * depth)
    assert error.body == "[" * depth + "]" * depth
    assert pickle.loads(pickle.dumps(copy.deepcopy(error))).body == error.body


@pytest.mark.parametrize(
    ("content", "headers", "seconds"),
    [
        (b"", {}, None),
        (b"<html>", {"retry_after": "7"}, 7.0),
        (b"", {"retry_after": "3.968"}, 3.968),
        (b"", {"retry_after": "soon"}, None),
        (b'{"error": "x", "data": {"msLeft": 38689}}', {}, 38.689),
        (b'{"error": "x", "data": {"ms_left": 500}}', {}, 0.5),
        (
            b"",
            {
                "retry_after": "Sun, 22 Nov 2026 17:30:00 GMT",
                "date": "Sun, 22 Nov 2026 17:29:45 GMT",
            },
            15.0,
        ),
    ],
)
def test_retry_after(content: bytes, headers: dict[str, str], seconds: float | None) -> None:
    """Read how long to wait from wherever the server says it; keep headers without a body."""
    error = error_of(429, content, x_ratelimit_limit="100", **headers)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == seconds
    assert error.headers["X-RateLimit-Limit"] == "100"
