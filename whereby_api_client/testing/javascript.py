"""JSON as JavaScript writes it: Whereby's servers are JavaScript, byte for byte.

The documented check of a webhook's signature parses the body, re-serialises it with
`JSON.stringify` and signs that: so a body is right only when it comes back unchanged.
https://docs.whereby.com/monitoring-usage/webhooks#validating-webhook-events
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["stringify"]

_SAFE_INTEGER = 2**53
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ARRAY_INDEX = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)


def stringify(value: Any) -> str:
    """Return what `JSON.stringify` makes of a value that was parsed from JSON.

    Whole numbers have no fraction, numbers that JavaScript cannot hold are rounded as it rounds
    them, keys that are an array's index come first, half a surrogate pair is escaped.
    """
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            text = json.dumps(value, ensure_ascii=False)
            return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
        case int() | float():
            return _number(value)
        case Mapping():
            names = sorted(value, key=_property_order)
            return "{" + ",".join(f"{stringify(n)}:{stringify(value[n])}" for n in names) + "}"
        case list() | tuple():
            return "[" + ",".join(map(stringify, value)) + "]"
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _property_order(name: str) -> int:
    # https://tc39.es/ecma262/#sec-ordinaryownpropertykeys: indices first, then as they were added
    is_index = _ARRAY_INDEX.fullmatch(name) and int(name) < 2**32 - 1
    return int(name) if is_index else 2**32


def _number(value: float) -> str:
    # https://tc39.es/ecma262/#sec-numeric-types-number-tostring
    if isinstance(value, int) and abs(value) <= _SAFE_INTEGER:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        return "null"
    if number in (float("inf"), float("-inf")) or number != number:
        return "null"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"
