"""`/console/matrix`: every field × every vendor, by the NDPA's categories; and why each cell says what it says."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup, escape
from starlette.responses import Response

from app.console.defused import defused
from app.console.holding import MARKS, Cell, Column, State, authority_of, cells, columns, uses
from app.console.visit import Absent, Visit
from app.ledger.summed import catch_up, used_fields
from app.names import ClientId, Coordinate
from app.operation.authorize import ask_for
from app.policy.authority import Authority
from app.policy.decide import Permit, advice
from app.policy.explain import explain
from app.schema.facts import Fact
from app.schema.ndpa import NOT_STUDENT_DATA

CLASSES = dict(zip(State, "untwrd", strict=True))
"""How the style sheet knows a cell's state: by a letter, for there are thousands."""


ANYTHING = "any"
"""Asked for as a state: every one but `not granted`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field, with a cell for each vendor."""

    fact: Fact
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the matrix is filtered by; empty is no filter."""

    category: str
    sensitivity: str
    vendor: str
    state: str

    @classmethod
    def of(cls, visit: Visit) -> "Asked":
        """As the address says."""
        return cls(*(visit.asked(name) for name in ("category", "sensitivity", "vendor", "state")))

    @property
    def query(self) -> str:
        """For the address of the same in another form."""
        pairs = (("category", self.category), ("sensitivity", self.sensitivity))
        more = (("vendor", self.vendor), ("state", self.state))
        return "&".join(f"{name}={quote(value, safe='')}" for name, value in (*pairs, *more) if value)


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is left of it after the filters."""

    columns: Sequence[Column]
    groups: Sequence[tuple[str, Sequence[Line]]]  # by category
    counts: Counter[State]
    behind: int

    @property
    def lines(self) -> list[Line]:
        """Every line, in order."""
        return [line for _, lines in self.groups for line in lines]


async def compute(visit: Visit, asked: Asked) -> Matrix:
    """The matrix of a space today."""
    vocabulary = visit.desk.vocabulary
    behind = await catch_up(visit.place.ledger, visit.zone)
    used = await used_fields(visit.place.ledger)
    facts = [
        fact
        for fact in sorted(vocabulary.facts.values(), key=in_order)
        if (not asked.category or fact.category == asked.category)
        and (not asked.sensitivity or fact.sensitivity == asked.sensitivity)
    ]
    requested = await visit.desk.requested(visit.space)
    shown = [column for column in columns(visit, requested) if not asked.vendor or column.client == asked.vendor]
    by_column = [cells(column, facts, vocabulary, used, requested) for column in shown]
    lines = [
        Line(fact, of_field)
        for fact, *of_field in zip(facts, *by_column, strict=True)
        if not asked.state or any(shows(cell, asked.state) for cell in of_field)
    ]
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.fact.category, []).append(line)
    counts = Counter(cell.state for line in lines for cell in line.cells)
    return Matrix(shown, list(groups.items()), counts, behind)


def shows(cell: Cell, state: str) -> bool:
    """Whether a cell is in the state that is asked for."""
    if state == State.UNUSED:
        return cell.is_unused
    return cell.state == state or (state == ANYTHING and cell.state is not State.DENIED)


def in_order(fact: Fact) -> tuple[bool, str]:
    """By category, what is no student's last; within one as the schema has it."""
    return fact.category == NOT_STUDENT_DATA, fact.category


async def show(visit: Visit) -> Response:
    """The matrix."""
    asked = Asked.of(visit)
    facts = visit.desk.vocabulary.facts.values()
    matrix = await compute(visit, asked)
    return visit.page(
        "matrix.html",
        matrix=matrix,
        drawn=drawn(matrix),
        asked=asked,
        marks=MARKS,
        states=State,
        anything=ANYTHING,
        categories=sorted({fact.category for fact in facts}),
        sensitivities=list(dict.fromkeys(str(fact.sensitivity) for fact in facts)),
        vendors=sorted({client for client, _ in uses(visit, await visit.desk.requested(visit.space))}),
    )


def drawn(matrix: Matrix) -> list[tuple[str, list[tuple[Fact, Markup]]]]:
    """The cells of each line. There are thousands in a page, so they are put together here and not by the template.

    INVARIANT: every part is escaped before it is put in, once for all the cells that have it.
    """
    bases = [escape(f"matrix/{column.client}/{quote(column.purpose, safe='')}/") for column in matrix.columns]
    heads = {state: f'<td class="{CLASSES[state]}"><a href="' for state in State}
    tails: dict[tuple[State, str], str] = {}
    groups = []
    for category, lines in matrix.groups:
        shown = []
        for line in lines:
            name, parts = escape(line.fact.coordinate), []
            for base, cell in zip(bases, line.cells, strict=True):
                key = cell.state, cell.words
                if key not in tails:
                    tails[key] = f'" aria-label="{escape(cell.words)}">{MARKS[cell.state]}</a></td>\n'
                parts.append(f"{heads[cell.state]}{base}{name}{tails[key]}")
            shown.append((line.fact, Markup("".join(parts))))  # noqa: S704 - of escaped parts alone
        groups.append((category, shown))
    return groups


async def as_csv(visit: Visit) -> Response:
    """The same for a spreadsheet."""
    matrix = await compute(visit, Asked.of(visit))
    out = io.StringIO()
    rows = csv.writer(out)
    heads = [f"{column.client} for {column.purpose}" for column in matrix.columns]
    rows.writerow(defused(["category", "field", "sensitivity", *heads]))
    for line in matrix.lines:
        told = [cell.words for cell in line.cells]
        rows.writerow(defused([line.fact.category, line.fact.coordinate, str(line.fact.sensitivity), *told]))
    name = f"matrix-{visit.space.replace('/', '-')}-{visit.today}.csv"
    return visit.file("\ufeff" + out.getvalue(), name)


async def show_cell(visit: Visit) -> Response:
    """Why a vendor is given a field, or why not: every condition, with the line that it stands on."""
    path = visit.request.path_params
    client, purpose = ClientId(path["client"]), path["purpose"]
    fact = visit.desk.vocabulary.facts.get(Coordinate(path["coordinate"]))
    if fact is None or (client, purpose) not in uses(visit, await visit.desk.requested(visit.space)):
        raise Absent("There is no such cell. The matrix leads to those that there are.")
    by = authority_of(visit, client, purpose)
    vocabulary = visit.desk.vocabulary
    beyond = [*map(ask_for, vocabulary.by_type.get(fact.leads_to, ()))] if fact.leads_to else []
    told = explain(ask_for(fact), by, beyond)
    # What the grant itself says is the officer's to change, so it stands first; the vendor hears the first in order.
    unmet = [step for step in reversed(told.steps) if not step.holds]
    await catch_up(visit.place.ledger, visit.zone)
    used = (await used_fields(visit.place.ledger, client)).get((client, purpose, fact.coordinate))
    return visit.page(
        "cell.html",
        client=client,
        purpose=purpose,
        fact=fact,
        told=told,
        unmet=unmet,
        permitted=isinstance(told.decision, Permit),
        transform=told.decision.transform if isinstance(told.decision, Permit) else None,
        advice="" if isinstance(told.decision, Permit) else advice(told.decision.reason, told.ask, by),
        used=used,
        revisions=revisions(by),
    )


def revisions(by: Authority) -> dict[str, str]:
    """The revision in force of each file that decides, by path."""
    files = [one for one in (by.grant, by.district, by.state) if one is not None]
    return {one.file: one.revision for one in files}
