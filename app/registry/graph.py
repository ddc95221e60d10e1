"""What the registry presents: resources, and what it adds to a course. A Federation v2 subgraph.

INVARIANT: it knows a course by its SCED code and nothing else, so no student's datum ever reaches it. Each field says
its scope, category and sensitivity, so that a district can grant it as it grants its own.
"""

from typing import Annotated, Any

import strawberry
from aiodataloader import DataLoader
from graphql import GraphQLError
from sqlalchemy.ext.asyncio import AsyncEngine
from strawberry import UNSET

from app.registry import lookup
from app.registry.lookup import Asked, CursorError
from app.registry.resource import Resource
from app.schema.connections import PageInfo
from app.schema.ndpa import NOT_STUDENT_DATA, as_tag

SCOPE = "resource/catalog.read"
OF_NO_STUDENT = "student/none"
ARRANGES = "arranges"
MOST = 500
"""Resources on one page."""
MOST_OF_COURSE = 100


class Rooms:
    """What one request reads the index by. Look-ups of the same kind share a statement."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.resources: DataLoader[str, Resource | None] = DataLoader(self._by_ids)
        self.of_courses: DataLoader[tuple[str, int], list[Resource]] = DataLoader(self._for_courses)

    async def _by_ids(self, ids: list[str]) -> list[Resource | None]:
        found = await lookup.by_ids(self.engine, ids)
        return [found.get(id_) for id_ in ids]

    async def _for_courses(self, keys: list[tuple[str, int]]) -> list[list[Resource]]:
        found = {
            first: await lookup.for_courses(self.engine, [code for code, many in keys if many == first], first)
            for first in {many for _, many in keys}
        }
        return [found[first][code] for code, first in keys]


Info = strawberry.Info[Rooms, None]


def told(sentence: str) -> Any:
    """A field that a district grants by name."""
    return strawberry.federation.field(
        description=f"{sentence}\n\nScope `{SCOPE}` · not student data · sensitivity public",
        requires_scopes=[[SCOPE]],
        tags=[f"category/{as_tag(NOT_STUDENT_DATA)}", "sensitivity/public"],
    )


@strawberry.federation.type(
    name="ResourceAlignment",
    tags=[OF_NO_STUDENT],
    description="That a resource teaches, assesses or needs something that a framework names (LRMI `AlignmentObject`).",
)
class ResourceAlignment:
    """That a resource teaches, assesses or needs something that a framework names."""

    alignment_type: str | None = told("How it is aligned: teaches, assesses, requires, educationalSubject …")
    educational_framework: str | None = told("The framework, such as a state's standards, or SCED for courses.")
    target_name: str | None = told("The code or name of what the framework names.")
    target_description: str | None = told("What that is, in words.")
    target_url: str | None = told("Where it is described.")


@strawberry.federation.type(
    tags=[OF_NO_STUDENT], description="How often something was done with a resource, by everyone (paradata)."
)
class ResourceParadata:
    """How often something was done with a resource, by everyone."""

    action: str | None = told("What was done: view, download, like …")
    count: int | None = told("How often, all told.")


@strawberry.federation.type(
    keys=["id"],
    tags=[OF_NO_STUDENT],
    description="Something to learn with: a text, a lesson, an exercise. Its fields are LRMI's.",
)
class LearningResource:
    """Something to learn with: a text, a lesson, an exercise."""

    id: strawberry.ID = strawberry.federation.field(description="Made of the resource's address.")
    name: str | None = told("The title.")
    description: str | None = told("What it is, in its publisher's words.")
    url: str | None = told("Where it is.")
    subject: list[str] | None = told("What it is about (LRMI `about`).")
    grade_levels: list[str] | None = told("The grades that it is for, in CEDS' codes (`KG`, `05`) where they are any.")
    learning_resource_type: list[str] | None = told("What kind of thing it is, such as a lesson plan.")
    license: str | None = told("Under which license it may be used: its address, or its name.")
    publisher: str | None = told("Who publishes it.")
    educational_alignment: list[ResourceAlignment] | None = told("What it is aligned to: standards, courses.")
    paradata: list[ResourceParadata] | None = told("How often it was viewed, downloaded and so on.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "LearningResource | None":  # noqa: A002
        """The resource that another subgraph names."""
        found = await info.context.resources.load(str(id))
        return _shown(found) if found is not None else None


def _shown(one: Resource) -> LearningResource:
    return LearningResource(
        id=strawberry.ID(one.id),
        name=one.name,
        description=one.description,
        url=one.url,
        subject=list(one.subject),
        grade_levels=list(one.grade_levels),
        learning_resource_type=list(one.learning_resource_type),
        license=one.license,
        publisher=one.publisher,
        educational_alignment=[
            ResourceAlignment(
                alignment_type=each.alignment_type,
                educational_framework=each.educational_framework,
                target_name=each.target_name,
                target_description=each.target_description,
                target_url=each.target_url,
            )
            for each in one.educational_alignment
        ],
        paradata=[ResourceParadata(action=each.action, count=each.count) for each in one.paradata],
    )


First = Annotated[int, strawberry.argument(description=f"How many at most, up to {MOST}.")]
FirstOfCourse = Annotated[int, strawberry.argument(description=f"How many at most, up to {MOST_OF_COURSE}.")]


def _bounded(first: int, most: int) -> int:
    if not 1 <= first <= most:
        raise GraphQLError(f"`first` is from 1 to {most}. Ask for fewer, or page through them.")
    return first


async def _of_course(root: "Course", info: Info, first: FirstOfCourse = 10) -> list[LearningResource] | None:
    if root.sced_code is None:
        return []
    found = await info.context.of_courses.load((root.sced_code, _bounded(first, MOST_OF_COURSE)))
    return [_shown(one) for one in found]


@strawberry.federation.type(keys=["scedCode"], description="A course, as the catalogue of all courses has it.")
class Course:
    """A course, by its SCED code alone."""

    sced_code: str | None = strawberry.federation.field(
        description="The code of the course in the School Courses for the Exchange of Data."
    )
    learning_resources: list[LearningResource] | None = strawberry.federation.field(
        resolver=_of_course,
        description="What there is to learn with in the course, the most used first."
        f"\n\nScope `{SCOPE}` · not student data · sensitivity public",
        requires_scopes=[[SCOPE]],
        tags=[f"category/{as_tag(NOT_STUDENT_DATA)}", "sensitivity/public"],
    )

    @classmethod
    def resolve_reference(cls, scedCode: str) -> "Course":  # noqa: N803 - as a representation names it
        """The course of that code: whether a district teaches it is not asked."""
        return cls(sced_code=scedCode)


@strawberry.federation.type(tags=[ARRANGES], description="A resource and its place in the list.")
class LearningResourceEdge:
    """A resource and its place in the list."""

    node: LearningResource = strawberry.federation.field(description="The resource.")
    cursor: str = strawberry.federation.field(description="Its place, good for this list alone.")


@strawberry.federation.type(tags=[ARRANGES], description="A page of a list of resources.")
class LearningResourceConnection:
    """A page of a list of resources."""

    edges: list[LearningResourceEdge] = strawberry.federation.field(description="The resources with their cursors.")
    nodes: list[LearningResource] = strawberry.federation.field(description="The resources.")
    page_info: PageInfo = strawberry.federation.field(description="Where the page stands.")


def _said(sentence: str) -> Any:
    return strawberry.argument(description=sentence)


async def _learning_resources(
    info: Info,
    *,
    search: Annotated[str | None, _said("Words, or their beginnings, that it holds; the best found first.")] = UNSET,
    subject: Annotated[str | None, _said("It is about this.")] = UNSET,
    grade_level: Annotated[str | None, _said("It is for this grade, such as `05`.")] = UNSET,
    standard: Annotated[str | None, _said("It is aligned to this standard, or to one below it.")] = UNSET,
    first: First = 25,
    after: Annotated[str | None, _said("The cursor that the page begins after.")] = UNSET,
) -> LearningResourceConnection | None:
    asked = Asked(search or None, subject or None, grade_level or None, standard or None)
    begins = after if isinstance(after, str) else None
    try:
        page = await lookup.page(info.context.engine, asked, _bounded(first, MOST), begins)
    except CursorError:
        raise GraphQLError("`after` is no cursor of this list. Give one that this very list gave.") from None
    edges = [LearningResourceEdge(node=_shown(one.resource), cursor=one.cursor) for one in page.placed]
    return LearningResourceConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=page.more,
            has_previous_page=begins is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


@strawberry.type
class Query:
    """Where a query begins."""

    learning_resources: LearningResourceConnection | None = strawberry.federation.field(
        resolver=_learning_resources,
        description="Resources, by words, subject, grade and standard."
        f"\n\nScope `{SCOPE}` · not student data · sensitivity public",
        requires_scopes=[[SCOPE]],
        tags=[f"category/{as_tag(NOT_STUDENT_DATA)}", "sensitivity/public"],
    )
