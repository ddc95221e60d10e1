"""Answer a parent: who received something of my child, which fields, when, what for, and on what basis.

Exact: a student is in the report of an answer iff a row number of theirs is in one of its bitmaps. Someone who was
erased and came back has more than one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.entry import DISCLOSING, Entry, Kind, Recorded, Whose
from app.ledger.reading import Filters, entries

BASES = {
    "consent": "with the written consent of a parent or the student, 34 CFR 99.30",
    "school-official": "as a school official with a legitimate educational interest, 34 CFR 99.31(a)(1)",
    "transfer": "for the student's transfer to another school, 34 CFR 99.31(a)(2)",
    "audit-evaluation": "for an audit or evaluation of an education program, 34 CFR 99.31(a)(3)",
    "financial-aid": "for financial aid, 34 CFR 99.31(a)(4)",
    "juvenile-justice": "for the juvenile justice system, 34 CFR 99.31(a)(5)",
    "studies": "for a study on behalf of the district, 34 CFR 99.31(a)(6)",
    "accreditation": "for accreditation, 34 CFR 99.31(a)(7)",
    "dependent-student": "to a parent of a dependent student, 34 CFR 99.31(a)(8)",
    "judicial-order": "by order of a court, 34 CFR 99.31(a)(9)",
    "health-or-safety": "in an emergency of health or safety, 34 CFR 99.31(a)(10)",
    "directory-information": "as directory information, 34 CFR 99.31(a)(11)",
    "parent-or-student": "to a parent or the student, 34 CFR 99.31(a)(12)",
    "child-welfare": "to a child welfare agency, 20 U.S.C. 1232g(b)(1)(L)",
}
"""What the words for a basis mean. Spec: 34 CFR 99.30, 99.31."""

PLAIN = {
    "id": "an identifier made for this vendor",
    "ideaIndicator": "special education (IDEA)",
    "lastSurname": "last name",
    "nameOfInstitution": "name",
    "ssn": "social security number",
}
"""Fields whose own names are not plain language."""

TYPENAME = ".__typename"
"""What ends a coordinate that tells nothing of anybody: the name of a type."""

TOLD_TO_REMOVE = "nothing: it was told to remove what it holds of the student"
"""What a vendor that keeps in step received when the student left what is granted to it."""


@dataclass(frozen=True, slots=True)
class Received:
    """The same fields of one student, received by one vendor for one purpose: on which days, and how often."""

    client: str
    purpose: str
    basis: str | None
    coordinates: tuple[str, ...]  # sorted; none: it was told to remove what it holds of the student
    days: tuple[date, ...]  # in order, each once
    count: int  # answers


@dataclass(slots=True)
class _Answer:
    """What one answer held of the student; the chunks of a stream are one answer."""

    client: str
    purpose: str
    basis: str | None
    at: datetime
    coordinates: set[str] = field(default_factory=set)


async def of_student(
    engine: AsyncEngine,
    *students: int,
    zone: tzinfo = UTC,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Received]:
    """What left of the student with those row numbers; days are days in `zone`, the district's. Raises: Unavailable."""
    answers: dict[tuple[str, str], _Answer] = {}
    async for recorded in entries(engine, Filters(students=students, since=since, until=until)):
        gather(answers, recorded, students)
    # What was sent without anything of this student is no line of theirs.
    return summarize((one for one in answers.values() if one.coordinates or " could answer " not in one.client), zone)


def gather(answers: dict[tuple[str, str], _Answer], recorded: Recorded, students: Iterable[int]) -> None:
    """Add what an entry says of the student to the answer that it is part of."""
    entry = recorded.entry
    told = told_by(entry)
    if told is None:
        return
    theirs = [one for one in entry.disclosed if concerns(one, students)]
    coordinates = {one for whose in theirs for one in telling(whose.coordinates)}
    if theirs and not coordinates and not any(concerns(one, students) for one in entry.removed):
        return
    answer = answers.setdefault((told, entry.request), _Answer(told, entry.purpose, entry.basis, entry.at))
    answer.at = min(answer.at, entry.at)
    answer.coordinates.update(coordinates)


def concerns(whose: Whose, students: Iterable[int]) -> bool:
    """Whether something is of one of these students."""
    return whose.students is not None and any(row in whose.students for row in students)


def telling(coordinates: Iterable[str]) -> tuple[str, ...]:
    """The coordinates without those that tell nothing of a child."""
    return tuple(one for one in coordinates if not one.endswith(TYPENAME))


def told_by(entry: Entry) -> str | None:
    """Who was told something with an entry: the vendor, or a subgraph that it asked; None if nothing left with it."""
    if entry.kind in DISCLOSING:
        return entry.client
    if entry.kind is Kind.SENT and entry.subgraph:
        return f"{entry.subgraph}, so that it could answer {entry.client}"
    return None


def summarize(answers: Iterable[_Answer], zone: tzinfo) -> list[Received]:
    """Put answers together that gave the same vendor the same fields for the same purpose on the same basis."""
    days: dict[tuple[str, str, str, tuple[str, ...]], list[date]] = {}
    for answer in answers:
        key = answer.client, answer.purpose, answer.basis or "", tuple(sorted(answer.coordinates))
        days.setdefault(key, []).append(answer.at.astimezone(zone).date())
    return [
        Received(client, purpose, basis or None, coordinates, tuple(sorted(set(each))), len(each))
        for (client, purpose, basis, coordinates), each in sorted(days.items())
    ]


def page(
    received: Sequence[Received],
    *,
    district: str,
    student: str,
    names: Mapping[str, str] | None = None,
    purposes: Mapping[str, str] | None = None,
) -> str:
    """The page for a parent. `student` is what the parent knows the child by.

    `names` are the vendors' by client, `purposes` the district's sentences by its words for them.
    """
    names, purposes = names or {}, purposes or {}
    lines = [f"Who received data about student {student}", f"{district}, from its record of disclosures", ""]
    if not received:
        lines.append("Nobody has received any data about this student.")
    for client, of_client in groupby(received, key=lambda each: each.client):
        lines += [names.get(client, client), ""]
        for (purpose, basis), group in groupby(of_client, key=lambda each: (each.purpose, each.basis)):
            lines.append(f"  Purpose: {purposes.get(purpose, purpose)}")
            lines.append(f"  Basis:   {describe_basis(basis)}")
            for each in group:
                lines.append("")
                lines += [f"    {line}" for line in describe_fields(each.coordinates) or [TOLD_TO_REMOVE]]
                lines.append(f"    {how_often(each.count)}, {'on' if len(each.days) == 1 else 'on these days:'} ")
                lines[-1] += ", ".join(day.isoformat() for day in each.days)
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def describe_basis(basis: str | None) -> str:
    """A basis in plain language."""
    if basis is None:
        return "none recorded"
    return f"{basis} ({BASES[basis]})" if basis in BASES else basis


def describe_fields(coordinates: Sequence[str]) -> list[str]:
    """Coordinates in plain language, a line for each type: `student: birth date, first name`."""
    pairs = (coordinate.partition(".") for coordinate in coordinates)
    return [
        f"{plain(type_)}: {', '.join(plain(name) for _, _, name in group)}"
        for type_, group in groupby(pairs, key=lambda pair: pair[0])
    ]


def plain(name: str) -> str:
    """`birthDate` as `birth date`; and a few words that are no family's."""
    return PLAIN.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])", " ", name).lower()


def how_often(count: int) -> str:
    """`once`, `12 times`."""
    return "once" if count == 1 else f"{count} times"
