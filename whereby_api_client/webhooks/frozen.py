"""JSON that cannot be changed: several handlers get the same event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

ValueT = TypeVar("ValueT")


class FrozenMapping(Mapping[str, ValueT]):
    """A mapping that cannot be changed, but compared, hashed and pickled."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, ValueT] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> ValueT:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)


def freeze(value: Any) -> Any:
    """Return the same JSON with frozen objects, and tuples for its arrays."""
    if isinstance(value, Mapping):
        return FrozenMapping({name: freeze(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return tuple(freeze(inner) for inner in value)
    return value
