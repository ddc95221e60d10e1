"""`/console/disclosures`: the ledger, searched by vendor, field, day and student, as a page and as a file."""

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import inf
from urllib.parse import quote

from pyroaring import BitMap
from starlette.responses import Response

from app.console.defused import defused
from app.console.finding import student_rows
from app.console.visit import Rejected, Visit
from app.console.wording import plural
from app.ledger.acts import sentence, whom
from app.ledger.checkpoints import Checkpoint
from app.ledger.entry import OWN, Kind, Recorded, beginning
from app.ledger.reading import Filters, Found, head, search
from app.ledger.summed import active, catch_up, used_fields
from app.ledger.verify import spot_check

PAGE, IN_A_FILE = 50, 10_000
LOOKED_THROUGH = 100_000
PATIENCE = 0.1
"""Units: seconds that a page looks through the ledger, and then shows what there is, and from where to go on."""

ALIKE = 8
"""How many fields of the same name are proposed to whoever wrote it without its type."""

TOLD = 5
"""How many findings are told above the table; each entry that is shown bears its own."""

YEARS = 1970, 2200
"""What is no year of a ledger's is a slip, or beyond what a calendar can count."""

OPTING = frozenset({Kind.OPT_OUT, Kind.OPT_IN})
"""Acts whose client is what a family opted out of, or back in."""

NAMES = ("vendor", "field", "since", "until", "student")
NOTHING_GIVEN = "Answer, nothing given"
"""What an answer is called that nothing left with: everything was denied, or there was no record."""

KINDS = {
    "answer": "Answer",
    "refusal": "Refusal",
    "opening": "Long answer begins",
    "chunk": "Part of a long answer",
    "closing": "Long answer ends",
    "aborted": "Long answer broken off",
    "preview": "Preview by an officer",
    "sent": "Told to a subgraph",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, as a page shows it."""

    sequence: int
    at: datetime
    kind: str
    client: str
    purpose: str
    told: str  # in a sentence
    fields: tuple[str, ...]
    denied: tuple[tuple[str, str], ...]  # coordinate, reason

    @property
    def by_type(self) -> Mapping[str, Sequence[str]]:
        """The fields of each type."""
        found: dict[str, list[str]] = {}
        for coordinate in self.fields:
            type_, _, name = coordinate.partition(".")
            found.setdefault(type_, []).append(name)
        return found

    @property
    def by_reason(self) -> Mapping[str, Sequence[str]]:
        """What was denied for each reason."""
        found: dict[str, list[str]] = {}
        for coordinate, reason in self.denied:
            found.setdefault(reason, []).append(coordinate)
        return found


@dataclass(frozen=True, slots=True)
class Chain:
    """How the chain stands where this page looked at it: all of it is checked by `homeroom disclosures verify`."""

    last: int  # the number of the last entry
    checkpoint: Checkpoint | None  # None, where there are entries: none can be read
    unfit: Mapping[int, Sequence[str]]  # what is amiss with the entries that were looked at, by their numbers

    @property
    def holds(self) -> bool:
        """Whether nothing is amiss with what was looked at."""
        return not self.unfit and (self.checkpoint is not None or not self.last)


async def show(visit: Visit) -> Response:
    """One page of the ledger, the newest first."""
    asked = {name: visit.asked(name) for name in NAMES}
    try:
        found = await look(visit, asked, limit=PAGE, most=5_000, seconds=PATIENCE)
        said = ""
    except Rejected as error:
        found, said = Found((), None), error.message
    onward = f"{found.onward[0]}-{found.onward[1]}" if found.onward else ""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items() if value)
    return visit.page(
        "disclosures.html",
        asked=asked,
        query=query,
        lines=[line(one) for one in found.entries],
        onward=onward,
        back_to=datetime.fromtimestamp(found.onward[0] / 1_000_000, UTC) if found.onward else None,
        page=PAGE,
        most=TOLD,
        said=said,
        chain=await chain(visit, {*(one.sequence for one in found.entries), *found.unreadable[:PAGE]}),
        vendors=await vendors(visit, asked["vendor"]),
        coordinates=sorted(visit.desk.vocabulary.facts),
    )


async def vendors(visit: Visit, asked: str) -> list[str]:
    """Those that have a grant, those that asked when they had one, and whom somebody searches for."""
    granted = {str(grant.client) for grant in visit.policy.grants}
    return sorted({*granted, *await active(visit.place.ledger), *filter(None, [asked])})


async def as_csv(visit: Visit) -> Response:
    """The same search as a file."""
    asked = {name: visit.asked(name) for name in NAMES}
    found = await look(visit, asked, limit=IN_A_FILE, most=LOOKED_THROUGH)
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["entry", "time", "kind", "vendor", "purpose", "basis", "revision", "students", "fields", "denied"])
    for one in found.entries:
        entry = one.entry
        shown = line(one)
        rows.writerow(
            defused(
                [
                    str(one.sequence),
                    entry.at.astimezone(visit.zone).isoformat(timespec="seconds"),
                    entry.kind,
                    shown.client,
                    entry.purpose,
                    entry.basis or "",
                    entry.revision or "",
                    str(students(one)),
                    " ".join(shown.fields),
                    "; ".join(f"{coordinate} {reason}" for coordinate, reason in shown.denied),
                ]
            )
        )
    for number in found.unreadable:
        rows.writerow([str(number), "", "This entry cannot be read: somebody has edited it."])
    if found.onward:
        rows.writerow(["", "", "There is more: choose fewer days."])
    return visit.file("\ufeff" + out.getvalue(), f"disclosures-{visit.space.replace('/', '-')}-{visit.today}.csv")


async def look(visit: Visit, asked: dict[str, str], *, limit: int, most: int, seconds: float = inf) -> Found:
    """The entries that are asked for. Raises: Rejected, Unavailable."""
    since, until = day_of(asked["since"]), day_of(asked["until"])
    if since and until and since > until:
        raise Rejected(
            "The first day of the search is after its last, so that no entry can fit. Exchange the two days."
        )
    if asked["field"]:
        await known(visit, asked["field"])
    rows = await student_rows(visit, asked["student"]) if asked["student"] else None
    filters = Filters(
        client=asked["vendor"] or None,
        since=None if since is None else datetime.combine(since, time(), visit.zone),
        until=None if until is None else datetime.combine(until + timedelta(days=1), time(), visit.zone),
        students=rows,
    )
    place = re.fullmatch(r"(\d{1,18})-(\d{1,18})", visit.asked("before"))
    before = (int(place[1]), int(place[2])) if place else None
    return await search(
        visit.place.ledger,
        filters,
        field=asked["field"] or None,
        before=before,
        limit=limit,
        most=most,
        seconds=seconds,
    )


async def known(visit: Visit, field: str) -> None:
    """See that there is such a field, or was one when something left. Raises: Rejected, Unavailable."""
    there = [str(one) for one in sorted(visit.desk.vocabulary.facts)]
    if field in there:
        return
    await catch_up(visit.place.ledger, visit.zone)
    if any(field == coordinate for _, _, coordinate in await used_fields(visit.place.ledger)):
        return
    name = field.rpartition(".")[2].lower()
    alike = [one for one in there if one.lower() == field.lower()]
    alike = alike or [one for one in there if one.rpartition(".")[2].lower() == name]
    advice = f"Write {' or '.join(alike[:ALIKE])}." if alike else "Choose one of the list that opens beneath the box."
    raise Rejected(f"The graph has no field {field}, so that nothing was looked for. {advice}")


def day_of(text: str) -> date | None:
    """A day as it was typed. Raises: Rejected."""
    try:
        day = date.fromisoformat(text) if text else None
        if day is not None and not YEARS[0] <= day.year <= YEARS[1]:
            raise ValueError
    except ValueError:
        raise Rejected("A day is written as year-month-day, such as 2026-10-15. Correct it.") from None
    return day


def line(recorded: Recorded) -> Line:
    """An entry for people."""
    entry = recorded.entry
    fields = tuple(sorted({coordinate for whose in entry.disclosed for coordinate in whose.coordinates}))
    if entry.kind in OWN:
        client = whom(entry.client) if entry.kind in OPTING else entry.client
        return Line(recorded.sequence, entry.at, "The district's own act", client, "", sentence(entry), (), ())
    parts = [plural(students(recorded), "student")] if fields else []
    if entry.officer is not None:
        parts.append(f"by {entry.officer}; nothing left to the vendor")
    for whose in entry.removed:
        parts.append(f"told to remove {plural(whose.records, 'record')} ({', '.join(whose.coordinates)})")
    kind = KINDS.get(entry.kind, str(entry.kind))
    if entry.kind is Kind.ANSWER and not fields and not entry.removed:
        kind = NOTHING_GIVEN
        parts += [] if entry.denied else ["it asked for no record, or there was none"]
    if entry.subgraph is not None:
        parts.append(f"to {entry.subgraph}")
    told = "; ".join(parts)
    return Line(recorded.sequence, entry.at, kind, entry.client, entry.purpose, told, fields, entry.denied)


def students(recorded: Recorded) -> int:
    """Of how many students something left with an entry."""
    found = BitMap()
    for whose in recorded.entry.disclosed:
        found |= whose.students or BitMap()
    return len(found)


async def chain(visit: Visit, shown: Collection[int]) -> Chain:
    """How the chain stands at its last checkpoint and at the entries that are shown. Raises: Unavailable."""
    # INVARIANT: the checkpoint is read first: what it vouches for is in the database by now.
    checkpoint = visit.place.checkpoints.last()
    vouched = checkpoint.receipt if checkpoint else beginning(visit.space)
    unfit = await spot_check(visit.place.ledger, visit.space, shown, vouched)
    return Chain(await head(visit.place.ledger), checkpoint, unfit)
