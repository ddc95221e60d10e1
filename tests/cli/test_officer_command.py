"""`homeroom officer`: accounts, and signing out whoever came from the district's own provider."""

import asyncio
import json
from pathlib import Path

from app.installing import add_space, create
from app.officers.sessions import begin, find
from app.settings import Settings
from app.signing_in import Console, Role
from app.storage.engines import open_engine
from tests import worlds
from tests.commandline import run

SPACE, EMAIL = str(worlds.SPACE), "A.Ramos@larkspur.example"


def test_an_officer_from_a_provider_is_signed_out_and_is_no_account_to_remove(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = asyncio.run(add_space(create(home), SPACE, "Larkspur ISD", worlds.TIME_ZONE))
    config = home / "homeroom.toml"
    assert "signs in at" in run(config, "officer", "add", SPACE, "b.chen@larkspur.example", "--role", "reader").stdout
    tokens = asyncio.run(sessions(settings))
    refused = run(config, "officer", "remove", SPACE, EMAIL)
    assert refused.returncode == 2
    assert "no such officer with a password" in refused.stderr
    assert "homeroom officer sign-out" in refused.stderr
    assert asyncio.run(standing(settings, tokens)) == [True, True]
    assert f"{EMAIL.lower()} is signed out of 2 browsers." in run(config, "officer", "sign-out", SPACE, EMAIL).stdout
    assert asyncio.run(standing(settings, tokens)) == [False, False]
    again = run(config, "--format", "json", "officer", "sign-out", SPACE, EMAIL)
    assert json.loads(again.stdout) == {"signed_out": EMAIL.lower(), "browsers": 0}
    assert "nobody of that name was signed in" in run(config, "officer", "sign-out", SPACE, EMAIL).stdout
    assert run(config, "officer", "sign-out", "tx/nowhere", EMAIL).returncode == 2
    assert "is no officer" in run(config, "officer", "remove", SPACE, "b.chen@larkspur.example").stdout


async def sessions(settings: Settings) -> list[str]:
    role: Role = "steward"
    control = open_engine(settings.database_url(settings.control))
    made = [await begin(control, SPACE, EMAIL, role, officer=None, now=0, limits=Console()) for _ in range(2)]
    await control.dispose()
    return made


async def standing(settings: Settings, tokens: list[str]) -> list[bool]:
    control = open_engine(settings.database_url(settings.control))
    found = [await find(control, token, now=0, limits=Console()) is not None for token in tokens]
    await control.dispose()
    return found
