"""Whatever is asked can be decided, and the page tells what would come of it and what came of it."""

import pytest

from app.requests.store import MOST_OPEN
from tests.console.office import words
from tests.requests.asking import Asking
from tests.requests.decisions import asked_for, decide, grant_of, state

pytestmark = pytest.mark.anyio


async def test_a_statement_is_declined_by_itself(here: Asking) -> None:
    number = await here.asked(asked_for("Student.birthDate", statement="We sell data."))
    assert await decide(await here.officer(), number, "approve", "Student.birthDate") == 303
    assert grant_of(here).statement == "Assign levelled reading."
    assert await state(here) == "NARROWED"
    number = await here.asked({"purpose": "instruction", "statement": "Lend books."})
    assert await decide(await here.officer(), number, "approve", statement="new") == 303
    assert grant_of(here).statement == "Lend books."


@pytest.mark.parametrize(
    "rows",
    [
        'subjects = ["Arts, Visual", "5\\" sets"]',
        "schools = []",
        'grade_levels = []\nhistory_years = 100\nenrollment = "any"',
    ],
)
async def test_whatever_a_grant_says_of_its_records_a_request_about_it_can_be_decided(here: Asking, rows: str) -> None:
    text = here.grant.read_text().partition("[rows]")[0]
    here.grant.write_text(f"{text}[rows]\n{rows}\n")
    before = grant_of(here)
    number = await here.asked({"purpose": "instruction", "remove": ["Student.races"]})
    enrollment = before.rows.enrollment or ""
    assert await decide(await here.officer(), number, "approve", remove="Student.races", enrollment=enrollment) == 303
    assert grant_of(here).rows == before.rows
    assert await state(here) == "APPROVED"


async def test_a_list_is_tightened_to_a_value_with_a_comma(here: Asking) -> None:
    text = here.grant.read_text().partition("[rows]")[0]
    here.grant.write_text(f'{text}[rows]\nsubjects = ["Arts, Visual", "Music"]\n')
    number = await here.asked({"purpose": "instruction", "remove": ["Student.races"]})
    steward = await here.officer()
    open_ = {"remove": "Student.races", "subjects": '"Arts, Visual'}
    assert await decide(steward, number, "approve", **open_) == 400
    assert await decide(steward, number, "approve", **{**open_, "subjects": '"Arts, Visual"'}) == 303
    assert grant_of(here).rows.subjects == ("Arts, Visual",)


async def test_a_vendors_requests_keep_no_officer_from_proposing(here: Asking) -> None:
    for _ in range(MOST_OPEN):
        await here.asked()
    await here.graph("{ students(first: 5) { nodes { firstName schoolEnrollments { gradeLevel } } } }")
    steward = await here.officer()
    page = await steward.get("/console/vendors/readwell")
    made = await steward.send_form(page, "/console/vendors/readwell/narrow", days="30")
    assert made.status_code == 303
    again = await steward.send_form(page, "/console/vendors/readwell/narrow", days="30")
    assert again.headers["location"] == made.headers["location"]  # it is proposed already


async def test_who_asks_for_the_first_time_stands_in_the_matrix_and_has_a_page(here: Asking) -> None:
    form = {**asked_for("Student.firstName"), "purpose": "rostering", "statement": "Accounts.", "rows": {}}
    await here.asked({**form, "not_after": "2027-06-30"}, client="quarrysoft")
    steward = await here.officer()
    assert "quarrysoft rostering no grant" in await steward.text("/console/matrix?state=requested")
    cell = await steward.text("/console/matrix/quarrysoft/rostering/Student.firstName")
    assert "quarrysoft is not given this field for rostering." in cell
    assert "It has no grant here, so nothing leaves to it." in await steward.text("/console/vendors/quarrysoft")
    assert (await steward.get("/console/vendors/nobody")).status_code == 404


@pytest.mark.parametrize("reason", ["\u200b", "…", " \u2060 ", "12"])
async def test_a_reason_says_something(here: Asking, reason: str) -> None:
    async with await here.vendor() as vendor:
        form = {"purpose": "instruction", "fields": [{"coordinate": "Student.birthDate", "reason": reason}]}
        refused = await vendor.post("/requests", json=form)
        assert refused.status_code == 400
        assert "the reason says nothing" in refused.text
    number = await here.asked()
    assert await decide(await here.officer(), number, "refuse", reason=reason) == 400


async def test_a_grant_that_was_revoked_is_not_given_again_unseen(here: Asking) -> None:
    steward = await here.officer()
    page = await steward.get("/console/vendors/readwell")
    await steward.send_form(page, "/console/vendors/readwell/revoke", reason="The contract ended.")
    number = await here.asked(asked_for("Student.birthDate", not_after="2027-06-30"))
    told = await steward.text(f"/console/requests/{number}")
    assert "Against the grant that has ended" in told
    assert "It was revoked 15 October 2026, 12:00 by steward@larkspur.example: “The contract ended.”" in told
    assert "Approving a later last day gives again what it lists: Student.firstName" in told
    assert "+ until 14 October 2026 → until 30 June 2027" in told


async def test_a_last_day_is_not_over_and_not_before_the_first(here: Asking) -> None:
    number, before = await here.asked(asked_for("Student.birthDate")), here.grant.read_bytes()
    steward = await here.officer()
    for last in ("2026-10-14", "2026-01-01"):
        assert await decide(steward, number, "approve", "Student.birthDate", not_after=last) == 400
    assert here.grant.read_bytes() == before
    assert await decide(steward, number, "approve", "Student.birthDate", not_after="2026-10-15") == 303


async def test_a_school_that_the_district_has_not_is_not_typed_unseen(here: Asking) -> None:
    text = here.grant.read_text().partition("[rows]")[0]
    here.grant.write_text(f"{text}[rows]\n")
    number = await here.asked(asked_for("Student.birthDate"))
    steward = await here.officer()
    page = await steward.get(f"/console/requests/{number}")
    form = {"deed": "approve", "reason": "As we agreed.", "enrollment": "", "field": "Student.birthDate"}
    refused = await steward.send_form(page, f"/console/requests/{number}", **form, schools="nowhere")
    assert refused.status_code == 400
    assert "The district has no school nowhere. Its schools are: elm (Elm Elementary)" in words(refused.text)
    assert await decide(steward, number, "approve", "Student.birthDate", schools="elm") == 303
    asked = await here.asked({"purpose": "instruction", "rows": {"schools": ["nowhere"]}})
    assert "nowhere" in (await steward.text(f"/console/requests/{asked}")).partition("The file would have findings")[2]


async def test_what_is_given_already_is_closed_and_not_refused(here: Asking) -> None:
    first, same = await here.asked(asked_for("Student.birthDate")), await here.asked(asked_for("Student.birthDate"))
    steward = await here.officer()
    assert await decide(steward, same, "close") == 400
    assert await decide(steward, first, "approve", "Student.birthDate") == 303
    assert "The grant lists all of this already" in await steward.text(f"/console/requests/{same}")
    assert await decide(steward, same, "close", reason="You have it.") == 303
    assert await state(here) == "APPROVED"
    assert "Student.birthDate : approved" in await steward.text(f"/console/requests/{same}")


async def test_what_is_decided_is_not_closed_into_something_else(here: Asking) -> None:
    number = await here.asked(asked_for("Student.birthDate"))
    steward, address = await here.officer(), f"/console/requests/{number}"
    page = await steward.get(address)
    assert await decide(steward, number, "refuse") == 303
    for deed in ("close", "approve", "second", "withhold", "nothing"):
        again = await steward.send_form(page, address, deed=deed, reason="Again.", field="Student.birthDate")
        assert again.status_code == 409
    assert await state(here) == "REFUSED"


async def test_a_first_grant_as_it_was_asked_for_is_approved_whole(here: Asking) -> None:
    form = {**asked_for("Student.firstName"), "purpose": "rostering", "statement": "Accounts.", "rows": {}}
    number = await here.asked({**form, "not_after": "2027-06-30"})
    assert await decide(await here.officer(), number, "approve", "Student.firstName") == 303
    assert await state(here) == "APPROVED"


async def test_what_was_decided_is_told_as_it_is_given_today(here: Asking) -> None:
    form = asked_for("Student.middleName", "Student.ssn", shown="initial", remove=["Student.races"])
    number = await here.asked(form)
    filled = {"as.Student.middleName": "masked", "as.Student.ssn": "masked"}
    steward = await here.officer()
    assert await decide(steward, number, "approve", "Student.middleName", **filled) == 303
    told = await steward.text(f"/console/requests/{number}")
    assert "+ Student.middleName as initial: approved, as masked" in told
    assert "+ Student.ssn as initial: not given" in told
    assert "− Student.races : stays granted" in told


async def test_an_edge_is_not_left_that_leads_nowhere(here: Asking) -> None:
    gone = ["School.nameOfInstitution", "SchoolEnrollment.school"]
    number = await here.asked({"purpose": "instruction", "remove": gone})
    steward, address = await here.officer(), f"/console/requests/{number}"
    page = await steward.get(address)
    form = {"deed": "approve", "reason": "As we agreed.", "enrollment": "", "remove": gone[:1]}
    refused = await steward.send_form(page, address, **form)
    assert refused.status_code == 400
    assert "SchoolEnrollment.school would lead nowhere, since nothing of School would be given." in words(refused.text)
    assert (await steward.send_form(page, address, **{**form, "remove": gone})).status_code == 303
