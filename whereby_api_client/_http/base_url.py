"""Where the API may be: https anywhere, plain http on this machine only."""

from __future__ import annotations

import contextlib
import ipaddress

from ..errors import InvalidArgumentError
from ._httpx import httpx


def checked_base_url(text: str, *, allow_insecure: bool) -> httpx.URL:
    """Return the URL, or say why the token must not go there."""
    url = None
    with contextlib.suppress(httpx.InvalidURL, TypeError, ValueError):
        url = httpx.URL(text)
    if url is None or url.scheme not in ("https", "http") or not url.host:
        raise InvalidArgumentError("base_url: must be like https://host/path")
    if url.userinfo or url.query or url.fragment:
        raise InvalidArgumentError("base_url: may hold no user, query or fragment")
    if url.scheme == "http" and not allow_insecure and not is_loopback(url.host):
        raise InvalidArgumentError(
            f"base_url: plain http to {url.host} would show the token to everybody on the way; "
            "use https, or allow_insecure=True"
        )
    return url


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: `localhost`, or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
