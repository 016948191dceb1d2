"""Read or fetch a published document, and make sure that it is whole and that of this API.

Nothing that is fetched is trusted: it may be a login page, half a file, another API, or never end.
Each of these is refused with its reason and the place.
"""

from __future__ import annotations

import json
import math
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Never
from urllib.parse import urlsplit

import httpx

from ..errors import OverridesError
from .document import Json, follow, mapping, operations, sequence, text
from .pointers import MISSING, join

# Whereby's documentation renders this file; its reference pages name it in every block, e.g.
# https://docs.whereby.com/reference/whereby-rest-api-reference/meetings
PUBLISHED_AT = (
    "https://raw.githubusercontent.com/whereby/docs/main/"
    ".gitbook/assets/_api-reference-docs-openapi.json"
)

# the default base URL of WherebyClient
BASE_URL = "https://api.whereby.dev/v1"

_MAX_DEPTH = 100  # a document nests about 20 levels
_MAX_VALUES = 1_000_000  # a document has about 3000
_MAX_DIGITS = 308  # what a float can hold, and no program counts further


@dataclass(frozen=True)
class Limits:
    """How long and how much to read."""

    pause: float = 15.0  # seconds without any response
    total: float = 60.0  # seconds for all of it
    size: int = 20_000_000  # bytes
    redirects: int = 5


@dataclass(frozen=True)
class Published:
    """A published document with its bytes, and remarks for the report."""

    origin: str
    content: bytes
    document: Json
    notes: tuple[str, ...] = ()


def load(spec: str, limits: Limits | None = None) -> Published:
    """Read the document at a path or a URL.

    Raises:
        OverridesError: it cannot be read, is no OpenAPI document, or that of another API.
    """
    if re.match(r"https?://", spec, re.IGNORECASE):
        content, origin = _fetch(spec, limits or Limits())
    elif re.match(r"\w{2,}://", spec):
        raise OverridesError(f"{spec}: must be a path, or a URL with http or https")
    else:
        content, origin = _read(Path(spec), limits or Limits()), spec
    return _published(content, origin)


def read(path: Path) -> Published:
    """Read the document in the repository.

    Raises:
        OverridesError: it is not there, or not the API's OpenAPI document in JSON.
    """
    return _published(_read(path, Limits()), str(path))


def _published(content: bytes, origin: str) -> Published:
    document, notes = parse(content, origin)
    check_ours(document, origin)
    return Published(origin, content, document, notes)


def _read(path: Path, limits: Limits) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise OverridesError(f"{path}: must be a regular file; it is a device or a pipe")
        if status.st_size > limits.size:
            raise OverridesError(f"{path}: longer than {limits.size} bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise OverridesError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _fetch(url: str, limits: Limits) -> tuple[bytes, str]:
    """Return the content at the URL, and the URL after redirects."""
    end = time.monotonic() + limits.total
    content = bytearray()
    try:
        with (
            httpx.Client(
                follow_redirects=True,
                max_redirects=limits.redirects,
                timeout=limits.pause,
                headers={"accept": "application/json, */*;q=0.5"},
            ) as client,
            client.stream("GET", url) as response,
        ):
            origin = str(response.url)
            if url.lower().startswith("https:") and response.url.scheme != "https":
                raise OverridesError(f"{url}: redirects to {origin}, which is not https")
            if response.status_code != 200:
                status = f"{response.status_code} {response.reason_phrase}".rstrip()
                raise OverridesError(f"{origin}: the response is {status}")
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > limits.size:
                    raise OverridesError(f"{origin}: longer than {limits.size} bytes")
                if time.monotonic() > end:  # each chunk in time, and still no end in sight
                    raise OverridesError(f"{origin}: not complete after {limits.total:g} s")
    except httpx.TooManyRedirects:
        raise OverridesError(f"{url}: more than {limits.redirects} redirects") from None
    except httpx.TimeoutException as error:
        missing = "connection" if isinstance(error, httpx.ConnectTimeout) else "response"
        raise OverridesError(f"{url}: no {missing} within {limits.pause:g} s") from None
    except httpx.RemoteProtocolError as error:
        raise OverridesError(f"{url}: broken off: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        reason = str(error) or type(error).__name__
        raise OverridesError(f"{url}: cannot be fetched: {reason}") from None
    return bytes(content), origin


def parse(content: bytes, origin: str) -> tuple[Json, tuple[str, ...]]:
    """Parse a document; return it, and remarks on its form.

    Raises:
        OverridesError: it is no JSON, or no OpenAPI document of a version that we understand.
    """
    try:
        source = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OverridesError(
            f"{origin}: must be UTF-8: byte {error.start} is {error.reason}"
        ) from None
    start = source.lstrip()
    if not start:
        raise OverridesError(f"{origin}: empty")
    if start.startswith("<"):
        match = re.search(r"<title[^>]*>(.*?)</title>", source, re.IGNORECASE | re.DOTALL)
        title = f" ({unescape(' '.join(match[1].split()))})" if match else ""
        raise OverridesError(f"{origin}: a web page{title}, not an OpenAPI document")
    repeated: list[str] = []
    document = _json(source, origin, repeated)
    _check_values(document, origin)
    _check_openapi(document, origin)
    notes = tuple(
        f"The key `{key}` is there twice in one object; the last one counts." for key in repeated
    )
    return document, notes


def _json(source: str, origin: str, repeated: list[str]) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.extend(sorted({name for name in names if names.count(name) > 1}))
        return value

    def constant(name: str) -> Never:
        raise OverridesError(f"{origin}: not JSON: it has {name}, which is not a JSON value")

    def integer(digits: str) -> int | float:
        return int(digits) if len(digits) <= _MAX_DIGITS else math.inf

    try:
        # a number of thousands of digits is found like one of 1e400, with its place
        return json.loads(
            source, object_pairs_hook=members, parse_constant=constant, parse_int=integer
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if error.pos >= len(source.rstrip()) or error.msg.startswith("Unterminated string"):
            raise OverridesError(
                f"{origin}: truncated: not JSON, for it ends in the middle ({error.msg} at {where})"
            ) from None
        near = source[max(0, error.pos - 30) : error.pos + 10]
        raise OverridesError(
            f"{origin}: not JSON: {error.msg} at {where}, after {near!r}"
        ) from None
    except RecursionError:
        raise OverridesError(f"{origin}: nested too deeply for a document") from None


def _check_values(document: Any, origin: str) -> None:
    """Refuse values that no program could use: too many, too deep, infinite, half a character."""
    pending: list[tuple[Any, str, int]] = [(document, "", 0)]
    count = 0
    while pending:
        value, pointer, depth = pending.pop()
        count += 1
        if depth > _MAX_DEPTH or count > _MAX_VALUES:
            problem = "nested too deeply" if depth > _MAX_DEPTH else "too many values"
            raise OverridesError(f"{origin}: {problem} for a document, at {pointer[:200]}")
        if isinstance(value, float) and not math.isfinite(value):
            raise OverridesError(f"{origin}: the number at {pointer} is too large for a float")
        if isinstance(value, str):
            _check_text(value, pointer, origin)
        elif isinstance(value, list):
            pending += [(v, join(pointer, at), depth + 1) for at, v in enumerate(value)]
        elif isinstance(value, dict):
            for key, member in value.items():
                _check_text(key, pointer, origin)
                pending.append((member, join(pointer, key), depth + 1))


def _check_text(value: str, pointer: str, origin: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise OverridesError(f"{origin}: half a character (a lone surrogate) at {pointer}")


def _check_openapi(document: object, origin: str) -> None:
    if not isinstance(document, dict):
        kind = "an array" if isinstance(document, list) else f"a {type(document).__name__}"
        raise OverridesError(f"{origin}: not an OpenAPI document: {kind}")
    version = text(document.get("openapi"))
    if "swagger" in document:
        raise OverridesError(
            f"{origin}: must be OpenAPI 3.0 or 3.1; got Swagger {document['swagger']}"
        )
    if not version:
        names = ", ".join(list(document)[:5]) or "nothing"
        raise OverridesError(f"{origin}: not an OpenAPI document: no `openapi` in it, but {names}")
    if not re.match(r"3\.[01](\.|$)", version):
        raise OverridesError(f"{origin}: must be OpenAPI 3.0 or 3.1; got {version}")


def check_ours(document: Json, origin: str) -> None:
    """Make sure that a document is that of the API which this client talks to.

    Raises:
        OverridesError: its servers are elsewhere, or it has no operations.
    """
    title = text(mapping(document.get("info")).get("title")) or "without a title"
    urls = [text(mapping(server).get("url")) for server in sequence(document.get("servers"))]
    ours = urlsplit(BASE_URL)
    hosts = {urlsplit(url).hostname for url in urls}
    if not any(url.rstrip("/") == BASE_URL for url in urls):
        listed = ", ".join(urls) or "no server"
        if ours.hostname in hosts:
            raise OverridesError(
                f"{origin}: the API has moved within {ours.hostname}: {listed}, and this client "
                f"talks to {BASE_URL}. At /servers"
            )
        raise OverridesError(
            f"{origin}: the document of another API: {title}, with {listed}, not {BASE_URL}. "
            "At /servers"
        )
    if not operations(document):
        raise OverridesError(f"{origin}: not whole: `{title}` has no operations. At /paths")
    for pointer, ref in _references(document):
        if not ref.startswith("#"):  # a validator would go and fetch it
            raise OverridesError(f"{origin}: not whole: the $ref at {pointer} leads outside: {ref}")
        if follow(document, {"$ref": ref})[0] is MISSING:
            raise OverridesError(
                f"{origin}: not whole: the $ref at {pointer} leads to nothing: {ref}"
            )


def _references(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str):
            yield pointer, ref
        for key, member in value.items():
            yield from _references(member, join(pointer, key))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from _references(member, join(pointer, at))
