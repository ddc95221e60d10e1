"""The OpenAPI document says what the endpoints do, all that they do, and nothing else."""

from typing import Any

import pytest
import schemathesis
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from starlette.routing import Route

from app.web import openapi
from app.web.oauth import routes

from .conftest import RESOURCE, Served
from .described import FORM, Description

pytestmark = pytest.mark.anyio


async def described(served: Served) -> dict[str, Any]:
    answer = await served.http.get("/oauth/openapi.json")
    assert answer.headers["cache-control"] == "public, max-age=60"
    document: dict[str, Any] = answer.json()
    return document


async def test_it_is_a_valid_document_that_tools_read(served: Served) -> None:
    document = await described(served)
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    read = schemathesis.openapi.from_dict(document)
    labels = {found.ok().label for found in read.get_all_operations()}
    assert {"POST /oauth/token", "POST /oauth/introspect", "POST /oauth/revoke", "GET /oauth/jwks"} <= labels


async def test_it_describes_every_route_and_no_other(served: Served) -> None:
    document = await described(served)
    served_here = {route.path for route in routes(served.authorization)}
    assert set(document["paths"]) == served_here
    for route in routes(served.authorization):
        assert isinstance(route, Route)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            path = route.path.format(state="tx", district="grand-bend")
            answer = await served.http.request(method, path)
            assert (answer.status_code != 405) == (method.lower() in document["paths"][route.path]), (method, path)


async def test_it_names_the_addresses_that_the_metadata_names(served: Served) -> None:
    document = await described(served)
    metadata = (await served.http.get("/.well-known/oauth-authorization-server")).json()
    (server,) = document["servers"]
    for endpoint in ("token", "introspection", "revocation"):
        path = metadata[f"{endpoint}_endpoint"].removeprefix(server["url"])
        assert "post" in document["paths"][path]
    assert "get" in document["paths"][metadata["jwks_uri"].removeprefix(server["url"])]


async def test_every_example_is_of_the_shape_that_it_is_an_example_of(served: Served) -> None:
    document = await described(served)
    description = Description(document)
    judged = 0
    for path in document["paths"].values():
        for operation in path.values():
            told = [description.response(operation, int(status)) for status in operation["responses"]]
            contents = [one["content"]["application/json"] for one in told if one]
            contents += [operation["requestBody"]["content"][FORM]] if "requestBody" in operation else []
            for content in contents:
                for example in content.get("examples", {}).values():
                    assert description.faults(example["value"], content["schema"]) == []
                    judged += 1
    assert judged > 20


async def test_its_examples_work_once_a_client_proves_itself(served: Served) -> None:
    document = await described(served)

    def example(path: str) -> dict[str, str]:
        content = document["paths"][path]["post"]["requestBody"]["content"][FORM]
        form: dict[str, str] = content["examples"]["by_secret"]["value"]
        return form

    form = example("/oauth/token")
    assert form["resource"] == RESOURCE
    given = await served.ask(**form | {"scope": "student/name.read"})  # the example's scopes are the catalogue's
    token = given.json()["access_token"]
    for path in ("/oauth/introspect", "/oauth/revoke"):
        assert (await served.ask(path, **example(path) | {"token": token})).status_code == 200


async def test_a_server_without_a_space_describes_itself_too() -> None:
    metadata = {"issuer": "https://homeroom.example", "scopes_supported": []}
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(openapi.document(metadata))] == []
