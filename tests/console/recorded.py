"""What left of late in Larkspur, what was asked, and every page that tells of it."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from app.ledger import Entry, Kind, Whose
from app.names import ClientId
from app.requests.form import AskedField, Form
from app.requests.store import ask
from tests import worlds
from tests.console.office import OTHER, SCRIPT, SPACE, Office

ANA, LEO = worlds.STUDENTS[worlds.ANA - 1]["source_key"], worlds.STUDENTS[worlds.LEO - 1]["source_key"]
FORMULA = '=HYPERLINK("http://evil.example","x")'


def answer(**changes: object) -> Entry:
    values: dict[str, object] = {
        "kind": Kind.ANSWER,
        "at": worlds.NOW - timedelta(days=1),
        "request": "r1",
        "client": "readwell",
        "purpose": "instruction",
        "basis": "school-official",
        "revision": "a" * 64,
        "disclosed": (Whose(("Student.firstName", "Student.lastSurname"), BitMap([worlds.ANA]), 1),),
        "denied": (("Student.birthDate", "NOT_GRANTED"),),
    }
    return Entry(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
async def recorded(shared: Office) -> None:
    """What left of late."""
    ledger = shared.desk.rooms.ledgers[SPACE]
    await ledger.record(answer())
    await ledger.record(answer(at=worlds.NOW - timedelta(days=2), request="r2"))
    await ledger.record(answer(kind=Kind.REFUSAL, disclosed=(), request="r3", purpose=FORMULA))
    await shared.desk.rooms.ledgers[OTHER].record(answer(client="quarrysoft", request="r4"))
    asked = Form("rostering", (AskedField("Student.birthDate", SCRIPT),))
    await ask(shared.desk.rooms.control, SPACE, ClientId("readwell"), asked, now=worlds.NOW)


ADDRESSES = [
    "/console",
    "/console/matrix",
    "/console/matrix.csv",
    "/console/matrix/readwell/instruction/Student.firstName",
    "/console/vendors/readwell",
    "/console/requests",
    "/console/requests/1",
    "/console/disclosures",
    "/console/disclosures.csv",
    "/console/students",
    f"/console/students/{ANA}",
    "/console/opt-outs",
    "/console/policy",
    f"/console/policy/file?path={SPACE}/grants/readwell.toml",
    "/console/account",
]
"""Every page, as an officer of Larkspur opens it."""

FOR_DECIDERS = ["/console/preview?vendor=readwell&purpose=instruction"]
"""Pages that a reader is not shown, and that stand in the ledger when somebody looks: see tests/requests."""
