"""A small district, written by hand, in which every rule about rows has someone whom it concerns.

Shape: plain rows by type, with names for row numbers; `build` makes the tables and inserts them. It is 15 October 2026
in Larkspur, Texas; the school year 2026-27 ends in 2027.

- Ana went from grade 04 to 05 in the same school; Leo, her brother, from Elm's 05 to 06 at the middle school.
- Tess moved from Elm to Oak on 1 October; Kim was put up from 04 to 05 on 15 September, within Oak.
- Max's family opted out, which is recorded where a test asks for it; Ivy's directory entry is blocked. Otherwise they
  are ordinary pupils of Elm and of Oak.
- Gus left in June; Nia comes in November; Pat leaves today, on the last day inclusive; Zed has no school enrollment.
- Rosa is Ana's mother and Leo's; a court keeps his uncle from Leo alone.
- Tess missed school at Elm before she moved, and at Oak after. Ana, Tess and Max were in one fight at Elm; nobody was
  disciplined for what was broken there.
- Mr Berg and Ms Cole teach the middle school's mathematics together; Ms Dunn teaches nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.names import SpaceId
from app.spaces.columns import metadata
from app.spaces.tables import BY_TYPE, opt_out

SPACE = SpaceId("tx/larkspur")
TIME_ZONE = "America/Chicago"
TODAY = date(2026, 10, 15)
NOW = datetime(2026, 10, 15, 17, 0, tzinfo=UTC)  # noon in Larkspur

Rows = Sequence[Mapping[str, object]]

LARKSPUR = 1
ELM, OAK, MIDDLE = 1, 2, 3
LAST_YEAR, THIS_YEAR, FALL = 1, 2, 3  # the fall semester is the middle school's own
SPRING_QUARTER, FIRST_QUARTER, SECOND_QUARTER = 1, 2, 3
ENGLISH_4, ENGLISH_5, MATH_5, MATH_6 = 1, 2, 3, 4
ELM_ENGLISH_LAST_YEAR, ELM_ENGLISH, ELM_MATH, OAK_ENGLISH, OAK_MATH, MIDDLE_MATH, CLUB = 1, 2, 3, 4, 5, 6, 7
MS_ADLER, MR_BERG, MS_COLE, MS_DUNN = 1, 2, 3, 4
ANA, LEO, TESS, KIM, MAX, IVY, GUS, NIA, PAT, ZED = range(1, 11)
FIGHT, PRANK, LAST_YEARS, BUS, BROKEN_WINDOW = 1, 2, 3, 4, 5

SIBLINGS = (ANA, LEO)
OPTED_OUT = {MAX: ""}  # of every vendor
BLOCKED_DIRECTORY = (IVY,)

DISTRICTS: Rows = [{"row": LARKSPUR, "source_key": "larkspur", "name_of_institution": "Larkspur ISD"}]

SCHOOLS: Rows = [
    {
        "row": ELM,
        "source_key": "elm",
        "district": LARKSPUR,
        "name_of_institution": "Elm Elementary",
        "school_level": "Elementary School",
        "grades_offered": '["KG","01","02","03","04","05"]',
    },
    {
        "row": OAK,
        "source_key": "oak",
        "district": LARKSPUR,
        "name_of_institution": "Oak Elementary",
        "school_level": "Elementary School",
        "grades_offered": '["03","04","05"]',
    },
    {
        "row": MIDDLE,
        "source_key": "middle",
        "district": LARKSPUR,
        "name_of_institution": "Larkspur Middle School",
        "school_level": "Middle School",
        "grades_offered": '["06","07","08"]',
    },
]


def _session(
    row: int, key: str, year: int, name: str, kind: str, begin: str, end: str, school: int | None = None
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": key,
        "district": LARKSPUR,
        "school": school,
        "school_year": year,
        "name": name,
        "type": kind,
        "begin_date": begin,
        "end_date": end,
    }


SESSIONS: Rows = [
    _session(LAST_YEAR, "y26", 2026, "2025-26", "FULL_SCHOOL_YEAR", "2025-08-18", "2026-06-05"),
    _session(THIS_YEAR, "y27", 2027, "2026-27", "FULL_SCHOOL_YEAR", "2026-08-17", "2027-06-04"),
    _session(FALL, "fall27", 2027, "Fall 2026", "SEMESTER", "2026-08-17", "2026-12-18", school=MIDDLE),
]

GRADING_PERIODS: Rows = [
    {
        "row": SPRING_QUARTER,
        "source_key": "q4-26",
        "session": LAST_YEAR,
        "name": "Fourth quarter",
        "begin_date": "2026-03-23",
        "end_date": "2026-06-05",
    },
    {
        "row": FIRST_QUARTER,
        "source_key": "q1-27",
        "session": THIS_YEAR,
        "name": "First quarter",
        "begin_date": "2026-08-17",
        "end_date": "2026-10-09",
    },
    {
        "row": SECOND_QUARTER,
        "source_key": "q2-27",
        "session": FALL,
        "name": "Second quarter",
        "begin_date": "2026-10-12",
        "end_date": "2026-12-18",
    },
]


def _course(row: int, code: str, title: str, subject: str | None, school: int | None = None) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": code.lower(),
        "school": school,
        "course_identifier": code,
        "title": title,
        "subject": subject,
        "level_characteristic": "[]",
    }


COURSES: Rows = [
    _course(ENGLISH_4, "ENG4", "English 4", "English Language Arts"),
    _course(ENGLISH_5, "ENG5", "English 5", "English Language Arts"),
    _course(MATH_5, "MATH5", "Mathematics 5", "Mathematics"),
    _course(MATH_6, "MATH6", "Mathematics 6", "Mathematics", school=MIDDLE),
]


def _section(
    row: int, key: str, school: int | None, course: int | None, session: int | None, title: str | None, room: str
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": key,
        "school": school,
        "course": course,
        "session": session,
        "title": title,
        "local_course_code": key.upper(),
        "period": f'["{row}"]',
        "room": room,
    }


SECTIONS: Rows = [
    _section(ELM_ENGLISH_LAST_YEAR, "elm-eng-26", ELM, ENGLISH_4, LAST_YEAR, None, "E1"),
    _section(ELM_ENGLISH, "elm-eng", ELM, ENGLISH_5, THIS_YEAR, None, "E1"),  # its title is its course's
    _section(ELM_MATH, "elm-math", ELM, MATH_5, THIS_YEAR, "Mathematics, morning group", "E2"),
    _section(OAK_ENGLISH, "oak-eng", OAK, ENGLISH_5, THIS_YEAR, "English at Oak", "O1"),
    _section(OAK_MATH, "oak-math", OAK, MATH_5, THIS_YEAR, "Mathematics at Oak", "O2"),
    _section(MIDDLE_MATH, "mid-math", MIDDLE, MATH_6, FALL, None, "M1"),
    _section(CLUB, "club", MIDDLE, None, None, "Chess club", "M2"),  # neither course nor session
]


def _staff(row: int, key: str, first: str, last: str) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": key,
        "staff_id": f"T{row}",
        "first_name": first,
        "last_surname": last,
        "work_email": f"{key}@larkspur.example",
        "classification": "Teacher",
        "birth_date": "1980-05-01",
    }


STAFF: Rows = [
    _staff(MS_ADLER, "adler", "Ruth", "Adler"),
    _staff(MR_BERG, "berg", "Omar", "Berg"),
    _staff(MS_COLE, "cole", "Jun", "Cole"),
    _staff(MS_DUNN, "dunn", "Ada", "Dunn"),
]


def _teaches(row: int, staff: int, section: int, position: str = "Teacher of Record") -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"teaches-{row}",
        "staff": staff,
        "section": section,
        "classroom_position": position,
        "begin_date": "2026-08-17",
    }


ASSOCIATIONS: Rows = [
    _teaches(1, MS_ADLER, ELM_ENGLISH),
    _teaches(2, MS_ADLER, ELM_ENGLISH_LAST_YEAR),
    _teaches(3, MR_BERG, ELM_MATH),
    _teaches(4, MR_BERG, MIDDLE_MATH),
    _teaches(5, MS_COLE, MIDDLE_MATH, "Support Teacher"),
    _teaches(6, MS_COLE, OAK_ENGLISH),
]


def _student(row: int, first: str, last: str, born: str, **more: object) -> Mapping[str, object]:
    key = first.lower()
    return {
        "row": row,
        "source_key": key,
        "student_unique_id": f"6000000{row:02}",
        "local_id": f"L{row}",
        "first_name": first,
        "last_surname": last,
        "birth_date": born,
        "email": f"{key}@pupils.larkspur.example",
        **more,
    }


STUDENTS: Rows = [
    _student(ANA, "Ana", "García", "2015-11-02", ssn="987-65-4320", home_language="spa", english_learner=True),
    _student(LEO, "Leo", "García", "2014-09-30", home_language="spa", middle_name="Tomás"),
    _student(TESS, "Tess", "O'Hara", "2015-12-24", telephone="512-555-0103"),
    _student(KIM, "Kim", "Nguyễn", "2015-10-15", races='["Asian"]', hispanic_latino_ethnicity=False),
    _student(MAX, "Max", "Huber", "2015-08-08"),
    _student(IVY, "Ivy", "Stone", "2015-07-01", directory_information_block=True, address_street="1 Hidden Lane"),
    _student(GUS, "Gus", "Pratt", "2014-03-03"),
    _student(NIA, "Nia", "Okafor", "2016-01-20"),
    _student(PAT, "Pat", "Lee", "2013-05-05", homeless_status=True),
    _student(ZED, "Zed", "Zimmer", "2015-06-06"),
]


def _enrolled(
    row: int, student: int, school: int, grade: str, entry: str, left: str | None = None, how: str | None = None
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"enrolled-{row}",
        "student": student,
        "school": school,
        "grade_level": grade,
        "entry_date": entry,
        "exit_date": left,
        "exit_type": how,
    }


SCHOOL_ENROLLMENTS: Rows = [
    _enrolled(1, ANA, ELM, "04", "2025-08-18", "2026-06-05", "End of year"),
    _enrolled(2, ANA, ELM, "05", "2026-08-17"),
    _enrolled(3, LEO, ELM, "05", "2025-08-18", "2026-06-05", "End of year"),
    _enrolled(4, LEO, MIDDLE, "06", "2026-08-17"),
    _enrolled(5, TESS, ELM, "05", "2026-08-17", "2026-09-30", "Transferred"),
    _enrolled(6, TESS, OAK, "05", "2026-10-01"),
    _enrolled(7, KIM, OAK, "04", "2026-08-17", "2026-09-14", "Promoted"),
    _enrolled(8, KIM, OAK, "05", "2026-09-15"),
    _enrolled(9, MAX, ELM, "05", "2026-08-17"),
    _enrolled(10, IVY, OAK, "05", "2026-08-17"),
    _enrolled(11, GUS, OAK, "05", "2025-08-18", "2026-06-05", "Moved away"),
    _enrolled(12, NIA, ELM, "05", "2026-11-02"),
    _enrolled(13, PAT, MIDDLE, "07", "2026-08-17", "2026-10-15", "Moved away"),
]


def _attends(row: int, student: int, section: int, begin: str, end: str | None = None) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"attends-{row}",
        "student": student,
        "section": section,
        "begin_date": begin,
        "end_date": end,
        "homeroom": section in {ELM_ENGLISH, OAK_ENGLISH},
    }


SECTION_ENROLLMENTS: Rows = [
    _attends(1, ANA, ELM_ENGLISH_LAST_YEAR, "2025-08-18", "2026-06-05"),
    _attends(2, ANA, ELM_ENGLISH, "2026-08-17"),
    _attends(3, ANA, ELM_MATH, "2026-08-17"),
    _attends(4, LEO, MIDDLE_MATH, "2026-08-17"),
    _attends(5, LEO, CLUB, "2026-09-01"),
    _attends(6, TESS, ELM_ENGLISH, "2026-08-17", "2026-09-30"),
    _attends(7, TESS, OAK_ENGLISH, "2026-10-01"),
    _attends(8, KIM, OAK_MATH, "2026-08-17"),
    _attends(9, MAX, ELM_ENGLISH, "2026-08-17"),
    _attends(10, IVY, OAK_ENGLISH, "2026-08-17"),
    _attends(11, PAT, MIDDLE_MATH, "2026-08-17", "2026-10-15"),
]


def _earned(
    row: int, attends: int | None, student: int, section: int, period: int | None, number: float | None, letter: str
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"earned-{row}",
        "student": student,
        "section": section,
        "section_enrollment": attends,
        "grading_period": period,
        "numeric_grade_earned": number,
        "letter_grade_earned": letter,
        "grade_type": "Grading Period",
    }


GRADES: Rows = [
    _earned(1, 1, ANA, ELM_ENGLISH_LAST_YEAR, SPRING_QUARTER, 88.0, "B"),
    _earned(2, 2, ANA, ELM_ENGLISH, FIRST_QUARTER, 91.5, "A"),
    _earned(3, 3, ANA, ELM_MATH, FIRST_QUARTER, 79.0, "C"),
    _earned(4, 4, LEO, MIDDLE_MATH, FIRST_QUARTER, 95.0, "A"),
    _earned(5, 4, LEO, MIDDLE_MATH, SECOND_QUARTER, None, "B"),
    _earned(6, 6, TESS, ELM_ENGLISH, FIRST_QUARTER, 84.0, "B"),
    _earned(7, 8, KIM, OAK_MATH, FIRST_QUARTER, 100.0, "A"),
    _earned(8, 9, MAX, ELM_ENGLISH, FIRST_QUARTER, 70.0, "C"),
    _earned(9, 10, IVY, OAK_ENGLISH, None, 93.0, "A"),
    _earned(10, None, GUS, OAK_ENGLISH, SPRING_QUARTER, 61.0, "D"),  # of a section that he is no longer enrolled in
]


def _contact(row: int, person: str, student: int, last: str, what: str, **more: object) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"contact-{row}",
        "student": student,
        "contact_id": person,
        "first_name": person.capitalize(),
        "last_surname": last,
        "email": f"{person}@families.larkspur.example",
        "telephone": f"512-555-{row:04}",
        "relationship": what,
        **more,
    }


CONTACTS: Rows = [
    _contact(1, "rosa", ANA, "García", "Mother", legal_guardian=True, lives_with=True),
    _contact(2, "rosa", LEO, "García", "Mother", legal_guardian=True, lives_with=True),
    _contact(3, "raúl", LEO, "García", "Uncle", legal_guardian=False, restrictions="No contact, by order of the court"),
    _contact(4, "fay", TESS, "O'Hara", "Mother", lives_with=True),
    _contact(5, "uwe", MAX, "Huber", "Father"),
    _contact(6, "joan", IVY, "Stone", "Grandmother"),
    _contact(7, "lou", GUS, "Pratt", "Father"),
    _contact(8, "zoe", ZED, "Zimmer", "Mother"),
]


def _missed(
    row: int, student: int, school: int | None, section: int | None, day: str | None, status: str
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"missed-{row}",
        "student": student,
        "school": school,
        "section": section,
        "event_date": day,
        "status": status,
        "reason": "Ill" if row % 2 else None,
    }


ATTENDANCE: Rows = [
    _missed(1, TESS, ELM, None, "2026-09-10", "Excused Absence"),  # at the school that she has left
    _missed(2, TESS, OAK, None, "2026-10-05", "Tardy"),
    _missed(3, TESS, None, ELM_ENGLISH, "2026-09-21", "Tardy"),
    _missed(4, ANA, ELM, None, "2026-03-02", "Excused Absence"),  # last school year
    _missed(5, ANA, ELM, ELM_MATH, "2026-09-22", "Unexcused Absence"),
    _missed(6, LEO, MIDDLE, MIDDLE_MATH, "2026-10-01", "Tardy"),
    _missed(7, KIM, None, None, "2026-09-18", "Excused Absence"),  # of no school and no section
    _missed(8, MAX, ELM, None, "2026-09-30", "Excused Absence"),
    _missed(9, GUS, OAK, None, "2026-02-11", "Unexcused Absence"),
    _missed(10, LEO, MIDDLE, CLUB, None, "Tardy"),  # without a day
    _missed(11, ZED, None, None, "2026-09-09", "Excused Absence"),
]


def _takes_part(
    row: int, student: int, school: int | None, kind: str, begin: str | None, end: str | None = None
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"program-{row}",
        "student": student,
        "school": school,
        "program_type": kind,
        "begin_date": begin,
        "end_date": end,
    }


PROGRAMS: Rows = [
    _takes_part(1, ANA, ELM, "Bilingual", "2025-08-18"),
    _takes_part(2, LEO, None, "Section 504", "2025-08-18", "2026-06-05"),  # over since last school year
    _takes_part(3, TESS, ELM, "Title I", "2026-08-17", "2026-09-30"),
    _takes_part(4, PAT, MIDDLE, "Homeless", "2026-09-01"),
    _takes_part(5, KIM, None, "Gifted and Talented", None),
    _takes_part(6, ZED, None, "Title I", "2026-08-17"),
]


def _happened(row: int, school: int | None, day: str, what: str) -> Mapping[str, object]:
    return {"row": row, "source_key": f"incident-{row}", "school": school, "incident_date": day, "behavior": what}


INCIDENTS: Rows = [
    _happened(FIGHT, ELM, "2026-09-15", "Fighting"),
    _happened(PRANK, MIDDLE, "2026-10-02", "Disruption"),
    _happened(LAST_YEARS, OAK, "2026-03-10", "Truancy"),
    _happened(BUS, None, "2026-09-28", "Disruption"),
    _happened(BROKEN_WINDOW, ELM, "2026-10-06", "Vandalism"),  # nobody was disciplined for it
]


def _disciplined(
    row: int, student: int, school: int | None, incident: int | None, what: str, day: str | None
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"action-{row}",
        "student": student,
        "school": school,
        "discipline_incident": incident,
        "action_taken": what,
        "start_date": day,
    }


ACTIONS: Rows = [
    _disciplined(1, ANA, ELM, FIGHT, "Detention", "2026-09-16"),
    _disciplined(2, TESS, ELM, FIGHT, "Suspension", "2026-09-16"),
    _disciplined(3, LEO, MIDDLE, PRANK, "Detention", "2026-10-05"),
    _disciplined(4, PAT, MIDDLE, PRANK, "Detention", "2026-10-05"),
    _disciplined(5, GUS, OAK, LAST_YEARS, "Conference", "2026-03-12"),
    _disciplined(6, KIM, None, BUS, "Conference", "2026-09-29"),
    _disciplined(7, MAX, None, FIGHT, "Conference", "2026-09-16"),  # its school is that of the fight
    _disciplined(8, TESS, OAK, None, "Warning", None),  # for no incident on record, and without a day
]


def _stands(
    row: int, student: int, school: int | None, session: int | None, gpa: float | None, credits_: float
) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"record-{row}",
        "student": student,
        "school": school,
        "session": session,
        "cumulative_gpa": gpa,
        "credits_earned": credits_,
    }


ACADEMIC_RECORDS: Rows = [
    _stands(1, ANA, ELM, LAST_YEAR, 3.4, 4.0),
    _stands(2, ANA, ELM, THIS_YEAR, 3.5, 5.5),
    _stands(3, LEO, ELM, LAST_YEAR, 2.9, 5.0),
    _stands(4, LEO, MIDDLE, FALL, None, 6.0),
    _stands(5, TESS, ELM, THIS_YEAR, 3.1, 5.0),
    _stands(6, KIM, None, None, 3.9, 5.0),  # of no school, and of no session
    _stands(7, GUS, OAK, LAST_YEAR, 1.8, 4.5),
]


def _worked(row: int, attends: int | None, student: int, section: int, points: float | None) -> Mapping[str, object]:
    return {
        "row": row,
        "source_key": f"work-{row}",
        "student": student,
        "section": section,
        "section_enrollment": attends,
        "points_earned": points,
    }


GRADEBOOK: Rows = [
    _worked(1, 2, ANA, ELM_ENGLISH, 9.5),
    _worked(2, 3, ANA, ELM_MATH, 7.0),
    _worked(3, 4, LEO, MIDDLE_MATH, 10.0),
    _worked(4, 6, TESS, ELM_ENGLISH, 8.0),
    _worked(5, 7, TESS, OAK_ENGLISH, 0.0),
    _worked(6, 9, MAX, ELM_ENGLISH, None),
    _worked(7, 1, ANA, ELM_ENGLISH_LAST_YEAR, 6.0),
    _worked(8, None, GUS, OAK_ENGLISH, 5.0),
]

WORLD: Mapping[str, Rows] = {
    "District": DISTRICTS,
    "School": SCHOOLS,
    "Session": SESSIONS,
    "GradingPeriod": GRADING_PERIODS,
    "Course": COURSES,
    "Section": SECTIONS,
    "Staff": STAFF,
    "StaffSectionAssociation": ASSOCIATIONS,
    "Student": STUDENTS,
    "SchoolEnrollment": SCHOOL_ENROLLMENTS,
    "SectionEnrollment": SECTION_ENROLLMENTS,
    "Grade": GRADES,
    "Contact": CONTACTS,
    "AttendanceEvent": ATTENDANCE,
    "ProgramParticipation": PROGRAMS,
    "DisciplineIncident": INCIDENTS,
    "DisciplineAction": ACTIONS,
    "AcademicRecord": ACADEMIC_RECORDS,
    "StudentGradebookEntry": GRADEBOOK,
}


OptOuts = Mapping[int, str]
"""By student, the client of which a family opted out; "" is every vendor."""


async def build(engine: AsyncEngine, opt_outs: OptOuts | None = None) -> None:
    """Make the tables of a space where they are missing, and store the world in them; the opt-outs only if given."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for name, table in BY_TYPE.items():
            empty = dict.fromkeys(table.columns.keys())
            await connection.execute(table.insert(), [empty | dict(row) for row in WORLD[name]])
        for student, client in (opt_outs or {}).items():
            key = STUDENTS[student - 1]["source_key"]
            await connection.execute(opt_out.insert().values(student_key=key, client=client, at=TODAY.isoformat()))
        if engine.dialect.name == "postgresql":
            await _number_on(connection)


async def _number_on(connection: AsyncConnection) -> None:
    """Let PostgreSQL number the next records after these, whose numbers were written out; SQLite does so by itself."""
    for table in BY_TYPE.values():
        await connection.execute(
            text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'row'), (SELECT max(row) FROM {table.name}))")
        )
