"""Cases that a district writes beside its grants: what must leave, what must not, and whose records.

Shape: `STATE/DISTRICT/tests/NAME.toml`. They grant nothing, and a broken one hinders nothing that is in force.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from app.names import ClientId, Coordinate, Scope, SpaceId, is_client_id
from app.policy.decide import Reason
from app.policy.documents import COORDINATE, EXPECTED, NAME, CaseDocument, CasesDocument, RecordDocument
from app.policy.model import Finding
from app.policy.parse import BrokenError, Source, refuse
from app.toml.culprit import Problem
from app.toml.lines import Path, line_of

CASES_FILE = re.compile(r"([a-z]{2}/[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)/tests/[A-Za-z0-9][A-Za-z0-9._~-]{0,99}\.toml")


OF_FIELDS = frozenset({"disclosed", "initial", "masked", "withheld"})
"""What only a field can be."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One school enrollment of an invented pupil."""

    school: str | None = None  # the district's own key
    grade_level: str | None = None
    entry_date: date | None = None
    exit_date: date | None = None  # the last day, inclusive


@dataclass(frozen=True, slots=True)
class Record:
    """A record of an invented pupil: enrolled so, and sitting in one section of the first enrollment's school."""

    type: str | None = None
    enrollments: tuple[Enrolled, ...] = ()
    school: str | None = None  # the section's
    subject: str | None = None
    school_year: int | None = None  # the year in which it ends; None: that of the day
    opted_out: bool = False
    directory_block: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that must hold: of a coordinate, of a record, of both, or of a query."""

    file: str
    line: int
    name: str
    space: SpaceId
    client: ClientId
    purpose: str
    on: date
    scopes: frozenset[Scope] | None = None  # None: every scope
    coordinate: Coordinate | None = None
    record: Record | None = None
    expect: str = "disclosed"
    query: str | None = None
    denied: Mapping[Coordinate, Reason] | None = None

    @property
    def type(self) -> str:
        """The type of the record, or of the coordinate."""
        if self.record is not None and self.record.type is not None:
            return self.record.type
        return self.coordinate.partition(".")[0] if self.coordinate else "Student"


def read_cases(files: Mapping[str, bytes]) -> tuple[tuple[Case, ...], tuple[Finding, ...]]:
    """Every case among a folder's files, and what is wrong with files of cases. Total."""
    cases: list[Case] = []
    findings: list[Finding] = []
    for file in sorted(files):
        if match := CASES_FILE.fullmatch(file):
            try:
                cases += parse_cases(file, files[file], SpaceId(match[1]))
            except BrokenError as broken:
                findings += broken.findings
    return tuple(cases), tuple(findings)


def parse_cases(file: str, data: bytes, space: SpaceId) -> tuple[Case, ...]:
    """One file of cases. Raises: BrokenError."""
    source = Source(file, data)
    document = source.document(CasesDocument)
    refuse(source, [problem for n, case in enumerate(document.case) for problem in problems(n, case, document)])
    return tuple(
        Case(
            file=file,
            line=line_of(source.lines, ("case", n)),
            name=case.name,
            space=space,
            client=ClientId(case.client or document.client or ""),
            purpose=case.purpose or document.purpose or "",
            on=case.on or document.on or date.min,
            scopes=None if case.scopes is None else frozenset(map(Scope, case.scopes)),
            coordinate=Coordinate(case.coordinate) if case.coordinate else None,
            record=record_of(case.record) if case.record else None,
            expect=case.expect or "disclosed",
            query=case.query,
            denied=None if case.denied is None else {Coordinate(c): reason for c, reason in case.denied.items()},
        )
        for n, case in enumerate(document.case)
    )


def record_of(written: RecordDocument) -> Record:
    """The record that a case tells of. Without a word on a school enrollment the pupil has none."""
    first = Enrolled(written.school, written.grade_level, written.entry_date, written.exit_date)
    others = [Enrolled(e.school, e.grade_level, e.entry_date, e.exit_date) for e in written.other_enrollments]
    return Record(
        type=written.type,
        enrollments=tuple(one for one in (first, *others) if one != Enrolled()),
        school=written.school,
        subject=written.subject,
        school_year=written.school_year,
        opted_out=written.opted_out,
        directory_block=written.directory_block,
    )


def problems(n: int, case: CaseDocument, document: CasesDocument) -> Iterator[Problem]:
    """What keeps a case from being tried."""
    at: Path = ("case", n)
    client = case.client or document.client
    if client is None or not is_client_id(client):
        yield (*at, "client"), "A case is of one client. Write its client_id here, or for all cases above the first."
    if not (case.purpose or document.purpose):
        yield (*at, "purpose"), "A case is for one purpose. Write it here, or for all cases above the first."
    if not (case.on or document.on):
        yield (*at, "on"), "A case is tried on one day. Write it here, or for all cases above the first."
    if case.query is None:
        yield from _of_policy(at, case)
    elif case.coordinate or case.record or case.expect:
        yield (*at, "query"), "A query is tried alone, against `denied`. Write two cases."
    elif case.denied is None:
        yield (*at, "denied"), "Write what the query is denied: a table of coordinates and reasons, {} for nothing."


def _of_policy(at: Path, case: CaseDocument) -> Iterator[Problem]:
    if case.denied is not None:
        yield (*at, "denied"), "`denied` is for a query. Write `expect`."
    if case.coordinate is None and case.record is None:
        yield at, "There is nothing to try. Write a `coordinate`, a `record` or a `query`."
    if case.coordinate is not None and not re.fullmatch(COORDINATE, case.coordinate):
        yield (*at, "coordinate"), "A coordinate is `Type.field`, such as Student.birthDate. Correct it."
    if case.expect not in EXPECTED:
        yield (*at, "expect"), f"What is expected is one of {', '.join(EXPECTED)}. Write one."
    elif case.coordinate is None and case.expect in OF_FIELDS:
        yield (*at, "expect"), "A record alone is in or out. Write that, or the reason why nothing of it is disclosed."
    elif case.coordinate is not None and case.expect == "in":
        yield (*at, "expect"), "Of a coordinate the decision is expected. Write disclosed, or leave the coordinate out."
    elif case.record is None and case.expect in {"out", "withheld"}:
        yield (*at, "expect"), "Only a record can be out, or withheld. Write the `record`, or a reason."
    if case.record is not None and case.record.type is not None:
        if not re.fullmatch(NAME, case.record.type):
            yield (*at, "record", "type"), "A type has a name such as Student. Correct it."
        elif case.coordinate is not None and case.coordinate.partition(".")[0] != case.record.type:
            yield (*at, "record", "type"), "The coordinate is another type's. Leave the type out."
