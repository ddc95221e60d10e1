"""Who holds what in a space today: for every vendor and purpose its authority, and the state of each field.

Pure but for `columns`, which asks the installation how a client stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.console.visit import Visit
from app.ledger.summed import Use, Used
from app.names import ClientId, Coordinate
from app.operation.authorize import ask_for
from app.operation.vocabulary import Vocabulary
from app.policy.authority import Authority, authority
from app.policy.decide import Decision, Deny, Permit, decide, entrance
from app.policy.model import last_day
from app.schema.facts import Fact


class State(StrEnum):
    """What a cell of the matrix says."""

    USED = "used"
    UNUSED = "never used"
    TRANSFORMED = "shown shortened"
    WAITING = "granted, not in force"
    REQUESTED = "requested"
    DENIED = "not granted"


MARKS: Mapping[State, str] = {
    State.USED: "●",
    State.UNUSED: "○",
    State.TRANSFORMED: "◐",
    State.WAITING: "◌",
    State.REQUESTED: "+",
    State.DENIED: "–",
}
"""How a cell shows it."""


Requested = Mapping[tuple[ClientId, str], frozenset[Coordinate]]
"""What vendors have asked for and nobody has decided yet."""


@dataclass(frozen=True, slots=True)
class Column:
    """One vendor for one purpose."""

    client: ClientId
    purpose: str
    authority: Authority

    @property
    def address(self) -> str:
        """Where the vendor's page is."""
        return f"/console/vendors/{self.client}"

    @property
    def shut(self) -> str:
        """In a word or two, why nothing at all leaves to it; empty while something may."""
        by = self.authority
        if by.suspended:
            return "suspended"
        if by.grant is None:
            return "no grant"
        if by.today > last_day(by.grant, by.state):
            return "over"
        return "not yet" if by.today < by.grant.not_before else ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one vendor has of one field."""

    state: State
    decision: Decision
    used: Used | None

    @property
    def is_unused(self) -> bool:
        """Whether it is given, shortened or not, and never left."""
        return isinstance(self.decision, Permit) and self.used is None

    @property
    def words(self) -> str:
        """What a person who does not see the mark is told."""
        if isinstance(self.decision, Permit) and self.decision.transform is not None:
            return f"as {self.decision.transform}, {'used' if self.used else 'never used'}"
        return self.state.value


def uses(visit: Visit, requested: Requested = MappingProxyType({})) -> list[tuple[ClientId, str]]:
    """Every vendor and purpose that there is a grant for, or a request, by name."""
    return sorted({*((grant.client, grant.purpose) for grant in visit.policy.grants), *requested})


def columns(visit: Visit, requested: Requested = MappingProxyType({})) -> list[Column]:
    """Each of them with what decides for it today."""
    return [Column(*use, authority_of(visit, *use)) for use in uses(visit, requested)]


def authority_of(visit: Visit, client: ClientId, purpose: str) -> Authority:
    """What decides for a vendor today, whose token holds all that it is registered for."""
    rooms = visit.desk.rooms
    standing = rooms.authorization.expected(client, visit.space)
    return authority(
        rooms.policies,
        client=client,
        space=visit.space,
        purpose=purpose,
        scopes=standing.registered,
        registered=standing.registered,
        suspended=standing.suspended,
        now=visit.desk.now(),
    )


class Decider:
    """Decides every field for one vendor, as an answer would; what a type's entrance says is decided once."""

    def __init__(self, by: Authority, vocabulary: Vocabulary) -> None:
        self._by = by
        self._vocabulary = vocabulary
        self._shut: dict[str, Deny | None] = {}

    def decide(self, fact: Fact) -> Decision:
        """What is decided of a field, of an edge also whether there is anything to see where it leads."""
        made = decide(ask_for(fact), self._by)
        if isinstance(made, Permit) and fact.leads_to is not None and fact.leads_to in self._vocabulary.by_type:
            if fact.leads_to not in self._shut:
                asks = map(ask_for, self._vocabulary.by_type[fact.leads_to])
                self._shut[fact.leads_to] = entrance(asks, self._by)
            return self._shut[fact.leads_to] or made
        return made


def cells(
    column: Column, facts: Iterable[Fact], vocabulary: Vocabulary, used: Mapping[Use, Used], requested: Requested
) -> list[Cell]:
    """The cells of one vendor, in the order of the fields."""
    decider = Decider(column.authority, vocabulary)
    listed = column.authority.grant.fields if column.authority.grant else {}
    wanted = requested.get((column.client, column.purpose), frozenset())
    made = []
    for fact in facts:
        decision = decider.decide(fact)
        use = used.get((column.client, column.purpose, fact.coordinate))
        made.append(Cell(state_of(decision, use, fact.coordinate in listed, fact.coordinate in wanted), decision, use))
    return made


def state_of(decision: Decision, used: Used | None, listed: bool, requested: bool) -> State:
    """What a cell says. What a vendor used earlier and is denied now is denied."""
    if isinstance(decision, Permit):
        if decision.transform is not None:
            return State.TRANSFORMED
        return State.USED if used else State.UNUSED
    if requested:
        return State.REQUESTED
    return State.WAITING if listed else State.DENIED
