"""`/console/vendors/C`: one product, everything that it may read, what it makes of it, and how that came to be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from starlette.responses import Response

from app.console.holding import MARKS, Cell, Column, State, authority_of, cells
from app.console.matrix import in_order
from app.console.plot import plotted
from app.console.revoking import given, open_to
from app.console.standing import ledger_begins, standing
from app.console.visit import Absent, Visit
from app.console.whose import whose
from app.console.wording import DEEDS
from app.errors import UsageError
from app.ledger.report import describe_basis
from app.ledger.summed import asked_on, catch_up, used_fields
from app.names import ClientId, SpaceId
from app.oauth.clients import Client, find_client
from app.oauth.credentials import read_credentials
from app.policy.compare import Facts, compare
from app.policy.model import Grant, PolicySet, last_day
from app.policy.reading import read_policies
from app.policy.telling import of_change
from app.requests.model import Done
from app.requests.store import revocations, undecided
from app.schema.facts import Fact
from app.storage.published import Turn, former, history

DAYS = 90
"""How many days of requests are plotted."""

TURNS = 12
"""How many revisions are told with what they changed."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a vendor has for one purpose."""

    column: Column
    grant: Grant
    ends: date
    whose: str
    basis: str
    fields: Sequence[tuple[str, Sequence[tuple[Fact, Cell]]]]  # by category
    turns: Sequence["Told"]
    grants: Sequence[Grant]  # every one for the purpose, past ones and those to come
    ending: Sequence[Grant]  # what an officer who revokes ends
    revoked: Done | None  # the deed that it ended by, if it is over by one

    @property
    def counts(self) -> Counter[State]:
        """How many fields there are of each state."""
        return Counter(cell.state for _, fields in self.fields for _, cell in fields)


@dataclass(frozen=True, slots=True)
class Told:
    """A revision of a grant: when it came into force, and what it changed."""

    turn: Turn
    at: datetime
    lines: Sequence[str]


async def show(visit: Visit) -> Response:
    """The vendor's page."""
    client = ClientId(visit.request.path_params["client"])
    grants = [grant for grant in visit.policy.grants if grant.client == client]
    if not grants and not any(one.client == client for one in await undecided(visit.desk.rooms.control, visit.space)):
        raise Absent("This district has no grant to a vendor of that name. The matrix lists those that it has.")
    await catch_up(visit.place.ledger, visit.zone)
    since = visit.today - timedelta(days=DAYS - 1)
    suspension, done = await standing(visit, client)
    ended = await revocations(visit.desk.rooms.control, visit.space, client)
    credentials = await read_credentials(visit.desk.rooms.control, visit.desk.now().timestamp())
    return visit.page(
        "vendor.html",
        client=client,
        registered=await registered(visit, client),
        credentials=credentials.get(client, ()),
        moment_of=lambda seconds: datetime.fromtimestamp(seconds, UTC),
        marks=MARKS,
        suspension=suspension,
        done=done,
        deeds=DEEDS,
        last_day=last_day,
        ledger_begins=await ledger_begins(visit),
        held=[await held(visit, client, purpose, ended) for purpose in sorted({grant.purpose for grant in grants})],
        plot=plotted(await asked_on(visit.place.ledger, client, since), since, visit.today),
        days=DAYS,
    )


async def registered(visit: Visit, client: ClientId) -> Client | None:
    """The client's registration; None if the grant names one that is not registered."""
    try:
        return await find_client(visit.desk.rooms.control, client)
    except UsageError:
        return None


async def held(visit: Visit, client: ClientId, purpose: str, ended: Sequence[Done]) -> Held:
    """What the vendor has for a purpose today. `ended` is what officers revoked of it, the newest first."""
    vocabulary = visit.desk.vocabulary
    column = Column(client, purpose, authority_of(visit, client, purpose))
    grant = column.authority.grant
    if grant is None:
        raise Absent("This district has no grant for that purpose.")
    grants = given(visit.policy, client, purpose)
    facts = sorted((fact for fact in vocabulary.facts.values() if fact.coordinate in grant.fields), key=in_order)
    used = await used_fields(visit.place.ledger, client)
    made = cells(column, facts, vocabulary, used, {})
    groups: dict[str, list[tuple[Fact, Cell]]] = {}
    for fact, cell in zip(facts, made, strict=True):
        groups.setdefault(fact.category, []).append((fact, cell))
    return Held(
        column,
        grant,
        last_day(grant, column.authority.state),
        await whose(visit, grant.rows),
        describe_basis(grant.basis),
        list(groups.items()),
        await turns(visit, grant.file),
        grants,
        open_to(visit, visit.policy, client, purpose),
        ended_by(visit, grants, [one for one in ended if one.purpose == purpose]),
    )


def ended_by(visit: Visit, grants: Sequence[Grant], ended: Sequence[Done]) -> Done | None:
    """The deed that a vendor's grants for a purpose ended by: none while one of them is open, or if they ran out."""
    ends = {grant.file: last_day(grant, visit.policy.state) for grant in grants}
    last = max(ends.values())
    if last >= visit.today:
        return None
    for one in ended:
        # Whoever revokes writes the day before: a file with a later last day was renewed since.
        if ends.get(one.file) == last < one.at.astimezone(visit.zone).date():
            return one
    return None


async def turns(visit: Visit, file: str) -> list[Told]:
    """The revisions of a grant, the newest first, each with what it changed."""
    told = []
    control = visit.desk.rooms.control
    for turn in (await history(control, file))[:TURNS]:
        after, before = await former(control, turn.number), await former(control, turn.number - 1)
        lines = changed(
            visit.space,
            before.files if before else {},
            after.files if after else {},
            visit.desk.vocabulary.facts,
            file,
        )
        told.append(Told(turn, datetime.fromtimestamp(turn.at, UTC), lines))
    return told


def changed(
    space: SpaceId, before: Mapping[str, bytes], after: Mapping[str, bytes], facts: Facts, file: str
) -> list[str]:
    """What a file's change changed, in lines; what else was published with it is left out."""
    one = alone(after, space, file, before.get(file))
    other = alone(after, space, file, after.get(file))
    lines = []
    for difference in compare(one, other, facts):
        for each in difference.clients:
            for change in each.changes:
                lines += [line for line in of_change(change) if line not in lines]
    return lines


def alone(files: Mapping[str, bytes], space: SpaceId, file: str, instead: bytes | None) -> PolicySet:
    """One grant as it is given, under what stands over it."""
    over = {
        path: files[path]
        for path in (f"{space.partition('/')[0]}/state.toml", f"{space}/district.toml")
        if path in files
    }
    return read_policies(over if instead is None else {**over, file: instead})
