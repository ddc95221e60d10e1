"""The shape of a record as the client asked for it, and the function that makes it of a row.

For each selection set one struct and one function are generated, once per plan: a row costs a copy. Nothing of the
operation's text is in the generated source but numbers: response keys are given to the struct as data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import msgspec


class Kind(Enum):
    """Where one value of the record comes from."""

    CONSTANT = auto()  # the same for every record: __typename, or null where a field is withheld
    ID = auto()
    VALUE = auto()
    FLAG = auto()  # SQLite keeps booleans as 0 and 1
    JSON = auto()  # text that is JSON already
    ALIAS = auto()  # the district's own key of a person, which leaves as this client's name for them
    ONE = auto()  # a record of another level, by the key in `column`
    MANY = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of the record."""

    response_key: str
    kind: Kind
    column: int = 0  # of the row; for MANY the row number's
    level: int = 0  # for ONE and MANY
    constant: str | None = None


class Gathering(Enum):
    """What the records are gathered in."""

    LIST = auto()
    BY_ROW = auto()  # {row number: record}
    BY_PARENT = auto()  # {parent's row number: [record]}, from rows in the order of their parents


Make = Callable[..., Any]


def shape(
    slots: Sequence[Slot],
    width: int,
    gathering: Gathering,
    *,
    levels: int,
    alias: Callable[[str], str],
    key: int = 0,
) -> Make:
    """The function `make(rows, ids, level0, level1, …)`.

    Shape: rows have `width` columns; `key` is the column that they are gathered by; `ids` has one id for each row,
    if there is a slot that asks for it.
    """
    struct = msgspec.defstruct(
        "Record",
        [(f"f{n}", Any) for n in range(len(slots))],
        rename={f"f{n}": slot.response_key for n, slot in enumerate(slots)},
        gc=False,
    )
    names: dict[str, object] = {"Record": struct, "Raw": msgspec.Raw, "alias": alias}
    for n, slot in enumerate(slots):
        names[f"k{n}"] = slot.constant
    identified = any(slot.kind is Kind.ID for slot in slots)
    record = f"Record({', '.join(_value(n, slot) for n, slot in enumerate(slots))})"
    row = "(" + "".join(f"c{n}, " for n in range(width)) + ")"
    each, source = (f"{row}, i", "zip(rows, ids)") if identified else (row, "rows")
    arguments = ", ".join(["rows", "ids", *(f"m{n}" for n in range(levels))])
    getters = "".join(f"    g{n} = m{n}.get\n" for n in range(levels))
    match gathering:
        case Gathering.LIST:
            body = f"    return [{record} for {each} in {source}]\n"
        case Gathering.BY_ROW:
            body = f"    return {{c{key}: {record} for {each} in {source}}}\n"
        case Gathering.BY_PARENT:
            body = (
                "    out, last = {}, None\n"
                f"    for {each} in {source}:\n"
                f"        if c{key} != last:\n"
                f"            last = c{key}\n"
                "            out[last] = bucket = []\n"
                "            add = bucket.append\n"
                f"        add({record})\n"
                "    return out\n"
            )
    exec(f"def make({arguments}):\n{getters}{body}", names)  # noqa: S102 - made of numbers alone
    made = names["make"]
    assert callable(made)  # noqa: S101 - for the type checker
    return made


def _value(n: int, slot: Slot) -> str:
    c = f"c{slot.column}"
    match slot.kind:
        case Kind.CONSTANT:
            return f"k{n}"
        case Kind.ID:
            return "i"
        case Kind.VALUE:
            return c
        case Kind.FLAG:
            return f"None if {c} is None else {c} == 1"
        case Kind.JSON:
            return f"None if {c} is None else Raw({c})"
        case Kind.ALIAS:
            return f"None if {c} is None else alias({c})"
        case Kind.ONE:
            return f"g{slot.level}({c})"
        case Kind.MANY:
            return f"g{slot.level}({c}, ())"


Records = Mapping[int, Any] | list[Any]
