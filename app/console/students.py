"""`/console/students/ID`, for a parent: who received which fields of my child, when, what for, on what basis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from starlette.responses import Response

from app.console.finding import student_rows
from app.console.holding import authority_of
from app.console.visit import Absent, Rejected, Visit
from app.ledger.acts import whom
from app.ledger.report import BASES, Received, describe_fields
from app.ledger.summed import catch_up, received
from app.names import DIRECTORY_INFORMATION, EVERY_VENDOR, ClientId
from app.oauth.clients import list_clients
from app.spaces.lookup import student_name, student_row
from app.spaces.opt_outs import standing_of

DAYS = 12
"""How many days are named one by one."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor that received something."""

    name: str
    client: str
    purposes: Sequence["Purpose"]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What it received for one purpose, and why the law allows it."""

    sentence: str
    basis: str
    received: Sequence[tuple[Sequence[str], Received]]  # the fields in plain language, line by line
    statement: str = ""  # what the grant says to parents, where there is one


async def find(visit: Visit) -> Response:
    """Ask for a student; the key may have been typed already."""
    key = visit.asked("key")
    if not key:
        return visit.page("students.html", said="", key="")
    try:
        await student_rows(visit, key)
    except Rejected as error:
        return visit.page("students.html", 404, said=error.message, key=key)
    return await page_of(visit, key)


async def show(visit: Visit) -> Response:
    """The page of one student."""
    return await page_of(visit, visit.request.path_params["key"])


async def page_of(visit: Visit, key: str) -> Response:
    """What left of one student, in plain language."""
    try:
        rows = await student_rows(visit, key)
    except Rejected as error:
        raise Absent(error.message) from None
    behind = await catch_up(visit.place.ledger, visit.zone)
    left = await received(visit.place.ledger, rows)
    names = {str(client.id): client.name for client in await list_clients(visit.desk.rooms.control)}
    purposes = visit.district.purposes if visit.district else {}
    row = await student_row(visit.place.records, key)
    opted = [(one.client, said_of(one.client, names), one.at) for one in await standing_of(visit.place.records, key)]
    return visit.page(
        "student.html",
        key=key,
        name="" if row is None else await student_name(visit.place.records, row),
        vendors=by_vendor(left, names, purposes, lambda client, purpose: statement(visit, client, purpose)),
        opted=opted,
        every=EVERY_VENDOR,
        most=DAYS,
        behind=behind,
    )


def described(coordinates: Sequence[str]) -> list[str]:
    """The fields of each type on a line of its own, the student's own first."""
    lines = sorted(describe_fields(coordinates), key=lambda line: not line.startswith("student:"))
    return [f"{line[:1].upper()}{line[1:]}" for line in lines]


def said_of(client: str, names: Mapping[str, str]) -> str:
    """What a family opted out of, with the name of a vendor."""
    return whom(client) if client in {EVERY_VENDOR, DIRECTORY_INFORMATION} else names.get(client, client)


def statement(visit: Visit, client: str, purpose: str) -> str:
    """What the grant to a vendor for a purpose says to parents; empty where none stands."""
    grant = authority_of(visit, ClientId(client), purpose).grant
    return grant.statement if grant else ""


def by_vendor(
    left: Sequence[Received],
    names: Mapping[str, str],
    purposes: Mapping[str, str],
    said: Callable[[str, str], str],
) -> list[Vendor]:
    """What left, vendor by vendor, purpose by purpose, with what the grant says of it."""
    made = []
    for client, of_client in groupby(left, key=lambda each: each.client):
        parts = []
        for (purpose, basis), group in groupby(of_client, key=lambda each: (each.purpose, each.basis)):
            told = [(described(each.coordinates), each) for each in group]
            law = BASES.get(basis or "", basis or "on no basis that was recorded")
            parts.append(Purpose(purposes.get(purpose, purpose), law, told, said(client, purpose)))
        made.append(Vendor(names.get(client, client), client, parts))
    return made
