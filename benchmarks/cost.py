"""What the client costs: its import, a call, parsing a page, a model's memory.

Each figure stands beside what it is compared with, measured in turns in the same run, so that the
ratio holds on a noisy machine. `python -m benchmarks cost`.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pydantic
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from whereby_api_client import PointBudget, WherebyClient
from whereby_api_client.models import Transcription, TranscriptionPage
from whereby_api_client.observer import Observer
from whereby_api_client.otel import OTelObserver
from whereby_api_client.testing import FakeWhereby

DOCUMENT = Path(__file__).parents[1] / "openapi/whereby.patched.json"
SCHEMAS: dict[str, Any] = json.loads(DOCUMENT.read_text())["components"]["schemas"]
TRANSCRIPTION: dict[str, Any] = SCHEMAS["Transcription"]["example"]
MEETING: dict[str, Any] = SCHEMAS["Meeting"]["example"]


def alternate(rounds: int, **measures: Callable[[], float]) -> dict[str, float]:
    """Take the measures in turns, so that a slow moment hits all; return each one's median."""
    times: dict[str, list[float]] = {name: [] for name in measures}
    for measure in measures.values():
        measure()
    for _ in range(rounds):
        for name, measure in measures.items():
            times[name].append(measure())
    return {name: statistics.median(values) for name, values in times.items()}


def show(title: str, unit: str, base: str, figures: dict[str, float]) -> None:
    """Print a table with each figure's ratio to the base."""
    print(f"\n{title}")
    for name, value in figures.items():
        print(f"  {name:<34} {value:10.1f} {unit}   {value / figures[base]:6.2f} x")


def imports() -> None:
    """Import time of whole processes, less the bare interpreter."""

    # users import compiled files; some machines are set not to write any
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def process(code: str) -> Callable[[], float]:
        def measure() -> float:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            return (time.perf_counter() - start) * 1000

        return measure

    figures = alternate(
        20,
        bare=process("pass"),
        httpx=process("import httpx"),
        whereby_api_client=process("import whereby_api_client"),
        with_all_models=process(
            "import whereby_api_client.models as m; [getattr(m, n) for n in m.__all__]"
        ),
    )
    bare = figures.pop("bare")
    net = {name: value - bare for name, value in figures.items()}
    show(f"import (less {bare:.0f} ms for the interpreter)", "ms", "httpx", net)


def calls() -> None:
    """CPU of one call against raw httpx GET plus json.loads, on the same in-memory transport."""
    content = json.dumps(MEETING).encode()
    times = 1000

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "application/json"}, content=content)

    transport = httpx.MockTransport(respond)
    url = "https://api.whereby.dev/v1/meetings/1"

    async def main() -> None:
        raw = httpx.AsyncClient(transport=transport, headers={"authorization": "Bearer token"})
        # a huge limit: what is measured is the call, not the wait
        budget = PointBudget(limit=10**9)
        async with raw, WherebyClient("token", transport=transport, budget=budget) as whereby:

            async def with_httpx() -> float:
                start = time.process_time()
                for _ in range(times):
                    json.loads((await raw.get(url)).content)
                return (time.process_time() - start) / times * 1e6

            async def with_client() -> float:
                start = time.process_time()
                for _ in range(times):
                    await whereby.meetings.get("1")
                return (time.process_time() - start) / times * 1e6

            durations: dict[str, list[float]] = {
                "raw httpx + json.loads": [],
                "whereby.meetings.get": [],
            }
            for _ in range(15):
                durations["raw httpx + json.loads"].append(await with_httpx())
                durations["whereby.meetings.get"].append(await with_client())
        figures = {name: statistics.median(values) for name, values in durations.items()}
        show("one call, CPU", "µs", "raw httpx + json.loads", figures)

    asyncio.run(main())


def _serve(sender: Any) -> None:
    async def main() -> None:
        fake = FakeWhereby(limit=10**9)
        async with fake.serve() as url:
            sender.send((url, fake.token))
            await asyncio.Event().wait()

    asyncio.run(main())


def observers() -> None:
    """Time of one call to the fake over a loopback socket, observed and not, in pairs."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=[sender], daemon=True)
    server.start()
    url, token = receiver.recv()
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(exporter))
    meters = MeterProvider([InMemoryMetricReader()])
    kinds: dict[str, Observer | None] = {
        "no observer, twice": None,
        "an idle observer": Observer(),
        "OTelObserver, API alone": OTelObserver(),
        "OTelObserver, SDK, batched": OTelObserver(tracers, meters),
    }
    times, rounds = 25, 60

    def client(observer: Observer | None) -> WherebyClient:
        budget = PointBudget(limit=10**9)
        return WherebyClient(token, base_url=url, budget=budget, observer=observer)

    async def measure(whereby: WherebyClient) -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            await whereby.meetings.list()
        per_call = 1e6 / times
        return (time.perf_counter() - wall) * per_call, (time.process_time() - cpu) * per_call

    async def main() -> None:
        print("\none call over loopback, median of the ratios of pairs (and the CPU beyond)")
        async with client(None) as plain:
            await measure(plain)
            for name, observer in kinds.items():
                async with client(observer) as observed:
                    await measure(observed)
                    pairs = []
                    for number in range(rounds):
                        both = [plain, observed][:: 1 if number % 2 else -1]
                        seconds = {whereby: await measure(whereby) for whereby in both}
                        pairs.append((seconds[plain], seconds[observed]))
                        exporter.clear()
                ratio = statistics.median(on / off for (off, _), (on, _) in pairs)
                alone = statistics.median(off for (off, _), _ in pairs)
                cpu = statistics.median(on - off for (_, off), (_, on) in pairs)
                print(f"  {name:<34} {alone:8.0f} µs alone   {ratio:6.3f} x   {cpu:+6.0f} µs CPU")

    asyncio.run(main())
    server.terminate()


class _Pydantic(pydantic.BaseModel):
    transcriptionId: str
    roomSessionId: str
    roomName: str
    createdAt: pydantic.AwareDatetime
    startDate: pydantic.AwareDatetime
    endDate: pydantic.AwareDatetime
    state: str
    type: str
    durationInSeconds: float | None = None
    filename: str | None = None
    storageType: str | None = None


class _PydanticPage(pydantic.BaseModel):
    results: list[_Pydantic]
    cursor: str | None


_DATES = ("createdAt", "startDate", "endDate")
_Struct: Any = msgspec.defstruct(
    "_Struct", [(name, datetime if name in _DATES else Any) for name in TRANSCRIPTION]
)
_StructPage = msgspec.defstruct("_StructPage", [("results", list[_Struct]), ("cursor", Any)])


def parsing() -> None:
    """A page of 100 transcriptions: JSON to dicts, and dicts to models."""
    text = json.dumps({"results": [TRANSCRIPTION] * 100, "cursor": None})
    parsed = json.loads(text)
    times = 200

    def timed(action: Callable[[], object]) -> Callable[[], float]:
        def measure() -> float:
            start = time.perf_counter()
            for _ in range(times):
                action()
            return (time.perf_counter() - start) / times * 1e6

        return measure

    figures = alternate(
        25,
        **{
            "json.loads": timed(lambda: json.loads(text)),
            "TranscriptionPage.from_dict": timed(lambda: TranscriptionPage.from_dict(parsed)),
            "msgspec.convert": timed(lambda: msgspec.convert(parsed, _StructPage)),
            "pydantic model_validate": timed(lambda: _PydanticPage.model_validate(parsed)),
        },
    )
    show("parsing a page of 100 transcriptions", "µs", "json.loads", figures)


def memory() -> None:
    """Bytes that one parsed model holds, its JSON included."""
    text = json.dumps(TRANSCRIPTION)

    def per_object(make: Callable[[], object]) -> float:
        make()
        tracemalloc.start()
        kept = [make() for _ in range(2000)]
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size / len(kept)

    show(
        "memory of one transcription",
        "B ",
        "json.loads",
        {
            "json.loads": per_object(lambda: json.loads(text)),
            "Transcription.from_dict": per_object(
                lambda: Transcription.from_dict(json.loads(text))
            ),
            "pydantic": per_object(lambda: _Pydantic.model_validate_json(text)),
        },
    )


def main() -> None:
    """Print all figures."""
    imports()
    calls()
    observers()
    parsing()
    memory()
