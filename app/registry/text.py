"""Full-text search in either database: what stands in `resource_text`, and how it is asked.

A search finds what holds a word beginning with each of its words. A name's words count most, then those of subjects,
standards, kind and publisher, then the description's.
"""

from collections.abc import Sequence

from sqlalchemy import CTE, BigInteger, Double, TextClause, column, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.registry.resource import Resource, words

MOST_WORDS = 16
"""Of a search; the rest of it is passed over."""

_ADD = {
    "sqlite": "INSERT INTO resource_text (rowid, a, b, d) VALUES (:resource, :a, :b, :d)",
    "postgresql": (
        "INSERT INTO resource_text (resource, words) VALUES (:resource,"
        " setweight(to_tsvector('simple', :a), 'A') || setweight(to_tsvector('simple', :b), 'B')"
        " || setweight(to_tsvector('simple', :d), 'D'))"
    ),
}
_REMOVE = {
    "sqlite": "DELETE FROM resource_text WHERE rowid = :resource",
    "postgresql": "DELETE FROM resource_text WHERE resource = :resource",
}
# Less is better in both.
_FIND = {
    "sqlite": (
        "SELECT rowid AS resource, bm25(resource_text, 8.0, 3.0, 1.0) AS rank FROM resource_text"
        " WHERE resource_text MATCH :words"
    ),
    "postgresql": (
        "SELECT resource, -ts_rank('{0.1, 0.1, 0.4, 1.0}', words, asked)::float8 AS rank"
        " FROM resource_text, to_tsquery('simple', :words) AS asked WHERE words @@ asked"
    ),
}


async def add(connection: AsyncConnection, resources: Sequence[tuple[int, Resource]]) -> None:
    """Take in the words of resources, by their numbers."""
    rows = [{"resource": number, **_weighed(one)} for number, one in resources]
    await connection.execute(text(_ADD[connection.dialect.name]), rows)


async def remove(connection: AsyncConnection, numbers: Sequence[int]) -> None:
    """Take out the words of resources."""
    await connection.execute(text(_REMOVE[connection.dialect.name]), [{"resource": number} for number in numbers])


def _weighed(one: Resource) -> dict[str, str]:
    aligned = [text for each in one.educational_alignment for text in (each.target_name, each.target_description)]
    second = [*one.subject, *one.learning_resource_type, one.publisher, *aligned]
    return {
        "a": " ".join(words(one.name)),
        "b": " ".join(words(" ".join(part for part in second if part))),
        "d": " ".join(words(one.description or "")),
    }


def finding(dialect: str, search: str) -> CTE | None:
    """What a search finds, with its rank; None if it holds no word."""
    asked = words(search)[:MOST_WORDS]
    if not asked:
        return None
    # INVARIANT: a word holds letters and digits alone, so nothing of either query language can stand in it.
    form, joined = ('"{}"*', " ") if dialect == "sqlite" else ("'{}':*", " & ")
    statement: TextClause = text(_FIND[dialect]).bindparams(words=joined.join(form.format(word) for word in asked))
    found = statement.columns(column("resource", BigInteger), column("rank", Double)).cte("found")
    return found.prefix_with("MATERIALIZED")  # SQLite ranks only where it searches
