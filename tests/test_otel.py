"""The extra `otel`: spans and metrics of a client."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.helpers.virtual import anyio_backend
from whereby_api_client import NotFoundError, PointBudget, WherebyClient
from whereby_api_client._http._httpx import httpx
from whereby_api_client.otel import OTelObserver

pytestmark = pytest.mark.anyio

__all__ = ["anyio_backend"]


class Telemetry:
    """An observed client on a server in memory, and what it exports."""

    def __init__(self, responses: list[httpx.Response]) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        observer = OTelObserver(self.tracers, MeterProvider([self._reader]))

        async def handler(request: httpx.Request) -> httpx.Response:
            await anyio.sleep(0.25)
            return responses.pop(0)

        self.whereby = WherebyClient(
            "token-1234567890",
            budget=PointBudget(2, clock=anyio.current_time),
            transport=httpx.MockTransport(handler),
            observer=observer,
        )

    def spans(self) -> list[ReadableSpan]:
        """Return the spans by the time of their beginning."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def metrics(self) -> dict[str, Any]:
        """Return the sum or the count of each metric."""
        data = self._reader.get_metrics_data()
        return {
            metric.name: sum(
                point.value if isinstance(point, NumberDataPoint) else point.count
                for point in metric.data.data_points
            )
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def page() -> httpx.Response:
    """Respond with an empty list."""
    return httpx.Response(200, json={"results": [], "cursor": None}, headers={"x-request-id": "r"})


def parent_of(span: ReadableSpan) -> object:
    """Return the context of the span above."""
    return span.parent


async def test_spans_of_a_call() -> None:
    """Make a span for the call below the caller's own, attempts and waits below that."""
    refused = httpx.Response(429, headers={"retry-after": "3.0"})
    telemetry = Telemetry([refused, page()])
    with telemetry.tracers.get_tracer("test").start_as_current_span("job") as job:
        await telemetry.whereby.meetings.list()
    names = [span.name for span in telemetry.spans()]
    assert sorted(names) == ["attempt 1", "attempt 2", "job", "meetings.list", "wait for points"]
    by_name = {span.name: span for span in telemetry.spans()}
    call = by_name["meetings.list"]
    assert parent_of(call) == job.get_span_context()
    assert call.attributes == {
        "whereby.operation": "meetings.list",
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "whereby.points": 1,
        "whereby.request_id": "r",
    }
    for name in ("attempt 1", "attempt 2", "wait for points"):
        assert parent_of(by_name[name]) == call.get_span_context()

    def seconds(span: ReadableSpan) -> float:
        return ((span.end_time or 0) - (span.start_time or 0)) / 1e9

    assert seconds(by_name["attempt 1"]) == pytest.approx(0.25, abs=0.01)
    assert seconds(by_name["wait for points"]) == pytest.approx(3, abs=0.01)
    assert seconds(call) == pytest.approx(3.5, abs=0.02)


async def test_a_plain_call_is_one_span() -> None:
    """Make no further spans for a call whose only attempt did not have to wait."""
    telemetry = Telemetry([page()])
    await telemetry.whereby.meetings.list()
    assert [span.name for span in telemetry.spans()] == ["meetings.list"]


async def test_a_failed_call_is_an_error() -> None:
    """Mark the span of a call that fails with the name of its error."""
    telemetry = Telemetry([httpx.Response(404)])
    with pytest.raises(NotFoundError):
        await telemetry.whereby.meetings.get("m")
    call = next(span for span in telemetry.spans() if span.name == "meetings.get")
    assert not call.status.is_ok
    assert dict(call.attributes or {})["error.type"] == "NotFoundError"


async def test_metrics() -> None:
    """Count points that are used, refused and waited for, and measure how long things take."""
    telemetry = Telemetry([page(), page(), page(), httpx.Response(429), page()])
    for _ in range(2):
        await telemetry.whereby.meetings.list()

    async def call() -> None:
        await telemetry.whereby.meetings.list()

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        assert telemetry.metrics()["whereby.points.waiting"] == 1
    await telemetry.whereby.meetings.list()
    metrics = telemetry.metrics()
    assert metrics["whereby.points.used"] == 4
    assert metrics["whereby.points.refused"] == 1
    assert metrics["whereby.points.waiting"] == 0
    assert metrics["whereby.pauses"] == 1
    assert metrics["whereby.call.duration"] == 4
    assert metrics["whereby.wait.duration"] >= 2
