"""Write a decision into a grant's file: the text is changed where it must be, and every other line stays as it was.

Pure: text in, text out. INVARIANT: what is given back says exactly what was decided, or an error is raised: the file is
read again, and compared with what it was to say.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable, Table

from app.names import ClientId, Coordinate
from app.policy.compare import no_wider
from app.policy.model import Approval, Basis, Grant, Rows, Transform
from app.policy.parse import BrokenError, parse_grant
from app.policy.wording import CONDITIONS

Fields: TypeAlias = Mapping[Coordinate, Transform | None]


class Unwritable(Exception):  # noqa: N818 - it reads as what is the case
    """The file is written in a way that cannot be changed line by line. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What becomes other in one grant; None stays as it is."""

    fields: Fields = field(default_factory=dict)  # added, or shown otherwise
    removed: frozenset[Coordinate] = frozenset()
    rows: Rows | None = None
    not_before: date | None = None
    not_after: date | None = None
    statement: str | None = None
    approval: Approval | None = None
    restored: tuple[Approval, ...] = ()  # consents that had lapsed, for the coordinates that each names here

    def after(self, fields: Fields) -> dict[Coordinate, Transform | None]:
        """The fields of a grant once it is amended."""
        kept = {one: shown for one, shown in fields.items() if one not in self.removed and one not in self.fields}
        return kept | dict(self.fields)


def wider(grant: Grant, amendment: Amendment) -> bool:
    """Whether the fields that stay would reach more records, or leave for longer."""
    later = amendment.not_after is not None and amendment.not_after > grant.not_after
    earlier = amendment.not_before is not None and amendment.not_before < grant.not_before
    rows = amendment.rows
    more = rows is not None and any(not no_wider(getattr(rows, key), getattr(grant.rows, key)) for key in CONDITIONS)
    return later or earlier or more


def lapsed(grant: Grant, amendment: Amendment) -> frozenset[Coordinate]:
    """The coordinates whose approvals by name do not cover what the grant would say of them.

    What is taken out, and what is shown otherwise, was not what an officer approved; and where the grant reaches more
    records or lasts longer, none of it was.
    """
    other = {one for one, shown in amendment.fields.items() if one not in grant.fields or grant.fields[one] != shown}
    return frozenset({*amendment.removed, *other, *(grant.fields if wider(grant, amendment) else ())})


def amended(grant: Grant, text: str, amendment: Amendment) -> str:
    """The text of a grant's file, with what became other. Raises: Unwritable."""
    try:
        document = tomlkit.parse(text)
        _change(document, grant, amendment)
        made = tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Unwritable(
            f"The file is written in a way that cannot be changed here ({type(error).__name__}). Change it by hand."
        ) from None
    _check(grant, made, amendment)
    return made


def drawn_up(
    client: ClientId,
    purpose: str,
    *,
    statement: str,
    basis: Basis,
    first: date,
    last: date,
    agreement: tuple[str, date, tuple[str, ...]] | None = None,
) -> str:
    """The text of a grant that lists nothing yet."""
    lines = [
        "#:schema ../../../schemas/grant.json",
        "",
        f"client     = {json.dumps(client)}",
        f"purpose    = {json.dumps(purpose)}",
        f"statement  = {json.dumps(statement, ensure_ascii=False)}",
        f"basis      = {json.dumps(basis)}",
        f"not_before = {first}",
        f"not_after  = {last}",
        "",
    ]
    if agreement is not None:
        title, signed, schedule = agreement
        lines += [
            "[agreement]",
            f"title    = {json.dumps(title, ensure_ascii=False)}",
            f"signed   = {signed}",
            f"schedule = [{', '.join(json.dumps(one, ensure_ascii=False) for one in schedule)}]",
            "",
        ]
    return "\n".join([*lines, "[fields]", "", "[rows]", ""])


def _change(document: tomlkit.TOMLDocument, grant: Grant, amendment: Amendment) -> None:
    for key in ("not_before", "not_after", "statement"):
        value = getattr(amendment, key)
        if value is not None:
            document[key] = value
    fields: Any = document["fields"]
    for coordinate in sorted(amendment.removed):
        _take_out(fields, coordinate)
    for coordinate, shown in amendment.fields.items():
        _put(fields, coordinate, shown)
    if amendment.rows is not None:
        _set_rows(document, amendment.rows)
    _let_lapse(document, lapsed(grant, amendment))
    for approval in amendment.restored:
        _restore(document, approval)
    if amendment.approval is not None:
        _approve(document, amendment.approval)


def _named(item: Any) -> str:
    return str(item["field"] if isinstance(item, dict) else item)


def _take_out(fields: Any, coordinate: Coordinate) -> None:
    type_name, _, name = coordinate.partition(".")
    listed = fields.get(type_name)
    if listed is None:
        return
    for n in reversed([n for n, item in enumerate(listed) if _named(item) == name]):
        del listed[n]
    if not len(listed):
        del fields[type_name]


def _put(fields: Any, coordinate: Coordinate, shown: Transform | None) -> None:
    type_name, _, name = coordinate.partition(".")
    item: Any = name
    if shown is not None:
        item = tomlkit.inline_table()
        item.update({"field": name, "as": str(shown)})
    if type_name not in fields:
        fields[type_name] = tomlkit.array()
    listed = fields[type_name]
    places = [n for n, one in enumerate(listed) if _named(one) == name]
    if places:
        listed[places[0]] = item
        for n in reversed(places[1:]):
            del listed[n]
    else:
        listed.append(item)


def _set_rows(document: tomlkit.TOMLDocument, rows: Rows) -> None:
    if "rows" not in document:
        document["rows"] = tomlkit.table()
    table: Any = document["rows"]
    for key in CONDITIONS:
        value = getattr(rows, key)
        if value is None:
            table.pop(key, None)
        elif key not in table or _plain(table[key]) != _plain(value):
            table[key] = list(value) if isinstance(value, tuple) else value


def _plain(value: Any) -> object:
    return [*map(str, value)] if isinstance(value, list | tuple) else value


def _let_lapse(document: tomlkit.TOMLDocument, coordinates: Iterable[Coordinate]) -> None:
    gone = set(coordinates)
    for approval in document.get("approval", ()):
        covers: Any = approval.get("covers")
        for n in reversed([n for n, one in enumerate(covers or ()) if str(one) in gone]):
            del covers[n]


def _restore(document: tomlkit.TOMLDocument, approval: Approval) -> None:
    for entry in document.get("approval", ()):
        if (str(entry["by"]), str(entry["role"]), entry["at"]) == (approval.by, approval.role, approval.at):
            covers: Any = entry.setdefault("covers", tomlkit.array())
            for one in approval.covers:
                if str(one) not in [*map(str, covers)]:
                    covers.append(str(one))
            return
    _approve(document, approval)


def _approve(document: tomlkit.TOMLDocument, approval: Approval) -> None:
    entry: Table | InlineTable = tomlkit.table()
    listed: Any = document.item("approval") if "approval" in document else None
    if isinstance(listed, Array):
        entry = tomlkit.inline_table()
    entry["by"] = approval.by
    entry["role"] = approval.role
    entry["at"] = approval.at
    entry["covers"] = list(approval.covers)
    match listed:
        case None:
            several = tomlkit.aot()
            several.append(entry)
            document.append("approval", several)
        case AoT() | Array():
            listed.append(entry)
        case _:
            raise TypeError("approval")


def _check(grant: Grant, text: str, amendment: Amendment) -> None:
    """INVARIANT: a file that does not say what was decided is never written."""
    try:
        made = parse_grant(grant.file, text.encode())
    except BrokenError as broken:
        raise Unwritable(f"The file would not be readable: {broken.findings[0].message} Change it by hand.") from None
    said = (
        dict(made.fields),
        made.rows,
        made.not_before,
        made.not_after,
        (made.client, made.purpose, made.basis, made.review_by, made.agreement, made.statement),
    )
    statement = grant.statement if amendment.statement is None else amendment.statement
    meant = (
        amendment.after(grant.fields),
        grant.rows if amendment.rows is None else amendment.rows,
        amendment.not_before or grant.not_before,
        amendment.not_after or grant.not_after,
        (grant.client, grant.purpose, grant.basis, grant.review_by, grant.agreement, statement),
    )
    gone = lapsed(grant, amendment)
    covered = [(a.by, a.role, a.at, frozenset(a.covers)) for a in made.approvals]
    expected = [(a.by, a.role, a.at, frozenset(a.covers) - gone) for a in grant.approvals]
    for each in amendment.restored:
        n = next((n for n, one in enumerate(expected) if one[:3] == (each.by, each.role, each.at)), len(expected))
        covers = expected[n][3] if n < len(expected) else frozenset()
        expected[n : n + 1] = [(each.by, each.role, each.at, covers | {*each.covers})]
    new = amendment.approval
    if new is not None:
        expected.append((new.by, new.role, new.at, frozenset(new.covers)))
    if said != meant or covered != expected:
        raise Unwritable("The file would not say what was decided. Change it by hand.")
