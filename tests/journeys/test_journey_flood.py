"""A flood over real sockets: while one client asks on many connections, another is answered as if it were alone.

The claim is one of order and not of time: between two answers of the other client, the flood gets few of its own. What
it costs in time is measured by `./run bench --flood`, and proved in virtual time by the tests of the turns.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import main
from app.console.desk import open_desk
from app.settings import Limits, Traffic
from app.web.probes import Readiness
from app.web.site import site
from tests import worlds
from tests.journeys.world import Asked, granting, opened
from tests.web.asgi import served

pytestmark = pytest.mark.anyio

FIELDS = {"Student": "firstName lastSurname sectionEnrollments", "SectionEnrollment": "beginDate"}
GRANTS = {name: granting(name, FIELDS, rows='enrollment = "any"') for name in ("flooding", "other")}
LONG = "{ students { nodes { id firstName lastSurname sectionEnrollments { beginDate } } } }"
CONNECTIONS, ANSWERS = 48, 60


@pytest.fixture
async def larkspur(tmp_path: Path) -> AsyncIterator[Asked]:
    settings = {"limits": Limits(chunk=2), "traffic": Traffic(waiting=20, points_per_minute=1_000_000)}
    async with opened(tmp_path / "home", GRANTS, databases={worlds.SPACE: None}, settings=settings) as asked:
        yield asked


async def request(asked: Asked, client: str, document: str) -> bytes:
    token = await asked.rooms.authorization.mint(client, worlds.SPACE)
    body = json.dumps({"query": document}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def ask(port: int, sent: bytes, statuses: Counter[bytes], times: int) -> None:
    """One connection, which asks again as soon as it is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for _ in range(times):
            writer.write(sent)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length: " in head:
                await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            else:
                while size := int(await reader.readline(), 16):
                    await reader.readexactly(size + 2)
                await reader.readline()
            statuses[head[9:12]] += 1
    finally:
        writer.close()


@pytest.mark.parametrize("flood", ["look-ups", "long answers"])
async def test_beside_a_flood_another_client_is_answered_first(larkspur: Asked, flood: str) -> None:
    looks = f'{{ student(id: "{larkspur.id("flooding", "Student", worlds.ANA)}") {{ firstName }} }}'
    flooding = await request(larkspur, "flooding", looks if flood == "look-ups" else LONG)
    other = await request(
        larkspur, "other", f'{{ student(id: "{larkspur.id("other", "Student", worlds.ANA)}") {{ firstName }} }}'
    )
    theirs: Counter[bytes] = Counter()
    ours: Counter[bytes] = Counter()
    rooms = larkspur.rooms
    async with (
        open_desk(rooms) as desk,
        served(site(main.routes(rooms, main.graphql(rooms), Readiness({}), None, desk))) as port,
    ):
        async with asyncio.timeout(50):
            tasks = [asyncio.create_task(ask(port, flooding, theirs, 10_000)) for _ in range(CONNECTIONS)]
            while not theirs:
                await asyncio.sleep(0.05)
            await ask(port, other, ours, ANSWERS // 2)  # by now it is known to be here
            before = theirs[b"200"]
            await ask(port, other, ours, ANSWERS)
            between = theirs[b"200"] - before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert ours == {b"200": ANSWERS + ANSWERS // 2}
    # Where nobody sees to fairness, one among so many gets one look-up in so many, or one to ten long answers.
    most = ANSWERS * (CONNECTIONS / 3 if flood == "look-ups" else 3)
    assert between < most, f"{between} answers of the flood between {ANSWERS} of the other client"
    assert set(theirs) <= {b"200", b"429"}
