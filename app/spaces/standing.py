"""Whether a student of a space is in a grant's rows, by each condition alone and by all of them together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from app.names import Row
from app.policy.authority import Authority
from app.policy.model import Rows
from app.policy.wording import CONDITIONS
from app.spaces.admission import Admission
from app.spaces.driver import Reader, Readers
from app.spaces.tables import student

OF_CLASSES = frozenset({"subjects"})
"""Conditions that bear on classes, and on no student."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one student stands: `met` has each condition of the grant, taken alone."""

    admitted: bool
    met: Mapping[str, bool]


async def standing(readers: Readers, row: Row, authority: Authority) -> Standing:
    """Where the student with that row number stands under a caller's grant. Raises: Unavailable."""
    if authority.grant is None:
        return Standing(False, {})
    rows, met = authority.grant.rows, {}
    async with readers.lend(one_moment=True) as reader:
        for key in CONDITIONS:
            value = getattr(rows, key)
            if value is not None and key not in OF_CLASSES:
                met[key] = await _admitted(readers, reader, row, replace(Rows(), **{key: value}), authority.today)
        return Standing(await _admitted(readers, reader, row, rows, authority.today), met)


async def _admitted(readers: Readers, reader: Reader, row: Row, rows: Rows, today: date) -> bool:
    table = student.alias("t")
    wanted = select(table.c.row).where(table.c.row == row, Admission(rows, today).of("Student", table))
    return bool(await reader.rows(readers.statement(wanted), {}))
