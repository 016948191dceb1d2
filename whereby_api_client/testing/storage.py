"""The storage host behind access links: serves files with `Range`, without the API's token.

It refuses a request that carries an Authorization header beside the link's signature, as S3 does:
a client that leaks the API token to the storage host fails against the fake.
"""

from __future__ import annotations

import hashlib
import re

from .handlers import link_signature
from .messages import Content, HTTPError, Request, Response
from .state import State

__all__ = ["DOWNLOAD", "serve_file"]

DOWNLOAD = "storage.download"
"""The name of a download among `FakeWhereby.requests` and for `FakeWhereby.fail`."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_EXPIRES = re.compile(r"\d{1,18}", re.ASCII)


def serve_file(request: Request, state: State) -> Response:
    """Return the response to a request for a file under `/storage/`."""
    if request.method not in ("GET", "HEAD"):
        raise HTTPError(405, "files can only be read", [("Allow", "GET, HEAD")])
    if "authorization" in request.headers:
        raise HTTPError(400, "only one auth mechanism allowed: a link takes no Authorization")
    params = dict(request.params)
    expires = params.get("Expires", "")
    if not _EXPIRES.fullmatch(expires) or params.get("Signature") != link_signature(
        request.path, int(expires)
    ):
        raise HTTPError(403, "the link's signature does not match")
    if state.clock.now() * 1000 >= int(expires):
        raise HTTPError(403, "the link has expired")
    content = _find(request, state)
    return _slice(request, content)


def _find(request: Request, state: State) -> Content:
    _, kind, key, *_ = (*request.segments, "", "")
    record = (state.recordings if kind == "recordings" else state.transcriptions).get(key)
    if record is None:
        raise HTTPError(404, "the file does not exist any more")
    return record.content


def _slice(request: Request, content: Content) -> Response:
    size = content.size
    tag = f'"{hashlib.sha256(request.path.encode()).hexdigest()[:32]}"'
    markdown = request.path.endswith(".md")
    headers = [
        ("Accept-Ranges", "bytes"),
        ("Content-Type", "text/markdown; charset=utf-8" if markdown else "video/mp4"),
        ("ETag", tag),
    ]
    span = _RANGE.fullmatch(request.headers.get("range", ""))
    # what cannot be understood, or belongs to another version of the file, gets the whole file
    first, last = ("", "") if span is None else span.groups()
    backwards = first and last and int(last) < int(first)
    if first == last == "" or backwards or request.headers.get("if-range", tag) != tag:
        return Response(200, tuple(headers), content=content, start=0, stop=size)
    if first == "":
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if start >= size or start >= stop:
        raise HTTPError(416, "the file ends before that", [("Content-Range", f"bytes */{size}")])
    headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{size}"))
    return Response(206, tuple(headers), content=content, start=start, stop=stop)
