"""Try a case out: decide what it asks exactly as an answer would, and compare that with what was expected.

Pure: whether a record is admitted, and what is taken out of a query, are asked of functions that are handed in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.names import Coordinate
from app.policy.authority import NOTHING, Authority, authority_on
from app.policy.cases import Case, Record
from app.policy.decide import Ask, Decision, Deny, Permit, Reason, entrance
from app.policy.explain import explain
from app.policy.known import FactLike
from app.policy.model import PolicySet

Stands = Callable[[str, Record, Coordinate | None, Authority], Literal["in", "out", "withheld"]]
"""Where a record of that type stands under a caller's grant, or its field: in the rows, out of them, or kept back."""

Withheld = Callable[[str, Authority], Mapping[Coordinate, Reason] | str]
"""What is taken out of a query, or a sentence if it is none that could be answered."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a case expected and what was found; `why` says what decided, and where that is written."""

    case: Case
    expected: str
    found: str
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether the case holds."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Court:
    """What cases are judged by."""

    policies: PolicySet
    facts: Mapping[Coordinate, FactLike]
    stands: Stands
    withheld: Withheld

    def judge(self, case: Case) -> Verdict:
        """Try one case out."""
        authority = self.authority(case)
        if case.query is not None:
            found = self.withheld(case.query, authority)
            expected = table(case.denied or {})
            return Verdict(case, expected, found if isinstance(found, str) else table(found))
        if case.coordinate is not None and case.coordinate not in self.facts:
            return Verdict(case, case.expect, f"The graph has no {case.coordinate}. Correct it.")
        if not self.asks(case.type):
            return Verdict(case, case.expect, f"The graph has no type {case.type}. Correct it.")
        made = self.decision(case, authority)
        if isinstance(made, Deny):
            return Verdict(case, case.expect, made.reason.value, self.why(case, authority))
        if case.record is not None:
            stands = self.stands(case.type, case.record, case.coordinate, authority)
            if stands != "in":
                return Verdict(case, case.expect, stands, kept_back(case.record, stands, authority))
        found = made.transform or ("disclosed" if case.coordinate is not None else "in")
        return Verdict(case, case.expect, found, self.why(case, authority))

    def authority(self, case: Case) -> Authority:
        """Who asks: a client of good standing that holds every scope, or those that the case names."""
        every = frozenset(fact.scope for fact in self.facts.values())
        held = every if case.scopes is None else case.scopes
        return authority_on(
            case.on,
            self.policies.spaces.get(case.space, NOTHING),
            client=case.client,
            space=case.space,
            purpose=case.purpose,
            scopes=held,
            registered=held,
        )

    def decision(self, case: Case, authority: Authority) -> Decision:
        """What is decided of the coordinate, for an edge also of where it leads to; of a record, of its type."""
        if case.coordinate is None:
            return entrance(self.asks(case.type), authority) or Permit(None)
        return explain(self.ask(case.coordinate), authority, self.beyond(case.coordinate)).decision

    def why(self, case: Case, authority: Authority) -> str:
        """What decided, and where it is written."""
        if case.coordinate is None:
            return ""
        step = explain(self.ask(case.coordinate), authority, self.beyond(case.coordinate)).deciding
        return f"{step.sentence} ({step.place})" if step.place else step.sentence

    def beyond(self, coordinate: Coordinate) -> list[Ask]:
        """Of an edge, the questions that the type that it leads to puts to policy."""
        leads_to = self.facts[coordinate].leads_to
        return [] if leads_to is None else self.asks(leads_to)

    def ask(self, coordinate: Coordinate) -> Ask:
        """The question that a coordinate puts to policy."""
        fact = self.facts[coordinate]
        return Ask(coordinate, fact.scope, fact.sensitivity, fact.is_text)

    def asks(self, type_name: str) -> list[Ask]:
        """The questions that a type's coordinates put to policy."""
        return [self.ask(one) for one in self.facts if one.partition(".")[0] == type_name]


def kept_back(record: Record, stands: str, authority: Authority) -> str:
    """Where it is written that a record, or a field of it, is kept back."""
    grant, district = authority.grant, authority.district
    if district is not None and (record.opted_out or stands == "withheld"):
        return f"{district.file}:{district.line('opt_out')}"
    return f"{grant.file}:{grant.line('rows')}" if grant else ""


def table(denied: Mapping[Coordinate, Reason]) -> str:
    """What is taken out of a query, in one line."""
    return ", ".join(f"{coordinate} {reason}" for coordinate, reason in sorted(denied.items())) or "nothing denied"
