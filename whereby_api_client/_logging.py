"""One switch for the package's log: the environment variable WHEREBY_LOG."""

from __future__ import annotations

import logging
import os
from typing import Final

VARIABLE: Final = "WHEREBY_LOG"
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def set_up_logging() -> None:
    """Write the log to standard error if WHEREBY_LOG is debug, info or warning.

    For a look at what happens. A program that sets up logging by itself needs none of this.
    """
    name = os.environ.get(VARIABLE, "").strip().lower()
    if not name:
        return
    logger = logging.getLogger("whereby_api_client")
    if name not in _LEVELS:
        logger.warning("%s must be one of %s; got %r", VARIABLE, ", ".join(_LEVELS), name)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[name])
