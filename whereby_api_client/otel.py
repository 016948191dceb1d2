"""Traces and metrics for OpenTelemetry: the extra `otel`.

    from whereby_api_client.otel import OTelObserver

    whereby = WherebyClient(observer=OTelObserver())

A span for each call, named after its operation, with its attempts and its waits for points below
it; and metrics of the points. Without a provider of the OpenTelemetry SDK nothing leaves here.
"""

from __future__ import annotations

from typing import Final

try:
    from opentelemetry import context, metrics, trace
    from opentelemetry.trace import SpanKind, Status, StatusCode
except ModuleNotFoundError as error:
    message = "OTelObserver needs opentelemetry-api: pip install 'whereby-api-client[otel]'"
    raise ModuleNotFoundError(message, name="opentelemetry") from error

from ._version import __version__
from .observer import Attempt, CallReport, LearnedPrice, Observer, Refusal, Wait

__all__ = ["OTelObserver"]

_SCOPE: Final = "whereby_api_client"

# Waits go up to minutes.
_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)


class OTelObserver(Observer):
    """Makes spans and metrics of what a client does.

    Spans, as children of the span that is current where the call is awaited:

    - `meetings.create` (any operation): `http.request.method`, `http.response.status_code`,
      `error.type`, `whereby.points`, `whereby.request_id`
    - `wait for points` and `attempt 1`, … below it. A call that needed one attempt and no wait has
      none: its own span says it all, and each span costs as much as all the rest of this.

    Metrics, each with the operation in `whereby.operation`:

    - `whereby.points.used`, `whereby.points.refused` (counters), `whereby.points.waiting` (points
      of calls that wait now)
    - `whereby.call.duration`, `whereby.wait.duration` (histograms, seconds)
    - `whereby.pauses`, `whereby.prices.learned` (counters)

    Args:
        tracer_provider: by default the global one.
        meter_provider: by default the global one.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
        meter = metrics.get_meter(_SCOPE, __version__, meter_provider)
        self._used = meter.create_counter("whereby.points.used", "{point}")
        self._refused = meter.create_counter("whereby.points.refused", "{point}")
        self._waiting = meter.create_up_down_counter("whereby.points.waiting", "{point}")
        self._pauses = meter.create_counter("whereby.pauses", "{pause}")
        self._prices = meter.create_counter("whereby.prices.learned", "{price}")
        self._call_duration = meter.create_histogram(
            "whereby.call.duration", "s", explicit_bucket_boundaries_advisory=_SECONDS
        )
        self._wait_duration = meter.create_histogram(
            "whereby.wait.duration", "s", explicit_bucket_boundaries_advisory=_SECONDS
        )

    def call_ended(self, call: CallReport) -> None:
        """Make the spans of a call, and count its points."""
        labels = {"whereby.operation": call.operation}
        if call.points:
            self._used.add(call.points, labels)
        self._call_duration.record(
            call.duration, {**labels, "error.type": call.error} if call.error else labels
        )
        # All at once: an attribute that is set later costs as much as all of these.
        attributes: dict[str, str | int] = {
            **labels,
            "http.request.method": call.method,
            "whereby.points": call.points,
        }
        if call.status is not None:
            attributes["http.response.status_code"] = call.status
        if call.request_id is not None:
            attributes["whereby.request_id"] = call.request_id
        began = call.started_at
        span = self._start(call.operation, None, began, attributes, call.error, SpanKind.CLIENT)
        attempts = call.attempts
        if (len(attempts) > 1 or call.waited > 0) and span.is_recording():
            below = trace.set_span_in_context(span)
            for number, attempt in enumerate(attempts, 1):
                self._add_attempt(call.started_at, number, attempt, below)
        span.end(_nanoseconds(began + call.duration))

    def _add_attempt(
        self, call_began: float, number: int, attempt: Attempt, below: context.Context
    ) -> None:
        began = call_began + attempt.began
        sent_at = began + attempt.waited
        if attempt.waited > 0:
            self._start("wait for points", below, began, {}, "").end(_nanoseconds(sent_at))
            if attempt.seconds <= 0 and attempt.status is None:
                return  # it gave up before it was sent
        attributes: dict[str, str | int] = {"whereby.points": attempt.points}
        if attempt.status is not None:
            attributes["http.response.status_code"] = attempt.status
        span = self._start(f"attempt {number}", below, sent_at, attributes, attempt.error)
        span.end(_nanoseconds(sent_at + attempt.seconds))

    def _start(
        self,
        name: str,
        below: context.Context | None,
        began: float,
        attributes: dict[str, str | int],
        error: str,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> trace.Span:
        if error:
            attributes["error.type"] = error
        at = _nanoseconds(began)
        span = self._tracer.start_span(name, below, kind, attributes, start_time=at)
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        return span

    def wait_began(self, wait: Wait) -> None:
        """Count the points that are waited for."""
        self._waiting.add(wait.points, {"whereby.operation": wait.operation})

    def wait_ended(self, wait: Wait, seconds: float) -> None:
        """Count them no more."""
        labels = {"whereby.operation": wait.operation}
        self._waiting.add(-wait.points, labels)
        self._wait_duration.record(seconds, labels)

    def call_refused(self, refusal: Refusal) -> None:
        """Count the points of a 429."""
        self._refused.add(refusal.points, {"whereby.operation": refusal.operation})

    def paused(self, seconds: float) -> None:
        """Count a pause."""
        self._pauses.add(1)

    def price_learned(self, price: LearnedPrice) -> None:
        """Count a learned price."""
        self._prices.add(1, {"whereby.operation": price.operation})


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
