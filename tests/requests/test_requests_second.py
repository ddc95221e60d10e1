"""One decision after the other about one grant, and what the second officer sees, approves and refuses."""

import pytest

from tests.console.office import words
from tests.requests.asking import Asking, codes
from tests.requests.decisions import WHY, asked_for, decide, grant_of, state

pytestmark = pytest.mark.anyio

HOME, LANGUAGE = "Student.homelessStatus", "Student.homeLanguage"
QUERY = "{ students(first: 1) { nodes { firstName homelessStatus homeLanguage } } }"


@pytest.fixture
async def approved(here: Asking) -> Asking:
    """A grant with two sensitive fields that both officers have approved, one of them masked."""
    number = await here.asked({"purpose": "instruction", "fields": [
        {"coordinate": HOME, "reason": WHY}, {"coordinate": LANGUAGE, "as": "masked", "reason": WHY},
    ], "remove": ["Student.races"]})  # fmt: skip
    shown = {f"as.{LANGUAGE}": "masked", "remove": "Student.races"}
    assert await decide(await here.officer(), number, "approve", HOME, LANGUAGE, **shown) == 303
    assert await decide(await here.officer("privacy-officer"), number, "second", HOME, LANGUAGE) == 303
    assert codes(await here.graph(QUERY)) == {}
    return here


async def test_a_grant_that_would_reach_further_waits_and_is_as_it_was_when_that_is_refused(approved: Asking) -> None:
    before = grant_of(approved)
    number = await approved.asked(
        {"purpose": "instruction", "rows": {"schools": ["elm"], "grade_levels": ["04", "05", "06"]}}
    )
    steward = await approved.officer()
    told = await steward.text(f"/console/requests/{number}")
    assert "+ in grade levels 04 and 05 → in grade levels 04, 05 and 06" in told
    assert "these fields have to be approved again by name" in told
    assert "Add an [[approval]]" not in told  # which is what approving does
    assert await decide(steward, number, "approve") == 303
    assert codes(await approved.graph(QUERY)) == {HOME: "APPROVAL_PENDING", LANGUAGE: "APPROVAL_PENDING"}
    second = await approved.officer("privacy-officer")
    told = await second.text(f"/console/requests/{number}")
    assert "The grant has come to reach more pupils or to last longer" in told
    assert "+ in grade levels 04 and 05 → in grade levels 04, 05 and 06" in told
    assert "Given as masked until this decision." in told
    assert await decide(second, number, "withhold", HOME, LANGUAGE, "Student.ssn") == 303
    after = grant_of(approved)
    assert (after.fields, after.rows, after.not_after) == (before.fields, before.rows, before.not_after)
    assert codes(await approved.graph(QUERY)) == {}
    assert await state(approved) == "REFUSED"


async def test_a_longer_period_is_refused_with_what_it_was_for_and_the_rest_stands(approved: Asking) -> None:
    form = asked_for("Student.birthDate", not_after="2027-12-31", statement="We lend kits.")
    number = await approved.asked(form)
    steward = await approved.officer()
    told = await steward.text(f"/console/requests/{number}")
    assert "+ until 30 June 2027 → until 31 December 2027" in told
    assert "now “Assign levelled reading.” becomes “We lend kits.”" in told
    filled = {"statement": "new", "not_after": "2027-12-31"}
    assert await decide(steward, number, "approve", "Student.birthDate", **filled) == 303
    second = await approved.officer("privacy-officer")
    told = await second.text(f"/console/requests/{number}")
    assert "+ until 30 June 2027 → until 31 December 2027" in told
    assert "before “Assign levelled reading.” became “We lend kits.”" in told
    assert await decide(second, number, "withhold", HOME, LANGUAGE, "Student.ssn") == 303
    after = grant_of(approved)
    assert str(after.not_after) == "2027-06-30"
    assert after.statement == "We lend kits."
    assert "Student.birthDate" in after.fields
    assert codes(await approved.graph(QUERY)) == {}
    assert await state(approved) == "NARROWED"
    told = await second.text(f"/console/requests/{number}")
    assert "Student.birthDate : approved" in told
    assert "Until 31 December 2027 What for: “We lend kits.”" in told


async def test_a_field_that_is_not_to_be_shown_whole_is_shown_as_it_was(approved: Asking) -> None:
    number = await approved.asked(asked_for(LANGUAGE))
    assert await decide(await approved.officer(), number, "approve", LANGUAGE) == 303
    assert codes(await approved.graph(QUERY)) == {LANGUAGE: "APPROVAL_PENDING"}
    assert await decide(await approved.officer("privacy-officer"), number, "withhold", HOME, LANGUAGE) == 303
    answer = await approved.graph(QUERY)
    assert codes(answer) == {}
    assert answer["data"]["students"]["nodes"][0]["homeLanguage"] in {"•••", None}
    assert await state(approved) == "REFUSED"


async def test_what_waits_comes_first(here: Asking) -> None:
    masked = await here.asked(asked_for(LANGUAGE, shown="masked"))
    whole = await here.asked(asked_for(LANGUAGE))
    steward = await here.officer()
    assert await decide(steward, masked, "approve", LANGUAGE, **{f"as.{LANGUAGE}": "masked"}) == 303
    assert f"Request {masked} is about the same grant" in await steward.text(f"/console/requests/{whole}")
    assert await decide(steward, whole, "approve", LANGUAGE) == 409
    assert grant_of(here).fields[LANGUAGE] == "masked"  # type: ignore[index]
    assert await decide(await here.officer("privacy-officer"), masked, "second", LANGUAGE) == 303
    assert await decide(steward, whole, "approve", LANGUAGE) == 303
    assert codes(await here.graph(QUERY))[LANGUAGE] == "APPROVAL_PENDING"


async def test_a_request_of_which_nothing_waits_any_more_is_closed(here: Asking) -> None:
    number = await here.asked(asked_for(HOME, "Student.birthDate"))
    assert await decide(await here.officer(), number, "approve", HOME, "Student.birthDate") == 303
    second = await here.officer("privacy-officer")
    page = await second.get(f"/console/requests/{number}")
    assert await decide(second, number, "close") == 400  # it still waits
    assert "Refusing takes out what was new." in words(page.text)
    here.grant.write_text(f"# Looked at.\n{here.grant.read_text()}")
    assert "Refusing takes these fields out of the grant." in await second.text(f"/console/requests/{number}")
    text = here.grant.read_text().replace(', "homelessStatus"', "").replace('"Student.homelessStatus"', "")
    here.grant.write_text(text)
    moved = await second.send_form(page, f"/console/requests/{number}", deed="second", reason="For lending.")
    assert moved.status_code == 409
    assert "Nothing of this request waits any more" in words(moved.text)
    reader = await here.officer("reader")
    assert "Close the request" not in await reader.text(f"/console/requests/{number}")
    assert await decide(second, number, "close", reason="Taken out by hand.") == 303
    assert await state(here) == "NARROWED"
    assert "Closed by privacy-officer@larkspur.example" in await second.text(f"/console/requests/{number}")


async def test_the_second_officer_approves_one_field_and_refuses_another(here: Asking) -> None:
    number = await here.asked(asked_for(HOME, LANGUAGE))
    assert await decide(await here.officer(), number, "approve", HOME, LANGUAGE) == 303
    second = await here.officer("privacy-officer")
    assert await decide(second, number, "second") == 400  # nothing is ticked
    seen = await second.text(f"/console/preview?request={number}")
    assert "APPROVAL_PENDING" not in seen.partition("homelessStatus")[2].partition("homeLanguage")[0]
    assert await decide(second, number, "second", HOME, reason="For lending.") == 303
    assert codes(await here.graph(QUERY)) == {LANGUAGE: "APPROVAL_PENDING"}
    assert await state(here) == "WAITING"
    assert await decide(second, number, "withhold", LANGUAGE, reason="Not that.") == 303
    assert codes(await here.graph(QUERY)) == {LANGUAGE: "NOT_GRANTED"}
    (told,) = (await here.graph("{ requests { state reason } }"))["data"]["requests"]
    assert told == {"state": "NARROWED", "reason": "As we agreed. · For lending. · Not that."}
    text = await second.text(f"/console/requests/{number}")
    assert f"+ {HOME} : approved" in text
    assert f"+ {LANGUAGE} : not given" in text
