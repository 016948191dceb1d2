"""The form of a value, from a closed list, and never the value itself."""

from __future__ import annotations

import json
import re
from typing import Any, Final

__all__ = ["NotJSONError", "WholeFraction", "form_of", "name_of", "read_json", "string_form"]

_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DAYS: Final = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_FORMS: Final = [
    ("date", re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)),
    (
        "HTTP date",
        re.compile(rf"(?:{_DAYS}), \d\d (?:{_MONTHS}) \d{{4}} \d\d:\d\d:\d\d GMT", re.ASCII),
    ),
    (
        "JavaScript date",
        re.compile(
            rf"(?:{_DAYS}) (?:{_MONTHS}) \d\d \d{{4}} \d\d:\d\d:\d\d GMT[+-]\d{{4}}(?: \([^)]*\))?",
            re.ASCII,
        ),
    ),
    ("epoch seconds", re.compile(r"1\d{9}", re.ASCII)),
    ("epoch milliseconds", re.compile(r"1\d{12}", re.ASCII)),
    ("digits", re.compile(r"\d+", re.ASCII)),
    ("decimal number", re.compile(r"\d+\.\d+", re.ASCII)),
    ("UUID", re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)),
]
# A field's name is part of the API; what is used as a key may also be somebody's data.
_FIELD_NAME: Final = re.compile(r"[a-z]{2,16}(?:[A-Z][a-z]{1,15}){0,4}", re.ASCII)


class WholeFraction(float):
    """A whole number that was written with a fraction or an exponent: `1800.0`, `1e3`."""


class NotJSONError(ValueError):
    """A body is not JSON; the text does not show it."""


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body, its numbers as they were written.

    Raises:
        NotJSONError: it is not JSON, or too deep to be read.
    """
    try:
        return json.loads(body, parse_float=_float, parse_constant=_refuse)
    except (ValueError, RecursionError):
        pass
    raise NotJSONError("the body is not JSON")


def _float(text: str) -> float:
    value = float(text)
    return WholeFraction(value) if value.is_integer() else value


def _refuse(name: str) -> Any:
    raise ValueError(name)


def form_of(value: Any) -> str:
    """Return the form of a JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case WholeFraction():
            return "whole number with a fraction"
        case float():
            return "number"
        case str():
            return string_form(value)
        case list():
            return "array"
        case _:
            return "object"


def string_form(text: str) -> str:
    """Return the form of a string."""
    if text == "":
        return "empty string"
    moment = _DATE_TIME.fullmatch(text)
    if moment is not None:
        decimals = f"{len(moment[2])} decimals" if moment[2] else "whole seconds"
        zone = {None: "no zone", "Z": "Z"}.get(moment[3], "offset")
        space = ", space" if moment[1] == " " else ""
        return f"date-time, {decimals}, {zone}{space}"
    for form, pattern in _FORMS:
        if pattern.fullmatch(text):
            return form
    if text.startswith(("http://", "https://")):
        return "URL"
    return "text with a leading slash" if text.startswith("/") else "text"


def name_of(field: str) -> str:
    """Return the name of a field that is not documented, if it can be no more than a name."""
    return field if _FIELD_NAME.fullmatch(field) else "[name withheld]"
