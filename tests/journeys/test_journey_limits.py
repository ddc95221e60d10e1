"""What a client meets that asks for more than its share: 429, when to come back, and nothing in the ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app import main
from app.console.desk import open_desk
from app.ledger.reading import Filters, entries
from app.oauth.clients import add_client
from app.settings import Traffic
from app.storage.engines import open_engine
from app.traffic import rates
from app.web.probes import Readiness
from app.web.site import site
from tests import worlds
from tests.journeys.world import Asked, granting, opened

pytestmark = pytest.mark.anyio

GRANTS = {name: granting(name, {"Student": "firstName"}) for name in ("readwell", "mathpath")}
QUERY = {"query": "{ students(first: 1) { nodes { firstName } } }"}
GRAPHQL = "application/graphql-response+json"


@pytest.fixture
async def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Asked, httpx.AsyncClient]]:
    monkeypatch.setattr(rates, "PAUSE", 0)
    settings = {"traffic": Traffic(points_per_minute=3, tokens_per_minute=2)}
    async with (
        opened(tmp_path / "home", GRANTS, databases={worlds.SPACE: None}, settings=settings) as asked,
        open_desk(asked.rooms) as desk,
    ):
        app = site(main.routes(asked.rooms, main.graphql(asked.rooms), Readiness({}), None, desk))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://h") as client:
            yield asked, client


async def ask(limited: tuple[Asked, httpx.AsyncClient], name: str, body: object = QUERY) -> httpx.Response:
    asked, client = limited
    token = await asked.rooms.authorization.mint(name, worlds.SPACE)
    return await client.post("/graphql", json=body, headers={"authorization": f"Bearer {token}", "accept": GRAPHQL})


async def test_a_client_that_has_spent_its_points_is_told_when_to_come_back(
    limited: tuple[Asked, httpx.AsyncClient],
) -> None:
    answers = [await ask(limited, "readwell") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"client";q=3;w=60'
    assert answers[2].headers["ratelimit"].startswith('"client";r=0;t=')
    (error,) = answers[3].json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert int(answers[3].headers["retry-after"]) == error["extensions"]["retryAfter"] > 0
    assert answers[3].headers["cache-control"] == "no-store"
    assert answers[3].json()["extensions"] == {"request": answers[3].headers["x-request-id"]}
    assert (await ask(limited, "mathpath")).status_code == 200


async def test_what_cannot_be_answered_spends_points_too(limited: tuple[Asked, httpx.AsyncClient]) -> None:
    statuses = [(await ask(limited, "readwell", {"query": "{ nothing }"})).status_code for _ in range(4)]
    assert statuses == [400, 400, 400, 429]


async def test_what_is_refused_for_its_number_is_not_in_the_ledger(limited: tuple[Asked, httpx.AsyncClient]) -> None:
    for _ in range(6):
        await ask(limited, "readwell")
    settings = limited[0].rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        assert len([entry async for entry in entries(engine, Filters())]) == 3
    finally:
        await engine.dispose()


async def test_requests_for_tokens_are_limited_too_even_good_ones(limited: tuple[Asked, httpx.AsyncClient]) -> None:
    asked, client = limited
    made = await add_client(asked.rooms.control, "tokens", scopes=frozenset(), now=worlds.NOW.timestamp())
    form = {"grant_type": "client_credentials", "purpose": "instruction"}
    form["resource"] = asked.rooms.settings.resource(worlds.SPACE)
    answers = [await client.post("/oauth/token", data=form, auth=("tokens", str(made))) for _ in range(3)]
    assert 429 not in [answer.status_code for answer in answers[:2]]
    assert answers[2].status_code == 429
    assert answers[2].json()["error"] == "temporarily_unavailable"
    assert int(answers[2].headers["retry-after"]) > 0
    assert answers[2].headers["ratelimit"].startswith('"tokens";r=0;t=')
    assert answers[2].headers["cache-control"] == "no-store"


async def test_threat_18_nothing_personal_may_be_kept_by_a_cache(limited: tuple[Asked, httpx.AsyncClient]) -> None:
    _, client = limited
    answers = [await ask(limited, "readwell") for _ in range(4)]
    answers += [
        await ask(limited, "mathpath", {"query": "{ nothing }"}),
        await ask(limited, "mathpath", []),
        await client.get("/graphql", params=QUERY),
        await client.post("/graphql", json=QUERY, headers={"authorization": "Bearer bad"}),
        *[await client.post(f"/oauth/{name}", data={"token": "x"}) for name in ("token", "introspect", "revoke")],
        await client.get("/readyz"),
        await client.get("/metrics"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 429}
    assert [answer.url.path for answer in answers if answer.headers.get("cache-control") != "no-store"] == []
