"""A supergraph is read as composers write it, from v0.3 to v0.5 of the join specification."""

import pytest
from graphql import print_schema

from app.errors import ConfigurationError
from app.federation.planning import plan_operation
from app.federation.supergraph_sdl import Composed, read_supergraph
from app.operation.parse import InvalidOperation, parse_operation
from app.settings import Limits
from tests.federation.test_plans import PLANS


def sdl(fields: str, *, version: str = "v0.5", more: str = "") -> str:
    return f"""
    schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/{version}")
      @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) @link(url: "https://example.org/ours/v1")
      {{ query: Query }}
    directive @join__directive(graphs: [join__Graph!], name: String!) repeatable on SCHEMA | OBJECT
    scalar join__FieldSet
    scalar ours__Thing
    enum join__Graph {{ A @join__graph(name: "a", url: "http://a") B @join__graph(name: "b", url: "http://b") }}
    type Query @join__type(graph: A) @join__type(graph: B) {{ {fields} }}
    type Book @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {{
      id: ID!
      title: String @join__field(graph: A, overrideLabel: "percent(5)")
        @join__field(graph: B, override: "a", overrideLabel: "percent(5)")
      price: Int @join__field(graph: B, usedOverridden: true) @join__field(graph: A, override: "b")
      cost: Int @join__field(graph: A) @inaccessible
    }}
    {more}
    """


def plan(composed: Composed, query: str) -> str:
    return str(plan_operation(parse_operation(query, None, composed.schema, Limits()), composed).plan)


@pytest.mark.parametrize("version", ["v0.3", "v0.4", "v0.5"])
def test_every_version_is_read(version: str) -> None:
    composed = read_supergraph(sdl("book: Book @join__field(graph: B)", version=version))
    assert {one.name: one.url for one in composed.subgraphs.values()} == {"a": "http://a", "b": "http://b"}
    # Either may tell what is taken over bit by bit; what was taken over is asked of its new owner.
    assert "Fetch(A)" not in plan(composed, "{ book { title } }")
    assert "Fetch(A)" in plan(composed, "{ book { price } }")


def test_vendors_see_neither_what_is_inaccessible_nor_what_is_federations() -> None:
    more = """
    type Secret @join__type(graph: A) @inaccessible { id: ID }
    enum Mood @join__type(graph: A) { GOOD @join__enumValue(graph: A) BAD @join__enumValue(graph: A) @inaccessible }
    input Where @join__type(graph: A) { by: String also: String @inaccessible }
    """
    fields = "mood(where: Where, deep: Int @inaccessible): Mood @join__field(graph: A) secret: Secret @inaccessible"
    composed = read_supergraph(sdl(fields + " book: Book @join__field(graph: A)", more=more))
    printed = print_schema(composed.schema)
    for hidden in ("Secret", "secret", "BAD", "also", "deep", "cost", "join__", "ours__", "@"):
        assert hidden not in printed
    assert "mood(where: Where): Mood" in printed
    assert composed.hidden["Mood"] == {"BAD"}
    with pytest.raises(InvalidOperation):
        parse_operation("{ book { cost } }", None, composed.schema, Limits())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type Query { a: Int }", "There is no join__Graph"),
        ("type Query {", "This is not a supergraph (GraphQLSyntaxError"),
        (sdl('a: Int @join__field(graph: A, requires: "{")'), "This is not a supergraph"),
        (
            sdl('a(n: Int): Int @join__field(graph: A, contextArguments: [{context: "c", name: "n", selection: "x"}])'),
            "a: a takes an argument out of a context (@fromContext), which Homeroom does not plan.",
        ),
    ],
)
def test_what_is_none_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_supergraph(text)
    assert said in refused.value.message


def test_it_is_read_once_and_does_not_change() -> None:
    text = (PLANS / "school.graphql").read_text(encoding="utf-8")
    one, other = read_supergraph(text), read_supergraph(text)
    assert (one.views, one.members, one.fields) == (other.views, other.members, other.fields)
    with pytest.raises(AttributeError):
        one.views = {}  # type: ignore[misc]
