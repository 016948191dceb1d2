"""The models and enums of the API, each loaded when it is first used.

`from whereby_api_client.models import Meeting`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._generated import models as _models

if TYPE_CHECKING:
    from ._generated.models import *  # noqa: F403

__all__ = _models.__all__  # pyright: ignore[reportUnsupportedDunderAll]
__getattr__: Callable[[str], Any] = _models.__getattr__
__dir__: Callable[[], list[str]] = _models.__dir__
