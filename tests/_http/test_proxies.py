"""The proxies of the environment."""

from __future__ import annotations

import httpx
import pytest

from whereby_api_client._http.proxies import environment_proxies

from ..helpers.transports import Script


@pytest.mark.parametrize(
    ("variables", "url", "proxied"),
    [
        ({}, "https://api.whereby.dev/v1", False),
        ({"https_proxy": "http://proxy:3128"}, "https://api.whereby.dev/v1", True),
        ({"HTTPS_PROXY": "proxy:3128"}, "https://api.whereby.dev/v1", True),
        ({"http_proxy": "http://proxy:3128"}, "https://api.whereby.dev/v1", False),
        ({"all_proxy": "http://proxy:3128"}, "https://api.whereby.dev/v1", True),
        ({"all_proxy": "http://p", "no_proxy": "whereby.dev"}, "https://api.whereby.dev", False),
        ({"all_proxy": "http://p", "no_proxy": ".whereby.dev"}, "https://api.whereby.dev", False),
        ({"all_proxy": "http://p", "no_proxy": "a.dev, *"}, "https://api.whereby.dev", False),
        ({"all_proxy": "http://p", "no_proxy": "dev.a"}, "https://api.whereby.dev", True),
        ({"all_proxy": "http://p", "no_proxy": "https://api.whereby.dev"}, "https://a.dev", True),
        ({"all_proxy": "http://p", "no_proxy": "localhost"}, "http://localhost:1", False),
        ({"all_proxy": "http://p", "no_proxy": "127.0.0.1"}, "http://127.0.0.1:1", False),
        ({"all_proxy": "http://p", "no_proxy": "::1"}, "http://[::1]:1", False),
        ({"all_proxy": "http://p", "no_proxy": "127.0.0.1"}, "http://127.0.0.2:1", True),
    ],
)
def test_proxies_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxied: bool
) -> None:
    """Choose the same way as httpx does by itself."""
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    mounts: dict[str, httpx.AsyncBaseTransport | None] = {
        pattern: None if proxy is None else Script(200)
        for pattern, proxy in environment_proxies().items()
    }
    direct = Script(200)
    ours = httpx.AsyncClient(transport=direct, mounts=mounts, trust_env=False)
    assert (ours._transport_for_url(httpx.URL(url)) is not direct) is proxied
    theirs = httpx.AsyncClient(verify=False)
    assert (theirs._transport_for_url(httpx.URL(url)) is not theirs._transport) is proxied
