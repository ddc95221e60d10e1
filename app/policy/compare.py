"""Compare two sets of policies: what each client gains and loses, on which days, and which words have changed.

Pure and exact: on every day what is gained is what `decide` permits under the second set and not under the first, for
a client that holds every scope, whichever file brought it about.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from app.names import ClientId, Coordinate, SpaceId
from app.policy.authority import NOTHING, authority_on, zone_of
from app.policy.decide import Ask, Permit, decide
from app.policy.known import FactLike
from app.policy.model import Grant, PolicySet, Rows, SpacePolicy, Transform, last_day
from app.policy.terms import Term, of_grants, of_space
from app.policy.wording import CONDITIONS

Facts = Mapping[Coordinate, FactLike]


@dataclass(frozen=True, slots=True)
class Exposure:
    """What leaves to one client for one purpose on one day: which fields, how they are shown, of whose records."""

    fields: Mapping[Coordinate, Transform | None]
    rows: Rows
    grant: Grant


@dataclass(frozen=True, slots=True)
class RowChange:
    """One condition on rows that has changed. `wider` is None where something is gained and something lost."""

    key: str
    wider: bool | None


@dataclass(frozen=True, slots=True)
class Change:
    """What is other for one client and purpose on each of some days that follow each other."""

    first: date
    last: date  # inclusive
    gained: Mapping[Coordinate, Transform | None]
    lost: Mapping[Coordinate, Transform | None]
    shown: Mapping[Coordinate, tuple[Transform | None, Transform | None]]  # before, after
    before: Rows | None  # None: nothing leaves
    after: Rows | None
    rows: tuple[RowChange, ...]
    terms: tuple[Term, ...]  # of the grants in force on these days

    @property
    def is_empty(self) -> bool:
        """Whether nothing is other."""
        return not (self.gained or self.lost or self.shown or self.rows or self.terms)


@dataclass(frozen=True, slots=True)
class ClientDifference:
    """What one client gains and loses for one purpose."""

    client: ClientId
    purpose: str
    changes: tuple[Change, ...]  # in the order of their days


@dataclass(frozen=True, slots=True)
class SpaceDifference:
    """What is other in one space."""

    space: SpaceId
    clients: tuple[ClientDifference, ...]
    terms: tuple[Term, ...]  # of the district and the state


def compare(one: PolicySet, other: PolicySet, facts: Facts) -> tuple[SpaceDifference, ...]:
    """Everything that is other under the second set; empty if it does what the first does."""
    found = []
    for space in sorted({*one.spaces, *other.spaces}):
        before, after = one.spaces.get(space, NOTHING), other.spaces.get(space, NOTHING)
        difference = SpaceDifference(space, tuple(clients(space, before, after, facts)), of_space(before, after))
        if difference.clients or difference.terms:
            found.append(difference)
    return tuple(found)


def clients(space: SpaceId, before: SpacePolicy, after: SpacePolicy, facts: Facts) -> Iterator[ClientDifference]:
    """Each client and purpose for which something is other."""
    if revisions(before) == revisions(after):
        return
    for client, purpose in sorted({(g.client, g.purpose) for g in (*before.grants, *after.grants)}):
        sides = [of(policy, client, purpose) for policy in (before, after)]
        asking = partial(exposure, space=space, client=client, purpose=purpose, facts=facts)
        spans = (
            change(first, last, *(asking(side, day=first) for side in sides))
            for first, last in stretches({day for side in sides for day in turns(side)})
        )
        changes = tuple(joined(span for span in spans if not span.is_empty))
        if changes:
            yield ClientDifference(client, purpose, changes)


def revisions(policy: SpacePolicy) -> tuple[object, ...]:
    """What a space's decisions depend on."""
    grants = tuple((grant.file, grant.revision) for grant in policy.grants)
    return grants, policy.district and policy.district.revision, policy.state and policy.state.revision


def of(policy: SpacePolicy, client: ClientId, purpose: str) -> SpacePolicy:
    """A space's policy with the grants to one client for one purpose alone."""
    return replace(policy, grants=tuple(g for g in policy.grants if (g.client, g.purpose) == (client, purpose)))


def turns(policy: SpacePolicy) -> Iterator[date]:
    """The days from which on a decision may be another than on the day before."""
    for grant in policy.grants:
        yield grant.not_before
        end = last_day(grant, policy.state)
        if end < date.max:
            yield end + timedelta(days=1)
        for approval in grant.approvals:
            yield day_at(approval.at, policy)


def day_at(moment: datetime, policy: SpacePolicy) -> date:
    """The day that a moment lies in, in the district."""
    try:
        return moment.astimezone(zone_of(policy.district)).date()
    except OverflowError:
        return moment.astimezone(UTC).date()


def stretches(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """From each turn to the day before the next. Before the first of them no grant has begun."""
    in_order = sorted(days)
    for first, following in zip(in_order, [*in_order[1:], None], strict=True):
        yield first, date.max if following is None else following - timedelta(days=1)


def exposure(
    policy: SpacePolicy, *, space: SpaceId, client: ClientId, purpose: str, day: date, facts: Facts
) -> Exposure | None:
    """What leaves on a day; None if nothing does."""
    held = frozenset(fact.scope for fact in facts.values())
    authority = authority_on(day, policy, client=client, space=space, purpose=purpose, scopes=held, registered=held)
    grant = authority.grant
    fields = {}
    for coordinate in sorted(grant.fields) if grant else ():
        fact = facts.get(coordinate)
        if fact is not None:
            made = decide(Ask(coordinate, fact.scope, fact.sensitivity, fact.is_text), authority)
            if isinstance(made, Permit):
                fields[coordinate] = made.transform
    return Exposure(fields, plain(grant.rows), grant) if grant and fields else None


def change(first: date, last: date, before: Exposure | None, after: Exposure | None) -> Change:
    """What is other between what leaves on the same days."""
    had, has = before.fields if before else {}, after.fields if after else {}
    return Change(
        first=first,
        last=last,
        gained={c: shown for c, shown in has.items() if c not in had},
        lost={c: shown for c, shown in had.items() if c not in has},
        shown={c: (had[c], has[c]) for c in had if c in has and had[c] != has[c]},
        before=before.rows if before else None,
        after=after.rows if after else None,
        rows=tuple(row_changes(before.rows, after.rows)) if before and after else (),
        terms=of_grants(before.grant, after.grant) if before and after else (),
    )


def joined(changes: Iterable[Change]) -> Iterator[Change]:
    """Changes of days that follow each other as one, where they are alike."""
    kept: Change | None = None
    for each in changes:
        if (
            kept
            and each.first - timedelta(days=1) == kept.last
            and replace(each, first=kept.first) == replace(kept, last=each.last)
        ):
            kept = replace(kept, last=each.last)
            continue
        if kept:
            yield kept
        kept = each
    if kept:
        yield kept


def plain(rows: Rows) -> Rows:
    """The same conditions written in one way. Where another one asks for an enrollment, "any" asks nothing more."""
    asks = rows.schools is not None or rows.grade_levels is not None or rows.history_years is not None
    return Rows(
        schools=once(rows.schools),
        grade_levels=once(rows.grade_levels),
        subjects=once(rows.subjects),
        enrollment=None if rows.enrollment == "any" and asks else rows.enrollment,
        history_years=rows.history_years,
    )


def once(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Each value once, sorted."""
    return None if values is None else tuple(sorted(set(values)))


def row_changes(before: Rows, after: Rows) -> Iterator[RowChange]:
    """Each condition that is another, and whether it lets more through."""
    for key in CONDITIONS:
        one, other = getattr(before, key), getattr(after, key)
        if one != other:
            wider, narrower = no_wider(one, other), no_wider(other, one)
            yield RowChange(key, wider if wider != narrower else None)


def no_wider(one: object, other: object) -> bool:
    """Whether a condition lets through no more than another of the same kind."""
    match one, other:
        case _, None:
            return True
        case None, _:
            return False
        case tuple(), tuple():
            return set(one) <= set(other)
        case int(), int():
            return one <= other
        case _:
            return one in {"active", other}
