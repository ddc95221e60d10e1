"""Nothing of the core is fetched from a subgraph: a supergraph in which one claims it is refused, with a sentence."""

from pathlib import Path

import pytest
from graphql import validate_schema

from app.elsewhere import FieldSettings
from app.errors import ConfigurationError
from app.federation.claims import claims
from app.federation.remote import opened, vocabulary
from app.federation.remotes import read_remotes
from app.federation.supergraph_sdl import read_supergraph
from app.names import Coordinate
from app.schema.facts import Sensitivity
from app.settings import Settings
from tests.federation.small import SAYS, text

OVERRIDES = '@join__field(graph: LMS, override: "core")'
CLAIMED = {
    "lms: Student.firstName is a district's own to tell": [
        text(student=("", OVERRIDES)),
        text(student=("", f"@join__field(graph: CORE, usedOverridden: true) {OVERRIDES}")),
        text(student=("", "@join__field(graph: CORE) @join__field(graph: LMS)")),
        text(student=("", "")),
        # A key of the subgraph's own does not make it the subgraph's to tell.
        text(
            student=(
                '@join__type(graph: LMS, key: "firstName")',
                "@join__field(graph: CORE) @join__field(graph: LMS)",
            )
        ),
        text(
            student=("", "@join__field(graph: CORE) @join__field(graph: LMS, external: true)"),
            loan=("", ', provides: "firstName"'),
        ),
        text(
            student=("", "@join__field(graph: CORE) @join__field(graph: LMS, external: true)"),
            loan=("", ', provides: "... on Student { firstName }"'),
        ),
        text(
            student=("", "@join__field(graph: CORE) @join__field(graph: LMS, external: true)"),
            loan=(') @join__type(graph: LMS, key: "student { firstName }"', ""),
        ),
        text(
            student=('@join__implements(graph: CORE, interface: "Node")', "@join__field(graph: CORE)"),
            more="type Person @join__type(graph: LMS) { id: ID }\n"
            'interface Node @join__type(graph: CORE) @join__type(graph: LMS, key: "id", isInterfaceObject: true) '
            "{ firstName: String @join__field(graph: LMS) }\n",
        ).replace("type Student ", "type Student implements Node "),
    ],
    "lms: Query.students is a district's own to tell": [
        text().replace(
            "@join__field(graph: CORE)\n  loans", "@join__field(graph: CORE) @join__field(graph: LMS)\n  loans"
        ),
    ],
    "lms: StudentConnection.mood cannot be added": [
        text(connection="mood: String @join__field(graph: LMS)").replace(
            "StudentConnection @join__type(graph: CORE)",
            "StudentConnection @join__type(graph: CORE) @join__type(graph: LMS)",
        ),
    ],
    "lms: Student.__row cannot be added": [text().replace("nickname", "__row")],
}


@pytest.mark.parametrize(
    ("said", "sdl"), [(said, sdl) for said, sdls in CLAIMED.items() for sdl in sdls], ids=lambda text: str(text)[:20]
)
def test_what_a_subgraph_claims_of_the_core_is_refused(said: str, sdl: str, tmp_path: Path) -> None:
    assert any(said in one for one in claims(read_supergraph(sdl), "CORE"))
    (tmp_path / "supergraph.graphql").write_text(sdl)
    with pytest.raises(ConfigurationError, match=r"supergraph\.graphql.*compose it again"):
        read_remotes(Settings(supergraph="supergraph.graphql", home=tmp_path))


def test_what_a_subgraph_adds_is_no_claim() -> None:
    assert list(claims(read_supergraph(text()), "CORE")) == []
    # It may know a student by the key, and name what it needs to be told.
    external = "@join__field(graph: CORE) @join__field(graph: LMS, external: true)"
    assert list(claims(read_supergraph(text(student=("", external))), "CORE")) == []


def test_a_subgraphs_word_makes_no_type_of_the_core_a_mere_arrangement() -> None:
    sdl = text(student=('@tag(name: "arranges") @tag(name: "student/none")', "@join__field(graph: CORE)"))
    known = vocabulary(sdl, read_supergraph(sdl), {})
    assert "Student" not in known.frames
    assert "Student" not in known.students
    assert known.facts[Coordinate("Student.firstName")].sensitivity is Sensitivity.DIRECTORY
    said = {"lms": {"Student.firstName": FieldSettings("lms/loans.read", "Student work", "public")}}
    assert vocabulary(sdl, read_supergraph(sdl), said).facts == known.facts


def test_a_type_that_holds_a_value_arranges_nothing() -> None:
    page = 'type LoanPage @join__type(graph: LMS) @tag(name: "arranges") { nodes: [Loan] totalCount: Int %s }'
    sdl = text(more=page % "")
    assert "LoanPage" in vocabulary(sdl, read_supergraph(sdl), {}).frames
    sdl = text(more=page % "borrower: String")
    assert "LoanPage" not in vocabulary(sdl, read_supergraph(sdl), {}).frames


def test_an_enum_of_a_subgraph_is_a_value_like_any_other() -> None:
    sdl = text(more="enum Shelf @join__type(graph: LMS) { A @join__enumValue(graph: LMS) }").replace(
        "nickname: String", f"shelf: Shelf @join__field(graph: LMS) {SAYS} nickname: String"
    )
    fact = vocabulary(sdl, read_supergraph(sdl), {}).facts[Coordinate("Student.shelf")]
    assert (fact.leads_to, fact.is_text) == (None, False)


def test_what_is_told_of_an_interface_is_told_by_the_subgraph_that_tells_it() -> None:
    more = (
        'interface Lent @join__type(graph: CORE) @join__type(graph: LMS, key: "id", isInterfaceObject: true) '
        "{ id: ID! stars: Int @join__field(graph: LMS) }\n"
        'type Laptop implements Lent @join__type(graph: CORE, key: "id") @tag(name: "student/none") '
        f'@join__implements(graph: CORE, interface: "Lent") {{ id: ID! stars: Int @join__field {SAYS} }}'
    )
    known = vocabulary(text(more=more), read_supergraph(text(more=more)), {})
    assert known.told_by[Coordinate("Laptop.stars")] == {"lms"}


def test_the_graph_is_as_a_district_may_withhold_it() -> None:
    more = (
        'interface Lent @join__type(graph: LMS, key: "id") { id: ID! title: String! }\n'
        'type Laptop implements Lent @join__type(graph: LMS, key: "id") @tag(name: "student/none") '
        '@join__implements(graph: LMS, interface: "Lent") { id: ID! title: String! wheels: [Int!]! }'
    )
    schema = opened(read_supergraph(text(more=more).replace("book: String", "book: String!"))).schema
    assert validate_schema(schema) == []
    types = {name: getattr(schema.type_map[name], "fields", {}) for name in ("Loan", "Laptop", "Lent", "Student")}
    said = {f"{name}.{field}": str(one.type) for name, fields in types.items() for field, one in fields.items()}
    assert {name: said[name] for name in said if name.endswith(".id")} == {
        "Loan.id": "ID!",
        "Student.id": "ID!",
        "Laptop.id": "ID",  # among others it may be withheld with all else
        "Lent.id": "ID",
    }
    assert (said["Loan.book"], said["Laptop.title"], said["Lent.title"]) == ("String", "String", "String")
    assert said["Laptop.wheels"] == "[Int!]"
