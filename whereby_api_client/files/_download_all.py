"""One `download_all`: many downloads, some at a time."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from pathlib import Path
from typing import Final, Generic, TypeVar

import anyio

from ..errors import DownloadAllError, DownloadError, WherebyError
from ._file_names import printable

ItemT = TypeVar("ItemT")

# After these no other file could be written either.
_FATAL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class _AsyncIterator(AsyncIterator[ItemT]):
    """An ordinary iterable as an asynchronous one."""

    def __init__(self, items: Iterable[ItemT]) -> None:
        self._items = iter(items)

    async def __anext__(self) -> ItemT:
        for item in self._items:
            return item
        raise StopAsyncIteration


class DownloadAll(Generic[ItemT]):
    """Downloads items with `download`, and collects their paths and errors by id."""

    def __init__(
        self,
        id_of: Callable[[ItemT], str],
        download: Callable[[ItemT, str], Awaitable[Path]],
        concurrency: int,
    ) -> None:
        self._id_of = id_of
        self._download = download
        self._slots = anyio.Semaphore(concurrency)
        # By id, in the order of the items; None until it is complete.
        self._paths: dict[str, Path | None] = {}
        self._errors: dict[str, WherebyError] = {}
        self._fatal: Exception | None = None

    async def run(self, items: AsyncIterable[ItemT] | Iterable[ItemT]) -> list[Path]:
        """Download the items; return the paths of all, or raise what went wrong."""
        iterator = items.__aiter__() if isinstance(items, AsyncIterable) else _AsyncIterator(items)
        async with contextlib.AsyncExitStack() as stack:
            if isinstance(iterator, AsyncGenerator):
                stack.push_async_callback(iterator.aclose)
            tasks = await stack.enter_async_context(anyio.create_task_group())
            try:
                async for item in iterator:
                    item_id = self._id_of(item)
                    if item_id in self._paths:
                        continue
                    self._paths[item_id] = None
                    await self._slots.acquire()
                    tasks.start_soon(self._download_item, item, item_id, tasks.cancel_scope)
            except Exception as error:
                self._stop(error, tasks.cancel_scope)
        return self._result()

    async def _download_item(self, item: ItemT, item_id: str, scope: anyio.CancelScope) -> None:
        try:
            self._paths[item_id] = await self._download(item, item_id)
        except WherebyError as error:
            self._errors[item_id] = error
        except OSError as error:
            if error.errno in _FATAL:
                self._stop(error, scope)
            else:
                reason = error.strerror or type(error).__name__
                problem = DownloadError(
                    f"{printable(item_id)}: the file cannot be written: {reason}"
                )
                problem.__cause__ = error
                self._errors[item_id] = problem
        except Exception as error:  # such as one of the progress callback
            self._stop(error, scope)
        finally:
            self._slots.release()

    def _stop(self, error: Exception, scope: anyio.CancelScope) -> None:
        self._fatal = error
        scope.cancel()

    def _result(self) -> list[Path]:
        if self._fatal is not None:
            raise self._fatal
        paths = [path for path in self._paths.values() if path is not None]
        if self._errors:
            first_id, first_error = next(iter(self._errors.items()))
            raise DownloadAllError(
                f"{len(self._errors)} of {len(self._paths)} files could not be downloaded; "
                f"{printable(first_id)}: {printable(str(first_error), 500)}",
                paths=paths,
                errors=self._errors,
            )
        return paths
