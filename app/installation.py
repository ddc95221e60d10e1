"""One running Homeroom: its settings, and every room that a request passes, opened once.

INVARIANT: what depends on policy or on a client's standing is kept only while the authority that it was made for is
the one in force; the caches are keyed by it, and it changes whenever a file, a client or the day does.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from time import monotonic
from typing import Generic, TypeVar

from graphql import GraphQLSchema
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.federation.execute import Part, execute
from app.federation.joining import Sending
from app.federation.plan import Plan, plan
from app.federation.remotes import Remotes, Together
from app.federation.supergraph import CORE, Supergraph
from app.ledger.ledger import Ledger
from app.names import SpaceId
from app.oauth.authorization import Authorization
from app.oauth.caller import Caller, Standing
from app.operation.authorize import authorize
from app.operation.bind import Bound
from app.operation.decided import Authorized, Root
from app.operation.model import Operation
from app.operation.parse import parse_operation
from app.operation.vocabulary import CORE_VOCABULARY
from app.policy.authority import Authority, authority
from app.policy.model import PolicySet
from app.requests.model import AccessRequest
from app.requests.store import of_client
from app.settings import Settings
from app.sources.fetch import Asking
from app.spaces.identifiers import identifiers
from app.spaces.space import Space
from app.subgraphs.endpoint import Endpoint
from app.subgraphs.premises import Site
from app.traffic.rates import Rates
from app.traffic.turns import Turns

Clock = Callable[[], datetime]
LAGGING = 10.0
"""Units: seconds that a server answers without having followed policies, clients and revocations."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def now() -> datetime:
    """This moment, with its time zone."""
    return datetime.now(UTC)


TEXT = 2_000_000
"""How many characters of queries are kept parsed, and as many planned: a flood of new ones costs no more memory."""


EACH = 1_000
"""What the shortest query weighs, in characters."""


def weight(operation: Operation) -> int:
    """What an operation weighs: what a schema of few types makes of a query grows with its text."""
    source = operation.document.loc
    return EACH + (len(source.source.body) if source else TEXT)


class Recent(Generic[K, V]):
    """The values that were used last, as many as weigh no more than `budget` together."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._weight = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, which is now the most recent; None if it is not kept."""
        kept = self._values.get(key)
        if kept is None:
            return None
        self._values.move_to_end(key)
        return kept[0]

    def keep(self, key: K, value: V, weight: int = 1) -> V:
        """Keep a value, and let the least recent go."""
        self._weight += weight - self._values.pop(key, (None, 0))[1]
        self._values[key] = (value, weight)
        while self._weight > self._budget:
            self._weight -= self._values.popitem(last=False)[1][1]
        return value

    def clear(self) -> None:
        """Let everything go."""
        self._values.clear()
        self._weight = 0


@dataclass(slots=True)
class Installation:
    """The rooms of one process. `policies` is swapped whole; nothing else changes after the start."""

    settings: Settings
    schema: GraphQLSchema
    supergraph: Supergraph
    control: AsyncEngine
    authorization: Authorization
    spaces: dict[SpaceId, Space]
    ledgers: dict[SpaceId, Ledger]
    policies: PolicySet
    turns: Turns
    rates: Rates
    remotes: Remotes | None = None  # the subgraphs that the graph was composed of, if there are any
    endpoints: Mapping[SpaceId, Mapping[str, Endpoint]] = field(default_factory=dict)  # by space and subgraph
    premises: Mapping[SpaceId, Site] = field(default_factory=dict)  # of the spaces that are kept elsewhere
    clock: Clock = now
    followed: float = inf  # when it last took in what changed, by the monotonic clock
    _operations: Recent[tuple[str, str | None], Operation] = field(default_factory=lambda: Recent(TEXT))
    _authorized: Recent[tuple[Operation, Authority], Authorized] = field(default_factory=lambda: Recent(TEXT))
    _plans: Recent[Authorized, Plan | Together] = field(default_factory=lambda: Recent(TEXT))
    _authorities: Recent[tuple[Hashable, ...], tuple[datetime, Authority]] = field(default_factory=lambda: Recent(4096))

    def ledger(self, caller: Caller) -> Ledger:
        """The ledger of the one space that the token names. Raises: Unavailable if this server does not serve it."""
        try:
            return self.ledgers[caller.space]
        except KeyError:
            raise Unavailable("This server does not serve the space that the token names.") from None

    def standing(self, caller: Caller) -> Standing:
        """How a caller's client stands at this moment, here or at the gateway that presented it.

        Raises: Unavailable, if this server has lost sight of what was withdrawn.
        """
        if monotonic() - self.followed > LAGGING:
            raise Unavailable("The control database has not answered for too long: what it took back is not known.")
        if caller.presented is not None:
            return self.authorization.presented(caller, caller.presented)
        return self.authorization.standing(caller.client, caller.space)

    def authority(self, caller: Caller) -> Authority:
        """What decides for a caller at this moment. Raises: Unavailable."""
        standing = self.standing(caller)
        key = (caller.client, caller.space, caller.purpose, caller.scopes, standing)
        moment = self.clock()
        kept = self._authorities.get(key)
        # A clock that jumps back meets no authority of a day that is no more.
        if kept is not None and kept[0] <= moment < kept[1].valid_until:
            return kept[1]
        made = authority(
            self.policies,
            client=caller.client,
            space=caller.space,
            purpose=caller.purpose,
            scopes=caller.scopes,
            registered=standing.registered,
            suspended=standing.suspended,
            now=moment,
        )
        return self._authorities.keep(key, (moment, made))[1]

    async def requests(self, authorized: Authorized, caller: Caller) -> Sequence[AccessRequest]:
        """What the caller has asked of the district, where an operation asks for that. Raises: Unavailable."""
        if not any(isinstance(root, Root) and root.field == "requests" for root in authorized.roots):
            return ()
        return await of_client(self.control, caller.space, caller.client)

    def operation(self, document: str, name: str | None) -> Operation:
        """The operation of that text and name; parsed, validated and costed once. Raises: RequestError."""
        key = (document, name)
        kept = self._operations.get(key)
        if kept is not None:
            return kept
        parsed = parse_operation(document, name, self.schema, self.settings.limits)
        return self._operations.keep(key, parsed, EACH + len(document))

    def authorized(self, operation: Operation, by: Authority) -> Authorized:
        """What is left of an operation under an authority; decided once."""
        key = (operation, by)
        kept = self._authorized.get(key)
        if kept is None:
            offered = frozenset(self.endpoints.get(by.space, ()))
            known = self.remotes.vocabulary if self.remotes is not None else CORE_VOCABULARY
            kept = self._authorized.keep(key, authorize(operation, by, known, offered), weight(operation))
        return kept

    def plan(self, authorized: Authorized) -> Plan | Together:
        """How what is left of an operation is fetched; planned once."""
        kept = self._plans.get(authorized)
        return kept or self._plans.keep(authorized, self._planned(authorized), weight(authorized.operation))

    def _planned(self, authorized: Authorized) -> Plan | Together:
        if self.remotes is None or not self.remotes.asked(authorized):
            return plan(authorized, self.supergraph)
        by = authorized.authority
        names = identifiers(self.spaces[by.space].secret, by.space, by.client)
        return self.remotes.plan(authorized, frozenset(self.endpoints.get(by.space, ())), names.seal_key)

    def run(
        self, plan: Plan | Together, asking: Asking, bound: Bound, local: Mapping[str, object], sending: Sending
    ) -> AsyncGenerator[Part]:
        """The parts of an answer: from the space alone, chunk by chunk, or from it and its subgraphs together."""
        name = asking.authority.space
        space = self.spaces[name]
        if isinstance(plan, Plan):
            return execute(plan, asking, {CORE: space}, local)
        if self.remotes is None:
            raise AssertionError("A plan over subgraphs was made without any")
        endpoints = self.endpoints[name]
        return self.remotes.run(plan, asking, bound, local, space=space, endpoints=endpoints, sending=sending)

    def put_in_force(self, policies: PolicySet) -> None:
        """Swap the whole policy set at once."""
        self.policies = policies
        self._authorities.clear()
        self._authorized.clear()
        self._plans.clear()
