"""The contacts of students, from users.csv: the agents whom a student's row names, and families who name students.

Shape: a contact is one person's part in one student's life, so its key is made of both. A student's own row has the
last word on who their contacts are: in a file of changes, whom it does not name any more goes. A family member's row
only adds, for many districts leave `agentSourcedIds` empty there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.importers.oneroster.roles import FAMILY_ROLES
from app.importers.oneroster.rows import Row
from app.importers.oneroster.shape import Shape, whole
from app.importers.sink import Sink
from app.importers.ssn import looks_like
from app.importers.values import CellError, joined, listed, text
from app.spaces.staging import Part
from app.spaces.store import KnownContact

CONTACT = Shape(
    Part(
        "contact",
        "Contact",
        ("contact_id", "first_name", "last_surname", "email", "telephone", "relationship"),
        {"student": "agentSourcedIds"},
        key="agentSourcedIds",
    ),
    {
        "first_name": ("givenName", text),
        "last_surname": ("familyName", text),
        "email": ("email", text),
        "telephone": ("phone", text),
    },
)
KNOWN = replace(CONTACT.part, name="contact_known")
"""A contact whose person is not in the files, but in the space."""
REFUSED = replace(CONTACT.part, name="contact_refused", columns=(), parents={})
AGENTS = "agentSourcedIds"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be a contact: where their row stands, and what it says of them."""

    line: int
    values: dict[str, object]
    is_family: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A person as the contact of a student, and the row that says so."""

    key: str
    student: str
    person: str
    line: int


@dataclass(slots=True)
class Contacts:
    """What users.csv says of contacts, gathered row by row and taken when all people are known."""

    people: dict[str, Person] = field(default_factory=dict)
    students: dict[str, tuple[int, list[str]]] = field(default_factory=dict)  # ... and the agents whom they name
    claims: list[tuple[str, int, list[str]]] = field(default_factory=list)  # a person, and the students they name
    refused: set[str] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)
    shape: Shape | None = None
    told: bool = False  # whether the file has the column that names contacts at all

    def refuse(self, user: str) -> None:
        """Take back what was gathered of a user whose row is not taken."""
        self.refused.add(user)
        self.students.pop(user, None)
        self.people.pop(user, None)

    def meet(self, row: Row, user: str, roles: set[str], sink: Sink, *, is_student: bool, is_family: bool) -> None:
        """Gather one user. Raises: CellError."""
        if self.shape is None:
            self.shape, self.told = CONTACT.narrowed(row, whole=False), AGENTS.lower() in row.names
            self.shape = replace(self.shape, part=replace(self.shape.part, columns=(*self._columns(),)))
        agents = list(dict.fromkeys(row.read(listed, AGENTS)))
        if is_student:
            self.students[user] = (row.line, agents)
            if not is_family:
                return
        elif not is_family:
            self.people[user] = Person(row.line, {**self.shape.values(row), "contact_id": user}, is_family=False)
            return
        if looks_like(user, bare=False) and not is_student:
            sink.report.ssns_met += 1
            if not sink.keep_ssn:
                raise CellError(
                    "The key looks like a social security number, which this district does not store. Give another.",
                    "sourcedId",
                )
        values = {**self.shape.values(row), "contact_id": user}
        relationship = row.read(text, "metadata.relationship") or next(iter(sorted(roles & FAMILY_ROLES)), None)
        if relationship is not None:
            values["relationship"] = relationship
        self.people[user] = Person(row.line, values, is_family=True)
        if agents and not is_student:
            self.claims.append((user, row.line, agents))

    def _columns(self) -> Iterator[str]:
        """The columns that this file fills."""
        assert self.shape is not None  # noqa: S101 - for the type checker
        return (name for name in CONTACT.part.columns if name in self.shape.cells or name not in CONTACT.cells)

    async def settle(self, sink: Sink, file: str, *, is_whole: bool) -> None:
        """Take all contacts that were told of."""
        await self._keep(sink, file)
        if self.shape is None:
            await self._remove(sink)
            return
        if self.told and is_whole:
            sink.open(whole(self.shape.part, is_whole))
        taken: set[str] = set()
        used: set[str] = set()
        for pairs in _batches(await self._pairs(sink, file, is_whole=is_whole)):
            await self._take(sink, file, pairs, taken, used, is_whole=is_whole)
            await sink.flush()
        if not is_whole:
            await self._drop(sink, taken)
        if not is_whole or not self.told:
            await self._update(sink, file, taken, used)
        await self._remove(sink)
        self._note_strangers(sink, file, used)

    async def _pairs(self, sink: Sink, file: str, *, is_whole: bool) -> list[Pair]:
        """Every contact that a row names, once."""
        found: dict[tuple[str, str], Pair] = {}

        def pair(student: str, person: str, line: int) -> None:
            try:
                found.setdefault((student, person), Pair(str(joined(student, person)), student, person, line))
            except CellError as bad:
                sink.report.reject(file, line, AGENTS, bad.reason)

        for student, (line, agents) in self.students.items():
            for agent in agents:
                pair(student, agent, line)
        named = {student for _, _, students in self.claims for student in students if student not in self.students}
        known = set() if is_whole else await sink.store.known("Student", named)
        for person, line, students in self.claims:
            for student in students if person in self.people else ():
                if student in self.students or student in known:
                    pair(student, person, line)
                elif student not in self.refused:
                    sink.report.note(file, line, AGENTS, "It names a user who is no student here. Left out.")
        return list(found.values())

    async def _take(
        self, sink: Sink, file: str, pairs: Sequence[Pair], taken: set[str], used: set[str], *, is_whole: bool
    ) -> None:
        """Take a batch of contacts, each with what is known of its person."""
        assert self.shape is not None  # noqa: S101 - for the type checker
        part = whole(self.shape.part, is_whole)
        missing = {pair.person for pair in pairs} - self.people.keys() - self.refused - set(self.gone)
        known: dict[str, KnownContact] = {}
        held: dict[str, KnownContact] = {}
        if not is_whole:
            known = {one.person: one for one in await sink.store.contacts(people=missing)}
            held = {one.key: one for one in await sink.store.contacts(students={pair.student for pair in pairs})}
        for pair in pairs:
            person = self.people.get(pair.person)
            taken.add(pair.key)
            used.add(pair.person)
            if person is not None:
                sink.report.count("Contact")
                values = {"relationship": held[pair.key].relationship} if pair.key in held else {}
                sink.add(part, file, pair.line, pair.key, {**values, **person.values, "student": pair.student})
            elif pair.person in known:
                sink.report.count("Contact")
                one = held.get(pair.key, known[pair.person])
                values = {name: getattr(one, name) for name in KNOWN.columns if name != "contact_id"}
                if one.key != pair.key:
                    values["relationship"] = None
                sink.add(
                    KNOWN, file, pair.line, pair.key, {**values, "contact_id": pair.person, "student": pair.student}
                )
            elif pair.person in self.students:
                sink.report.note(file, pair.line, AGENTS, "It names a student, who is no contact. Left out.")
            elif pair.person not in self.refused:
                sink.report.note(
                    file, pair.line, AGENTS, "It names a user who is in neither this import nor the space. Left out."
                )

    async def _keep(self, sink: Sink, file: str) -> None:
        """Leave the contacts of people whose rows were refused as they are."""
        for people in _batches(sorted(self.refused)):
            for one in [*await sink.store.contacts(people=people), *await sink.store.contacts(students=people)]:
                sink.mention(REFUSED, file, 0, one.key)

    async def _drop(self, sink: Sink, taken: set[str]) -> None:
        """Delete the contacts whom their student's changed row does not name any more."""
        if self.told:
            for students in _batches(sorted(self.students)):
                for one in await sink.store.contacts(students=students):
                    if one.key not in taken and one.person not in self.refused:
                        sink.remove("Contact", one.key)

    async def _update(self, sink: Sink, file: str, taken: set[str], used: set[str]) -> None:
        """Give the contacts that a changed person has in the space what is new of them."""
        assert self.shape is not None  # noqa: S101 - for the type checker
        dropped = self.students.keys() if self.told else ()
        for people in _batches(sorted(self.people)):
            for one in await sink.store.contacts(people=people):
                used.add(one.person)
                if one.key in taken or one.student in dropped:
                    continue
                values = self.people[one.person].values
                columns = tuple(name for name in self.shape.part.columns if name in values and name != "contact_id")
                part = Part(f"contact_{len(columns)}", "Contact", columns, creates=False)
                sink.add(part, file, self.people[one.person].line, one.key, values)
            await sink.flush()

    async def _remove(self, sink: Sink) -> None:
        """Delete the contacts of people whom a file of changes deletes."""
        for people in _batches(self.gone):
            for one in await sink.store.contacts(people=people):
                sink.remove("Contact", one.key)

    def _note_strangers(self, sink: Sink, file: str, used: set[str]) -> None:
        """Say which family members were not stored, for they are nobody's contact."""
        strangers = [person for key, person in self.people.items() if person.is_family and key not in used]
        if strangers and not self.told:
            reason = f"The column {AGENTS} is missing, so nobody can tell whose contacts families are. They stay."
            sink.report.note(file, 1, None, reason)
            return
        for person in strangers:
            sink.report.note(file, person.line, AGENTS, "The user is no student's contact, and was not stored.")


def _batches(many: Iterable[str] | Iterable[Pair]) -> Iterator[Sequence]:  # type: ignore[type-arg]
    every = list(many)
    return (every[start : start + BATCH] for start in range(0, len(every), BATCH))
