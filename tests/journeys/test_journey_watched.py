"""Whatever the operator can see (log, metrics, traces) names stages, clients and codes, and holds no value.

The collector is a real one as far as the wire goes: OTLP over HTTP, read by OpenTelemetry's own messages.
"""

import io
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.main import application
from app.settings import Telemetry
from tests import worlds
from tests.journeys.world import granting, opened

pytestmark = pytest.mark.anyio

LITERAL, VARIABLE, NAME = "canary-literal-219", "canary-variable-733", "CanaryOperation"
GRANTS = {"readwell": granting("readwell", {"Student": "firstName lastSurname"})}


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector's address, and what was sent there."""
    sent: list[bytes] = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.path.encode() + self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()


@pytest.fixture
async def watched(tmp_path: Path, log: io.StringIO) -> AsyncIterator[tuple[str, str, list[bytes]]]:
    """The log, the metrics and the traces of a few requests: answered, denied, refused, and with no good token."""
    with collector() as (endpoint, sent):
        async with opened(
            tmp_path / "home",
            GRANTS,
            databases={worlds.SPACE: None},
            settings={"telemetry": Telemetry(endpoint=endpoint)},
        ) as asked:
            app = application(lambda: nullcontext(asked.rooms))
            token = await asked.rooms.authorization.mint("readwell", worlds.SPACE)
            transport = httpx.ASGITransport(app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://h") as client,
            ):
                query = (
                    f'query {NAME}($s: String!) {{ students(where: {{ firstName: {{ in: [$s, "{LITERAL}"] }} }}) '
                    "{ nodes { firstName } } all: students { nodes { firstName lastSurname birthDate } } }"
                )
                body = {"query": query, "variables": {"s": VARIABLE}}
                known = {"authorization": f"Bearer {token}"}
                answered = await client.post("/graphql", json=body, headers=known)
                assert (answered.json().get("data") or {}).get("all"), answered.text
                await client.post("/graphql", json={"query": f'{{ {LITERAL}: "{VARIABLE}" }}'}, headers=known)
                await client.post("/graphql", json=body, headers={"authorization": f"Bearer {VARIABLE}"})
                await client.get(f"/{LITERAL}", params={"s": VARIABLE})
                metrics = await client.get("/metrics")
                assert metrics.status_code == 200
            yield log.getvalue(), metrics.text, sent


async def test_threat_26_no_value_of_a_record_and_no_word_of_a_request_is_in_log_metrics_or_traces(
    watched: tuple[str, str, list[bytes]],
) -> None:
    log, metrics, sent = watched
    assert sent
    traces = b"".join(sent)
    values = {str(row[name]) for row in worlds.STUDENTS for name in ("last_surname", "email") if row.get(name)}
    assert len(values) > 5
    for secret in (LITERAL, VARIABLE, NAME, "firstName", *values):
        assert secret not in log
        assert secret not in metrics
        assert secret.encode() not in traces


async def test_the_operator_sees_stages_clients_and_codes(watched: tuple[str, str, list[bytes]]) -> None:
    log, metrics, sent = watched
    assert '"client":"readwell"' in log
    for code in ("OK", "GRAPHQL_PARSE_FAILED"):
        assert f'homeroom_graph_requests_total{{client="readwell",code="{code}"}}' in metrics
    assert 'homeroom_graph_requests_total{client="",code="UNAUTHENTICATED"}' in metrics
    spans = [
        span
        for message in sent
        for resource in ExportTraceServiceRequest.FromString(message.removeprefix(b"/v1/traces")).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    by_trace: dict[bytes, list[str]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span.name)
    assert [
        *("token", "turn", "operation", "authorize", "plan", "execute", "record", "answer"),
        "POST /graphql",
    ] in by_trace.values()
    assert any(f"{trace.hex()}" in log for trace in by_trace)
