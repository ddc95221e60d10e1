"""Whether a student of a space is in a grant's rows, by each condition alone and by all of them; and who opted out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

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

    admitted: bool  # to the rows
    met: Mapping[str, bool]
    opted_out: bool = False  # of this client, or of every vendor


async def standing(readers: Readers, row: Row, authority: Authority) -> Standing:
    """Where the student with that row number stands under a caller's grant. Raises: Unavailable."""
    if authority.grant is None:
        return Standing(False, {})
    rows, met = authority.grant.rows, {}
    admission = replace(Admission.under(authority), opted_out_too=True)
    everyone = replace(Admission.under(authority), rows=Rows())
    async with readers.lend(one_moment=True) as reader:
        for key in CONDITIONS:
            value = getattr(rows, key)
            if value is not None and key not in OF_CLASSES:
                alone = replace(admission, rows=replace(Rows(), **{key: value}))
                met[key] = await _admitted(readers, reader, row, alone)
        opted_out = not await _admitted(readers, reader, row, everyone)
        return Standing(await _admitted(readers, reader, row, admission), met, opted_out)


async def _admitted(readers: Readers, reader: Reader, row: Row, admission: Admission) -> bool:
    table = student.alias("t")
    wanted = select(table.c.row).where(table.c.row == row, admission.of("Student", table))
    return bool(await reader.rows(readers.statement(wanted), {}))
