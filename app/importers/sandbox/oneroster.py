"""Write a district as OneRoster 1.2 CSV in bulk form. Spec: 1EdTech OneRoster 1.2 CSV Binding.

OneRoster has no attendance, programs, discipline or transcripts: this district's are left out of its files.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from app.importers.sandbox.calendar import Period, Term
from app.importers.sandbox.daily import works
from app.importers.sandbox.district import District
from app.importers.sandbox.people import Parent, Student
from app.importers.sandbox.records import Section

Cells = Iterable[object]

HEADERS = {
    "academicSessions": "title,type,startDate,endDate,parentSourcedId,schoolYear",
    "categories": "title,weight",
    "classes": "title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,"
    "subjectCodes,periods",
    "courses": "schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
    "demographics": "birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
    "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,"
    "countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus",
    "enrollments": "classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
    "lineItems": "title,description,assignDate,dueDate,classSourcedId,categorySourcedId,gradingPeriodSourcedId,"
    "resultValueMin,resultValueMax,schoolSourcedId",
    "orgs": "name,type,identifier,parentSourcedId",
    "results": "lineItemSourcedId,studentSourcedId,scoreStatus,score,textScore,scoreDate,comment",
    "roles": "userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
    "users": "enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,"
    "grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns,metadata.relationship",
}
ABSENT = (
    "classResources",
    "courseResources",
    "lineItemLearningObjectiveIds",
    "lineItemScoreScales",
    "resources",
    "resultLearningObjectiveIds",
    "resultScoreScales",
    "scoreScales",
    "userProfiles",
    "userResources",
)
RACE_COLUMNS = ("native", "asian", "black", "pacific", "white", "two")
ROLES = {
    "Principal": "principal",
    "Counselor": "counselor",
    "Teacher": "teacher",
    "Support Services Staff": "aide",
}


def write(district: District, folder: Path) -> None:
    """Write the whole district into a folder, one file for each kind of record and a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    records = {
        "academicSessions": _sessions(district),
        "categories": _categories(district),
        "classes": _classes(district),
        "courses": _courses(district),
        "demographics": _demographics(district),
        "enrollments": _enrollments(district),
        "lineItems": _line_items(district),
        "orgs": _orgs(district),
        "results": _results(district),
        "roles": _roles(district),
        "users": _users(district),
    }
    for name, rows in records.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["sourcedId", "status", "dateLastModified", *HEADERS[name].split(",")])
            # In bulk form status and dateLastModified are empty.
            writer.writerows((key, "", "", *cells) for key, *cells in rows)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["propertyName", "value"])
        writer.writerows([("manifest.version", "1.0"), ("oneroster.version", "1.2")])
        writer.writerows((f"file.{name}", "bulk") for name in sorted(records))
        writer.writerows((f"file.{name}", "absent") for name in ABSENT)
        writer.writerows([("source.systemName", district.profile.name), ("source.systemCode", district.profile.key)])


def _orgs(district: District) -> Iterator[Cells]:
    profile = district.profile
    yield profile.key, profile.name, "district", profile.key, ""
    for school in profile.schools:
        yield school.key, school.name, "school", school.key, profile.key


def _sessions(district: District) -> Iterator[Cells]:
    for year in district.years:
        parent = f"year-{year.year}"
        yield parent, year.span, "schoolYear", year.begin, year.end, "", year.year
        for term in year.terms:
            yield _term(term), f"{term.name} {year.span}", "semester", term.begin, term.end, parent, year.year
            for period in term.periods:
                yield _period(period), period.name, "gradingPeriod", period.begin, period.end, _term(term), year.year


def _courses(district: District) -> Iterator[Cells]:
    for course in district.courses:
        yield (
            course.code,
            "",
            course.title,
            course.code,
            course.grade,
            course.school.key,
            course.subject.name,
            course.sced,
        )


def _classes(district: District) -> Iterator[Cells]:
    for section in district.sections:
        course = section.course
        title = f"{course.title}, period {section.period}"
        places = (
            section.room,
            course.school.key,
            _term(section.term),
            course.subject.name,
            course.sced,
            section.period,
        )
        yield _class(section), title, course.grade, course.code, course.code, "scheduled", *places


def _users(district: District) -> Iterator[Cells]:
    latest = {placement.student.number: placement for placement in district.placements}
    for student in district.students:
        now = latest.get(student.number)
        yield (
            f"s{student.key}",
            "true" if student.grade else "false",
            student.login,
            f"{{Local:{student.number:05d}}}",
            student.first,
            student.last,
            student.middle,
            student.key,
            student.email,
            "",
            student.telephone,
            ",".join(f"p{parent.key}" for parent in student.parents),
            now and now.grade,
            *("", "", ""),
            student.preferred,
            *("", ""),
            now and now.school.key,
            "",
            "",
        )
    for parent, children in _parents(district).values():
        login = parent.email.partition("@")[0]
        cells = ("true", login, "", parent.first, parent.last, "", "", parent.email, "", parent.telephone)
        agents = ",".join(f"s{child.key}" for child in children)
        yield f"p{parent.key}", *cells, agents, *[""] * 9, parent.relation
    for member in district.staff:
        login = member.email.partition("@")[0]
        name = (member.first, member.last, "", member.key, member.email)
        yield f"t{member.key}", "true", login, "", *name, *[""] * 10, member.school, "", ""


def _roles(district: District) -> Iterator[Cells]:
    for number, placement in enumerate(district.placements):
        kind = "primary" if placement.exit is None else "secondary"
        who, dates = f"s{placement.student.key}", (placement.entry, placement.exit)
        yield f"r{number}", who, kind, "student", *dates, placement.school.key, ""
    for member in district.staff:
        role = ROLES[member.classification]
        yield f"rt{member.key}", f"t{member.key}", "primary", role, "", "", member.school, ""
    for parent, _ in _parents(district).values():
        role = "guardian" if parent.relation == "Grandmother" else "parent"
        yield f"rp{parent.key}", f"p{parent.key}", "primary", role, "", "", district.profile.key, ""


def _parents(district: District) -> dict[str, tuple[Parent, list[Student]]]:
    """Every parent once, each with their children."""
    found: dict[str, tuple[Parent, list[Student]]] = {}
    for student in district.students:
        for parent in student.parents:
            found.setdefault(parent.key, (parent, []))[1].append(student)
    return found


def _demographics(district: District) -> Iterator[Cells]:
    for student in district.students:
        races = [_truth(student.race == race) for race in RACE_COLUMNS]
        sex = "female" if student.female else "male"
        yield f"s{student.key}", student.born, sex, *races, _truth(student.hispanic), "", "", "", ""


def _enrollments(district: District) -> Iterator[Cells]:
    for section in district.sections:
        where, term = (_class(section), section.course.school.key), section.term
        for place, member in enumerate(section.teachers):
            key = f"{_class(section)}-t{member.key}"
            yield key, *where, f"t{member.key}", "teacher", _truth(place == 0), term.begin, term.end
        for student, begin, end in section.roster:
            yield f"{_class(section)}-s{student.key}-{begin:%m%d}", *where, f"s{student.key}", "student", "", begin, end


def _categories(district: District) -> Iterator[Cells]:
    for kind in sorted({kind for section in district.sections for kind, _ in district.slots(section)}):
        yield _word(kind), kind, ""
    for kind in sorted({work.kind for work in works(district)}):
        yield _word(kind), kind, ""


def _line_items(district: District) -> Iterator[Cells]:
    for section in district.sections:
        for kind, period in district.slots(section):
            dates = (period.begin, period.end)
            refs = (_class(section), _word(kind), _period(period), 0, 100, section.course.school.key)
            yield _line(section, kind, period), f"{kind}, {period.name}", "", *dates, *refs
    for work in works(district):
        refs = (
            _class(work.section),
            _word(work.kind),
            _period(work.period),
            0,
            work.full,
            work.section.course.school.key,
        )
        title = f"{work.kind}, {work.day:%B} {work.day.day}"
        yield _line(work.section, work.kind, work.period), title, "", work.period.begin, work.day, *refs


def _results(district: District) -> Iterator[Cells]:
    for mark in district.marks():
        line, comment = _line(mark.section, mark.kind, mark.period), ""
        if mark.number < 60:
            comment = "Needs help with the last unit."
        yield (
            f"{line}-s{mark.student.key}",
            line,
            f"s{mark.student.key}",
            "fully graded",
            mark.number,
            mark.letter,
            mark.period.end,
            comment,
        )
    for work in works(district):
        line = _line(work.section, work.kind, work.period)
        for student, points in work.points:
            yield f"{line}-s{student.key}", line, f"s{student.key}", "fully graded", points, "", work.day, ""


def _term(term: Term) -> str:
    return f"term-{term.year}-{_word(term.name.split()[0])}"


def _period(period: Period) -> str:
    return f"period-{_compact(period.begin)}"


def _class(section: Section) -> str:
    return f"c{section.term.year}-{section.number:05d}"


def _line(section: Section, kind: str, period: Period) -> str:
    return f"{_class(section)}-{_word(kind)}-{_compact(period.begin)}"


def _compact(day: date) -> str:
    return day.strftime("%Y%m%d")


def _word(text: str) -> str:
    return text.lower().replace(" ", "-")


def _truth(value: bool) -> str:
    return "true" if value else "false"
