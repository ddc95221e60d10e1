"""Plan an authorized operation: which source is asked for what, before anything is asked.

Pure, printable, cached without variables. INVARIANT: `plan` takes an `Authorized` and nothing else, so that a field
that was not decided cannot be fetched.
"""

from dataclasses import dataclass

from app.federation.supergraph import Supergraph
from app.operation.decided import Authorized, Column, Denial, Edge, Frame, Hidden, Identifier, Root, Typename, Withheld
from app.sources.fetch import Fetch


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The fetches of one operation, and all of its root fields in the order of the answer."""

    roots: tuple[Root | Withheld | Typename, ...]
    fetches: tuple[Fetch, ...]

    @property
    def denials(self) -> tuple[Denial, ...]:
        """Those that planning found: a space alone is told nothing, so there are none."""
        return ()

    def __str__(self) -> str:
        return "\n".join(line for fetch in self.fetches for line in _lines(fetch))


def plan(authorized: Authorized, supergraph: Supergraph) -> Plan:
    """One fetch for each run of neighbouring root fields that one source answers."""
    fetches: list[Fetch] = []
    for root in authorized.roots:
        source = supergraph.roots.get(root.field) if isinstance(root, Root) else None
        if isinstance(root, Root) and source is not None:
            if fetches and fetches[-1].source == source:
                fetches[-1] = Fetch(source, (*fetches[-1].roots, root))
            else:
                fetches.append(Fetch(source, (root,)))
    return Plan(authorized.roots, tuple(fetches))


def _lines(fetch: Fetch) -> list[str]:
    lines = [f"Fetch({fetch.source})"]
    for root in fetch.roots:
        lines.append(f"  {root.response_key}: {root.field}")
        for type_name, children in root.children.items():
            lines.append(f"    on {type_name}")
            for child in children:
                lines.extend(_below(child, "      "))
    return lines


def _below(one: Typename | Identifier | Column | Hidden | Edge | Frame | Withheld, indent: str) -> list[str]:
    match one:
        case Typename():
            return [f"{indent}__typename"]
        case Identifier():
            return [f"{indent}id"]
        case Column(_, _, fact, permit):
            return [f"{indent}{fact.field}{f' as {permit.transform}' if permit.transform else ''}"]
        case Hidden(_, _, field):
            return [f"{indent}{field} (for joining)"]
        case Withheld(_, _, denial):
            return [f"{indent}{denial.coordinate.partition('.')[2]} withheld: {denial.reason}"]
        case Edge(_, _, fact, _, children):
            return [
                f"{indent}{fact.field} → {fact.leads_to}",
                *(line for child in children for line in _below(child, indent + "  ")),
            ]
        case Frame(_, _, field, _, children):
            return [f"{indent}{field}", *(line for child in children for line in _below(child, indent + "  "))]
