"""GraphQL over HTTP: what comes in, what goes out, and what is refused before the gateway hears of it."""

import json
from http import HTTPStatus

import httpx
import pytest
from starlette.routing import Route

from app.errors import RequestError, Unauthenticated, Unavailable
from app.gateway import Answer, Request
from app.web.graphql import GraphQL
from app.web.media import GRAPHQL, JSON
from app.web.site import site
from tests.web.asgi import LIMIT, client_of

pytestmark = pytest.mark.anyio
ANSWER = b'{"data":{"__typename":"Query"}}'
QUERY = {"query": "{ __typename }"}


class Recorder:
    """A gateway that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(ANSWER)


def refusing(error: Exception):  # type: ignore[no-untyped-def]
    async def answer(_: Request) -> Answer:
        raise error

    return answer


async def post(answer, body: bytes | dict, accept: str | None = GRAPHQL, **headers: str):  # type: ignore[no-untyped-def]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", "authorization": "Bearer t", "accept": accept or ""} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with client_of(answer) as client:
        return await client.post("/graphql", content=content, headers=sent)


async def test_a_query_reaches_the_gateway_as_it_was_sent() -> None:
    gateway = Recorder()
    body = {"query": "query A($a: ID!) { node(id: $a) { id } }", "operationName": "A", "variables": {"a": "é😀"}}
    answer = await post(gateway, body)
    assert answer.content == ANSWER
    (asked,) = gateway.asked
    assert (asked.authorization, asked.document, asked.operation_name) == ("Bearer t", body["query"], "A")
    assert asked.variables == {"a": "é😀"}
    assert answer.headers["x-request-id"] == asked.trail.id


async def test_a_get_is_answered_as_a_post_is() -> None:
    gateway = Recorder()
    async with client_of(gateway) as client:
        answer = await client.get(
            "/graphql", params={"query": "{ __typename }", "variables": '{"a":1}', "operationName": "é"}
        )
    assert answer.content == ANSWER
    assert (gateway.asked[0].document, gateway.asked[0].variables) == ("{ __typename }", {"a": 1})
    assert gateway.asked[0].operation_name == "é"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.4, {JSON};q=0.9", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        ("APPLICATION/GraphQL-Response+JSON; charset=UTF-8", GRAPHQL),
        (f"text/html, {JSON};q=0.1", JSON),
    ],
)
async def test_the_caller_chooses_the_media_type(accept: str | None, media: str) -> None:
    answer = await post(Recorder(), QUERY, accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "accept", ["text/html", f"{JSON};q=0", f"{JSON};charset=utf-16", f"{JSON};q=nonsense", "x" * 5_000]
)
async def test_what_no_answer_can_be_is_not_acceptable(accept: str) -> None:
    gateway = Recorder()
    assert (await post(gateway, QUERY, accept=accept)).status_code == 406
    assert gateway.asked == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/graphql",
        "application/json; charset=latin-1",
        "",
    ],
)
async def test_threat_21_only_json_bodies_are_taken_so_no_form_can_ask(content_type: str) -> None:
    gateway = Recorder()
    answer = await post(gateway, QUERY, content_type=content_type)
    assert answer.status_code == 415
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert gateway.asked == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
async def test_threat_28_a_compressed_body_is_refused_unread(coding: str) -> None:
    answer = await post(Recorder(), b"\x1f\x8b", content_encoding=coding)
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="empty list"),
        pytest.param(b'[{"query":"{ __typename }"}]', id="batch"),
        pytest.param(b"{}", id="no query"),
        pytest.param(b'{"query":null}', id="null query"),
        pytest.param(b'{"query":["a"]}', id="list query"),
        pytest.param(b'{"query":"{ a }","variables":"x"}', id="text variables"),
        pytest.param(b'{"query":"{ a }","variables":[1]}', id="list variables"),
        pytest.param(b'{"query":"{ a }","extensions":0}', id="number extensions"),
        pytest.param(b'{"query":"{ a }","operationName":false}', id="boolean name"),
        pytest.param(b'{"query":"SECRET\xff"}', id="invalid utf-8"),
        pytest.param(b'{"query":"\xed\xa0\x80"}', id="encoded surrogate"),
        pytest.param(b'{"query":"\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"query":"a","variables":{"\\udc00":1}}', id="lone surrogate in a key"),
        pytest.param(b'{"query":"a","variables":{"a":NaN}}', id="NaN"),
        pytest.param(b'{"query":"a"} {"query":"b"}', id="two objects"),
        pytest.param(b'{"query":"a","variables":{"a":1e999}}', id="float past its range"),
        pytest.param(b"\xef\xbb\xbf" + b'{"query":"a"}', id="byte order mark"),
        pytest.param(b"\xff\xfe" + '{"query":"a"}'.encode("utf-16-le"), id="utf-16"),
    ],
)
async def test_threat_11_a_malformed_request_gets_400_and_quotes_nothing(body: bytes) -> None:
    gateway = Recorder()
    for accept in (JSON, GRAPHQL):
        answer = await post(gateway, body, accept=accept)
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "BAD_REQUEST"
        assert "SECRET" not in answer.text
        assert "999" not in str(error)
        assert "data" not in answer.json()
    assert gateway.asked == []


async def test_threat_11_deep_json_and_integers_of_5000_digits_end_in_a_400() -> None:
    gateway = Recorder()
    graph = GraphQL(gateway, challenge=lambda _: "Bearer", body_bytes=1_000_000, stream_seconds=1)
    transport = httpx.ASGITransport(site([Route("/graphql", graph)]))
    deep = b'{"query":"a","variables":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}"
    ignored = b'{"query":"a","other":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    digits = b'{"query":"a","variables":{"a":' + b"7" * 5_000 + b"}}"
    async with httpx.AsyncClient(transport=transport, base_url="http://homeroom.test") as client:
        for body in (deep, ignored, digits):
            answer = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400
            assert "7777" not in str(answer.json()["errors"])
        answer = await client.get("/graphql", params={"query": "a", "variables": '{"a":' + "[" * 20_000})
        assert answer.status_code == 400
    assert gateway.asked == []


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=a&query=b",
        "query=%ff",
        "query=%ed%a0%80",
        "query=a&variables=",
        "query=a&variables=[1]",
        "query=a&variables=%22x%22",
        "query=a&extensions=1",
        "query=a&" + "&".join(f"p{number}=1" for number in range(20)),
    ],
)
async def test_a_malformed_address_gets_400(query_string: str) -> None:
    gateway = Recorder()
    async with client_of(gateway) as client:
        assert (await client.get(f"/graphql?{query_string}")).status_code == 400
    assert gateway.asked == []


async def test_threat_11_a_body_past_the_limit_is_refused_whether_or_not_it_says_its_length() -> None:
    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(LIMIT):
            yield b" " * 100

    gateway = Recorder()
    async with client_of(gateway) as client:
        for body in (b" " * (LIMIT + 1), pieces()):
            answer = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 413
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "LIMIT_BODY"
            assert error["extensions"]["limit"] == LIMIT
            assert answer.headers["connection"] == "close"
    assert gateway.asked == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_threat_21_other_methods_are_refused_and_no_other_site_is_let_in(method: str) -> None:
    async with client_of(Recorder()) as client:
        answer = await client.request(method, "/graphql", headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_threat_21_a_cookie_is_no_credential_and_two_credentials_are_none() -> None:
    gateway = Recorder()
    async with client_of(gateway) as client:
        await client.post("/graphql", json=QUERY, headers={"cookie": "token=t; authorization=Bearer t"})
        assert gateway.asked[0].authorization is None
        two = [("authorization", "Bearer a"), ("authorization", "Bearer b")]
        assert (await client.post("/graphql", json=QUERY, headers=two)).status_code == 400
    assert len(gateway.asked) == 1


async def test_a_query_that_graphql_refuses_has_200_in_json_and_400_in_graphql_json() -> None:
    gateway = refusing(RequestError("The query does not parse.", code="GRAPHQL_PARSE_FAILED", extensions={"at": 3}))
    for accept, status in ((JSON, 200), (GRAPHQL, 400)):
        answer = await post(gateway, QUERY, accept=accept)
        assert answer.status_code == status
        assert answer.json() == {
            "errors": [
                {"message": "The query does not parse.", "extensions": {"code": "GRAPHQL_PARSE_FAILED", "at": 3}}
            ],
            "extensions": {"request": answer.headers["x-request-id"]},
        }


async def test_a_refusal_that_has_a_status_of_its_own_keeps_it() -> None:
    gateway = refusing(RequestError("Slow down.", code="LIMIT_RATE", status=HTTPStatus.TOO_MANY_REQUESTS))
    for accept in (JSON, GRAPHQL):
        assert (await post(gateway, QUERY, accept=accept)).status_code == 429


async def test_no_caller_gets_401_with_a_challenge() -> None:
    answer = await post(refusing(Unauthenticated("Send a token.", challenge="invalid_token")), QUERY, accept=JSON)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_unavailable_gets_503_with_an_error_id_and_no_text() -> None:
    answer = await post(refusing(Unavailable("The ledger at /secret/path cannot be written.")), QUERY)
    assert answer.status_code == 503
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE"
    assert error["extensions"]["id"] in error["message"]
    assert "secret" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith(GRAPHQL)
