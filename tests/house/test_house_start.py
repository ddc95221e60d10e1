"""A start is short: what takes long to read and most installations never use is read where it is used."""

import subprocess
import sys

NOT_AT_A_START = ("aiohttp", "alembic", "app.importers", "httpx", "opentelemetry.sdk", "pygments", "redis")


def test_a_server_reads_at_its_start_what_every_server_needs_and_no_more() -> None:
    program = f"import sys, app.main; print([name for name in {NOT_AT_A_START} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
