"""An officer decides: what is written, what is in force, who must agree, and what nobody can do."""

import asyncio
import re

import pytest
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

import app.console.deciding
from app.errors import Unavailable
from app.names import ClientId
from app.oauth.clients import add_client
from app.officers.accounts import remove_officer
from app.policy.parse import parse_grant
from app.requests.filing import path_for, place
from app.requests.form import Form
from app.requests.model import Deed, Done, State
from app.requests.store import ask, deciding, decisions, undecided
from app.storage.migrate import migrate
from tests import worlds
from tests.console.office import OTHER, SCRIPT, SPACE, words
from tests.requests.asking import ASKED, Asking, codes, git
from tests.requests.decisions import ALL, BOTH, sent, ticked

pytestmark = pytest.mark.anyio


async def test_the_page_shows_the_difference_with_what_to_look_at(here: Asking) -> None:
    number = await here.asked()
    text = await (await here.officer()).text(f"/console/requests/{number}")
    assert "+ Add Student.birthDate The student's date of birth. directory" in text
    assert "◐ Add Student.middleName" in text
    assert "− Remove Student.races" in text
    assert "Texts are chosen by age." in text
    assert "Outside the agreement's schedule: Demographics is not in it." in text
    assert "In force only when approved by name by steward and privacy officer." in text
    assert "The vendor could also search by it." in text
    assert "Pupils of Elm Elementary in grades 4 and 5." in text
    assert "fields of the grant used" in text


async def test_what_is_approved_is_in_force_and_what_is_restricted_waits(here: Asking) -> None:
    here.grant.write_text(here.grant.read_text().replace('"firstName",', '"firstName",  # for the teacher\n '))
    before = here.grant.read_text()
    number = await here.asked()
    steward = await here.officer()
    assert (await sent(steward, number, ticked(*ALL))).status_code == 303
    answer = await here.graph(BOTH)
    assert codes(answer) == {"Student.homelessStatus": "APPROVAL_PENDING", "Student.races": "NOT_GRANTED"}
    assert answer["data"]["students"]["nodes"][0]["birthDate"]
    assert "# for the teacher" in here.grant.read_text()
    made = parse_grant("tx/larkspur/grants/readwell.toml", here.grant.read_bytes())
    assert [(one.by, one.role, one.covers) for one in made.approvals] == [
        ("steward@larkspur.example", "steward", ("Student.homelessStatus",))
    ]
    assert before != here.grant.read_text()
    (told,) = (await here.graph("{ requests { state reason } }"))["data"]["requests"]
    assert told == {"state": "WAITING", "reason": "The reading team asked for it."}

    assert "waits for privacy officer" in await steward.text(f"/console/requests/{number}")
    assert "Look at it" in await steward.text("/console")
    second = await here.officer("privacy-officer")
    assert "Decide" in await second.text("/console")
    text = await second.text(f"/console/requests/{number}")
    assert "Student.homelessStatus" in text
    assert "Outside the agreement's schedule" in text
    assert "Pupils of Elm Elementary in grades 4 and 5." in text
    assert "A reading kit is lent out." in text
    assert "Student.birthDate" not in text.partition("Your approval")[2].partition("What was asked for")[0]
    assert "Student.birthDate : approved" in text
    assert "Student.homelessStatus : approved; withheld today: Waits for an approval by name." in text
    refused = await sent(
        await here.officer("privacy-officer"),
        number,
        {"deed": "second", "reason": "For lending.", "field": ["Student.homelessStatus"]},
    )
    assert refused.status_code == 303
    assert codes(await here.graph(BOTH)) == {"Student.races": "NOT_GRANTED"}
    assert (await here.graph("{ requests { state } }"))["data"]["requests"] == [{"state": "APPROVED"}]


async def test_a_second_officer_who_refuses_takes_the_field_out(here: Asking) -> None:
    number = await here.asked()
    await sent(await here.officer(), number, ticked(*ALL))
    await sent(
        await here.officer("privacy-officer"),
        number,
        {"deed": "withhold", "reason": "Not for reading.", "field": ["Student.homelessStatus"]},
    )
    assert codes(await here.graph(BOTH))["Student.homelessStatus"] == "NOT_GRANTED"
    (told,) = (await here.graph("{ requests { state coordinates { coordinate approved } } }"))["data"]["requests"]
    assert told["state"] == "NARROWED"
    assert [one["approved"] for one in told["coordinates"]] == [True, True, False]


async def test_the_second_officer_is_another_person_whatever_roles_one_has(here: Asking) -> None:
    number, address = await here.asked(), "steward@larkspur.example"
    await sent(await here.officer(), number, ticked(*ALL))
    await remove_officer(here.rooms.control, SPACE, address)
    same = await here.office.officer("privacy-officer", email=address)
    refused = await sent(
        same, number, {"deed": "second", "reason": "For lending.", "field": ["Student.homelessStatus"]}
    )
    assert refused.status_code == 403
    assert "another officer's to give" in words(refused.text)
    assert codes(await here.graph(BOTH))["Student.homelessStatus"] == "APPROVAL_PENDING"
    withheld = await sent(
        same, number, {"deed": "withhold", "reason": "I was wrong.", "field": ["Student.homelessStatus"]}
    )
    assert withheld.status_code == 303


async def test_less_is_given_than_was_asked_for_and_never_more(here: Asking) -> None:
    number = await here.asked()
    steward = await here.officer()
    more = ticked(*ALL, **{"as.Student.middleName": ""})
    assert "not given whole" in (await sent(steward, number, more)).text
    assert "more than were asked for" in (await sent(steward, number, ticked(*ALL, schools="elm, oak"))).text
    assert "more than were asked for" in (await sent(steward, number, ticked(*ALL, schools=""))).text
    assert "longer than was asked for" in (await sent(steward, number, ticked(*ALL, not_after="2028-01-01"))).text
    assert "no more than was asked for" in (await sent(steward, number, ticked("Student.ssn"))).text
    assert "no more than was asked for" in (await sent(steward, number, ticked(remove=["Student.firstName"]))).text
    assert "Every decision has a reason" in (await sent(steward, number, ticked(*ALL, reason=" "))).text
    less = ticked("Student.middleName", **{"as.Student.middleName": "masked"}, schools="elm", grade_levels="04")
    assert (await sent(steward, number, {**less, "not_after": "2027-01-31"})).status_code == 303
    made = parse_grant("tx/larkspur/grants/readwell.toml", here.grant.read_bytes())
    assert (str(made.fields["Student.middleName"]), made.rows.grade_levels) == ("masked", ("04",))  # type: ignore[index]
    assert str(made.not_after) == "2027-01-31"
    assert (await here.graph("{ requests { state } }"))["data"]["requests"] == [{"state": "NARROWED"}]


async def test_a_refusal_changes_nothing_but_the_request(here: Asking) -> None:
    number, before = await here.asked(), here.grant.read_bytes()
    assert (await sent(await here.officer(), number, {"deed": "refuse", "reason": "Not needed."})).status_code == 303
    assert here.grant.read_bytes() == before
    told = (await here.graph("{ requests { state reason coordinates { approved } } }"))["data"]["requests"]
    assert told == [{"state": "REFUSED", "reason": "Not needed.", "coordinates": [{"approved": False}] * 3}]


async def test_threat_36_two_officers_at_once_the_second_sees_what_changed(here: Asking) -> None:
    number, other = await here.asked(), await here.asked({**ASKED, "remove": []})
    one, two = await here.officer(), await here.officer()
    page = await two.get(f"/console/requests/{other}")
    assert (await sent(one, number, ticked("Student.birthDate"))).status_code == 303
    after = here.grant.read_bytes()
    late = await two.send_form(page, f"/console/requests/{other}", **ticked("Student.middleName", remove=[]))
    assert late.status_code == 409
    told = words(late.text)
    assert "has changed since you opened this page" in told
    assert "+ Student: birthDate" in told
    assert here.grant.read_bytes() == after
    again = await two.send_form(late, f"/console/requests/{other}", **ticked("Student.middleName", remove=[]))
    assert again.status_code == 303
    made = parse_grant("tx/larkspur/grants/readwell.toml", here.grant.read_bytes())
    assert {"Student.birthDate", "Student.middleName"} <= made.fields.keys()


async def test_a_request_is_decided_once(here: Asking) -> None:
    number = await here.asked()
    browser = await here.officer()
    page = await browser.get(f"/console/requests/{number}")
    address = f"/console/requests/{number}"
    assert (await browser.send_form(page, address, deed="refuse", reason="No.")).status_code == 303
    late = await browser.send_form(page, address, **ticked(*ALL))
    assert late.status_code == 409
    assert "Somebody else has decided" in late.text


async def test_threat_36_of_an_approval_and_a_refusal_at_once_one_is_made_and_the_other_told(here: Asking) -> None:
    address = f"/console/requests/{await here.asked()}"
    stewards = [await here.officer() for _ in range(6)]
    pages = [await one.get(address) for one in stewards]
    forms = [ticked(*ALL), {"deed": "refuse", "reason": "Not needed."}] * 3
    before = here.grant.read_bytes()
    answers = await asyncio.gather(
        *(one.send_form(page, address, **form) for one, page, form in zip(stewards, pages, forms, strict=True))
    )
    assert sorted(one.status_code for one in answers) == [303, *[409] * 5]
    told = {words(one.text).partition("Somebody else has decided on this request")[1] for one in answers}
    assert told == {"", "Somebody else has decided on this request"}
    approved = answers[0].status_code + answers[2].status_code + answers[4].status_code < 3 * 409
    assert (here.grant.read_bytes() != before) == approved
    (made,) = await decisions(here.rooms.control, SPACE)
    assert made.deed == ("approve" if approved else "refuse")


async def test_a_decision_that_cannot_be_kept_is_not_in_the_grant_either(here: Asking) -> None:
    first = {**ASKED, "purpose": "rostering", "statement": "s", "rows": {}, "not_after": "2027-06-30", "remove": []}
    numbers = [await here.asked(), await here.asked(first)]
    before, steward = here.grant.read_bytes(), await here.officer()
    broken = "CREATE TRIGGER full BEFORE INSERT ON decision BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    async with here.rooms.control.begin() as control:
        await control.execute(sql(broken))
    for number in numbers:
        refused = await sent(steward, number, ticked(*ALL, remove=[], schools="elm" if number == numbers[0] else ""))
        assert refused.status_code == 503
        assert "Nothing was changed" in refused.text
    assert here.grant.read_bytes() == before
    assert [one.name for one in here.grant.parent.iterdir()] == ["readwell.toml"]
    assert {one.state for one in await undecided(here.rooms.control, SPACE)} == {State.OPEN}


async def test_nobody_is_told_that_nothing_was_changed_once_it_was(
    here: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> None:
        raise Unavailable("The control database does not answer. Nothing was changed.")

    number, steward = await here.asked(), await here.officer()
    monkeypatch.setattr(app.console.deciding, "by_number", silent)
    assert (await sent(steward, number, ticked(*ALL))).status_code == 303
    assert (await decisions(here.rooms.control, SPACE))[0].deed == "approve"


async def test_whoever_comes_second_to_a_request_is_told_so_on_both_databases(database: AsyncEngine) -> None:
    await migrate(database, "control")
    await add_client(database, "readwell", scopes=[], now=0)
    asked = await ask(database, SPACE, ClientId("readwell"), Form("instruction"), now=worlds.NOW)

    async def come(number: int) -> bool:
        async with deciding(database, asked) as decision:
            if decision is not None:
                await asyncio.sleep(0.05)
                done = Done(
                    asked.client, "instruction", worlds.NOW, f"{number}@x.example", "steward", Deed.REFUSE, "No."
                )
                await decision.keep(State.REFUSED, frozenset(), done)
            return decision is not None

    assert sorted(await asyncio.gather(*map(come, range(8)))) == [False] * 7 + [True]
    assert len(await decisions(database, SPACE)) == 1


async def test_a_reader_and_a_privacy_officer_do_not_decide(here: Asking) -> None:
    number, before = await here.asked(), here.grant.read_bytes()
    steward = await here.officer()
    page = await steward.get(f"/console/requests/{number}")
    for role in ("reader", "privacy-officer"):
        browser = await here.officer(role)
        assert "A steward decides" in await browser.text(f"/console/requests/{number}")
        mark = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/console")).text)
        assert mark
        form = {**ticked(*ALL), "csrf": mark[1], "revision": ""}
        assert (await browser.post(f"/console/requests/{number}", data=form)).status_code == 403
    assert here.grant.read_bytes() == before
    assert page.status_code == 200


async def test_threat_21_nothing_is_taken_without_the_mark_of_the_session(here: Asking) -> None:
    number, before = await here.asked(), here.grant.read_bytes()
    browser = await here.officer()
    addresses = [f"/console/requests/{number}"]
    addresses += [f"/console/vendors/readwell/{deed}" for deed in ("narrow", "revoke", "standing")]
    for address in addresses:
        for csrf in ({}, {"csrf": "forged"}):
            answer = await browser.post(address, data={**ticked(*ALL), "purpose": "instruction", "days": "1", **csrf})
            assert answer.status_code == 400, address
    assert here.grant.read_bytes() == before
    assert (await here.graph("{ requests { state } }"))["data"]["requests"] == [{"state": "OPEN"}]


async def test_threat_36_another_districts_officer_finds_nothing_at_any_address(here: Asking) -> None:
    number, before = await here.asked(), here.grant.read_bytes()
    other = await here.officer("steward", OTHER)
    listed = await other.get("/console/requests")
    assert "readwell" not in listed.text
    assert "Larkspur" not in listed.text
    mark = re.search(r'name="csrf" value="([^"]+)"', listed.text)
    assert mark
    for address in (f"/console/requests/{number}", f"/console/preview?request={number}"):
        page = await other.get(address)
        assert page.status_code == 404
        assert "Larkspur" not in page.text
        assert "readwell" not in page.text.replace(f"{address}", "")
    assert (await other.get("/console/preview?vendor=readwell&purpose=instruction")).status_code == 404
    for deed in ("narrow", "revoke", "standing"):
        form = {"csrf": mark[1], "purpose": "instruction", "days": "1", "deed": "suspend", "reason": "x"}
        assert (await other.post(f"/console/vendors/readwell/{deed}", data=form)).status_code == 404
    form = {"csrf": mark[1], **ticked(*ALL), "revision": ""}
    assert (await other.post(f"/console/requests/{number}", data=form)).status_code == 404
    assert here.grant.read_bytes() == before


async def test_threat_22_a_script_in_what_anybody_wrote_stays_text(here: Asking) -> None:
    fields = [{"coordinate": "Student.birthDate", "reason": SCRIPT}]
    number = await here.asked({"purpose": "instruction", "fields": fields, "statement": SCRIPT})
    steward = await here.officer()
    page = await steward.get(f"/console/requests/{number}")
    assert SCRIPT not in page.text
    assert SCRIPT in words(page.text.replace("&lt;", "<").replace("&gt;", ">")) or "document.title" in page.text
    await sent(steward, number, ticked("Student.birthDate", reason=SCRIPT, remove=[]))
    for address in (f"/console/requests/{number}", "/console/vendors/readwell", "/console", "/console/matrix"):
        assert "<script>document" not in (await steward.get(address)).text


async def test_threat_24_a_path_never_leaves_the_folder(here: Asking) -> None:
    folder = here.office.home / "policies"
    for path in (
        "../keys/oauth.toml",
        "tx/larkspur/grants/../../../x.toml",
        "tx/larkspur/grants/../district.toml",
        "tx/../mn/quarry-lake/grants/quarrysoft.toml",
        "tx/larkspur/district.toml",
        "/etc/grants/x.toml",
        "tx/larkspur/grants/.hidden.toml",
    ):
        with pytest.raises(ValueError, match="no path"):
            place(folder, path)
    for space, client in ((SPACE, ".."), (SPACE, "../x"), ("tx/..", "readwell"), ("../mn", "readwell")):
        with pytest.raises(ValueError, match="no "):
            path_for(space, client, "instruction", frozenset())  # type: ignore[arg-type]
    outside = here.office.home / "outside"
    outside.mkdir()
    (folder / "tx" / "linked").symlink_to(outside)
    with pytest.raises(ValueError, match="no path"):
        place(folder, "tx/linked/grants/readwell.toml")
    steward = await here.officer()
    for address in ("/console/requests/1%2F..%2F2", "/console/requests/%2E%2E%2Fx", "/console/vendors/..%2Freadwell/x"):
        assert (await steward.get(address)).status_code == 404


async def test_a_decision_is_a_commit_in_the_officers_name(here: Asking) -> None:
    folder = here.office.home / "policies"
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "-q", "-m", "all")
    (folder / SPACE / "district.toml").write_text((folder / SPACE / "district.toml").read_text() + "# not mine\n")
    number = await here.asked()
    await sent(await here.officer(), number, ticked("Student.birthDate"))
    log = git(folder, "log", "-1", "--format=%an %ae %s", "--name-only")
    assert "steward@larkspur.example steward@larkspur.example readwell for instruction" in log
    assert log.split()[-1] == "tx/larkspur/grants/readwell.toml"
    assert "district.toml" in git(folder, "status", "--porcelain")


async def test_a_first_grant_is_written_with_what_it_rests_on(here: Asking) -> None:
    form = {
        "purpose": "rostering",
        "statement": "Accounts for pupils.",
        "fields": [{"coordinate": "Student.firstName", "reason": "An account has a name."}],
        "rows": {"schools": ["elm"]},
        "not_after": "2027-06-30",
    }
    number = await here.asked(form)
    steward = await here.officer()
    filled = {**ticked("Student.firstName"), **{"grade_levels": "", "remove": []}}
    filled |= {"basis": "school-official", "agreement": "NDPA v1", "signed": "2026-06-01", "schedule": ["Student Name"]}
    assert (await sent(steward, number, filled)).status_code == 303
    made = here.grant.with_name("readwell-rostering.toml")
    grant = parse_grant("tx/larkspur/grants/readwell-rostering.toml", made.read_bytes())
    assert grant.agreement
    assert grant.agreement.schedule == ("Student Name",)
    assert grant.rows.schools == ("elm",)
    assert "readwell" in await steward.text("/console/vendors/readwell")
