"""The public suites of Federation v2 gateways, run by their own script against `homeroom federate`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
AUDIT = CLONE.parent / "shared" / "federation" / "audit.py"
REQUESTS = 329
"""What the best gateway that passes all of them needs."""


@pytest.mark.skipif(not AUDIT.exists(), reason=f"The federation suites are not here: put them at {AUDIT.parent}.")
def test_every_case_is_answered_with_fewer_requests_than_by_any_other_gateway(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [sys.executable, str(AUDIT), "--python", sys.executable, "--json", str(results), "--logs", str(tmp_path)]
    gateway = [sys.executable, "-m", "app", "federate", "--supergraph", "{supergraph}", "--port", "{port}"]
    done = subprocess.run(
        [*command, "--cwd", str(CLONE), "--", *gateway], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    cases = [case for suite in json.loads(results.read_text())["suites"].values() for case in suite]
    assert len(cases) == 160
    assert [case["id"] for case in cases if not case["ok"] or case.get("unexpected_errors")] == []
    assert sum(len(case["subgraph_calls"]) for case in cases) <= REQUESTS
