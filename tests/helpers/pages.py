"""The Python blocks of Markdown pages, run as they stand."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from whereby_api_client import WherebyClient
from whereby_api_client.testing import FakeWhereby


def python_blocks(page: Path) -> list[str]:
    """Return the Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


async def run_block(block: str, names: dict[str, Any]) -> None:
    """Run a block that may await at its top level, with these names; what it defines is added."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    result = eval(compile(block, "a block of the page", "exec", flags=flags), names)
    if inspect.isawaitable(result):
        await result


@asynccontextmanager
async def served(
    fake: FakeWhereby, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[WherebyClient]:
    """Serve it, give a client: and clients that name neither key nor address get the fake's."""
    monkeypatch.setenv("WHEREBY_API_KEY", fake.token)
    async with fake.serve() as url, WherebyClient(fake.token, base_url=url) as whereby:
        monkeypatch.setattr(*client_of(url))
        yield whereby


def client_of(url: str) -> tuple[str, Callable[..., WherebyClient]]:
    """Return what `monkeypatch.setattr` needs so that blocks that name no address use this one."""

    def make(*arguments: Any, **options: Any) -> WherebyClient:
        return WherebyClient(*arguments, **{"base_url": url, **options})

    return "whereby_api_client.WherebyClient", make
