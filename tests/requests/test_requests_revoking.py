"""Whoever revokes ends all that a vendor has for a purpose, or nothing; and pages say so while it is true."""

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

import app.console.revoking
import app.console.writing
import app.requests.filing
from app.errors import Unavailable
from app.names import ClientId
from app.policy.parse import parse_grant
from app.requests.filing import Change, Stale, alone, read_grant
from app.requests.model import Deed, Done
from app.requests.store import noting, revocations
from app.storage.migrate import migrate
from app.storage.published import publish
from app.watching import Watch
from tests import worlds
from tests.console.office import GRANT, SPACE, Browser, words
from tests.requests.asking import Asking, checkout, codes, git

pytestmark = pytest.mark.anyio

PAGE = "/console/vendors/readwell"
FIRST_NAME = "{ students(first: 1) { nodes { firstName } } }"
COPY = f"{SPACE}/grants/readwell-copy.toml"
LATER = GRANT.replace("2026-07-01", "2026-11-01")


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until what lies in the folder is in force."""
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.05)


async def written(here: Asking, path: str, text: str) -> None:
    """Write a policy file, and wait until it is in force."""
    here.office.write(path, text)
    await until(lambda: here.rooms.policies.files.get(path) == text.encode())


async def revoked(steward: Browser, reason: str = "The contract ended.") -> httpx.Response:
    """What the form on the vendor's page is answered with."""
    return await steward.send_form(await steward.get(PAGE), f"{PAGE}/revoke", reason=reason)


def instruction(page: httpx.Response, reason: str = "The contract ended.") -> dict[str, str]:
    """The form for one purpose of several."""
    mark = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    return {"csrf": mark, "purpose": "instruction", "reason": reason}


def texts(here: Asking) -> dict[str, bytes]:
    """The grants of the district as they lie there."""
    return {file.name: file.read_bytes() for file in here.grant.parent.iterdir()}


async def notes(here: Asking) -> list[str]:
    return [one.file for one in await revocations(here.rooms.control, SPACE)]


async def test_every_file_of_the_purpose_ends_those_that_begin_later_included(here: Asking) -> None:
    await written(here, COPY, GRANT)
    await written(here, f"{SPACE}/grants/readwell-next.toml", LATER)
    other = GRANT.replace('"instruction"', '"rostering"')
    await written(here, f"{SPACE}/grants/readwell-rostering.toml", other)
    steward = await here.officer()
    told = words((await steward.get(PAGE)).text)
    assert f"These end: {SPACE}/grants/readwell.toml , {COPY} , {SPACE}/grants/readwell-next.toml" in told
    assert "(to begin on 1 November 2026)" in told
    page = await steward.get(PAGE)
    answer = await steward.post(f"{PAGE}/revoke", data=instruction(page))
    assert answer.status_code == 303, words(answer.text)
    assert set(codes(await here.graph(FIRST_NAME)).values()) == {"GRANT_EXPIRED"}
    ends = {name: parse_grant(f"{SPACE}/grants/{name}", text).not_after for name, text in texts(here).items()}
    assert {name: str(end) for name, end in ends.items()} == {
        "readwell.toml": "2026-10-14",
        "readwell-copy.toml": "2026-10-14",
        "readwell-next.toml": "2026-10-14",
        "readwell-rostering.toml": "2027-06-30",
    }
    assert len(await notes(here)) == 3
    told = await steward.text(PAGE)
    assert "readwell-next.toml , never in force: it was to begin on 1 November 2026" in told
    assert told.count("Revoked (instruction) 15 October 2026") == 1
    assert told.count("It discloses nothing.") == 1


async def test_a_copy_that_is_not_in_force_yet_ends_too(here: Asking) -> None:
    steward = await here.officer()
    page = await steward.get(PAGE)
    here.office.write(COPY, GRANT)
    assert (await steward.post(f"{PAGE}/revoke", data=instruction(page))).status_code == 303
    await asyncio.sleep(1)
    assert set(codes(await here.graph(FIRST_NAME)).values()) == {"GRANT_EXPIRED"}


async def test_a_broken_file_whose_last_good_revision_is_in_force_is_not_passed_over(here: Asking) -> None:
    await written(here, COPY, GRANT)
    file = here.office.write(COPY, f"{GRANT}\nx =")
    await asyncio.sleep(1)
    steward, before = await here.officer(), texts(here)
    refused = await revoked(steward)
    assert refused.status_code == 400
    assert f"{COPY}:" in words(refused.text)
    assert "Its last good revision is in force" in words(refused.text)
    assert (texts(here), await notes(here)) == (before, [])
    assert codes(await here.graph(FIRST_NAME)) == {}
    file.unlink()
    await until(lambda: COPY not in here.rooms.policies.files)
    assert (await revoked(steward)).status_code == 303


@pytest.mark.parametrize("place", ["broken", "link", "unwritable for tomlkit"])
async def test_a_file_that_cannot_be_ended_is_named_and_none_is(here: Asking, place: str) -> None:
    file = here.grant.with_name("readwell-copy.toml")
    if place == "link":
        here.grant.with_name("other").write_text(GRANT)
        file.symlink_to(here.grant.with_name("other"))
        await until(lambda: COPY in here.rooms.policies.files)
        here.grant.with_name("other").rename(here.grant.with_name(".other"))
        file.unlink()
        file.symlink_to(here.grant.with_name(".other"))
    elif place == "broken":
        await written(here, COPY, GRANT)
        file.write_bytes(b"\xff")
    else:
        text = f"\ufeff{GRANT}"
        await written(here, COPY, text)
    steward, before = await here.officer(), texts(here)
    refused = await revoked(steward)
    assert refused.status_code == 400
    assert COPY in words(refused.text)
    assert (texts(here), await notes(here)) == (before, [])


async def test_a_file_that_is_in_force_and_gone_is_named_and_what_never_was_in_force_hinders_nobody(
    here: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.office.write(f"{SPACE}/grants/readwell-draft.toml", "client = ")
    await written(here, COPY, GRANT)
    steward = await here.officer()
    page = await steward.get(PAGE)
    other = await steward.post(f"{PAGE}/revoke", data={**instruction(page), "purpose": "rostering"})
    assert other.status_code == 404

    async def blind(_: Watch) -> None: ...

    with monkeypatch.context() as patched:
        patched.setattr(Watch, "look", blind)
        here.grant.with_name("readwell-copy.toml").unlink()
        refused = await steward.post(f"{PAGE}/revoke", data=instruction(page))
        assert refused.status_code == 400
        assert f"{COPY} is in force, and does not lie in the policy folder" in words(refused.text)
        assert b"2027-06-30" in here.grant.read_bytes()
    await until(lambda: COPY not in here.rooms.policies.files)
    assert (await steward.post(f"{PAGE}/revoke", data=instruction(page))).status_code == 303


async def test_a_file_that_is_being_changed_is_named_and_kept_as_it_was_changed(
    here: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(here, COPY, GRANT)
    looked = app.console.revoking.endings

    def then_changed(*given: Any) -> Any:
        found = looked(*given)
        here.office.write(f"{SPACE}/grants/readwell.toml", f"{GRANT}# by hand\n")
        return found

    monkeypatch.setattr(app.console.revoking, "endings", then_changed)
    refused = await revoked(await here.officer())
    assert refused.status_code == 400
    assert f"{SPACE}/grants/readwell.toml is being changed at this moment" in words(refused.text)
    assert texts(here) == {"readwell.toml": f"{GRANT}# by hand\n".encode(), "readwell-copy.toml": GRANT.encode()}
    assert await notes(here) == []


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """A disk on which nothing larger fits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_where_one_file_cannot_be_written_the_others_are_put_back(here: Asking) -> None:
    await written(here, f"{SPACE}/grants/readwell-z.toml", f"{GRANT}# {'x' * 200_000}\n")
    steward, before = await here.officer(), texts(here)
    page = await steward.get(PAGE)
    with no_file_larger_than(150_000):
        refused = await steward.post(f"{PAGE}/revoke", data=instruction(page))
    assert refused.status_code == 503
    assert f"{SPACE}/grants/readwell-z.toml cannot be written" in words(refused.text)
    assert (texts(here), await notes(here)) == (before, [])
    assert codes(await here.graph(FIRST_NAME)) == {}


async def test_of_several_files_all_are_written_or_none(here: Asking) -> None:
    folder = here.office.home / "policies"
    here.office.write(COPY, GRANT)
    first, second = (read_grant(folder, path) for path in (f"{SPACE}/grants/readwell.toml", COPY))
    here.office.write(COPY, f"{GRANT}# another's\n")
    before = texts(here)
    async with alone(folder) as turn:
        with pytest.raises(Stale, match="readwell-copy"):
            turn.write([Change(first, f"{GRANT}# mine\n"), Change(second, f"{GRANT}# mine\n")])
    assert texts(here) == before


async def test_a_grant_that_never_began_or_began_today_ends_without_a_finding(here: Asking) -> None:
    today = GRANT.replace("2026-07-01", "2026-10-15")
    for text, period in ((today, "15 October 2026"), (LATER, "1 November 2026")):
        await written(here, f"{SPACE}/grants/readwell.toml", text)
        steward = await here.officer()
        before = await steward.text("/console")
        assert (await revoked(steward)).status_code == 303
        told = await steward.text("/console")
        for words_of in ("ends before it begins", "expired after", "Was in force until", "review was due"):
            assert words_of not in told
        assert "readwell.toml" in before
        assert "readwell.toml" not in told
        told = await steward.text(PAGE)
        assert f"never in force: it was to begin on {period}, and its last day is 14 October 2026 · over" in told
        assert "Revoked 15 October 2026" in told
        assert "readwell instruction over" in await steward.text("/console/matrix")
        refusal = (await here.graph(FIRST_NAME))["errors"][0]
        assert "in force from" not in refusal["message"]


async def test_a_slip_in_a_grant_is_still_found(here: Asking) -> None:
    steward = await here.officer()
    await revoked(steward)
    slip = GRANT.replace("2026-07-01", "2027-07-01").replace('"instruction"', '"rostering"')
    for text in (slip, slip.replace("2027-06-30", "2026-10-14")):
        await written(here, f"{SPACE}/grants/readwell-rostering.toml", text)
        told = await steward.text("/console")
        assert told.count("The grant ends before it begins") == 1
    # What an officer ended says so until somebody changes it: then it is looked at again.
    here.grant.write_text(here.grant.read_text().replace("2026-10-14", "2026-06-14"))
    await until(lambda: b"2026-06-14" in here.rooms.policies.files[f"{SPACE}/grants/readwell.toml"])
    assert (await steward.text("/console")).count("The grant ends before it begins") == 2


@contextmanager
def locked(here: Asking) -> Iterator[None]:
    """A control database that nobody can write to; who wants to is told so soon."""

    def impatient(connection: object, *_: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA busy_timeout=200")
        cursor.close()

    event.listen(here.rooms.control.sync_engine, "checkout", impatient)
    holder = sqlite3.connect(here.office.home / "control.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()
        event.remove(here.rooms.control.sync_engine, "checkout", impatient)


async def test_what_cannot_be_recorded_is_not_done(here: Asking) -> None:
    folder = here.office.home / "policies"
    checkout(folder)
    steward, before = await here.officer(), texts(here)
    page = await steward.get(PAGE)
    with locked(here):
        refused = await steward.post(f"{PAGE}/revoke", data=instruction(page))
        assert refused.status_code == 503
        assert "Nothing was changed" in words(refused.text)
        deeds = {"deed": "suspend", **instruction(page)}
        refused = await steward.post(f"{PAGE}/standing", data=deeds)
        assert refused.status_code == 503
        assert "Nothing was changed" in words(refused.text)
        await asyncio.sleep(1)
    assert (texts(here), await notes(here)) == (before, [])
    assert git(folder, "log", "--format=%s").split() == ["all"]
    assert git(folder, "status", "--porcelain") == ""
    assert codes(await here.graph(FIRST_NAME)) == {}
    assert "Suspended here" not in await steward.text(PAGE)
    assert (await steward.post(f"{PAGE}/standing", data=deeds)).status_code == 303
    with locked(here):
        deeds["deed"] = "resume"
        assert (await steward.post(f"{PAGE}/standing", data=deeds)).status_code == 503
    assert "Suspended here" in await steward.text(PAGE)


async def test_what_is_written_and_then_cannot_be_recorded_is_put_back_before_it_is_in_force(here: Asking) -> None:
    await written(here, COPY, GRANT)
    steward, before = await here.officer(), texts(here)
    broken = "CREATE TRIGGER full BEFORE INSERT ON decision BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    async with here.rooms.control.begin() as control:
        await control.execute(sql(broken))
    refused = await revoked(steward)
    assert refused.status_code == 503
    assert "Nothing was changed" in refused.text
    assert texts(here) == before
    assert codes(await here.graph(FIRST_NAME)) == {}


async def test_what_fails_is_undone_before_anybody_can_publish_it_on_both_databases(database: AsyncEngine) -> None:
    await migrate(database, "control")
    made = Done(ClientId("readwell"), "instruction", worlds.NOW, "o@x.example", "steward", Deed.REVOKE, "Over.")
    waits, publishing = [], []

    async def undo() -> None:
        publishing.append(asyncio.create_task(publish(database, {"tx/state.toml": b""})))
        await asyncio.sleep(0.2)
        waits.append(not publishing[0].done())

    async def fail() -> None:
        async with noting(database, SPACE, undo) as keep:
            await keep(made)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert waits == [True]
    assert await publishing[0] == 1
    assert not await revocations(database, SPACE)
    async with noting(database, SPACE, undo) as keep:
        await keep(made)
    assert [one.reason for one in await revocations(database, SPACE, ClientId("readwell"))] == ["Over."]
    assert len(publishing) == 1


async def test_whoever_waits_too_long_for_others_is_told_and_nothing_is_changed(
    here: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.requests.filing, "PATIENCE", 0.1)
    steward, before = await here.officer(), texts(here)
    async with alone(here.office.home / "policies"):
        refused = await revoked(steward)
    assert refused.status_code == 503
    assert "Other decisions are being written" in words(refused.text)
    assert texts(here) == before


async def test_what_cannot_be_put_back_is_named(tmp_path: Path) -> None:
    file = tmp_path / COPY
    file.parent.mkdir(parents=True)
    file.write_text("# " + "x" * 200_000)
    async with alone(tmp_path) as turn:
        change = Change(read_grant(tmp_path, COPY), "# short")
        turn.write([change])
        with no_file_larger_than(150_000), pytest.raises(Unavailable, match=r"readwell-copy\.toml cannot be put back"):
            turn.put_back([change])
        assert file.read_text() == "# short"
        turn.put_back([change])
    assert len(file.read_text()) == 200_002


async def test_nobody_is_told_of_a_revocation_that_is_not_in_force(
    here: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(_: Watch) -> None: ...

    monkeypatch.setattr(Watch, "look", blind)
    monkeypatch.setattr(app.console.writing, "IN_FORCE", 0.2)
    steward = await here.officer()
    answer = await revoked(steward)
    assert answer.status_code == 503
    assert "not in force yet" in words(answer.text)
    assert "Revoked 15 October 2026" not in await steward.text(PAGE)


async def test_since_when_and_by_whom_is_said_however_much_is_decided_after(here: Asking) -> None:
    steward = await here.officer()
    await revoked(steward)
    for n in range(9):
        number = await here.asked()
        page = await steward.get(f"/console/requests/{number}")
        refused = await steward.send_form(page, f"/console/requests/{number}", deed="refuse", reason=f"No, {n}.")
        assert refused.status_code == 303
    told = await steward.text(PAGE)
    assert "Revoked (instruction)" not in told
    assert "Revoked 15 October 2026, 12:00 by steward@larkspur.example: “The contract ended.”" in told


async def test_a_grant_that_was_renewed_and_ran_out_is_not_said_to_be_revoked(here: Asking) -> None:
    steward = await here.officer()
    await revoked(steward)
    await written(here, f"{SPACE}/grants/readwell.toml", here.grant.read_text().replace("2026-10-14", "2026-10-31"))
    told = await steward.text(PAGE)
    assert "1 July 2026 to 31 October 2026" in told
    assert "It discloses nothing" not in told
    here.office.now[0] += timedelta(days=30)
    told = await (await here.officer()).text(PAGE)
    assert "1 July 2026 to 31 October 2026 · over" in told
    assert "It discloses nothing" not in told
    assert "Revoked (instruction) 15 October 2026" in told  # what officers decided


async def test_another_grant_that_ran_out_since_is_not_said_to_be_revoked(here: Asking) -> None:
    steward = await here.officer()
    await revoked(steward)
    await written(here, COPY, GRANT.replace("2027-06-30", "2026-10-31"))
    here.office.now[0] += timedelta(days=30)
    told = await (await here.officer()).text(PAGE)
    assert "It discloses nothing" not in told
