"""What is counted has labels of bounded sets, and each stage its time."""

from app.telemetry.metrics import STAGES, count_answer, count_request, exposition
from app.telemetry.trail import Trail


def line(start: str) -> str:
    """The line of the exposition that starts so."""
    (found,) = [line for line in exposition("")[0].decode().splitlines() if line.startswith(start + " ")]
    return found


def test_a_request_is_counted_by_the_template_of_its_route_and_never_by_its_address() -> None:
    count_request("/spaces/{state}", 200, 0.01)
    count_request(None, 404, 0.01)
    assert line('homeroom_requests_total{route="/spaces/{state}",status="200"}').endswith(" 1.0")
    assert 'route="none",status="404"' in exposition("")[0].decode()


def test_an_outcome_that_is_no_code_is_counted_as_other() -> None:
    for code in ("x" * 300, "Ana Ortiz", "987-65-4320"):
        count_answer("telemetry-test", code)
    assert line('homeroom_graph_requests_total{client="telemetry-test",code="OTHER"}')
    assert "Ortiz" not in exposition("")[0].decode()


def test_each_stage_is_counted_with_its_time() -> None:
    trail = Trail("r")
    for stage in ("telemetry-one", "telemetry-two"):
        trail.stage(stage)
    trail.end("POST", "/graphql", 200)
    trail.end("POST", "/graphql", 200)
    STAGES.tell()
    assert line('homeroom_stages_total{stage="telemetry-two"}').endswith(" 1.0")
    assert float(line('homeroom_stage_seconds_total{stage="telemetry-one"}').split()[-1]) > 0
