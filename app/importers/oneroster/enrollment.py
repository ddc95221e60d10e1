"""enrollments.csv: students in their sections, and the staff who teach them."""

from app.importers.oneroster.context import Context, readable, sound
from app.importers.oneroster.roles import role_of
from app.importers.oneroster.rows import Row
from app.importers.oneroster.shape import whole
from app.importers.values import CellError, iso_date, truth
from app.spaces.staging import Part

SECTION_ENROLLMENT = Part(
    "section_enrollment",
    "SectionEnrollment",
    ("begin_date", "end_date", "homeroom"),
    {"student": "userSourcedId", "section": "classSourcedId"},
)
ASSIGNMENT = Part(
    "staff_section_association",
    "StaffSectionAssociation",
    ("classroom_position", "begin_date", "end_date"),
    {"staff": "userSourcedId", "section": "classSourcedId"},
)


async def enrollments(context: Context) -> None:
    """Everyone in a class: by their role there, a student's enrollment or a member of staff's assignment."""
    is_whole = context.manifest.whole("enrollments")
    student, staff = whole(SECTION_ENROLLMENT, is_whole), whole(ASSIGNMENT, is_whole)
    context.sink.open(student)
    context.sink.open(staff)
    file = context.file("enrollments")
    knows_homerooms = context.manifest.whole("classes")
    if not knows_homerooms:
        student = Part(student.name, student.type, ("begin_date", "end_date"), student.parents, whole=is_whole)
        context.sink.open(student)
    async for row in context.each("enrollments", ("sourcedId", "classSourcedId", "userSourcedId", "role")):
        found: str | None = None
        try:
            found = sound(row)
            if row.removed:
                context.sink.remove("SectionEnrollment", found)
                context.sink.remove("StaffSectionAssociation", found)
                continue
            role = role_of(row).lower()
            values: dict[str, object] = {
                "section": row.key("classSourcedId"),
                "begin_date": row.read(iso_date, "beginDate"),
                "end_date": row.read(iso_date, "endDate"),
            }
            if role == "student":
                context.sink.report.count("SectionEnrollment")
                homeroom = values["section"] in context.homerooms
                values |= {"student": row.key("userSourcedId"), "homeroom": homeroom}
                context.sink.add(student, file, row.line, found, values)
            else:
                context.sink.report.count("StaffSectionAssociation")
                values |= {"staff": row.key("userSourcedId"), "classroom_position": _position(row, role)}
                context.sink.add(staff, file, row.line, found, values)
        except CellError as bad:
            found = found or readable(row)
            context.sink.report.reject(file, row.line, bad.column, bad.reason)
            for part in (student, staff):
                if found is None:
                    context.sink.store.keep_unmentioned(part.type)
                else:
                    context.sink.mention(part, file, row.line, found)


def _position(row: Row, role: str) -> str:
    """A member of staff's position in a class, in CEDS's words where it has them (000622)."""
    if role != "teacher":
        return role
    return "Teacher of Record" if row.read(truth, "primary") else "Assistant Teacher"
