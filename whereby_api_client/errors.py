"""Everything that can go wrong, as one tree.

    WherebyError
    ├── InvalidArgumentError (also a ValueError)   refused before anything was sent
    ├── ClientClosedError                          the client was used after it was closed
    ├── BudgetTimeoutError                         the wait for points would exceed `max_wait`
    ├── APIConnectionError                         no response, or only half of one
    │   └── APITimeoutError                        … within `timeout`
    ├── APIStatusError                             a response that is no success
    │   ├── BadRequestError                        400
    │   ├── AuthenticationError                    401
    │   ├── PermissionDeniedError                  403
    │   ├── NotFoundError                          404
    │   ├── RateLimitError                         429
    │   └── ServerError                            5xx
    ├── ResponseDecodeError                        a success that could not be understood
    │   └── ResponseTooLargeError                  … because it exceeds `max_response_bytes`
    ├── JobError                                   waiting for a job has led to nothing:
    │   ├── JobFailedError                         … it has failed
    │   └── JobTimeoutError                        … it takes longer than `timeout`
    ├── DownloadError                              the storage host does not give the file
    └── DownloadAllError                           … or not all of the files

Those of webhooks are in `whereby_api_client.webhooks`.
All of them can be pickled and copied, and no text of theirs holds a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

# Response headers whose values can be a credential or a signed link.
_SECRET_HEADERS: Final = frozenset({"authorization", "location", "set-cookie"})


class RequestInfo(NamedTuple):
    """What was asked: method and full URL. Never headers, so never the token."""

    method: str
    url: str

    @property
    def path(self) -> str:
        """The URL's path, without host and query."""
        return urlsplit(self.url).path

    def __repr__(self) -> str:
        # The query can be long, and `WherebyClient.request` lets the caller put anything into it.
        return f"RequestInfo({self.method} {self.url.partition('?')[0]})"


class Headers(Mapping[str, str]):
    """Response headers: immutable, names in any case, repeated ones joined by a comma."""

    __slots__ = ("_values",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in items:
            key = name.lower()
            values[key] = f"{values[key]}, {value}" if key in values else value
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._without_secrets()!r})"

    def __reduce__(self) -> tuple[Callable[..., Headers], tuple[list[tuple[str, str]]]]:
        # A pickle goes to other machines; `headers["location"]` is for code that asks for it here.
        return Headers, (list(self._without_secrets().items()),)

    def __copy__(self) -> Headers:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Headers:
        return self

    def _without_secrets(self) -> dict[str, str]:
        return {k: "[secure]" if k in _SECRET_HEADERS else v for k, v in self._values.items()}


class _Unshown:
    """Bytes that can hold secrets: at hand, but in no `repr`, no `vars()` dump and no pickle."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __repr__(self) -> str:
        return f"<{len(self.content)} bytes>"

    def __reduce__(self) -> tuple[Callable[[bytes], _Unshown], tuple[bytes]]:
        return _Unshown, (b"",)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Unshown:
        return self


def _revive(cls: type[WherebyError], args: tuple[Any, ...]) -> WherebyError:
    return cls.__new__(cls, *args)


class WherebyError(Exception):
    """Base of every error that this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls `cls(*args)`, which fails for every __init__ with keyword arguments.
        return _revive, (type(self), self.args), self.__dict__ or None


class InvalidArgumentError(WherebyError, ValueError):
    """An argument, the token or the base URL was refused before anything was sent."""


class ClientClosedError(WherebyError):
    """The client was used after it was closed, or closed during the call."""


class BudgetTimeoutError(WherebyError):
    """The call would have had to wait longer for its points than `max_wait` allows."""


class _RequestError(WherebyError):
    """Base of the errors that know which request they are about."""

    request: RequestInfo | None

    def __init__(self, text: str, *, request: RequestInfo | None = None) -> None:
        super().__init__(f"{request.method} {request.path}: {text}" if request else text)
        self.request = request


class APIConnectionError(_RequestError):
    """No response arrived, or only half of one: the call may or may not have had its effect."""


class APITimeoutError(APIConnectionError):
    """The call took longer than `timeout`: it may or may not have had its effect."""


class APIStatusError(_RequestError):
    """The server responded with something else than a success.

    Attributes:
        status_code: the status of the response.
        message: the server's text, cut to a sane length.
        body: the parsed JSON of the response; its text or bytes if it is no JSON.
        headers: the headers of the response.
        request: method and URL of the request.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        request: RequestInfo | None = None,
    ) -> None:
        advice = _ADVICE.get(status_code) or ("" if status_code >= 400 else _NO_SUCCESS)
        parts = (_status_text(status_code), message, advice)
        super().__init__(": ".join(filter(None, parts)), request=request)
        self.status_code = status_code
        self.message = message
        self.body = body
        self.headers: Headers = (
            headers if isinstance(headers, Headers) else Headers((headers or {}).items())
        )


class BadRequestError(APIStatusError):
    """400: the server did not accept an argument."""


class AuthenticationError(APIStatusError):
    """401: the server does not know the token."""


class PermissionDeniedError(APIStatusError):
    """403: the token is not allowed to do this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or no longer."""


class RateLimitError(APIStatusError):
    """429: the organization's points are used up.

    Attributes:
        retry_after: seconds to wait according to the server; None when it did not say.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 429,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        request: RequestInfo | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            message, status_code=status_code, body=body, headers=headers, request=request
        )
        self.retry_after = retry_after


class ServerError(APIStatusError):
    """5xx: the server, or something on the way to it, failed."""


class ResponseDecodeError(_RequestError):
    """The server reported success, but its response could not be understood.

    Attributes:
        model: the model that the response was read into; empty when it was no JSON at all.
        field: the field of that model which did not fit.
        path: its place in the whole response, such as `MeetingPage.results[3].endDate`.
        status_code: the status of the response.
        headers: the headers of the response.
        body: the raw bytes of the response. They can hold secrets: no `repr` shows them and pickle
            leaves them behind.
        request: method and URL of the request.
    """

    def __init__(
        self,
        text: str,
        *,
        status_code: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        request: RequestInfo | None = None,
        model: str = "",
        field: str = "",
        path: str = "",
    ) -> None:
        super().__init__(f"cannot understand the response ({status_code}): {text}", request=request)
        self.status_code = status_code
        self.headers: Headers = (
            headers if isinstance(headers, Headers) else Headers((headers or {}).items())
        )
        self.model = model
        self.field = field
        self.path = path
        self._body = _Unshown(body)

    @property
    def body(self) -> bytes:
        """The raw bytes of the response."""
        return self._body.content


class ResponseTooLargeError(ResponseDecodeError):
    """The server reported success with a response that is larger than `max_response_bytes`."""


class JobError(WherebyError):
    """Waiting for a job has led to nothing.

    Attributes:
        job_id: the job that was waited for.
        job: its latest model; None if there was never one.
        state: its latest state; empty if it was never seen.
    """

    def __init__(self, text: str, *, job_id: str = "", job: Any = None, state: str = "") -> None:
        super().__init__(text)
        self.job_id = job_id
        self.job = job
        self.state = state


class JobFailedError(JobError):
    """The job has failed; `reason` says why, if Whereby does."""

    def __init__(
        self, text: str, *, job_id: str = "", job: Any = None, state: str = "", reason: str = ""
    ) -> None:
        super().__init__(text, job_id=job_id, job=job, state=state)
        self.reason = reason


class JobTimeoutError(JobError):
    """The job was neither ready nor failed when the time was over. It goes on; wait again."""


class DownloadError(WherebyError):
    """The storage host did not give the file; nothing is left of it.

    Attributes:
        status_code: the status of its last response; None if there was none.
    """

    def __init__(self, text: str, *, status_code: int | None = None) -> None:
        super().__init__(text)
        self.status_code = status_code


class DownloadAllError(WherebyError):
    """Some of the files could not be downloaded; the others were.

    Attributes:
        paths: the files that are there now.
        errors: by id, why the others are not.
    """

    def __init__(self, text: str, *, paths: list[Path], errors: dict[str, WherebyError]) -> None:
        super().__init__(text)
        self.paths = paths
        self.errors = errors


_ADVICE: Final = {
    401: "check the API key (token=, or WHEREBY_API_KEY)",
    403: "this API key may not do that",
    429: "share one PointBudget per organization, and look at .retry_after",
}
_NO_SUCCESS: Final = "only reads follow redirects; check base_url"


def _status_text(status_code: int) -> str:
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)
