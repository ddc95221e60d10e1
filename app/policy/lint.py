"""Find what policy files say that does not do what their authors meant. Pure: what is known comes as arguments.

A finding never changes a decision: deciding is strict by itself. An error is something written that has no effect, or
another than it says, or that no agreement covers; a warning works as it is written, and somebody should look at it.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations

from app.names import SpaceId
from app.policy.known import Known
from app.policy.lint_grant import as_it_stands, lint_grant
from app.policy.model import (
    Denial,
    DistrictPolicy,
    Finding,
    Grant,
    PolicySet,
    Severity,
    SpacePolicy,
    StatePolicy,
    last_day,
)

JOINED_ON = frozenset({"id", "sourceKey"})
"""What a subgraph may know a record by, beside the coordinates that can be granted."""


def lint(policies: PolicySet, known: Known, now: datetime) -> tuple[Finding, ...]:
    """Everything in a set of policies that its authors should look at, with what reading found; sorted by place."""
    found = list(policies.findings)
    states: dict[str, StatePolicy] = {}
    for space, policy in policies.spaces.items():
        if policy.state:
            states[policy.state.file] = policy.state
        if policy.district:
            found += _denials(policy.district.file, policy.district.deny, known)
            found += _district(policy.district, space, known)
            for grant in _standing(policy, known):
                found += lint_grant(grant, as_it_stands(grant, policy, space, known, now), policy.district, known)
        found += _overlaps(policy, known)
    for state in states.values():
        found += _denials(state.file, state.deny, known)
    for space in known.spaces or ():
        if space not in policies.spaces:
            message = "The space has no policy, and so nothing of it is disclosed. Add its district.toml."
            found.append(Finding(f"{space}/district.toml", 1, "", message, Severity.WARNING))
    return tuple(sorted(set(found)))


def _denials(file: str, denials: tuple[Denial, ...], known: Known) -> Iterator[Finding]:
    for denial in denials:
        for coordinate in denial.fields:
            if coordinate not in known.facts:
                yield Finding(
                    file, denial.line, "deny", f"The graph has no {coordinate}, so nothing is denied. Correct it."
                )


def _district(district: DistrictPolicy, space: SpaceId, known: Known) -> Iterator[Finding]:
    if known.spaces is not None and space not in known.spaces:
        yield Finding(district.file, 1, "", "The installation has no such space. Add it with `homeroom space add`.")
    types = {coordinate.partition(".")[0] for coordinate in known.facts}
    for name in district.retention:
        if name not in types:
            key = f"retention.{name}"
            yield Finding(district.file, district.line(key), key, f"The graph has no type {name}. Correct its name.")
    for name, subgraph in district.subgraphs.items():
        key = f"subgraphs.{name}"
        if known.subgraphs is not None and name not in known.subgraphs:
            message = (
                f"The installation has no subgraph {name}, so nothing is sent to it. Correct its name, or take it out."
            )
            yield Finding(district.file, district.line(key), key, message)
        for n, coordinate in enumerate(subgraph.may_receive):
            type_name, _, field = coordinate.partition(".")
            if coordinate not in known.facts and (type_name not in types or field not in JOINED_ON):
                at = f"{key}.may_receive[{n}]"
                message = f"The graph has no {coordinate}, so nothing of it is sent. Correct it, or take it out."
                yield Finding(district.file, district.line(at), at, message)


def _standing(policy: SpacePolicy, known: Known) -> Iterator[Grant]:
    """The grants that somebody has to look at: one that an officer ended says so, and discloses nothing."""
    return (grant for grant in policy.grants if grant.revision not in known.revoked)


def _overlaps(policy: SpacePolicy, known: Known) -> Iterator[Finding]:
    for one, other in combinations(_standing(policy, known), 2):
        same = (one.client, one.purpose) == (other.client, other.purpose)
        first, last = (
            max(one.not_before, other.not_before),
            min(last_day(one, policy.state), last_day(other, policy.state)),
        )
        if same and first <= last:
            message = (
                f"{one.file} grants the same client data for the same purpose from {first} to {last}, and it alone "
                "counts then. Keep one of them, or part their periods."
            )
            yield Finding(other.file, other.line("purpose"), "purpose", message)
