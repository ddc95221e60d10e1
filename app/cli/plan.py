"""`homeroom plan`: which requests answer a query, and what each sends."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from app.cli.main import Context
from app.errors import ConfigurationError, UsageError
from app.names import ClientId, SpaceId, is_client_id
from app.settings import Limits, Settings

if TYPE_CHECKING:
    from app.federation.steps import QueryPlan
    from app.operation.decided import Denial
    from app.policy.authority import Authority


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan as it is told: its tree, the texts that it sends, and what was taken out of the query before."""

    tree: str
    documents: Sequence[tuple[str, str]]  # the subgraph, and what it is asked
    denials: Sequence["Denial"]


@click.command("plan")
@click.argument("query", type=click.File(encoding="utf-8"), metavar="QUERY.graphql")
@click.option("--operation", "name", help="Which operation, where the file holds several.")
@click.option(
    "--supergraph",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Any supergraph's file. [default: homeroom.toml's]",
)
@click.option("--documents", is_flag=True, help="Print the text of each request too.")
@click.option("--space", help="Plan as a client's query in this space: district policy comes first.")
@click.option("--client", help="... as this client.")
@click.option("--purpose", help="... for this purpose; may be left out where the client has one alone.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="... on this day, in the district's time zone.")
@click.pass_obj
def plan_command(
    context: Context,
    *,
    query: TextIO,
    name: str | None,
    supergraph: Path | None,
    documents: bool,
    space: str | None,
    client: str | None,
    purpose: str | None,
    on: datetime | None,
) -> None:
    """Print how QUERY.graphql is answered: each request as a tree, with what is sent and asked. `-` reads a pipe.

    Without --space and --client no policy holds. With them, what is withheld is listed with its reason, and only what
    is granted is planned. Nothing is fetched.
    """
    try:
        text = query.read()
    except UnicodeDecodeError:
        raise UsageError("The query is not UTF-8. Save it as UTF-8.") from None
    if (space is None) != (client is None):
        raise UsageError("A query is a client's in a space: name both --space and --client, or neither.")
    if space is None or client is None:
        shown = _unguarded(text, name, _file(context, supergraph))
    elif supergraph is not None:
        raise UsageError("A space's supergraph is that of homeroom.toml. Leave --supergraph out.")
    else:
        settings = context.settings()
        shown = _guarded(text, name, settings, client=client, space=space, purpose=purpose, on=on)
    if context.json:
        click.echo(json.dumps(_as_json(shown), indent=2, ensure_ascii=False))
        return
    for line in _lines(shown, documents=documents):
        click.echo(line)


def _file(context: Context, supergraph: Path | None) -> Path:
    if supergraph is not None:
        return supergraph
    settings = context.settings() if context.config.exists() else Settings(home=context.config.resolve().parent)
    file = settings.home / (settings.supergraph or "supergraph.graphql")
    if not file.exists():
        raise UsageError("There is no supergraph. Make one with `homeroom compose`, or name one with --supergraph.")
    return file


def _unguarded(text: str, name: str | None, file: Path) -> Shown:
    """The plan over any supergraph. Raises: ConfigurationError, RequestError."""
    from app.federation.planning import plan_operation
    from app.federation.supergraph_sdl import read_supergraph
    from app.operation.parse import parse_operation

    try:
        composed = read_supergraph(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"It cannot be read ({type(error).__name__}).", file=str(file)) from None
    operation = parse_operation(text, name, composed.schema, Limits(depth=50, edges=5_000))
    planned = plan_operation(operation, composed).plan
    return Shown(str(planned), _documents(planned), ())


def _guarded(
    text: str,
    name: str | None,
    settings: Settings,
    *,
    client: str,
    space: str,
    purpose: str | None,
    on: datetime | None,
) -> Shown:
    """The plan of a client's query. Raises: ConfigurationError, RequestError, UsageError."""
    from app.federation.plan import plan
    from app.federation.remotes import read_remotes
    from app.federation.supergraph import supergraph_of_one
    from app.operation.authorize import authorize
    from app.operation.parse import parse_operation
    from app.operation.vocabulary import CORE_VOCABULARY
    from app.schema.build import graphql_schema

    remotes = read_remotes(settings)
    vocabulary = CORE_VOCABULARY if remotes is None else remotes.vocabulary
    schema = graphql_schema() if remotes is None else remotes.composed.schema
    scopes = {fact.scope for fact in vocabulary.facts.values()}
    held = _authority(settings, client, space, purpose=purpose, on=on, scopes=scopes)
    place = settings.spaces.get(space)
    offered = frozenset(place.subgraphs) if place is not None else frozenset[str]()
    authorized = authorize(parse_operation(text, name, schema, settings.limits), held, vocabulary, offered)
    if remotes is None or not remotes.asked(authorized):
        return Shown(str(plan(authorized, supergraph_of_one())), (), authorized.denials)
    together = remotes.plan(authorized, offered, lambda _type, _key: "")
    written = _documents(together.joined.plan, space_alone=remotes.core)
    return Shown(str(together), written, (*authorized.denials, *together.denials))


def _authority(
    settings: Settings, client: str, space: str, *, purpose: str | None, on: datetime | None, scopes: Iterable[str]
) -> "Authority":
    """As whom it is planned. A client that is not registered is taken to hold every scope. Raises: UsageError."""
    from app.cli.policy import in_force, registrations
    from app.cli.policy_explain import chosen_purpose, moment
    from app.names import Scope
    from app.policy.authority import authority

    if not is_client_id(client):
        raise UsageError("That is no client_id. See `homeroom client list`.")
    policies = asyncio.run(in_force(settings))
    if space not in policies.spaces and space not in settings.spaces:
        names = ", ".join(sorted({*policies.spaces, *settings.spaces})) or "none"
        raise UsageError(f"There is no such space. The spaces of this installation: {names}.")
    clients = asyncio.run(registrations(settings)) or {}
    if ClientId(client) not in clients:
        click.echo(f"{client} is not registered here: its scopes are taken for granted.", err=True)
    registered, suspended = clients.get(ClientId(client), (frozenset(map(Scope, scopes)), False))
    return authority(
        policies,
        client=ClientId(client),
        space=SpaceId(space),
        purpose=chosen_purpose(policies, SpaceId(space), ClientId(client), purpose),
        scopes=registered,
        registered=registered,
        suspended=suspended,
        now=moment(policies, SpaceId(space), on),
    )


def _documents(planned: "QueryPlan", space_alone: str | None = None) -> list[tuple[str, str]]:
    """What is sent; a space of this installation is read, and sent nothing."""
    return [(fetch.subgraph, fetch.document) for row in planned.rows for fetch in row if fetch.subgraph != space_alone]


def _lines(shown: Shown, *, documents: bool) -> Iterable[str]:
    yield shown.tree or "Nothing is fetched."
    if shown.denials:
        yield ""
        yield "Withheld:"
        for one in shown.denials:
            yield f"  {one.selection}  {one.coordinate}  {one.reason.value}"
            yield f"    {one.message}"
    for subgraph, document in shown.documents if documents else ():
        yield ""
        yield f"{subgraph} is asked:"
        yield document


def _as_json(shown: Shown) -> dict[str, object]:
    return {
        "plan": shown.tree,
        "requests": [{"subgraph": subgraph, "document": document} for subgraph, document in shown.documents],
        "withheld": [
            {
                "selection": one.selection,
                "coordinate": one.coordinate,
                "reason": one.reason.value,
                "scope": one.scope,
                "message": one.message,
            }
            for one in shown.denials
        ],
    }
