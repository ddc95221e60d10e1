"""orgs.csv, academicSessions.csv, courses.csv and classes.csv."""

from dataclasses import dataclass

from app.importers.oneroster.context import Context, readable, sound
from app.importers.oneroster.rows import Row
from app.importers.oneroster.shape import Shape, whole
from app.importers.values import CellError, iso_date, json_list, key, listed, school_year, text
from app.spaces.staging import Part

DISTRICT = Part("district", "District", ("name_of_institution",))
SCHOOL = Part("school", "School", ("name_of_institution",), {"district": "parentSourcedId"})
SESSION = Part(
    "session", "Session", ("school_year", "name", "type", "begin_date", "end_date"), {"district": "parentSourcedId"}
)
PERIOD = Part("grading_period", "GradingPeriod", ("name", "begin_date", "end_date"), {"session": "parentSourcedId"})
COURSE = Shape(
    Part("course", "Course", ("course_identifier", "title", "subject", "sced_code"), {"school": "orgSourcedId"}),
    {
        "course_identifier": ("courseCode", text),
        "title": ("title", text),
        "subject": ("subjects", lambda cell: next(iter(listed(cell)), None)),
        "sced_code": ("subjectCodes", lambda cell: next(iter(listed(cell)), None)),
    },
)
SECTION = Shape(
    Part(
        "section",
        "Section",
        ("title", "local_course_code", "period", "room"),
        {"school": "schoolSourcedId", "course": "courseSourcedId", "session": "termSourcedIds"},
    ),
    {
        "title": ("title", text),
        "local_course_code": ("classCode", text),
        "period": ("periods", lambda cell: json_list(listed(cell))),
        "room": ("location", text),
    },
)

_SESSION_TYPES = {"semester": "SEMESTER", "schoolyear": "FULL_SCHOOL_YEAR", "term": "OTHER"}


@dataclass(frozen=True, slots=True)
class _Node:
    """A row of a file whose rows form a tree: an organisation, or an academic session."""

    row: Row
    type: str
    parent: str | None


async def _tree(context: Context, name: str, parts: dict[str, Part], needed: tuple[str, ...]) -> dict[str, _Node]:
    """A whole file that is small and refers to itself. Rows that are bad or to be deleted are done with here."""
    found: dict[str, _Node] = {}
    file = context.file(name)
    for part in set(parts.values()):
        context.sink.open(part)
    async for row in context.each(name, needed):
        row_key: str | None = None
        types = {part.type for part in parts.values()}
        try:
            row_key = sound(row)
            if row.removed:
                for type_ in types:
                    context.sink.remove(type_, row_key)
                continue
            kind = (row.read(text, "type") or "").lower()
            if row_key in found:
                raise CellError("The same key stands in an earlier row; this one was not taken.", "sourcedId")
            found[row_key] = _Node(row, kind, row.read(key, "parentSourcedId"))
        except CellError as bad:
            row_key = row_key or readable(row)
            context.sink.report.reject(file, row.line, bad.column, bad.reason)
            for part in set(parts.values()):
                if row_key is None:
                    context.sink.store.keep_unmentioned(part.type)
                elif row_key not in found:
                    context.sink.mention(part, file, row.line, row_key)
    return found


def _above(tree: dict[str, _Node], start: str | None, known: set[str]) -> str | None:
    """The nearest of the known ones at or above a node."""
    seen: set[str] = set()
    while start is not None and start not in seen:
        if start in known:
            return start
        seen.add(start)
        start = tree[start].parent if start in tree else None
    return None


async def orgs(context: Context) -> None:
    """Districts and schools; organisations above a district are left alone."""
    is_whole = context.manifest.whole("orgs")
    district, school = whole(DISTRICT, is_whole), whole(SCHOOL, is_whole)
    tree = await _tree(context, "orgs", {"district": district, "school": school}, ("sourcedId", "name", "type"))
    types = {node.type for node in tree.values()}
    named = {"district"} if "district" in types or context.districts else {"district", "local"}
    context.districts |= {one for one, node in tree.items() if node.type in named}
    context.schools |= {one for one, node in tree.items() if node.type == "school"}
    for one, node in tree.items():
        part = district if one in context.districts else school if one in context.schools else None
        if part is None:
            context.sink.report.count("Organisation")
            continue
        only = next(iter(context.districts)) if len(context.districts) == 1 else None

        def values(row: Row, _: str, node: _Node = node, only: str | None = only) -> dict[str, object]:
            above = _above(tree, node.parent, context.districts)
            return {"name_of_institution": row.read(text, "name"), "district": above or only}

        context.take("orgs", part, node.row, values)


async def academic_sessions(context: Context) -> None:
    """School years, semesters and terms are sessions; grading periods belong to the nearest of them."""
    is_whole = context.manifest.whole("academicSessions")
    session, period = whole(SESSION, is_whole), whole(PERIOD, is_whole)
    needed = ("sourcedId", "title", "type", "startDate", "endDate")
    tree = await _tree(context, "academicSessions", {"session": session, "period": period}, needed)
    context.sessions |= {one for one, node in tree.items() if node.type != "gradingperiod"}
    context.periods |= {one for one, node in tree.items() if node.type == "gradingperiod"}
    only = next(iter(context.districts)) if len(context.districts) == 1 else None
    for one, node in tree.items():

        def values(row: Row, _: str, node: _Node = node) -> dict[str, object]:
            if node.type not in {*_SESSION_TYPES, "gradingperiod"}:
                raise CellError(
                    "The type is none of gradingPeriod, semester, schoolYear, term. Write one of them.", "type"
                )
            return {
                "name": row.read(text, "title"),
                "begin_date": row.read(iso_date, "startDate"),
                "end_date": row.read(iso_date, "endDate"),
                "school_year": row.read(school_year, "schoolYear"),
                "type": _SESSION_TYPES.get(node.type),
                "district": only,
                "session": _above(tree, node.parent, context.sessions) or node.parent,
            }

        context.take("academicSessions", period if one in context.periods else session, node.row, values)


async def courses(context: Context) -> None:
    """The course catalogue."""
    shape: Shape | None = None
    context.sink.open(whole(COURSE.part, context.manifest.whole("courses")))
    async for row in context.each("courses", ("sourcedId", "title")):
        shape = shape or COURSE.narrowed(row, whole=context.manifest.whole("courses"))
        narrowed = shape

        def values(row: Row, _: str, shape: Shape = narrowed) -> dict[str, object]:
            org = row.read(key, "orgSourcedId")
            return {**shape.values(row), "school": None if org in context.districts else org}

        context.take("courses", narrowed.part, row, values)


async def classes(context: Context) -> None:
    """Sections: a class of a course, in a school, in a term."""
    shape: Shape | None = None
    context.sink.open(whole(SECTION.part, context.manifest.whole("classes")))
    needed = ("sourcedId", "title", "courseSourcedId", "schoolSourcedId", "termSourcedIds")
    async for row in context.each("classes", needed):
        shape = shape or SECTION.narrowed(row, whole=context.manifest.whole("classes"))
        narrowed = shape

        def values(row: Row, found: str, shape: Shape = narrowed) -> dict[str, object]:
            terms = [key(term) for term in row.read(listed, "termSourcedIds")]
            if (row.read(text, "classType") or "").lower() == "homeroom":
                context.homerooms.add(found)
            return {
                **shape.values(row),
                "school": row.read(key, "schoolSourcedId"),
                "course": row.read(key, "courseSourcedId"),
                "session": next((term for term in terms if term in context.sessions), next(iter(terms), None)),
            }

        context.take("classes", narrowed.part, row, values)
