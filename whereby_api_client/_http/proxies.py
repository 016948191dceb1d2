"""The proxies of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY."""

from __future__ import annotations

from urllib.request import getproxies


def environment_proxies() -> dict[str, str | None]:
    """Return the proxies of the environment as httpx's mounts; None means no proxy.

    httpx reads them itself only when it makes the transports itself, and offers no public function
    for it. Same rules: https://www.python-httpx.org/environment_variables/#proxies
    """
    variables = getproxies()
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        if address := variables.get(scheme):
            proxies[f"{scheme}://"] = address if "://" in address else f"http://{address}"
    if not proxies:
        return {}
    for host in map(str.strip, variables.get("no", "").split(",")):
        if host == "*":
            return {}
        if not host:
            continue
        if "://" in host:
            proxies[host] = None
        elif host.count(":") > 1 and not host.startswith("["):
            proxies[f"all://[{host.partition('/')[0]}]"] = None
        elif host.lower() == "localhost" or host.replace(".", "").replace("/", "").isdigit():
            proxies[f"all://{host}"] = None
        else:
            proxies[f"all://*{host}"] = None
    return proxies
