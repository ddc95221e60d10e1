"""A grant that is drawn up from a template is closed, and sound but for what an officer must decide."""

import re
from datetime import date, timedelta
from importlib.resources import files as resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.names import ClientId, Coordinate
from app.policy.authority import authority_on
from app.policy.decide import ORDINARY, Ask, Permit, decide
from app.policy.draft import PURPOSES, draft, end_of_year
from app.policy.known import Known
from app.policy.lint import lint
from app.policy.model import PolicySet
from app.policy.reading import read_policies
from app.schema.catalogue import CATALOGUE
from tests.policy.texts import DISTRICT, DISTRICT_FILE, NOON, READWELL, SPACE

FILE = f"{SPACE}/grants/readwell.toml"
TODAY = NOON.date()
TEMPLATES = sorted(PURPOSES)


def drawn(template: str, last: date | None = None, **more: object) -> str:
    return draft(template, client=READWELL, purpose=PURPOSES[template], first=TODAY, last=last, **more)  # type: ignore[arg-type]


def read(text: str) -> PolicySet:
    policies = read_policies({DISTRICT_FILE: DISTRICT.encode(), FILE: text.encode()})
    assert policies.findings == ()
    return policies


def keys(text: str) -> list[str]:
    return [finding.key for finding in lint(read(text), Known(CATALOGUE), NOON)]


def test_there_is_a_template_for_each_kind_of_product() -> None:
    lie_there = {file.name for file in (resources("app.policy") / "templates").iterdir()}
    assert lie_there == {f"{name}.toml" for name in TEMPLATES}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_draft_is_never_in_force_until_its_last_day_is_written(template: str) -> None:
    policies = read(drawn(template))
    for days in (-400, -1, 0, 1, 400):
        by = authority_on(
            TODAY + timedelta(days=days),
            policies.spaces[SPACE],
            client=READWELL,
            space=SPACE,
            purpose=PURPOSES[template],
            scopes=frozenset(fact.scope for fact in CATALOGUE.values()),
            registered=frozenset(fact.scope for fact in CATALOGUE.values()),
        )
        for fact in CATALOGUE.values():
            assert not isinstance(decide(Ask(fact.coordinate, fact.scope, fact.sensitivity, fact.is_text), by), Permit)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_draft_reaches_nobody_until_a_school_is_written(template: str) -> None:
    (grant,) = read(drawn(template, TODAY + timedelta(days=200))).spaces[SPACE].grants
    assert grant.rows.schools == ()
    assert grant.approvals == ()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_draft_is_sound_but_for_what_is_to_decide(template: str) -> None:
    assert sorted(keys(drawn(template))) == ["agreement", "not_after", "rows.schools", "statement"]
    assert sorted(keys(drawn(template, TODAY))) == ["agreement", "rows.schools", "statement"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_was_decided_leaves_nothing_to_find(template: str) -> None:
    text = drawn(template, end_of_year(TODAY))
    text = text.replace('statement  = ""', 'statement  = "Teach."').replace("schools       = []", 'schools = ["1"]')
    text = text.replace("# [agreement]", "[agreement]").replace('# title    = ""', 'title = "NDPA"')
    text = text.replace("# signed   =", "signed = 2026-07-01").replace("# schedule", "schedule")
    assert keys(text) == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_lists_what_is_sensitive_in_comments_alone(template: str) -> None:
    text = drawn(template)
    (grant,) = read(text).spaces[SPACE].grants
    assert {CATALOGUE[coordinate].sensitivity for coordinate in grant.fields} <= ORDINARY
    offered = re.findall(r'^    # ("\w+"(?:, "\w+")*),$', text, re.MULTILINE)
    assert len(offered) == 1
    opened = read(text.replace(f"    # {offered[0]},", f"    {offered[0]},")).spaces[SPACE].grants[0]
    added = set(opened.fields) - set(grant.fields)
    assert len(added) == offered[0].count(",") + 1
    assert {CATALOGUE[coordinate].sensitivity in ORDINARY for coordinate in added} == {False}
    assert any(f'"{Coordinate(coordinate)}"' in text for coordinate in added)  # the approval that waits below


def test_a_draft_names_some_of_the_districts_schools_and_its_form() -> None:
    text = drawn("roster", schools=[f"s{n:02}" for n in range(15)], schema=True)
    assert text.startswith("#:schema ../../../schemas/grant.json\n")
    assert '# such as "s00", "s01"' in text
    assert '"s11", …' in text
    assert '# such as "elm"\n' in drawn("roster", schools=["elm"]).replace(".\n", "\n")


@given(st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_a_suggested_last_day_ends_a_school_year_that_is_worth_beginning(day: date) -> None:
    end = end_of_year(day)
    assert (end.month, end.day) == (6, 30)
    assert 120 <= (end - day).days <= 120 + 366
    read(draft("roster", client=ClientId("a~b.c_d-e"), purpose="rostering", first=day, last=None))
