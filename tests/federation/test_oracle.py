"""Breadth-first and field-by-field execution agree, whatever the query, the grant and the families' opt-outs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import RequestError
from app.federation.execute import execute
from app.federation.local import local_values
from app.federation.plan import plan
from app.federation.supergraph import CORE, supergraph_of_one
from app.names import DIRECTORY_INFORMATION, ClientId
from app.operation.authorize import authorize
from app.operation.bind import bind
from app.operation.filtering import check_filters
from app.operation.parse import parse_operation
from app.policy.authority import Authority, authority
from app.policy.reading import read_policies
from app.schema.build import graphql_schema
from app.schema.catalogue import CATALOGUE, SCOPES, TYPES
from app.settings import Limits, Settings
from app.sources.fetch import Asking
from app.spaces.driver import Readers
from app.spaces.fieldwise import Fieldwise
from app.spaces.identifiers import identifiers
from app.spaces.space import Space
from app.spaces.tables import BY_TYPE
from app.storage.engines import open_engine
from tests import worlds
from tests.operations import grants, queries, scopes

SECRET = bytes(range(32))
CLIENT = ClientId("readwell")
NAMES = identifiers(SECRET, worlds.SPACE, CLIENT)
DISTRICT = b'name = "Larkspur ISD"\ntime_zone = "America/Chicago"\npurposes = { instruction = "Instruction" }\n'
EXAMPLES = int(os.environ.get("HOMEROOM_EXAMPLES", "300"))


OPT_OUTS = {worlds.MAX: "", worlds.LEO: "readwell", worlds.KIM: "another", worlds.TESS: DIRECTORY_INFORMATION}
GONE = (worlds.MAX, worlds.LEO)
"""Whom an opt-out takes from this client: who opted out of another vendor alone stays."""

RULES = [
    b"",
    b'[opt_out]\nvendors = "withhold-fields"\n',
    b'[opt_out]\ndirectory = { applies_to = ["school-official"] }\n',
    b'[opt_out]\nvendors = "withhold-fields"\ndirectory = { applies_to = ["school-official"] }\n',
]


def made(grant: str, held: frozenset[Any], rule: bytes = b"") -> Authority:
    policies = read_policies(
        {"tx/larkspur/district.toml": DISTRICT + rule, "tx/larkspur/grants/readwell.toml": grant.encode()}
    )
    assert not policies.findings, policies.findings
    return authority(
        policies,
        client=CLIENT,
        space=worlds.SPACE,
        purpose="instruction",
        scopes=held,
        registered=held,
        suspended=False,
        now=worlds.NOW,
    )


async def fast(
    url: str, query: str, variables: dict[str, Any], by: Authority, chunk: int
) -> tuple[Any, set[tuple[str, str]]]:
    """The gateway's own path, without token and ledger."""
    schema, limits = graphql_schema(), Limits()
    operation = parse_operation(query, None, schema, limits)
    bound = bind(operation, schema, variables, limits)
    authorized = authorize(operation, by)
    check_filters(authorized, bound.arguments)
    space = Space(worlds.SPACE, Readers(url), SECRET)
    parts = execute(
        plan(authorized, supergraph_of_one()),
        Asking(by, bound.true, bound.arguments, chunk),
        {CORE: space},
        local_values(authorized, schema, bound.variables, bound.true),
    )
    data = b"".join([part.data async for part in parts])
    await space.close()
    denied = {(one.selection, one.reason.value) for one in authorized.denials if one.asked(bound.true)}
    return json.loads(data), denied


async def slow(url: str, query: str, variables: dict[str, Any], by: Authority) -> tuple[Any, set[tuple[str, str]]]:
    """The oracle."""
    schema = graphql_schema()
    operation = parse_operation(query, None, schema, Limits())
    readers = Readers(url)
    async with readers.lend(one_moment=True) as reader:
        oracle = Fieldwise(readers, reader, by, NAMES)
        data = await oracle.run(operation, schema, variables)
    await readers.close()
    return json.loads(json.dumps(data, default=str)), oracle.denied


def filled(file: Path, opt_outs: worlds.OptOuts, *, without: Sequence[int] = ()) -> str:
    """The world in a file, with opt-outs, and without some students and all that is theirs."""
    url = Settings().database_url(f"sqlite:///{file}")

    async def build() -> None:
        engine = open_engine(url)
        await worlds.build(engine, opt_outs)
        async with engine.begin() as connection:
            for name, table in reversed(BY_TYPE.items()):
                column = table.c.row if name == "Student" else table.c.get("student")
                if column is not None:
                    await connection.execute(table.delete().where(column.in_(without)))
        await engine.dispose()

    anyio.run(build)
    return url


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> str:
    return filled(tmp_path_factory.mktemp("oracle") / "space.db", OPT_OUTS)


@pytest.fixture(scope="module")
def without_them(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same world, in which those who opted out of this client never were."""
    return filled(tmp_path_factory.mktemp("oracle") / "space.db", {}, without=GONE)


def everything(of: str) -> str:
    """All that can be asked of a type, and of what its edges lead to."""
    facts = [fact for fact in CATALOGUE.values() if fact.type == of]
    columns = {
        type_name: " ".join(fact.field for fact in CATALOGUE.values() if fact.type == type_name and not fact.leads_to)
        for type_name in {of, *(fact.leads_to for fact in facts if fact.leads_to)}
    }
    edges = (f"{fact.field} {{ id {columns[fact.leads_to]} }}" for fact in facts if fact.leads_to)
    return f"{{ id {columns[of]} {' '.join(edges)} }}"


@pytest.mark.parametrize("rows", ["", 'schools = ["elm"]', "history_years = 0", 'subjects = ["Mathematics"]'])
def test_both_executions_agree_on_all_there_is(world: str, rows: str) -> None:
    fields: dict[str, list[str]] = {}
    for fact in CATALOGUE.values():
        fields.setdefault(fact.type, []).append(fact.field)
    covers = json.dumps(sorted(CATALOGUE))
    grant = (
        'client = "readwell"\npurpose = "instruction"\nstatement = "All."\nbasis = "school-official"\n'
        "not_before = 2026-08-15\nnot_after = 2027-06-30\n[fields]\n"
        + "".join(f"{of} = {json.dumps(names)}\n" for of, names in fields.items())
        + f"[rows]\n{rows}\n"
        + "".join(
            f'[[approval]]\nby = "x@x.example"\nrole = "{role}"\nat = 2026-07-20T15:00:00Z\ncovers = {covers}\n'
            for role in ("steward", "privacy-officer")
        )
    )
    by = made(grant, frozenset(SCOPES))

    async def both(of: str) -> None:
        asked = " ".join(
            f'n{row}: node(id: "{NAMES.one(of, row)}") {{ ... on {of} {everything(of)} }}'
            for row in range(1, len(worlds.WORLD[of]) + 1)
        )
        data, denied = await fast(world, f"{{ {asked} }}", {}, by, 500)
        assert denied == set()
        assert (await slow(world, f"{{ {asked} }}", {}, by))[0] == data
        assert any(data.values()), of

    for of in TYPES:
        anyio.run(both, of)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=bool(os.environ.get("CI")),
)
@given(
    query=queries(NAMES),
    grant=grants(),
    held=scopes(),
    chunk=st.sampled_from([1, 3, 500]),
    rule=st.sampled_from(RULES),
)
def test_breadth_first_and_field_by_field_execution_agree(
    world: str, query: tuple[str, dict[str, Any]], grant: str, held: frozenset[Any], chunk: int, rule: bytes
) -> None:
    text, variables = query
    by = made(grant, held, rule)

    async def both() -> None:
        try:
            data, denied = await fast(world, text, variables, by, chunk)
        except RequestError as refused:
            if refused.code == "FILTER_NOT_GRANTED":
                return
            raise
        expected, met = await slow(world, text, variables, by)
        assert data == expected
        assert met <= denied  # the oracle meets a denial only where it comes upon a record

    anyio.run(both)


@settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=bool(os.environ.get("CI")),
)
@given(query=queries(NAMES), grant=grants(), held=scopes(), chunk=st.sampled_from([1, 3, 500]))
def test_an_opt_out_leaves_the_answer_that_there_would_be_without_the_student(
    world: str, without_them: str, query: tuple[str, dict[str, Any]], grant: str, held: frozenset[Any], chunk: int
) -> None:
    text, variables = query
    by = made(grant, held)

    async def both() -> None:
        try:
            answered = await fast(world, text, variables, by, chunk)
        except RequestError:
            return
        assert answered == await fast(without_them, text, variables, by, chunk)

    anyio.run(both)
