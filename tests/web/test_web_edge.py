"""The edge: ids, one log line for each request, and no word of a failure's text anywhere."""

import io
import json
import logging

import httpx
import pytest
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from app.errors import RequestError, Unavailable
from app.gateway import Answer, Request
from app.web.log import Lines
from app.web.site import site
from tests.web.asgi import app_of, client_of

pytestmark = pytest.mark.anyio
CANARY = "987-65-4320"


async def test_threat_6_what_fails_is_masked_and_the_log_knows_it_by_the_same_id(log: io.StringIO) -> None:
    async def answer(_: Request) -> Answer:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(f"no such student: {CANARY}") from error

    async with client_of(answer) as client:
        response = await client.post("/graphql", json={"query": f'{{ a(x: "{CANARY}") }}', "variables": {"s": CANARY}})
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert CANARY not in response.text
    assert "Traceback" not in response.text
    assert CANARY not in log.getvalue()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    failure = next(line for line in lines if line["event"] == "failure")
    assert failure["error"] == error["extensions"]["id"]
    assert (failure["kind"], failure["cause"]) == ("ValueError", "KeyError")
    assert "test_web_edge.py" in failure["where"][-1]
    assert failure["request"] == response.headers["x-request-id"]


async def test_threat_26_each_request_has_one_line_without_its_query_or_its_address(log: io.StringIO) -> None:
    async def answer(_: Request) -> Answer:
        return Answer(b'{"data":{"secret":"' + CANARY.encode() + b'"}}')

    async with client_of(answer) as client:
        response = await client.get("/graphql", params={"query": f'{{ a(x: "{CANARY}") }}'}, headers={"x": CANARY})
        await client.get(f"/{CANARY}")
    assert CANARY in response.text
    assert CANARY not in log.getvalue()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "/graphql", 200),
        ("GET", None, 404),
    ]
    assert requests[0]["request"] == response.headers["x-request-id"]
    assert requests[0]["bytes"] == len(response.content)


async def test_a_callers_own_request_id_is_not_taken_over() -> None:
    async def answer(_: Request) -> Answer:
        return Answer(b"{}")

    async with client_of(answer) as client:
        ids = [
            (await client.post("/graphql", json={"query": "a"}, headers={"x-request-id": "mine"})).headers[
                "x-request-id"
            ]
            for _ in range(3)
        ]
    assert "mine" not in ids
    assert len(set(ids)) == 3


async def test_an_id_that_a_trusted_proxy_brings_is_taken_over_if_it_is_well_formed() -> None:
    asked: list[str] = []

    async def answer(request: Request) -> Answer:
        asked.append(request.trail.id)
        raise RequestError("This is refused.", code="BAD_USER_INPUT")

    async with client_of(answer, id_header="x-request-id") as client:
        for given in ("4f3c-90aa-11", "short", "x" * 65, "with space", "é" * 10, "a;b=1234567"):
            sent = [(b"x-request-id", given.encode())]
            answered = await client.post("/graphql", json={"query": "a"}, headers=sent)
            assert (answered.headers["x-request-id"] == given) == (given == "4f3c-90aa-11")
            assert answered.headers["x-request-id"] == asked[-1] == answered.json()["extensions"]["request"]
        twice = [(b"x-request-id", b"4f3c-90aa-11"), (b"x-request-id", b"4f3c-90aa-12")]
        answered = await client.post("/graphql", json={"query": "a"}, headers=twice)
        assert not answered.headers["x-request-id"].startswith("4f3c")


async def test_a_line_says_who_asked_and_what_became_of_it(log: io.StringIO) -> None:
    async def answer(request: Request) -> Answer:
        request.trail.client = "readwell"
        raise RequestError("This is refused.", code="BAD_USER_INPUT")

    async with client_of(answer) as client:
        await client.post("/graphql", json={"query": "a"})
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["client"], line["code"], line["status"]) == ("readwell", "BAD_USER_INPUT", 200)


async def test_threat_6_every_other_route_is_masked_too(log: io.StringIO) -> None:
    async def broken(_: HttpRequest) -> Response:
        raise RuntimeError(CANARY)

    async def unreachable(_: HttpRequest) -> Response:
        raise Unavailable(CANARY)

    routes = [Route("/broken", broken), Route("/unreachable", unreachable)]
    transport = httpx.ASGITransport(site(routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://homeroom.test") as client:
        for path, status in (("/broken", 500), ("/unreachable", 503)):
            response = await client.get(path)
            assert response.status_code == status
            assert response.json()["errors"][0]["extensions"]["id"]
            assert CANARY not in response.text
        assert (await client.post("/broken")).status_code == 405
    assert CANARY not in log.getvalue()


async def test_threat_27_no_address_leads_on_to_where_the_host_header_says() -> None:
    async def answer(_: Request) -> Answer:
        return Answer(b"{}")

    async with client_of(answer) as client:
        for address in ("/graphql/", "//evil.example/graphql/", "/graphql//"):
            response = await client.post(address, json={"query": "{ a }"}, headers={"host": "evil.example"})
            assert (response.status_code, response.headers.get("location")) == (404, None)


def test_threat_6_what_a_library_logs_with_an_exception_loses_its_text() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "It failed.", (), (ValueError, error, None))
    line = Lines().format(record)
    assert CANARY not in line
    assert json.loads(line)["kind"] == "ValueError"
    trace = logging.LogRecord(
        "uvicorn.error", logging.ERROR, "", 0, f"Traceback (most recent call last):\nValueError: {CANARY}", (), None
    )
    assert CANARY not in Lines().format(trace)


async def test_threat_23_no_route_speaks_websocket() -> None:
    async def answer(_: Request) -> Answer:
        raise AssertionError

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app_of(answer)({"type": "websocket", "path": "/graphql", "headers": [], "query_string": b""}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
