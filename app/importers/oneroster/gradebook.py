"""categories.csv, lineItems.csv and results.csv: each result is a grade."""

from app.importers.oneroster.context import Context, LineItem, sound
from app.importers.oneroster.rows import Row
from app.importers.oneroster.shape import Shape
from app.importers.values import CellError, key, number, text
from app.spaces.staging import Part

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
SCORE = Shape(
    Part("grade_score", "Grade", ("letter_grade_earned", "numeric_grade_earned", "narrative"), creates=False),
    dict(_SCORES),
)
"""A changed result of a line item that did not change: only what the grade says is new."""


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
            period = row.read(key, "gradingPeriodSourcedId") or row.read(key, "academicSessionSourcedId")
            if period in context.sessions:
                period = None
            category = context.categories.get(row.read(key, "categorySourcedId") or "")
            context.line_items[found] = LineItem(row.key("classSourcedId"), period, category)
        except CellError as bad:
            context.sink.report.reject(context.file("lineItems"), row.line, bad.column, bad.reason)
            context.sink.store.keep_unmentioned("Grade")


async def results(context: Context) -> None:
    """The grades themselves."""
    is_whole = context.manifest.whole("results")
    shapes: tuple[Shape, Shape] | None = None
    context.sink.open(GRADE.narrowed(Row(0, {}, (), None), whole=is_whole).part)
    async for row in context.each("results", ("sourcedId", "lineItemSourcedId", "studentSourcedId", "score")):
        shapes = shapes or (GRADE.narrowed(row, whole=is_whole), SCORE.narrowed(row, whole=False))
        full, score = shapes
        item = context.line_items.get(row.cell("lineItemSourcedId") or "")
        alone = item is None and not context.manifest.whole("lineItems") and not is_whole

        def values(row: Row, _: str, shape: Shape = full, item: LineItem | None = item) -> dict[str, object]:
            if item is None:
                raise CellError("It belongs to a line item that is not in this import.", "lineItemSourcedId")
            return {
                **shape.values(row),
                "grade_type": item.category,
                "student": row.key("studentSourcedId"),
                "section": item.section,
                "grading_period": item.period,
            }

        if alone:
            context.take("results", score.part, row, lambda row, _, shape=score: shape.values(row))  # type: ignore[misc]
        else:
            context.take("results", full.part, row, values)
