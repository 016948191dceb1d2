"""One API call as a value, and the base of the generated resource classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from ..types import UNSET

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from ..budget.queue import Priority
    from ..files.access_links import LinkResponse

T = TypeVar("T")


# A named tuple: attrs is loaded with the first model, not with the package.
class Call(NamedTuple, Generic[T]):
    """One API call: everything that is needed to send it, any number of times.

    `path` and `query` are percent-encoded already. `repeatable` says that sending it again after a
    lost response cannot create a second thing; `empty` that its success has no body; `raw` that
    `parse` gets its bytes, which are no JSON.
    """

    operation: str
    method: str
    path: str
    cost: int
    parse: Callable[[Any], T]
    query: str = ""
    json: Any = UNSET
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    repeatable: bool = False
    empty: bool = False
    raw: bool = False
    headers: Mapping[str, str] | None = None


class Caller(ABC):
    """What a resource needs of the client: execute calls, and open links."""

    @abstractmethod
    async def execute(self, call: Call[T]) -> T:
        """Send the call and return its parsed result."""

    @abstractmethod
    def with_options(self, *, priority: Priority) -> Caller:
        """Return a caller of the same client with another priority."""

    @abstractmethod
    def _until_closed(self) -> AbstractContextManager[None]:
        """Run a `with` block until the client is closed, then end it with ClientClosedError."""

    @abstractmethod
    def open_link(
        self, link: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """Open an access link: it costs no points, and no token is sent."""


class Resource:
    """Base of the generated resource classes: one per tag of the document."""

    __slots__ = ("_caller",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller


def nothing(_: object) -> None:
    """Return None for a response without a body."""


def optional(parse: Callable[[Any], T], value: Any) -> T | None:
    """Parse the JSON of a response that can be null."""
    return None if value is None else parse(value)


def anything(value: Any) -> Any:
    """Return the JSON of a response whose type the document does not describe."""
    return value
