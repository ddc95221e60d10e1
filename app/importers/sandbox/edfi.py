"""Write a district as Ed-Fi 1.0 XML in a zip, one interchange after another, element by element.

Shape: the elements that Ed-Fi's own Grand Bend sample uses. Sections have no number of their own in references: they
are named by school, course, year, semester, class period and room.
"""

import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from xml.sax.saxutils import escape

from app.importers.sandbox import edfi_daily
from app.importers.sandbox.district import District
from app.importers.sandbox.people import Student, Teacher
from app.importers.sandbox.records import Section
from app.importers.sandbox.references import (
    class_period,
    org,
    section_identity,
    span,
    staff_identity,
    student_identity,
    truth,
)
from app.importers.sandbox.vocabulary import EXIT_TYPES, GRADE_NAMES, RACES

EPOCH = (2013, 1, 1, 0, 0, 0)


def write(district: District, path: Path) -> None:
    """Write the whole district into a zip. The same district gives the same bytes."""
    interchanges = {
        "EducationOrganization": _organizations(district),
        "EducationOrgCalendar": _calendar(district),
        "MasterSchedule": _schedule(district),
        "StaffAssociation": _staff(district),
        "StudentParent": chain(_students(district), edfi_daily.parents(district)),
        "StudentEnrollment": _enrollments(district),
        "StudentGrade": chain(_grades(district), edfi_daily.transcripts(district), edfi_daily.gradebook(district)),
        "StudentAttendance": edfi_daily.attendance(district),
        "StudentProgram": edfi_daily.programs(district),
        "StudentDiscipline": edfi_daily.discipline(district),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, elements in interchanges.items():
            entry = zipfile.ZipInfo(f"{name}.xml", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                file.write(
                    f'<?xml version="1.0" encoding="UTF-8"?>\n<Interchange{name} xmlns="http://ed-fi.org/0100" '
                    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'.encode()
                )
                for batch in _batches(elements):
                    file.write(batch)
                file.write(f"</Interchange{name}>\n".encode())


def _batches(elements: Iterable[str], size: int = 500) -> Iterator[bytes]:
    batch: list[str] = []
    for element in elements:
        batch.append(element)
        if len(batch) == size:
            yield "".join(batch).encode()
            batch.clear()
    yield "".join(batch).encode()


def _organizations(district: District) -> Iterator[str]:
    profile = district.profile
    yield (
        f'<LocalEducationAgency id="LEAG_{profile.key}"><StateOrganizationId>{profile.key}</StateOrganizationId>'
        f'<EducationOrgIdentificationCode IdentificationSystem="SEA"><ID>{profile.key}</ID>'
        "</EducationOrgIdentificationCode>"
        f"<NameOfInstitution>{escape(profile.name)}</NameOfInstitution><OrganizationCategories>"
        "<OrganizationCategory>Local Education Agency</OrganizationCategory></OrganizationCategories>"
        "<LEACategory>Independent</LEACategory></LocalEducationAgency>\n"
    )
    for school in profile.schools:
        grades = "".join(f"<GradeLevel>{GRADE_NAMES[grade]}</GradeLevel>" for grade in school.grades)
        yield (
            f'<School id="SCOL_{school.key}"><StateOrganizationId>{school.key}</StateOrganizationId>'
            f"<NameOfInstitution>{escape(school.name)}</NameOfInstitution><OrganizationCategories><OrganizationCategory>School"
            "</OrganizationCategory></OrganizationCategories><OperationalStatus>Active</OperationalStatus>"
            f"<GradesOffered>{grades}</GradesOffered><SchoolCategories><SchoolCategory>{school.level}</SchoolCategory>"
            "</SchoolCategories><SchoolType>Regular</SchoolType>"
            f'<LocalEducationAgencyReference ref="LEAG_{profile.key}"/></School>\n'
        )
    for course in district.courses:
        yield (
            f'<Course id="CRSE_{course.school.key}{course.code}"><CourseTitle>{escape(course.title)}</CourseTitle>'
            f'<NumberOfParts>1</NumberOfParts><CourseCode IdentificationSystem="LEA course code"><ID>{course.code}</ID>'
            "</CourseCode><CourseLevelCharacteristics>"
            "<CourseLevelCharacteristic>Core Subject</CourseLevelCharacteristic>"
            f"</CourseLevelCharacteristics><SubjectArea>{escape(course.subject.name)}</SubjectArea>"
            f'<EducationOrganizationReference ref="SCOL_{course.school.key}"/></Course>\n'
        )


def _calendar(district: District) -> Iterator[str]:
    for year in district.years:
        for school in district.profile.schools:
            for term in year.terms:
                references = "".join(
                    f'<GradingPeriodReference ref="GRDP_{period.begin:%Y%m%d}"/>' for period in term.periods
                )
                yield (
                    f"<Session><SessionName>Traditional</SessionName><SchoolYear>{year.span}</SchoolYear>"
                    f"<Term>{term.name}</Term><BeginDate>{term.begin}</BeginDate><EndDate>{term.end}</EndDate>"
                    f"<TotalInstructionalDays>85</TotalInstructionalDays><EducationOrganizationReference>{org(school.key)}"
                    f"</EducationOrganizationReference>{references}</Session>\n"
                )
        for term in year.terms:
            for period in term.periods:
                yield (
                    f'<GradingPeriod id="GRDP_{period.begin:%Y%m%d}"><GradingPeriod>{period.name}</GradingPeriod>'
                    f"<BeginDate>{period.begin}</BeginDate><EndDate>{period.end}</EndDate>"
                    "<TotalInstructionalDays>42</TotalInstructionalDays></GradingPeriod>\n"
                )


def _schedule(district: District) -> Iterator[str]:
    offered: dict[tuple[int, str, str], Section] = {}
    for section in district.sections:
        offered.setdefault((section.term.year, section.term.name, section.course.code), section)
    for (year, term, code), section in offered.items():
        yield (
            f"<CourseOffering><LocalCourseCode>{code}</LocalCourseCode><SchoolReference>{org(section.course.school.key)}"
            f"</SchoolReference><SessionReference><SessionIdentity><SchoolYear>{span(year)}</SchoolYear><Term>{term}</Term>"
            "</SessionIdentity></SessionReference><CourseReference><CourseIdentity>"
            f'<CourseCode IdentificationSystem="LEA course code"><ID>{code}</ID></CourseCode>'
            "</CourseIdentity></CourseReference></CourseOffering>\n"
        )
    for section in district.sections:
        course, term_name, years = section.course, section.term.name, span(section.term.year)
        yield (
            f"<Section><UniqueSectionCode>{_section_code(section)}</UniqueSectionCode><SequenceOfCourse>1</SequenceOfCourse>"
            "<EducationalEnvironment>Classroom</EducationalEnvironment><CourseOfferingReference><CourseOfferingIdentity>"
            f"<LocalCourseCode>{course.code}</LocalCourseCode><Term>{term_name}</Term><SchoolYear>{years}</SchoolYear>"
            f"</CourseOfferingIdentity></CourseOfferingReference><SchoolReference>{org(course.school.key)}</SchoolReference>"
            "<LocationReference><LocationIdentity><ClassroomIdentificationCode>"
            f"{section.room}</ClassroomIdentificationCode></LocationIdentity></LocationReference><ClassPeriodReference>"
            f"<ClassPeriodIdentity><ClassPeriodName>{class_period(section)}</ClassPeriodName></ClassPeriodIdentity>"
            "</ClassPeriodReference></Section>\n"
        )


def _staff(district: District) -> Iterator[str]:
    for member in district.staff:
        yield _member(member)
    first = district.years[0].begin
    for member in district.staff:
        yield (
            f"<StaffEducationOrgAssignmentAssociation><StaffReference>{staff_identity(member)}</StaffReference>"
            f"<EducationOrganizationReference>{org(member.school)}</EducationOrganizationReference>"
            f"<StaffClassification>{member.classification}</StaffClassification><BeginDate>{first}</BeginDate>"
            "</StaffEducationOrgAssignmentAssociation>\n"
        )
    for section in district.sections:
        for place, member in enumerate(section.teachers):
            position = "Assistant Teacher" if place else "Teacher of Record"
            yield (
                f"<TeacherSectionAssociation><TeacherReference>{staff_identity(member)}</TeacherReference>"
                f"<SectionReference>{section_identity(section)}</SectionReference>"
                f"<ClassroomPosition>{position}</ClassroomPosition><BeginDate>{section.term.begin}</BeginDate>"
                f"<EndDate>{section.term.end}</EndDate></TeacherSectionAssociation>\n"
            )


def _member(member: Teacher) -> str:
    tag = "Teacher" if member.classification == "Teacher" else "Staff"
    own = f"<TeacherUniqueStateId>{member.key}</TeacherUniqueStateId>" if tag == "Teacher" else ""
    return (
        f"<{tag}><StaffUniqueStateId>{member.key}</StaffUniqueStateId>"
        f'<StaffIdentificationCode IdentificationSystem="State"><ID>{member.key}</ID></StaffIdentificationCode>'
        f"<Name><FirstName>{escape(member.first)}</FirstName><LastSurname>{escape(member.last)}</LastSurname></Name>"
        f"<Sex>{_sex(member.female)}</Sex><BirthDate>{member.born}</BirthDate>"
        f'<ElectronicMail EmailAddressType="Work"><EmailAddress>{member.email}</EmailAddress></ElectronicMail>'
        f"{own}</{tag}>\n"
    )


def _students(district: District) -> Iterator[str]:
    for student in district.students:
        yield _student(district, student)


def _student(district: District, student: Student) -> str:
    profile = district.profile
    middle = f"<MiddleName>{escape(student.middle)}</MiddleName>" if student.middle else ""
    ssn = _code("SSN", student.ssn) if student.ssn else ""
    telephone = ""
    if student.telephone:
        telephone = (
            '<Telephone TelephoneNumberType="Home" PrimaryTelephoneNumberIndicator="true">'
            f"<TelephoneNumber>{student.telephone}</TelephoneNumber></Telephone>"
        )
    races = "".join(f"<RacialCategory>{race}</RacialCategory>" for race in RACES[student.race])
    return (
        f'<Student id="STUD_{student.key}"><StudentUniqueStateId>{student.key}</StudentUniqueStateId>'
        f"{_code('Local', f'{student.number:05d}')}{ssn}<Name><FirstName>{escape(student.first)}</FirstName>{middle}"
        f"<LastSurname>{escape(student.last)}</LastSurname></Name><Sex>{_sex(student.female)}</Sex>"
        f"<BirthData><BirthDate>{student.born}</BirthDate></BirthData>"
        f'<Address AddressType="Home"><StreetNumberName>{student.street}</StreetNumberName><City>{profile.city}</City>'
        f"<StateAbbreviation>{profile.state}</StateAbbreviation><PostalCode>{profile.postal_code}</PostalCode></Address>"
        f"{telephone}"
        f'<ElectronicMail EmailAddressType="Organization"><EmailAddress>{student.email}</EmailAddress></ElectronicMail>'
        f"<HispanicLatinoEthnicity>{truth(student.hispanic)}</HispanicLatinoEthnicity><Race>{races}</Race>"
        f"<EconomicDisadvantaged>{truth(student.lunch != 'Full price')}</EconomicDisadvantaged>"
        f"<SchoolFoodServicesEligibility>{student.lunch}</SchoolFoodServicesEligibility>"
        f"<LimitedEnglishProficiency>{'Limited' if student.learner else 'NotLimited'}</LimitedEnglishProficiency>"
        f"<HomeLanguages><Language>{student.language}</Language></HomeLanguages>"
        f"<LoginId>{student.login}</LoginId></Student>\n"
    )


def _enrollments(district: District) -> Iterator[str]:
    for placement in district.placements:
        left = ""
        if placement.exit is not None:
            kind = EXIT_TYPES.get(placement.reason or "", "Unknown")
            left = f"<ExitWithdrawDate>{placement.exit}</ExitWithdrawDate><ExitWithdrawType>{kind}</ExitWithdrawType>"
        yield (
            f"<StudentSchoolAssociation><StudentReference>{student_identity(placement.student)}</StudentReference>"
            f"<SchoolReference>{org(placement.school.key)}</SchoolReference><EntryDate>{placement.entry}</EntryDate>"
            f"<EntryGradeLevel>{GRADE_NAMES[placement.grade]}</EntryGradeLevel>{left}</StudentSchoolAssociation>\n"
        )
    for section in district.sections:
        reference = f"<SectionReference>{section_identity(section)}</SectionReference>"
        homeroom = truth(section.period == 1)
        for student, begin, end in section.roster:
            yield (
                f"<StudentSectionAssociation><StudentReference>{student_identity(student)}</StudentReference>{reference}"
                f"<BeginDate>{begin}</BeginDate><EndDate>{end}</EndDate><HomeroomIndicator>{homeroom}</HomeroomIndicator>"
                "</StudentSectionAssociation>\n"
            )


def _grades(district: District) -> Iterator[str]:
    for mark in district.marks():
        section = mark.section
        yield (
            f"<Grade><LetterGradeEarned>{mark.letter}</LetterGradeEarned><NumericGradeEarned>{mark.number}"
            f"</NumericGradeEarned><GradeType>{mark.kind}</GradeType><StudentSectionAssociationReference>"
            f"<StudentSectionAssociationIdentity>{student_identity(mark.student)}{section_identity(section)}"
            "</StudentSectionAssociationIdentity></StudentSectionAssociationReference><GradingPeriodReference>"
            f"<GradingPeriodIdentity><GradingPeriod>{mark.period.name}</GradingPeriod><SchoolYear>{span(section.term.year)}"
            f"</SchoolYear><StateOrganizationId>{section.course.school.key}</StateOrganizationId></GradingPeriodIdentity>"
            "</GradingPeriodReference></Grade>\n"
        )


def _section_code(section: Section) -> str:
    return f"{section.course.school.key}-{section.term.year}-{section.number:05d}"


def _code(system: str, value: str) -> str:
    return (
        f'<StudentIdentificationCode IdentificationSystem="{system}"><IdentificationCode>{value}</IdentificationCode>'
        "</StudentIdentificationCode>"
    )


def _sex(female: bool) -> str:
    return "Female" if female else "Male"
