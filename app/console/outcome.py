"""What became of a request, line by line, and what there is of it today."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.console.holding import authority_of
from app.console.visit import Visit
from app.console.wording import WHY
from app.names import Coordinate
from app.operation.authorize import ask_for
from app.policy.authority import Authority
from app.policy.decide import Deny, decide
from app.requests.form import AskedField, grant_for
from app.requests.model import AccessRequest


@dataclass(frozen=True, slots=True)
class Line:
    """One field that was asked for, or was to go."""

    mark: str  # + or −
    coordinate: str
    asked: str  # in which form it was asked for; empty: whole
    became: str
    reason: str  # the vendor's


def outcome(visit: Visit, request: AccessRequest) -> Iterator[Line]:
    """Every field of a request that was decided, with what was made of it."""
    by = authority_of(visit, request.client, request.purpose)
    for one in request.form.fields:
        asked = f"as {one.shown_as}" if one.shown_as else ""
        yield Line("+", one.coordinate, asked, became(visit, request, one, by), one.reason)
    grant = grant_for(visit.policy, request.client, request.purpose, visit.today)
    for coordinate in request.form.remove:
        kept = grant is not None and coordinate in grant.fields
        yield Line("−", coordinate, "", "stays granted" if kept else "taken out", "")


def became(visit: Visit, request: AccessRequest, one: AskedField, by: Authority) -> str:
    """Whether a field was given, and if it was, whether anything keeps it from the vendor today."""
    coordinate = Coordinate(one.coordinate)
    if coordinate not in request.given:
        return "not given"
    fact = visit.desk.vocabulary.facts.get(coordinate)
    if fact is None:
        return "approved; the graph has it no more"
    made = decide(ask_for(fact), by)
    if isinstance(made, Deny):
        return f"approved; withheld today: {WHY[made.reason]}"
    return f"approved, as {made.transform}" if made.transform is not None else "approved"
