"""The policies that the repository shows, and that the sandbox copies, mean what they say."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.importers.sandbox import PROFILES, build
from app.names import ClientId, SpaceId
from app.policy.authority import authority
from app.policy.decide import Ask, Deny, Permit, Reason, decide
from app.policy.known import Known
from app.policy.lint import lint
from app.policy.model import PolicySet
from app.policy.reading import read_folder, read_policies
from tests.sandbox import VOCABULARY

FOLDER = Path(__file__).resolve().parents[2] / "policies"
NOVEMBER = datetime(2026, 11, 24, 12, tzinfo=UTC)
GRANTS = [
    ("ca/alder-creek", "readwell", "instruction"),
    ("ca/alder-creek", "mathpath", "instruction"),
    ("ca/alder-creek", "rostersync", "rostering"),
    ("mn/loon-lake", "readwell", "instruction"),
    ("mn/loon-lake", "rostersync", "rostering"),
]


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return read_policies(read_folder(FOLDER))


def decisions(policies: PolicySet, space: str, client: str, purpose: str) -> dict[str, Permit | Deny]:
    scopes = frozenset(VOCABULARY.scopes)
    by = authority(
        policies,
        client=ClientId(client),
        space=SpaceId(space),
        purpose=purpose,
        scopes=scopes,
        registered=scopes,
        suspended=False,
        now=NOVEMBER,
    )
    return {
        str(coordinate): decide(Ask(coordinate, fact.scope, fact.sensitivity, fact.is_text), by)
        for coordinate, fact in VOCABULARY.facts.items()
    }


def test_every_file_can_be_read(policies: PolicySet) -> None:
    assert policies.findings == ()
    assert {str(space) for space in policies.spaces} == {str(profile.space) for profile in PROFILES}


def test_every_grant_lists_only_what_the_graph_has(policies: PolicySet) -> None:
    for space in policies.spaces.values():
        for grant in space.grants:
            assert set(grant.fields) <= set(VOCABULARY.facts), grant.file


@pytest.mark.parametrize(("space", "client", "purpose"), GRANTS)
def test_no_vendor_sees_everything_and_each_sees_something(
    policies: PolicySet, space: str, client: str, purpose: str
) -> None:
    kinds = {type(decision) for decision in decisions(policies, space, client, purpose).values()}
    assert kinds == {Permit, Deny}


@pytest.mark.parametrize(("space", "client", "purpose"), GRANTS)
def test_what_a_grant_lists_is_in_force_but_for_the_state_ceiling(
    policies: PolicySet, space: str, client: str, purpose: str
) -> None:
    grant = next(g for g in policies.spaces[SpaceId(space)].grants if g.client == client)
    decided = decisions(policies, space, client, purpose)
    withheld = {str(c): decided[c] for c in grant.fields if isinstance(decided[c], Deny)}
    ceiling = {"Student.homeLanguage": Deny(Reason.DENIED_BY_STATE)}
    assert withheld == (ceiling if (space, client) == ("mn/loon-lake", "rostersync") else {})


def test_a_check_finds_the_ceiling_that_bites_and_nothing_else(policies: PolicySet) -> None:
    known = Known(
        VOCABULARY.facts,
        spaces=[profile.space for profile in PROFILES],
        scopes=frozenset(VOCABULARY.scopes),
        subgraphs=["registry"],
    )
    (finding,) = lint(policies, known, NOVEMBER)
    assert (finding.file, finding.key) == ("mn/loon-lake/grants/rostersync.toml", "fields.Student")
    assert finding.message.startswith("The state denies Student.homeLanguage (mn/state.toml:8)")


def test_the_reading_product_reaches_elementary_schools_alone(policies: PolicySet) -> None:
    for profile in PROFILES:
        elementary = profile.schools[0].key
        grants = {grant.client: grant for grant in policies.spaces[profile.space].grants}
        assert grants[ClientId("readwell")].rows.schools == (elementary,)


def test_the_conditions_on_rows_name_what_the_districts_have(policies: PolicySet) -> None:
    for profile in PROFILES:
        district = build(profile, students=300, seed=1, today=NOVEMBER.date())
        for grant in policies.spaces[profile.space].grants:
            assert set(grant.rows.schools or ()) <= {school.key for school in profile.schools}
            assert set(grant.rows.subjects or ()) <= {course.subject.name for course in district.courses}
            assert set(grant.rows.grade_levels or ()) <= {placement.grade for placement in district.placements}


def test_every_file_of_the_repository_is_toml() -> None:
    files = sorted(FOLDER.rglob("*.toml"))
    assert len(files) == 13
    for file in files:
        tomllib.loads(file.read_text(encoding="utf-8"))
