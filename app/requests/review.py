"""What a request would change, against the grant that it is about: for the page, the preview and the decision alike.

Pure but for what it is given: the policy in force, the vocabulary, and the file as it lies.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.names import ClientId, Coordinate
from app.operation.authorize import ask_for
from app.operation.vocabulary import Vocabulary
from app.policy.amend import Amendment, amended, drawn_up, lapsed
from app.policy.authority import Authority
from app.policy.compare import RowChange, no_wider, plain, row_changes
from app.policy.decide import Permit, decide, denied_by_district, denied_by_state, missing_roles, required_roles
from app.policy.model import Approval, Basis, Grant, Rows, SpacePolicy, Transform, last_day, stricter
from app.policy.parse import parse_grant
from app.policy.reach import lead_nowhere
from app.policy.wording import CONDITIONS, condition
from app.requests.form import Form
from app.schema.facts import Fact
from app.schema.ndpa import NOT_STUDENT_DATA

MARKS = {"added": "+", "removed": "−", "shown": "◐"}


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the difference."""

    fact: Fact
    change: str  # added, removed, shown
    before: Transform | None
    after: Transform | None
    reason: str  # the vendor's
    warnings: tuple[str, ...]

    @property
    def mark(self) -> str:
        """`+`, `−` or `◐`."""
        return MARKS["shown"] if self.change == "added" and self.after else MARKS[self.change]


@dataclass(frozen=True, slots=True)
class Around:
    """What a field is seen beside: policy, how the client stands, who else holds it, what `where` can name."""

    policy: SpacePolicy
    authority: Authority
    others: Mapping[Coordinate, Sequence[str]]
    filterable: frozenset[str]


@dataclass(frozen=True, slots=True)
class Base:
    """What is there before a decision: the grant as its file says, and that file's text."""

    grant: Grant
    text: str
    new: bool  # there is no file yet


def asked_of(form: Form) -> Amendment:
    """What a form asks for, as a change of a grant."""
    return Amendment(
        fields={Coordinate(one.coordinate): one.shown_as for one in form.fields},
        removed=frozenset(map(Coordinate, form.remove)),
        rows=form.asked_rows(),
        not_before=form.not_before,
        not_after=form.not_after,
        statement=form.statement or None,
    )


def first_grant(
    client: ClientId,
    form: Form,
    file: str,
    today: date,
    *,
    basis: Basis = Basis.SCHOOL_OFFICIAL,
    agreement: tuple[str, date, tuple[str, ...]] | None = None,
) -> Base:
    """An empty grant for a client that has none for that purpose."""
    first = form.not_before or today
    text = drawn_up(
        client,
        form.purpose,
        statement=form.statement,
        basis=basis,
        first=first,
        last=form.not_after or first - timedelta(days=1),
        agreement=agreement,
    )
    return Base(parse_grant(file, text.encode()), text, new=True)


def drafted(base: Base, amendment: Amendment) -> Grant:
    """The grant as it would be. Raises: Unwritable."""
    return parse_grant(base.grant.file, amended(base.grant, base.text, amendment).encode())


def effective(base: Base, amendment: Amendment) -> Amendment:
    """The change without what the file says already, and without taking out what is not there."""
    listed = base.grant.fields
    fields = {one: shown for one, shown in amendment.fields.items() if one not in listed or listed[one] != shown}
    grant = base.grant
    return replace(
        amendment,
        fields=fields,
        removed=amendment.removed & listed.keys(),
        rows=None if amendment.rows == grant.rows else amendment.rows,
        not_before=None if amendment.not_before == grant.not_before else amendment.not_before,
        not_after=None if amendment.not_after == grant.not_after else amendment.not_after,
        statement=None if amendment.statement == grant.statement else amendment.statement,
    )


def to_approve(base: Base, amendment: Amendment, facts: Mapping[Coordinate, Fact], policy: SpacePolicy) -> list[Fact]:
    """The fields that an approval by name is needed for, because of this change."""
    if policy.district is None:
        return []
    after = amendment.after(base.grant.fields)
    concerned = {*amendment.fields, *lapsed(base.grant, amendment)} & after.keys()
    return [
        facts[one]
        for one in after
        if one in concerned and one in facts and required_roles(facts[one].sensitivity, policy.district)
    ]


def stranded(grant: Grant, amendment: Amendment, facts: Mapping[Coordinate, Fact]) -> Iterator[tuple[Coordinate, str]]:
    """Edges that would lead to a type of which nothing is given, and do not now; with that type."""

    def edges(fields: Iterable[Coordinate]) -> dict[Coordinate, str | None]:
        return {one: facts[one].leads_to for one in fields if one in facts}

    now = {*lead_nowhere(edges(grant.fields))}
    yield from (one for one in lead_nowhere(edges(amendment.after(grant.fields))) if one not in now)


def covered_by(role: str, needed: Sequence[Fact], policy: SpacePolicy) -> tuple[Coordinate, ...]:
    """Of the fields that need an approval by name those for which a role's counts."""
    if policy.district is None:
        return ()
    return tuple(one.coordinate for one in needed if role in required_roles(one.sensitivity, policy.district))


def pending(grant: Grant, facts: Mapping[Coordinate, Fact], authority: Authority) -> dict[Coordinate, tuple[str, ...]]:
    """The fields of a grant that are not in force for want of an approval, with the roles that have not given it."""
    by = replace(authority, grant=grant)
    asks = {one: ask_for(facts[one]) for one in grant.fields if one in facts}
    found = {one: missing_roles(ask, by) for one, ask in asks.items()}
    return {one: roles for one, roles in found.items() if roles}


def approved(amendment: Amendment, by: str, role: str, at: datetime, covers: Sequence[Coordinate]) -> Amendment:
    """The change with an officer's name under it."""
    return replace(amendment, approval=Approval(by, role, at.replace(microsecond=0), tuple(covers)))


def lines(
    base: Base,
    amendment: Amendment,
    form: Form,
    vocabulary: Vocabulary,
    around: Around,
) -> list[Line]:
    """The difference, field by field, by category; what is no student's last."""
    reasons = {one.coordinate: one.reason for one in form.fields}
    found = []
    for coordinate, after in amendment.fields.items():
        fact = vocabulary.facts.get(coordinate)
        if fact is None:
            continue
        listed = coordinate in base.grant.fields
        told = tuple(_warnings(fact, base.grant, after, around))
        before = base.grant.fields.get(coordinate)
        found.append(Line(fact, "shown" if listed else "added", before, after, reasons.get(coordinate, ""), told))
    for coordinate in amendment.removed:
        fact = vocabulary.facts.get(coordinate)
        if fact is not None:
            found.append(Line(fact, "removed", base.grant.fields.get(coordinate), None, "", ()))
    return sorted(found, key=lambda one: (one.fact.category == NOT_STUDENT_DATA, one.fact.category, one.change))


def _warnings(
    fact: Fact,
    grant: Grant,
    after: Transform | None,
    around: Around,
) -> Iterator[str]:
    policy = around.policy
    schedule = grant.agreement.schedule if grant.agreement else ()
    if fact.category not in {*schedule, NOT_STUDENT_DATA}:
        what = "the agreement's schedule" if grant.agreement else "any agreement, for the grant has none"
        yield f"Outside {what}{f': {fact.category} is not in it' if grant.agreement else ''}."
    if policy.state and (denial := denied_by_state(fact.coordinate, policy.state, grant)):
        yield f"The state denies it, so it stays withheld: {denial.reason}"
    if policy.district and (denial := denied_by_district(fact.coordinate, policy.district)):
        yield f"The district denies it, so it stays withheld: {denial.reason}"
    if policy.district and (roles := required_roles(fact.sensitivity, policy.district)):
        yield f"In force only when approved by name by {' and '.join(role.replace('-', ' ') for role in roles)}."
    if fact.scope not in around.authority.registered:
        yield f"The client is not registered for {fact.scope}: the operator has to register it first."
    if after is None and fact.coordinate in around.filterable:
        yield "The vendor could also search by it."
    if holders := around.others.get(fact.coordinate, ()):
        yield f"Also held by {', '.join(holders)}."


def held_by_others(
    coordinates: Sequence[Coordinate], authorities: Sequence[Authority], facts: Mapping[Coordinate, Fact]
) -> dict[Coordinate, list[str]]:
    """Which of some vendors are given a field today."""
    found: dict[Coordinate, list[str]] = {}
    for by in authorities:
        for coordinate in coordinates:
            fact = facts.get(coordinate)
            if fact is not None and isinstance(decide(ask_for(fact), by), Permit):
                holders = found.setdefault(coordinate, [])
                if by.client not in holders:
                    holders.append(by.client)
    return found


def rows_after(base: Base, amendment: Amendment) -> Rows:
    """Of whom, once it is decided."""
    return base.grant.rows if amendment.rows is None else amendment.rows


def told_rows(before: Rows, after: Rows) -> list[tuple[str, str]]:
    """Each condition on whose records that becomes other, in words, with + for wider, − for narrower, ~ for both."""
    changes = row_changes(before := plain(before), after := plain(after))
    return [(_mark(one), f"{condition(one.key, before)} → {condition(one.key, after)}") for one in changes]


def _mark(change: RowChange) -> str:
    return "~" if change.wider is None else "+" if change.wider else "−"


def narrowed(
    asked: Amendment,
    base: Base,
    *,
    kept: Mapping[Coordinate, Transform | None],
    removed: frozenset[Coordinate],
    rows: Rows,
    not_after: date,
    today: date,
) -> Amendment:
    """What is left of a request after an officer took from it. Raises: ValueError with a sentence if it is not less."""
    if not kept.keys() <= asked.fields.keys() or not removed <= asked.removed:
        raise ValueError("A decision gives no more than was asked for. Untick fields; to give others, ask for them.")
    for coordinate, shown in kept.items():
        if stricter(shown, asked.fields[coordinate]) != shown:
            raise ValueError(f"{coordinate} was asked for shortened, and is not given whole. Choose what was asked.")
    whole = rows_after(base, asked)
    for key in CONDITIONS:
        if not no_wider(getattr(rows, key), getattr(whole, key)):
            raise ValueError(f"The records are more than were asked for ({key.replace('_', ' ')}). Name fewer.")
    last = asked.not_after or base.grant.not_after
    if not_after > last:
        raise ValueError(f"The period is longer than was asked for. Name {last} or an earlier day.")
    first = asked.not_before or base.grant.not_before
    if not_after != last and not_after < max(first, today):
        raise ValueError(
            f"The last day is over, or before the first. Name {max(first, today)} or a later day, or refuse."
        )
    return replace(
        asked,
        fields=kept,
        removed=removed,
        rows=None if rows == base.grant.rows else rows,
        not_after=None if not_after == base.grant.not_after else not_after,
    )


def over(grant: Grant, policy: SpacePolicy, today: date) -> bool:
    """Whether a grant's last day is past."""
    return today > last_day(grant, policy.state)
