"""`column IN (a list of any length)`, one parameter on either database; parameters by name; numbers in one text.

SQLite limits `IN` lists: the list travels as JSON and is unfolded by `json_each`. PostgreSQL takes an array, with
`= ANY($1)`.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, BindParameter, ColumnElement, String, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE

Parameter: TypeAlias = BindParameter[Any]


class among(ColumnElement[bool]):  # noqa: N801 - reads as the SQL that it stands for
    """Whether a column's value is one of a list's."""

    inherit_cache = False
    type = NULLTYPE  # type: ignore[assignment] # as a Boolean, SQLite would be asked `… = 1`, which no index answers

    def __init__(self, column: ColumnElement[Any], parameter: Parameter) -> None:
        self.column = column
        self.parameter = parameter


@compiles(among, "postgresql")
def _any(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    item = BigInteger() if not isinstance(element.column.type, String) else String()
    array = bindparam(element.parameter.key, element.parameter.value, type_=ARRAY(item))
    return f"{compiler.process(element.column, **kw)} = ANY({compiler.process(array, **kw)})"


@compiles(among, "sqlite")
def _json_each(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, parameter = compiler.process(element.column, **kw), compiler.process(element.parameter, **kw)
    return f"{column} IN (SELECT value FROM json_each({parameter}))"  # noqa: S608 - both are compiled SQL


class gathered(FunctionElement[str]):  # noqa: N801 - reads as the SQL that it stands for
    """The numbers of a column over a group, in one text, separated by commas."""

    inherit_cache = True
    type = String()


@compiles(gathered, "postgresql")
def _string_agg(element: gathered, compiler: SQLCompiler, **kw: Any) -> str:
    return f"string_agg(CAST({compiler.process(element.clauses, **kw)} AS text), ',')"


@compiles(gathered, "sqlite")
def _group_concat(element: gathered, compiler: SQLCompiler, **kw: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kw)})"


def constant(name: str, values: Iterable[str] | None) -> Parameter | None:
    """A list that a plan carries with it; None for no condition."""
    return None if values is None else bindparam(name, list(values))
