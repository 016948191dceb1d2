"""Compares one response with the OpenAPI document and with what is known beyond it.

A `Finding` holds names of the document, numbers of points and statuses, and forms: no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import attrs

from ..testing.document import Document, Operation, Schema
from ._forms import NotJSONError, WholeFraction, form_of, name_of, read_json, string_form

__all__ = ["Comparison", "Finding", "Kind", "Reply", "compare_error", "compare_headers"]

Kind = Literal[
    "status",
    "content-type",
    "not-json",
    "header-missing",
    "header-form",
    "header-unknown",
    "price",
    "field-missing",
    "field-unknown",
    "field-null",
    "field-type",
    "number-form",
    "date-form",
    "enum-value",
    "room-name",
    "room-url",
    "file-name",
    "link-expires",
    "link-host",
    "error-body",
    "cursor",
    "page-size",
    "filter",
    "fields",
    "prefix",
    "delete",
]

# docs/api-facts.md: what responses have beyond the document
KNOWN_FIELDS: Final = {
    "meetings": {"dialIn", "roomPreferences"},
    "insights.get_participant": {"events"},
}
POINT_HEADERS: Final = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
# the forms that the fake sends by default
HEADER_FORMS: Final = {
    "x-ratelimit-limit": {"digits"},
    "x-ratelimit-remaining": {"digits"},
    "x-ratelimit-reset": {"JavaScript date"},
    "retry-after": {"digits", "decimal number"},
    "date": {"HTTP date"},
}
# What else servers of this kind send; another name may be anything, and is not shown.
_OTHER_HEADERS: Final = {
    f"{prefix}{word}"
    for prefix in ("ratelimit", "rate-limit", "x-ratelimit", "x-rate-limit")
    for word in ("", "-limit", "-remaining", "-reset", "-policy", "-used", "-cost", "-reset-after")
} | {"request-id", "x-request-id", "x-correlation-id", "x-amzn-requestid", "x-amz-cf-id", "cf-ray"}
_ISO_FORMS: Final = {"date-time, whole seconds, Z", "date-time, 3 decimals, Z"}
# dates whose format the document does not state
_DATE_NAME: Final = re.compile(r"\w+(?:At|Date)|timeStamp")
_FILE_NAME: Final = re.compile(r".+-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.(?:mkv|mp4|md)", re.ASCII)
_ROOM_URL: Final = re.compile(r"https://[a-z0-9-]+\.whereby\.com(/.+)")
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@attrs.frozen(order=True)
class Finding:
    """A place where the API differs from what was expected."""

    kind: Kind
    operation: str
    where: str
    """`body.results[].roomName`, `header x-ratelimit-reset`, `status`, …"""
    expected: str
    actual: str


@attrs.frozen
class Reply:
    """A response as it arrived."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the JSON value; NotJSONError if there is none."""
        return read_json(self.body)


def compare_headers(operation: str, reply: Reply) -> Iterator[Finding]:
    """Yield what is odd about the headers of a response that costs points."""
    for name in (*POINT_HEADERS, "date"):
        if name not in reply.headers:
            yield Finding("header-missing", operation, f"header {name}", "present", "missing")
    for name, forms in HEADER_FORMS.items():
        if name in reply.headers and (form := string_form(reply.headers[name])) not in forms:
            wanted = " or ".join(sorted(forms))
            yield Finding("header-form", operation, f"header {name}", wanted, form)
    for name in reply.headers:
        form = string_form(reply.headers[name])
        if name in _OTHER_HEADERS and name not in HEADER_FORMS:
            yield Finding("header-unknown", operation, f"header {name}", "not known", form)
        elif re.match(r"(x-)?rate-?limit", name) and name not in HEADER_FORMS:
            where = "a rate limit header, name withheld"
            yield Finding("header-unknown", operation, where, "not known", form)


def compare_error(operation: str, reply: Reply) -> Iterator[Finding]:
    """Yield how the body of an error differs from `{"error": "text"}`."""
    where, wanted = "body of the error", 'object with "error": text'
    try:
        body = reply.json()
    except NotJSONError:
        form = "empty" if not reply.body else f"not JSON ({_media_type(reply)})"
        yield Finding("error-body", operation, where, wanted, form)
        return
    if not isinstance(body, dict):
        yield Finding("error-body", operation, where, wanted, form_of(body))
        return
    shape = {name_of(name): form_of(value) for name, value in body.items()}
    fits = isinstance(body.get("error"), str) and set(body) <= {"error", "data"}
    if not fits:
        actual = ", ".join(f"{name}: {form}" for name, form in sorted(shape.items()))
        yield Finding("error-body", operation, where, wanted, f"object with {actual or 'nothing'}")


def _media_type(reply: Reply) -> str:
    known = ("text/html", "text/plain", "application/xml", "application/problem+json")
    return reply.media_type if reply.media_type in known else "another content type"


class Comparison:
    """Compares the body of a success with the schema of its operation."""

    def __init__(self, document: Document, operation: Operation) -> None:
        self.document = document
        self.operation: str = operation.name
        self.schema: Schema | None = operation.result
        self.status: int = operation.status
        tag = operation.name.partition(".")[0]
        self.known: set[str] = KNOWN_FIELDS.get(tag, set()) | KNOWN_FIELDS.get(
            operation.name, set()
        )

    def compare(self, reply: Reply) -> Iterator[Finding]:
        """Yield what differs in status, content type and body."""
        if reply.status != self.status:
            yield self._finding("status", "status", str(self.status), str(reply.status))
        if self.schema is None:
            if reply.body:
                yield self._finding("field-unknown", "body", "no body", "a body")
            return
        if reply.media_type != "application/json":
            yield self._finding(
                "content-type", "content type", "application/json", _media_type(reply)
            )
        try:
            value = reply.json()
        except NotJSONError:
            yield self._finding("not-json", "body", "JSON", "not JSON" if reply.body else "empty")
            return
        yield from self._value(self.schema, value, "body", None)

    def _finding(self, kind: Kind, where: str, expected: str, actual: str) -> Finding:
        return Finding(kind, self.operation, where, expected, actual)

    def _value(
        self, schema: Schema, value: Any, where: str, example: Any | None
    ) -> Iterator[Finding]:
        nullable = self.document.is_nullable(schema)
        (schema, *_) = self.document.alternatives(schema) or [{}]
        example = schema.get("example", example)
        kinds = schema.get("type") or ("object" if "properties" in schema else None)
        kinds = [kinds] if isinstance(kinds, str) else list(kinds or ())
        if value is None:
            if kinds and not nullable:
                yield self._finding("field-null", where, kinds[0], "null")
            return
        if kinds and not any(_has_type(value, kind) for kind in kinds):
            wanted = "date" if _is_date(schema, where) else kinds[0]
            kind: Kind = "date-form" if wanted == "date" else "field-type"
            yield self._finding(kind, where, wanted, form_of(value))
            return
        if isinstance(value, WholeFraction):
            yield self._finding("number-form", where, "whole number without fraction", "with one")
        if "enum" in schema and value not in schema["enum"]:
            yield self._finding("enum-value", where, "a documented value", "another one")
        if isinstance(value, str):
            yield from self._string(schema, value, where, example)
        elif isinstance(value, list) and "items" in schema:
            for item in value:
                yield from self._value(schema["items"], item, f"{where}[]", None)
        elif isinstance(value, dict):
            yield from self._object(schema, value, where, example)

    def _object(
        self, schema: Schema, value: dict[str, Any], where: str, example: Any
    ) -> Iterator[Finding]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                kind: Kind = "cursor" if name == "cursor" else "field-missing"
                yield self._finding(kind, f"{where}.{name}", "present", "missing")
        examples = example if isinstance(example, dict) else {}
        for name, item in value.items():
            if name in properties:
                inner = f"{where}.{name}"
                yield from self._value(properties[name], item, inner, examples.get(name))
            elif properties and name not in self.known:
                shown = name_of(name)
                yield self._finding(
                    "field-unknown", f"{where}.{shown}", "not documented", form_of(item)
                )
        yield from self._sense(value, where)

    def _string(self, schema: Schema, value: str, where: str, example: Any) -> Iterator[Finding]:
        if _is_date(schema, where):
            forms = {string_form(example)} if isinstance(example, str) else _ISO_FORMS
            forms = forms if forms <= _ISO_FORMS else _ISO_FORMS
            if (form := string_form(value)) not in forms:
                yield self._finding("date-form", where, " or ".join(sorted(forms)), form)
        if where.endswith(".cursor") and value == "":
            yield self._finding("cursor", where, "text or null", "empty string")

    def _sense(self, value: dict[str, Any], where: str) -> Iterator[Finding]:
        """Check what docs/api-facts.md knows of names and addresses."""
        room_name, room_url = value.get("roomName"), value.get("roomUrl")
        if isinstance(room_name, str) and not re.fullmatch(r"/[^/].*", room_name):
            yield self._finding(
                "room-name", f"{where}.roomName", "one slash in front", form_of(room_name)
            )
        if isinstance(room_url, str):
            address = _ROOM_URL.fullmatch(room_url)
            if address is None:
                wanted = "https://<subdomain>.whereby.com/<room>"
                yield self._finding("room-url", f"{where}.roomUrl", wanted, "another form")
            elif isinstance(room_name, str) and address[1] != f"/{room_name.lstrip('/')}":
                yield self._finding("room-url", f"{where}.roomUrl", "ends with roomName", "another")
        filename = value.get("filename")
        if isinstance(filename, str) and not _FILE_NAME.fullmatch(filename):
            yield self._finding(
                "file-name", f"{where}.filename", "<room>-<start, whole seconds>Z.<type>", "another"
            )


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    if isinstance(value, WholeFraction) and kind == "integer":
        return True
    expected = _TYPES.get(kind)
    return expected is None or isinstance(value, expected)


def _is_date(schema: Schema, where: str) -> bool:
    name = where.rpartition(".")[2]
    return schema.get("format") == "date-time" or bool(_DATE_NAME.fullmatch(name))
