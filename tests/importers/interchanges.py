"""A small district in Ed-Fi XML: two interchanges of organisations, one student, what is known of her."""

# ruff: noqa: E501 - the lines of a file stand as the file has them


def interchange(name: str, body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Interchange{name} xmlns="http://ed-fi.org/0100">{body}</Interchange{name}>'


ORG = "<EducationalOrgIdentity><StateOrganizationId>{}</StateOrganizationId></EducationalOrgIdentity>"
SECTION = (
    "<SectionIdentity><StateOrganizationId>101</StateOrganizationId><LocalCourseCode>MATH</LocalCourseCode>"
    "<SchoolYear>2026-2027</SchoolYear><Term>Fall Semester</Term><ClassPeriodName>01</ClassPeriodName>"
    "<Location>12</Location></SectionIdentity>"
)
WHO = "<StudentIdentity><StudentUniqueStateId>s1</StudentUniqueStateId></StudentIdentity>"
STUDENT = (
    '<Student id="S1"><StudentUniqueStateId>s1</StudentUniqueStateId>{codes}<Name><FirstName>Siobhán</FirstName>'
    "<LastSurname>O'Brien</LastSurname></Name><BirthData><BirthDate>{born}</BirthDate></BirthData>"
    "<StudentCharacteristics><Characteristic>Migratory</Characteristic></StudentCharacteristics></Student>"
)
LOCAL = '<StudentIdentificationCode IdentificationSystem="{}"><IdentificationCode>{}</IdentificationCode></StudentIdentificationCode>'
FILES: dict[str, str | bytes] = {
    "EducationOrganization.xml": interchange(
        "EducationOrganization",
        '<LocalEducationAgency id="L"><StateOrganizationId>1</StateOrganizationId><NameOfInstitution>One</NameOfInstitution>'
        '</LocalEducationAgency><School id="A"><StateOrganizationId>101</StateOrganizationId><NameOfInstitution>A'
        "</NameOfInstitution><GradesOffered><GradeLevel>Kindergarten</GradeLevel><GradeLevel>First grade</GradeLevel>"
        '</GradesOffered><LocalEducationAgencyReference ref="L"/></School><Course id="C"><CourseTitle>Maths</CourseTitle>'
        "<CourseCode><ID>M</ID></CourseCode><SubjectArea>Mathematics</SubjectArea>"
        '<EducationOrganizationReference ref="A"/></Course>',
    ),
    "EducationOrgCalendar.xml": interchange(
        "EducationOrgCalendar",
        "<Session><SessionName>Fall</SessionName><SchoolYear>2026-2027</SchoolYear><Term>Fall Semester</Term>"
        "<BeginDate>2026-08-15</BeginDate><EndDate>2026-12-18</EndDate><EducationOrganizationReference>"
        + ORG.format(101)
        + '</EducationOrganizationReference><GradingPeriodReference ref="G"/></Session>'
        '<GradingPeriod id="G"><GradingPeriod>First Six Weeks</GradingPeriod><BeginDate>2026-08-15</BeginDate>'
        "<EndDate>2026-10-01</EndDate></GradingPeriod>",
    ),
    "MasterSchedule.xml": interchange(
        "MasterSchedule",
        "<CourseOffering><LocalCourseCode>MATH</LocalCourseCode><SchoolReference>"
        + ORG.format(101)
        + "</SchoolReference><SessionReference><SessionIdentity><SchoolYear>2026-2027</SchoolYear><Term>Fall Semester</Term>"
        "</SessionIdentity></SessionReference><CourseReference><CourseIdentity><CourseCode><ID>M</ID></CourseCode>"
        "</CourseIdentity></CourseReference></CourseOffering><Section><CourseOfferingReference><CourseOfferingIdentity>"
        "<LocalCourseCode>MATH</LocalCourseCode><Term>Fall Semester</Term><SchoolYear>2026-2027</SchoolYear>"
        "</CourseOfferingIdentity></CourseOfferingReference><SchoolReference>"
        + ORG.format(101)
        + "</SchoolReference><LocationReference><LocationIdentity><ClassroomIdentificationCode>12</ClassroomIdentificationCode>"
        "</LocationIdentity></LocationReference><ClassPeriodReference><ClassPeriodIdentity><ClassPeriodName>01</ClassPeriodName>"
        "</ClassPeriodIdentity></ClassPeriodReference></Section>",
    ),
    "StudentParent.xml": interchange(
        "StudentParent",
        STUDENT.format(codes=LOCAL.format("Local", "77") + LOCAL.format("SSN", "123456789"), born="2019-02-03"),
    ),
    "StudentEnrollment.xml": interchange(
        "StudentEnrollment",
        f"<StudentSchoolAssociation><StudentReference>{WHO}</StudentReference><SchoolReference>{ORG.format(101)}"
        "</SchoolReference><EntryDate>2026-08-15</EntryDate><EntryGradeLevel>First grade</EntryGradeLevel>"
        '</StudentSchoolAssociation><StudentSectionAssociation><StudentReference ref="S1"/>'
        f"<SectionReference>{SECTION}</SectionReference><BeginDate>2026-08-15</BeginDate></StudentSectionAssociation>",
    ),
    "StudentGrade.xml": interchange(
        "StudentGrade",
        "<Grade><LetterGradeEarned>B</LetterGradeEarned><GradeType>Grading Period</GradeType>"
        f"<StudentSectionAssociationReference><StudentSectionAssociationIdentity>{WHO}{SECTION}"
        "</StudentSectionAssociationIdentity></StudentSectionAssociationReference><GradingPeriodReference>"
        "<GradingPeriodIdentity><GradingPeriod>First Six Weeks</GradingPeriod><SchoolYear>2026-2027</SchoolYear>"
        "<StateOrganizationId>101</StateOrganizationId></GradingPeriodIdentity></GradingPeriodReference></Grade>",
    ),
}

REF = "<SectionReference>" + SECTION + "</SectionReference>"
HER = "<StudentReference>" + WHO + "</StudentReference>"
PARENT = (
    '<Parent id="{id}"><ParentUniqueStateId>{key}</ParentUniqueStateId><Name><FirstName>Róisín</FirstName><LastSurname>'
    'Byrne</LastSurname></Name><Telephone PrimaryTelephoneNumberIndicator="true"><TelephoneNumber>555-0101'
    '</TelephoneNumber></Telephone><ElectronicMail EmailAddressType="Home/Personal"><EmailAddress>roisin@home.example'
    "</EmailAddress></ElectronicMail></Parent>"
)
HERS = (
    '<StudentParentAssociation><StudentReference ref="S1"/><ParentReference ref="{id}"/><Relation>Mother</Relation>'
    "<LivesWith>true</LivesWith><ContactRestrictions>Not on Tuesdays</ContactRestrictions></StudentParentAssociation>"
)
INCIDENT = (
    '<DisciplineIncident id="I1"><IncidentIdentifier>10</IncidentIdentifier><IncidentDate>2026-09-30</IncidentDate>'
    "<Behaviors><CodeValue>21</CodeValue><ShortDescription>CODE</ShortDescription><Description>Conduct code violation"
    "</Description></Behaviors><SchoolReference>" + ORG.format(101) + "</SchoolReference></DisciplineIncident>"
)
ACTION = (
    "<DisciplineAction><DisciplineActionIdentifier>7</DisciplineActionIdentifier><Disciplines><CodeValue>6</CodeValue>"
    "<ShortDescription>ISS</ShortDescription></Disciplines><DisciplineDate>2026-10-01</DisciplineDate>{students}"
    "<DisciplineIncidentReference>{incident}</DisciplineIncidentReference><ResponsibilitySchoolReference>"
    + ORG.format(101)
    + "</ResponsibilitySchoolReference></DisciplineAction>"
)
THIS_INCIDENT = (
    "<DisciplineIncidentIdentity><IncidentIdentifier>10</IncidentIdentifier><StateOrganizationId>101"
    "</StateOrganizationId></DisciplineIncidentIdentity>"
)
PROGRAM = (
    "<{kind}>" + HER + "<ProgramReference>{program}</ProgramReference><BeginDate>2026-08-20</BeginDate>"
    "<EducationOrganizationReference>{org}</EducationOrganizationReference></{kind}>"
)
RECORD = (
    "<StudentAcademicRecord><CumulativeCreditsEarned><Credit>3.5</Credit></CumulativeCreditsEarned>"
    "<CumulativeGradePointAverage>3.25</CumulativeGradePointAverage>" + HER + "<SessionReference><SessionIdentity>"
    "<StateOrganizationId>101</StateOrganizationId><SchoolYear>2026-2027</SchoolYear><Term>{term}</Term>"
    "</SessionIdentity></SessionReference></StudentAcademicRecord>"
)
ENTRY = (
    "<StudentGradebookEntry>{earned}<StudentSectionAssociationReference><StudentSectionAssociationIdentity>"
    + WHO
    + SECTION
    + "</StudentSectionAssociationIdentity></StudentSectionAssociationReference><GradebookEntryReference>{work}"
    "</GradebookEntryReference></StudentGradebookEntry>"
)
QUIZ = (
    "<GradebookEntryIdentity><GradebookEntryType>Quiz</GradebookEntryType><DateAssigned>{day}</DateAssigned>"
    "</GradebookEntryIdentity>"
)


def more(name: str, *elements: str) -> dict[str, str | bytes]:
    """The district with elements added to one of its files."""
    whole = FILES.get(f"{name}.xml", interchange(name, ""))
    end = f"</Interchange{name}>"
    return {**FILES, f"{name}.xml": str(whole).replace(end, "".join(elements) + end)}


def attendance(*, day: str = "2026-09-01", category: str = "Tardy", where: str = REF) -> str:
    """One `AttendanceEvent`."""
    return (
        f"<AttendanceEvent><EventDate>{day}</EventDate><AttendanceEventType>Section Attendance</AttendanceEventType>"
        f"<AttendanceEventCategory>{category}</AttendanceEventCategory><AttendanceEventReason>Bus</AttendanceEventReason>"
        f"{HER}{where}</AttendanceEvent>"
    )
