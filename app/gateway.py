"""One vendor request, top to bottom. Nothing else happens anywhere."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from app.disclosing import Bytes, Disclosure
from app.errors import RequestError
from app.federation.local import local_values
from app.installation import Installation
from app.oauth.caller import Caller
from app.operation.bind import bind
from app.operation.filtering import check_filters
from app.operation.limits import cost_of
from app.passing_on import Passing
from app.sources.fetch import Asking
from app.telemetry.trail import Trail


@dataclass(frozen=True, slots=True)
class Request:
    """A GraphQL request as HTTP brought it. Nothing of it has been looked at."""

    authorization: str | None
    document: str
    operation_name: str | None
    variables: object
    trail: Trail
    body: bytes = b""  # as it came by POST

    def as_body(self) -> bytes:
        """The request as it is posted."""
        whole = {"query": self.document, "operationName": self.operation_name, "variables": self.variables}
        return self.body or msgspec.json.encode(whole)


@dataclass(frozen=True, slots=True)
class Answer:
    """What leaves: one object, or a stream of chunks of one object."""

    body: bytes | AsyncIterator[Bytes]
    headers: Sequence[tuple[bytes, bytes]] = ()
    cost: int = 0  # what the operation weighs


async def answer(request: Request, rooms: Installation) -> Answer:
    """The answer to a vendor, who asks by an access token. Raises: as `answer_to`."""
    return await answer_to(partial(rooms.authorization.caller, request.authorization), request, rooms)


async def answer_to(calling: Callable[[], Caller], request: Request, rooms: Installation) -> Answer:
    """Token, turn, operation, authorize, plan, execute, record, answer: `stage` names each to the operator.

    Raises: RequestError for the caller's mistakes, TooMany for more than its share, Unavailable if a space or its
    ledger does not answer.
    """
    stage, trail = request.trail.stage, request.trail
    stage("token")
    caller = calling()
    trail.client = caller.client
    stage("turn")
    if caller.space in rooms.premises:  # decided and recorded there; others work here while the premises do
        async with rooms.turns.turn(trail.client):
            caller, quota = calling(), await rooms.rates.spend(trail.client)
        stage("premises")
        passing = Passing(rooms, rooms.premises[caller.space], caller, trail.id)
        body, quota = await passing.pass_on(request.as_body(), quota)
        return Answer(body, quota.headers())
    async with rooms.turns.turn(trail.client) as turn:
        caller = calling()  # its access may have ended while it waited
        quota = await rooms.rates.spend(caller.client)
        ledger = rooms.ledger(caller)
        authority = rooms.authority(caller)
        disclosure = Disclosure(rooms, ledger, caller, authority, trail)
        try:
            stage("operation")
            operation = rooms.operation(request.document, request.operation_name)
            disclosure.operation = operation
            bound = bind(operation, rooms.schema, request.variables, rooms.settings.limits)
            cost = cost_of(operation, rooms.schema).of(bound.variables)
            quota = await rooms.rates.weigh(caller.client, quota, cost)
            stage("authorize")
            authorized = rooms.authorized(operation, authority)
            check_filters(authorized, bound.arguments)
            stage("plan")
            plan = rooms.plan(authorized)
            stage("execute")
            asking = Asking(authority, bound.true, bound.arguments, rooms.settings.limits.chunk, ledger.holdings)
            asked = [one.presented() for one in await rooms.requests(authorized, caller)]
            local = local_values(authorized, rooms.schema, bound.variables, bound.true, asked)
            parts = turn.pieces(rooms.run(plan, asking, bound, local, disclosure.send))
            denials = (one for one in (*authorized.denials, *plan.denials) if one.asked(bound.true))
            return Answer(await disclosure.answer(parts, denials), quota.headers(), cost)
        except RequestError as error:
            await disclosure.refuse(error)
            raise
