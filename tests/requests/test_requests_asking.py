"""A vendor asks with its token: what is kept, what is refused and why, and that nothing is granted by it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app.cli.main import homeroom
from app.requests.store import MOST_OPEN
from app.web import asking as described
from tests.console.office import OTHER, SPACE
from tests.requests.asking import ASKED, Asking, codes

pytestmark = pytest.mark.anyio

REQUESTS = "{ requests { id state askedAt decidedAt reason coordinates { coordinate transform reason approved } } }"


async def test_a_request_is_kept_and_grants_nothing(here: Asking) -> None:
    before = here.grant.read_bytes()
    async with await here.vendor() as vendor:
        made = await vendor.post("/requests", json=ASKED)
        assert made.status_code == 201
        assert made.json()["state"] == "OPEN"
        assert made.headers["location"] == made.json()["address"]
        assert (await vendor.get(made.headers["location"])).json() == made.json()
    answer = await here.graph(REQUESTS)
    (told,) = answer["data"]["requests"]
    assert told["id"] == made.json()["id"]
    assert told["decidedAt"] is None
    assert [one["coordinate"] for one in told["coordinates"]] == [one["coordinate"] for one in ASKED["fields"]]
    assert told["coordinates"][1]["transform"] == "initial"
    asked = await here.graph("{ students(first: 1) { nodes { firstName birthDate } } }")
    assert codes(asked) == {"Student.birthDate": "NOT_GRANTED"}
    assert asked["data"]["students"]["nodes"][0]["firstName"]
    assert here.grant.read_bytes() == before


async def test_a_request_is_its_own_clients_and_its_own_spaces(here: Asking) -> None:
    async with await here.vendor() as vendor:
        made = (await vendor.post("/requests", json=ASKED)).json()
    for client, space in (("quarrysoft", SPACE), ("readwell", OTHER), ("quarrysoft", OTHER)):
        async with await here.vendor(client, space) as other:
            answer = await other.get(f"/requests/{made['id']}")
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "REQUEST_UNKNOWN")
    assert (await here.graph(REQUESTS, "quarrysoft"))["data"]["requests"] == []


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"purpose": "instruction"}, "Nothing is asked for"),
        ({**ASKED, "purpose": "advertising"}, "its words are: instruction, rostering"),
        ({**ASKED, "purpose": "../../mn"}, "no such purpose"),
        ({**ASKED, "fields": [{"coordinate": "Student.shoeSize", "reason": "x"}]}, "the graph has no such coordinate"),
        ({**ASKED, "fields": [{"coordinate": "Student.sex"}]}, "reason"),
        ({**ASKED, "fields": [{"coordinate": "Student.sex", "reason": ""}]}, "length"),
        ({**ASKED, "fields": ASKED["fields"][:1] * 2}, "stands twice"),
        ({**ASKED, "fields": [{"coordinate": "Student.birthDate", "as": "initial", "reason": "x"}]}, "only a text"),
        ({**ASKED, "fields": [{"coordinate": "Student.firstName", "reason": "x"}]}, "is granted so already"),
        ({**ASKED, "fields": [{"coordinate": "Student.sex", "reason": "a\u202eb"}]}, "cannot be seen"),
        ({**ASKED, "remove": ["Student.email"]}, "is not granted"),
        ({**ASKED, "not_after": "2026-01-01"}, "period is over"),
        ({**ASKED, "not_after": "9999-01-01"}, "2000 and 2200"),
        ({**ASKED, "not_before": "0001-01-01"}, "2000 and 2200"),
        ({**ASKED, "rows": {"school": ["elm"]}}, "unknown field"),
        ({**ASKED, "basis": "consent"}, "unknown field"),
        ({**ASKED, "purpose": "rostering", "remove": []}, "Say in `rows` of whom"),
        ([], "not as documented"),
    ],
)
async def test_what_cannot_be_decided_is_refused_in_a_sentence(shared: Asking, form: Any, said: str) -> None:
    async with await shared.vendor() as vendor:
        answer = await vendor.post("/requests", json=form)
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert any(said in problem for problem in error["extensions"]["problems"]), error
    assert error["message"].endswith(".")


async def test_only_json_of_a_bounded_size_with_a_good_token_is_read(shared: Asking) -> None:
    async with await shared.vendor() as vendor:
        assert (await vendor.post("/requests", content=b"{", headers={"content-type": "text/plain"})).status_code == 415
        assert (await vendor.post("/requests", json={"purpose": "x" * 70_000})).status_code == 413
        broken = await vendor.post("/requests", content=b"\xff{", headers={"content-type": "application/json"})
        assert broken.status_code == 400
        assert (await vendor.post("/requests?x=1", json=ASKED)).status_code == 400
        vendor.headers["authorization"] = "Bearer nonsense"
        refused = await vendor.post("/requests", json=ASKED)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_a_client_cannot_pile_up_requests(here: Asking) -> None:
    for _ in range(MOST_OPEN):
        await here.asked()
    async with await here.vendor() as vendor:
        answer = await vendor.post("/requests", json=ASKED)
    assert answer.json()["errors"][0]["extensions"]["code"] == "REQUESTS_TOO_MANY"


async def test_the_form_is_documented_as_it_is_read(shared: Asking) -> None:
    async with await shared.vendor() as vendor:
        document = (await vendor.get(described.PATH)).json()
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    for path in document["paths"].values():
        for operation in path.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in (one for each in bodies for one in each.get("content", {}).values() if "example" in one):
                schema = {**body["schema"], "components": document["components"]}
                Draft202012Validator(schema).validate(body["example"])


async def test_the_same_form_is_taken_from_a_file(here: Asking, tmp_path: Path) -> None:
    form = tmp_path / "form.json"
    form.write_text(json.dumps(ASKED))
    config = str(here.office.home / "homeroom.toml")

    def run(*arguments: str) -> Any:
        import anyio.to_thread

        return anyio.to_thread.run_sync(
            lambda: CliRunner().invoke(homeroom, ["--config", config, "--format", "json", "request", *arguments])
        )

    made = await run(SPACE, "readwell", str(form))
    assert made.exit_code == 0, made
    told = (await here.graph(REQUESTS))["data"]["requests"]
    assert [one["id"] for one in told] == [msgspec.json.decode(made.stdout)["id"]]
    form.write_text(json.dumps({**ASKED, "purpose": "advertising"}))
    assert "no such purpose" in str((await run(SPACE, "readwell", str(form))).exception)
    whole = {"purpose": "rostering", "statement": "Accounts.", "fields": ASKED["fields"], "not_after": "2027-06-30"}
    form.write_text(json.dumps({**whole, "rows": {}}))
    assert "no such client" in str((await run(SPACE, "nobody", str(form))).exception)
