"""`homeroom policy test` and `policy diff` know what the installation's subgraphs add, as lint and explain do."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import homeroom
from tests.federation.small import text
from tests.policy.texts import CASES_FILE, DISTRICT, GRANT, files

GRANTED = GRANT.replace('"firstName",', '"firstName", "nickname", "card",').replace(
    "SchoolEnrollment =", 'Loan = ["book"]\nQuery = ["loans"]\nSchoolEnrollment ='
)
MAY = '[subgraphs.lms]\nmay_receive = ["Student.sourceKey"]\n[opt_out]\nvendors = "withhold-fields"\n'
CONFIG = 'supergraph = "supergraph.graphql"\n[spaces."{}"]\ndatabase = "sqlite:///a"\nledger = "sqlite:///b"\n'
ENDPOINT = '[spaces."{}".subgraphs.lms]\nurl = "http://127.0.0.1:1/"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "supergraph.graphql").write_text(text())
    (tmp_path / "homeroom.toml").write_text((CONFIG + ENDPOINT).format("tx/grand-bend", "tx/grand-bend"))
    return tmp_path


def folder(home: Path, name: str, *, grant: str = GRANTED, rule: str = MAY, case: str = "") -> Path:
    head = 'client = "readwell"\npurpose = "instruction"\non = 2026-09-15\n[[case]]\nname = "It"\n'
    tree = {**files(grant=grant, district=DISTRICT + rule), CASES_FILE: (head + case).encode()}
    for file, data in tree.items():
        (home / name / file).parent.mkdir(parents=True, exist_ok=True)
        (home / name / file).write_bytes(data)
    return home / name


def run(home: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(homeroom, ["--config", str(home / "homeroom.toml"), "policy", *map(str, arguments)])


@pytest.mark.parametrize(
    "case",
    [
        'coordinate = "Student.nickname"\nexpect = "disclosed"',
        'coordinate = "Query.loans"\nexpect = "disclosed"',
        'coordinate = "Loan.student"\nexpect = "NOT_GRANTED"',
        'coordinate = "Student.nickname"\nscopes = ["student/name.read"]\nexpect = "SCOPE_MISSING"',
        # What belongs to a student stands where the student does, and is withheld with what is the student's.
        'coordinate = "Loan.book"\nrecord = { school = "elm", entry_date = 2026-08-17 }\nexpect = "disclosed"',
        'coordinate = "Student.nickname"\nrecord = { school = "elm", opted_out = true }\nexpect = "withheld"',
        'coordinate = "Loan.book"\nrecord = { type = "Loan", school = "elm", opted_out = true }\nexpect = "withheld"',
        'query = "{ students { nodes { firstName nickname } } }"\ndenied = {}',
        'query = "{ students { nodes { card } } loans { student { id } } }"\n'
        'denied = { "Student.card" = "NOT_GRANTED", "Loan.student" = "NOT_GRANTED" }',
    ],
)
def test_a_case_may_be_of_what_a_subgraph_tells(home: Path, case: str) -> None:
    ran = run(home, "test", folder(home, "policies", case=case))
    assert (ran.stdout, ran.exit_code) == ("", 0)


def test_what_a_subgraph_may_not_receive_and_what_a_space_has_not_are_denials_of_a_query(home: Path) -> None:
    case = 'query = "{ students { nodes { nickname } } }"\ndenied = { "Student.nickname" = "DENIED_BY_DISTRICT" }'
    assert run(home, "test", folder(home, "policies", rule="", case=case)).exit_code == 0
    (home / "homeroom.toml").write_text(CONFIG.format("tx/grand-bend"))
    ran = run(home, "test", folder(home, "policies", case=case))
    assert "Expected Student.nickname DENIED_BY_DISTRICT; found Student.nickname NOT_OFFERED." in ran.stdout


@pytest.mark.parametrize(
    ("may", "grant", "lost"),
    [
        ('"Student.sourceKey"', GRANTED, True),
        ('"Student.sourceKey", "Student.firstName"', GRANTED, False),
        ('"Student.firstName"', GRANTED, True),  # nor without the key
        # What this client may see but in part is told to nobody for it.
        (
            '"Student.sourceKey", "Student.firstName"',
            GRANTED.replace('"firstName",', '{ field = "firstName", as = "initial" },'),
            True,
        ),
    ],
)
def test_keys_and_what_is_required_are_bounded_alike(home: Path, may: str, grant: str, lost: bool) -> None:
    firstname = "@join__field(graph: CORE) @join__field(graph: LMS, external: true)"
    sdl = text(student=("", firstname)).replace(
        "nickname: String @join__field(graph: LMS)",
        'nickname: String @join__field(graph: LMS, requires: "firstName")',
    )
    (home / "supergraph.graphql").write_text(sdl)
    denied = '"Student.nickname" = "DENIED_BY_DISTRICT"' if lost else ""
    case = f'query = "{{ students {{ nodes {{ nickname }} }} }}"\ndenied = {{ {denied} }}'
    rule = f"[subgraphs.lms]\nmay_receive = [{may}]\n"
    ran = run(home, "test", folder(home, "policies", grant=grant, rule=rule, case=case))
    assert (ran.stdout, ran.exit_code) == ("", 0)


def test_where_no_installation_is_the_graph_is_the_cores(home: Path) -> None:
    case = 'coordinate = "Student.nickname"\nexpect = "disclosed"'
    ran = run(home / "nowhere", "test", folder(home, "policies", case=case))
    assert "The graph has no Student.nickname." in ran.stdout


def test_two_folders_differ_in_what_subgraphs_tell_too(home: Path) -> None:
    one, other = folder(home, "one", grant=GRANT), folder(home, "other")
    told = run(home, "diff", one, other).stdout
    assert "+ Student: nickname" in told
    assert "+ Loan: book" in told
    assert "card" not in told  # it says nothing of itself, so that nobody is given it
    assert "nickname" not in run(home / "nowhere", "diff", one, other).stdout
