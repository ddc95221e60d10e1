"""Whether an invented pupil's record would be in a grant's rows, judged as real ones are: by the same SQL.

Shape: a space in memory, one record of each type, all of one pupil in one section of one school.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import Table, create_engine, select

from app.policy.authority import Authority
from app.policy.cases import Enrolled, Record
from app.spaces import tables as t
from app.spaces.admission import Admission, school_year
from app.spaces.columns import metadata
from app.spaces.driver import Readers


def admits(type_name: str, record: Record, authority: Authority) -> bool:
    """Whether the record of that type is in the rows of a caller's grant."""
    if authority.grant is None:
        return False
    table = t.BY_TYPE[type_name].alias("t")
    readers = Readers("sqlite+aiosqlite:///:memory:")
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            for filled, values in invent(record, authority.today):
                connection.execute(filled.insert().values(values))
            admitted = Admission.under(authority).of(type_name, table)
            statement = readers.statement(select(table.c.row).where(admitted))
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - for the type checker
            found = driver.execute(statement.text, [statement.constants[each] for each in statement.order]).fetchall()
    finally:
        engine.dispose()
    return (1,) in found


def invent(record: Record, today: date) -> Iterator[tuple[Table, Mapping[str, object]]]:
    """One record of each type, each with the others as its parents; of school enrollments what the pupil has."""
    keys = list(dict.fromkeys(one.school for one in record.enrollments if one.school and one.school != record.school))
    schools = {record.school or "": 1, **{key: row for row, key in enumerate(keys, 2)}}
    year = record.school_year or school_year(today)
    day = date(year, 1, 15).isoformat()
    told: Mapping[str, Mapping[str, object]] = {
        "School": {"source_key": record.school or ""},
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
