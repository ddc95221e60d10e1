"""A large answer that breaks off: the machine stops, the vendor leaves, or access ends while it is read.

In each case the ledger says what had left, and the vendor cannot take what it has for the whole.
"""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from pyroaring import BitMap

from app.ledger.entry import Entry, Kind
from app.ledger.reading import Filters, entries
from app.names import ClientId, SpaceId
from app.opening import space_secret
from app.spaces.identifiers import identifiers
from app.storage.engines import open_engine
from tests.journeys.conftest import SMALL
from tests.journeys.served import Home, Server, Vendor, granting, rest_of, served, until

pytestmark = pytest.mark.anyio

FIELDS = {
    "Student": "firstName lastSurname sectionEnrollments",
    "SectionEnrollment": "beginDate endDate section grades",
    "Section": "title room period localCourseCode",
    "Grade": "numericGradeEarned letterGradeEarned gradeType",
}
EVERYTHING = """query Everything { students(first: 10000) { nodes { id firstName lastSurname sectionEnrollments {
  beginDate endDate section { title room period localCourseCode }
  grades { numericGradeEarned letterGradeEarned gradeType }
} } } }"""
PUPIL = re.compile(rb'\{"id":"([^"]+)","firstName"')


@pytest.fixture
def district(large_district: Home, copied: Callable[[Home], Home]) -> tuple[Home, Vendor]:
    """The large district, with a grant for Rostersync."""
    home = copied(large_district)
    home.grant(SMALL, "rostersync", granting("rostersync", FIELDS))
    return home, home.vendor("rostersync")


async def recorded(home: Home) -> list[Entry]:
    """Every entry of the ledger, oldest first."""
    settings = home.settings
    engine = open_engine(settings.database_url(settings.spaces[SMALL].ledger))
    try:
        return [it.entry async for it in entries(engine, Filters())][::-1]
    finally:
        await engine.dispose()


def ids_of(home: Home, found: list[Entry], vendor: Vendor) -> set[str]:
    """The ids by which a vendor knows the students in entries."""
    space = SpaceId(SMALL)
    known = identifiers(space_secret(home.settings, space), space, ClientId(vendor.id))
    rows = BitMap()
    for entry in found:
        for whose in entry.disclosed:
            rows |= whose.students or BitMap()
    return {known.one("Student", row) for row in rows}


def ids_in(received: bytes) -> set[str]:
    return {name.decode() for name in PUPIL.findall(received)}


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_after_a_kill_the_ledger_verifies_names_what_had_left_and_goes_on(
    district: tuple[Home, Vendor], workers: str
) -> None:
    home, vendor = district
    with served(home, "--workers", workers) as server:
        token = server.token(vendor, SMALL)
        answer = server.slowly(token, EVERYTHING)
        received = answer.read(100_000)
        kill(server)
        received += rest_of(answer)
    pupils = ids_in(received)
    assert 0 < len(pupils) < 3000

    verdict = home.ok("disclosures", "verify", SMALL)
    assert "is as it was recorded" in verdict
    found = re.search(
        r"rostersync, request \S+: interrupted after (\d+) records of (\d+) students in (\d+) chunks", verdict
    )
    assert found, verdict
    records, students, chunks = map(int, found.groups())
    left = await recorded(home)
    assert [entry.kind for entry in left] == [Kind.OPENING] + [Kind.CHUNK] * chunks
    named = ids_of(home, left, vendor)
    assert pupils <= named
    assert len(named) == students < 3000
    assert records > students

    with served(home, "--workers", workers) as server:
        token = server.token(vendor, SMALL)
        whole = server.post(token, EVERYTHING)
        assert whole.status_code == 200
        assert len(ids_in(whole.content)) == 3000
        server.stop()
    after = await recorded(home)
    assert after[: len(left)] == left
    assert after[-1].kind is Kind.CLOSING
    assert ids_of(home, after[len(left) :], vendor) == ids_in(whole.content)
    verdict = home.json("disclosures", "verify", SMALL)
    assert (verdict["sound"], verdict["entries"], len(verdict["interrupted"])) == (True, len(after), 1)


def kill(server: Server) -> None:
    """kill -9 for the server and each of its workers at once, as when the machine stops."""
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    server.process.send_signal(signal.SIGSTOP)  # so that it starts no worker in place of another
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    server.kill()


def narrow(home: Home) -> None:
    fields = {**FIELDS, "Student": "lastSurname sectionEnrollments"}
    home.grant(SMALL, "rostersync", granting("rostersync", fields))


def revoke(home: Home) -> None:
    home.ok("client", "revoke", "rostersync")


def suspend(home: Home) -> None:
    home.ok("client", "suspend", "rostersync")


@pytest.mark.parametrize("end", [narrow, revoke, suspend])
async def test_threat_25_access_that_ends_while_an_answer_is_read_aborts_it(
    district: tuple[Home, Vendor], end: Callable[[Home], None]
) -> None:
    home, vendor = district
    with served(home) as server:
        token = server.token(vendor, SMALL)
        answer = server.slowly(token, EVERYTHING)
        received = answer.read(50_000)
        end(home)
        until(lambda: changed(server, token))
        received += rest_of(answer)
        server.stop()
    assert 0 < len(ids_in(received)) < 3000
    left = [entry for entry in await recorded(home) if entry.operation == "Everything"]
    assert [entry.kind for entry in left] == [Kind.OPENING] + [Kind.CHUNK] * (len(left) - 2) + [Kind.ABORTED]
    assert not left[-1].complete
    assert ids_in(received) <= ids_of(home, left, vendor)
    assert home.json("disclosures", "verify", SMALL)["interrupted"] == []


def changed(server: Server, token: str) -> bool:
    """Whether the token no longer gets first names."""
    answer = server.post(token, "{ students(first: 1) { nodes { firstName } } }")
    return answer.status_code == 401 or "errors" in answer.json()


async def test_threat_25_a_vendor_that_leaves_is_an_aborted_entry(district: tuple[Home, Vendor]) -> None:
    home, vendor = district
    with served(home) as server:
        answer = server.slowly(server.token(vendor, SMALL), EVERYTHING)
        received = answer.read(50_000)
        answer.close()
        until(lambda: home.json("disclosures", "list", SMALL)[0]["kind"] == "aborted")
        server.stop()
    assert ids_in(received) <= ids_of(home, await recorded(home), vendor)


async def test_a_stop_lets_a_slow_answer_leave_whole(district: tuple[Home, Vendor]) -> None:
    home, vendor = district
    with served(home) as server:
        answer = server.slowly(server.token(vendor, SMALL), EVERYTHING)
        received = answer.read(50_000)
        assert server.process is not None
        server.process.terminate()
        received += answer.read()
        answer.close()
        assert server.process.wait(60) == 0
    assert len(ids_in(received)) == 3000
    assert (await recorded(home))[-1].kind is Kind.CLOSING


async def test_a_stop_breaks_off_what_has_not_left_after_its_grace_and_the_ledger_says_so(
    district: tuple[Home, Vendor],
) -> None:
    home, vendor = district
    home.config.write_text(home.config.read_text() + "\n[server]\ngrace_seconds = 1\n")
    with served(home) as server:
        answer = server.slowly(server.token(vendor, SMALL), EVERYTHING)
        received = answer.read(50_000)
        server.stop()  # it ends well though nobody reads on
        received += rest_of(answer)
    left = await recorded(home)
    assert left[-1].kind is Kind.ABORTED
    assert 0 < len(ids_in(received)) < 3000
    assert ids_in(received) <= ids_of(home, left, vendor)
    assert home.json("disclosures", "verify", SMALL)["interrupted"] == []
