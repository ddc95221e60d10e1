"""Any supergraph, without district policy: for development and conformance, on loopback alone.

This is the one place beside `authorize` where an operation is planned, and the gateway may not import it.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from graphql import OperationType
from starlette.applications import Starlette
from starlette.routing import Route

from app.addresses import host_of
from app.errors import ConfigurationError, RequestError, Unauthenticated
from app.federation.completion import Completion, Unfit
from app.federation.filling import Filling, filling
from app.federation.planning import plan_operation
from app.federation.steps import Fetch, QueryPlan
from app.federation.supergraph_sdl import Composed, read_supergraph
from app.federation.waves import Gathering, Heard, Silent
from app.gateway import Answer, Request
from app.operation.introspection import introspect
from app.operation.model import Operation, holds
from app.operation.parse import parse_operation
from app.operation.variables import coerce_variables
from app.settings import Limits
from app.subgraphs.endpoint import Connections, Endpoint, SubgraphFailed, Tally, answered, check_target
from app.web.graphql import GraphQL
from app.web.site import site

PLANS = 1_000
"""How many operations are kept planned."""

CONDITIONS = 64
"""For how many sets of conditions it is kept how an operation is answered."""

T = TypeVar("T")

encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Planned:
    """An operation with how it is answered."""

    operation: Operation
    plan: QueryPlan
    completion: Completion
    _fillings: dict[frozenset[str], Filling | None] = field(default_factory=dict)

    def filling(self, true: frozenset[str]) -> Filling | None:
        """How it is answered out of records, under these conditions."""
        if true not in self._fillings:
            if len(self._fillings) >= CONDITIONS:
                self._fillings.clear()
            self._fillings[true] = filling(self.operation, self.completion.question, self.plan, true)
        return self._fillings[true]


@dataclass(slots=True)
class Federation:
    """A supergraph with its subgraphs."""

    composed: Composed
    limits: Limits
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    _plans: OrderedDict[tuple[str, str | None], Planned] = field(default_factory=OrderedDict)

    def open(self, connections: Connections) -> None:
        """Have connections to every subgraph."""
        for graph, subgraph in self.composed.subgraphs.items():
            self.endpoints[graph] = Endpoint(subgraph.name, subgraph.url, connections)

    async def answer(self, request: Request) -> Answer:
        """Operation, plan, execute, answer."""
        planned = self.planned(request.document, request.operation_name)
        operation = planned.operation
        if operation.definition.operation is OperationType.MUTATION and not request.body:
            raise RequestError(
                "A link or a picture must change nothing. Send mutations by POST.",
                code="METHOD_NOT_ALLOWED",
                status=HTTPStatus.METHOD_NOT_ALLOWED,
            )
        variables = coerce_variables(operation, self.composed.schema, request.variables, self.limits)
        true = frozenset(name for name in operation.conditions if variables[name])
        local: dict[str, object] = {}
        if any(root.field.startswith("__") and holds(root.when, true) for root in operation.roots):
            local = introspect(operation, self.composed.schema, variables)
        asked = Asked(self.endpoints)
        filled = planned.filling(true)
        if filled is not None and (body := await filled.answer(asked.read, variables)) is not None:
            return Answer(body)
        gathering = Gathering(asked.ask, variables, true)
        await gathering.run(planned.plan)
        if not gathering.problems:
            try:
                return Answer(encode({"data": planned.completion.straight(gathering.tree, true, local)}))
            except Unfit:
                pass
        data, errors = planned.completion.careful(gathering.tree, true, local, gathering.problems)
        whole: dict[str, Any] = {"errors": errors, "data": data} if errors else {"data": data}
        return Answer(encode(whole))

    def planned(self, document: str, name: str | None) -> Planned:
        """The operation of a text with its plan, made once."""
        key = (document, name)
        kept = self._plans.get(key)
        if kept is None:
            operation = parse_operation(document, name, self.composed.schema, self.limits)
            if operation.definition.operation is OperationType.SUBSCRIPTION:
                raise RequestError("Subscriptions are not served. Ask by a query.", code="NO_SUBSCRIPTIONS")
            made = plan_operation(operation, self.composed)
            kept = self._plans[key] = Planned(operation, made.plan, Completion(operation, made.question))
            if len(self._plans) > PLANS:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(key)
        return kept


@dataclass(slots=True)
class Asked:
    """What subgraphs are asked for one answer. INVARIANT: nothing is asked twice, whichever way reads it."""

    endpoints: Mapping[str, Endpoint]
    _heard: dict[tuple[int, bytes], bytes | Silent] = field(default_factory=dict)

    async def read(self, fetch: Fetch, body: bytes, decoder: "msgspec.json.Decoder[Any]") -> Any:
        """Send one request of a plan, and read its answer; None if there is none, or none that fits."""

        def reading(whole: bytes) -> Any:
            try:
                return decoder.decode(whole)
            except msgspec.ValidationError:
                answered(whole)
                return None
            finally:
                self._heard[fetch.number, body] = whole

        try:
            return await self._send(fetch, body, reading, Tally())
        except Silent as error:
            self._heard[fetch.number, body] = error
            return None

    async def ask(self, fetch: Fetch, body: bytes, tally: Tally) -> Heard:
        """Send one request of a plan, unless it was answered already."""
        heard = self._heard.pop((fetch.number, body), None)
        if isinstance(heard, Silent):
            raise heard
        found = answered(heard) if heard is not None else await self._send(fetch, body, answered, tally)
        return Heard(found.data, found.errors or ())

    async def _send(self, fetch: Fetch, body: bytes, reading: Callable[[bytes], T], tally: Tally) -> T:
        endpoint = self.endpoints[fetch.subgraph]
        again = not fetch.document.startswith("mutation")
        try:
            return await endpoint.read(body, reading, again=again, tally=tally)
        except SubgraphFailed as error:
            raise Silent(f"{endpoint.name}: {error}") from None


def federated(supergraph: Path, limits: Limits | None = None) -> Starlette:
    """The application that serves a supergraph's file. Raises: ConfigurationError."""
    try:
        composed = read_supergraph(supergraph.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"It cannot be read ({type(error).__name__}).", file=str(supergraph)) from None
    for subgraph in composed.subgraphs.values():
        check_target(subgraph.url, file=str(supergraph), key=subgraph.name, insecure=True)
    # Whoever reaches loopback may ask for more than a vendor may.
    federation = Federation(composed, limits or replace_limits())
    graph = GraphQL(
        federation.answer,
        challenge=_no_challenge,
        body_bytes=federation.limits.body_bytes,
        stream_seconds=federation.limits.stream_seconds,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with Connections({host_of(one.url) or "" for one in composed.subgraphs.values()}) as connections:
            federation.open(connections)
            yield

    return site([Route("/graphql", graph)], lifespan=lifespan)


def replace_limits() -> Limits:
    """Limits for development: generous, and still bounds."""
    return msgspec.structs.replace(Limits(), depth=50, edges=5_000)


def _no_challenge(_error: Unauthenticated) -> str:
    return "Bearer"
