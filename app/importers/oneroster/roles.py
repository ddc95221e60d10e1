"""roles.csv: who is what, and where. A student's roles are their school enrollments."""

from dataclasses import replace

from app.importers.oneroster.context import Context, Role, readable, sound
from app.importers.oneroster.rows import Row
from app.importers.oneroster.shape import whole
from app.importers.values import CellError, grade_level, iso_date, key, text
from app.spaces.staging import Part

ENROLLMENT = Part(
    "school_enrollment",
    "SchoolEnrollment",
    ("entry_date", "exit_date", "grade_level"),
    {"student": "userSourcedId", "school": "orgSourcedId"},
)
ROLE_ALONE = replace(ENROLLMENT, name="school_enrollment_of_role", columns=("entry_date", "exit_date"))
FAMILY_ROLES = {"guardian", "parent", "relative"}
STAFF_ROLES = {
    "administrator",
    "aide",
    "counselor",
    "districtadministrator",
    "principal",
    "proctor",
    "siteadministrator",
    "systemadministrator",
    "teacher",
}


def role_of(row: Row) -> str:
    """A row's role. Raises: CellError when OneRoster knows no such role."""
    found = row.read(text, "role")
    if found is None or found.lower() not in {"student", *FAMILY_ROLES, *STAFF_ROLES}:
        raise CellError("OneRoster has no such role. Write student, teacher, or another of its roles.", "role")
    return found


async def roles(context: Context) -> None:
    """Who is what, and where: kept until the user's row comes. Only a student's roles are records of the space."""
    file = context.file("roles")
    context.sink.open(whole(ENROLLMENT, context.manifest.whole("roles")))
    async for row in context.each("roles", ("sourcedId", "userSourcedId", "role", "orgSourcedId")):
        found: str | None = None
        try:
            found = sound(row)
            if row.removed:
                context.sink.remove("SchoolEnrollment", found)
                continue
            role = Role(
                found,
                row.line,
                role_of(row).lower(),
                row.read(key, "orgSourcedId"),
                row.read(iso_date, "beginDate"),
                row.read(iso_date, "endDate"),
                row.read(grade_level, "metadata.gradeLevel"),
            )
            user = row.key("userSourcedId")
            context.roles[user] = (*context.roles.get(user, ()), role)
        except CellError as bad:
            context.sink.reject(ENROLLMENT, file, row.line, found or readable(row), bad)


def settle_roles(context: Context) -> None:
    """Take the roles of students whose own row is not in the files: a list of changes need not repeat it."""
    if "roles" not in context.manifest.files:
        return
    for user, roles_ in context.roles.items():
        for role in roles_:
            if role.role == "student" and role.org not in context.districts:
                context.sink.report.count("SchoolEnrollment")
                columns: tuple[str, ...] = ("entry_date", "exit_date", *(["grade_level"] if role.grade_level else []))
                name = f"{ROLE_ALONE.name}_{len(columns)}"
                part = replace(ROLE_ALONE, name=name, columns=columns)
                values = {"entry_date": role.begin_date, "exit_date": role.end_date, "grade_level": role.grade_level}
                context.sink.add(
                    part, context.file("roles"), role.line, role.key, {**values, "student": user, "school": role.org}
                )
    context.roles.clear()
