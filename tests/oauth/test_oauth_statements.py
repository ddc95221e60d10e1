"""What a gateway says of one request is believed once, by the premises that it is for, of that request alone."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.elsewhere import TrustedGateway
from app.errors import Unauthenticated, Unavailable
from app.names import ClientId, Scope, SpaceId
from app.oauth.assertion import LIFE, LONGEST, Posted, Statement, audience, caller_of, digest, read, state
from app.oauth.authorization import Authorization
from app.oauth.caller import Caller, Standing
from app.oauth.clients import State, add_client, list_clients, set_state
from app.oauth.keys import Keys, create_keys, read_keys
from app.oauth.server import FormRequest
from app.oauth.trust import Trust, published
from app.settings import Settings, SpaceSettings
from app.storage import control as tables
from app.storage.engines import open_engine
from app.storage.migrate import migrate

pytestmark = pytest.mark.anyio

GATEWAY = "https://graph.example"
AT = "https://homeroom.gbisd.example"
SPACE, OTHER = SpaceId("tx/grand-bend"), SpaceId("tx/elsewhere")
NOW = 1_800_000_000.0
NAMES, BIRTH = Scope("student/name.read"), Scope("student/demographics.read")
POSTED = Posted("/subgraph", b'{"query":"{ __typename }"}', "request-1")
WHO = Caller(ClientId("readwell"), SPACE, "instruction", frozenset({NAMES}), "", NOW)
STANDING = Standing(frozenset({NAMES, BIRTH}), suspended=False)


@dataclass
class Premises:
    """A district's own installation, with as many servers as are asked for, and the keys of the gateway."""

    settings: Settings
    control: AsyncEngine
    keys: Keys
    now: float = NOW

    async def key(self, kid: str) -> ECKey | None:
        return published(self.keys.document(NOW)).get(kid)

    def server(self) -> Trust:
        return Trust(self.settings, GATEWAY, self.key, self.control, lambda: self.now)

    def said(self, posted: Posted = POSTED, *, who: Caller = WHO, standing: Standing = STANDING, **other: Any) -> str:
        """A statement of the gateway's, but for what is `other`."""
        said = {"issuer": GATEWAY, "audience": audience(AT, SPACE), "keys": self.keys, "now": NOW} | other
        return state(who, standing, posted, **said)

    async def believes(self, statement: str, posted: Posted = POSTED) -> bool:
        try:
            await self.server().presented(f"Bearer {statement}", posted)
        except Unauthenticated:
            return False
        return True


@pytest.fixture(params=["sqlite", "postgres"])
async def premises(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Premises]:
    url = "sqlite:///control.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    settings = Settings(
        issuer=AT,
        control=url,
        home=tmp_path,
        spaces={SPACE: SpaceSettings(database="sqlite:///space.db", ledger="sqlite:///ledger.db")},
        gateway=TrustedGateway(issuer=GATEWAY, jwks="gateway.json"),
    )
    create_keys(tmp_path / "gateway")
    control = open_engine(settings.database_url(settings.control))
    await migrate(control, "control")
    yield Premises(settings, control, read_keys(tmp_path / "gateway", 300))
    await control.dispose()


async def test_a_caller_is_known_with_its_standing_there(premises: Premises) -> None:
    presented = await premises.server().presented(f"Bearer {premises.said()}", POSTED)
    assert presented.request == "request-1"
    caller = presented.caller
    assert (caller.client, caller.space, caller.purpose) == ("readwell", SPACE, "instruction")
    assert caller.scopes == {NAMES}
    assert caller.presented == STANDING
    suspended = premises.said(standing=replace(STANDING, suspended=True))
    presented = await premises.server().presented(f"Bearer {suspended}", POSTED)
    assert presented.caller.presented == Standing(STANDING.registered, suspended=True)


async def test_threat_13_of_many_servers_at_once_one_alone_believes_a_statement(premises: Premises) -> None:
    for _ in range(5):
        statement = premises.said()
        found = await asyncio.gather(*(premises.believes(statement) for _ in range(6)))
        assert sorted(found) == [False] * 5 + [True]
        premises.now = NOW + LIFE - 1
        assert not await premises.believes(statement)
        premises.now = NOW


async def test_used_statements_are_forgotten_only_when_they_are_over(premises: Premises) -> None:
    statement = premises.said()
    assert await premises.believes(statement)
    premises.now = NOW + LIFE + 31
    assert await premises.believes(premises.said(now=premises.now))
    async with premises.control.connect() as connection:
        kept = (await connection.execute(select(tables.used_statement.c.expires))).scalars().all()
    assert list(kept) == [int(premises.now) + LIFE]
    assert not await premises.believes(statement)


async def test_what_is_for_others_or_from_others_is_refused_and_not_used_up(premises: Premises, tmp_path: Path) -> None:
    create_keys(tmp_path / "stranger")
    stranger = read_keys(tmp_path / "stranger", 300)
    for statement in (
        premises.said(keys=stranger),
        premises.said(issuer="https://elsewhere.example"),
        premises.said(audience=audience(AT, OTHER)),
        premises.said(audience=audience("https://elsewhere.example", SPACE)),
        premises.said(audience=AT),
        premises.said(Posted("/subgraph/requests", POSTED.body)),
        premises.said(Posted("/subgraph", POSTED.body + b" ")),
        premises.said(now=NOW + 31),
        premises.said(now=NOW - LIFE),
        premises.said(who=replace(WHO, client=ClientId("no client"))),
        premises.said(who=replace(WHO, purpose="no purpose")),
    ):
        assert not await premises.believes(statement)
    async with premises.control.connect() as connection:
        assert (await connection.execute(select(tables.used_statement))).all() == []
    for header in (None, "", "Bearer", "Bearer ", f"Basic {premises.said()}", premises.said(), "Bearer a.b.c"):
        with pytest.raises(Unauthenticated) as refused:
            await premises.server().presented(header, POSTED)
        assert refused.value.message == "This answers the gateway that the district trusts, and nobody else."


async def test_a_control_database_that_is_gone_refuses_and_believes_nobody(premises: Premises) -> None:
    gone = open_engine("sqlite+aiosqlite:////nowhere/control.db")
    server = Trust(premises.settings, GATEWAY, premises.key, gone, lambda: NOW)
    with pytest.raises(Unavailable):
        await server.presented(f"Bearer {premises.said()}", POSTED)
    await gone.dispose()


async def test_whom_the_gateway_presents_is_kept_as_it_is_registered_there_and_can_get_no_token(
    premises: Premises,
) -> None:
    server = premises.server()
    await server.presented(f"Bearer {premises.said()}", POSTED)
    (kept,) = await list_clients(premises.control)
    assert (kept.id, kept.state, kept.scopes) == ("readwell", State.ACTIVE, STANDING.registered)
    fewer = Standing(frozenset({NAMES}), suspended=False)
    await server.presented(f"Bearer {premises.said(standing=fewer)}", POSTED)
    (kept,) = await list_clients(premises.control)
    assert kept.scopes == {NAMES}
    create_keys(premises.settings.keys_folder)
    authorization = authorized(premises)
    await authorization.follow()
    reply = await authorization.token(FormRequest({"grant_type": "client_credentials"}, None, "127.0.0.1"))
    assert reply.status == 400
    assert reply.body["error"] == "unauthorized_client"


def authorized(premises: Premises) -> Authorization:
    keys = read_keys(premises.settings.keys_folder, 300)
    return Authorization(premises.control, keys, premises.settings, purposes=lambda _, __: (), scopes=[NAMES, BIRTH])


async def test_a_client_that_was_registered_here_is_not_widened_by_the_gateways_word(premises: Premises) -> None:
    await add_client(premises.control, "readwell", scopes={NAMES}, now=NOW)
    assert await premises.believes(premises.said())
    (kept,) = await list_clients(premises.control)
    assert kept.scopes == {NAMES}


async def test_who_is_suspended_there_or_here_is_suspended_and_nobody_else(premises: Premises) -> None:
    create_keys(premises.settings.keys_folder)
    authorization = authorized(premises)
    await authorization.follow()
    nobody = Standing(frozenset(), suspended=True)
    assert authorization.standing(WHO.client, SPACE) == nobody
    # Of a client that was not presented yet, officers here are shown what it might read.
    assert authorization.expected(WHO.client, SPACE) == Standing(frozenset({NAMES, BIRTH}), suspended=False)
    assert not authorization.presented(WHO, STANDING).suspended
    assert authorization.presented(WHO, replace(STANDING, suspended=True)).suspended
    assert await premises.believes(premises.said())
    for withdrawn in (State.SUSPENDED, State.ACTIVE, State.REVOKED):
        await set_state(premises.control, "readwell", withdrawn)
        await authorization.follow()
        assert authorization.presented(WHO, STANDING).suspended == (withdrawn is not State.ACTIVE)
    assert authorization.standing(WHO.client, SPACE) == nobody
    assert authorization.expected(WHO.client, SPACE) == nobody
    assert not authorization.presented(replace(WHO, client=ClientId("lexia")), STANDING).suspended


SAID = Statement(
    iss=GATEWAY,
    aud=audience(AT, SPACE),
    sub="readwell",
    jti="1",
    iat=int(NOW),
    exp=int(NOW) + LIFE,
    purpose="instruction",
    scope="student/name.read",
    registered="student/name.read",
    suspended=False,
    request="request-1",
    path=POSTED.path,
    body=digest(POSTED.body),
)
SPACES: Mapping[str, SpaceId] = {audience(AT, SPACE): SPACE}


@given(skew=st.integers(-64_000, 64_000).map(lambda part: part / 64), life=st.integers(-1_000, 1_000))  # no rounding
def test_clocks_may_differ_by_half_a_minute_one_way_and_by_its_life_the_other(skew: float, life: int) -> None:
    said = replace_said(exp=int(NOW) + life)
    believed = caller_of(said, POSTED, issuer=GATEWAY, spaces=SPACES, now=NOW + skew) is not None
    assert believed == (-30 <= skew < life <= LIFE)


@given(st.sampled_from(["iss", "aud", "sub", "jti", "path", "body"]), st.text(max_size=8))
def test_whatever_else_it_says_it_speaks_for_nobody(claim: str, instead: str) -> None:
    said = replace_said(**{claim: instead})
    caller = caller_of(said, POSTED, issuer=GATEWAY, spaces=SPACES, now=NOW)
    if claim in {"sub", "jti"} and caller is not None:
        assert instead
        assert caller.space == SPACE
    else:
        assert caller is None


def replace_said(**claims: Any) -> Statement:
    return Statement(**{**{name: getattr(SAID, name) for name in Statement.__struct_fields__}, **claims})


async def test_threat_14_a_statements_header_is_ours_and_no_other(tmp_path: Path) -> None:
    create_keys(tmp_path)
    key = read_keys(tmp_path, 300).signing(NOW)
    claims = {name: getattr(SAID, name) for name in Statement.__struct_fields__}

    async def key_of(kid: str) -> ECKey | None:
        return key if kid == key.kid else None

    def signed(header: Mapping[str, Any], said: Mapping[str, Any] = claims) -> str:
        return jwt.encode({"alg": "ES256", **header}, dict(said), key, algorithms=["ES256"])

    good = {"typ": "homeroom-caller+jwt", "kid": key.kid}
    assert await read(signed(good), key_of) == SAID
    refused = [
        signed({**good, "typ": "at+jwt"}),
        signed({"kid": key.kid}),
        signed({"typ": good["typ"]}),
        signed({**good, "kid": "another"}),
        signed({**good, "jwk": key.as_dict(private=False)}),
        signed(good, {**claims, "admin": True}),
        signed(good, {name: value for name, value in claims.items() if name != "suspended"}),
        signed(good, {**claims, "suspended": "no"}),
        signed(good, {**claims, "iat": float(NOW)}),
        signed(good, {**claims, "request": "x" * LONGEST}),
        signed(good)[:-4] + "AAAA",
        unsigned({**good, "alg": "none"}, claims),
        "x" * (LONGEST + 1),
        "\u00e9.x.y",
        f"{'[' * 20_000}.x.y",
    ]
    assert [await read(one, key_of) for one in refused] == [None] * len(refused)


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def test_the_published_keys_are_those_that_statements_can_be_signed_with(tmp_path: Path) -> None:
    create_keys(tmp_path)
    key = read_keys(tmp_path, 300).signing(NOW)
    public = key.as_dict(private=False)
    assert list(published({"keys": [public]})) == [key.kid]
    others = [
        {**public, "use": "enc"},
        {**public, "alg": "ES384"},
        {**public, "crv": "P-384"},
        {name: value for name, value in public.items() if name != "kid"},
        {**public, "x": "no number"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        "no key",
        None,
    ]
    assert published({"keys": others}) == {}
    for no_jwks in (None, [], {}, {"keys": {}}, "keys", {"keys": [key.as_dict(private=True)]}):
        with pytest.raises(ValueError, match=r"JWKS|private key"):
            published(no_jwks)


def test_a_body_is_bound_by_its_sha_256() -> None:
    assert digest(b"x") == hashlib.sha256(b"x").hexdigest()
