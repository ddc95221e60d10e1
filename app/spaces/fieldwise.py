"""The slow executor: graphql-core, field by field, a decision at every field, reads behind aiodataloaders.

It serves nobody: it is the oracle that the fast path is held against. It shares the tables and the rows of a grant
with it, and nothing else: no plan, no level, no shape, no condition left out because another implies it, transforms
and filters in Python.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiodataloader import DataLoader
from graphql import GraphQLResolveInfo, GraphQLSchema, execute
from sqlalchemy import Select, bindparam, select

from app.names import DIRECTORY_INFORMATION
from app.operation.model import Operation
from app.policy.authority import Authority
from app.policy.decide import Ask, Deny, Permit, Reason, decide
from app.policy.model import Transform
from app.schema.catalogue import CATALOGUE
from app.schema.facts import Fact
from app.spaces import tables as t
from app.spaces.admission import Admission
from app.spaces.among import among
from app.spaces.driver import Reader, Readers
from app.spaces.edges import Way, snake, way
from app.spaces.identifiers import Identifiers

Values = Mapping[str, Any]

ROOTS = {
    "district": "District",
    "student": "Student",
    "section": "Section",
    "students": "Student",
    "sections": "Section",
    "schoolEnrollments": "SchoolEnrollment",
    "sectionEnrollments": "SectionEnrollment",
    "grades": "Grade",
    "schools": "School",
    "courses": "Course",
    "sessions": "Session",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One stored record, whole."""

    type: str
    values: Values

    @property
    def row(self) -> int:
        """Its row number."""
        return int(self.values["row"])


@dataclass(slots=True)
class Fieldwise:
    """One execution: its reader, its loaders, and what was denied on the way."""

    readers: Readers
    reader: Reader
    authority: Authority
    names: Identifiers
    denied: set[tuple[str, str]] = field(default_factory=set)  # selection, reason
    _loaders: dict[tuple[str, str], DataLoader[int, list[Record]]] = field(default_factory=dict)
    _decided: tuple[set[int], set[int]] | None = None  # who opted out of this client, and who is blocked

    async def run(self, operation: Operation, schema: GraphQLSchema, variables: dict[str, Any]) -> dict[str, Any]:
        """The `data` of an operation."""
        done = execute(
            schema,
            operation.document,
            variable_values=variables,
            operation_name=operation.name,
            field_resolver=self.resolve,
            type_resolver=lambda value, *_: value.type,
        )
        result: Any = await done if hasattr(done, "__await__") else done
        if result.errors:
            raise AssertionError(result.errors)
        return dict(result.data)

    async def resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        """One field of one record."""
        if info.parent_type.name == "Query":
            return await self.root(info.field_name, arguments, self.place(info))
        if not isinstance(source, Record):
            return source[info.field_name]
        if info.field_name == "id":
            return self.names.one(source.type, source.row)
        fact = CATALOGUE[info.parent_type.name + "." + info.field_name]  # type: ignore[index]
        match self.decision(fact):
            case Deny(reason):
                self.denied.add((self.place(info), reason.value))
                return None
            case Permit() if await self.withheld(source, fact):
                return [] if fact.leads_to is not None and fact.is_list else None
            case Permit() if fact.leads_to is not None:
                return await self.follow(fact, fact.leads_to, source)
            case Permit(None) if fact.coordinate == "Contact.contactId":
                person = source.values["contact_id"]
                return None if person is None else self.names.alias(person)
            case Permit(transform):
                return shortened(await self.value(source, fact.field), transform)

    def place(self, info: GraphQLResolveInfo[Any]) -> str:
        """The response keys down to a field."""
        return ".".join(str(step) for step in info.path.as_list() if isinstance(step, str))

    def decision(self, fact: Fact) -> Permit | Deny:
        """May the field be read, and for an edge, may its type be entered?"""
        made = decide(Ask(fact.coordinate, fact.scope, fact.sensitivity.value, fact.is_text), self.authority)
        if isinstance(made, Permit) and fact.leads_to is not None and not self.may_enter(fact.leads_to):
            return Deny(self.why_shut(fact.leads_to))
        return made

    def may_enter(self, type_name: str) -> bool:
        """Whether anything of a type is permitted."""
        return any(isinstance(one, Permit) for one in self.decisions(type_name).values())

    def why_shut(self, type_name: str) -> Reason:
        """The reason that came closest to a permit, of what the grant lists before all else."""
        granted = self.authority.grant.fields if self.authority.grant else {}
        made = self.decisions(type_name)
        reasons = [one.reason for coordinate, one in made.items() if isinstance(one, Deny) and coordinate in granted]
        reasons = reasons or [one.reason for one in made.values() if isinstance(one, Deny)]
        return max(reasons, key=list(Reason).index)

    def decisions(self, type_name: str) -> dict[str, Permit | Deny]:
        """Every decision on a type."""
        return {
            fact.coordinate: decide(
                Ask(fact.coordinate, fact.scope, fact.sensitivity.value, fact.is_text), self.authority
            )
            for fact in CATALOGUE.values()
            if fact.type == type_name
        }

    async def root(self, name: str, arguments: Mapping[str, Any], place: str) -> Any:
        """A root field."""
        if name == "node":
            found = self.names.record(arguments["id"])
            return await self.one(*found, root=True) if found and self.may_enter(found[0]) else None
        type_name = ROOTS[name]
        if not self.may_enter(type_name):
            self.denied.add((place, self.why_shut(type_name).value))
            return None
        if name == "district":
            return next(iter(await self.every("District")), None)
        if name in {"student", "section"}:
            row = self.names.row(type_name, arguments["id"])
            return None if row is None else await self.one(type_name, row, root=True)
        matching = [one for one in await self.every(type_name) if await self.matches(one, arguments.get("where"))]
        page = matching[: arguments["first"]]
        info = {
            "hasNextPage": len(page) < len(matching),
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        }
        edges = [{"cursor": None, "node": one} for one in page]
        return {"nodes": page, "edges": edges, "pageInfo": info}

    async def matches(self, record: Record, where: Mapping[str, Any] | None) -> bool:
        """Whether a filter lets a record through."""
        for name, filters in (where or {}).items():
            fact = CATALOGUE.get(f"{record.type}.{name}")  # type: ignore[call-overload]
            if fact is not None and await self.withheld(record, fact):
                return False
            if name == "id":
                value: Any = self.names.one(record.type, record.row)
            elif fact.leads_to is not None:
                key = record.values[way(fact).column]
                parent = None if key is None else await self.one(fact.leads_to, key)
                value = None if parent is None else self.names.one(parent.type, parent.row)
            else:
                value = await self.value(record, name)
            for operator, wanted in filters.items():
                match operator:
                    case "eq":
                        holds = value == wanted
                    case "in":
                        holds = value in wanted
                    case "gte":
                        holds = value is not None and value >= wanted
                    case _:
                        holds = value is not None and value <= wanted
                if value is None or not holds:
                    return False
        return True

    async def value(self, record: Record, name: str) -> Any:
        """What a column's coordinate says of a record."""
        if record.type == "Student" and name == "birthYear":
            born = record.values["birth_date"]
            return None if born is None else int(born[:4])
        value = record.values[snake(name)]
        if record.type == "Section" and name == "title" and value is None and record.values["course"] is not None:
            courses = await self.rows("Course", "row", [record.values["course"]], admitted=False)
            return courses[0].values["title"] if courses else None
        fact = CATALOGUE[f"{record.type}.{name}"]  # type: ignore[index]
        if fact.is_list and value is not None:
            return json.loads(value)
        return bool(value) if fact.graphql_type == "Boolean" and value is not None else value

    async def withheld(self, record: Record, fact: Fact) -> bool:
        """Whether a family's decision withholds a field of a record that stands."""
        whose = record.row if record.type == "Student" else record.values.get("student")
        if whose is None or self.authority.district is None or self.authority.grant is None:
            return False
        rule = self.authority.district.opt_out
        if self._decided is None:
            keys = await self.stored(select(t.opt_out.c.student_key, t.opt_out.c.client))
            gone = {key for key, client in keys if client in {"", self.authority.client}}
            shy = {key for key, client in keys if client == DIRECTORY_INFORMATION}
            known = await self.stored(select(t.student.c.row, t.student.c.source_key))
            flags = await self.stored(select(t.student.c.row, t.student.c.directory_information_block))
            withdrawn = {row for row, key in known if key in shy} | {row for row, flag in flags if flag}
            self._decided = {row for row, key in known if key in gone}, withdrawn
        opted_out, blocked = self._decided
        directory = self.authority.grant.basis in rule.directory_applies_to and fact.sensitivity == "directory"
        return whose in opted_out or (directory and whose in blocked)

    async def stored(self, query: Select[Any]) -> Sequence[Sequence[Any]]:
        """Rows as they are stored."""
        return await self.reader.rows(self.readers.statement(query), {})

    async def one(self, type_name: str, row: int, *, root: bool = False) -> Record | None:
        """The record of a row number, if it is in the grant's rows."""
        found = (
            await self.rows(type_name, "row", [row], root=True)
            if root
            else await self.loader(type_name, "row").load(row)
        )
        return found[0] if found else None

    async def every(self, type_name: str) -> list[Record]:
        """All records of a type that are in the grant's rows, by row number."""
        return await self.rows(type_name, None, [], root=True)

    async def follow(self, fact: Fact, target: str, record: Record) -> Any:
        """What an edge leads to from a record."""
        step: Way = way(fact)
        if step.to_parent:
            key = record.values[step.column]
            return None if key is None else await self.one(target, key)
        return await self.loader(target, step.column).load(record.row)

    def loader(self, type_name: str, column: str) -> DataLoader[int, list[Record]]:
        """The loader of a type's records by a column."""

        async def batch(keys: list[int]) -> list[list[Record]]:
            found: dict[int, list[Record]] = {key: [] for key in keys}
            for record in await self.rows(type_name, column, keys):
                found[record.values[column]].append(record)
            return [found[key] for key in keys]

        if (type_name, column) not in self._loaders:
            self._loaders[type_name, column] = DataLoader(batch)
        return self._loaders[type_name, column]

    async def rows(
        self, type_name: str, column: str | None, keys: Sequence[int], *, admitted: bool = True, root: bool = False
    ) -> list[Record]:
        """Records by a column's values, or all; admitted by every condition of the grant's rows."""
        table = t.BY_TYPE[type_name]
        names = [each.name for each in table.c]
        query = select(*table.c).order_by(table.c.row)
        if column is not None:
            query = query.where(among(table.c[column], bindparam("keys")))
        if admitted:
            admission = Admission.under(self.authority)
            query = query.where((admission.of_root if root else admission.of)(type_name, table))
        rows_found = await self.reader.rows(self.readers.statement(query), {"keys": list(keys)})
        return [Record(type_name, dict(zip(names, row, strict=True))) for row in rows_found]


def shortened(value: Any, transform: Transform | None) -> Any:
    """What a transform leaves of a text."""
    match transform:
        case None:
            return value
        case Transform.INITIAL:
            return f"{value.strip(' ')[0]}." if value is not None and value.strip(" ") else None
        case Transform.MASKED:
            return None if value is None else "•••"
