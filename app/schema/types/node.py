"""Anything that has an id."""

import strawberry


@strawberry.federation.interface(description="Anything that has an id.")
class Node:
    """Anything that has an id."""

    # INVARIANT: only `id` is non-null on a guarded type. A district may withhold any other field, and a withheld
    # non-null field would null the whole record (GraphQL §6.4.4).
    id: strawberry.ID = strawberry.federation.field(
        description="Stable for this client, meaningless to any other: the next client knows the record by another id."
    )
