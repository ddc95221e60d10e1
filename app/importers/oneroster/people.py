"""users.csv: students with their schools, staff, and students' contacts."""

from dataclasses import dataclass, replace

from app.importers.oneroster.contacts import Contacts
from app.importers.oneroster.context import Context, Role, readable, sound
from app.importers.oneroster.roles import ENROLLMENT, FAMILY_ROLES, STAFF_ROLES, role_of, settle_roles
from app.importers.oneroster.rows import Row
from app.importers.oneroster.shape import Shape, whole
from app.importers.ssn import distinct, looks_like, sift
from app.importers.values import CellError, grade_level, key, listed, text
from app.spaces.staging import Part

STUDENT = Shape(
    Part(
        "student",
        "Student",
        (
            "student_unique_id",
            "local_id",
            "identification_system",
            "ssn",
            "login_id",
            "first_name",
            "middle_name",
            "last_surname",
            "preferred_first_name",
            "email",
            "telephone",
        ),
    ),
    {
        "first_name": ("givenName", text),
        "middle_name": ("middleName", text),
        "last_surname": ("familyName", text),
        "preferred_first_name": ("preferredGivenName", text),
        "email": ("email", text),
        "telephone": ("phone", text),
    },
)
STAFF = Shape(
    Part("staff", "Staff", ("staff_id", "first_name", "last_surname", "work_email", "classification")),
    {"first_name": ("givenName", text), "last_surname": ("familyName", text), "work_email": ("email", text)},
)
LEVEL_ALONE = Part("school_enrollment_level", "SchoolEnrollment", ("grade_level",), creates=False)


@dataclass(frozen=True, slots=True)
class _User:
    """A user's row with what it says of who they are."""

    row: Row
    key: str
    roles: tuple[Role, ...]


async def users(context: Context) -> None:
    """Students, staff and families. A student's roles become their school enrollments, their agents contacts."""
    needed = ["sourcedId", "givenName", "familyName"]
    if context.manifest.version == "1.1":
        needed += ["role", "orgSourcedIds"]
    is_whole = context.manifest.whole("users")
    first: tuple[Shape, Shape] | None = None
    waiting: list[_User] = []
    contacts = Contacts()
    for shape in (STUDENT, STAFF):
        context.sink.open(whole(shape.part, is_whole))
    if context.manifest.version == "1.1":
        context.sink.open(whole(ENROLLMENT, is_whole))
    async for row in context.each("users", needed):
        if first is None:
            first = (STUDENT.narrowed(row, whole=is_whole), STAFF.narrowed(row, whole=is_whole))
            context.sink.open(first[0].part)
            context.sink.open(first[1].part)
        found: str | None = None
        try:
            found = sound(row)
            if row.removed:
                context.sink.remove("Student", found)
                context.sink.remove("Staff", found)
                contacts.gone.append(found)
                continue
            waiting.append(_User(row, found, _roles(context, row, found)))
        except CellError as bad:
            _refuse(context, contacts, row, found or readable(row), bad)
        if len(waiting) >= 500:
            await _settle(context, contacts, waiting, *first)
    if first is not None:
        await _settle(context, contacts, waiting, *first)
    await contacts.settle(context.sink, context.file("users"), is_whole=is_whole)
    settle_roles(context)


def _roles(context: Context, row: Row, user: str) -> tuple[Role, ...]:
    """What a user is: by roles.csv, or, in 1.1, by their own row."""
    if context.manifest.version != "1.1":
        return context.roles.pop(user, ())
    role = role_of(row).lower()
    return tuple(
        Role(f"{user}:{org}", row.line, role, key(org), None, None, None) for org in row.read(listed, "orgSourcedIds")
    ) or (Role(user, row.line, role, None, None, None, None),)


def _refuse(context: Context, contacts: Contacts, row: Row, found: str | None, bad: CellError) -> None:
    """Report a user who is not taken; who they are may be unknown, so whatever the space has of them stays."""
    context.sink.report.reject(context.file("users"), row.line, bad.column, bad.reason)
    context.sink.store.keep_unmentioned("SchoolEnrollment")
    if found is None:
        context.sink.store.keep_unmentioned("Contact")
    else:
        contacts.refuse(found)
    for part in (STUDENT.part, STAFF.part):
        if found is None:
            context.sink.store.keep_unmentioned(part.type)
        else:
            context.sink.mention(
                replace(part, name=f"{part.name}_refused", columns=()), context.file("users"), row.line, found
            )


async def _settle(context: Context, contacts: Contacts, waiting: list[_User], student: Shape, staff: Shape) -> None:
    """Take a batch of users, each as what they are; a list of changes may leave that to what the space knows."""
    unknown = [user.key for user in waiting if not user.roles]
    partial = context.manifest.mode("roles") != "bulk" and context.manifest.version != "1.1" and unknown
    students = await context.sink.store.known("Student", unknown) if partial else set()
    others = await context.sink.store.known("Staff", unknown) if partial else set()
    families = {one.person for one in await context.sink.store.contacts(people=unknown)} if partial else set()
    levels: dict[str, Row] = {}
    for user in waiting:
        kinds = {role.role for role in user.roles}
        is_student = "student" in kinds or user.key in students
        is_staff = bool(kinds & STAFF_ROLES) or user.key in others
        is_family = bool(kinds & FAMILY_ROLES) or user.key in families
        if not is_student:
            context.others.add(user.key)
        try:
            if not kinds and not is_student and not is_staff and not is_family:
                raise CellError("The user has no role, here or in roles.csv. Give them one.", "sourcedId")
            contacts.meet(user.row, user.key, kinds, context.sink, is_student=is_student, is_family=is_family)
            if is_student:
                _student(context, user, student)
            if is_staff:
                _staff(context, user, staff, known=user.key in others)
            if is_family:
                context.sink.report.count("Family member")
            if user.key in students:
                levels[user.key] = user.row
        except CellError as bad:
            _refuse(context, contacts, user.row, user.key, bad)
    waiting.clear()
    await _relevel(context, levels)
    if context.sink.full:
        await context.sink.flush()


def _student(context: Context, user: _User, shape: Shape) -> None:
    row, report = user.row, context.sink.report
    report.count("Student")
    if looks_like(user.key, bare=False):
        report.ssns_met += 1
        if not context.sink.keep_ssn:
            raise CellError(
                "The key looks like a social security number, which this district does not store. Give another.",
                "sourcedId",
            )
    login, identifier = row.read(key, "username"), row.read(key, "identifier")
    hidden = [one for one in (login, identifier) if looks_like(one, bare=True)]
    identifiers = sift(_codes(row))
    ssns = distinct([*identifiers.ssns, *(one for one in hidden if one)])
    report.ssns_met += len(ssns)
    values: dict[str, object] = {
        **shape.values(row),
        "student_unique_id": None if identifier in hidden else identifier,
        "local_id": key(identifiers.local_id),
        "identification_system": identifiers.system,
        "ssn": next(iter(ssns), None) if context.sink.keep_ssn else None,
        "login_id": None if login in hidden else login,
    }
    level = row.read(lambda cell: next(iter(map(grade_level, listed(cell))), None), "grades")
    part = whole(ENROLLMENT, context.manifest.whole("roles" if context.manifest.version == "1.2" else "users"))
    own = [role for role in user.roles if role.role == "student" and role.org not in context.districts]
    latest = max((role.begin_date or "" for role in own), default="")
    context.sink.add(shape.part, context.file("users"), row.line, user.key, values)
    file = context.file("roles") if context.manifest.version == "1.2" and own else context.file("users")
    for role in own:
        present = role.end_date is None or (role.begin_date or "") == latest
        report.count("SchoolEnrollment")
        context.sink.add(
            part,
            file,
            role.line,
            role.key,
            {
                "entry_date": role.begin_date,
                "exit_date": role.end_date,
                "grade_level": role.grade_level or (level if present else None),
                "student": user.key,
                "school": role.org,
            },
        )


def _codes(row: Row) -> list[tuple[str | None, str | None]]:
    """The identifiers of `userIds`: `{system:code}`, several separated by commas."""
    found: list[tuple[str | None, str | None]] = []
    for one in row.read(listed, "userIds"):
        system, colon, code = one.strip("{}").partition(":")
        found.append((system.strip(), code.strip()) if colon else (None, system.strip()))
    return found


def _staff(context: Context, user: _User, shape: Shape, *, known: bool) -> None:
    row, report = user.row, context.sink.report
    report.count("Staff")
    identifier = row.read(key, "identifier")
    if looks_like(identifier, bare=True):
        report.ssns_met += 1
        identifier = None
    roles_ = [role.role for role in user.roles if role.role in STAFF_ROLES]
    part = shape.part
    if known and not roles_:
        part = replace(part, name="staff_known", columns=tuple(c for c in part.columns if c != "classification"))
    values: dict[str, object] = {
        **shape.values(row),
        "staff_id": identifier,
        "classification": next(iter(roles_), None),
    }
    context.sink.add(part, context.file("users"), row.line, user.key, values)


async def _relevel(context: Context, rows: dict[str, Row]) -> None:
    """Give changed students' present enrollments the grade level of their row."""
    if not rows:
        return
    known = await context.sink.store.enrollments(list(rows))
    latest: dict[str, str] = {}
    for one in known:
        latest[one.student] = max(latest.get(one.student, ""), one.entry_date or "")
    for one in known:
        row = rows[one.student]
        level = next(iter(map(grade_level, row.read(listed, "grades"))), None)
        if "grades" in row.names and (one.exit_date is None or (one.entry_date or "") == latest[one.student]):
            context.sink.add(LEVEL_ALONE, context.file("users"), row.line, one.key, {"grade_level": level})
