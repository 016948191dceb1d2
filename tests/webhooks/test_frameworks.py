"""Do the recipes of docs/webhooks.md receive deliveries at the documented path?"""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any

import anyio.lowlevel
import httpx
import pytest

from tests.helpers.pages import python_blocks
from whereby_api_client.webhooks import Event, sign

from ..helpers.django_project import django_project

pytestmark = pytest.mark.anyio

SECRET = "made-up-secret-of-an-endpoint"
PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
FRAMEWORKS = ("starlette.applications", "fastapi", "django", "quart")


def delivery(event_id: str) -> bytes:
    """Write an event as Whereby does."""
    data = {"recordingId": "r-1", "roomName": "/støtte"}
    event = {"id": event_id, "type": "recording.finished", "data": data}
    return json.dumps(event, ensure_ascii=False).encode()


def recipe(framework: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the blocks of the page up to the one of the framework; return its names."""
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", SECRET)
    names: dict[str, Any] = {"__name__": "recipe"}
    for block in python_blocks(PAGE):
        used = [name for name in FRAMEWORKS if f"from {name}" in block]
        if not used or framework in used:
            exec(block, names)
        if framework in used:
            return names
    raise AssertionError(f"the page has no recipe for {framework}")


async def check(app: Any, names: dict[str, Any]) -> None:
    """Deliver to the documented path, as it is and in every way that is to be refused."""
    events: list[str] = []

    @names["hooks"].on(Event)  # type: ignore[untyped-decorator]
    async def note(event: Event[Any]) -> None:
        events.append(event.id)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://service.test") as http:

        async def post(body: bytes, header: str | None) -> int:
            headers = {"Content-Type": "application/json"}
            if header is not None:
                headers["Whereby-Signature"] = header
            return (await http.post("/webhooks", content=body, headers=headers)).status_code

        body = delivery("e-1")
        assert await post(body, sign(body, SECRET)) == 200
        assert await post(body, sign(body, SECRET)) == 200
        assert await post(body, sign(body, "a forger's guess")) == 401
        assert await post(body, None) == 401
        assert await post(body + b" ", sign(body, SECRET)) == 401
        assert await post(b"{}", sign(b"{}", SECRET)) == 400
        assert (await http.get("/webhooks")).status_code == 405
    assert events == ["e-1"]


@pytest.mark.parametrize("framework", ["starlette.applications", "fastapi"])
async def test_route(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receive deliveries by a route, on asyncio and on trio."""
    names = recipe(framework, monkeypatch)
    assert type(names["app"]).__module__.startswith(framework)
    await check(names["app"], names)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_django(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receive deliveries in a view of Django, through its ASGI handler."""
    urls = types.ModuleType("recipe_urls")
    with django_project(urls):
        from django.core.asgi import get_asgi_application

        names = recipe("django", monkeypatch)
        urls.urlpatterns = names["urlpatterns"]  # type: ignore[attr-defined]
        await check(get_asgi_application(), names)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_quart(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receive deliveries in a route of Quart."""
    names = recipe("quart", monkeypatch)
    await check(names["app"], names)


@pytest.mark.parametrize("framework", ["starlette.applications", "fastapi"])
async def test_mount(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say the truth on the page: a mounted application is not at the path without the slash."""
    names = recipe(framework, monkeypatch)
    app = type(names["app"])()
    app.mount("/webhooks", names["hooks"])
    body = delivery("e-1")
    headers = {"Whereby-Signature": sign(body, SECRET)}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://service.test") as http:
        for path, status in (("/webhooks", 307), ("/webhooks/", 200)):
            response = await http.post(path, content=body, headers=headers)
            assert response.status_code == status
    await anyio.lowlevel.checkpoint()
