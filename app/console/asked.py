"""A request as its page and its decision see it: the grant that it is about, the difference, and what it waits for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from graphql import GraphQLInputObjectType

from app.console.holding import authority_of
from app.console.visit import Absent, Rejected, Visit
from app.names import ClientId, Coordinate
from app.policy.amend import Amendment
from app.policy.authority import Authority
from app.policy.model import Basis, Grant
from app.policy.parse import BrokenError, parse_grant
from app.requests.filing import Filed, path_for, read_grant
from app.requests.form import grant_for
from app.requests.model import AccessRequest, State
from app.requests.review import Base, approved, asked_of, covered_by, effective, first_grant, pending, to_approve
from app.requests.store import by_number, decisions, undecided
from app.storage.published import history, revision


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, with what there is to decide."""

    request: AccessRequest
    base: Base
    filed: Filed
    amendment: Amendment  # all that was asked for
    authority: Authority  # the vendor's today

    def after(self, visit: Visit, amendment: Amendment) -> Amendment:
        """A change with the officer's approval under it, of all that it takes."""
        role = visit.session.role
        needed = to_approve(self.base, amendment, visit.desk.vocabulary.facts, visit.policy)
        covers = covered_by(role, needed, visit.policy)
        return approved(amendment, visit.session.email, role, visit.desk.now(), covers)

    def waiting(self, visit: Visit, grant: Grant) -> Mapping[Coordinate, tuple[str, ...]]:
        """The fields of a grant that an approval is missing for, with the roles that have not given it.

        INVARIANT: of a request that is decided those alone that were decided on: nobody approves more than was asked.
        """
        found = pending(grant, visit.desk.vocabulary.facts, self.authority)
        if self.request.state is State.WAITING:
            return {one: roles for one, roles in found.items() if one in self.request.given}
        return found

    def mine(self, visit: Visit) -> list[Coordinate]:
        """What waits for the officer who looks, by the role."""
        waiting = self.waiting(visit, self.base.grant)
        return [one for one, roles in waiting.items() if visit.session.role in roles]

    def seconded(self, visit: Visit, covers: Sequence[Coordinate]) -> Amendment:
        """The officer's approval of some of what waits, and nothing else."""
        return approved(Amendment(), visit.session.email, visit.session.role, visit.desk.now(), covers)


async def before_it(visit: Visit, asked: Asked) -> Grant | None:
    """The grant as it was before a request was decided on.

    None: there was none, or the file is not as the decisions on this request left it, so that nothing can be undone
    without undoing what somebody else wrote.
    """
    control = visit.desk.rooms.control
    done = await decisions(control, visit.space, request=asked.request.number)
    if not done or done[0].revision != asked.filed.revision:
        return None
    turns = [turn.revision for turn in await history(control, asked.filed.path)]
    first = done[-1].revision
    former = turns[turns.index(first) + 1 :][:1] if first in turns else []
    text = await revision(control, former[0]) if former and former[0] else None
    return None if text is None else parse_grant(asked.filed.path, text)


async def blocking(visit: Visit, request: AccessRequest) -> AccessRequest | None:
    """Another request about the same grant, of which some waits for a second officer: that comes first.

    INVARIANT: what waits is what one decision made of the grant, so nobody approves in one request what another asks.
    """
    return next(
        (
            one
            for one in await undecided(visit.desk.rooms.control, visit.space)
            if one.state is State.WAITING
            and (one.client, one.purpose) == (request.client, request.purpose)
            and one.number != request.number
        ),
        None,
    )


async def find(visit: Visit) -> AccessRequest:
    """The request that the address names. Raises: Absent."""
    text = visit.request.path_params["number"]
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    found = await by_number(visit.desk.rooms.control, visit.space, number)
    if found is None:
        raise Absent("There is no such request in this district. The list of requests has those that there are.")
    return found


async def take_up(
    visit: Visit,
    request: AccessRequest,
    *,
    basis: Basis = Basis.SCHOOL_OFFICIAL,
    agreement: tuple[str, date, tuple[str, ...]] | None = None,
) -> Asked:
    """A request with the grant that it is about, as its file lies on this machine. Raises: Rejected, Unavailable."""
    grant = grant_for(visit.policy, request.client, request.purpose, visit.today)
    folder = visit.desk.rooms.settings.policies_folder
    try:
        if grant is not None:
            filed = await asyncio.to_thread(read_grant, folder, grant.file)
        else:
            taken = frozenset(one.file for one in visit.policy.grants)
            path = path_for(visit.space, request.client, request.purpose, taken)
            filed = await asyncio.to_thread(read_grant, folder, path)
    except ValueError:
        raise Rejected("This is no grant of this district. Nothing was changed.") from None
    if filed.text is None:
        base = first_grant(request.client, request.form, filed.path, visit.today, basis=basis, agreement=agreement)
    else:
        base = Base(read(filed), filed.text, new=False)
    by = authority_of(visit, request.client, request.purpose)
    amendment = effective(base, Amendment() if request.state is State.WAITING else asked_of(request.form))
    return Asked(request, base, filed, amendment, replace(by, grant=base.grant))


def read(filed: Filed) -> Grant:
    """The grant in a file. Raises: Rejected if it is broken: then there is nothing to change line by line."""
    try:
        return parse_grant(filed.path, (filed.text or "").encode())
    except BrokenError as broken:
        raise Rejected(
            f"{broken.findings[0]} The last good revision stays in force. Mend the file before you decide."
        ) from None


def filterable(visit: Visit, coordinates: Sequence[Coordinate]) -> frozenset[Coordinate]:
    """Those of some coordinates that `where` can name."""
    types = visit.desk.rooms.schema.type_map
    found = set()
    for coordinate in coordinates:
        type_name, _, field = coordinate.partition(".")
        where = types.get(f"{type_name}Where")
        if isinstance(where, GraphQLInputObjectType) and field in where.fields:
            found.add(coordinate)
    return frozenset(found)


def reviewed(visit: Visit, grant: Grant, client: ClientId, decided: Sequence[datetime]) -> datetime:
    """When an officer last looked at a grant: its last approval or decision, or its first day."""
    begun = datetime.combine(grant.not_before, time(), visit.zone)
    return max([begun, *(one.at for one in grant.approvals), *decided])
