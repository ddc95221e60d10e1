"""What the district did with its own records, as entries of the ledger and as sentences."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from app.ledger.entry import Entry, Kind, Whose
from app.ledger.report import plain
from app.names import DIRECTORY_INFORMATION, EVERY_VENDOR

OPT_OUTS = "OptOut"
"""What stands for the opt-outs that went with an erased student."""


def act(kind: Kind, at: datetime, concerned: Iterable[Whose], *, client: str = "") -> Entry:
    """The entry of an act. `client` is what an opt-out is of: see `app.names`; empty too where there is none."""
    return Entry(kind=kind, at=at, request=uuid4().hex, client=client, purpose="", concerned=tuple(concerned))


def sentence(entry: Entry) -> str:
    """What was done, in a sentence."""
    vendor = whom(entry.client)
    records = listed(entry.concerned)
    match entry.kind:
        case Kind.OPT_OUT:
            return f"Opted out of {vendor}: {records}."
        case Kind.OPT_IN:
            return f"No longer opted out of {vendor}: {records}."
        case Kind.RETENTION:
            return f"Deleted at the end of their retention: {records}."
        case Kind.ERASURE:
            return f"Erased, a student with everything of theirs: {records}."
        case Kind.READMISSION:
            return "An erased student may be imported again."
        case _:
            raise AssertionError(f"{entry.kind} is no act of the district's")


def whom(client: str) -> str:
    """What a family opts out of, in words."""
    return {EVERY_VENDOR: "every vendor", DIRECTORY_INFORMATION: "directory information"}.get(client, client)


def listed(concerned: Iterable[Whose]) -> str:
    """Records by type: `1 student, 3 grades`."""
    counts = [(named(type_), whose.records) for whose in concerned for type_ in whose.coordinates]
    return ", ".join(f"{count:,} {counted(name, count)}" for name, count in counts) or "nothing"


def named(type_: str) -> str:
    """A type in plain language."""
    return "opt-out" if type_ == OPT_OUTS else plain(type_)


def counted(name: str, count: int) -> str:
    """A type's name in the number that is counted."""
    if count == 1 or name == "staff":
        return name
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
