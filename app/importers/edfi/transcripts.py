"""A student's standing at the end of a session, and what they earned for single pieces of work."""

from app.importers.edfi.context import Context, cell
from app.importers.edfi.xml import Element
from app.importers.values import CellError, joined, number, text
from app.spaces.staging import Part

ACADEMIC_RECORD = Part(
    "academic_record",
    "AcademicRecord",
    ("cumulative_gpa", "credits_earned"),
    {"student": "StudentReference", "school": "SessionReference", "session": "SessionReference"},
    key="SessionReference",
    whole=True,
)
GRADEBOOK_ENTRY = Part(
    "student_gradebook_entry",
    "StudentGradebookEntry",
    ("points_earned",),
    {"student": "StudentSectionAssociationReference", "section": "StudentSectionAssociationReference"},
    key="GradebookEntryReference",
    whole=True,
)
NO_POINTS = "A piece of work has points alone, and this entry has none. Its letter or level was left out."


def academic_record(context: Context, file: str, element: Element) -> None:
    """A `StudentAcademicRecord`."""

    def session(one: Element) -> tuple[str | None, str | None]:
        """The session's key, and the organisation whose session it is."""
        reference = one.find("SessionReference")
        if reference is None:
            return None, None
        found = context.ids.get(reference.attributes.get("ref", ""))
        if found is not None:
            return found, context.homes.get(found)
        identity = reference.find("SessionIdentity") or reference
        home = cell(identity, text, "StateOrganizationId") or context.organisation(
            identity, "EducationOrganizationReference", "SchoolReference"
        )
        found = joined(home, cell(identity, text, "SchoolYear"), cell(identity, text, "Term"))
        if found is None:
            raise CellError("It names a session that is not in this import.", "SessionReference")
        return found, home

    def identity(one: Element) -> str | None:
        return joined(context.student(one), session(one)[0] or "")

    def values(one: Element, _: str) -> dict[str, object]:
        found, home = session(one)
        return {
            "cumulative_gpa": cell(one, number, "CumulativeGradePointAverage"),
            "credits_earned": cell(one, number, "CumulativeCreditsEarned", "Credit"),
            "student": context.student(one),
            "school": None if home in context.districts else home,
            "session": found,
        }

    context.take(ACADEMIC_RECORD, file, element, identity, values)


def gradebook_entry(context: Context, _file: str, element: Element) -> None:
    """A `GradebookEntry`, a piece of work: only its identity matters, and who refers to it by id."""
    context.remember(element, _work(element))


def student_gradebook_entry(context: Context, file: str, element: Element) -> None:
    """A `StudentGradebookEntry`: what one student earned for it."""

    def work(one: Element) -> str | None:
        reference = one.find("GradebookEntryReference")
        if reference is None:
            return None
        name = reference.attributes.get("ref")
        return context.ids.get(name or "") or _work(reference.find("GradebookEntryIdentity") or reference) or text(name)

    def identity(one: Element) -> str | None:
        return joined(*context.attended(one), work(one) or "", cell(one, text, "DateFulfilled") or "")

    def values(one: Element, _: str) -> dict[str, object]:
        student, section = context.attended(one)
        points = cell(one, number, "PointsEarned")
        if points is None:
            points = cell(one, number, "NumericGradeEarned")
        if points is None:
            context.sink.report.note(file, one.line, "NumericGradeEarned", NO_POINTS)
        return {"points_earned": points, "student": student, "section": section}

    context.take(GRADEBOOK_ENTRY, file, element, identity, values)


def _work(identity: Element) -> str | None:
    """What a piece of work is named by within its section: its kind, and the day on which it was assigned."""
    kind, day = cell(identity, text, "GradebookEntryType"), cell(identity, text, "DateAssigned")
    return joined(kind or "", day or "") if kind or day else None
