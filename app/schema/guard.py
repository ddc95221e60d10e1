"""Declare one guarded field: its scope, its names in the standards and its sensitivity, in the one place that it has.

Silence denies: a field of a stored type that is not declared through `guarded` stops start-up (see `catalogue`).
"""

from dataclasses import dataclass
from typing import Any

import strawberry

from app.names import Scope
from app.schema.facts import Fact, Sensitivity
from app.schema.ndpa import NOT_STUDENT_DATA

GUARD = "guard"
"""The key of a field's metadata under which its `Guard` stands."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What is declared of a field. With the field's name and type it becomes a `Fact`."""

    scope: Scope
    category: str
    sensitivity: Sensitivity
    ceds: str | None
    edfi: str | None
    oneroster: str | None
    filters: bool


def guarded(
    scope: Scope,
    category: str,
    sensitivity: Sensitivity,
    sentence: str,
    *,
    ceds: str | None = None,
    edfi: str | None = None,
    oneroster: str | None = None,
    filters: bool = True,
) -> Any:
    """A field that a district grants by name: a column, or an edge to other records.

    `ceds` is the element's global id, `filters` whether a `where` may name it.
    """
    guard = Guard(scope, category, sensitivity, ceds, edfi, oneroster, filters)
    return strawberry.federation.field(
        description=f"{sentence}\n\n{standing(guard)}",
        requires_scopes=[[scope]],
        metadata={GUARD: guard},
    )


def standing(guard: Guard | Fact) -> str:
    """One line under a field's sentence: scope, CEDS element, NDPA category, sensitivity."""
    parts = [f"Scope `{guard.scope}`"]
    if guard.ceds is not None:
        parts.append(f"CEDS {guard.ceds}")
    parts.append("not student data" if guard.category == NOT_STUDENT_DATA else f"NDPA {guard.category}")
    parts.append(f"sensitivity {guard.sensitivity}")
    return " · ".join(parts)


def own_key() -> Any:
    """The district's own key of a record: joins subgraphs, and is in no vendor's schema."""
    return strawberry.federation.field(
        description="The district's own key, by which subgraphs join. No vendor ever sees it.", inaccessible=True
    )
