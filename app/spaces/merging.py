"""Bring staged rows into a space's tables, set by set: parents before children, deletions last.

Every step is one statement over a whole set; no row passes through Python but those that are reported.
"""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.spaces.belonging import BINDING, REQUIRED, holding
from app.spaces.erasing import Erased, left_out, theirs
from app.spaces.merged import SHOWN, Finding, Merged, Stored
from app.spaces.staging import PLACED, Part, Stage, doomed_table, stored_table
from app.spaces.tables import BY_TYPE, section_enrollment, student

DUPLICATE, UNKNOWN, MISSING, ERASED = "duplicate", "unknown", "missing", "erased"
ERASED_REASON = "The student was erased from the space."


class Merging:
    """One import's way from the temporary tables into the space."""

    def __init__(self, connection: AsyncConnection, stage: Stage, kept: frozenset[str], erased: Erased) -> None:
        self._connection = connection
        self._stage = stage
        self._kept = kept
        self._erased = erased
        self._doomed: dict[str, Table] = {}
        self._result = Merged()

    async def run(self) -> Merged:
        """Merge every type, parents first; then delete, children first."""
        await self._stage.settle()
        await self._leave_out_erased()
        for type_, table in BY_TYPE.items():
            parts = [(part, staged) for part, staged in self._stage.tables.values() if part.type == type_]
            for part, staged in parts:
                if part.creates:
                    await self._merge(part, staged)
            await self._doom(type_, table, parts)
            for part, staged in parts:
                if not part.creates:
                    await self._merge(part, staged)
        await self._loosen()
        for type_, table in reversed(BY_TYPE.items()):
            if table.name in self._doomed:
                gone = await self._run(delete(table).where(table.c.row.in_(select(self._doomed[table.name].c.row))))
                self._stored(type_).deleted += gone
        await self._place()
        return self._result

    async def _leave_out_erased(self) -> None:
        """Take out of what is staged the students whom the district erased, and all that is theirs."""
        lines: dict[str, set[int]] = {}
        async for staged, where in theirs(self._connection, self._stage, self._erased):
            for file, line in await self._connection.execute(select(staged.c.file, staged.c.line).where(where)):
                lines.setdefault(file, set()).add(line)
            await self._account(staged, where, ERASED_REASON)
            await self._run(update(staged).values(refusal=ERASED).where(where))
        self._result.noted += [Finding(file, 0, None, left_out(len(found))) for file, found in lines.items()]
        self._result.notes += len(lines)

    async def _merge(self, part: Part, staged: Table) -> None:
        table = stored_table(part)
        await self._reject_duplicates(part, staged)
        for parent, label in part.parents.items():
            await self._resolve(part, staged, parent, label)
        columns = (*part.columns, *part.parents)
        if "section_enrollment" in staged.c:
            columns = (*columns, "section_enrollment")
            latest = self._latest_enrollment(staged)
            await self._run(update(staged).values(section_enrollment=latest).where(staged.c.refusal.is_(None)))
        row = select(table.c.row).where(table.c.source_key == staged.c.source_key)
        if table.name in self._doomed:
            row = row.where(table.c.row.not_in(select(self._doomed[table.name].c.row)))
        await self._run(update(staged).values(target=row.scalar_subquery()).where(staged.c.refusal.is_(None)))
        if not columns:
            return  # rows that were refused: here only so that their records count as mentioned
        taken = staged.c.refusal.is_(None)
        differs = or_(false(), *(table.c[name].is_distinct_from(staged.c[name]) for name in columns))
        changed = and_(taken, table.c.row == staged.c.target, differs)
        stored = self._stored(part.label or part.type)
        total = await self._count(staged, taken)
        updated = await self._count(staged.join(table, table.c.row == staged.c.target), and_(taken, differs))
        if updated:
            await self._run(update(table).values({name: staged.c[name] for name in columns}).where(changed))
        fresh = and_(taken, staged.c.target.is_(None))
        created = 0
        if part.creates:
            created = await self._count(staged, fresh)
            if created:
                values = select(staged.c.source_key, *(staged.c[name] for name in columns)).where(fresh)
                into = ["source_key", *columns]
                # What belongs to one student lies together, so that reading many students reads few pages.
                order = [staged.c[name] for name in columns if name == "student"]
                await self._run(insert(table).from_select(into, values.order_by(*order, staged.c.seq)))
                await self._stage.analyze(table)
        else:
            reason = "There is no such record in this import or in the space."
            total -= await self._reject(staged, fresh, UNKNOWN, part.key, reason)
            updated += await self._blank_unmentioned(part, table, staged)
        stored.created += created
        stored.updated += updated
        stored.unchanged += max(total - created - updated, 0)
        if table is student and "ssn" in part.columns:
            self._result.ssns_stored += await self._count(staged, and_(taken, staged.c.ssn.is_not(None)))

    async def _reject_duplicates(self, part: Part, staged: Table) -> None:
        first = staged.alias("first")
        repeated = exists(
            select(first.c.seq).where(first.c.source_key == staged.c.source_key, first.c.seq < staged.c.seq)
        )
        reason = "The same key stands in an earlier row; this one was not taken. Give each record one row and one key."
        await self._reject(staged, and_(staged.c.refusal.is_(None), repeated), DUPLICATE, part.key, reason)

    async def _resolve(self, part: Part, staged: Table, parent: str, label: str) -> None:
        """Turn a parent's key into its row number; one that is required and not there rejects the row."""
        key = staged.c[f"{parent}_key"]
        home = BY_TYPE_OF[parent]
        found = select(home.c.row).where(home.c.source_key == key)
        if parent in self._doomed:
            found = found.where(home.c.row.not_in(select(self._doomed[parent].c.row)))
        await self._run(
            update(staged).values({parent: found.scalar_subquery()}).where(staged.c.refusal.is_(None), key.is_not(None))
        )
        words = parent.replace("_", " ")
        lost = and_(staged.c.refusal.is_(None), staged.c[parent].is_(None))
        if parent in REQUIRED.get(part.type, ()):
            reason = f"It belongs to a {words} that is neither in this import nor in the space."
            await self._reject(staged, lost, MISSING, label, reason)
            return
        lost = and_(lost, key.is_not(None))
        if parent in BINDING.get(part.type, ()):
            reason = f"It names a {words} that is neither in this import nor in the space."
            await self._reject(staged, lost, MISSING, label, reason)
            return
        reason = f"It refers to a {words} that is neither in this import nor in the space; the reference was left out."
        if count := await self._count(staged, lost):
            self._result.notes += count
            self._result.noted += await self._findings(staged, lost, label, reason)

    async def _reject(self, staged: Table, where: ColumnElement[bool], code: str, column: str, reason: str) -> int:
        """Mark rows as rejected, and report them. Answers how many."""
        count = await self._count(staged, where)
        if count:
            self._result.rejections += count
            self._result.rejected += await self._findings(staged, where, column, reason)
            await self._account(staged, where, reason)
            await self._run(update(staged).values(refusal=code).where(where))
        return count

    async def _account(self, staged: Table, where: ColumnElement[bool], reason: str) -> None:
        """Count what is not taken by file and kind of element, for readers that account for elements."""
        kinds = select(staged.c.file, staged.c.kind, func.count()).where(where, staged.c.kind.is_not(None))
        for file, kind, count in await self._connection.execute(kinds.group_by(staged.c.file, staged.c.kind)):
            self._result.left_out[file, kind, reason] += count

    async def _findings(
        self, staged: Table, where: ColumnElement[bool], column: str | None, reason: str
    ) -> Sequence[Finding]:
        rows = select(staged.c.file, staged.c.line).where(where).order_by(staged.c.seq).limit(SHOWN)
        return [Finding(file, line, column, reason) for file, line in await self._connection.execute(rows)]

    async def _blank_unmentioned(self, part: Part, table: Table, staged: Table) -> int:
        """Empty the columns of records that a full file of additional values does not mention any more."""
        if not part.whole or part.type in self._kept:
            return 0
        filled = or_(*(table.c[name].is_not(None) for name in part.columns))
        mentioned = exists(select(staged.c.seq).where(staged.c.source_key == table.c.source_key))
        where = and_(filled, ~mentioned)
        count = await self._count(table, where)
        if count:
            await self._run(update(table).values(dict.fromkeys(part.columns)).where(where))
        return count

    async def _doom(self, type_: str, table: Table, parts: Sequence[tuple[Part, Table]]) -> None:
        """Find the records that go: unmentioned in a full file, named as deleted, or children of what goes."""
        conditions: list[ColumnElement[bool]] = []
        creating = [(part, staged) for part, staged in parts if part.creates]
        if type_ not in self._kept and any(part.whole for part, _ in creating):
            conditions.append(
                and_(
                    *(
                        ~exists(select(staged.c.seq).where(staged.c.source_key == table.c.source_key))
                        for _, staged in creating
                    )
                )
            )
        if (removed := self._stage.removed) is not None:
            keys = select(removed.c.source_key).where(removed.c.type == type_)
            conditions.append(table.c.source_key.in_(keys))
        for parent in holding(type_):
            if parent in self._doomed:
                conditions.append(table.c[parent].in_(select(self._doomed[parent].c.row)))
        where = or_(*conditions) if conditions else None
        if where is not None and await self._count(table, where):
            doomed = await self._stage.make(doomed_table(table.name))
            await self._run(insert(doomed).from_select(["row"], select(table.c.row).where(where)))
            await self._stage.analyze(doomed)
            self._doomed[table.name] = doomed

    async def _loosen(self) -> None:
        """Take references to what goes out of the records that stay."""
        for type_, table in BY_TYPE.items():
            for parent, doomed in self._doomed.items():
                if parent in table.c and parent not in holding(type_):
                    where: ColumnElement[bool] = table.c[parent].in_(select(doomed.c.row))
                    if table.name in self._doomed:
                        where = and_(where, table.c.row.not_in(select(self._doomed[table.name].c.row)))
                    if await self._count(table, where):
                        changed = await self._run(update(table).values({parent: None}).where(where))
                        self._stored(type_).updated += changed
                        self._stored(type_).unchanged = max(self._stored(type_).unchanged - changed, 0)

    def _latest_enrollment(self, of: Table) -> ScalarSelect[int]:
        """The latest section enrollment of a record's student in its section."""
        enrollment = section_enrollment.c
        latest = select(enrollment.row).where(enrollment.student == of.c.student, enrollment.section == of.c.section)
        if section_enrollment.name in self._doomed:
            latest = latest.where(enrollment.row.not_in(select(self._doomed[section_enrollment.name].c.row)))
        return (
            latest.order_by(enrollment.begin_date.desc().nulls_last(), enrollment.row.desc()).limit(1).scalar_subquery()
        )

    async def _place(self) -> None:
        """Hang every grade and gradebook entry on the section enrollment that it was earned in."""
        touched = {part.type for part, _ in self._stage.tables.values()} | set(self._doomed)
        moved = touched & {"SectionEnrollment", section_enrollment.name}
        self._doomed.pop(section_enrollment.name, None)
        for type_ in PLACED:
            if moved or type_ in touched:
                table = BY_TYPE[type_]
                latest = self._latest_enrollment(table)
                where = table.c.section_enrollment.is_distinct_from(latest)
                if await self._count(table, where):
                    await self._run(update(table).values(section_enrollment=latest).where(where))

    def _stored(self, type_: str) -> Stored:
        return self._result.stored.setdefault(type_, Stored())

    async def _count(self, source: object, where: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(source).where(where)  # type: ignore[arg-type]
        return (await self._connection.execute(counted)).scalar_one()

    async def _run(self, statement: object) -> int:
        result = await self._connection.execute(statement)  # type: ignore[call-overload]
        return int(result.rowcount)


BY_TYPE_OF = {table.name: table for table in BY_TYPE.values()}
"""The tables by the name that a reference to them bears."""
