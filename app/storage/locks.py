"""The second lock of a space in PostgreSQL: that its role can read no other space, whatever the code does.

Shape: every place where something is kept is looked at by the rights that PostgreSQL itself goes by, for each role that
the installation uses; what a role may become (`SET ROLE`) counts as what it is.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.errors import Unavailable
from app.storage.engines import open_engine

CONTROL = "control"

WHO = text(
    "SELECT current_user AS role, current_database() AS database, current_schema() AS schema,"
    " rolsuper OR rolbypassrls AS above, rolcreaterole AS makes FROM pg_roles WHERE rolname = current_user"
)
READABLE = text(
    """
    SELECT DISTINCT n.nspname AS schema
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND has_database_privilege(:role, current_database(), 'CONNECT')
      AND EXISTS (SELECT FROM pg_roles r WHERE pg_has_role(:role, r.oid, 'MEMBER')
                  AND has_schema_privilege(r.oid, n.oid, 'USAGE'))
      AND EXISTS (SELECT FROM pg_roles r WHERE pg_has_role(:role, r.oid, 'MEMBER')
                  AND has_any_column_privilege(r.oid, c.oid, 'SELECT'))
    """
)


@dataclass(frozen=True, slots=True)
class Place:
    """A schema in which the installation keeps something, and by which role. `owner`: a space, or `control`."""

    owner: str
    url: str
    server: str
    database: str
    schema: str | None
    role: str
    above: bool  # a superuser, or one whom no row rule holds
    makes: bool  # may make roles, and so become any


@dataclass(frozen=True, slots=True)
class Reach:
    """That the role of a space can read what is not its own. `whose`: another space, `control`, or nobody of ours."""

    space: str
    role: str
    database: str
    schema: str
    whose: str | None


async def find_places(urls: Iterable[tuple[str, str]]) -> list[Place]:
    """What stands where, of PostgreSQL addresses by owner. Raises: Unavailable."""
    places = []
    for owner, url in urls:
        parsed = make_url(url)
        async with _connected(url) as connection:
            who = (await connection.execute(WHO)).one()
        server = f"{parsed.host or parsed.query.get('host', '')}:{parsed.port or 5432}"
        places.append(Place(owner, url, server, who.database, who.schema, who.role, who.above, who.makes))
    return places


async def find_reaches(places: Sequence[Place]) -> list[Reach]:
    """Everything that a space's role can read beyond its own schemas. Raises: Unavailable."""
    found: list[Reach] = []
    for server, database in dict.fromkeys((place.server, place.database) for place in places):
        here = [place for place in places if (place.server, place.database) == (server, database)]
        roles = {(place.owner, place.role) for place in places if place.server == server and place.owner != CONTROL}
        async with _connected(here[0].url) as connection:
            for space, role in sorted(roles):
                for schema in await connection.scalars(READABLE, {"role": role}):
                    owners = [place.owner for place in here if place.schema == schema]
                    if space not in owners:
                        found.append(Reach(space, role, database, schema, owners[0] if owners else None))
    return found


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    engine = open_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The rights of a role cannot be looked at ({type(error).__name__}).") from None
    finally:
        await engine.dispose()
