"""Say why a field is disclosed, or why not: every condition in order of precedence, with the line that it stands on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.policy.authority import Authority
from app.policy.decide import (
    Ask,
    Decision,
    Deny,
    Permit,
    Reason,
    approved_by,
    decide,
    denied_by_district,
    denied_by_state,
    entrance,
    required_roles,
)
from app.policy.model import DistrictPolicy, Grant, last_day
from app.policy.withholding import withholding
from app.policy.wording import CONDITIONS, condition


@dataclass(frozen=True, slots=True)
class Step:
    """One condition: whether it holds, in a sentence, and where it is written; `reason` is the denial if not."""

    holds: bool
    reason: Reason
    sentence: str
    file: str | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """`tx/grand-bend/grants/readwell.toml:12`, or nothing where no file says so."""
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on whose records are given, in words, and where it is written; `key` is its name there."""

    key: str
    sentence: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """`tx/grand-bend/grants/readwell.toml:31`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision on one coordinate with every condition. INVARIANT: a denial has the first failed step's reason."""

    ask: Ask
    decision: Decision
    steps: tuple[Step, ...]
    records: tuple[Condition, ...]  # of the grant, whatever is decided

    @property
    def deciding(self) -> Step:
        """The step that decided: the first that fails, or else the last, which lists the field."""
        return next((step for step in self.steps if not step.holds), self.steps[-1])


def explain(ask: Ask, authority: Authority, beyond: Sequence[Ask] = ()) -> Explanation:
    """Why one coordinate is disclosed to a caller, or why not. `beyond`: of an edge, what its type puts to policy."""
    made, told = decide(ask, authority), list(steps(ask, authority))
    if beyond and isinstance(made, Permit):
        shut = entrance(beyond, authority)
        # The listing is what decides for an edge that leads somewhere; so it stands last.
        told.insert(-1 if shut is None else len(told), _leading(ask, beyond, shut, told[-1]))
        made = shut or made
    return Explanation(ask, made, tuple(told), tuple(records(authority)))


def _leading(ask: Ask, beyond: Sequence[Ask], shut: Deny | None, listing: Step) -> Step:
    """Whether there is anything to see where an edge leads."""
    of, something = beyond[0].coordinate.partition(".")[0], "something" if shut is None else "nothing"
    told = f"{ask.coordinate} leads to {of}, of which {something} is disclosed."
    return Step(shut is None, shut.reason if shut else Reason.NOT_GRANTED, told, listing.file, listing.line)


def records(authority: Authority) -> Iterator[Condition]:
    """Every condition that a grant sets on whose records are given, then what families decided."""
    grant = authority.grant
    if grant is None:
        return
    for key in CONDITIONS:
        if getattr(grant.rows, key) is not None:
            yield Condition(key, condition(key, grant.rows), grant.file, grant.line(f"rows.{key}"))
    if district := authority.district:
        held = withholding(authority)
        told = "none of a pupil whose family opted out" if held.records else "nothing in them where a family opted out"
        yield Condition("opt_out", told, district.file, district.line("opt_out.vendors"))
        if held.directory is not None:
            told = f"without {held.directory} fields where a family blocked directory information"
            yield Condition("directory", told, district.file, district.line("opt_out.directory"))


def steps(ask: Ask, authority: Authority) -> Iterator[Step]:
    """Every condition that can be told of, in order of precedence."""
    client, suspended = authority.client, authority.suspended
    yield Step(not suspended, Reason.CLIENT_SUSPENDED, f"{client} is {'' if suspended else 'not '}suspended.")
    holders = [("The token", authority.scopes), ("The client", authority.registered)]
    # A token that holds all that its client is registered for is no condition of its own.
    for holder, scopes in holders if authority.scopes != authority.registered else holders[1:]:
        held = ask.scope in scopes
        yield Step(held, Reason.SCOPE_MISSING, f"{holder} {'holds' if held else 'lacks'} the scope {ask.scope}.")
    grant, district = authority.grant, authority.district
    if district is None:
        yield Step(False, Reason.NO_GRANT, f"{authority.space} has no district policy that can be read.")
    elif grant is None:
        yield Step(
            False,
            Reason.NO_GRANT,
            f"{district.name} has no grant to {client} for {authority.purpose or 'any purpose'}, "
            "or one that cannot be read: see `policy lint`.",
            district.file,
            1,
        )
    else:
        yield Step(
            True,
            Reason.NO_GRANT,
            f"{district.name} grants {client} data for {grant.purpose}.",
            grant.file,
            grant.line("client"),
        )
        yield from _period(authority, grant)
        yield from _approvals(ask, authority, grant, district)
        yield from _denials(ask, authority, grant, district)
        yield _listing(ask, grant)


def _period(authority: Authority, grant: Grant) -> Iterator[Step]:
    begun = authority.today >= grant.not_before
    began = f"The grant {'is' if begun else 'is only'} in force from {grant.not_before}."
    yield Step(begun, Reason.GRANT_NOT_YET, began, grant.file, grant.line("not_before"))
    end, state = last_day(grant, authority.state), authority.state
    going = authority.today <= end
    told = f"The grant {'is' if going else 'was'} in force until {end}, the last day included"
    if state is not None and end < grant.not_after:
        told += f": the state allows {state.max_days} days"
        yield Step(going, Reason.GRANT_EXPIRED, f"{told}.", state.file, state.line("max_days"))
    else:
        yield Step(going, Reason.GRANT_EXPIRED, f"{told}.", grant.file, grant.line("not_after"))


def _approvals(ask: Ask, authority: Authority, grant: Grant, district: DistrictPolicy) -> Iterator[Step]:
    if ask.coordinate not in grant.fields:
        return
    for role in required_roles(ask.sensitivity, district):
        given = approved_by(role, ask.coordinate, authority)
        if given is not None:
            told = f"{given.by} approved {ask.coordinate} as {role} on {given.at.date()}."
            yield Step(True, Reason.APPROVAL_PENDING, told, grant.file, given.line)
        else:
            told = f"{ask.coordinate} is {ask.sensitivity} and waits for approval by name by the {role}."
            yield Step(False, Reason.APPROVAL_PENDING, told, grant.file, grant.line("approval"))


def _denials(ask: Ask, authority: Authority, grant: Grant, district: DistrictPolicy) -> Iterator[Step]:
    if state := authority.state:
        denial = denied_by_state(ask.coordinate, state, grant)
        told = f"The state denies {ask.coordinate}: {denial.reason}" if denial else "The state does not deny it."
        yield Step(
            denial is None, Reason.DENIED_BY_STATE, told, state.file, denial.line if denial else state.line("deny")
        )
    denial = denied_by_district(ask.coordinate, district)
    told = f"The district denies {ask.coordinate}: {denial.reason}" if denial else "The district does not deny it."
    line = denial.line if denial else district.line("deny")
    yield Step(denial is None, Reason.DENIED_BY_DISTRICT, told, district.file, line)


def _listing(ask: Ask, grant: Grant) -> Step:
    if ask.coordinate not in grant.fields:
        told = f"The grant does not list {ask.coordinate}."
        return Step(False, Reason.NOT_GRANTED, told, grant.file, grant.line("fields"))
    transform = grant.fields[ask.coordinate]
    line = grant.lines.get(ask.coordinate, grant.line("fields"))
    if transform is not None and not ask.is_text:
        told = f"The grant lists {ask.coordinate} as {transform}, which is for texts alone, so nothing of it leaves."
        return Step(False, Reason.NOT_GRANTED, told, grant.file, line)
    shown = f" as {transform}" if transform else ""
    return Step(True, Reason.NOT_GRANTED, f"The grant lists {ask.coordinate}{shown}.", grant.file, line)
