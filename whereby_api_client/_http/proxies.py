"""The proxies of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from typing import Any
from urllib.request import getproxies

from ..errors import InvalidArgumentError
from ._httpx import httpx

Proxies = dict[str, "httpx.Proxy | None"]


def environment_proxies() -> Proxies:
    """Return the proxies of the environment by httpx's URL pattern; None means no proxy.

    httpx reads them itself only when it makes the transports itself, and offers no public function
    for it. Same rules: https://www.python-httpx.org/environment_variables/#proxies, and one more:
    this machine is never reached through a proxy.

    Raises:
        InvalidArgumentError: one of the variables holds no usable proxy.
    """
    variables = getproxies()
    proxies: Proxies = {}
    for scheme in ("http", "https", "all"):
        if address := variables.get(scheme):
            address = address if "://" in address else f"http://{address}"
            proxies[f"{scheme}://"] = make_proxy(f"{scheme.upper()}_PROXY", address)
    if not proxies:
        return {}
    for entry in map(str.strip, variables.get("no", "").split(",")):
        if entry == "*":
            return {}
        if entry and (pattern := _pattern(entry)) is not None:
            proxies[pattern] = None
    # The token would go there in the clear, and "localhost" means another machine to the proxy.
    for host in ("localhost", "127.0.0.1", "[::1]"):
        proxies[f"all://{host}"] = None
    return proxies


def make_proxy(name: str, address: Any) -> httpx.Proxy:
    """Return a proxy; `name` is the argument or the variable that it comes from.

    Raises:
        InvalidArgumentError: it is no address of a proxy, or needs a package that is missing.
    """
    if isinstance(address, httpx.Proxy):
        proxy: httpx.Proxy | None = address
    else:
        proxy = None
        with contextlib.suppress(httpx.InvalidURL, ValueError, TypeError):
            proxy = httpx.Proxy(address)
    # Never with the address: it can hold a password.
    if (
        proxy is None
        or re.fullmatch(rb"[\w.:-]+", proxy.url.raw_host) is None  # httpx takes more than hosts
        or not 0 <= (proxy.url.port or 0) <= 65535
    ):
        raise InvalidArgumentError(
            f"{name}: cannot be used as a proxy; it must be http://host:port, https://… or socks5://…"
        )
    if proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise InvalidArgumentError(
            f"{name}: a SOCKS proxy needs the package socksio: pip install 'httpx[socks]'"
        )
    return proxy


def _pattern(entry: str) -> str | None:
    """Return an entry of NO_PROXY as httpx's URL pattern; None if it can match no host."""
    host = entry.partition("/")[0]
    if "://" in entry:
        pattern = entry
    elif host.startswith("[") or host.count(":") > 1:
        pattern = f"all://{host}" if "]:" in host else f"all://[{host.strip('[]')}]"
    elif host.lower() == "localhost" or host.replace(".", "").isdigit():
        pattern = f"all://{host}"
    else:
        pattern = f"all://*{entry.lstrip('*')}"
    try:
        return pattern if httpx.URL(pattern).host else None
    except (httpx.InvalidURL, ValueError):
        return None
