"""Random policies, callers and questions, and every way to make a policy stricter."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from app.names import Coordinate, Revision, Scope
from app.policy.authority import Authority
from app.policy.decide import Ask
from app.policy.model import (
    Approval,
    Approvals,
    Basis,
    Denial,
    DistrictPolicy,
    Grant,
    OptOut,
    Rows,
    StatePolicy,
    Transform,
)
from tests.policy.texts import NOON, READWELL, SPACE

TODAY = date(2026, 9, 15)
ALL = [Coordinate(f"Student.{name}") for name in ("a", "b", "c", "d")]
ALL_SCOPES = [Scope(f"student/{name}.read") for name in ("x", "y")]
ROLES = ["steward", "privacy-officer"]
SENSITIVITIES = ["public", "pii", "sensitive", "staff-sensitive", "restricted", "unheard-of"]

coordinates = st.sampled_from(ALL)
bases = st.sampled_from([Basis.SCHOOL_OFFICIAL, Basis.AUDIT_EVALUATION])
days = st.integers(-400, 400).map(lambda number: TODAY + timedelta(days=number))
ends = st.sampled_from([date.min, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1), date.max]) | days
some_coordinates = st.lists(coordinates, max_size=3, unique=True).map(tuple)
roles = st.lists(st.sampled_from(ROLES), max_size=2, unique=True).map(tuple)
scopes = st.frozensets(st.sampled_from(ALL_SCOPES))
denials = st.lists(
    st.builds(Denial, some_coordinates, st.just("why"), st.lists(bases, max_size=1).map(tuple)), max_size=2
).map(tuple)
approvals = st.builds(
    Approval,
    by=st.just("a.ramos"),
    role=st.sampled_from(ROLES),
    at=st.sampled_from([NOON - timedelta(days=30), NOON, NOON + timedelta(days=2)]),
    covers=some_coordinates,
)
asks = st.builds(Ask, coordinates, st.sampled_from(ALL_SCOPES), st.sampled_from(SENSITIVITIES), st.booleans())
grants = st.builds(
    Grant,
    client=st.just(READWELL),
    purpose=st.just("instruction"),
    statement=st.just(""),
    basis=bases,
    not_before=ends,
    not_after=ends,
    review_by=st.none(),
    agreement=st.none(),
    fields=st.dictionaries(coordinates, st.sampled_from([None, *Transform]), max_size=4),
    rows=st.just(Rows()),
    approvals=st.lists(approvals, max_size=3).map(tuple),
    revision=st.just(Revision("g")),
    file=st.just("tx/grand-bend/grants/readwell.toml"),
)
districts = st.builds(
    DistrictPolicy,
    name=st.just("Grand Bend ISD"),
    time_zone=st.just("America/Chicago"),
    purposes=st.just({"instruction": "Instruction"}),
    deny=denials,
    ssn=st.just("leave-out"),
    approvals=st.builds(Approvals, roles, roles),
    opt_out=st.just(OptOut()),
    retention=st.just({}),
    subgraphs=st.just({}),
    revision=st.just(Revision("d")),
    file=st.just("tx/grand-bend/district.toml"),
)
states = st.builds(
    StatePolicy,
    deny=denials,
    max_days=st.none() | st.integers(1, 500),
    revision=st.just(Revision("s")),
    file=st.just("tx/state.toml"),
)
authorities = st.builds(
    Authority,
    client=st.just(READWELL),
    space=st.just(SPACE),
    purpose=st.just("instruction"),
    scopes=scopes,
    registered=scopes,
    suspended=st.booleans(),
    grant=st.none() | grants,
    district=st.none() | districts,
    state=st.none() | states,
    today=st.just(TODAY),
    valid_until=st.just(NOON + timedelta(hours=12)),
)


@st.composite
def likely(draw: st.DrawFn) -> tuple[Ask, Authority]:
    """A question that is often answered with a permit, so that strictness has something to take away."""
    ask = draw(asks)
    grant = draw(grants)
    listed = {**grant.fields, ask.coordinate: draw(st.sampled_from([None, *Transform]))}
    grant = replace(grant, fields=listed, not_before=TODAY - timedelta(days=5), not_after=TODAY + timedelta(days=5))
    district = draw(districts)
    everyone = tuple(Approval("a.ramos", role, NOON - timedelta(days=9), (ask.coordinate,)) for role in ROLES)
    authority = replace(
        draw(authorities),
        scopes=frozenset(ALL_SCOPES),
        registered=frozenset(ALL_SCOPES),
        suspended=False,
        grant=replace(grant, approvals=everyone) if draw(st.booleans()) else grant,
        district=replace(district, deny=()) if draw(st.booleans()) else district,
        state=draw(st.none() | states),
    )
    return ask, authority


@st.composite
def stricter_than(draw: st.DrawFn, of: Authority) -> Authority:
    """The same authority with one thing taken away, or one thing more denied."""
    denial = Denial((draw(coordinates),), "why")
    changed = [
        replace(of, suspended=True),
        replace(of, scopes=of.scopes - {draw(st.sampled_from(ALL_SCOPES))}),
        replace(of, registered=of.registered - {draw(st.sampled_from(ALL_SCOPES))}),
        replace(of, grant=None),
        replace(of, district=None),
    ]
    if state := of.state:
        changed.append(replace(of, state=replace(state, deny=(*state.deny, denial))))
        changed.append(
            replace(of, state=replace(state, max_days=min(state.max_days or 999, draw(st.integers(1, 500)))))
        )
        exempt = tuple(replace(one, unless_basis=()) for one in state.deny)
        changed.append(replace(of, state=replace(state, deny=exempt)))
    else:
        changed.append(replace(of, state=draw(states)))
    if district := of.district:
        changed.append(replace(of, district=replace(district, deny=(*district.deny, denial))))
        everyone = Approvals(tuple(ROLES), tuple(ROLES))
        changed.append(replace(of, district=replace(district, approvals=everyone)))
    if grant := of.grant:
        fewer = {c: t for c, t in grant.fields.items() if c != draw(coordinates)}
        shown = {c: Transform.MASKED if t else t for c, t in grant.fields.items()}
        changed += [
            replace(of, grant=replace(grant, fields=fewer)),
            replace(of, grant=replace(grant, fields=shown)),
            replace(of, grant=replace(grant, approvals=grant.approvals[1:])),
            replace(of, grant=replace(grant, not_after=min(grant.not_after, draw(ends)))),
        ]
        if of.state is None or of.state.max_days is None:
            # Under a ceiling that counts from the first day, a later first day is not stricter.
            changed.append(replace(of, grant=replace(grant, not_before=max(grant.not_before, draw(ends)))))
    return draw(st.sampled_from(changed))
