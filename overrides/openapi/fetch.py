"""Where a published document comes from: read or fetch it, and judge whether it is ours and whole.

Nothing that is fetched is trusted: it may be a login page, half a file, another API, or never end.
Each of these is told by name and place.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Never
from urllib.parse import urlsplit

import httpx
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ..errors import Stopped
from .document import MISSING, Json, follow, join, mapping, operations, sequence, text

# Whereby's documentation renders this file; its reference pages name it in every block, e.g.
# https://docs.whereby.com/reference/whereby-rest-api-reference/meetings
PUBLISHED_AT = (
    "https://raw.githubusercontent.com/whereby/docs/main/"
    ".gitbook/assets/_api-reference-docs-openapi.json"
)

# What WherebyClient talks to when nobody tells it otherwise.
BASE_URL = "https://api.whereby.dev/v1"

_DEEPEST = 100  # a document nests about 20 levels
_LARGEST = 1_000_000  # values; a document has about 3000


@dataclass(frozen=True)
class Limits:
    """How long and how much to take from an address."""

    pause: float = 15.0  # seconds without any answer
    total: float = 60.0  # seconds for all of it
    size: int = 20_000_000  # bytes
    redirects: int = 5


@dataclass(frozen=True)
class Published:
    """A published document as it will be kept, and what is worth saying about it."""

    origin: str
    content: bytes
    document: Json
    notes: tuple[str, ...] = ()


def load(spec: str, limits: Limits | None = None) -> Published:
    """Read the document at a path or an address.

    Raises:
        Stopped: it cannot be had, is no OpenAPI document, or that of another API.
    """
    if re.match(r"https?://", spec, re.IGNORECASE):
        content, origin = _fetch(spec, limits or Limits())
    elif re.match(r"\w{2,}://", spec):
        raise Stopped(f"{spec}: give a path, or an address with http or https")
    else:
        content, origin = _read(Path(spec)), spec
    document, notes = parse(content, origin)
    check_ours(document, origin)
    if not _is_json(content):
        # everything else reads openapi/whereby.json as what its name says
        content = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
        notes = (*notes, "It was published as YAML; openapi/whereby.json holds it as JSON.")
    return Published(origin, content, document, notes)


def read(path: Path) -> Published:
    """Read the document that is kept in the tree.

    Raises:
        Stopped: it is not there, or no OpenAPI document in JSON.
    """
    content = _read(path)
    if not _is_json(content):
        raise Stopped(f"{path}: not JSON")
    document, notes = parse(content, str(path))
    check_ours(document, str(path))
    return Published(str(path), content, document, notes)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise Stopped(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _fetch(url: str, limits: Limits) -> tuple[bytes, str]:
    """Return what is at the address, and where it was in the end."""
    end = time.monotonic() + limits.total
    content = bytearray()
    try:
        with (
            httpx.Client(
                follow_redirects=True,
                max_redirects=limits.redirects,
                timeout=limits.pause,
                headers={"accept": "application/json, application/yaml, */*;q=0.5"},
            ) as client,
            client.stream("GET", url) as response,
        ):
            origin = str(response.url)
            if url.lower().startswith("https:") and response.url.scheme != "https":
                raise Stopped(f"{url}: leads to {origin}, which anybody on the way could change")
            if response.status_code != 200:
                phrase = response.reason_phrase
                raise Stopped(f"{origin}: answered {response.status_code} {phrase}".rstrip())
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > limits.size:
                    raise Stopped(f"{origin}: longer than {limits.size} bytes; given up")
                if time.monotonic() > end:  # each chunk in time, and still no end in sight
                    raise Stopped(f"{origin}: not all there after {limits.total:g} s; given up")
    except httpx.TooManyRedirects:
        raise Stopped(f"{url}: redirects more than {limits.redirects} times") from None
    except httpx.TimeoutException as error:
        said = "no connection" if isinstance(error, httpx.ConnectTimeout) else "no answer"
        raise Stopped(f"{url}: {said} within {limits.pause:g} s") from None
    except httpx.RemoteProtocolError as error:
        raise Stopped(f"{url}: broken off: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Stopped(f"{url}: cannot be fetched: {str(error) or type(error).__name__}") from None
    return bytes(content), origin


def _is_json(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def parse(content: bytes, origin: str) -> tuple[Json, tuple[str, ...]]:
    """Parse JSON or YAML; return the document and what is worth saying about its form.

    Raises:
        Stopped: it is neither, or no OpenAPI document of a version that we understand.
    """
    try:
        said = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Stopped(f"{origin}: no UTF-8 text: byte {error.start} is {error.reason}") from None
    start = said.lstrip()
    if not start:
        raise Stopped(f"{origin}: empty")
    if start.startswith("<"):
        found = re.search(r"<title[^>]*>(.*?)</title>", said, re.IGNORECASE | re.DOTALL)
        title = f" ({unescape(' '.join(found[1].split()))})" if found else ""
        raise Stopped(f"{origin}: a web page{title}, not an OpenAPI document")
    repeated: list[str] = []
    read = _json(said, origin, repeated) if start[0] in "{[" else _yaml(said, origin)
    document = _Plain(origin).value(read, "")
    _check_openapi(document, origin)
    notes = tuple(
        f"The key `{key}` is there twice in one object; the last one counts." for key in repeated
    )
    return document, notes


def _json(said: str, origin: str, repeated: list[str]) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.extend(sorted({name for name in names if names.count(name) > 1}))
        return made

    def constant(name: str) -> Never:
        raise Stopped(f"{origin}: not JSON: it holds {name}, which JSON does not know")

    try:
        return json.loads(said, object_pairs_hook=members, parse_constant=constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if error.pos >= len(said.rstrip()) or error.msg.startswith("Unterminated string"):
            raise Stopped(
                f"{origin}: truncated: not JSON, for it ends in the middle ({error.msg} at {where})"
            ) from None
        near = said[max(0, error.pos - 30) : error.pos + 10]
        raise Stopped(f"{origin}: not JSON: {error.msg} at {where}, after {near!r}") from None
    except RecursionError:
        raise Stopped(f"{origin}: nested too deeply for a document") from None


def _yaml(said: str, origin: str) -> Any:
    loader = YAML(typ="safe", pure=True)
    try:
        return loader.load(said)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Stopped(f"{origin}: neither JSON nor YAML: {error.problem}{where}") from None
    except (YAMLError, ValueError) as error:
        problem = str(error).splitlines()[0]
        raise Stopped(f"{origin}: neither JSON nor YAML: {problem}") from None
    except RecursionError:
        raise Stopped(f"{origin}: nested too deeply for a document") from None


class _Plain:
    """Makes plain JSON of what a parser gave: no dates, texts as keys, nothing shared, no cycles.

    YAML has all of these, and an anchor that is used twice would be changed twice.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._count = 0

    def value(self, value: Any, pointer: str, depth: int = 0) -> Any:
        self._count += 1
        if depth > _DEEPEST or self._count > _LARGEST:
            said = "nested too deeply" if depth > _DEEPEST else "too large when written out"
            raise Stopped(f"{self._origin}: {said} for a document, at {pointer[:200]}")
        if isinstance(value, dict):
            return {
                self._key(key, pointer): self.value(member, join(pointer, str(key)), depth + 1)
                for key, member in value.items()
            }
        if isinstance(value, list):
            return [self.value(v, join(pointer, at), depth + 1) for at, v in enumerate(value)]
        if isinstance(value, datetime.datetime):
            # YAML reads an unquoted date-time; the examples mean its text
            return value.isoformat().replace("+00:00", "Z")
        if isinstance(value, datetime.date):
            return value.isoformat()
        if isinstance(value, str):
            return self._text(value, pointer)
        if value is None or isinstance(value, bool | int | float):
            return value
        raise Stopped(f"{self._origin}: a {type(value).__name__} at {pointer}, where JSON has none")

    def _key(self, key: object, pointer: str) -> str:
        if isinstance(key, str | int) and not isinstance(key, bool):
            return self._text(str(key), pointer)  # the status codes of YAML are numbers
        raise Stopped(f"{self._origin}: the key {key!r} at {pointer or 'the top'} is no text")

    def _text(self, text: str, pointer: str) -> str:
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise Stopped(f"{self._origin}: half a character (a lone surrogate) at {pointer}")
        return text


def _check_openapi(document: object, origin: str) -> None:
    if not isinstance(document, dict):
        kind = "an array" if isinstance(document, list) else "a text" if document else "nothing"
        raise Stopped(f"{origin}: not an OpenAPI document: {kind}")
    version = text(document.get("openapi"))
    if "swagger" in document:
        raise Stopped(
            f"{origin}: Swagger {document['swagger']}; OpenAPI 3.0 and 3.1 are understood"
        )
    if not version:
        names = ", ".join(list(document)[:5]) or "nothing"
        raise Stopped(f"{origin}: not an OpenAPI document: no `openapi` in it, but {names}")
    if not re.match(r"3\.[01](\.|$)", version):
        raise Stopped(f"{origin}: OpenAPI {version}; 3.0 and 3.1 are understood")


def check_ours(document: Json, origin: str) -> None:
    """Refuse a document that is not that of the API which this client talks to.

    Raises:
        Stopped: its servers are elsewhere, or it has no operations.
    """
    title = text(mapping(document.get("info")).get("title")) or "without a title"
    urls = [text(mapping(server).get("url")) for server in sequence(document.get("servers"))]
    ours = urlsplit(BASE_URL)
    hosts = {urlsplit(url).hostname for url in urls}
    if not any(url.rstrip("/") == BASE_URL for url in urls):
        at = ", ".join(urls) or "nowhere: it lists no servers"
        if ours.hostname in hosts:
            raise Stopped(
                f"{origin}: the API has moved within {ours.hostname}: {at}, and this client talks "
                f"to {BASE_URL}. At /servers"
            )
        raise Stopped(f"{origin}: the document of another API: {title}, at {at}, not {BASE_URL}")
    if not operations(document):
        raise Stopped(f"{origin}: not whole: `{title}` without a single operation. At /paths")
    for pointer, ref in _references(document):
        if not ref.startswith("#"):  # a validator would go and fetch it
            raise Stopped(f"{origin}: not whole: the $ref at {pointer} leads outside, to {ref}")
        if follow(document, {"$ref": ref})[0] is MISSING:
            raise Stopped(f"{origin}: not whole: the $ref at {pointer} leads to nothing: {ref}")


def _references(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str):
            yield pointer, ref
        for key, member in value.items():
            yield from _references(member, join(pointer, key))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from _references(member, join(pointer, at))
