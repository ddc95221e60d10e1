"""Accounts, passwords and failures, on both databases."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable, UsageError
from app.officers import passwords
from app.officers.accounts import add_officer, list_officers, remove_officer, set_password
from app.officers.devices import DEVICE, Device, known_device, name_device
from app.officers.entering import Refusal, enter
from app.officers.seal import Seal
from app.officers.sessions import begin, end, end_all, find
from app.signing_in import Console
from app.storage.migrate import migrate

pytestmark = pytest.mark.anyio

SPACE, EMAIL, PASSWORD = "tx/larkspur", "a.ramos@larkspur.example", "a long enough password"


@pytest.fixture
async def control(database: AsyncEngine) -> AsyncEngine:
    await migrate(database, "control")
    return database


async def test_an_account_opens_to_its_password_in_its_space_alone(control: AsyncEngine) -> None:
    await add_officer(control, SPACE, EMAIL, "steward", PASSWORD, now=7)

    async def come(space: str = SPACE, email: str = EMAIL, password: str = PASSWORD) -> object:
        return await enter(control, space, email, password, "192.0.2.1", now=600, attempts=2)

    officer = await come(email=EMAIL.upper())
    assert (await list_officers(control, SPACE)) == (officer,)
    assert await come(space="tx/elsewhere") == Refusal(locked=False)
    assert await come(password="x" * 300) == Refusal(locked=False)
    assert await come(password="wrong \ud800") == Refusal(locked=False)
    assert await come() == Refusal(locked=True)
    later = await enter(control, SPACE, EMAIL, PASSWORD, "192.0.2.1", now=600 + 15 * 60, attempts=2)
    assert later == officer


async def test_threat_37_an_address_that_tries_many_accounts_is_locked_out(
    control: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_password: str, _kept: str) -> bool:
        return False

    monkeypatch.setattr("app.officers.entering.matches", never)
    tries = [await enter(control, SPACE, f"{n}@x.example", "p", "192.0.2.1", now=60, attempts=1) for n in range(11)]
    assert [one.locked for one in tries if isinstance(one, Refusal)] == [False] * 10 + [True]
    other = await enter(control, SPACE, "11@x.example", "p", "192.0.2.2", now=60, attempts=1)
    assert other == Refusal(locked=False)


async def test_threat_37_a_hundred_guesses_at_once_are_as_many_as_one_after_the_other(control: AsyncEngine) -> None:
    await add_officer(control, SPACE, EMAIL, "steward", PASSWORD, now=7)
    guesses = [enter(control, SPACE, EMAIL, f"guess {n}", "192.0.2.1", now=60, attempts=5) for n in range(40)]
    found = await asyncio.gather(*guesses)
    assert sorted(one.locked for one in found if isinstance(one, Refusal)) == [False] * 5 + [True] * 35
    # The right one counts against nobody, however often.
    right = [await enter(control, SPACE, EMAIL, PASSWORD, "192.0.2.2", now=60, attempts=1) for _ in range(3)]
    assert not any(isinstance(one, Refusal) for one in right)


@pytest.mark.parametrize(
    ("email", "role", "password", "said"),
    [
        ("no address", "steward", PASSWORD, "e-mail address"),
        (EMAIL, "superintendent", PASSWORD, "no such role"),
        (EMAIL, "steward", "short", "12 to 256"),
        (EMAIL, "steward", "x" * 257, "12 to 256"),
        (EMAIL, "steward", "aaaabbbbccccdddd", "5 different characters"),
    ],
)
async def test_what_cannot_be_an_account_is_refused(
    control: AsyncEngine, email: str, role: str, password: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        await add_officer(control, SPACE, email, role, password, now=0)


async def test_an_account_is_made_once_and_missed_when_it_is_not_there(control: AsyncEngine) -> None:
    await add_officer(control, SPACE, EMAIL, "reader", PASSWORD, now=0)
    with pytest.raises(UsageError, match="already"):
        await add_officer(control, SPACE, EMAIL.upper(), "steward", PASSWORD, now=0)
    await remove_officer(control, SPACE, EMAIL)
    for gone in (remove_officer(control, SPACE, EMAIL), set_password(control, SPACE, EMAIL, PASSWORD)):
        with pytest.raises(UsageError, match="no such officer"):
            await gone


async def test_sessions_end_one_by_one_and_all_at_once(control: AsyncEngine) -> None:
    limits = Console()
    tokens = [await begin(control, SPACE, EMAIL, "reader", officer=None, now=100, limits=limits) for _ in range(3)]
    found = [await find(control, token, now=100, limits=limits) for token in tokens]
    assert all(found)
    assert found[0] is not None
    await end(control, found[0].id)
    assert [bool(await find(control, token, now=100, limits=limits)) for token in tokens] == [False, True, True]
    assert await end_all(control, SPACE, EMAIL.upper()) == 2
    assert not any([await find(control, token, now=100, limits=limits) for token in tokens])
    first = await begin(control, SPACE, EMAIL, "reader", officer=None, now=100, limits=limits)
    second = await begin(control, SPACE, EMAIL, "reader", officer=None, now=100, limits=limits, former=first)
    assert [bool(await find(control, token, now=100, limits=limits)) for token in (first, second)] == [False, True]


async def test_what_is_no_account_of_ours_is_left_alone(control: AsyncEngine) -> None:
    """An officer from the district's own provider has no account here, and stays signed in."""
    limits = Console()
    token = await begin(control, SPACE, EMAIL, "reader", officer=None, now=100, limits=limits)
    for gone in (remove_officer(control, SPACE, EMAIL), set_password(control, SPACE, EMAIL, PASSWORD)):
        with pytest.raises(UsageError, match="homeroom officer sign-out"):
            await gone
    assert await find(control, token, now=100, limits=limits)


async def test_a_control_database_that_is_away_is_said_in_a_sentence(control: AsyncEngine) -> None:
    async with control.begin() as connection:
        for table in ("officer_session", "officer_failure", "officer"):
            await connection.exec_driver_sql(f"DROP TABLE {table}")
    limits = Console()
    for asked in (
        add_officer(control, SPACE, EMAIL, "reader", PASSWORD, now=0),
        list_officers(control, SPACE),
        remove_officer(control, SPACE, EMAIL),
        set_password(control, SPACE, EMAIL, PASSWORD),
        enter(control, SPACE, EMAIL, PASSWORD, "192.0.2.1", now=0, attempts=1),
        begin(control, SPACE, EMAIL, "reader", officer=None, now=0, limits=limits),
        find(control, "token", now=0, limits=limits),
        end(control, "session"),
        end_all(control, SPACE, EMAIL),
    ):
        with pytest.raises(Unavailable, match="control database does not answer"):
            await asked


async def test_threat_37_a_browser_that_an_account_knows_is_counted_for_itself(control: AsyncEngine) -> None:
    seal = Seal(b"k" * 32)
    await add_officer(control, SPACE, EMAIL, "reader", PASSWORD, now=0)
    (officer,) = await list_officers(control, SPACE)
    device = known_device(seal, name_device(seal, officer))
    assert known_device(seal, name_device(seal, officer)) != device  # each has a name of its own
    assert known_device(seal, "") is known_device(seal, seal.seal(DEVICE, "other")) is None
    assert known_device(Seal(b"x" * 32), name_device(seal, officer)) is None

    async def come(password: str = PASSWORD, device: Device | None = device) -> object:
        return await enter(control, SPACE, EMAIL, password, "192.0.2.1", now=60, attempts=1, device=device)

    assert await come("wrong", None) == Refusal(locked=False)
    assert await come(PASSWORD, None) == Refusal(locked=True)
    assert await come() == officer
    assert await come("wrong") == Refusal(locked=False)
    assert await come() == Refusal(locked=True)
    changed = await set_password(control, SPACE, EMAIL, f"{PASSWORD} 2")
    assert device is not None
    assert not device.knows(changed)


async def test_threat_37_nobody_costs_what_an_account_costs() -> None:
    assert not passwords._hasher.current_hasher.check_needs_rehash(passwords.NOBODY)
    assert not any(await asyncio.gather(*(passwords.matches(text, passwords.NOBODY) for text in ("", PASSWORD))))


def test_a_password_that_is_made_can_be_one() -> None:
    assert passwords.SHORTEST <= len(passwords.new_password()) <= passwords.LONGEST
