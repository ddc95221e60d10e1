"""Traces name the stages of the straight path, and begin where their caller's trace says."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.settings import Telemetry
from app.telemetry.traces import TracedTrails

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
STAGES = ["token", "operation", "authorize", "plan", "execute", "record", "answer"]


def traced(headers: list[tuple[bytes, bytes]], *, sample: float = 1.0) -> tuple[str | None, list[ReadableSpan]]:
    """The spans of one request that passed every stage, with the trace that its log line names."""
    exporter = InMemorySpanExporter()
    trails = TracedTrails("", Telemetry(endpoint="http://127.0.0.1:1", sample=sample), exporter)
    trail = trails.begin(headers)
    for stage in STAGES:
        trail.stage(stage)
    trail.client, trail.code = "readwell", "NOT_GRANTED"
    trail.end("POST", "/graphql", 200)
    trails.close()
    return trail.trace, list(exporter.get_finished_spans())


def test_a_request_has_a_span_for_each_stage_in_order_below_its_own() -> None:
    _, spans = traced([])
    assert [span.name for span in spans] == [*STAGES, "POST /graphql"]
    request = spans[-1]
    assert {span.parent.span_id for span in spans[:-1] if span.parent} == {request.context.span_id}
    assert dict(request.attributes or {})["homeroom.client"] == "readwell"
    assert dict(request.attributes or {})["http.response.status_code"] == 200


def test_a_request_is_part_of_the_trace_that_its_caller_names() -> None:
    named, spans = traced([(b"traceparent", PARENT)])
    assert {f"{span.context.trace_id:032x}" for span in spans} == {"0af7651916cd43dd8448eb211c80319c"} == {named}
    assert spans[-1].parent is not None
    assert f"{spans[-1].parent.span_id:016x}" == "b7ad6b7169203331"


@pytest.mark.parametrize("header", [b"", b"00-zz-b7ad6b7169203331-01", b"\xff\xfe", PARENT[:40], b"x" * 60_000])
def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(header: bytes) -> None:
    named, spans = traced([(b"traceparent", header), (b"tracestate", b"\xff=\xff,,=")])
    assert spans[-1].parent is None
    assert len(named or "") == 32


def test_whether_a_request_is_traced_is_not_for_its_caller_to_say() -> None:
    _, spans = traced([(b"traceparent", PARENT[:-2] + b"01")], sample=0.0)
    assert spans == []
