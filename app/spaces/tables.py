"""The tables of a space: one for each type of the graph, the same on SQLite and PostgreSQL.

Shape: a column bears the field's name in snake case, so that a coordinate names its column (`Student.birthDate`
is `student.birth_date`). `row` is the row number, never reused; `source_key` the district's own key; a column
that bears another table's name holds that table's row number. Dates are ISO 8601 text (passed on unparsed, and
ordered as text), lists are JSON text. Every field may be absent: a district stores only what it chooses.
"""

from sqlalchemy import Boolean, Column, Float, Identity, Integer, String, Table

from app.spaces.columns import ROW, day, entity, listed, metadata, text, to

district = entity("district", text("name_of_institution"))

school = entity(
    "school",
    to("district"),
    text("name_of_institution"),
    text("school_level"),
    listed("grades_offered"),
)

session = entity(
    "session",
    to("district"),
    to("school"),  # absent: the session is the whole district's
    Column("school_year", Integer),  # the year in which it ends: 2027 is 2026-27
    text("name"),
    text("type"),
    day("begin_date"),
    day("end_date"),
)

grading_period = entity(
    "grading_period",
    to("session"),
    text("name"),
    day("begin_date"),
    day("end_date"),
)

course = entity(
    "course",
    to("school"),  # absent: the course is the whole district's
    text("course_identifier"),
    text("title"),
    text("subject"),
    text("sced_code"),
    listed("level_characteristic"),
)

section = entity(
    "section",
    to("school"),
    to("course"),
    to("session"),
    text("title"),  # absent: the graph falls back to the course's title
    text("local_course_code"),
    listed("period"),
    text("room"),
)

staff = entity(
    "staff",
    text("staff_id"),
    text("first_name"),
    text("last_surname"),
    text("work_email"),
    text("classification"),
    day("birth_date"),
)

staff_section_association = entity(
    "staff_section_association",
    to("staff"),
    to("section"),
    text("classroom_position"),
    day("begin_date"),
    day("end_date"),
)

student = entity(
    "student",
    text("student_unique_id"),
    text("local_id"),
    text("identification_system"),
    text("ssn"),  # filled only where the district's policy says `ssn = "store"`
    text("login_id"),
    text("first_name"),
    text("middle_name"),
    text("last_surname"),
    text("preferred_first_name"),
    day("birth_date"),
    text("sex"),
    text("gender_identity"),
    Column("hispanic_latino_ethnicity", Boolean),
    listed("races"),
    text("home_language"),
    text("email"),
    text("telephone"),
    text("address_street"),
    text("address_city"),
    text("address_postal_code"),
    text("photo_url"),
    Column("directory_information_block", Boolean),
    Column("english_learner", Boolean),
    Column("economic_disadvantage", Boolean),
    text("school_food_service_eligibility"),
    Column("homeless_status", Boolean),
    Column("migrant_status", Boolean),
    Column("idea_indicator", Boolean),
    text("primary_disability_type"),
    Column("section504_status", Boolean),
)

school_enrollment = entity(
    "school_enrollment",
    to("student"),
    to("school"),
    day("entry_date"),
    day("exit_date"),  # the last day, inclusive; absent: still enrolled
    text("exit_type"),
    text("grade_level"),
    text("enrollment_status"),
    Column("graduation_cohort_year", Integer),
)

section_enrollment = entity(
    "section_enrollment",
    to("student"),
    to("section"),
    day("begin_date"),
    day("end_date"),
    Column("homeroom", Boolean),
)

grade = entity(
    "grade",
    to("student"),
    to("section"),
    to("section_enrollment"),  # the one that it was earned in: the latest of that student in that section
    to("grading_period"),
    text("letter_grade_earned"),
    Column("numeric_grade_earned", Float),
    text("grade_type"),
    text("narrative"),
)

contact = entity(
    "contact",
    to("student"),  # one record for each student whose contact a person is
    text("contact_id"),  # the district's own key of the person
    text("first_name"),
    text("last_surname"),
    text("email"),
    text("telephone"),
    text("relationship"),
    Column("legal_guardian", Boolean),
    Column("lives_with", Boolean),
    text("restrictions"),
)

attendance_event = entity(
    "attendance_event",
    to("student"),
    to("school"),  # absent: the event names none, or names a section alone
    to("section"),  # absent: the event is of a whole day
    day("event_date"),
    text("status"),
    text("reason"),
)

program_participation = entity(
    "program_participation",
    to("student"),
    to("school"),  # absent: the program is the whole district's
    text("program_type"),
    day("begin_date"),
    day("end_date"),
)

discipline_incident = entity(
    "discipline_incident",
    to("school"),
    day("incident_date"),
    text("behavior"),
)

discipline_action = entity(
    "discipline_action",
    to("student"),
    to("school"),
    to("discipline_incident"),
    text("action_taken"),
    day("start_date"),
)

academic_record = entity(
    "academic_record",
    to("student"),
    to("school"),
    to("session"),
    Column("cumulative_gpa", Float),
    Column("credits_earned", Float),
)

student_gradebook_entry = entity(
    "student_gradebook_entry",
    to("student"),
    to("section"),
    to("section_enrollment"),  # as of a grade
    Column("points_earned", Float),
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

opt_out = Table(
    "opt_out",
    metadata,
    # By the district's own key, so that it outlives its student's record and holds for one who comes back.
    Column("student_key", String, primary_key=True),
    Column("client", String, primary_key=True),  # the client_id, or one of the words in app.names
    Column("at", String, nullable=False),  # the day on which it was recorded
)

erased = Table(
    "erased",
    metadata,
    # Students whose records had to go, by a keyed hash of each key that the district knew them by; never the key.
    Column("key_hash", String, primary_key=True),
    Column("student", ROW, primary_key=True, autoincrement=False),  # the row number, which the ledger goes on naming
    Column("at", String, nullable=False),
    Column("kept_out", Boolean, nullable=False),  # whether imports leave the student out
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
    "Contact": contact,
    "AttendanceEvent": attendance_event,
    "ProgramParticipation": program_participation,
    "DisciplineIncident": discipline_incident,
    "DisciplineAction": discipline_action,
    "AcademicRecord": academic_record,
    "StudentGradebookEntry": student_gradebook_entry,
}
"""Every stored type of the graph with its table, in an order in which parents come before children."""
