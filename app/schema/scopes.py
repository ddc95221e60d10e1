"""The OAuth2 scopes of the graph, `entity/bundle.read`, each with a sentence for whoever must decide on it."""

from app.names import Scope

SCHOOL_DIRECTORY = Scope("school/directory.read")
COURSE_CATALOG = Scope("course/catalog.read")
SECTION_SCHEDULE = Scope("section/schedule.read")
STAFF_DIRECTORY = Scope("staff/directory.read")
STAFF_SENSITIVE = Scope("staff/sensitive.read")
STUDENT_IDENTIFIERS = Scope("student/identifiers.read")
STUDENT_SSN = Scope("student/ssn.read")
STUDENT_NAME = Scope("student/name.read")
STUDENT_DEMOGRAPHICS = Scope("student/demographics.read")
STUDENT_CONTACT = Scope("student/contact.read")
STUDENT_SPECIAL_INDICATORS = Scope("student/special-indicators.read")
ENROLLMENT_SCHOOL = Scope("enrollment/school.read")
ENROLLMENT_SECTION = Scope("enrollment/section.read")
GRADE_MARKS = Scope("grade/marks.read")
GRADE_NARRATIVE = Scope("grade/narrative.read")
GRADE_GRADEBOOK = Scope("grade/gradebook.read")
GRADE_TRANSCRIPT = Scope("grade/transcript.read")
ATTENDANCE_EVENTS = Scope("attendance/events.read")
CONTACT_NAME = Scope("contact/name.read")
CONTACT_DETAILS = Scope("contact/details.read")
CONTACT_RELATIONSHIP = Scope("contact/relationship.read")
PROGRAM_PARTICIPATION = Scope("program/participation.read")
DISCIPLINE_RECORDS = Scope("discipline/records.read")

SENTENCES = {
    SCHOOL_DIRECTORY: "The district, its schools, sessions and grading periods.",
    COURSE_CATALOG: "The courses that the schools offer.",
    SECTION_SCHEDULE: "Sections, when and where they meet, and who is assigned to teach them.",
    STAFF_DIRECTORY: "Names, roles and work addresses of staff.",
    STAFF_SENSITIVE: "Staff members' dates of birth.",
    STUDENT_IDENTIFIERS: "The numbers and log-ins by which state, district and applications know a student.",
    STUDENT_SSN: "Social security numbers, where a district stores them at all.",
    STUDENT_NAME: "Students' names and photographs.",
    STUDENT_DEMOGRAPHICS: "Birth date, sex, gender identity, ethnicity, race and home language of students.",
    STUDENT_CONTACT: "Students' own electronic and postal addresses and telephone numbers.",
    STUDENT_SPECIAL_INDICATORS: "Disability, language, poverty, homelessness and migrant indicators of students.",
    ENROLLMENT_SCHOOL: "Which school and grade level a student is enrolled in, and since when.",
    ENROLLMENT_SECTION: "Which sections a student is enrolled in, and since when.",
    GRADE_MARKS: "The marks that students earned.",
    GRADE_NARRATIVE: "What teachers wrote about a student's work, in their own words.",
    GRADE_GRADEBOOK: "The points that students earned for single pieces of work.",
    GRADE_TRANSCRIPT: "Students' grade point averages and credits.",
    ATTENDANCE_EVENTS: "On which days a student was absent or late, and why.",
    CONTACT_NAME: "That a student has contacts, such as parents and guardians, and their names.",
    CONTACT_DETAILS: "Electronic addresses and telephone numbers of students' contacts.",
    CONTACT_RELATIONSHIP: "What a contact is to a student, custody, and restrictions such as court orders.",
    PROGRAM_PARTICIPATION: "The programs that a student takes part in, such as special or bilingual education.",
    DISCIPLINE_RECORDS: "Incidents, and the discipline that students received for them.",
}
"""Every scope with what it gives."""
