"""Between JSON and Python values: what the generated models call to decode and encode.

`Model.from_dict` is generated as straight code for speed; everything that is not the common case
(a wrong type, a missing name, an unknown enum value, a date in another form) lands here.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, Never, TypeVar

from ..errors import InvalidArgumentError
from ..types import UNSET

T = TypeVar("T")

logger: Final = logging.getLogger("whereby_api_client")

# Under names of their own: the generated code calls them for every model.
new = object.__new__
fromisoformat = datetime.fromisoformat

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class DecodeError(Exception):
    """JSON that does not fit its model; the client turns it into `ResponseDecodeError`.

    `path` leads there from the outermost model, as in `MeetingPage.results[3].endDate`; `model`
    and `field` are the innermost ones. The value itself is not held: it may be a secret.
    """

    def __init__(self, model: str, field: str, expected: str, actual: str, path: str = "") -> None:
        super().__init__(model, field, expected, actual, path)
        self.model = model
        self.field = field
        self.expected = expected
        self.actual = actual
        self.path = path or (f"{model}.{field}" if field else model)

    def inside(self, model: str, location: str) -> DecodeError:
        """Return the same error as seen from `model`, at whose `location` the value is."""
        tail = self.path.partition(".")[2]
        separator = "" if location.startswith("[") else "."
        path = model + separator + location + (f".{tail}" if tail else "")
        return DecodeError(self.model, self.field, self.expected, self.actual, path)

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, got {self.actual}"


def json_name(value: object) -> str:
    """Name the JSON type of a value, for error messages that must not show the value."""
    return _JSON_NAMES.get(type(value), type(value).__name__)


def wrong(model: type, field: str, expected: str, value: object) -> Never:
    """Refuse a value whose JSON type does not fit the field."""
    raise DecodeError(model.__name__, field, expected, json_name(value))


def object_in(model: type, value: object) -> dict[str, Any]:
    """Return the JSON object that a model is read from, or refuse anything else."""
    if isinstance(value, dict):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    raise DecodeError(model.__name__, "", "an object", json_name(value))


def date_time(model: type, field: str, value: object, *, null: bool = False) -> Any:
    """Read a date in another form than ISO 8601 with `Z`, or as epoch milliseconds."""
    if null and (value is None or value is UNSET):
        return value
    read = _as_date_time(value)
    if read is None:
        actual = "other text" if isinstance(value, str) else json_name(value)
        raise DecodeError(model.__name__, field, "a date-time", actual)
    return read


def _as_date_time(value: object) -> datetime | None:
    """Return the date that a value means; without a zone it is UTC, which the API promises."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _EPOCH + timedelta(milliseconds=value)
        if isinstance(value, str):
            # years beyond 9999, which JavaScript writes with a sign, are no datetime
            read = datetime.fromisoformat(value[:-1] + "Z" if value[-1:] == "z" else value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        pass
    return None


def narrowed_date_time(model: type, field: str, value: object) -> Any:
    """Read a date that the published document calls a string; None if it is none."""
    try:
        return date_time(model, field, value, null=True)
    except DecodeError:
        return misfit(model, field, "a date-time", value)


def absent(model: type, field: str, expected: str, value: object) -> Any:
    """Let null and nothing through where a field need not be there; refuse anything else."""
    if value is None or value is UNSET:
        return value
    wrong(model, field, expected, value)


_warned: set[tuple[type, str]] = set()


def misfit(model: type, field: str, expected: str, value: object) -> Any:
    """Return None for a value that fits the published document, but not our narrower type.

    The raw value stays in `to_dict`. A warning is logged, once for each field.
    """
    if value is not None and (model, field) not in _warned:
        _warned.add((model, field))
        logger.warning(
            "%s.%s: expected %s, got %s; read as None, to_dict() has the value",
            model.__name__,
            field,
            expected,
            "other text" if expected == "a date-time" and type(value) is str else json_name(value),
        )
    return None


def without_misfits(
    model: type, source: dict[str, Any], dates: Iterable[str]
) -> dict[str, Any] | None:
    """Return the source with None for narrowed dates that cannot be read; None if all can."""
    misfits = [
        name
        for name in dates
        if source.get(name) is not None and narrowed_date_time(model, name, source[name]) is None
    ]
    return {**source, **dict.fromkeys(misfits)} if misfits else None


def integer(model: type, field: str, value: object, *, null: bool = False) -> Any:
    """Read a whole number that was not written as one (`42.0`); refuse anything else."""
    if null and (value is None or value is UNSET):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    wrong(model, field, "an integer", value)


def member(enum: type[T], model: type, field: str, value: object, *, null: bool = False) -> Any:
    """Read an enum value that is no member: null, or one that the document does not know yet."""
    if null and (value is None or value is UNSET):
        return value
    if not isinstance(value, str):
        wrong(model, field, "a string", value)
    return enum(value)  # type: ignore[call-arg]


def items(parse: Callable[[Any], T], model: type | str, field: str, value: object) -> list[T]:
    """Read an array of models, and name the item that does not fit."""
    owner = model if isinstance(model, str) else model.__name__
    if not isinstance(value, list):
        raise DecodeError(owner, field, "an array", json_name(value))
    try:
        return [parse(item) for item in value]
    except DecodeError:
        # only now does it matter which one it was
        for index, item in enumerate(value):
            try:
                parse(item)
            except DecodeError as error:
                raise error.inside(owner, f"{field}[{index}]") from None
        raise


def nested(parse: Callable[[Any], T], model: type, field: str, value: object) -> T:
    """Read a model inside a model, and name the field that does not fit."""
    try:
        return parse(value)
    except DecodeError as error:
        raise error.inside(model.__name__, field) from None


def explain(
    error: Exception,
    model: type,
    source: Mapping[str, Any],
    dates: Iterable[str] = (),
    enums: Iterable[str] = (),
) -> DecodeError:
    """Return which field the straight code of `from_dict` failed at."""
    if isinstance(error, KeyError):
        return DecodeError(model.__name__, str(error.args[0]), "a value", "nothing")
    for field in dates:
        try:
            date_time(model, field, source.get(field), null=True)
        except DecodeError as reason:
            return reason
    for field in enums:
        value = source.get(field)
        if isinstance(value, (dict, list)):
            return DecodeError(model.__name__, field, "a string", json_name(value))
    return DecodeError(model.__name__, "", "its documented fields", type(error).__name__)


def encode(name: str, value: object, source: object = None) -> Any:
    """Turn a value into what `json.dumps` takes; `name` is the argument, for error messages.

    `source` is what the value was once read from. What still means the same is written the way it
    came, so that `to_dict` gives back the same JSON: a date in its own form, half an emoji.

    Raises:
        InvalidArgumentError: a naive date-time, a number or a type that JSON lacks, or a value that
            contains itself or is nested too deeply.
    """
    try:
        return _encode(name, value, source)
    except RecursionError:
        pass
    # Out here, because that one's frames hold the value a thousand times.
    raise InvalidArgumentError(f"{name}: contains itself, or is nested too deeply")


def _encode(name: str, value: object, source: object) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Enum):  # before str: members of ours are strings too
        value = value.value
    if isinstance(value, str):
        if value == source:
            return source
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError(
                f"{name}: holds a lone surrogate, which UTF-8 lacks"
            ) from None
        return value
    if isinstance(value, float):
        if not math.isfinite(value) and value is not source:
            raise InvalidArgumentError(f"{name}: JSON has no {value}; give a finite number")
        return value
    if isinstance(value, datetime):
        return encode_date_time(name, value, source)
    to_dict = getattr(value, "to_dict", None)
    if to_dict is not None:
        return to_dict()
    if isinstance(value, Mapping):
        known = source if isinstance(source, Mapping) else {}
        return {
            str(key): _encode(f"{name}.{key}", inner, known.get(key))
            for key, inner in value.items()
            if inner is not UNSET
        }
    if isinstance(value, (list, tuple)):
        known_items = source if isinstance(source, list) and len(source) == len(value) else None
        return [
            _encode(f"{name}[{i}]", inner, known_items[i] if known_items else None)
            for i, inner in enumerate(value)
        ]
    raise InvalidArgumentError(f"{name}: a {type(value).__name__} cannot be sent as JSON")


def encode_date_time(name: str, value: datetime, source: object = None) -> Any:
    """Write a timezone-aware date-time as ISO 8601, UTC with `Z`; or as the source has it.

    Raises:
        InvalidArgumentError: the date-time has no timezone.
    """
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgumentError(
            f"{name}: {value.isoformat()} has no timezone; give an aware date-time, "
            "for example datetime.now(timezone.utc)"
        )
    if source is not None and _as_date_time(source) == value:
        return source
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text
