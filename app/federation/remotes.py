"""The subgraphs of an installation: what they add to the graph, and how a space and its subgraphs answer together."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import ConfigurationError, RequestError
from app.federation.claims import claims
from app.federation.completion import Completion
from app.federation.describing import describe
from app.federation.execute import Part
from app.federation.joined import Joined, decisions, join
from app.federation.joining import Sending, join_answer
from app.federation.remote import core_graph, dates, opened, vocabulary
from app.federation.steps import Fetch
from app.federation.supergraph_sdl import Composed, read_supergraph
from app.federation.waves import Heard, Silent
from app.names import Coordinate, Scope
from app.operation.bind import Bound
from app.operation.decided import Authorized, Column, Decided, Denial, Edge, Frame, Identifier, Root
from app.operation.model import Selection
from app.operation.vocabulary import CORE_VOCABULARY, Vocabulary
from app.policy.model import Transform
from app.settings import Settings
from app.sources.fetch import Asking, Source
from app.subgraphs.endpoint import Endpoint, SubgraphFailed, Tally

Seal = Callable[[str, str], str]
"""What a client calls something that a subgraph alone knows. Shape: type, the subgraph's key."""

TRANSFORMS: Mapping[Transform, Callable[[Any], Any]] = {
    Transform.INITIAL: lambda value: f"{value.strip()[0]}." if isinstance(value, str) and value.strip() else None,
    Transform.MASKED: lambda value: None if value is None else "•••",
}
"""What a transform makes of a value that a subgraph gave; the space's own are made in SQL."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Together:
    """A plan over a space and its subgraphs, with what writes its answers."""

    joined: Joined
    completion: Completion

    @property
    def denials(self) -> tuple[Denial, ...]:
        """Those that planning found: of fields that would tell a subgraph more than the district lets it receive."""
        return self.joined.denials

    def __str__(self) -> str:
        return str(self.joined)


@dataclass(frozen=True, slots=True)
class Remotes:
    """What the supergraph says, read once."""

    composed: Composed
    vocabulary: Vocabulary
    core: str
    names: Mapping[str, str]  # in join__Graph → the subgraph's own name

    @property
    def scopes(self) -> list[Scope]:
        """Every scope that a client can be registered for."""
        return [*self.vocabulary.scopes]

    def asked(self, authorized: Authorized) -> bool:
        """Whether anything that is permitted is a subgraph's to tell."""

        def remote(one: Decided | Root) -> bool:
            match one:
                case Column() | Edge() if one.fact.coordinate in self.vocabulary.told_by:
                    return True
                case Edge() | Frame():
                    return any(map(remote, one.children))
                case Root():
                    named = Coordinate(f"Query.{one.field}") in self.vocabulary.told_by
                    return named or any(remote(below) for children in one.children.values() for below in children)
                case _:
                    return False

        return any(isinstance(root, Root) and remote(root) for root in authorized.roots)

    def plan(self, authorized: Authorized, offered: frozenset[str], seal: Seal) -> Together:
        """How an operation is answered by a space and the subgraphs that it names. Raises: RequestError."""
        refuse_changes(authorized)
        graphs = {graph: name for graph, name in self.names.items() if name in offered}
        joined = join(authorized, self.composed, self.vocabulary, self.core, graphs)
        making = self._making(authorized, seal)
        return Together(joined, Completion(authorized.operation, joined.question, joined.withheld, making))

    def _making(self, authorized: Authorized, seal: Seal) -> dict[Selection, Callable[[Any], Any]]:
        making: dict[Selection, Callable[[Any], Any]] = {}
        for selection, one in decisions(authorized).items():
            match one:
                case Column(_, _, fact, permit) if permit.transform and fact.coordinate in self.vocabulary.told_by:
                    making[selection] = TRANSFORMS[permit.transform]
                case Identifier() if selection.parent in self.vocabulary.students:
                    making[selection] = _sealing(seal, selection.parent)
                case _:
                    pass
        return making

    def run(
        self,
        together: Together,
        asking: Asking,
        bound: Bound,
        local: Mapping[str, object],
        *,
        space: Source,
        endpoints: Mapping[str, Endpoint],
        sending: Sending,
    ) -> AsyncGenerator[Part]:
        """The answer, in one part. Raises: Unavailable if the space does not answer."""

        def awake(fetch: Fetch) -> None:
            endpoint = endpoints[self.names[fetch.subgraph]]
            try:
                endpoint.check_awake()
            except SubgraphFailed as error:
                raise Silent(f"{endpoint.name} did not answer. {error}") from None

        async def ask(fetch: Fetch, body: bytes, tally: Tally) -> Heard:
            endpoint = endpoints[self.names[fetch.subgraph]]
            try:
                answered = await endpoint.ask(body, tally=tally)
            except SubgraphFailed as error:
                raise Silent(f"{endpoint.name} did not answer. {error}") from None
            return Heard(answered.data, answered.errors or ())

        return join_answer(
            together.joined,
            together.completion,
            asking,
            bound.variables,
            local,
            space=space,
            ask=ask,
            awake=awake,
            sending=sending,
            names=self.names,
            bounds={graph: endpoints[name].bounds for graph, name in self.names.items() if name in endpoints},
        )


def refuse_changes(authorized: Authorized) -> None:
    """Refuse to say what changed of what subgraphs tell: a space knows its own records. Raises: RequestError."""
    for root in authorized.roots:
        if isinstance(root, Root):
            frames = [one for below in root.children.values() for one in below if isinstance(one, Frame)]
            if any(one.field in {"changeCursor", "removed"} for one in frames):
                raise RequestError(
                    "What changed since is known of the district's own records, not of what subgraphs tell. Ask for "
                    "the subgraphs' fields in a query of their own.",
                    code="CHANGES_OF_SUBGRAPHS",
                )


def _sealing(seal: Seal, type_name: str) -> Callable[[Any], Any]:
    return lambda value: None if value is None else seal(type_name, str(value))


def read_vocabulary(settings: Settings) -> Vocabulary:
    """Everything that can be granted in an installation. Raises: ConfigurationError."""
    remotes = read_remotes(settings)
    return remotes.vocabulary if remotes is not None else CORE_VOCABULARY


def read_remotes(settings: Settings) -> Remotes | None:
    """The supergraph that the configuration names; None if it names none. Raises: ConfigurationError."""
    if not settings.supergraph:
        return None
    file = Path(settings.home / settings.supergraph)
    try:
        sdl = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The supergraph cannot be read ({type(error).__name__}). Write it with `homeroom compose`.", file=str(file)
        ) from None
    read = read_supergraph(sdl)
    for claim in claims(read, core_graph(read)):
        raise ConfigurationError(f"{claim} Then compose it again.", file=str(file))
    composed = opened(read)
    dates(composed)
    known = vocabulary(sdl, composed, {name: one.fields for name, one in settings.subgraphs.items()})
    describe(composed, known)
    names = {graph: subgraph.name for graph, subgraph in composed.subgraphs.items()}
    return Remotes(composed, known, core_graph(composed), names)
