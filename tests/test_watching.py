"""Policy folders of several machines over one control database: what somebody changed is published, nothing else."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app import watching
from app.settings import Settings
from app.storage.migrate import migrate
from app.storage.published import current
from app.watching import Watch

pytestmark = pytest.mark.anyio

WIDE = 'name = "Larkspur"\ntime_zone = "America/Chicago"\npurposes = { instruction = "Teaching" }\n'
NARROW = WIDE + 'deny = [{ fields = ["Student.ssn"], reason = "Board policy 12" }]\n'
NARROWER = WIDE + 'deny = [{ fields = ["Student.ssn", "Student.email"], reason = "Board policy 13" }]\n'


@dataclass
class Machine:
    """A home with a folder of policies, and the process that watches it."""

    settings: Settings
    control: AsyncEngine
    watch: Watch

    def write(self, text: str) -> None:
        file = self.settings.policies_folder / "tx" / "larkspur" / "district.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(file)

    async def looks(self) -> str:
        """What is in force after as many looks as it takes to read the folder again."""
        for _ in range(4):
            await self.watch.look()
        return (await current(self.control)).files["tx/larkspur/district.toml"].decode()

    def restart(self) -> None:
        self.watch.close()
        self.watch = Watch(self.settings, self.control)


@pytest.fixture
async def machine(
    tmp_path: Path, database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[str], Machine]]:
    """Gives a new machine over the one control database, with its folder as it was copied."""
    monkeypatch.setattr(watching, "REREAD", 2)
    await migrate(database, "control")
    made: list[Machine] = []

    def make(text: str) -> Machine:
        settings = Settings(home=tmp_path / f"home-{len(made)}")
        one = Machine(settings, database, Watch(settings, database))
        one.write(text)
        made.append(one)
        return one

    yield make
    for one in made:
        one.watch.close()


async def test_a_machine_that_is_behind_does_not_put_back_what_another_narrowed(
    machine: Callable[[str], Machine],
) -> None:
    first, second = machine(WIDE), machine(WIDE)
    assert await first.looks() == WIDE
    assert await second.looks() == WIDE
    first.write(NARROW)
    assert await first.looks() == NARROW
    assert await second.looks() == NARROW
    second.restart()
    assert await second.looks() == NARROW
    second.write(NARROW)  # the copy comes up to date
    assert await second.looks() == NARROW
    second.write(NARROWER)
    assert await second.looks() == NARROWER
    first.restart()
    assert await first.looks() == NARROWER


async def test_a_new_machine_with_an_earlier_copy_follows_and_says_so(
    machine: Callable[[str], Machine], caplog: pytest.LogCaptureFixture
) -> None:
    first = machine(WIDE)
    await first.looks()
    first.write(NARROW)
    await first.looks()
    late = machine(WIDE)
    assert await late.looks() == NARROW
    assert "earlier state" in caplog.text
    late.write(NARROWER)
    assert await late.looks() == NARROWER


async def test_what_is_changed_back_by_hand_is_in_force_even_while_nobody_looked(
    machine: Callable[[str], Machine],
) -> None:
    one = machine(WIDE)
    await one.looks()
    one.write(NARROW)
    assert await one.looks() == NARROW
    one.watch.close()
    one.write(WIDE)
    one.restart()
    assert await one.looks() == WIDE


async def test_an_older_control_database_gets_the_folder_again(machine: Callable[[str], Machine]) -> None:
    one = machine(WIDE)
    await one.looks()
    one.write(NARROW)
    assert await one.looks() == NARROW
    one.watch.close()
    memory = one.settings.home / ".watching"
    was = json.loads(memory.read_text())
    memory.write_text(json.dumps(was | {"number": was["number"] + 5}))  # five sets more had been in force
    other = machine(WIDE)
    other.write(NARROWER)
    assert await other.looks() == NARROWER
    one.restart()
    assert await one.looks() == NARROW
    assert json.loads(memory.read_text())["number"] == was["number"] + 2


async def test_a_memory_that_was_cut_off_is_none(machine: Callable[[str], Machine]) -> None:
    one = machine(WIDE)
    await one.looks()
    one.write(NARROW)
    await one.looks()
    one.watch.close()
    (one.settings.home / ".watching").write_text('{"folder": "ab')
    one.restart()
    assert await one.looks() == NARROW


async def test_one_process_of_a_machine_watches(machine: Callable[[str], Machine]) -> None:
    one = machine(WIDE)
    await one.looks()
    idle = Watch(one.settings, one.control)
    one.write(NARROW)
    await idle.look()
    await idle.look()
    assert (await current(one.control)).files["tx/larkspur/district.toml"].decode() == WIDE
    one.watch.close()
    await idle.look()
    assert (await current(one.control)).files["tx/larkspur/district.toml"].decode() == NARROW
    idle.close()
