"""What a record that is admitted does not show: directory fields of blocked students, and, where the district's policy
keeps the record, every field of one who opted out.

A field that is withheld of one student is null without an error, an edge leads nowhere, and no filter finds by it.
Decided per plan: a level that nothing is withheld from is read as if there were no veil.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Join, case, literal, not_, null, true

from app.policy.withholding import Withholding
from app.schema.facts import Fact
from app.spaces import tables as t
from app.spaces.edges import owner
from app.spaces.opt_outs import blocked, opted_out

OPEN, BLOCKED, WITHHELD = 0, 1, 2
"""How much of a record is held back: nothing, its directory fields, everything."""


@dataclass(frozen=True, slots=True)
class Veil:
    """What is withheld of the records of one level, as SQL over `source`."""

    source: FromClause  # the level's table, with what the conditions need
    whole: ColumnElement[bool] | None = None  # everything of this record is withheld
    blocked: ColumnElement[bool] | None = None  # ... its fields of the sensitivity `directory` are
    directory: str | None = None

    def covers(self, fact: Fact) -> bool:
        """Whether blocked students' records do not show this field."""
        return self.blocked is not None and fact.sensitivity.value == self.directory

    def over(self, fact: Fact) -> ColumnElement[bool] | None:
        """When a field is withheld; None: never."""
        if not self.covers(fact):
            return self.whole
        return self.blocked if self.whole is None or self.blocked is None else self.whole | self.blocked

    def shown(self, fact: Fact, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """What leaves the database of a field's value."""
        withheld = self.over(fact)
        return value if withheld is None else case((withheld, null()), else_=value)

    def joined(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """What leaves the database of a value that subgraphs join on: nothing of whom everything is withheld."""
        return value if self.whole is None else case((self.whole, null()), else_=value)

    def unblocked(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """What leaves the database of whom neither everything nor the directory fields are withheld."""
        shown = self.joined(value)
        return shown if self.blocked is None else case((self.blocked, null()), else_=shown)

    def matchable(self, fact: Fact | None) -> ColumnElement[bool]:
        """Whether a filter may find a record by a field: else it would tell what is withheld. An `id` has no fact."""
        withheld = None if fact is None else self.over(fact)
        return true() if withheld is None else not_(withheld)

    @property
    def degree(self) -> ColumnElement[int] | None:
        """OPEN, BLOCKED or WITHHELD for each record; None if all are open."""
        conditions = ((self.whole, WITHHELD), (self.blocked, BLOCKED))
        whens = [(when, literal(degree, Integer)) for when, degree in conditions if when is not None]
        return case(*whens, else_=literal(OPEN, Integer)) if whens else None


def veil(type_name: str, table: FromClause, held: Withholding, *, root: bool) -> Veil:
    """The veil over the records of a level. Below a root, an opted-out student's records are not admitted at all."""
    whose = owner(type_name)
    if whose is None:
        return Veil(table)
    source, whole, held_back = table, None, None
    if root and not held.records:
        gone = opted_out(held.client).distinct().subquery()
        source = Join(source, gone, gone.c.row == table.c[whose], isouter=True)
        whole = gone.c.row.is_not(None)
    if held.directory is not None:
        student = table
        if type_name != "Student":
            student = t.student.alias()
            source = Join(source, student, student.c.row == table.c[whose], isouter=True)
        held_back = blocked(student)
    return Veil(source, whole, held_back, held.directory)
