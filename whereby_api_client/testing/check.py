"""Checks requests against the OpenAPI document, and explains what is wrong with them.

Only the part of JSON Schema that OpenAPI documents of this kind use. Three outcomes:

- what the document forbids, and the real API must be expected to refuse, gets a 400;
- what the document forbids, but clients in production send, is accepted;
- where nobody knows, it is accepted and noted as a doubt.

`strict` refuses the last two as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from .clock import parse_date_time
from .document import Document, Operation, Parameter, Schema, kind_of
from .messages import HTTPError, Part, Request

__all__ = ["CheckedRequest", "check_request", "check_value", "string_problem"]

# Take more values than the document lists: those that are documented elsewhere, and perhaps others
# (fields and languages come and go).
OPEN_ENUMS = {"fields": {"dialIn"}, "language": set[str]()}
# Whereby removes spaces, lower-cases, and counts the slash that it puts in front: `handlers.py`.
OPEN_STRINGS = frozenset({"roomNamePrefix"})
# Sent as null in production, although the document does not allow it.
NULL_ACCEPTED = frozenset({"roomNamePrefix"})
# Left out in production, and in examples of Whereby's own documentation.
ABSENCE_ACCEPTED = frozenset({"destination", "startTrigger"})
# Filters and fields that the human documentation has, and the OpenAPI document has not.
DOCUMENTED_ELSEWHERE = {
    "GET /meetings": {"roomName"},
    "POST /meetings": {"body.isDialInEnabled"},
}

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@attrs.define(eq=False)
class CheckedRequest:
    """A request's values as the document reads them."""

    operation: Operation
    path: Mapping[str, str]
    strict: bool = False
    query: dict[str, Any] = attrs.field(factory=dict)
    headers: dict[str, Any] = attrs.field(factory=dict)
    body: Any = None
    """Parsed JSON, a list of `Part`, or None."""
    doubts: list[str] = attrs.field(factory=list)
    """What the real API may or may not accept."""

    def tolerate(self, message: str) -> None:
        """Accept what clients send in production although the document forbids it."""
        if self.strict:
            raise HTTPError(400, message)

    def doubt(self, message: str) -> None:
        """Accept what the real API may or may not refuse, and note it."""
        self.tolerate(message)
        self.doubts.append(message)


def check_request(
    document: Document,
    operation: Operation,
    path: Mapping[str, str],
    request: Request,
    *,
    strict: bool = False,
) -> CheckedRequest:
    """Return the values of a request to an operation.

    Raises:
        HTTPError: a 400 that names what is wrong.
    """
    checker = _Checker(document, CheckedRequest(operation, path, strict))
    if "//" in request.path:
        checker.checked.tolerate("path: a slash in a room name must be percent-encoded")
    checker.check_query(request)
    checker.check_headers(request)
    checker.check_body(request)
    return checker.checked


def check_value(document: Document, schema: Schema, value: Any, where: str, name: str) -> None:
    """Raise a 400 that names the place when the value does not fit the schema."""
    operation = Operation("", "", "", (), {}, False, 200, None, None)
    _Checker(document, CheckedRequest(operation, {})).check_value(schema, value, where, name)


class _Checker:
    """The checks of one request; what is doubtful is noted in `checked`."""

    def __init__(self, document: Document, checked: CheckedRequest) -> None:
        self.document = document
        self.checked = checked
        operation = checked.operation
        self.title = f"{operation.method} {operation.template}"
        self.elsewhere = DOCUMENTED_ELSEWHERE.get(self.title, set())

    # ----------------------------------------------------------------------------------- query

    def check_query(self, request: Request) -> None:
        pairs = request.params
        parameters = [p for p in self.checked.operation.parameters if p.location == "query"]
        for parameter in parameters:
            where = f"query parameter {parameter.name!r}"
            value = self._parameter(parameter, pairs, where)
            if value is None:
                if parameter.required:
                    raise HTTPError(400, f"{where}: is required for {self.title}")
                continue
            self.check_value(parameter.schema, value, where, parameter.name)
            self.checked.query[parameter.name] = value
        names = {parameter.name for parameter in parameters}
        others = [name.partition("[")[0] for name, _ in pairs if name not in names]
        for name in dict.fromkeys(others):
            if name in names:
                continue
            where = f"query parameter {name!r}"
            if name in self.elsewhere:
                self.checked.tolerate(f"{where}: is not in the OpenAPI document")
                self.checked.query[name] = self._deep_object(name, pairs, where)
            else:
                self.checked.doubt(f"{where}: is not documented for {self.title}")

    def check_headers(self, request: Request) -> None:
        for parameter in self.checked.operation.parameters:
            if parameter.location != "header":
                continue
            where = f"header {parameter.name!r}"
            text = request.headers.get(parameter.name.lower())
            if text is not None:
                value = self._read(parameter.schema, [text], where)
                self.check_value(parameter.schema, value, where, parameter.name)
                self.checked.headers[parameter.name] = value
            elif parameter.required:
                raise HTTPError(400, f"{where}: is required for {self.title}")

    def _parameter(
        self, parameter: Parameter, pairs: list[tuple[str, str]], where: str
    ) -> Any | None:
        schema = self.document.resolve(parameter.schema)
        if parameter.deep:
            values = self._deep_object(parameter.name, pairs, where) or {}
            properties = schema.get("properties", {})
            return {
                key: self._read(properties.get(key, {}), [value], f"{where}, key {key!r}")
                for key, value in values.items()
            } or None
        names = (parameter.name, f"{parameter.name}[]")
        texts = [value for name, value in pairs if name in names]
        for name, _ in pairs:
            if name.startswith(f"{parameter.name}[") and name not in names:
                self.checked.doubt(f"{where}: is documented as {parameter.name}=…, not {name}=…")
        if kind_of(schema) != "array":
            if len(texts) > 1:
                raise HTTPError(400, f"{where}: must be sent once; got {len(texts)} times")
        elif parameter.explode and self.checked.strict:
            return [self._read(schema.get("items", {}), [text], where) for text in texts] or None
        elif len(texts) > 1 and not parameter.explode:
            self.checked.tolerate(
                f"{where}: must be sent once, with commas; got {len(texts)} times"
            )
        return self._read(schema, texts, where) if texts else None

    def _read(self, schema: Schema, texts: list[str], where: str) -> Any:
        """Read texts as the schema's type; those of an array may have commas between items."""
        schema = self.document.resolve(schema)
        match kind_of(schema):
            case "array":
                items = schema.get("items", {})
                split = [item for text in texts for item in text.split(",") if item]
                return [self._read(items, [item], where) for item in split]
            case "integer":
                if not _INTEGER.fullmatch(texts[0]):
                    raise HTTPError(400, f"{where}: must be an integer; got {_shown(texts[0])}")
                return int(texts[0])
            case "number":
                try:
                    return float(texts[0])
                except ValueError:
                    message = f"{where}: must be a number; got {_shown(texts[0])}"
                    raise HTTPError(400, message) from None
            case "boolean":
                if texts[0] not in ("true", "false"):
                    raise HTTPError(400, f"{where}: must be true or false; got {_shown(texts[0])}")
                return texts[0] == "true"
        return texts[0]

    def _deep_object(
        self, name: str, pairs: list[tuple[str, str]], where: str
    ) -> dict[str, str] | None:
        """Collect `name[key]=value` pairs, whether the brackets came encoded or not."""
        values: dict[str, str] = {}
        for key, value in pairs:
            if key == name == "roomName":
                self.checked.tolerate(f"{where}: is documented as {name}[exact]=…")
                values["exact"] = value
            elif key == name:
                self.checked.doubt(f"{where}: is documented as {name}[…]=…, and was ignored")
            elif key.startswith(f"{name}[") and key.endswith("]"):
                values[key[len(name) + 1 : -1]] = value
        return values or None

    # ------------------------------------------------------------------------------------ body

    def check_body(self, request: Request) -> None:
        bodies = self.checked.operation.bodies
        if not bodies:
            return
        kind = request.media_type
        if not request.body:
            if self.checked.operation.body_required:
                raise HTTPError(400, f"body: is required for {self.title}")
            return
        if kind not in bodies:
            wanted = " or ".join(bodies)
            raise HTTPError(
                400, f"Content-Type: must be {wanted} for {self.title}; got {kind or 'none'}"
            )
        if kind == "multipart/form-data":
            self.checked.body = self._multipart(bodies[kind], request)
            return
        try:
            value = request.json
        except (ValueError, RecursionError) as error:
            raise HTTPError(400, f"body: must be JSON ({error})") from None
        self.check_value(bodies[kind], value, "body", "body")
        self.checked.body = value

    def _multipart(self, schema: Schema, request: Request) -> list[Part]:
        try:
            parts = request.parts
        except ValueError as error:
            raise HTTPError(400, f"body: must be multipart/form-data ({error})") from None
        names = list(self.document.resolve(schema).get("properties", {}))
        if names and not any(part.name in names for part in parts):
            sent = ", ".join(repr(part.name) for part in parts) or "nothing"
            wanted = " or ".join(map(repr, names))
            raise HTTPError(400, f"body: must have the field {wanted}; got {sent}")
        return parts

    # ---------------------------------------------------------------------------------- values

    def check_value(self, schema: Schema, value: Any, where: str, name: str) -> None:
        schema = self.document.resolve(schema)
        kinds = schema.get("type", ())
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        if value is None:
            if self.document.is_nullable(schema):
                return
            raise HTTPError(400, f"{where}: must not be null")
        for key in ("oneOf", "anyOf"):
            if key in schema:
                self._check_choices(schema[key], value, where, name)
        if kinds and not any(_TYPES.get(kind, _anything)(value) for kind in kinds):
            # a secret must not come back in an error's text
            shown = "" if schema.get("x-secret") else f"; got {_shown(value)}"
            raise HTTPError(400, f"{where}: must be {_article(kinds[0])}{shown}")
        if "enum" in schema and value not in schema["enum"]:
            listed = ", ".join(str(item) for item in schema["enum"])
            message = f"{where}: must be one of {listed}; got {_shown(value)}"
            if name not in OPEN_ENUMS:
                raise HTTPError(400, message)
            accepted = isinstance(value, str) and value in OPEN_ENUMS[name]
            (self.checked.tolerate if accepted else self.checked.doubt)(message)
        if isinstance(value, str):
            self._check_string(schema, value, where, name)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _check_number(schema, value, where)
        elif isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                self.check_value(schema["items"], item, f"{where}[{index}]", name)
        elif isinstance(value, dict):
            self._check_object(schema, value, where)

    def _check_choices(self, choices: list[Schema], value: Any, where: str, name: str) -> None:
        failures: list[HTTPError] = []
        for choice in choices:
            doubts = len(self.checked.doubts)
            try:
                self.check_value(choice, value, where, name)
            except HTTPError as error:
                failures.append(error)
                del self.checked.doubts[doubts:]
        if len(failures) == len(choices):
            raise failures[0]

    def _check_string(self, schema: Schema, value: str, where: str, name: str) -> None:
        problem = string_problem(schema, value)
        if problem is None:
            return
        if name not in OPEN_STRINGS:
            raise HTTPError(400, f"{where}: {problem}")
        self.checked.tolerate(f"{where}: {problem}")

    def _check_object(self, schema: Schema, value: dict[str, Any], where: str) -> None:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        required = schema.get("required", ())
        for name in required:
            if name in value:
                continue
            if name not in ABSENCE_ACCEPTED:
                raise HTTPError(400, f"{where}.{name}: is required")
            self.checked.tolerate(f"{where}.{name}: is required")
        for name, item in value.items():
            inner = f"{where}.{name}"
            if name not in properties:
                # an object without properties takes any
                if properties and schema.get("additionalProperties", True) is not False:
                    self._undocumented(inner)
                elif properties:
                    raise HTTPError(400, f"{inner}: is not allowed")
            elif (
                item is None
                and name not in required
                and not self.document.is_nullable(properties[name])
            ):
                message = f"{inner}: must not be null"
                (self.checked.tolerate if name in NULL_ACCEPTED else self.checked.doubt)(message)
            else:
                self.check_value(properties[name], item, inner, name)

    def _undocumented(self, where: str) -> None:
        message = f"{where}: is not documented for {self.title}"
        (self.checked.tolerate if where in self.elsewhere else self.checked.doubt)(message)


def string_problem(schema: Schema, value: str) -> str | None:
    """Return why a string does not fit its schema; None when it fits."""
    if len(value) > schema.get("maxLength", len(value)):
        return f"must have at most {schema['maxLength']} characters; got {len(value)}"
    if len(value) < schema.get("minLength", 0):
        return f"must have at least {schema['minLength']} characters; got {len(value)}"
    pattern = schema.get("pattern")
    # the document's patterns have no anchors but describe the whole value
    if pattern is not None and not re.fullmatch(pattern, value):
        return f"must match {pattern}; got {_shown(value)}"
    if schema.get("format") == "date-time":
        try:
            parse_date_time(value)
        except ValueError:
            return f"must be an ISO 8601 date-time; got {_shown(value)}"
    return None


def _check_number(schema: Schema, value: float, where: str) -> None:
    if value < schema.get("minimum", value):
        raise HTTPError(400, f"{where}: must be at least {schema['minimum']}; got {value}")
    if value > schema.get("maximum", value):
        raise HTTPError(400, f"{where}: must be at most {schema['maximum']}; got {value}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _anything(value: Any) -> bool:
    return True


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
}
