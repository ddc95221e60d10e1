"""Pages of a list. Spec: Relay Cursor Connections."""

from typing import Generic, TypeVar

import strawberry

T = TypeVar("T")


@strawberry.federation.type(shareable=True, description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether the page was asked for after a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first record.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last record: give it as `after` for the next page."
    )


@strawberry.type(description="A record and its place in the list.")
class Edge(Generic[T]):
    """A record and its place in the list."""

    node: T = strawberry.field(description="The record.")
    cursor: str = strawberry.field(description="Its place: sealed, and good for this client and query alone.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The records with their cursors.")
    nodes: list[T] = strawberry.field(description="The records.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    change_cursor: str | None = strawberry.field(
        description="Stands for what you hold once you have taken in this answer: keep it with that, and give it as "
        "`changedSince` to hear of what changed. Ask for it after `nodes` or `edges`, so that these can leave early."
    )
    removed: list[strawberry.ID] | None = strawberry.field(
        description="With `changedSince`: the ids of records that you hold and may not keep. They were deleted, or are "
        "outside of what is granted to you now."
    )
