"""The exception tree: what each error tells, that it pickles, and that it shows no secret."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

import whereby_api_client
from whereby_api_client import errors
from whereby_api_client.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    Headers,
    RateLimitError,
    RequestInfo,
    ResponseDecodeError,
    WherebyError,
    status_error,
)

REQUEST = RequestInfo("GET", "https://api.whereby.dev/v1/meetings/1?fields=hostRoomUrl")


def answer(status: int, content: bytes = b"", **headers: str) -> APIStatusError:
    """Make the error of an answer."""
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
    error = answer(status, b'{"error": "something is wrong"}')
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
    error = answer(400, content)
    assert error.message == message
    if body is not None:
        assert error.body == body


def test_a_long_message_is_cut() -> None:
    """Cut what would fill a log, but keep it in the body."""
    error = answer(500, b"x" * 10_000)
    assert len(error.message) == 500
    assert error.body == "x" * 10_000


@pytest.mark.parametrize("depth", [50, 900, 100_000])
def test_a_deeply_nested_body_stays_text(depth: int) -> None:
    """Keep a body as text that could be parsed but neither copied nor pickled."""
    error = answer(400, b"[" * depth + b"]" * depth)
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
    error = answer(429, content, x_ratelimit_limit="100", **headers)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == seconds
    assert error.headers["X-RateLimit-Limit"] == "100"


def test_headers() -> None:
    """Behave as a mapping that ignores case, joins what is repeated and cannot be changed."""
    headers = Headers([("Via", "a"), ("VIA", "b"), ("Set-Cookie", "session=secret")])
    assert headers["via"] == headers["Via"] == "a, b"
    assert headers.get("missing") is None
    assert dict(headers) == {"via": "a, b", "set-cookie": "session=secret"}
    assert headers == Headers([("via", "a, b"), ("set-cookie", "session=secret")])
    assert "secret" not in repr(headers)
    with pytest.raises(TypeError):
        headers["via"] = "c"  # type: ignore[index]


def every_error() -> list[WherebyError]:
    """One of each class, with everything that it can hold."""
    made: list[WherebyError] = [
        answer(status, b'{"error": "x", "data": {"msLeft": 1}}', retry_after="1")
        for status in (302, 400, 401, 403, 404, 418, 429, 500)
    ]
    made += [
        ResponseDecodeError(
            "Meeting.endDate: expected a date-time, found null",
            status_code=200,
            body=b'{"hostRoomUrl": "https://x.whereby.com/y?roomKey=secret"}',
            headers=Headers([("a", "b")]),
            request=REQUEST,
            model="Meeting",
            field="endDate",
            path="MeetingPage.results[3].endDate",
        ),
        APIConnectionError("no connection", request=REQUEST),
        APITimeoutError("no answer within 30 s", request=REQUEST),
        errors.InvalidArgumentError("token: expected a str"),
        errors.BudgetTimeoutError("3 points are not to be had"),
        errors.ClientClosedError("closed"),
        errors.JobError("in vain", job_id="t-1", job={"state": "odd"}, state="odd"),
        errors.JobFailedError("failed: too quiet", job_id="t-1", state="failed", reason="quiet"),
        errors.JobTimeoutError("not ready after 5 s", job_id="t-1", state="in_progress"),
        errors.DownloadError("the storage host gives no file (418)", status_code=418),
        errors.DownloadAllError("1 of 2 files", paths=[Path("a.mp4")], errors={}),
        WherebyError("whatever"),
    ]
    return made


def test_every_error_is_in_the_list() -> None:
    """Let no new error class escape the tests below."""
    public = {
        cls
        for name in whereby_api_client.__all__
        if isinstance(cls := getattr(whereby_api_client, name), type)
        and issubclass(cls, WherebyError)
    }
    assert public == {type(error) for error in every_error()}


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_and_copy(error: WherebyError, protocol: int) -> None:
    """Come back whole from pickle, copy and deepcopy, notes included."""
    error.add_note("a note")
    for twin in (
        pickle.loads(pickle.dumps(error, protocol)),
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert twin.args == error.args
        assert twin.__notes__ == error.__notes__
        mine, theirs = dict(vars(error)), dict(vars(twin))
        mine.pop("_body", None)
        theirs.pop("_body", None)
        assert theirs == mine
        if isinstance(twin, RateLimitError):
            assert twin.retry_after == 0.001


def test_the_body_of_a_decode_error() -> None:
    """Have the raw bytes at hand, but in no text, dump or pickle: they can hold secrets."""
    (error,) = (e for e in every_error() if isinstance(e, ResponseDecodeError))
    assert b"roomKey=secret" in error.body
    assert copy.deepcopy(error).body == copy.copy(error).body == error.body
    assert "secret" not in repr(error) + str(error) + repr(vars(error))
    assert b"secret" not in pickle.dumps(error)
    assert pickle.loads(pickle.dumps(error)).body == b""
    assert (error.model, error.field) == ("Meeting", "endDate")
    assert error.path == "MeetingPage.results[3].endDate"


def test_request_info() -> None:
    """Tell what was asked; show no query, for a caller can put anything into it."""
    assert REQUEST.path == "/v1/meetings/1"
    assert "fields" in REQUEST.url
    assert "fields" not in repr(REQUEST)
    assert pickle.loads(pickle.dumps(REQUEST)) == REQUEST


def test_without_a_request() -> None:
    """Let users make errors for their own tests."""
    error = errors.NotFoundError("gone", status_code=404)
    assert str(error) == "404 Not Found: gone"
    assert (error.body, dict(error.headers), error.request) == (None, {}, None)
    assert ResponseDecodeError("odd", status_code=200).body == b""


def test_invalid_argument_is_a_value_error() -> None:
    """Be caught by those who catch ValueError."""
    assert issubclass(errors.InvalidArgumentError, ValueError)
