"""How a vendor stands: revoked, suspended, and narrowed to what it uses."""

import re

import pytest
from sqlalchemy import text as sql

from app.policy.parse import parse_grant
from tests.console.office import OTHER, words
from tests.requests.asking import ASKED, Asking, codes
from tests.requests.decisions import ALL, sent, ticked

pytestmark = pytest.mark.anyio


async def test_revoked_is_refused_at_once_and_says_by_whom(here: Asking) -> None:
    steward = await here.officer()
    page = await steward.get("/console/vendors/readwell")
    done = await steward.send_form(page, "/console/vendors/readwell/revoke", reason="The contract ended.")
    assert done.status_code == 303
    answer = await here.graph("{ students(first: 1) { nodes { firstName } } }")
    assert answer["data"]["students"] is None
    assert set(codes(answer).values()) == {"GRANT_EXPIRED"}
    text = await steward.text("/console/vendors/readwell")
    assert "Revoked (instruction) 15 October 2026" in text
    assert "by steward@larkspur.example: The contract ended." in text
    again = await steward.send_form(page, "/console/vendors/readwell/revoke", reason="A <b>second</b> reason.")
    assert again.status_code == 400
    assert "The grant has ended already" in words(again.text)
    assert "What you had written A <b>second</b> reason." in words(again.text)


async def test_a_suspension_is_this_districts_alone(here: Asking) -> None:
    steward = await here.officer("privacy-officer")
    page = await steward.get("/console/vendors/readwell")
    address = "/console/vendors/readwell/standing"
    done = await steward.send_form(page, address, deed="suspend", reason="A breach.")
    assert done.status_code == 303
    answer = await here.graph("{ students(first: 1) { nodes { firstName } } }")
    assert set(codes(answer).values()) == {"CLIENT_SUSPENDED"}
    async with await here.vendor() as vendor:
        assert (await vendor.post("/requests", json=ASKED)).status_code == 403
    page = await steward.get("/console/vendors/readwell")
    assert (
        "Suspended here since 15 October 2026, 12:00 by privacy-officer@larkspur.example: “A breach.” It reads nothing."
        in words(page.text)
    )
    assert "readwell instruction suspended" in await steward.text("/console/matrix")
    assert not here.rooms.authorization.standing("readwell", OTHER).suspended
    again = await steward.send_form(page, address, deed="suspend", reason="A breach.")
    assert again.status_code == 400
    assert "somebody was quicker" in words(again.text)
    await steward.send_form(page, address, deed="resume", reason="Mended.")
    assert (await steward.send_form(page, address, deed="resume", reason="Mended.")).status_code == 400
    assert (await steward.text("/console/vendors/readwell")).count("Suspension lifted") == 1
    assert codes(await here.graph("{ students(first: 1) { nodes { firstName } } }")) == {}


async def test_what_is_never_used_is_proposed_for_removal(here: Asking) -> None:
    await here.graph("{ students(first: 5) { nodes { firstName schoolEnrollments { gradeLevel } } } }")
    steward = await here.officer()
    page = await steward.get("/console/vendors/readwell")
    made = await steward.send_form(page, "/console/vendors/readwell/narrow", days="30")
    assert made.status_code == 303, words(made.text)
    address = made.headers["location"].partition("?")[0]
    text = await steward.text(address)
    assert "− Remove School.nameOfInstitution" in text
    assert "Student.firstName" not in text.partition("Use since")[0]
    assert "A removal that you untick is not done: the field stays granted." in text
    assert "the vendor is told" not in text
    assert (await here.graph("{ requests { id } }"))["data"]["requests"] == []  # an officer's own
    proposal = await steward.get(address)
    gone = re.findall(r'name="remove" value="([^"]+)"', proposal.text)
    for days in ("0", "-1", "3661", "00001999999999999", "9" * 5_000, "\u0663", ""):
        refused = await steward.send_form(page, "/console/vendors/readwell/narrow", days=days)
        assert refused.status_code == 400
    assert {"School.nameOfInstitution", "Student.schoolEnrollments"} & {*gone} == {"School.nameOfInstitution"}
    kept = gone.pop(gone.index("School.nameOfInstitution"))  # unticked
    form = ticked(remove=gone, field=[])
    assert (await steward.send_form(proposal, address, **form)).status_code == 303
    answer = await here.graph("{ students(first: 1) { nodes { firstName lastSurname } } }")
    assert codes(answer) == {"Student.lastSurname": "NOT_GRANTED"}
    assert kept in parse_grant("tx/larkspur/grants/readwell.toml", here.grant.read_bytes()).fields


async def test_a_grant_of_which_nothing_was_used_is_revoked_and_not_emptied(here: Asking) -> None:
    steward = await here.officer()
    page = await steward.get("/console/vendors/readwell")
    refused = await steward.send_form(page, "/console/vendors/readwell/narrow", days="30")
    assert refused.status_code == 400
    assert "nothing would be left. Revoke it." in words(refused.text)


async def test_a_vendor_is_given_the_time_to_use_what_it_has_and_what_is_shortened_is_unused_too(here: Asking) -> None:
    steward = await here.officer()
    # Of eight fields of the grant, two wait for an approval.
    assert "6 fields of 6 never used since 1 July 2026." in await steward.text("/console")
    matrix = await steward.text("/console/matrix?vendor=readwell&state=never+used")
    assert "Student.lastSurname" in matrix
    async with here.rooms.control.begin() as connection:
        await connection.execute(sql("UPDATE client SET created = :at"), {"at": int(here.rooms.clock().timestamp())})
    assert "never used since" not in await steward.text("/console")


async def test_a_suspended_vendor_waits_for_no_approval(here: Asking) -> None:
    number = await here.asked()
    await sent(await here.officer(), number, ticked(*ALL))
    officer = await here.officer("privacy-officer")
    page = await officer.get("/console/vendors/readwell")
    await officer.send_form(page, "/console/vendors/readwell/standing", deed="suspend", reason="A breach.")
    told = await officer.text("/console")
    assert "Granted, not in force" not in told
    assert "not approved by name" in told.partition("Findings")[2]  # once nothing else says so
    assert "suspended here, registered" in await officer.text("/console/vendors/readwell")
