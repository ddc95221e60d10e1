"""What else two policies say differently: the words around a grant, and what holds for every grant of a space."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.policy.model import Denial, DistrictPolicy, Grant, SpacePolicy, StatePolicy


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is said differently; empty is not said at all."""

    key: str
    before: str
    after: str


def of_grants(before: Grant, after: Grant) -> tuple[Term, ...]:
    """Between two grants that are in force at the same time."""
    return tuple(differing(grant_words(before), grant_words(after)))


def of_space(before: SpacePolicy, after: SpacePolicy) -> tuple[Term, ...]:
    """Between what stands over the grants."""
    return (
        *differing(district_words(before.district), district_words(after.district)),
        *differing(state_words(before.state), state_words(after.state)),
    )


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Term]:
    """Each key of which the two say different things."""
    for key in sorted({*before, *after}):
        if before.get(key, "") != after.get(key, ""):
            yield Term(key, before.get(key, ""), after.get(key, ""))


def grant_words(grant: Grant) -> Mapping[str, str]:
    """Why, and on what ground."""
    words = {"statement": grant.statement, "basis": str(grant.basis), "review_by": str(grant.review_by or "")}
    if grant.agreement:
        words["agreement.title"] = grant.agreement.title
        words["agreement.signed"] = str(grant.agreement.signed)
        words["agreement.schedule"] = listed(grant.agreement.schedule)
    return words


def district_words(district: DistrictPolicy | None) -> Mapping[str, str]:
    """What holds for every grant of the space."""
    if district is None:
        return {}
    return {
        "district.name": district.name,
        "district.time_zone": district.time_zone,
        **{f"district.purposes.{word}": sentence for word, sentence in district.purposes.items()},
        **denied("district", district.deny),
        "district.ssn": district.ssn,
        "district.approvals.sensitive": listed(district.approvals.sensitive),
        "district.approvals.restricted": listed(district.approvals.restricted),
        "district.opt_out.vendors": district.opt_out.vendors,
        "district.opt_out.directory.applies_to": listed(district.opt_out.directory_applies_to),
        "district.opt_out.directory.fields": district.opt_out.directory_fields,
        **{f"district.retention.{of}": f"{years} years" for of, years in district.retention.items()},
        **{f"district.subgraphs.{name}": listed(s.may_receive) for name, s in district.subgraphs.items()},
    }


def state_words(state: StatePolicy | None) -> Mapping[str, str]:
    """The ceiling."""
    if state is None:
        return {}
    longest = {} if state.max_days is None else {"state.max_days": str(state.max_days)}
    return {**longest, **denied("state", state.deny)}


def denied(whose: str, denials: Iterable[Denial]) -> Mapping[str, str]:
    """Each coordinate that is denied, with the bases that are exempt."""
    exempt: dict[str, list[frozenset[str]]] = {}
    for denial in denials:
        for coordinate in denial.fields:
            exempt.setdefault(coordinate, []).append(frozenset(denial.unless_basis))
    return {
        f"{whose}.deny.{coordinate}": unless(frozenset.intersection(*bases)) for coordinate, bases in exempt.items()
    }


def unless(bases: frozenset[str]) -> str:
    """Whom a denial leaves alone."""
    return f"denied, but not on the basis {listed(bases)}" if bases else "denied"


def listed(words: Iterable[str]) -> str:
    """Words in order, each once."""
    return ", ".join(sorted(set(map(str, words)))) or "none"
