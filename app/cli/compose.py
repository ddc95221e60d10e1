"""`homeroom compose`: the graph with its subgraphs, as one file that is reviewed like code."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.main import Context
from app.elsewhere import FieldSettings
from app.errors import ConfigurationError, UsageError
from app.settings import Settings

if TYPE_CHECKING:
    from app.federation.supergraph_sdl import Composed

SUPERGRAPH = "supergraph.graphql"
NAMED = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@click.command()
@click.argument("subgraphs", nargs=-1, metavar="[NAME=SCHEMA]...")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if the file would change.")
@click.pass_obj
def compose(context: Context, subgraphs: tuple[str, ...], out: Path | None, check: bool) -> int:
    """Compose the core's schema with those of its subgraphs into a supergraph, and say what changed.

    Subgraphs are those of homeroom.toml ([subgraphs.NAME] schema = …) and those that are named here; SCHEMA is a
    file, or the address of a subgraph that runs. Conflicts are told with the subgraph's name, and end with 1.
    """
    from app.cli.composing import NotComposed, Schema, read_schema
    from app.cli.composing import compose as composed_of
    from app.federation.claims import claims
    from app.federation.remote import core_graph
    from app.federation.supergraph_sdl import read_supergraph
    from app.schema.build import sdl

    settings = context.settings() if context.config.exists() else Settings(home=context.config.resolve().parent)
    named = {name: (one.schema, settings.home) for name, one in settings.subgraphs.items() if one.schema}
    named |= {name: (source, Path.cwd()) for name, source in map(_split, subgraphs)}
    for name in named:
        if name == "core" or not NAMED.fullmatch(name):
            raise UsageError(f"A subgraph cannot be named {name}: write lower case, and leave `core` to the districts.")
    file = out or settings.home / (settings.supergraph or SUPERGRAPH)
    before = _before(file)
    schemas = [Schema("core", "", sdl()), *(read_schema(name, *place) for name, place in named.items())]
    try:
        text = composed_of(schemas)
        composed = read_supergraph(text)
        if claimed := list(claims(composed, core_graph(composed))):
            raise NotComposed(claimed)
    except NotComposed as error:
        _tell(context, {"problems": error.problems, "changes": [], "remarks": []}, error.problems)
        return 1
    remarks = list(_undeclared(text, composed, {name: one.fields for name, one in settings.subgraphs.items()}))
    differs = before != text
    changes = list(differences(before, text)) if differs else []
    if differs and not check:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    said = [*changes, *remarks, _end(file, len(schemas), differs=differs, check=check)]
    if not settings.supergraph and not check:
        said.append(f'To serve it, write at the top of homeroom.toml: supergraph = "{file.name}"')
    _tell(context, {"problems": [], "changes": changes, "remarks": remarks}, said)
    return int(check and differs)


def _split(named: str) -> tuple[str, str]:
    name, equals, source = named.partition("=")
    if not equals or not source:
        raise UsageError("A subgraph is named as NAME=SCHEMA, such as lms=lms.graphql. Write it so.")
    return name, source


def _before(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"It is there and cannot be read ({type(error).__name__}). Move it away.", file=str(file)
        ) from None


def _end(file: Path, count: int, *, differs: bool, check: bool) -> str:
    if not differs:
        return f"{file} is of {count} subgraphs, and as it was."
    return f"{file} would change. Compose it anew." if check else f"{file} was written, of {count} subgraphs."


def _tell(context: Context, found: Mapping[str, object], lines: Iterable[str]) -> None:
    if context.json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for line in lines:
        click.echo(line)


def _undeclared(text: str, composed: "Composed", declared: Mapping[str, Mapping[str, FieldSettings]]) -> Iterator[str]:
    """Fields that nobody can be granted, as they do not say what they are."""
    from app.federation.remote import vocabulary

    known = vocabulary(text, composed, declared)
    for type_name, views in composed.views.items():
        if type_name in known.frames or type_name not in composed.schema.type_map:
            continue
        for name in composed.fields[type_name]:
            tellers = [
                composed.subgraphs[graph].name
                for graph, view in views.items()
                if name in view.fields and not view.fields[name].external
            ]
            if "core" in tellers or name == "id" or f"{type_name}.{name}" in known.facts:
                continue
            if type_name in known.students or type_name in known.by_type or type_name == "Query":
                yield (
                    f"{', '.join(tellers)}: {type_name}.{name} does not say its scope, category and sensitivity, so "
                    "nobody can be granted it. Tag it, or declare it in homeroom.toml."
                )
            else:
                yield (
                    f"{', '.join(tellers)}: {type_name} does not say whose it is, so nobody can be granted it. "
                    'Tag it "student/none", or "student/" and the fields that lead to its student; "arranges" is for '
                    "types that hold no value."
                )
                break


def differences(before: str | None, after: str) -> Iterator[str]:
    """What changed from one supergraph to the next: for queries, and in who tells what under which scope."""
    from app.cli.schema import compare
    from app.federation.supergraph_sdl import read_supergraph

    if before is None:
        return
    try:
        old = read_supergraph(before)
    except ConfigurationError:
        yield "What was there is no supergraph; it is written over."
        return
    new = read_supergraph(after)
    yield from (f"{kind}: {change}" for kind, change in compare(old.schema, new.schema))
    was, now = dict(_said(before, old)), dict(_said(after, new))
    for coordinate in sorted(was.keys() & now.keys()):
        if was[coordinate] != now[coordinate]:
            yield f"{coordinate}: {was[coordinate]} → {now[coordinate]}"


def _said(text: str, composed: "Composed") -> Iterator[tuple[str, str]]:
    """Every field, with the subgraphs that tell it, its scopes and its tags."""
    from graphql import InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode, parse

    from app.federation.supergraph_sdl import directives

    for node in parse(text, no_location=True).definitions:
        if not isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            continue
        views = composed.views[node.name.value]
        for one in node.fields or ():
            told = [composed.subgraphs[graph].name for graph, view in views.items() if one.name.value in view.fields]
            scopes = ["+".join(every) for each in directives(one, "requiresScopes") for every in each["scopes"]]
            tags = [str(tag["name"]) for each in (node, one) for tag in directives(each, "tag")]
            said = f"told by {', '.join(sorted(told))}"
            said += f" under {', '.join(sorted(scopes))}" if scopes else ""
            said += f", tagged {', '.join(sorted(tags))}" if tags else ""
            yield f"{node.name.value}.{one.name.value}", said
