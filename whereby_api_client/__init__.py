"""Async-first Python client for the Whereby REST API."""

from __future__ import annotations

from ._logging import set_up_logging as _set_up_logging
from ._version import __version__
from .budget import BudgetSnapshot, PointBudget, RateLimit
from .client import WherebyClient
from .errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BudgetTimeoutError,
    ClientClosedError,
    DownloadAllError,
    DownloadError,
    InvalidArgumentError,
    JobError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestInfo,
    ResponseDecodeError,
    ResponseTooLargeError,
    ServerError,
    WherebyError,
)
from .pagination import Paginator
from .response import APIResponse
from .types import UNSET, ImageInput, Unset

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIResponse",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetSnapshot",
    "BudgetTimeoutError",
    "ClientClosedError",
    "DownloadAllError",
    "DownloadError",
    "ImageInput",
    "InvalidArgumentError",
    "JobError",
    "JobFailedError",
    "JobTimeoutError",
    "NotFoundError",
    "Paginator",
    "PermissionDeniedError",
    "PointBudget",
    "RateLimit",
    "RateLimitError",
    "RequestInfo",
    "ResponseDecodeError",
    "ResponseTooLargeError",
    "ServerError",
    "Unset",
    "WherebyClient",
    "WherebyError",
    "__version__",
]

_set_up_logging()

# A traceback should say whereby_api_client.NotFoundError: where a class is defined is our business.
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
