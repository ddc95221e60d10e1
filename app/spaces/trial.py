"""Where an invented pupil's record would stand under a grant, judged as real ones are: by the same SQL.

Shape: a space in memory, one record of each type, all of one pupil in one section of one school.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

from sqlalchemy import Table, create_engine, false, select

from app.names import EVERY_VENDOR, Coordinate
from app.operation.vocabulary import CORE_VOCABULARY, Vocabulary
from app.policy.authority import Authority
from app.policy.cases import Enrolled, Record
from app.policy.withholding import withholding
from app.spaces import tables as t
from app.spaces.admission import Admission, school_year
from app.spaces.columns import metadata
from app.spaces.driver import Readers
from app.spaces.veil import veil


def stands(
    type_name: str,
    record: Record,
    coordinate: Coordinate | None,
    authority: Authority,
    vocabulary: Vocabulary = CORE_VOCABULARY,
) -> Literal["in", "out", "withheld"]:
    """Where the record of that type stands under a caller's grant, or its field: in the rows, out, or kept back.

    What a subgraph tells stands where its student does; what is no student's is in.
    """
    if authority.grant is None:
        return "out"
    if type_name not in t.BY_TYPE:
        if not vocabulary.students.get(type_name):
            return "in"
        type_name = "Student"
    table = t.BY_TYPE[type_name].alias("t")
    over = veil(type_name, table, withholding(authority), root=True)
    kept_back = over.over(vocabulary.facts[coordinate]) if coordinate is not None else None
    wanted = select(false() if kept_back is None else kept_back).select_from(over.source)
    statement = Readers("sqlite+aiosqlite:///:memory:").statement(
        wanted.where(table.c.row == 1, Admission.under(authority).of_root(type_name, table))
    )
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            for filled, values in invent(record, authority.today):
                connection.execute(filled.insert().values(values))
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - for the type checker
            found = driver.execute(statement.text, [statement.constants[each] for each in statement.order]).fetchone()
    finally:
        engine.dispose()
    if found is None:
        return "out"
    return "withheld" if found[0] else "in"


def invent(record: Record, today: date) -> Iterator[tuple[Table, Mapping[str, object]]]:
    """One record of each type, each with the others as its parents; of school enrollments what the pupil has."""
    keys = list(dict.fromkeys(one.school for one in record.enrollments if one.school and one.school != record.school))
    schools = {record.school or "": 1, **{key: row for row, key in enumerate(keys, 2)}}
    year = record.school_year or school_year(today)
    day = date(year, 1, 15).isoformat()
    told: Mapping[str, Mapping[str, object]] = {
        "School": {"source_key": record.school or ""},
        "Student": {"directory_information_block": record.directory_block},
        "Course": {"subject": record.subject},
        "Session": {"school_year": year},
        "AttendanceEvent": {"event_date": day},
        "ProgramParticipation": {"begin_date": day, "end_date": day},
        "DisciplineIncident": {"incident_date": day},
        "DisciplineAction": {"start_date": day},
    }
    for name, table in t.BY_TYPE.items():
        parents = {column.name: 1 for column in table.columns if column.foreign_keys}
        if record.school is None:
            parents.pop("school", None)
        if name != "SchoolEnrollment":
            yield table, {"row": 1, "source_key": name, **parents, **told.get(name, {})}
    if record.opted_out:
        yield t.opt_out, {"student_key": "Student", "client": EVERY_VENDOR, "at": today.isoformat()}
    for key in keys:
        yield t.school, {"row": schools[key], "source_key": key}
    for row, enrolled in enumerate(record.enrollments, 1):
        school = schools[enrolled.school] if enrolled.school else None
        columns = {**of(enrolled), "row": row, "source_key": f"SchoolEnrollment {row}", "student": 1, "school": school}
        yield t.school_enrollment, columns


def of(enrolled: Enrolled) -> Mapping[str, object]:
    """The columns of one school enrollment."""
    return {
        "grade_level": enrolled.grade_level,
        "entry_date": enrolled.entry_date and enrolled.entry_date.isoformat(),
        "exit_date": enrolled.exit_date and enrolled.exit_date.isoformat(),
    }
