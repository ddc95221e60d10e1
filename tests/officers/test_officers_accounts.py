"""Accounts, passwords and failures, on both databases."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import UsageError
from app.officers import passwords
from app.officers.accounts import add_officer, list_officers, remove_officer, set_password
from app.officers.entering import Refusal, enter
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
    await end_all(control, SPACE, EMAIL)
    assert not any([await find(control, token, now=100, limits=limits) for token in tokens])


async def test_threat_37_nobody_costs_what_an_account_costs() -> None:
    assert not passwords._hasher.current_hasher.check_needs_rehash(passwords.NOBODY)
    assert not any(await asyncio.gather(*(passwords.matches(text, passwords.NOBODY) for text in ("", PASSWORD))))


def test_a_password_that_is_made_can_be_one() -> None:
    assert passwords.SHORTEST <= len(passwords.new_password()) <= passwords.LONGEST
