"""Requests, decisions and suspensions, in the control database.

Every write that running servers or waiting pages must follow moves the change number.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import RequestError
from app.names import ClientId, Coordinate, SpaceId
from app.requests.form import Form, restored, stored
from app.requests.model import AccessRequest, Deed, Done, State
from app.storage.control import CHANGED, access_request, client, decision
from app.storage.reached import FAILURES, unreached

MOST_OPEN = 20
"""How many requests of one client may be open in a space at once."""

SHOWN = 50
Undo: TypeAlias = Callable[[], Awaitable[None]]
"""What takes back what was written elsewhere."""

UNDECIDED = (State.OPEN, State.WAITING)


async def ask(
    control: AsyncEngine, space: SpaceId, who: ClientId, form: Form, *, now: datetime, asked_by: str = ""
) -> AccessRequest:
    """Keep a request; what an officer has proposed already is not kept twice. Raises: RequestError, Unavailable."""
    try:
        async with control.begin() as connection:
            # INVARIANT: the change number is written first: its row lock lets one request through at a time.
            await connection.execute(CHANGED)
            if await connection.scalar(select(client.c.id).where(client.c.id == who)) is None:
                raise RequestError("There is no such client. Register it first.", code="CLIENT_UNKNOWN")
            here = access_request.c.space == space
            # INVARIANT: a vendor's own requests keep no officer from proposing, nor the other way round.
            own = access_request.c.asked_by != "" if asked_by else access_request.c.asked_by == ""
            mine = here & (access_request.c.client == who) & access_request.c.state.in_(UNDECIDED) & own
            there = [_request(row) for row in await connection.execute(select(access_request).where(mine))]
            same = [one for one in there if (one.state, one.form) == (State.OPEN, form)]
            if asked_by and same:
                return same[0]
            if len(there) >= MOST_OPEN:
                told = "Decide on them first." if asked_by else "Wait for the district."
                whose = f"that officers proposed of {who}" if asked_by else "of yours"
                raise RequestError(
                    f"There are {MOST_OPEN} requests {whose} that nobody has decided. {told}", code="REQUESTS_TOO_MANY"
                )
            last = await connection.scalar(select(func.max(access_request.c.number)).where(here))
            made = AccessRequest(
                space,
                int(last or 0) + 1,
                secrets.token_urlsafe(12),
                who,
                form.purpose,
                State.OPEN,
                moment(int(now.timestamp())),
                asked_by,
                form,
                frozenset(),
                None,
                "",
            )
            await connection.execute(
                insert(access_request).values(
                    space=space,
                    number=made.number,
                    id=made.id,
                    client=who,
                    purpose=form.purpose,
                    state=State.OPEN,
                    asked=int(now.timestamp()),
                    asked_by=asked_by,
                    form=stored(form),
                    given=[],
                    reason="",
                )
            )
            return made
    except FAILURES as error:
        raise unreached(error) from error


async def of_client(control: AsyncEngine, space: SpaceId, who: ClientId) -> Sequence[AccessRequest]:
    """A client's own requests to a space, the newest first. What officers proposed is the district's own."""
    mine = (access_request.c.client == who) & (access_request.c.asked_by == "")
    return await _requests(control, space, mine, limit=SHOWN)


async def by_id(control: AsyncEngine, space: SpaceId, who: ClientId, id: str) -> AccessRequest | None:  # noqa: A002
    """One of a client's own requests by the id that it was given."""
    mine = (access_request.c.client == who) & (access_request.c.id == id) & (access_request.c.asked_by == "")
    return next(iter(await _requests(control, space, mine)), None)


async def by_number(control: AsyncEngine, space: SpaceId, number: int) -> AccessRequest | None:
    """One request to a space."""
    return next(iter(await _requests(control, space, access_request.c.number == number)), None)


async def undecided(control: AsyncEngine, space: SpaceId) -> Sequence[AccessRequest]:
    """The requests that wait for an officer of a space, the newest first."""
    return await _requests(control, space, access_request.c.state.in_(UNDECIDED))


async def newest(control: AsyncEngine, space: SpaceId, limit: int = 200) -> Sequence[AccessRequest]:
    """A space's requests, the newest first."""
    return await _requests(control, space, limit=limit)


@dataclass(frozen=True, slots=True)
class Decision:
    """A request that one officer alone decides on."""

    connection: AsyncConnection
    request: AccessRequest

    async def keep(self, state: State, given: frozenset[Coordinate], done: Done) -> None:
        """Keep what was decided."""
        # The vendor reads every officer's reason, in the order in which they decided.
        reason = " · ".join(filter(None, (self.request.reason, done.reason)))
        values = {"state": state, "given": sorted(given), "decided": int(done.at.timestamp()), "reason": reason}
        this = (access_request.c.space == self.request.space) & (access_request.c.number == self.request.number)
        await self.connection.execute(update(access_request).where(this).values(**values))
        await keep(self.connection, self.request.space, done)


async def _nothing() -> None:
    """Where nothing is written elsewhere."""


@asynccontextmanager
async def deciding(
    control: AsyncEngine, request: AccessRequest, undo: Undo = _nothing
) -> AsyncIterator[Decision | None]:
    """Decide on a request as it was seen, while nobody else can. None: somebody else has done so in the meantime.

    What is written elsewhere is written within, so that of two decisions one is made and the other is not, whole; what
    fails is undone before anybody else is let in. Raises: Unavailable; then nothing is kept.
    """
    this = (access_request.c.space == request.space) & (access_request.c.number == request.number)
    async with _alone(control, undo) as connection:
        state = await connection.scalar(select(access_request.c.state).where(this))
        yield Decision(connection, request) if state == request.state else None


@asynccontextmanager
async def noting(control: AsyncEngine, space: SpaceId, undo: Undo) -> AsyncIterator[Callable[[Done], Awaitable[None]]]:
    """Keep what an officer does without a request, and what is written elsewhere within: both, or neither.

    Raises: Unavailable.
    """
    async with _alone(control, undo) as connection:
        yield partial(keep, connection, space)


@asynccontextmanager
async def _alone(control: AsyncEngine, undo: Undo) -> AsyncIterator[AsyncConnection]:
    try:
        async with control.connect() as connection:
            # INVARIANT: the change number is written first: its row lock lets one decision through at a time, and no
            # policy is published meanwhile, so that nobody follows what is undone.
            await connection.execute(CHANGED)
            try:
                yield connection
                await connection.commit()
            except BaseException:
                await undo()
                raise
    except FAILURES as error:
        raise unreached(error) from error


async def decisions(
    control: AsyncEngine, space: SpaceId, *, who: ClientId | None = None, request: int | None = None
) -> Sequence[Done]:
    """What officers did of a client, or of a request, the newest first."""
    query = select(decision).where(decision.c.space == space).order_by(decision.c.number.desc()).limit(SHOWN)
    if who is not None:
        query = query.where(decision.c.client == who)
    if request is not None:
        query = query.where(decision.c.request == request)
    return [_done(row) for row in await read_rows(control, query)]


async def revocations(control: AsyncEngine, space: SpaceId, who: ClientId | None = None) -> Sequence[Done]:
    """Every file of a grant that officers ended, of one client or of all, the newest first."""
    query = select(decision).where(decision.c.space == space, decision.c.deed == Deed.REVOKE)
    if who is not None:
        query = query.where(decision.c.client == who)
    return [_done(row) for row in await read_rows(control, query.order_by(decision.c.number.desc()))]


async def keep(connection: AsyncConnection, space: SpaceId, done: Done) -> None:
    """Keep a deed, in a transaction of the caller's."""
    await connection.execute(
        insert(decision).values(
            space=space,
            client=done.client,
            purpose=done.purpose,
            at=int(done.at.timestamp()),
            by=done.by,
            role=done.role,
            deed=done.deed,
            reason=done.reason,
            request=done.request,
            file=done.file,
            revision=done.revision,
        )
    )


async def _requests(
    control: AsyncEngine, space: SpaceId, where: Any = None, limit: int = 1_000
) -> Sequence[AccessRequest]:
    query = select(access_request).where(access_request.c.space == space)
    if where is not None:
        query = query.where(where)
    query = query.order_by(access_request.c.number.desc()).limit(limit)
    return [_request(row) for row in await read_rows(control, query)]


async def read_rows(control: AsyncEngine, query: Any) -> Sequence[Row[Any]]:
    """The rows of a query. Raises: Unavailable."""
    try:
        async with control.connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return rows
    except FAILURES as error:
        raise unreached(error) from error


def _request(row: Row[Any]) -> AccessRequest:
    return AccessRequest(
        SpaceId(row.space),
        row.number,
        row.id,
        ClientId(row.client),
        row.purpose,
        State(row.state),
        moment(row.asked),
        row.asked_by,
        restored(row.form),
        frozenset(map(Coordinate, row.given)),
        None if row.decided is None else moment(row.decided),
        row.reason,
    )


def _done(row: Row[Any]) -> Done:
    return Done(
        ClientId(row.client),
        row.purpose,
        moment(row.at),
        row.by,
        row.role,
        Deed(row.deed),
        row.reason,
        row.request,
        row.file,
        row.revision,
    )


def moment(seconds: int) -> datetime:
    """A moment as the database keeps it: seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
