"""The tables of a space: one for each type of the graph, the same on SQLite and PostgreSQL.

Shape: a column bears the field's name in snake case, so that a coordinate names its column (`Student.birthDate`
is `student.birth_date`). `row` is the row number, never reused; `source_key` the district's own key; a column
that bears another table's name holds that table's row number. Dates are ISO 8601 text (passed on unparsed, and
ordered as text), lists are JSON text. Every field may be absent: a district stores only what it chooses.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ROW = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str) -> Column[str]:
    return Column(name, String)


def _date(name: str) -> Column[str]:
    return Column(name, String, CheckConstraint(f"length({name}) = 10", name=name))


def _list(name: str) -> Column[str]:
    """JSON text of an array of strings."""
    return Column(name, String)


def _to(table: str) -> Column[int]:
    """The row number of the record of another type that this one belongs to."""
    return Column(table, ROW, ForeignKey(f"{table}.row", deferrable=True, initially="DEFERRED"), index=True)


def _entity(
    name: str, *columns: Column[object] | Column[str] | Column[int] | Column[bool] | Column[float] | Index
) -> Table:
    # INVARIANT: AUTOINCREMENT and ALWAYS keep a deleted record's number from ever naming another one.
    return Table(
        name,
        metadata,
        Column("row", ROW, Identity(always=False), primary_key=True, autoincrement=True),
        Column("source_key", String, nullable=False, unique=True),
        *columns,
        sqlite_autoincrement=True,
    )


district = _entity("district", _text("name_of_institution"))

school = _entity(
    "school",
    _to("district"),
    _text("name_of_institution"),
    _text("school_level"),
    _list("grades_offered"),
)

session = _entity(
    "session",
    _to("district"),
    _to("school"),  # absent: the session is the whole district's
    Column("school_year", Integer),  # the year in which it ends: 2027 is 2026-27
    _text("name"),
    _text("type"),
    _date("begin_date"),
    _date("end_date"),
)

grading_period = _entity(
    "grading_period",
    _to("session"),
    _text("name"),
    _date("begin_date"),
    _date("end_date"),
)

course = _entity(
    "course",
    _to("school"),  # absent: the course is the whole district's
    _text("course_identifier"),
    _text("title"),
    _text("subject"),
    _text("sced_code"),
    _list("level_characteristic"),
)

section = _entity(
    "section",
    _to("school"),
    _to("course"),
    _to("session"),
    _text("title"),  # absent: the graph falls back to the course's title
    _text("local_course_code"),
    _list("period"),
    _text("room"),
)

staff = _entity(
    "staff",
    _text("staff_id"),
    _text("first_name"),
    _text("last_surname"),
    _text("work_email"),
    _text("classification"),
    _date("birth_date"),
)

staff_section_association = _entity(
    "staff_section_association",
    _to("staff"),
    _to("section"),
    _text("classroom_position"),
    _date("begin_date"),
    _date("end_date"),
)

student = _entity(
    "student",
    _text("student_unique_id"),
    _text("local_id"),
    _text("identification_system"),
    _text("ssn"),  # filled only where the district's policy says `ssn = "store"`
    _text("login_id"),
    _text("first_name"),
    _text("middle_name"),
    _text("last_surname"),
    _text("preferred_first_name"),
    _date("birth_date"),
    _text("sex"),
    _text("gender_identity"),
    Column("hispanic_latino_ethnicity", Boolean),
    _list("races"),
    _text("home_language"),
    _text("email"),
    _text("telephone"),
    _text("address_street"),
    _text("address_city"),
    _text("address_postal_code"),
    _text("photo_url"),
    Column("directory_information_block", Boolean),
    Column("english_learner", Boolean),
    Column("economic_disadvantage", Boolean),
    _text("school_food_service_eligibility"),
    Column("homeless_status", Boolean),
    Column("migrant_status", Boolean),
    Column("idea_indicator", Boolean),
    _text("primary_disability_type"),
    Column("section504_status", Boolean),
)

school_enrollment = _entity(
    "school_enrollment",
    _to("student"),
    _to("school"),
    _date("entry_date"),
    _date("exit_date"),  # the last day, inclusive; absent: still enrolled
    _text("exit_type"),
    _text("grade_level"),
    _text("enrollment_status"),
    Column("graduation_cohort_year", Integer),
)

section_enrollment = _entity(
    "section_enrollment",
    _to("student"),
    _to("section"),
    _date("begin_date"),
    _date("end_date"),
    Column("homeroom", Boolean),
)

grade = _entity(
    "grade",
    _to("student"),
    _to("section"),
    _to("section_enrollment"),  # the one that it was earned in: the latest of that student in that section
    _to("grading_period"),
    _text("letter_grade_earned"),
    Column("numeric_grade_earned", Float),
    _text("grade_type"),
    _text("narrative"),
)

ssn_met = Table(
    "ssn_met",
    metadata,
    # One row for each import that met social security numbers: the fact and the count, never the number.
    Column("number", ROW, Identity(always=False), primary_key=True, autoincrement=True),
    Column("at", String, nullable=False),
    Column("met", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
    sqlite_autoincrement=True,
)

space_state = Table(
    "space_state",
    metadata,
    # One row: see app.spaces.state.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("mark", String, nullable=False),
)

BY_TYPE: dict[str, Table] = {
    "District": district,
    "School": school,
    "Session": session,
    "GradingPeriod": grading_period,
    "Course": course,
    "Section": section,
    "Staff": staff,
    "StaffSectionAssociation": staff_section_association,
    "Student": student,
    "SchoolEnrollment": school_enrollment,
    "SectionEnrollment": section_enrollment,
    "Grade": grade,
}
"""Every stored type of the graph with its table, in an order in which parents come before children."""
