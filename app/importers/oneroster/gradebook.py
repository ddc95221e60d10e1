"""categories.csv, lineItems.csv and results.csv: each result is a grade, or an entry of the gradebook.

OneRoster writes a quarter's mark and a Tuesday's quiz in the same way. A line item is of a mark if its category says so
in the words that schools have for it, or if it has no category but a span of time; else it is one piece of work.
"""

import re
from dataclasses import replace

from app.importers.oneroster.context import Context, LineItem, readable, sound
from app.importers.oneroster.rows import Row
from app.importers.oneroster.shape import Shape
from app.importers.values import CellError, key, number, text
from app.spaces.staging import Part

_MARKS = re.compile(
    r"(((grading|marking|reporting)[ -]period|mid[ -]?term|semester|trimester|quarter|term|year|final|report[ -]card)"
    r"( (exam|grade|mark|average)s?)?|exam|progress( report)?)",
    re.IGNORECASE,
)
"""Categories of marks, among them the grade types of Ed-Fi."""
_SCORES = {
    "letter_grade_earned": ("textScore", text),
    "numeric_grade_earned": ("score", number),
    "narrative": ("comment", text),
}
GRADE = Shape(
    Part(
        "grade",
        "Grade",
        ("letter_grade_earned", "numeric_grade_earned", "grade_type", "narrative"),
        {"student": "studentSourcedId", "section": "lineItemSourcedId", "grading_period": "lineItemSourcedId"},
    ),
    dict(_SCORES),
)
ENTRY = Shape(
    Part(
        "student_gradebook_entry",
        "StudentGradebookEntry",
        ("points_earned",),
        {"student": "studentSourcedId", "section": "lineItemSourcedId"},
    ),
    {"points_earned": ("score", number)},
)
GRADE_SCORE = Shape(
    Part("grade_score", "Grade", ("letter_grade_earned", "numeric_grade_earned", "narrative"), creates=False),
    dict(_SCORES),
)
ENTRY_SCORE = Shape(Part("entry_score", "StudentGradebookEntry", ("points_earned",), creates=False), dict(ENTRY.cells))
"""A changed result of a line item that did not change: only what the record says is new."""
BATCH = 500


async def categories(context: Context) -> None:
    """What kinds of line items there are."""
    async for row in context.each("categories", ("sourcedId", "title")):
        try:
            found = sound(row)
            if not row.removed:
                context.categories[found] = row.read(text, "title")
        except CellError as bad:
            context.sink.report.reject(context.file("categories"), row.line, bad.column, bad.reason)


async def line_items(context: Context) -> None:
    """What was graded: in which section, for which grading period, of which kind."""
    async for row in context.each("lineItems", ("sourcedId", "classSourcedId")):
        try:
            found = sound(row)
            if row.removed:
                continue
            span = row.read(key, "gradingPeriodSourcedId") or row.read(key, "academicSessionSourcedId")
            category = context.categories.get(row.read(key, "categorySourcedId") or "")
            is_mark = span is not None if category is None else _MARKS.fullmatch(category) is not None
            period = None if span in context.sessions else span
            context.line_items[found] = LineItem(row.key("classSourcedId"), period, category, is_mark)
        except CellError as bad:
            context.sink.report.reject(context.file("lineItems"), row.line, bad.column, bad.reason)
            for part in (GRADE.part, ENTRY.part):
                context.sink.store.keep_unmentioned(part.type)


async def results(context: Context) -> None:
    """The grades and the gradebook's entries themselves."""
    is_whole = context.manifest.whole("results")
    grade, entry = (shape.narrowed(Row(0, {}, (), None), whole=is_whole) for shape in (GRADE, ENTRY))
    for shape in (grade, entry):
        context.sink.open(shape.part)
    waiting: list[Row] = []
    first = True
    async for row in context.each("results", ("sourcedId", "lineItemSourcedId", "studentSourcedId", "score")):
        if first:
            grade, entry, first = GRADE.narrowed(row, whole=is_whole), ENTRY.narrowed(row, whole=is_whole), False
        item = context.line_items.get(row.cell("lineItemSourcedId") or "")
        alone = item is None and not context.manifest.whole("lineItems") and not is_whole
        if not alone:
            context.sink.report.count((ENTRY if item and not item.is_mark else GRADE).part.type)
        try:
            found = sound(row)
            if row.removed:
                for shape in (grade, entry):
                    context.sink.remove(shape.part.type, found)
            elif alone:
                waiting.append(row)
            else:
                _take(context, row, found, item, grade, entry, is_whole=is_whole)
        except CellError as bad:
            _refuse(context, row, found=readable(row), bad=bad)
        if len(waiting) >= BATCH:
            await _alone(context, waiting)
    await _alone(context, waiting)


def _take(  # noqa: PLR0917
    context: Context, row: Row, found: str, item: LineItem | None, grade: Shape, entry: Shape, *, is_whole: bool
) -> None:
    """Take one result as what its line item is of. Raises: CellError."""
    if item is None:
        raise CellError("It belongs to a line item that is not in this import.", "lineItemSourcedId")
    shape, other = (grade, entry) if item.is_mark else (entry, grade)
    parents = {"student": row.key("studentSourcedId"), "section": item.section}
    values: dict[str, object] = {**shape.values(row), **parents}
    if item.is_mark:
        values |= {"grade_type": item.category, "grading_period": item.period}
    elif values.get("points_earned") is None and row.read(text, "textScore") is not None:
        reason = "A piece of work has points alone, and this result has words. The words were left out."
        context.sink.report.note(context.file("results"), row.line, "textScore", reason)
    context.sink.add(shape.part, context.file("results"), row.line, found, values)
    if not is_whole:
        context.sink.remove(other.part.type, found)  # the line item may have been of the other kind


async def _alone(context: Context, waiting: list[Row]) -> None:
    """Take changed results whose line items are not in these changes: what they are of, the space knows."""
    entries = await context.sink.store.known(ENTRY.part.type, [row.key() for row in waiting])
    for row in waiting:
        shape = (ENTRY_SCORE if row.key() in entries else GRADE_SCORE).narrowed(row, whole=False)
        context.sink.report.count(shape.part.type)
        try:
            context.sink.add(shape.part, context.file("results"), row.line, row.key(), shape.values(row))
        except CellError as bad:
            _refuse(context, row, found=row.key(), bad=bad)
    waiting.clear()


def _refuse(context: Context, row: Row, *, found: str | None, bad: CellError) -> None:
    """Report a result that is not taken; its record, whatever it is, stays as it was."""
    context.sink.report.reject(context.file("results"), row.line, bad.column, bad.reason)
    for part in (GRADE.part, ENTRY.part):
        if found is None:
            context.sink.store.keep_unmentioned(part.type)
        else:
            refused = replace(part, name=f"{part.name}_refused", columns=(), parents={})
            context.sink.mention(refused, context.file("results"), row.line, found)
