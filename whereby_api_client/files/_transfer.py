"""The transfer of one file: attempts, ranges, new access links, until it is complete."""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final, Protocol

import anyio

from .._backoff import backoff
from ..budget.headers import read_rate_limit
from ..errors import APIConnectionError, DownloadError
from ._partial_file import PartialFile, Version

if TYPE_CHECKING:
    from ..errors import Headers
    from .access_links import LinkResponse

# Attempts in a row that brought nothing, before a download is given up.
_MAX_STALLS: Final = 5
# After a break that came later than this many bytes the next attempt follows without a pause.
_WORTHWHILE: Final = 65_536
_PAUSE_BASE: Final = 0.5
_PAUSE_CAP: Final = 15.0

# No more digits than an offset of any file has.
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_CONTENT_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]*"')
_XML_MESSAGE: Final = re.compile(r"<Message>([^<]{1,300})</Message>")
# Words as people write them. What has digits or signs can be part of a link, or its signature.
_PLAIN_WORD: Final = re.compile(r"['\"(]*[^\W\d_]{1,20}(?:['-][^\W\d_]{1,20})?['\").,;:!?]*")


class OpenLink(Protocol):
    """How an access link is opened: `WherebyClient.open_link`."""

    def __call__(
        self, link: str, *, headers: dict[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """Open a link."""
        ...


class _LinkRefused(Exception):
    """The storage host does not accept the link, which may have expired."""

    def __init__(self, status_code: int, details: str) -> None:
        super().__init__()
        self.status_code = status_code
        self.details = details


class _Interrupted(Exception):
    """An attempt ended early; the next one resumes. `retry_after`: what the host asks to wait."""

    def __init__(
        self, reason: str, status_code: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status_code = status_code
        self.retry_after = retry_after


class Transfer:
    """One file on its way from the storage host to a partial file."""

    def __init__(
        self,
        label: str,
        partial: PartialFile,
        new_link: Callable[[], Awaitable[str]],
        open_link: OpenLink,
        report: Callable[[int, int | None], None],
    ) -> None:
        self._label = label
        self._partial = partial
        self._new_link = new_link
        self._open_link = open_link
        self._report_to = report
        self._total = partial.version.total
        # Whether the host has sent the version in this process: then `If-Range` is proof enough.
        self._is_confirmed = False

    async def run(self) -> None:
        """Attempt until the file is complete."""
        link = await self._new_link()
        is_untried = True
        stalls = 0
        while True:
            before = self._partial.received
            interrupted: _Interrupted | None = None
            try:
                await self._attempt(link)
            except _LinkRefused as refused:
                if is_untried:
                    raise self._error(
                        f"refuses a new access link{refused.details}", refused.status_code
                    ) from None
                link, is_untried = await self._new_link(), True
                continue
            except _Interrupted as reason:
                interrupted = reason
            except APIConnectionError as error:
                interrupted = _Interrupted(str(error))
            if interrupted is None:
                return
            gained = self._partial.received - before
            stalls = 0 if gained > 0 else stalls + 1
            if stalls >= _MAX_STALLS:
                raise self._error(
                    f"sends nothing any more: {interrupted.reason}", interrupted.status_code
                )
            # It may expire from now on.
            is_untried = False
            if gained < _WORTHWHILE:
                await anyio.sleep(_pause(stalls, interrupted.retry_after))

    def _error(self, text: str, status_code: int | None) -> DownloadError:
        return DownloadError(f"{self._label}: the storage host {text}", status_code=status_code)

    async def _attempt(self, link: str) -> None:
        """Request what is missing, and write what comes. Returns when the file is complete."""
        headers = {}
        if self._partial.received:
            headers["Range"] = f"bytes={self._partial.received}-"
            if _STRONG_ETAG.fullmatch(self._partial.version.etag):
                headers["If-Range"] = self._partial.version.etag
        async with self._open_link(link, headers=headers) as response:
            if await self._is_complete(response):
                return
            async for chunk in response:
                await self._partial.write(chunk)
                self._report()
                if self._total is not None and self._partial.received > self._total:
                    await self._start_again()
                    raise _Interrupted("it sent more bytes than it had announced")
        received = self._partial.received
        if self._total is None and not _is_self_delimiting(response):
            # Was this all? The response to a request for more shows it.
            raise _Interrupted("it does not tell how long the file is")
        if self._total is not None and received != self._total:
            raise _Interrupted(f"the response ended after {received} of {self._total} bytes")
        self._total = received
        self._report()

    async def _is_complete(self, response: LinkResponse) -> bool:
        """Handle status and headers; return whether there is nothing left to read."""
        status = response.status_code
        if status == 200:
            # Also when it has another version by now, or no ranges.
            await self._begin(response)
            return False
        if status == 206 and self._partial.received:
            await self._resume(response)
            return False
        if status == 416 and self._partial.received:
            size = f"bytes */{self._partial.received}"
            if self._total is None and response.headers.get("content-range") == size:
                return True
            await self._start_again()
            raise _Interrupted("it has less of the file than before", status)
        if status in (408, 425, 429) or status >= 500:
            retry_after = read_rate_limit(429, response.headers, None).retry_in
            raise _Interrupted(f"it responded with {status}", status, retry_after)
        if 300 <= status < 400 and "location" in response.headers:
            raise self._error(f"redirects to an address that is not followed ({status})", status)
        details = f" ({status}{_message(await response.text())})"
        if 400 <= status < 500:
            raise _LinkRefused(status, details)
        raise self._error(f"sends no file{details}", status)

    async def _begin(self, response: LinkResponse) -> None:
        headers = response.headers
        encoding = headers.get("content-encoding", "identity")
        if encoding != "identity":
            # The length would be that of the compressed file, and ranges would be too.
            raise self._error("sends the file compressed, although asked not to", 200)
        length = headers.get("content-length", "")
        self._total = int(length) if _CONTENT_LENGTH.fullmatch(length) else None
        self._is_confirmed = True
        await self._partial.begin(
            Version(headers.get("etag", ""), headers.get("last-modified", ""), self._total)
        )
        self._report()

    async def _resume(self, response: LinkResponse) -> None:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        total = int(match[2]) if match and match[2] != "*" else self._total
        if (
            match is None
            or int(match[1]) != self._partial.received
            or (self._total is not None and total != self._total)
            or not self._is_same_version(response.headers)
        ):
            await self._start_again()
            raise _Interrupted("it sent another part, or another version of the file", 206)
        self._total = total
        self._is_confirmed = True
        self._report()

    def _is_same_version(self, part: Headers) -> bool:
        """Return whether a part belongs to the version of which the beginning is here."""
        version = self._partial.version
        known = {"etag": version.etag, "last-modified": version.last_modified}
        sent = {name: part[name] for name in known if part.get(name)}
        if any(known[name] != value for name, value in sent.items()):
            return False
        if sent:
            return True
        # A part need not repeat what `If-Range` has asked for. Without that, only the length is
        # left to tell: as long as nobody knows better, and not beyond this process.
        is_guarded = _STRONG_ETAG.fullmatch(version.etag) is not None
        return self._is_confirmed and (is_guarded or not any(known.values()))

    async def _start_again(self) -> None:
        self._total = None
        self._is_confirmed = False
        await self._partial.begin(Version())

    def _report(self) -> None:
        self._report_to(self._partial.received, self._total)


def _is_self_delimiting(response: LinkResponse) -> bool:
    """Return whether the end of a response without a length is sure to be the end of the file."""
    return "chunked" in response.headers.get("transfer-encoding", "").lower()


def _message(text: str) -> str:
    """Return the message of the storage host's error document (S3's and its likes').

    Only its plain words: the text may repeat the link, which is a secret, or forge lines of a log.
    """
    match = _XML_MESSAGE.search(text)
    words = match[1].split() if match else []
    shown = [word if _PLAIN_WORD.fullmatch(word) else "…" for word in words]
    return f", {' '.join(shown)}" if shown else ""


def _pause(stalls: int, retry_after: float | None) -> float:
    """Return the seconds before the next attempt: longer each time, and as the host asks."""
    jitter = random.uniform(0.5, 1.0)
    pause = backoff(stalls, base=_PAUSE_BASE, cap=_PAUSE_CAP, jitter=jitter)
    return pause if retry_after is None else min(max(retry_after, pause), 4 * _PAUSE_CAP)
