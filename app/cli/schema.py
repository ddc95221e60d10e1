"""`homeroom schema`: print the graph, and find what a change of it would break."""

from collections.abc import Iterable
from pathlib import Path

import click
import msgspec
from graphql import BreakingChange, GraphQLError, GraphQLSchema, SafeChange, find_schema_changes

from app.errors import UsageError

KINDS = {BreakingChange: "breaking", SafeChange: "safe"}
"""What a kind of change means for a query that runs today; any other kind is dangerous."""


@click.group()
def schema() -> None:
    """The graph that vendors query."""


@schema.command("print")
def print_() -> None:
    """Print the schema with its federation directives, as schema.graphql has it."""
    from app.schema.build import sdl

    click.echo(sdl(), nl=False)


@schema.command("diff")
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def diff(ctx: click.Context, old: Path) -> None:
    """Say what changed since the schema in the file OLD. Ends with 1 if a query that ran on it could break."""
    from app.schema.build import graphql_schema

    changes = list(compare(read(old), graphql_schema()))
    if getattr(ctx.obj, "json", False):
        click.echo(msgspec.json.encode([{"kind": kind, "change": change} for kind, change in changes]).decode())
    else:
        for kind, change in changes:
            click.echo(f"{kind}: {change}")
        if not changes:
            click.echo("Nothing changed for a query.")
    ctx.exit(any(kind == "breaking" for kind, _ in changes))


def read(file: Path) -> GraphQLSchema:
    """The public graph of a printed schema. Raises: UsageError when the file holds none."""
    from app.schema.build import public

    try:
        return public(file.read_text(encoding="utf-8"))
    except (GraphQLError, TypeError, UnicodeDecodeError):
        raise UsageError(f"{file} holds no GraphQL schema. Give one that `homeroom schema print` wrote.") from None


def compare(old: GraphQLSchema, new: GraphQLSchema) -> Iterable[tuple[str, str]]:
    """Each change with what it means for a query that runs today, breaking ones first."""
    order = ("breaking", "dangerous", "safe")
    changes = ((KINDS.get(type(change), "dangerous"), change.description) for change in find_schema_changes(old, new))
    return sorted(changes, key=lambda change: order.index(change[0]))
