"""The recipes of the documentation, each run in its own framework."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import trustme

from whereby_api_client import APIConnectionError, PointBudget
from whereby_api_client.testing import FakeWhereby
from whereby_api_client.testing.webhooks import WebhookSender, recording_finished
from whereby_api_client.webhooks import sign

from ..helpers.django_project import django_project
from ..helpers.pages import client_of, python_blocks
from ..helpers.redis_server import RedisServer, find_binary
from ..helpers.servers import tls_server

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
SECRET = "secret-of-an-endpoint"
IN_CI = bool(os.environ.get("CI"))


@pytest.fixture
def fake() -> FakeWhereby:
    """Make a fake whose jobs are done at once."""
    return FakeWhereby(job_time=0)


@pytest.fixture
def url(fake: FakeWhereby, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve it: clients that name no address, key or secret get those of the fake."""
    monkeypatch.setenv("WHEREBY_API_KEY", fake.token)
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", SECRET)
    with fake.serve() as url:
        monkeypatch.setattr(*client_of(url))
        yield url


def load(page: str, tmp_path: Path, index: int = 0, **changes: str) -> ModuleType:
    """Import a block of a recipe as a module, with settings of the test put in."""
    block = python_blocks(RECIPES / page)[index]
    for name, value in changes.items():
        block, count = re.subn(
            rf'^{name} = ".*"$', f'{name} = "{value}"', block, flags=re.MULTILINE
        )
        assert count == 1
    name = f"recipe_{page.removesuffix('.md')}_{index}"
    file = tmp_path / f"{name}.py"
    file.write_text(block)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def need(framework: str) -> Any:
    """Import a framework; without it the test is skipped, but never in CI."""
    return importlib.import_module(framework) if IN_CI else pytest.importorskip(framework)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """Run a Valkey."""
    if find_binary() is None and not IN_CI:
        pytest.skip("there is no Valkey or Redis server")
    with RedisServer() as server:
        yield server.url


def test_fastapi(fake: FakeWhereby, url: str, tmp_path: Path) -> None:
    """Create and get a meeting, get 404 and 503, receive a webhook."""
    need("fastapi")
    app = load("fastapi.md", tmp_path).app
    sender = WebhookSender("http://test/webhooks", SECRET, app=app)

    async def use() -> None:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://test"
            ) as browser,
        ):
            created = await browser.post("/meetings?minutes=10")
            assert created.status_code == 201
            (meeting,) = fake.meetings.all()
            assert created.json() == {"id": meeting.meeting_id, "url": meeting.room_url}
            response = await browser.get(f"/meetings/{meeting.meeting_id}")
            assert response.json()["roomUrl"] == meeting.room_url
            assert (await browser.get("/meetings/nobody")).status_code == 404
            event = recording_finished(fake.add_recording())
            assert await sender.send(event) == 200
            assert await sender.send(event, secret="guess") == 401
            fake.spend(10_000)
            assert (await browser.post("/meetings")).status_code == 503

    asyncio.run(use())


def test_django(fake: FakeWhereby, url: str, tmp_path: Path) -> None:
    """Create a meeting and receive a webhook through Django's own handler and middleware."""
    browsers = need("django.test")
    module = load("django.md", tmp_path)
    body = recording_finished(fake.add_recording()).body

    async def use() -> None:
        stranger = browsers.AsyncClient(enforce_csrf_checks=True)
        # a form needs Django's token, Whereby does not
        assert (await stranger.post("/meetings")).status_code == 403
        created = await browsers.AsyncClient().post("/meetings")
        assert created.status_code == 201
        assert created.json() == {"url": fake.meetings.all()[0].room_url}
        for signature, status in ((sign(body, SECRET), 200), (sign(body, "guess"), 401)):
            response = await stranger.post(
                "/webhooks",
                data=body,
                content_type="application/json",
                headers={"Whereby-Signature": signature},
            )
            assert response.status_code == status
        await module.whereby.aclose()

    with django_project(module):
        asyncio.run(use())


def test_celery(fake: FakeWhereby, url: str, redis_url: str, tmp_path: Path) -> None:
    """A worker of Celery's transcribes what is put into the queue."""
    start_worker = need("celery.contrib.testing.worker").start_worker
    # otherwise Celery sets the level of the root logger, for all tests that come after
    need("celery.signals").setup_logging.connect(lambda **_: None, weak=False)
    module = load("workers.md", tmp_path, REDIS=redis_url)
    module.app.conf.update(broker_url="memory://", result_backend="cache+memory://")
    recording = fake.add_recording()
    with start_worker(module.app, perform_ping_check=False, pool="solo"):
        results = [module.transcribe.delay(recording.recording_id) for _ in range(2)]
        ids = {result.get(timeout=60) for result in results}
    assert ids == {transcription.transcription_id for transcription in fake.transcriptions.all()}
    module.whereby.budget.close()


@pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")  # arq's own
def test_arq(fake: FakeWhereby, url: str, redis_url: str, tmp_path: Path) -> None:
    """A worker of arq's transcribes what is put into the queue."""
    # arq (0.28) needs redis<6: installed with the rest, it would hold back the redis of all other
    # tests. `.ci/matrix.py arq` has an environment for it.
    arq = pytest.importorskip("arq")
    create_worker = importlib.import_module("arq.worker").create_worker
    module = load("workers.md", tmp_path, index=1, REDIS=redis_url)
    recording = fake.add_recording()

    async def use() -> None:
        settings = arq.connections.RedisSettings.from_dsn(redis_url)
        queue = await arq.create_pool(settings)
        job = await queue.enqueue_job("transcribe", recording.recording_id)
        worker = create_worker(
            module.WorkerSettings, redis_settings=settings, burst=True, handle_signals=False
        )
        await worker.async_run()
        (transcription,) = fake.transcriptions.all()
        assert await job.result(timeout=10) == transcription.transcription_id
        await worker.close()
        await queue.aclose()

    asyncio.run(use())


def test_lambda(fake: FakeWhereby, url: str, tmp_path: Path) -> None:
    """Two handlers, called as the runtime calls them: synchronously, again and again."""
    module = load("lambda.md", tmp_path)
    for count in (1, 2):
        response = module.create({"body": json.dumps({"minutes": 5})}, None)
        assert response["statusCode"] == 201
        assert len(fake.meetings.all()) == count
    body = recording_finished(fake.add_recording()).body
    for signature, status in ((sign(body, SECRET), 200), (sign(body, "guess"), 401)):
        for encoded in (False, True):
            event = {
                "body": base64.b64encode(body).decode() if encoded else body.decode(),
                "isBase64Encoded": encoded,
                "headers": {"whereby-signature": signature},
            }
            assert module.webhook(event, None) == {"statusCode": status}
    fake.spend(10_000)
    assert module.create({}, None)["statusCode"] == 503
    asyncio.run(module.whereby.aclose())


@pytest.mark.slow  # starts a kernel
def test_notebook(fake: FakeWhereby, url: str, tmp_path: Path) -> None:
    """The cells run in a kernel of Jupyter's."""
    need("ipykernel")
    nbformat = need("nbformat")
    nbclient = need("nbclient")
    fake.add_room_insights(room_name="/standup")
    fake.add_recording(room_name="/standup")
    cells = python_blocks(RECIPES / "notebook.md")
    cells[0] = cells[0].replace("WherebyClient()", f"WherebyClient(base_url={url!r})")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [cell.outputs[0].data["text/plain"] for cell in notebook.cells[1:3]]
    assert "/standup" in outputs[0]
    assert "'roomName': '/standup'" in outputs[1]


def test_tenants(tmp_path: Path) -> None:
    """Each organization has its own key and its own points; the connections are shared."""
    module = load("tenants.md", tmp_path)
    fake = FakeWhereby()
    fake.add_meeting()

    async def use() -> None:
        async with fake.client() as whereby:
            counted = await module.count_meetings(whereby, {"a": fake.token, "b": fake.token})
            assert counted == {"a": 1, "b": 1}
            view = module.client_for(whereby, "a", fake.token)
            assert view.budget is module.budgets["a"]
            assert view.budget is not module.budgets["b"]
            assert isinstance(view.budget, PointBudget)

    asyncio.run(use())


def test_machines(fake: FakeWhereby, url: str, redis_url: str, tmp_path: Path) -> None:
    """Several at once see the same recordings and share the points."""
    module = load("machines.md", tmp_path)
    fake.add_recording()

    async def use() -> list[int]:
        return list(await asyncio.gather(*(module.count_recordings(redis_url) for _ in range(3))))

    assert asyncio.run(use()) == [1, 1, 1]


def test_synchronous(
    fake: FakeWhereby, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script deletes the meetings of a prefix; threads ask for the newest recording."""
    script = load("synchronous.md", tmp_path)
    for prefix in ("test-", "test-", "kept-"):
        fake.add_meeting(request={"roomNamePrefix": prefix})
    script.main()
    assert capsys.readouterr().out == "2 meetings deleted\n"
    (kept,) = fake.meetings.all()
    assert kept.room_name.startswith("/kept-")

    threads = load("synchronous.md", tmp_path, index=1)
    threads.serve()
    recording = fake.add_recording()
    thread = threading.Thread(target=threads.serve)
    thread.start()
    thread.join()
    assert capsys.readouterr().out == f"None\n{recording.recording_id}\n"


def test_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that asks for a client certificate lets this client in, and no other.

    The usual authorities are trusted as before.
    """
    company, usual = trustme.CA(), trustme.CA()
    company.cert_pem.write_to_path(tmp_path / "company.pem")
    usual.cert_pem.write_to_path(tmp_path / "usual.pem")
    for name, authority in (("trusted", company), ("stranger", trustme.CA())):
        issued = authority.issue_cert("client")
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "usual.pem"))
    monkeypatch.setenv("WHEREBY_API_KEY", "key")

    async def reach(url: str, certificate: str) -> None:
        monkeypatch.setattr(*client_of(url))
        make = load("network.md", tmp_path).through_the_company
        async with make(str(tmp_path / "company.pem"), str(tmp_path / certificate)) as whereby:
            assert await whereby.with_options(max_retries=0).request("GET", "/") == {}

    async def use() -> None:
        async with tls_server(company, needs_certificate=True) as gateway, tls_server(usual) as url:
            await reach(gateway, "trusted.pem")
            await reach(url, "trusted.pem")
            with pytest.raises(APIConnectionError):
                await reach(gateway, "stranger.pem")

    asyncio.run(use())
