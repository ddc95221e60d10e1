"""Why an interchange's element is not stored: what the graph has no place for."""

ASSESSMENTS = "The graph has no assessments."
CALENDAR = "The graph has sessions and grading periods, but no single days of a calendar."
CODES = "It explains a code; the records keep the district's own words."
COURSEWORK = "The graph has a student's standing at the end of a session and grades by section, but none by course."
EMPLOYMENT = "The graph has what staff teach and are classified as, but not how they are employed."
INVOLVED = "The graph says whom an action disciplined, but not who had what part in an incident."
NOWHERE = "The graph has no place for this kind of record."
NOT_EDFI = "The file is no interchange of Ed-Fi."
PLANS = "The graph has the credits that a student has earned, but not those that a diploma takes."

REASONS = {
    "BehaviorDescriptor": CODES,
    "CalendarDate": CALENDAR,
    "CompetencyLevelDescriptor": CODES,
    "CourseTranscript": COURSEWORK,
    "CredentialFieldDescriptor": CODES,
    "DisciplineDescriptor": CODES,
    "EducationServiceCenter": "The graph has districts and schools, but no agencies beside them.",
    "GraduationPlan": PLANS,
    "LeaveEvent": EMPLOYMENT,
    "ServiceDescriptor": CODES,
    "StaffEducationOrgEmploymentAssociation": EMPLOYMENT,
    "StudentDisciplineIncidentAssociation": INVOLVED,
    "TeacherSchoolAssociation": EMPLOYMENT,
}


def why_left_out(root: str, kind: str) -> str:
    """The reason, for a person who reads the report. Shape: names of the document's root and of the element."""
    if root in {"InterchangeAssessmentMetadata", "InterchangeStudentAssessment"}:
        return ASSESSMENTS
    if not root.startswith("Interchange"):
        return NOT_EDFI
    return REASONS.get(kind, NOWHERE)
