"""Servers that are killed, and several at once, on one ledger."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger import Checkpoints
from app.ledger.reading import Filters, entries
from app.ledger.verify import verify
from app.settings import Settings

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]

SERVER = """
import asyncio, json, sys
from pathlib import Path
from app.ledger import Kind, Ledger
from app.storage.engines import open_engine
from tests.ledger.samples import SPACE, an_entry, checkpoints_in, disclosed

async def main(url, folder, name, count):
    engine = open_engine(url)
    ledger = Ledger(engine, SPACE, checkpoints_in(Path(folder)), pace=0.05)
    async def vendor(number):
        await ledger.record(an_entry(kind=Kind.OPENING, request=f"{name}-{number}", disclosed=()))
        for part in range(count):
            receipt = await ledger.record(
                an_entry(kind=Kind.CHUNK, request=f"{name}-{number}", disclosed=disclosed(part))
            )
            print(json.dumps([receipt.sequence, receipt.hash.hex()]), flush=True)
        await ledger.record(an_entry(kind=Kind.CLOSING, request=f"{name}-{number}", disclosed=()))
    await asyncio.gather(*(vendor(number) for number in range(4)))
    await ledger.close()
    await engine.dispose()

asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
"""


def server(url: str, folder: Path, name: str, count: int) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", SERVER, Settings().database_url(url), str(folder), name, str(count)]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )


async def everything(engine: AsyncEngine) -> set[tuple[int, str]]:
    return {(recorded.sequence, recorded.hash.hex()) async for recorded in entries(engine, Filters())}


async def test_a_killed_server_keeps_every_acknowledged_entry_and_a_sound_chain(
    engine: AsyncEngine, ledger_url: str, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    acknowledged: set[tuple[int, str]] = set()
    for round_ in range(2):  # and the second goes on where the first was killed
        process = server(ledger_url, tmp_path, f"round{round_}", 1_000_000)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(60)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        acknowledged |= {tuple(json.loads(line)) for line in lines if line.endswith("\n")}
    verdict = await verify(engine, checkpoints)
    assert verdict.findings == ()
    assert acknowledged <= await everything(engine)
    assert len(verdict.interrupted) == 8
    assert sum(stream.records for stream in verdict.interrupted) >= len(acknowledged)


async def test_threat_33_two_servers_at_once_keep_one_chain(
    engine: AsyncEngine, ledger_url: str, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    processes = [server(ledger_url, tmp_path, name, 50) for name in ("one", "other")]
    acknowledged: set[tuple[int, str]] = set()
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        acknowledged |= {tuple(json.loads(line)) for line in output.splitlines()}
    verdict = await verify(engine, checkpoints)
    assert verdict.findings == ()
    assert verdict.entries == 2 * 4 * 52
    assert len(acknowledged) == 2 * 4 * 50
    assert acknowledged <= await everything(engine)
    assert verdict.interrupted == ()
    assert verdict.vouched == verdict.entries
