"""Queries at random over a small graph: valid ones, with every way of spreading, merging and conditioning fields."""

from dataclasses import dataclass, field

from graphql import build_schema
from hypothesis import strategies as st

SMALL = build_schema(
    """
    interface Node { id: ID! }
    type Student implements Node { id: ID! name: String home: School friends: [Student!] }
    type School implements Node { id: ID! name: String head: Student students: [Student!] }
    type Query { student: Student school: School node: Node name: String }
    """
)

LEAVES = {"Query": ["name"], "Student": ["id", "name"], "School": ["id", "name"], "Node": ["id"]}
EDGES = {
    "Query": {"student": "Student", "school": "School", "node": "Node"},
    "Student": {"home": "School", "friends": "Student"},
    "School": {"head": "Student", "students": "Student"},
    "Node": {},
}
SPEAKS_OF = {
    "Query": ["Query"],
    "Student": ["Student", "Node"],
    "School": ["School", "Node"],
    "Node": ["Student", "School", "Node"],
}
CONDITIONS = ("p", "q", "r")


@dataclass
class Fragments:
    """The fragments that were written so far: a later one may spread an earlier one, so that there is no circle."""

    types: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def write(self, on: str, body: str) -> str:
        name = f"F{len(self.texts)}"
        self.types[name] = on
        self.texts.append(f"fragment {name} on {on} {body}")
        return name


CONDITIONING = st.one_of(
    st.just(""),
    st.just(""),
    st.builds(
        "@{}(if: {})".format, st.sampled_from(["skip", "include"]), st.sampled_from(["$p", "$q", "$r", "true", "false"])
    ),
    st.builds("@skip(if: {}) @include(if: {})".format, st.sampled_from(["$p", "$q"]), st.sampled_from(["$p", "$r"])),
)


@st.composite
def selection_sets(draw: st.DrawFn, of: str, depth: int, fragments: Fragments) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        condition = draw(CONDITIONING)
        kind = draw(st.sampled_from(["leaf", "edge", "edge", "inline", "spread"])) if depth else "leaf"
        if kind == "edge" and EDGES[of]:
            edge, leads_to = draw(st.sampled_from(sorted(EDGES[of].items())))
            alias = draw(st.sampled_from(["", f"other_{edge}: "]))
            parts.append(f"{alias}{edge} {condition} {draw(selection_sets(leads_to, depth - 1, fragments))}")
        elif kind == "inline":
            on = draw(st.sampled_from([*SPEAKS_OF[of], ""]))
            body = draw(selection_sets(on or of, depth - 1, fragments))
            parts.append(f"... {f'on {on}' if on else ''} {condition} {body}")
        elif kind == "spread":
            known = sorted(name for name, on in fragments.types.items() if on in SPEAKS_OF[of])
            if known and draw(st.booleans()):
                name = draw(st.sampled_from(known))
            else:
                on = draw(st.sampled_from(SPEAKS_OF[of]))
                name = fragments.write(on, draw(selection_sets(on, depth - 1, fragments)))
            parts.append(f"...{name} {condition}")
        else:
            parts.append(f"{draw(st.sampled_from([*LEAVES[of], '__typename']))} {condition}")
    return "{ " + " ".join(parts) + " }"


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A valid query over `SMALL` that may name the variables p, q and r in conditions."""
    fragments = Fragments()
    body = draw(selection_sets("Query", 3, fragments))
    text = " ".join([body, *fragments.texts])
    declared = " ".join(f"${name}: Boolean!" for name in CONDITIONS if f"${name}" in text)
    return f"query {f'({declared})' if declared else ''} {text}"
