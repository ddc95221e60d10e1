"""What a check compares policies with: the graph's facts, and what an installation knows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from app.names import ClientId, Coordinate, Revision, Scope, SpaceId


class FactLike(Protocol):
    """What is known of a coordinate."""

    @property
    def scope(self) -> Scope: ...  # noqa: D102 - a protocol's names say it
    @property
    def category(self) -> str: ...  # noqa: D102
    @property
    def sensitivity(self) -> str: ...  # noqa: D102
    @property
    def leads_to(self) -> str | None: ...  # noqa: D102
    @property
    def is_text(self) -> bool: ...  # noqa: D102
    @property
    def graphql_type(self) -> str: ...  # noqa: D102


Use: TypeAlias = tuple[ClientId, str]
"""A client, and a purpose that it uses data for."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a check compares policies with. What is None could not be asked, and is not checked."""

    facts: Mapping[Coordinate, FactLike]
    spaces: Collection[SpaceId] | None = None  # that the installation serves
    schools: Mapping[SpaceId, Collection[str]] = field(default_factory=dict)  # of the spaces that could be asked
    clients: Mapping[ClientId, Collection[Scope]] | None = None  # with the scopes that they are registered for
    scopes: Collection[Scope] | None = None
    subgraphs: Collection[str] | None = None  # that the installation declares
    unused: Mapping[SpaceId, Mapping[Use, Collection[Coordinate]]] = field(default_factory=dict)
    revoked: Collection[Revision] = ()  # of grants as officers ended them in the console: there is nothing to mend
