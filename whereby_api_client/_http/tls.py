"""TLS contexts: made once per process, off the event loop."""

from __future__ import annotations

import os
import ssl
from typing import Final

import anyio.to_thread

from ..errors import InvalidArgumentError
from ._httpx import httpx

# Python's ssl reads the third.
_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")

# By the values of these variables: loading the certificates takes 20 ms.
_contexts: Final[dict[tuple[str | None, ...], ssl.SSLContext]] = {}


async def default_context() -> ssl.SSLContext:
    """Return the context that trusts the usual authorities, or those of SSL_CERT_FILE.

    Raises:
        InvalidArgumentError: what SSL_CERT_FILE or SSL_CERT_DIR names cannot be loaded.
    """
    key = tuple(map(os.environ.get, _VARIABLES))
    if key not in _contexts:
        _contexts[key] = await anyio.to_thread.run_sync(_load)
    return _contexts[key]


def without_authorities() -> ssl.SSLContext:
    """Return a context for pools that never speak TLS: it trusts nobody, and loads nothing."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _load() -> ssl.SSLContext:
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        # as httpx 0.28 reads them; 0.27 ignores what is not there
        if file or folder:
            return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    set_variables = [f"{name}={value!r}" for name in _VARIABLES if (value := os.environ.get(name))]
    raise InvalidArgumentError(
        f"cannot load the TLS certificates: {reason} ({', '.join(set_variables) or 'of certifi'})"
    )
