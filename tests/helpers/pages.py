"""The Python blocks of Markdown pages, run as they stand."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from whereby_api_client import WherebyClient


def python_blocks(page: Path) -> list[str]:
    """Return the Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


async def run_block(block: str, names: dict[str, Any]) -> None:
    """Run a block that may await at its top level, with these names; what it defines is added."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    result = eval(compile(block, "a block of the page", "exec", flags=flags), names)
    if inspect.isawaitable(result):
        await result


def client_of(url: str) -> tuple[str, Callable[..., WherebyClient]]:
    """Return what `monkeypatch.setattr` needs so that blocks that name no address use this one."""

    def make(*arguments: Any, **options: Any) -> WherebyClient:
        return WherebyClient(*arguments, **{"base_url": url, **options})

    return "whereby_api_client.WherebyClient", make
