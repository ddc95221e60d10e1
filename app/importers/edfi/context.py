"""What an Ed-Fi record needs to know of the records before it: whom a reference means.

Shape: a reference is an `id` of the same import (`ref="SCOL_255901001"`) or a natural identity; both lead to the
natural key, its parts joined. Only organisations, the timetable, people's ids and parents are kept in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from app.importers.edfi.xml import Element
from app.importers.sink import Sink
from app.importers.values import CellError, joined, key, text
from app.spaces.staging import Part

Value = TypeVar("Value")


@dataclass(slots=True)
class Period:
    """A grading period as the calendar file states it, before a session claims it."""

    file: str
    line: int
    name: str | None
    begin_date: str | None
    end_date: str | None


@dataclass(slots=True)
class Parent:
    """A parent as the file states them, before a student is said to be theirs."""

    file: str
    line: int
    values: dict[str, object]
    named: bool = False


@dataclass(slots=True)
class Context:
    """What was met so far."""

    sink: Sink
    ids: dict[str, str] = field(default_factory=dict)  # every XML id that may be referred to -> natural key
    districts: set[str] = field(default_factory=set)
    courses: dict[str, list[str]] = field(default_factory=dict)  # course code -> the organisations that define it
    offerings: dict[str, str] = field(default_factory=dict)  # school, year, term, local code -> course key
    periods: dict[str, Period] = field(default_factory=dict)  # grading periods by XML id
    sessions: list[tuple[str, Element, str, str | None]] = field(default_factory=list)  # file, record, key, school
    homes: dict[str, str | None] = field(default_factory=dict)  # session key -> the organisation whose it is
    programs: dict[str, str | None] = field(default_factory=dict)  # program by XML id -> its type
    parents: dict[str, Parent] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # parents whose records were not taken
    early: list[tuple[str, Element]] = field(default_factory=list)  # associations that came before their parent
    staff: dict[str, tuple[str, int, str, dict[str, object]]] = field(default_factory=dict)  # file, line, element
    classifications: dict[str, str] = field(default_factory=dict)

    def take(
        self,
        part: Part,
        file: str,
        element: Element,
        key_of: Callable[[Element], str | None],
        values_of: Callable[[Element, str], dict[str, object]],
        *,
        further: bool = False,
    ) -> None:
        """Take one record, or report why not. `further`: the element has made a record already, and counts once."""
        self.sink.report.count(part.type)
        found: str | None = None
        kind = None if further else element.name
        try:
            found = key_of(element)
            if found is None:
                raise CellError("The record does not say which one it is. Fill in its identity.", part.key)
            self.sink.add(part, file, element.line, found, values_of(element, found), kind)
        except CellError as bad:
            self.sink.reject(part, file, element.line, found, bad, kind)

    def leave_out(self, file: str, element: Element, bad: CellError) -> None:
        """Report a record that has no row of its own and is not taken."""
        self.sink.report.reject(file, element.line, bad.column, bad.reason)
        self.sink.report.leave_out(file, element.name, bad.reason)

    def pass_over(self, file: str, element: Element, column: str | None, reason: str) -> None:
        """Note a record that would only have said something of others, and cannot."""
        self.sink.report.note(file, element.line, column, reason)
        self.sink.report.leave_out(file, element.name, reason)

    def remember(self, element: Element, found: str | None) -> str | None:
        """Keep the XML id of a record, so that references by id find its key."""
        if found is not None and (name := element.attributes.get("id")):
            self.ids[name] = found
        return found

    def organisation(self, element: Element, *names: str) -> str | None:
        """The key of the organisation that one of these references names."""
        for name in names:
            reference = element.find(name)
            if reference is None:
                continue
            if (found := self.ids.get(reference.attributes.get("ref", ""))) is not None:
                return found
            identity = reference.find("EducationalOrgIdentity")
            if identity is not None:
                return key(
                    identity.text("StateOrganizationId") or identity.text("EducationOrgIdentificationCode", "ID")
                )
        return None

    def place(self, element: Element, *names: str) -> str | None:
        """The organisation that one of these references names; None if there is none of them.

        INVARIANT: a reference that leads nowhere costs the record. Without its school it would pass for the whole
        district's, and be disclosed to more. Raises: CellError.
        """
        found = self.organisation(element, *names)
        for name in names:
            if found is None and element.find(name) is not None:
                raise CellError("It names an organization that is not in this import.", name)
        return found

    def school(self, element: Element, *names: str) -> str | None:
        """The school that one of these references names; None if there is none, or if it is the district."""
        found = self.place(element, *names)
        return None if found in self.districts else found

    def person(self, element: Element, name: str, identity: str, unique: str) -> str | None:
        """The key of the person whom a reference names."""
        reference = element.find(name)
        return None if reference is None else self.whom(reference, identity, unique)

    def whom(self, reference: Element, identity: str, unique: str) -> str | None:
        """The key of the person whom this reference names."""
        return self.ids.get(reference.attributes.get("ref", "")) or key(reference.text(identity, unique))

    def student(self, element: Element) -> str | None:
        """The student that a record belongs to."""
        return self.person(element, "StudentReference", "StudentIdentity", "StudentUniqueStateId")

    def section(self, element: Element) -> str | None:
        """The section that a `SectionReference` means."""
        reference = element.find("SectionReference")
        if reference is None:
            return None
        identity = reference.find("SectionIdentity")
        return self.ids.get(reference.attributes.get("ref", "")) or (section_key(identity) if identity else None)

    def attended(self, element: Element) -> tuple[str | None, str | None]:
        """The student and the section of a `StudentSectionAssociationReference`."""
        reference = element.find("StudentSectionAssociationReference")
        if reference is None:
            return None, None
        identity = reference.find("StudentSectionAssociationIdentity")
        if identity is None:
            name = reference.attributes.get("ref", "")
            return self.ids.get(f"{name} student"), self.ids.get(f"{name} section")
        section = identity.find("SectionIdentity")
        student = cell(identity, key, "StudentIdentity", "StudentUniqueStateId")
        return student, section_key(section) if section else None

    def course(self, code: str | None, school: str | None) -> str | None:
        """The key of a course by its code: the school's own, else the district's, else the only one."""
        if code is None:
            return None
        homes = self.courses.get(code, [])
        home = (
            school if school in homes or not homes else next((one for one in homes if one in self.districts), homes[0])
        )
        return joined(home, code)


def cell(element: Element, read: Callable[[str | None], Value], *path: str) -> Value:
    """One value of a record. Raises: CellError that names the element."""
    try:
        return read(element.text(*path))
    except CellError as bad:
        raise CellError(bad.reason, path[-1]) from None


SECTION_IDENTITY = ("StateOrganizationId", "LocalCourseCode", "SchoolYear", "Term", "ClassPeriodName", "Location")


def described(element: Element, name: str) -> str | None:
    """What references to descriptors say: of each its description, else its short one, its code, its text."""
    found: list[str] = []
    for one in element.all(name):
        words = (cell(one, text, leaf) for leaf in ("Description", "ShortDescription", "CodeValue"))
        said = next((word for word in words if word), None) or text(one.said)
        if said is not None and said not in found:
            found.append(said)
    return text("; ".join(found))


def section_key(identity: Element) -> str | None:
    """A section's natural key, from a `SectionIdentity`."""
    return _section_key(tuple(identity.text(part) for part in SECTION_IDENTITY))


@lru_cache(maxsize=4096)
def _section_key(parts: tuple[str | None, ...]) -> str | None:
    """The key that these texts make: the same few sections are named by very many records."""
    return timetable_key(*map(text, parts))


def timetable_key(  # noqa: PLR0917 - the six parts in the order of Ed-Fi's own identity
    school: str | None, course: str | None, year: str | None, term: str | None, period: str | None, room: str | None
) -> str | None:
    """School, local course code, school year, term, class period, room: together they are a section of Ed-Fi 1.0."""
    return joined(school, course, year, term, period or "", room or "")
