"""`/console/preview`: see as a vendor sees, a few real records on the real path; or as it would after a request."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from app.console.asked import take_up
from app.console.forms import OURS
from app.console.holding import authority_of
from app.console.visit import Absent, Forbidden, Rejected, Visit
from app.console.whose import whose
from app.console.wording import WHY
from app.names import ClientId, Coordinate
from app.operation.authorize import ask_for
from app.operation.decided import ROOT_TYPES
from app.operation.vocabulary import Vocabulary
from app.policy.amend import Unwritable
from app.policy.authority import Authority
from app.policy.decide import Permit, decide
from app.previewing import Seen, preview
from app.requests.model import State
from app.requests.review import drafted
from app.requests.store import by_number
from app.schema.facts import Fact

RECORDS = 4
"""How many records are shown."""

LOOKED_AT = 12
"""How many records of a root are asked for where the type is reached from it."""

LISTS: Mapping[str, str] = {of: root for root, of in ROOT_TYPES.items() if root.endswith("s")}
"""The root list of each type that has one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field: its values in each record, or why there are none."""

    fact: Fact
    values: Sequence[str]
    code: str
    sentence: str
    asked: bool  # whether the request that is previewed is about it


async def show(visit: Visit) -> Response:
    """The preview. Raises: Absent, Forbidden, Rejected, Unavailable."""
    if visit.session.role == "reader":
        raise Forbidden("A preview shows records of pupils, and is for the officers who decide.")
    if visit.request.headers.get("sec-fetch-site", "none") not in OURS:
        # It stands in the ledger that this officer looked: no other site's link makes somebody look.
        raise Rejected("A preview is recorded under your name, so another site's link does not open it. Open it here.")
    vocabulary = visit.desk.vocabulary
    types = sorted({fact.type for fact in own(vocabulary)} & {*reachable(vocabulary)})
    wanted = visit.asked("type") or "Student"
    if wanted not in types:
        raise Absent("There is no such kind of record. The page for pupils lists those that there are.")
    by, number, concerned = await authority_to_see(visit)
    route = path_to(vocabulary, wanted, by)
    columns = [fact for fact in own(vocabulary) if fact.type == wanted and fact.leads_to is None]
    seen = await preview(visit.desk.rooms, document(route, columns), by, visit.session.email)
    records = [*found(seen, route)][:RECORDS]
    edges = [fact for fact in own(vocabulary) if fact.type == wanted and fact.leads_to is not None]
    shut = next((told for step in route.edges if (told := seen.denied.get(step.coordinate))), None)
    return visit.page(
        "preview.html",
        client=by.client,
        purpose=by.purpose,
        number=number,
        type=wanted,
        types=types,
        lines=sorted(
            lines(columns, records, seen, by=by, concerned=concerned, shut=shut),
            key=lambda one: (bool(one.code), bool(one.code) and not one.asked),
        ),
        edges=[(fact, fact.coordinate in (by.grant.fields if by.grant else ())) for fact in edges],
        records=len(records),
        whose=await whose(visit, by.grant.rows) if by.grant else "",
        root=seen.denied.get(Coordinate(f"Query.{route.root}")),
    )


async def authority_to_see(visit: Visit) -> tuple[Authority, int | None, frozenset[Coordinate]]:
    """The vendor's authority today, or as it would be after a request with the officer's approval."""
    number = visit.asked("request")
    if not number:
        client, purpose = ClientId(visit.asked("vendor")), visit.asked("purpose")
        if (client, purpose) not in {(grant.client, grant.purpose) for grant in visit.policy.grants}:
            raise Absent("This district has no grant to that vendor for that purpose. The matrix lists what it has.")
        return authority_of(visit, client, purpose), None, frozenset()
    request = None
    if number.isdecimal() and len(number) < 10:
        request = await by_number(visit.desk.rooms.control, visit.space, int(number))
    if request is None:
        raise Absent("There is no such request in this district. The list of requests has those that there are.")
    if request.state not in {State.OPEN, State.WAITING}:
        raise Rejected("This request is decided. Look at what the vendor sees now.")
    asked = await take_up(visit, request)
    try:
        waits = request.state is State.WAITING
        mine = asked.mine(visit) if waits else []
        grant = drafted(asked.base, asked.seconded(visit, mine) if waits else asked.after(visit, asked.amendment))
    except Unwritable as error:
        raise Rejected(str(error)) from None
    concerned = frozenset({*asked.amendment.fields, *asked.amendment.removed, *mine})
    return replace(asked.authority, grant=grant), request.number, concerned


def own(vocabulary: Vocabulary) -> Iterator[Fact]:
    """What the space itself tells."""
    return (fact for fact in vocabulary.facts.values() if fact.coordinate not in vocabulary.told_by)


@dataclass(frozen=True, slots=True)
class Path:
    """How a type is come to: a root list, and the edges from there."""

    root: str
    edges: tuple[Fact, ...]


def path_to(vocabulary: Vocabulary, wanted: str, by: Authority) -> Path:
    """The shortest way to a type that the vendor may go; where it may go none, the shortest that there is."""
    granted = reachable(vocabulary, by)
    return granted[wanted] if wanted in granted else reachable(vocabulary)[wanted]


def reachable(vocabulary: Vocabulary, by: Authority | None = None) -> Mapping[str, Path]:
    """Every type with the shortest way to it."""
    found = {of: Path(root, ()) for of, root in LISTS.items()}
    waiting = deque(found)
    while waiting:
        here = waiting.popleft()
        for fact in vocabulary.by_type.get(here, ()):
            beyond = fact.leads_to
            if beyond is None or beyond in found or fact.coordinate in vocabulary.told_by:
                continue
            if by is not None and not isinstance(decide(ask_for(fact), by), Permit):
                continue
            found[beyond] = Path(found[here].root, (*found[here].edges, fact))
            waiting.append(beyond)
    return found


def document(path: Path, columns: Sequence[Fact]) -> str:
    """The query that a preview runs."""
    inner = " ".join(["id", *(fact.field for fact in columns)])
    for edge in reversed(path.edges):
        inner = f"{edge.field} {{ {inner} }}"
    first = LOOKED_AT if path.edges else RECORDS
    return f"{{ {path.root}(first: {first}) {{ nodes {{ {inner} }} }} }}"


def found(seen: Seen, path: Path) -> Iterator[Mapping[str, Any]]:
    """The records of the type, as they are come to; each once."""
    here: list[Any] = (seen.data.get(path.root) or {}).get("nodes") or []
    for edge in path.edges:
        below = [one.get(edge.field) for one in here if one is not None]
        here = [each for one in below for each in (one if isinstance(one, list) else [one]) if each is not None]
    return iter({one["id"]: one for one in here if one is not None}.values())


def lines(
    columns: Sequence[Fact],
    records: Sequence[Mapping[str, Any]],
    seen: Seen,
    *,
    by: Authority,
    concerned: frozenset[Coordinate],
    shut: tuple[str, str] | None,
) -> Iterator[Line]:
    """Each field with what there is of it."""
    for fact in columns:
        made = decide(ask_for(fact), by)
        code, _ = seen.denied.get(fact.coordinate, ("", ""))
        if not code and not isinstance(made, Permit):
            code = str(made.reason)
        if not code and shut is not None:
            code, _ = shut
        values = [] if code else [written(one.get(fact.field)) for one in records]
        yield Line(fact, values, code, WHY.get(code, ""), fact.coordinate in concerned)


def written(value: object) -> str:
    """A value for people. What the district does not have is a dash."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "–"
        case _:
            return str(value)
