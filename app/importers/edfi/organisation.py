"""Districts, schools, the calendar, courses and the timetable."""

from app.importers.edfi.context import Context, Period, cell, timetable_key
from app.importers.edfi.xml import Element
from app.importers.values import CellError, grade_level, iso_date, joined, json_list, key, school_year, text
from app.spaces.staging import Part

DISTRICT = Part("district", "District", ("name_of_institution",), key="StateOrganizationId", whole=True)
SCHOOL = Part(
    "school",
    "School",
    ("name_of_institution", "school_level", "grades_offered"),
    {"district": "LocalEducationAgencyReference"},
    key="StateOrganizationId",
    whole=True,
)
SESSION = Part(
    "session",
    "Session",
    ("school_year", "name", "type", "begin_date", "end_date"),
    {"district": "EducationOrganizationReference", "school": "EducationOrganizationReference"},
    key="EducationOrganizationReference",
    whole=True,
)
PERIOD = Part(
    "grading_period",
    "GradingPeriod",
    ("name", "begin_date", "end_date"),
    {"session": "GradingPeriodReference"},
    key="GradingPeriod",
    whole=True,
)
COURSE = Part(
    "course",
    "Course",
    ("course_identifier", "title", "subject", "sced_code", "level_characteristic"),
    {"school": "EducationOrganizationReference"},
    key="CourseCode",
    whole=True,
)
SECTION = Part(
    "section",
    "Section",
    ("title", "local_course_code", "period", "room"),
    {"school": "SchoolReference", "course": "CourseOfferingReference", "session": "CourseOfferingReference"},
    key="CourseOfferingReference",
    whole=True,
)

_TERMS = (
    ("summer", "SUMMER_TERM"),
    ("quinmester", "QUINMESTER"),
    ("trimester", "TRIMESTER"),
    ("semester", "SEMESTER"),
    ("quarter", "QUARTER"),
    ("mini", "MINI_TERM"),
    ("intersession", "INTERSESSION"),
    ("year round", "FULL_SCHOOL_YEAR"),
    ("full", "FULL_SCHOOL_YEAR"),
)


def session_type(term: str | None) -> str | None:
    """The CEDS session type (000254) of an Ed-Fi term."""
    if term is None:
        return None
    return next((name for word, name in _TERMS if word in term.lower()), "OTHER")


def district(context: Context, file: str, element: Element) -> None:
    """A `LocalEducationAgency`."""

    def identity(one: Element) -> str | None:
        found = context.remember(one, cell(one, key, "StateOrganizationId"))
        if found is not None:
            context.districts.add(found)
        return found

    context.take(
        DISTRICT, file, element, identity, lambda one, _: {"name_of_institution": cell(one, text, "NameOfInstitution")}
    )


def school(context: Context, file: str, element: Element) -> None:
    """A `School`."""

    def identity(one: Element) -> str | None:
        return context.remember(one, cell(one, key, "StateOrganizationId"))

    def values(one: Element, _: str) -> dict[str, object]:
        return {
            "name_of_institution": cell(one, text, "NameOfInstitution"),
            "school_level": cell(one, text, "SchoolCategories", "SchoolCategory"),
            "grades_offered": json_list(map(grade_level, one.texts("GradesOffered", "GradeLevel"))),
            "district": context.organisation(one, "LocalEducationAgencyReference"),
        }

    context.take(SCHOOL, file, element, identity, values)


def place(context: Context, _file: str, element: Element) -> None:
    """A `ClassPeriod` or a `Location`: only its name matters, and who refers to it by id."""
    context.remember(element, text(element.text("ClassPeriodName") or element.text("ClassroomIdentificationCode")))


def program(context: Context, _file: str, element: Element) -> None:
    """A `Program`: only its type matters, and who refers to it by id."""
    if name := element.attributes.get("id"):
        context.programs[name] = cell(element, text, "ProgramType")


def session(context: Context, file: str, element: Element) -> None:
    """A `Session`: of a school, or of the whole district."""

    def identity(one: Element) -> str | None:
        home = context.organisation(one, "EducationOrganizationReference", "SchoolReference")
        found = joined(home, cell(one, text, "SchoolYear"), cell(one, text, "Term"))
        if found is not None:
            context.sessions.append((file, one, found, home))
            context.homes[found] = home
        return context.remember(one, found)

    def values(one: Element, _: str) -> dict[str, object]:
        home = context.organisation(one, "EducationOrganizationReference", "SchoolReference")
        everyone = home in context.districts
        only = next(iter(context.districts)) if len(context.districts) == 1 else None
        return {
            "school_year": cell(one, school_year, "SchoolYear"),
            "name": cell(one, text, "SessionName"),
            "type": session_type(cell(one, text, "Term")),
            "begin_date": cell(one, iso_date, "BeginDate"),
            "end_date": cell(one, iso_date, "EndDate"),
            "district": home if everyone else only,
            "school": None if everyone else home,
        }

    context.take(SESSION, file, element, identity, values)


def grading_period(context: Context, file: str, element: Element) -> None:
    """A `GradingPeriod`: kept until the sessions that it belongs to are known."""
    try:
        period = Period(
            file,
            element.line,
            cell(element, text, "GradingPeriod"),
            cell(element, iso_date, "BeginDate"),
            cell(element, iso_date, "EndDate"),
        )
        name = element.attributes.get("id") or period.name
        if name is None or period.name is None:
            raise CellError("The grading period has no name.", "GradingPeriod")
        context.periods[name] = period
    except CellError as bad:
        context.sink.report.count("GradingPeriod")
        context.sink.reject(PERIOD, file, element.line, None, bad, element.name)


def settle_grading_periods(context: Context) -> None:
    """Give every session its own grading periods: a grade names them by school, school year and name."""
    claimed: set[str] = set()
    used: set[str | None] = set()
    stored: set[tuple[str, int]] = set()
    for file, one, session_key, home in context.sessions:
        year = text(one.text("SchoolYear"))
        for reference in one.all("GradingPeriodReference"):
            name = (
                reference.attributes.get("ref") or text(reference.text("GradingPeriodIdentity", "GradingPeriod")) or ""
            )
            period = context.periods.get(name) or next((p for p in context.periods.values() if p.name == name), None)
            if period is None:
                reason = "There is no such grading period; the reference was left out."
                context.sink.report.note(file, reference.line, "GradingPeriodReference", reason)
                continue
            used.add(period.name)
            found = joined(home, year, period.name)
            if found is None or found in claimed:
                continue
            claimed.add(found)
            context.sink.report.count("GradingPeriod")
            values: dict[str, object] = {
                "name": period.name,
                "begin_date": period.begin_date,
                "end_date": period.end_date,
                "session": session_key,
            }
            kind = None if (period.file, period.line) in stored else "GradingPeriod"
            stored.add((period.file, period.line))
            context.sink.add(PERIOD, period.file, period.line, found, values, kind)
    for period in context.periods.values():
        if (period.file, period.line) not in stored:
            unused = "No session has this grading period; it was left out."
            twice = "Another grading period has the same name and the same sessions; this one was left out."
            reason = twice if period.name in used else unused
            context.sink.report.note(period.file, period.line, "GradingPeriod", reason)
            context.sink.report.leave_out(period.file, "GradingPeriod", reason)


def course(context: Context, file: str, element: Element) -> None:
    """A `Course`."""

    def identity(one: Element) -> str | None:
        home = context.organisation(one, "EducationOrganizationReference", "SchoolReference")
        code = cell(one, text, "CourseCode", "ID")
        if home is not None and code is not None:
            context.courses.setdefault(code, []).append(home)
        return context.remember(one, joined(home, code))

    def values(one: Element, _: str) -> dict[str, object]:
        home = context.organisation(one, "EducationOrganizationReference", "SchoolReference")
        codes = {code.attributes.get("IdentificationSystem", ""): code for code in one.all("CourseCode")}
        sced = next(
            (code for system, code in codes.items() if "sced" in system.lower() or "nces" in system.lower()), None
        )
        return {
            "course_identifier": cell(one, text, "CourseCode", "ID"),
            "title": cell(one, text, "CourseTitle"),
            "subject": cell(one, text, "SubjectArea"),
            "sced_code": cell(sced, text, "ID") if sced is not None else None,
            "level_characteristic": json_list(
                map(text, one.texts("CourseLevelCharacteristics", "CourseLevelCharacteristic"))
            ),
            "school": None if home in context.districts else home,
        }

    context.take(COURSE, file, element, identity, values)


def course_offering(context: Context, file: str, element: Element) -> None:
    """A `CourseOffering`: which course a school offers under which local code."""
    home = context.organisation(element, "SchoolReference")
    local = cell(element, text, "LocalCourseCode")
    reference = element.find("CourseReference") or Element("", {}, 0)
    identity = element.find("SessionReference", "SessionIdentity") or Element("", {}, 0)
    found = joined(home, cell(identity, text, "SchoolYear"), cell(identity, text, "Term"), local)
    code = cell(reference, text, "CourseIdentity", "CourseCode", "ID")
    taught = context.ids.get(reference.attributes.get("ref", "")) or context.course(code, home)
    if found is None or taught is None:
        context.pass_over(file, element, "CourseReference", "The offering names no session, or no course.")
    else:
        context.offerings[found] = taught


def section(context: Context, file: str, element: Element) -> None:
    """A `Section` of the timetable."""

    def parts(one: Element) -> tuple[str | None, ...]:
        offering = one.find("CourseOfferingReference", "CourseOfferingIdentity") or one
        return (
            context.organisation(one, "SchoolReference"),
            cell(offering, text, "LocalCourseCode"),
            cell(offering, text, "SchoolYear"),
            cell(offering, text, "Term"),
            named(one, "ClassPeriodReference", "ClassPeriodIdentity", "ClassPeriodName"),
            named(one, "LocationReference", "LocationIdentity", "ClassroomIdentificationCode"),
        )

    def named(one: Element, name: str, identity: str, leaf: str) -> str | None:
        reference = one.find(name)
        if reference is None:
            return None
        return context.ids.get(reference.attributes.get("ref", "")) or cell(reference, text, identity, leaf)

    def values(one: Element, _: str) -> dict[str, object]:
        home, local, year, term, period, room = parts(one)
        return {
            "title": cell(one, text, "SectionName"),
            "local_course_code": local,
            "period": json_list([period]),
            "room": room,
            "school": home,
            "course": context.offerings.get(joined(home, year, term, local) or "") or context.course(local, home),
            "session": joined(home, year, term),
        }

    context.take(SECTION, file, element, lambda one: context.remember(one, timetable_key(*parts(one))), values)
