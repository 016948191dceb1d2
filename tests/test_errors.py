"""The exception tree: what each error tells, that it pickles, and that it shows no secret."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

import whereby_api_client
from whereby_api_client import errors
from whereby_api_client._http.error_mapping import status_error
from whereby_api_client.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    Headers,
    RateLimitError,
    RequestInfo,
    ResponseDecodeError,
    ResponseTooLargeError,
    WherebyError,
)

REQUEST = RequestInfo("GET", "https://api.whereby.dev/v1/meetings/1?fields=hostRoomUrl")


def error_of(status: int, content: bytes = b"", **headers: str) -> APIStatusError:
    """Make the error of a response."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return status_error(status, Headers(named), content, REQUEST)


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
    examples: list[WherebyError] = [
        error_of(status, b'{"error": "x", "data": {"msLeft": 1}}', retry_after="1")
        for status in (302, 400, 401, 403, 404, 418, 429, 500)
    ]
    examples += [
        ResponseDecodeError(
            "Meeting.endDate: expected a date-time, got null",
            status_code=200,
            body=b'{"hostRoomUrl": "https://x.whereby.com/y?roomKey=secret"}',
            headers=Headers([("a", "b")]),
            request=REQUEST,
            model="Meeting",
            field="endDate",
            path="MeetingPage.results[3].endDate",
        ),
        ResponseTooLargeError("it is too large", status_code=200, request=REQUEST),
        APIConnectionError("no connection", request=REQUEST),
        APITimeoutError("no response within 30 s", request=REQUEST),
        errors.InvalidArgumentError("token: expected a str"),
        errors.BudgetTimeoutError("3 points would exceed max_wait=5 s"),
        errors.ClientClosedError("closed"),
        errors.JobError("in vain", job_id="t-1", job={"state": "odd"}, state="odd"),
        errors.JobFailedError("failed: too quiet", job_id="t-1", state="failed", reason="quiet"),
        errors.JobTimeoutError("not ready after 5 s", job_id="t-1", state="in_progress"),
        errors.DownloadError("the storage host gives no file (418)", status_code=418),
        errors.DownloadAllError("1 of 2 files", paths=[Path("a.mp4")], errors={}),
        WherebyError("whatever"),
    ]
    return examples


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
    error = next(e for e in every_error() if isinstance(e, ResponseDecodeError))
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
