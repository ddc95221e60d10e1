"""What is taught: a course for each subject of each grade in each school."""

from dataclasses import dataclass

from app.importers.sandbox.profile import Profile, SchoolProfile


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject as the districts write it, with the short form that course codes use and its SCED area."""

    name: str
    code: str
    sced: str
    teacher: str  # what a certificate to teach it is called


ENGLISH = Subject("English Language Arts", "ELA", "01", "English Language Arts")
MATHEMATICS = Subject("Mathematics", "MATH", "02", "Mathematics")
SCIENCE = Subject("Science", "SCI", "03", "Science")
SOCIAL_STUDIES = Subject("Social Studies", "SS", "04", "Social Studies")
ARTS = Subject("Fine and Performing Arts", "ART", "05", "Visual Arts")
LANGUAGE = Subject("Foreign Language and Literature", "SPAN", "06", "Spanish")
PHYSICAL = Subject("Physical, Health, and Safety Education", "PE", "08", "Physical Education")
COMPUTING = Subject("Computer and Information Sciences", "CS", "10", "Computer Science")

CORE = (ENGLISH, MATHEMATICS, SCIENCE, SOCIAL_STUDIES)
ELECTIVES = (ARTS, PHYSICAL, LANGUAGE, COMPUTING)

HIGH_SCHOOL = {
    "ELA": ("English I", "English II", "English III", "English IV"),
    "MATH": ("Algebra I", "Geometry", "Algebra II", "Pre-Calculus"),
    "SCI": ("Biology", "Chemistry", "Physics", "Environmental Science"),
    "SS": ("World Geography", "World History", "United States History", "Government"),
    "SPAN": ("Spanish I", "Spanish II", "Spanish III", "Spanish IV"),
}
SHORT_TITLE = {
    "SPAN": "Español",
    "ART": "Art and Music",
    "PE": "Physical Education",
    "CS": "Computing",
}


@dataclass(frozen=True, slots=True)
class Course:
    """One course of one school."""

    school: SchoolProfile
    grade: str
    subject: Subject
    code: str
    title: str

    @property
    def sced(self) -> str:
        """A code in the style of SCED: the subject's area and the grade."""
        return f"{self.subject.sced}{'030' if self.grade == 'KG' else '0' + self.grade}"


def courses(profile: Profile) -> dict[tuple[str, str, str], Course]:
    """Every course of a district, by school key, grade and subject code."""
    return {
        (school.key, grade, subject.code): Course(
            school, grade, subject, f"{school.prefix}-{subject.code}-{grade}", _title(subject, grade)
        )
        for school in profile.schools
        for grade in school.grades
        for subject in CORE + ELECTIVES
    }


def subjects(student: int, term: int, count: int) -> tuple[Subject, ...]:
    """What a student takes in a semester: the core first, then electives, another one first each semester."""
    electives = tuple(ELECTIVES[(student + term + step) % len(ELECTIVES)] for step in range(len(ELECTIVES)))
    return (CORE + electives)[:count]


def _title(subject: Subject, grade: str) -> str:
    if grade in {"09", "10", "11", "12"} and subject.code in HIGH_SCHOOL:
        return HIGH_SCHOOL[subject.code][int(grade) - 9]
    title = SHORT_TITLE.get(subject.code, subject.name)
    return f"{title}, Kindergarten" if grade == "KG" else f"{title}, Grade {int(grade)}"
