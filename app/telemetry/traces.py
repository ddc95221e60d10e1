"""Traces of requests, for an OpenTelemetry collector: one span for a request, one below it for each stage.

Read only where the configuration names a collector. Spec: W3C Trace Context, OTLP over HTTP.
"""

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.settings import Telemetry
from app.telemetry.trail import Headers, Trail, Trails

_CARRIED = {b"traceparent": "traceparent", b"tracestate": "tracestate"}
_SERVER_FAULT = 500


class TracedTrail(Trail):
    """A trail that is told to a collector too."""

    __slots__ = ("_below", "_request", "_tracer")

    def __init__(self, request: str, tracer: Tracer, context: Context) -> None:
        super().__init__(request)
        self._tracer = tracer
        self._request = tracer.start_span(
            "request", context, kind=SpanKind.SERVER, attributes={"homeroom.request": request}
        )
        self._below: Span | None = None

    def stage(self, name: str) -> None:
        """The stage before is over, and this one begins."""
        super().stage(name)
        if self._below is not None:
            self._below.end()
        self._below = self._tracer.start_span(name, set_span_in_context(self._request))  # type: ignore[assignment]

    def end(self, method: str, route: str | None, status: int) -> None:
        """The answer has left, or will not."""
        super().end(method, route, status)
        if self._below is not None:
            self._below.end()
        span = self._request
        span.set_attributes({"http.request.method": method, "http.response.status_code": status})
        if route is not None:
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
        for name, value in (("homeroom.client", self.client), ("homeroom.code", self.code)):
            if value is not None:
                span.set_attribute(name, value)
        if status >= _SERVER_FAULT:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    @property
    def trace(self) -> str:
        """The id of the trace that this request is part of."""
        return f"{self._request.get_span_context().trace_id:032x}"


class TracedTrails(Trails):
    """Begins trails that a collector hears of, as many as `telemetry.sample` says."""

    def __init__(self, header: str, telemetry: Telemetry, exporter: SpanExporter | None = None) -> None:
        super().__init__(header)
        # INVARIANT: whether a request is traced is ours to say: callers bring ids, and no decision to sample.
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(telemetry.sample),
            resource=Resource.create({"service.name": telemetry.service}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter or _otlp(telemetry.endpoint)))
        self._tracer = self._provider.get_tracer("homeroom")
        self._carrier = TraceContextTextMapPropagator()

    def begin(self, headers: Headers) -> Trail:
        """The trail of a request that has just come in, as part of its caller's trace if it names one."""
        carried = {_CARRIED[name]: value.decode("latin-1") for name, value in headers if name in _CARRIED}
        return TracedTrail(self.id(headers), self._tracer, self._carrier.extract(carried, Context()))

    def close(self) -> None:
        """Send what is still here. It takes a moment: the collector may be slow."""
        self._provider.shutdown()


def _otlp(endpoint: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
